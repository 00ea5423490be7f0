"""A plan leaves the inverter to a rule of its own: from the slot to the wire, and back."""

import signal
from collections.abc import Iterator
from dataclasses import replace

import pytest

from holdfast.core.device_mode import DeviceMode, number_of
from holdfast.core.signals import Signal
from holdfast.core.state_machine import State
from holdfast.monitoring.quantities.quantity import QuantityName
from holdfast.simulation.demo_site import with_table
from holdfast.testing.plans import plan_of
from holdfast.testing.rig import LOAD_W, Rig
from holdfast.testing.sites import example_content

LOAD_FIRST = number_of(DeviceMode.LOAD_FIRST)
OTHER_LOAD_W = 1700.0


@pytest.fixture(scope="module", params=["generic_integrated", "solaredge_storedge"])
def rig(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    folder = tmp_path_factory.mktemp("hil")
    content = with_table(example_content(folder, bms_on_can=False), request.param)
    (unit,) = content["storage"]
    unit["operation"] = {"ramp_w_per_s": 20_000}
    if request.param != "generic_integrated":
        unit["inverter_hardware"]["revert_timeout_s"] = 6
    content["planner"] = {"device_modes": ["load_first"]}
    with Rig(folder, **content) as rig:
        rig.start_plant()
        rig.start("watchdog", "controller")
        rig.to_running()
        yield rig
        assert rig.damage() == {}


def lead(rig: Rig) -> None:
    """Sends a plan that leaves the inverter to itself, by which the battery would rest without.

    All that it may do has to be permitted, which takes its time after an old reading.
    """
    plan = plan_of((-1, 120, 0.0), expires_s=120)
    slots = tuple(replace(slot, device_mode=DeviceMode.LOAD_FIRST) for slot in plan.slots)
    reply = rig.send_plan(replace(plan, slots=slots))
    assert reply.accepted, reply.reason
    rig.until(lambda: shows(rig, LOAD_FIRST), "the mode", 60.0)


def shows(rig: Rig, number: float) -> bool:
    return rig.value(Signal.DEVICE_MODE) == number


def test_it_serves_the_house_by_itself_and_then_follows_its_setpoint_again(rig: Rig) -> None:
    lead(rig)
    mode = rig.quantity(QuantityName.DEVICE_MODE)
    assert mode is not None
    assert (mode.asked, mode.read_back) == (LOAD_FIRST, LOAD_FIRST)
    rig.set(load_override_w=OTHER_LOAD_W)
    try:
        rig.until_power(-OTHER_LOAD_W)
        assert rig.send_plan(plan_of((-1, 60, 1000.0))).accepted
        rig.until_power(1000.0)
        rig.until(lambda: shows(rig, 0.0), "the end of the mode")
    finally:
        rig.set(load_override_w=LOAD_W)
    assert rig.state is State.RUNNING


def test_without_its_controller_the_watchdog_takes_it_out_of_its_own_rule(rig: Rig) -> None:
    lead(rig)
    rig.until_power(-LOAD_W)
    controller = rig.processes["controller"]
    try:
        controller.signal(signal.SIGKILL)
        rig.until(lambda: rig.power_w == 0.0, "0 W", 5.0)
        rig.until(lambda: rig.unit[Signal.BATTERY_POWER_W] == 0.0, "0 W measured", 5.0)
    finally:
        controller.wait()
        rig.start("controller")
    rig.to_running()
