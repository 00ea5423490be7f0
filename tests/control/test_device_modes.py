"""Device modes: who asks for one, what permits it, and what the inverter is told in its place."""

from dataclasses import replace
from datetime import timedelta

import pytest

from holdfast.control.mode_manager import ModeManager, ModeMemory
from holdfast.control.plan_gate import PlanRefused, accept_plan
from holdfast.control.request import Request
from holdfast.control.safety_wrapper import SafetyWrapper
from holdfast.core.asked_slot import AskedBy
from holdfast.core.commands import Command, Point
from holdfast.core.device_mode import MODES, PLANNED, DeviceMode, number_of
from holdfast.core.plan import Plan, PlanSlot, PlanStatus
from holdfast.core.signals import Signal
from holdfast.core.slot_mode import SlotMode
from holdfast.core.state_machine import State
from holdfast.core.units import NS_PER_S
from holdfast.safety.assessment import Assessment
from holdfast.safety.envelope import Envelope
from holdfast.safety.finding import Finding, Level, Reaction
from tests.builders import (
    T0,
    UNIT,
    Bench,
    build_site,
    device,
    snapshot_of,
    unit_content,
    written,
)
from tests.control.test_cycle import NOW

LOAD_FIRST, BATTERY_FIRST = DeviceMode.LOAD_FIRST, DeviceMode.BATTERY_FIRST
BACKUP = DeviceMode.BACKUP_RESERVE
CAN = {"kind": "can", "interface": "virtual", "channel": "modes"}
HYBRID = {
    "inverter": device("generic_hybrid"),
    "bms": {"profile": "pylontech_hv_can", "connection": CAN},
}
PLANNER = {"device_modes": list(PLANNED)}
REACH_W = 5000.0


def request_of(manager, snapshot, accepted, state):
    """What is asked in the first cycle."""
    return manager.step(snapshot, accepted, state, ModeMemory()).request


def site(authority="full", **unit):
    return build_site(unit_content(**HYBRID, **unit), planner=PLANNER, authority=authority)


def plan_of(mode, site, *, now_ns=T0, power_w=1500.0, seconds=600.0):
    slot = PlanSlot(
        start=NOW,
        end=NOW + timedelta(seconds=seconds),
        mode=SlotMode.POWER,
        battery_power_w=power_w,
        grid_power_w=None,
        soc_end_pct=None,
        import_price_per_kwh=0.3,
        reason="cheap",
        device_mode=mode,
    )
    plan = Plan(
        plan_id="p",
        created=NOW,
        expires=NOW + timedelta(seconds=seconds),
        status=PlanStatus.OPTIMAL,
        expected_cost=0.0,
        slots=(slot,),
    )
    return accept_plan(plan, now_ns=now_ns, utc=NOW, site=site)


# Who asks. ----------------------------------------------------------------------------------------


def asked(mode, values=None, state=State.RUNNING, one=None):
    one = one or site()
    return request_of(ModeManager(one), snapshot_of(values or {}), plan_of(mode, one), state)


@pytest.mark.parametrize("mode", PLANNED)
def test_a_plan_asks_for_the_mode_of_its_slot(mode):
    assert asked(mode).device_mode is mode
    assert asked(mode).power_w == 1500.0, "for who takes no modes"


def test_nobody_else_asks_for_a_mode():
    assert asked(None).device_mode is None
    one = site()
    assert request_of(ModeManager(one), snapshot_of(), None, State.RUNNING).device_mode is None
    bare = Request(power_w=1.0, source=AskedBy.PLAN, reason="", expires_ns=T0)
    assert bare.device_mode is None


@pytest.mark.parametrize("state", [state for state in State if state is not State.RUNNING])
def test_no_mode_is_asked_for_outside_running(state):
    assert asked(LOAD_FIRST, state=state).device_mode is None


@pytest.mark.parametrize(
    "values",
    [{Signal.GRID_POWER_W: None}, {Signal.ISLANDED: 1.0, Signal.GRID_VOLTAGE_V: 0.0}],
)
def test_no_mode_is_asked_for_on_an_island_nor_while_the_site_cannot_be_read(values):
    assert asked(LOAD_FIRST, values).device_mode is None


@pytest.mark.parametrize("mode", PLANNED)
def test_at_the_reserve_for_an_outage_no_mode_is_asked_for_that_may_discharge(mode):
    one = site(operation={"backup_reserve_pct": 40})
    expected = None if MODES[mode].discharges else mode
    assert asked(mode, {Signal.SOC_PCT: 40.0}, one=one).device_mode is expected
    assert asked(mode, {Signal.SOC_PCT: 41.0}, one=one).device_mode is mode
    assert asked(mode, {Signal.SOC_PCT: 1.0}).device_mode is mode, "none is kept here"


@pytest.mark.parametrize("mode", PLANNED)
def test_no_mode_is_asked_for_where_the_meter_leaves_less_than_all_that_the_inverter_may_do(mode):
    hardware = {"charge_power_max_w": 3000, "discharge_power_max_w": 2000}
    for import_max_w, export_max_w, leaves_all in (
        (3000, 2000, True),
        (2999, 2000, False),
        (3000, 1999, False),
        (9000, 1999, False),
        (2999, 9000, False),
    ):
        one = build_site(
            unit_content(**HYBRID, inverter_hardware=hardware),
            planner=PLANNER,
            grid={"import_max_w": import_max_w, "export_max_w": export_max_w},
        )
        expected = mode if leaves_all else None
        plan = plan_of(mode, one, power_w=0.0)
        request = request_of(ModeManager(one), snapshot_of(), plan, State.RUNNING)
        assert request.device_mode is expected


def test_which_modes_may_discharge():
    assert {mode for mode, row in MODES.items() if not row.discharges} == {BATTERY_FIRST, BACKUP}


def test_a_plan_may_ask_for_the_modes_of_the_site_alone():
    one = build_site(unit_content(**HYBRID), planner={"device_modes": ["load_first"]})
    assert plan_of(LOAD_FIRST, one).plan.slots[0].device_mode is LOAD_FIRST
    with pytest.raises(PlanRefused, match=r"^slot 0: device_mode battery_first is none of"):
        plan_of(BATTERY_FIRST, one)
    with pytest.raises(PlanRefused, match="device_mode load_first is none of"):
        plan_of(LOAD_FIRST, build_site())


# What permits it. ---------------------------------------------------------------------------------


def permitted(
    mode,
    low_w=-REACH_W,
    high_w=REACH_W,
    *,
    state=State.RUNNING,
    reactions=(),
    expires_ns=T0 + 1,
    islanded=(),
    **changes,
):
    one = site(**changes)
    request = Request(
        power_w=0.0, source=AskedBy.PLAN, reason="", expires_ns=expires_ns, device_mode=mode
    )
    assessment = Assessment(
        findings=tuple(
            Finding(owner=UNIT, row="r", level=Level.ALARM, reaction=each, since_ns=T0, text="")
            for each in reactions
        ),
        envelopes={UNIT: Envelope(min_w=low_w, max_w=high_w, min_by="a", max_by="b")},
        blocks=(),
        islanded=frozenset(islanded),
    )
    return SafetyWrapper(one).authorise(request, state, assessment, T0)[UNIT].device_mode


@pytest.mark.parametrize("mode", PLANNED)
def test_a_mode_is_permitted_where_all_is_that_the_inverter_may_do_in_it(mode):
    assert permitted(mode) is mode
    assert permitted(mode, high_w=REACH_W - 0.1) is None
    assert permitted(mode, low_w=-REACH_W + 0.1) is (None if MODES[mode].discharges else mode)


def test_how_far_an_inverter_reaches_is_its_hardware_in_either_direction():
    hardware = {"charge_power_max_w": 3000, "discharge_power_max_w": 2000}
    assert permitted(LOAD_FIRST, -2000.0, 3000.0, inverter_hardware=hardware) is LOAD_FIRST
    assert permitted(LOAD_FIRST, -1999.0, 3000.0, inverter_hardware=hardware) is None
    assert permitted(LOAD_FIRST, -2000.0, 2999.0, inverter_hardware=hardware) is None


def test_no_mode_is_permitted_that_nobody_asked_for():
    assert permitted(None) is None


@pytest.mark.parametrize("state", [state for state in State if state is not State.RUNNING])
def test_no_mode_is_permitted_outside_running(state):
    assert permitted(LOAD_FIRST, state=state) is None


@pytest.mark.parametrize(
    "how",
    [
        {"expires_ns": T0},
        {"reactions": (Reaction.HOLD,)},
        {"reactions": (Reaction.TRIP,)},
        {"islanded": (UNIT,)},
        {"authority": "observe"},
        {"authority": "limited"},
    ],
)
def test_what_narrows_or_holds_a_setpoint_takes_the_mode_away(how):
    assert permitted(LOAD_FIRST, **how) is None


# What the inverter is told. -----------------------------------------------------------------------


@pytest.fixture
def bench():
    """A site in RUNNING whose inverter would give 2 kW by its own rule."""
    bench = Bench(site())
    bench.start()
    bench.led_w = -2000.0
    bench.load_w = 2000.0
    bench.records.clear()
    return bench


def told(bench, point):
    return [value for record in bench.records for value in written(record, point)]


def test_in_a_mode_it_is_told_that_and_no_setpoint_and_nothing_is_found(bench):
    record = bench.run(60.0, plan=plan_of(LOAD_FIRST, bench.site, now_ns=bench.now_ns))
    assert set(told(bench, Point.DEVICE_MODE)) == {number_of(LOAD_FIRST)}
    assert told(bench, Point.SETPOINT_W) == []
    assert record.assessment.findings == ()
    assert record.moved.state is State.RUNNING
    assert bench.values[UNIT, Signal.BATTERY_POWER_W] == -2000.0


def test_it_is_told_again_before_its_revert_timer_ends(bench):
    bench.run(10.0, plan=plan_of(LOAD_FIRST, bench.site, now_ns=bench.now_ns))
    revert_s = bench.site.storage[0].inverter_hardware.revert_timeout_s
    assert len(told(bench, Point.DEVICE_MODE)) >= 10.0 / (revert_s / 3)


def test_after_a_mode_the_setpoint_counts_again_from_0_w_on(bench):
    plan = plan_of(LOAD_FIRST, bench.site, now_ns=bench.now_ns, seconds=5.01)
    bench.run(5.0, plan=plan)
    bench.records.clear()
    bench.run(0.04, plan=plan)
    setpoints = told(bench, Point.SETPOINT_W)
    assert told(bench, Point.DEVICE_MODE) == [0.0]
    assert len(setpoints) == 1
    assert abs(setpoints[0]) < 200.0, "the ramp begins at 0 W"
    points = [write.point for record in bench.records for write in record.writes]
    assert points.index(Point.SETPOINT_W) < points.index(Point.DEVICE_MODE)
    record = bench.run(5.0)
    assert record.assessment.findings == ()
    assert record.moved.state is State.RUNNING


@pytest.mark.parametrize("command", [Command.STOP, Command.EMERGENCY_STOP])
def test_a_stop_ends_it_at_once(bench, command):
    plan = plan_of(LOAD_FIRST, bench.site, now_ns=bench.now_ns)
    bench.run(5.0, plan=plan)
    record = bench.step(command, plan=plan)
    assert written(record, Point.SETPOINT_W) == [0.0]
    assert written(record, Point.DEVICE_MODE) == [0.0]
    assert written(record, Point.ENABLE) == [0.0]


def test_what_narrows_the_permit_takes_it_back_to_its_setpoint(bench):
    plan = plan_of(LOAD_FIRST, bench.site, now_ns=bench.now_ns)
    bench.run(5.0, plan=plan)
    bench.set(Signal.SOC_PCT, 2.0)
    bench.records.clear()
    bench.run(0.1, plan=plan)
    assert told(bench, Point.DEVICE_MODE)[0] == 0.0
    assert told(bench, Point.SETPOINT_W)[0] >= 0.0


def test_an_inverter_that_does_not_leave_its_own_rule_trips(bench):
    plan = plan_of(LOAD_FIRST, bench.site, now_ns=bench.now_ns)
    bench.run(5.0, plan=plan)
    bench.deaf.add(Point.DEVICE_MODE)
    bench.run(10.0)
    assert bench.state.machine is State.ERROR


def test_an_inverter_whose_bms_takes_powers_gets_the_power_of_the_slot():
    """The BMS would have to know what the inverter does by itself."""
    bench = Bench(build_site(unit_content(inverter=device("generic_hybrid")), planner=PLANNER))
    bench.start()
    bench.run(20.0, plan=plan_of(LOAD_FIRST, bench.site, now_ns=bench.now_ns))
    assert set(told(bench, Point.DEVICE_MODE)) == {0.0}
    assert bench.values[UNIT, Signal.BATTERY_POWER_W] == 1500.0


def test_an_inverter_without_modes_gets_the_power_of_the_slot():
    bench = Bench(build_site(planner=PLANNER))
    bench.start()
    bench.run(20.0, plan=plan_of(LOAD_FIRST, bench.site, now_ns=bench.now_ns))
    assert told(bench, Point.DEVICE_MODE) == []
    assert bench.values[UNIT, Signal.BATTERY_POWER_W] == 1500.0


def test_a_site_does_not_start_while_the_inverter_keeps_a_rule_of_its_own():
    bench = Bench(site())
    bench.deaf.add(Point.DEVICE_MODE)
    bench.set(Signal.DEVICE_MODE, 1.0)
    bench.run(1.0)
    record = bench.step(Command.START)
    assert record.moved.state is not State.RUNNING


def test_samples_of_the_way_back_are_not_held_against_it(bench):
    """For its response time it may still do what its own rule asked."""
    plan = plan_of(LOAD_FIRST, bench.site, now_ns=bench.now_ns, seconds=5.01)
    bench.run(5.0, plan=plan)
    memory = bench.state.units[UNIT].follow_up
    response_s = bench.site.storage[0].inverter_hardware.response_time_s
    assert memory.excused_ns == pytest.approx(bench.now_ns + response_s * NS_PER_S, abs=1)
    assert memory.setpoint_w == 0.0
    assert bench.state.units[UNIT].setpoint_w == 0.0
    assert Point.SETPOINT_W not in bench.state.units[UNIT].inverter


def test_a_plan_of_modes_can_be_told_in_full(bench):
    for mode in PLANNED:
        plan = plan_of(mode, bench.site, now_ns=bench.now_ns)
        bench.led_w = 1000.0
        bench.run(2.0, plan=replace(plan))
        assert bench.values[UNIT, Signal.DEVICE_MODE] == number_of(mode)
