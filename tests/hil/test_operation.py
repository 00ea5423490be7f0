"""The main line on real protocols: plans are followed, bad ones are refused."""

import math

import pytest

from holdfast.core.asked_slot import AskedBy
from holdfast.core.commands import Command
from holdfast.core.plan import Plan
from holdfast.core.signals import SITE, Signal
from holdfast.core.state_machine import State
from holdfast.monitoring.quantities.quantity import QuantityName
from holdfast.testing.plans import plan_of
from holdfast.testing.rig import LOAD_W, Rig


def test_without_a_plan_the_battery_carries_the_house(rig: Rig) -> None:
    plant = rig.plant()
    assert abs(plant["grid_power_w"]) < 50.0
    assert plant["battery_power_w"] == pytest.approx(-LOAD_W, abs=50.0)
    status = rig.status
    assert status is not None
    assert status.mode is not None
    assert (status.request_source, status.mode.mode) == (AskedBy.DEFAULT, "self_consumption")
    layers = status.quantities_of(QuantityName.BATTERY_POWER)["battery"]
    assert layers.asked == pytest.approx(-LOAD_W, abs=50.0)
    assert layers.read_back == pytest.approx(-LOAD_W, abs=50.0)
    assert layers.measured == pytest.approx(-LOAD_W, abs=50.0)


def _bad_plans() -> dict[str, tuple[Plan, str]]:
    whole = (-10, 60, 1000.0)
    return {
        "not a number": (plan_of((-10, 60, math.nan)), "battery_power_w"),
        "infinite": (plan_of((-10, 60, -math.inf)), "battery_power_w"),
        "400 kW": (plan_of((-10, 60, 400_000.0)), "400000"),
        "-400 kW": (plan_of((-10, 60, -400_000.0)), "400000"),
        "gap": (plan_of(whole, (61, 120, 0.0)), "gap"),
        "overlap": (plan_of(whole, (59, 120, 0.0)), "overlap"),
        "past": (plan_of((-120, -60, 1000.0)), "past"),
        "expired": (plan_of(whole, expires_s=-1.0), "expired"),
        "for ever": (plan_of(whole, expires_s=9e6), "live for more"),
        "empty": (plan_of(), "no slots"),
        "backwards": (plan_of((30, -10, 1000.0), whole), "ends before"),
    }


@pytest.mark.parametrize("kind", _bad_plans())
def test_a_bad_plan_is_refused_with_its_reason_and_moves_nothing(rig: Rig, kind: str) -> None:
    plan, reason = _bad_plans()[kind]
    reply = rig.send_plan(plan)
    assert not reply.accepted
    assert reason in reply.reason
    rig.until(lambda: rig.status and reason in rig.status.plan_refused, "the reason in the status")
    status = rig.status
    assert status is not None
    assert (status.plan, status.request_source) == (None, AskedBy.DEFAULT)
    rig.until_power(-LOAD_W)


def test_a_plan_is_followed_at_the_inverter_and_the_meter_until_it_ends(rig: Rig) -> None:
    reply = rig.send_plan(plan_of((-1, 2, 2000.0), (2, 5, -2500.0), plan_id="two"))
    assert reply.accepted, reply.reason
    rig.until_power(2000.0)
    rig.until(lambda: abs(rig.plant()["grid_power_w"] - 2000.0 - LOAD_W) < 50.0, "the meter")
    status = rig.status
    assert status is not None
    assert status.request_source == "plan"
    assert status.plan is not None
    assert status.plan.plan_id == "two"
    rig.until_power(-2500.0)
    assert rig.plant()["grid_power_w"] == pytest.approx(LOAD_W - 2500.0, abs=60.0)
    # A bad plan does not take away the good one.
    assert not rig.send_plan(plan_of()).accepted
    rig.keeps(lambda: abs(rig.power_w + 2500.0) <= 50.0, "on the good plan", 0.3)
    # After its last slot the local rule takes over.
    rig.until_power(-LOAD_W)
    rig.until(
        lambda: rig.status and rig.status.request_source == AskedBy.DEFAULT, "the site's own mode"
    )


def test_a_plan_that_expires_is_followed_no_longer(rig: Rig) -> None:
    assert rig.send_plan(plan_of((-1, 60, 1500.0), expires_s=2.0)).accepted
    rig.until_power(1500.0)
    rig.until_power(-LOAD_W, within_s=8.0)


def test_a_load_that_changes_is_followed(rig: Rig) -> None:
    try:
        rig.set(load_override_w=900.0)
        rig.until_power(-900.0, within_s=5.0)
        assert rig.plant()["battery_power_w"] == pytest.approx(-900.0, abs=50.0)
        rig.set(load_override_w=900.0, pv_override_w=2900.0)
        rig.until_power(2000.0, within_s=5.0)
        assert rig.plant()["battery_power_w"] == pytest.approx(2000.0, abs=50.0)
    finally:
        rig.set(load_override_w=LOAD_W, pv_override_w=0.0)


def test_stop_ends_at_zero_with_open_contactors_and_start_goes_on(rig: Rig) -> None:
    done = rig.cli("stop")
    assert done.returncode == 0, done.stderr
    rig.until(lambda: rig.is_safe, "0 W, contactor open", within_s=5.0)
    rig.keeps(lambda: rig.state is State.IDLE and rig.is_safe, "IDLE at rest", 0.5)
    rig.until(lambda: rig.status and not rig.status.waits_for, "readiness")
    done = rig.cli("start")
    assert done.returncode == 0, done.stderr
    rig.until_power(-LOAD_W)


def test_start_twice_and_reset_in_running_change_nothing(rig: Rig) -> None:
    for command in (Command.START, Command.RESET):
        reply = rig.command(command)
        assert not reply.accepted
        assert "changes nothing in RUNNING" in reply.reason
    rig.until_power(-LOAD_W)


def test_the_bms_on_can_is_heard_and_the_site_runs(can_rig: Rig) -> None:
    status = can_rig.status
    assert status is not None
    assert status.value("battery", Signal.CELL_VOLTAGE_MAX_V) == pytest.approx(3.3, abs=0.2)
    assert status.value("battery", Signal.CHARGE_CURRENT_LIMIT_A) is not None
    assert status.value(SITE, Signal.GRID_POWER_W) == pytest.approx(0.0, abs=50.0)


def test_the_command_line_shows_what_the_site_does(rig: Rig) -> None:
    done = rig.cli("status")
    assert done.returncode == 0
    for word in ("RUNNING", "asked", "permitted", "ramped", "written", "read back", "measured"):
        assert word in done.stdout
    done = rig.cli("status", "--json")
    assert '"state": "running"' in done.stdout
