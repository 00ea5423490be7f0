"""A site without the grid: only the battery's own protection and a stop drop its loads."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.core.commands import Command
from holdfast.core.signals import Signal
from holdfast.core.state_machine import State
from holdfast.monitoring.quantities.quantity import QuantityName
from holdfast.testing.rig import LOAD_W, Rig


def carries_its_load(rig: Rig) -> bool:
    return abs(rig.power_w + LOAD_W) < 50.0 and rig.is_connected


def stays(rig: Rig, seconds: float) -> None:
    """The loads are carried all the time."""
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        assert carries_its_load(rig), rig.what_is()
        time.sleep(0.05)


@pytest.fixture(params=[True, False], ids=["BMS on CAN", "BMS takes a power"])
def island(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Rig]:
    """A running site whose grid has just gone away. A site of its own: the grid would take a
    minute to count as back."""
    with Rig(tmp_path, bms_on_can=request.param) as rig:
        rig.start_plant()
        rig.start("watchdog", "controller")
        rig.to_running()
        rig.set(islanded=True)
        rig.until(lambda: rig.value(Signal.ISLANDED) == 1.0, "the island is seen")
        rig.until(lambda: carries_its_load(rig), "the load")
        yield rig
        assert rig.damage() == {}


def test_an_island_without_its_meter_keeps_its_loads_and_one_with_empty_cells_does_not(
    island: Rig,
) -> None:
    rig = island
    rig.fault("meter", "absent")
    # Bad before it is lost: a meter without a grid tells 0 Hz.
    stays(rig, 3.0)
    rows = {"meter_data_bad", "meter_data_lost"}
    found = [reaction for row, reaction in rig.findings().items() if row in rows]
    assert found == ["block_charge"]
    assert rig.state is State.RUNNING
    status = rig.status
    assert status is not None
    assert status.request_reason == "an island: its load decides the power"
    assert status.quantities_of(QuantityName.BATTERY_POWER)["battery"].high == 0.0

    rig.set(soc_pct=0.9)  # cells at 2.77 V, whatever the BMS counts
    rig.until(lambda: rig.power_w == 0.0, "0 W", 5.0)
    rig.until(
        lambda: rig.findings().keys() & {"cell_voltage_low", "pack_voltage_low"}, "the finding"
    )
    assert rig.unit[Signal.INVERTER_ENABLED] == 0.0


def test_the_emergency_stop_opens_an_island_too(island: Rig) -> None:
    assert island.command(Command.EMERGENCY_STOP).accepted
    island.until(lambda: island.is_safe, "the contactor open", 2.5)


def test_an_island_outlives_its_controller_and_not_its_end(island: Rig) -> None:
    """The watchdog leaves power stage and contactor alone as long as it is one."""
    rig = island
    rig.processes["controller"].signal(signal.SIGKILL)
    stays(rig, 3.0)
    assert rig.unit[Signal.SETPOINT_READBACK_W] == 0.0
    assert rig.unit[Signal.CHARGE_POWER_READBACK_W] == 0.0
    rig.set(islanded=False)
    rig.until(lambda: rig.is_safe, "0 W and the contactor open", 3.5)
