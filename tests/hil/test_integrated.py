"""One box is inverter, BMS link and meter behind one connection; then it is all that there is."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.core.commands import Command
from holdfast.core.signals import Signal
from holdfast.core.state_machine import State
from holdfast.simulation.servers.protocol_faults import ProtocolFault
from holdfast.testing.plans import plan_of
from holdfast.testing.rig import LOAD_W, Rig
from holdfast.testing.sites import example_content


def one_box(folder: Path) -> dict[str, Any]:
    """A site.yaml whose hybrid does all but close the contactor and hear the button."""
    content = example_content(folder, bms_on_can=False)
    unit = content["storage"][0]
    content["devices"] = {"hybrid": unit["inverter"] | {"profile": "generic_integrated"}}
    unit["bms"] = unit["inverter"] = content["meter"] = "hybrid"
    unit["operation"] = {"ramp_w_per_s": 20_000}
    unit["accepts"] = {"unwanted_power": "the maker's own protection has to do"}
    return content


@pytest.fixture(scope="module")
def hybrid_rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    folder = tmp_path_factory.mktemp("hil")
    with Rig(folder, **one_box(folder)) as rig:
        rig.start_plant()
        rig.start("watchdog", "controller")
        yield rig


@pytest.fixture
def rig(hybrid_rig: Rig) -> Iterator[Rig]:
    hybrid_rig.to_running()
    yield hybrid_rig
    assert hybrid_rig.damage() == {}


def test_it_carries_the_house_and_follows_a_plan(rig: Rig) -> None:
    assert rig.plant()["battery_power_w"] == pytest.approx(-LOAD_W, abs=50.0)
    assert rig.value(Signal.CELL_VOLTAGE_MAX_V) is not None
    assert rig.send_plan(plan_of((-10, 60, 2000.0))).accepted
    rig.until_power(2000.0)


def test_it_is_one_device_by_its_own_name(rig: Rig) -> None:
    status = rig.status
    assert status is not None
    assert sorted(status.comms) == ["battery/relays", "hybrid", "site/emergency_input"]


def test_when_it_falls_silent_all_that_it_told_is_lost_and_the_contactor_opens(rig: Rig) -> None:
    rig.fault("inverter", ProtocolFault.ABSENT)
    rig.until_state(State.ERROR)
    rig.until(lambda: not rig.unit["contactor_closed"], "the contactor is open")
    assert rig.status is not None
    assert "battery/power_unseen" in rig.status.latched_faults
    rig.clear()


# Nothing but that box: no contactor of ours, no button. ------------------------------------------


@pytest.fixture(scope="module")
def lone_rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    folder = tmp_path_factory.mktemp("hil")
    content = one_box(folder)
    content["emergency_input"] = {"none": "the inverter has a switch of its own"}
    content["storage"][0]["relays"] = {"none": "the inverter has a contactor of its own"}
    with Rig(folder, **content) as rig:
        rig.start_plant()
        rig.start("watchdog", "controller")
        yield rig


def test_a_lone_box_runs_and_is_one_device(lone_rig: Rig) -> None:
    lone_rig.to_running()
    lone_rig.until_power(-LOAD_W)
    status = lone_rig.status
    assert status is not None
    assert sorted(status.comms) == ["hybrid"]
    assert status.blocks == ()
    lone_rig.command(Command.STOP)
    lone_rig.until_power(0.0)


def test_it_is_stopped_by_command_and_released_by_reset(lone_rig: Rig) -> None:
    lone_rig.to_running()
    lone_rig.command(Command.EMERGENCY_STOP)
    lone_rig.until_state(State.STOPPED)
    lone_rig.until(lambda: lone_rig.unit["inverter_enabled"] == 0.0, "the power stage is off")
    assert lone_rig.power_w == 0.0
    assert lone_rig.command(Command.RESET).accepted
    lone_rig.until_state(State.IDLE)


def test_without_its_controller_the_watchdog_takes_it_to_zero(lone_rig: Rig) -> None:
    lone_rig.to_running()
    lone_rig.until_power(-LOAD_W)
    lone_rig.processes["controller"].signal(signal.SIGKILL)
    lone_rig.until(lambda: lone_rig.unit["inverter_enabled"] == 0.0, "the power stage is off")
    assert lone_rig.power_w == 0.0
    assert lone_rig.damage() == {}
