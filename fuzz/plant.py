"""A simulated house, of whose devices the first inputs are made."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path
from typing import Any

import yaml

from holdfast.core.role import Role
from holdfast.core.signals import SITE
from holdfast.devices.block_plan import RegisterBlock
from holdfast.devices.profile import RegisterTable
from holdfast.devices.register_image import Place
from holdfast.devices.roles import ROLES, Per
from holdfast.simulation.demo_site import demo_content
from holdfast.simulation.plant import SitePlant
from holdfast.simulation.servers.protocol_faults import FaultSet
from holdfast.simulation.servers.registers import DeviceRegisters
from holdfast.site.site_file import parse_site
from holdfast.testing.sites import example_loads

NOON = datetime(2026, 5, 8, 10, tzinfo=UTC)
UNIT = "battery"
CAR = "car"
_READS = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}


def house_content() -> dict[str, Any]:
    """Returns what a site.yaml says of it; its loads are switched, one room by a thermostat, and
    its car is measured."""
    connection = {"kind": "modbus_tcp", "host": "127.0.0.1", "port": 15_100}
    car = {"name": CAR, "meter": {"profile": "generic_load_meter", "connection": connection}}
    content = demo_content(Path("/nowhere")) | example_loads(15_000)
    return content | {"metered_loads": [car]}


def house() -> SitePlant:
    """Returns it at noon, with power flowing."""
    plant = SitePlant.from_site(parse_site(yaml.safe_dump(house_content())))
    plant.step(1.0, NOON)
    return plant


class SimulatedDevice:
    """Answers a poll as the device of a table that comes with Holdfast."""

    def __init__(self, table: RegisterTable) -> None:
        self._registers = DeviceRegisters(
            house(), table, _owners(table), FaultSet("fuzz", "modbus"), lambda *_: None
        )
        self.profile = self._registers.profile

    def words(self, block: RegisterBlock) -> list[int]:
        """Returns the words of one block; of what it does not have, zeros."""
        words = self._registers.read(
            _READS[block.table], block.address, block.count, block.device_id
        )
        return words if isinstance(words, list) else [0] * block.count

    def from_address(self, first: int, device_id: int | None) -> list[int]:
        """Returns its holding registers from ``first`` on, up to one that it has not."""
        held = self._registers._words()
        places: Iterator[Place] = ((device_id, "holding", at) for at in range(first, 0x1_0000))
        return [held[place] for place in takewhile(held.__contains__, places)]


def _owners(table: RegisterTable) -> Mapping[Role, str]:
    load = "bath" if "thermostat" in table.name else "parlour"
    names = {Per.SITE: SITE, Per.UNIT: UNIT, Per.LOAD: load, Per.METERED_LOAD: CAR}
    return {role: names[ROLES[role].per] for role in table.roles}
