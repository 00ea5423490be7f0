"""A maker's box on real Modbus: one client at a time, told in verbs, with a timer of its own."""

import signal
from collections.abc import Iterator

import pytest

from holdfast.core.commands import Command
from holdfast.core.signals import Signal
from holdfast.core.state_machine import State
from holdfast.simulation.demo_site import with_table
from holdfast.testing.plans import plan_of
from holdfast.testing.rig import LOAD_W, Rig
from holdfast.testing.sites import example_content


@pytest.fixture(scope="module")
def box_rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    folder = tmp_path_factory.mktemp("hil")
    content = with_table(example_content(folder, bms_on_can=False), "foxess_h3")
    content["storage"][0]["operation"] = {"ramp_w_per_s": 20_000}
    content["storage"][0]["inverter_hardware"]["revert_timeout_s"] = 6
    with Rig(folder, **content) as rig:
        rig.start_plant()
        rig.start("watchdog", "controller")
        yield rig


@pytest.fixture
def rig(box_rig: Rig) -> Iterator[Rig]:
    box_rig.to_running()
    yield box_rig
    assert box_rig.damage() == {}


def test_it_covers_the_house_and_follows_a_plan_while_the_sun_changes(rig: Rig) -> None:
    """The box is told what flows at its AC side, so each command rests on what PV gives."""
    assert rig.send_plan(plan_of((-10, 60, 1500.0))).accepted
    rig.until_power(1500.0)
    try:
        rig.set(pv_override_w=1200.0)
        rig.until_power(1500.0)
        rig.keeps(lambda: rig.state is State.RUNNING, "RUNNING", 5.0)
        rig.until_power(1500.0)
    finally:
        rig.set(pv_override_w=0.0)
    rig.until_power(1500.0)


def test_an_emergency_stop_ends_at_zero(rig: Rig) -> None:
    rig.until_power(-LOAD_W)
    rig.command(Command.EMERGENCY_STOP)
    rig.until_state(State.STOPPED)
    rig.until(lambda: rig.power_w == 0.0, "0 W")
    rig.keeps(lambda: rig.power_w == 0.0, "at 0 W", 3.0)
    assert rig.command(Command.RESET).accepted


def test_without_its_controller_the_watchdog_takes_it_to_zero_once_the_one_place_is_free(
    rig: Rig,
) -> None:
    rig.until_power(-LOAD_W)
    controller = rig.processes["controller"]
    try:
        controller.signal(signal.SIGKILL)
        rig.until(lambda: rig.power_w == 0.0, "0 W", 5.0)
        # It is told so again and again: left alone the box would cover the house by its own rule.
        rig.until(lambda: rig.unit[Signal.BATTERY_POWER_W] == 0.0, "0 W", 5.0)
    finally:
        rig.start("controller")
