"""A site whose inverter, battery and meter speak SunSpec, with the real processes on it."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.core.commands import Command
from holdfast.core.signals import Signal
from holdfast.core.state_machine import State
from holdfast.testing.plans import plan_of
from holdfast.testing.rig import LOAD_W, Rig
from holdfast.testing.sites import example_content


def sunspec_site(folder: Path) -> dict[str, Any]:
    """A site.yaml of devices that tell themselves where their registers are."""
    content = example_content(folder, bms_on_can=False)
    content |= {"authority": "limited", "limited_power_w": 3000}
    unit = content["storage"][0]
    content["meter"]["profile"] = "sunspec_meter"
    content["pv_meter"] = {"none": "these tests"}
    unit["inverter"]["profile"] = "sunspec_704"
    unit["bms"]["profile"] = "sunspec_battery"
    unit["relays"] = {"none": "the battery has its own"}
    unit["inverter_hardware"] |= {"revert_timeout_s": 10}
    unit["operation"] = {"ramp_w_per_s": 20_000}
    unit["accepts"] = {
        "understood": "nobody has it yet",
        "disconnection": "the battery has its own",
        "unwanted_power": "the battery has its own",
    }
    return content


@pytest.fixture(scope="module")
def whole_rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    folder = tmp_path_factory.mktemp("hil")
    with Rig(folder, **sunspec_site(folder)) as rig:
        rig.start_plant()
        rig.start("watchdog", "controller")
        yield rig


@pytest.fixture
def rig(whole_rig: Rig) -> Iterator[Rig]:
    whole_rig.to_running()
    yield whole_rig
    assert whole_rig.damage() == {}


def test_it_is_stopped_by_command_and_released_by_reset(rig: Rig) -> None:
    rig.command(Command.EMERGENCY_STOP)
    rig.until_state(State.STOPPED)
    rig.until_power(0.0)
    assert rig.command(Command.RESET).accepted
    rig.until_state(State.IDLE)


def test_without_its_controller_the_watchdog_takes_it_to_zero(rig: Rig) -> None:
    rig.until_power(-LOAD_W)
    rig.processes["controller"].signal(signal.SIGKILL)
    rig.until_power(0.0)
    rig.start("controller")


def test_without_anybody_its_own_timer_does(rig: Rig) -> None:
    rig.until_power(-LOAD_W)
    for name in ("watchdog", "controller"):
        rig.processes[name].signal(signal.SIGKILL)
    assert rig.power_w == pytest.approx(-LOAD_W, abs=50.0)
    rig.until_power(0.0)
    rig.start("watchdog", "controller")


def test_it_carries_the_house_and_follows_a_plan(rig: Rig) -> None:
    rig.until_power(-LOAD_W)
    assert rig.value(Signal.REVERT_TIMEOUT_READBACK_S) == 10.0
    assert rig.send_plan(plan_of((-10, 60, 2000.0))).accepted
    rig.until_power(2000.0)
