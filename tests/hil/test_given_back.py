"""Whichever way Holdfast leaves, the inverter holds what its owner had set, and the house sees its
own rule at the meter."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from pymodbus.client import ModbusTcpClient

from holdfast.core.commands import Command
from holdfast.core.signals import Signal
from holdfast.simulation.demo_site import with_table
from holdfast.testing.plans import plan_of
from holdfast.testing.rig import LOAD_W, Rig
from holdfast.testing.sites import example_content

OWNERS_OWN = {0xE004: 1, 0xE00A: 1}
"""Maximum self-consumption, without remote control."""
TOUCHED = (0xE004, 0xE00A, 0xE00B, 0xE00C, 0xE00D, 0xE00E, 0xE00F, 0xE010, 0xE011)
PV_W = 1500.0
AT_THE_METER_W, AT_THE_METER_WITHIN_S = 100.0, 30.0


class Owner:
    """Reads, and once sets, the registers of the box that Holdfast's table writes."""

    def __init__(self, rig: Rig) -> None:
        connection = rig.site.storage[0].inverter.connection
        self._port, self._device_id = connection.port, connection.device_id

    def registers(self) -> dict[int, int]:
        with ModbusTcpClient("127.0.0.1", port=self._port) as client:
            return {
                address: client.read_holding_registers(
                    address, count=1, device_id=self._device_id
                ).registers[0]
                for address in TOUCHED
            }

    def sets(self, values: dict[int, int]) -> None:
        with ModbusTcpClient("127.0.0.1", port=self._port) as client:
            for address, value in values.items():
                client.write_register(address, value, device_id=self._device_id)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    content = with_table(example_content(tmp_path, bms_on_can=False), "solaredge_storedge")
    content["storage"][0]["operation"] = {"ramp_w_per_s": 20_000}
    with Rig(tmp_path, **content) as rig:
        rig.start_plant()
        yield rig
        assert rig.damage() == {}


def test_told_to_end_it_gives_back_what_it_took(rig: Rig) -> None:
    owner = Owner(rig)
    owner.sets(OWNERS_OWN)
    before = owner.registers()
    rig.launch("run", "-m", "holdfast.cli.main", "run", "--plain")
    rig.to_running()
    assert (rig.files.taken_over / "battery.json").exists()
    rig.set(pv_override_w=PV_W)
    rig.processes["run"].signal(signal.SIGTERM)
    rig.processes["run"].wait()
    assert owner.registers() == before
    rig.until(
        lambda: abs(rig.power_w - (PV_W - LOAD_W)) < AT_THE_METER_W,
        "its own rule at the meter",
        AT_THE_METER_WITHIN_S,
    )
    assert "keeps its own rule" in (rig.folder / "run.log").read_text()
    assert not (rig.files.taken_over / "battery.json").exists()


def test_after_an_emergency_stop_nothing_is_given_back(rig: Rig) -> None:
    owner = Owner(rig)
    before = owner.registers()
    rig.launch("run", "-m", "holdfast.cli.main", "run", "--plain")
    rig.to_running()
    assert rig.command(Command.EMERGENCY_STOP).accepted
    rig.until(lambda: rig.power_w == 0.0, "0 W")
    rig.processes["run"].signal(signal.SIGTERM)
    rig.processes["run"].wait()
    assert owner.registers() != before
    assert rig.power_w == 0.0
    assert "is not given back: latched is an emergency stop" in (rig.folder / "run.log").read_text()
    assert (rig.files.taken_over / "battery.json").exists()


def test_after_a_kill_a_release_by_hand_knows_what_was_there(rig: Rig) -> None:
    owner = Owner(rig)
    owner.sets(OWNERS_OWN)
    before = owner.registers()
    rig.start("watchdog", "controller")
    rig.to_running()
    assert rig.send_plan(plan_of((-10, 60, -1500.0))).accepted
    rig.until_power(-1500.0)
    for name in ("watchdog", "controller"):
        rig.processes[name].signal(signal.SIGKILL)
        rig.processes[name].wait()
    assert owner.registers() != before
    rig.start("watchdog", "controller")
    rig.until(lambda: rig.value(Signal.SETPOINT_READBACK_W) is not None, "a controller again")
    for name in ("controller", "watchdog"):
        rig.processes[name].end()
    released = rig.cli("devices", "release", "--yes")
    assert released.returncode == 0, released.stderr
    assert owner.registers() == before
