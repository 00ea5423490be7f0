"""One table against the box that it is about, without a wire: what is sent, what it does, what it
shows."""

from collections.abc import Sequence
from typing import Any

from holdfast.core.commands import Point
from holdfast.core.config import Site
from holdfast.core.device_mode import DeviceMode, number_of
from holdfast.core.role import Role
from holdfast.core.signals import Signal
from holdfast.devices.can_profile import CanProfile
from holdfast.devices.limit_write import LimitWrite
from holdfast.devices.modbus_profile import ModbusProfile
from holdfast.devices.mode_write import ModeWrite
from holdfast.devices.profile import load_profile
from holdfast.devices.register_image import LastShown, RawImage, WriteRequest
from holdfast.devices.registers import RegisterWrite
from holdfast.devices.roles import ROLES, Per
from holdfast.devices.verbs import VerbWrite
from holdfast.simulation.plant import SitePlant
from holdfast.simulation.servers.protocol_faults import FaultSet
from holdfast.simulation.servers.registers import DeviceRegisters
from holdfast.site.devices import physical_devices, profile_of
from tests.builders import UNIT, build_site, device, unit_content

STEP_S = 0.1
SETTLED_S = 3.0
"""A plant's inverter is through with a new setpoint by then."""
LOAD_W = 600.0
_READ = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}


def site_of(table: str) -> Site:
    """A site that has ``table`` for all that it can do, and plain devices for the rest."""
    box = device(table, "box")
    roles = load_profile(table).roles
    unit: dict[str, Any] = unit_content()
    unit |= {ROLES[role].key: box for role in roles if ROLES[role].per is Per.UNIT}
    unit["inverter_hardware"] |= {"revert_timeout_s": 60}
    whole = {ROLES[role].key: box for role in roles if ROLES[role].per is Per.SITE}
    if Role.METER in roles and Role.PV_METER not in roles:
        whole["pv_meter"] = {"none": "these tests"}
    return build_site(unit, **(whole | {"authority": "observe"}))


class TableBench:
    """Runs one box, and tells it by its table what to do."""

    def __init__(self, table: str, *, pv_w: float = 0.0, load_w: float = LOAD_W) -> None:
        self.site = site_of(table)
        (one,) = (each for each in physical_devices(self.site) if Role.INVERTER in each.owners)
        profile = profile_of(self.site, one)
        assert not isinstance(profile, CanProfile)
        self.owners = one.owners
        self.plant = SitePlant.from_site(self.site)
        self.plant.household.load_override_w = load_w
        self.plant.household.pv_override_w = pv_w
        self.unit = self.plant.units[UNIT]
        self.unit.contactor.commanded = self.unit.contactor.closed = True
        if Role.BMS not in profile.roles:  # the plain one in its place would have to be told
            self.unit.inverter.permit(charge_w=5000.0, discharge_w=5000.0)
        self.registers = DeviceRegisters(
            self.plant, profile, one.owners, FaultSet("box", "modbus"), lambda *_: None
        )
        self.profile: ModbusProfile = self.registers.profile
        self.refusals: list[str] = []
        self.acknowledged: dict[Any, int] = {}
        """What of this a poll does not read counts as what the box holds."""
        self.pv_w = 0.0
        """PV gave this when it was commanded last."""
        self.run(STEP_S)

    @property
    def verbs(self) -> VerbWrite:
        (write,) = (row for row in self.profile.writes if isinstance(row, VerbWrite))
        return write

    @property
    def modes(self) -> ModeWrite | None:
        return next((row for row in self.profile.writes if isinstance(row, ModeWrite)), None)

    def requests_of(self, mode: DeviceMode) -> tuple[WriteRequest, ...]:
        """What is sent to leave it to a mode."""
        assert self.modes is not None
        return self.modes.requests(number_of(mode), LastShown(image=self.image(), told={}))

    def lead(self, mode: DeviceMode) -> None:
        """Leaves it to a mode, and lets it settle."""
        self.send(self.requests_of(mode))
        self.run(SETTLED_S)

    def requests_to_limit(self, limit_w: float) -> tuple[WriteRequest, ...]:
        """What is sent for an export limit."""
        row = self.profile.points[Point.EXPORT_LIMIT_W]
        assert isinstance(row, LimitWrite | RegisterWrite)
        return row.requests(limit_w, LastShown(image=self.image(), told={}))

    def limit(self, limit_w: float) -> None:
        """Tells it an export limit, and lets PV come down."""
        self.send(self.requests_to_limit(limit_w))
        self.run(2.0 * SETTLED_S)

    def run(self, seconds: float) -> None:
        """Lets time pass."""
        for _ in range(round(seconds / STEP_S)):
            self.plant.step(STEP_S, self.plant.utc_s + STEP_S)

    def image(self) -> dict[Any, int]:
        """All that a poll reads, and what the box does not show and has acknowledged."""
        image: dict[Any, int] = dict(self.acknowledged)
        for block in self.profile.blocks():
            words = self.registers.read(
                _READ[block.table], block.address, block.count, block.device_id
            )
            assert isinstance(words, list), f"{block}: {words}"
            image |= dict(zip(block.places, words, strict=True))
        return image

    def told(self, image: RawImage | None = None) -> dict[Signal, float]:
        """What a poll tells."""
        image = self.image() if image is None else image
        told = self.profile.told(image, dict.fromkeys(image, 0), self.pv_w)
        return {one.signal: one.value for one in told}

    def requests(self, power_w: float, *, fresh: bool = False) -> tuple[WriteRequest, ...]:
        """What is sent for a power; ``fresh`` as if nothing of the device were known."""
        image = self.image()
        rests_on = self.verbs.rests_on
        told = {signal: self.profile.value_of(signal, image) for signal in rests_on}
        self.pv_w = told.get(Signal.PV_POWER_W, 0.0)
        return self.verbs.requests(power_w, LastShown(image={} if fresh else image, told=told))

    def release(self) -> tuple[WriteRequest, ...]:
        return self.verbs.release(LastShown(image={}, told={}))

    def send(self, requests: Sequence[WriteRequest]) -> None:
        """Sends in order; what the box refuses is a mistake of the table."""
        for request in requests:
            function = 16 if request.function == "multiple" else 6
            answer = self.registers.write(
                function, request.address, request.words, request.device_id
            )
            assert answer is None, f"{request} was refused: {answer}"
            self.acknowledged |= dict(zip(request.places, request.words, strict=True))

    def tell(self, power_w: float, seconds: float = SETTLED_S) -> None:
        """Tells it a power, and lets it settle."""
        self.send(self.requests(power_w))
        self.run(seconds)

    @property
    def exported_w(self) -> float:
        """What really flows into the grid."""
        return -self.plant.grid_power_w

    @property
    def power_w(self) -> float:
        """What the battery really does, + charging."""
        return self.unit.inverter.power_w
