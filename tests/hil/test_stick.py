"""A Growatt behind a stick with OpenInverterGateway: every process of ours reaches it over MQTT."""

import signal
from collections.abc import Iterator

import pytest

pytest.importorskip("aiomqtt")

from holdfast.core.commands import Command
from holdfast.core.role import Role
from holdfast.core.signals import Signal
from holdfast.core.state_machine import State
from holdfast.simulation.demo_site import with_table
from holdfast.simulation.servers.protocol_faults import ProtocolFault
from holdfast.testing.plans import plan_of
from holdfast.testing.rig import Rig
from holdfast.testing.sites import example_content

CHARGE_W, DISCHARGE_W = 1500.0, -1000.0
"""Of 5 kW each is a whole number of tenths, which is what the table asks of the box."""


@pytest.fixture(scope="module")
def stick_rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    folder = tmp_path_factory.mktemp("hil")
    content = with_table(example_content(folder, bms_on_can=False), "growatt_sph", over_mqtt=True)
    content["storage"][0]["operation"] = {"ramp_w_per_s": 20_000}
    with Rig(folder, **content) as rig:
        rig.start_plant()
        rig.start("watchdog", "controller")
        yield rig


@pytest.fixture
def rig(stick_rig: Rig) -> Iterator[Rig]:
    stick_rig.clear()
    stick_rig.until_running(lambda: True, "well")
    yield stick_rig
    assert stick_rig.damage() == {}


def test_it_follows_a_plan_both_ways(rig: Rig) -> None:
    assert rig.send_plan(plan_of((-10, 60, CHARGE_W))).accepted
    rig.until_power(CHARGE_W)
    assert rig.send_plan(plan_of((-10, 60, DISCHARGE_W))).accepted
    rig.until_power(DISCHARGE_W)
    assert rig.state is State.RUNNING


def test_it_follows_a_plan_though_each_answer_takes_its_time(rig: Rig) -> None:
    rig.fault(Role.INVERTER, ProtocolFault.SLOW, 0.1)
    assert rig.send_plan(plan_of((-10, 60, DISCHARGE_W))).accepted
    rig.until_running(lambda: abs(rig.power_w - DISCHARGE_W) <= 50.0, "what the plan says")
    assert rig.send_plan(plan_of((-10, 60, CHARGE_W))).accepted
    rig.until_running(lambda: abs(rig.power_w - CHARGE_W) <= 50.0, "what the plan says")


def test_an_emergency_stop_ends_at_zero(rig: Rig) -> None:
    assert rig.send_plan(plan_of((-10, 60, CHARGE_W))).accepted
    rig.until_power(CHARGE_W)
    rig.command(Command.EMERGENCY_STOP)
    rig.until_state(State.STOPPED)
    rig.until(lambda: rig.power_w == 0.0, "0 W")
    assert rig.command(Command.RESET).accepted


def test_without_its_controller_the_watchdog_takes_it_to_zero(rig: Rig) -> None:
    assert rig.send_plan(plan_of((-10, 60, CHARGE_W))).accepted
    rig.until_power(CHARGE_W)
    try:
        rig.processes["controller"].signal(signal.SIGKILL)
        rig.until(lambda: rig.unit[Signal.BATTERY_POWER_W] == 0.0, "0 W", 10.0)
    finally:
        rig.start("controller")


def test_a_broker_that_is_gone_is_told_and_power_comes_back_with_it(rig: Rig) -> None:
    assert rig.send_plan(plan_of((-10, 60, CHARGE_W))).accepted
    rig.until_power(CHARGE_W)
    rig.fault(Role.INVERTER, ProtocolFault.ABSENT)
    try:
        rig.until(lambda: _lost(rig), "a loss that is told")
    finally:
        rig.clear()
    rig.until_running(lambda: abs(rig.power_w - CHARGE_W) <= 50.0, "what the plan says")


def _lost(rig: Rig) -> bool:
    return any("data_lost" in row for row in rig.findings())
