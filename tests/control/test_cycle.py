"""The cycle: what it hands on, what it counts, and when it writes anew."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from holdfast.control import cycle as cycle_module
from holdfast.control.cycle import Cycle, CycleState, Inputs
from holdfast.control.patience import watchdog_timeout_ns
from holdfast.control.plan_gate import accept_plan
from holdfast.control.request import Request
from holdfast.control.storage.power_ramper import Setpoint
from holdfast.control.storage.unit import UnitMemory
from holdfast.core.asked_slot import AskedBy
from holdfast.core.commands import Command, Point
from holdfast.core.plan import Plan, PlanSlot, PlanStatus
from holdfast.core.role import Role
from holdfast.core.signals import SIGNALS, SITE, Signal
from holdfast.core.slot_mode import SlotMode
from holdfast.core.state_machine import Event, State
from holdfast.core.units import NS_PER_MS, NS_PER_S
from holdfast.devices.point_traits import PointTraits
from holdfast.safety.assessment import SafetyMemory
from holdfast.safety.finding import Reaction
from holdfast.safety.rest_of_site import RestFollower, RestMemory
from tests.builders import (
    HEALTHY_UNIT,
    T0,
    UNIT,
    Bench,
    build_site,
    device,
    expected_signals,
    healthy_store,
    points_of,
    unit_content,
    worn,
    written,
)

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
POWER_POINTS = (Point.SETPOINT_W, Point.ENABLE, Point.CHARGE_POWER_W, Point.DISCHARGE_POWER_W)


def test_before_the_first_cycle_the_site_boots_and_nothing_is_known():
    state = CycleState()
    assert state.machine is State.BOOT
    assert state.time_ns is None
    assert state.safety == SafetyMemory(time_ns=0)
    assert (state.units, state.findings, state.ignored_events) == ({}, (), 0)
    assert (state.rest.pair, state.rest.past) == (None, ())
    assert UnitMemory().setpoint_w == 0.0


def test_the_first_cycle_is_no_gap_however_long_the_computer_has_run():
    site = build_site()
    cycle = Cycle(site, expected_signals(site), points_of(site))
    image = healthy_store(time_ns=T0).image()
    after, record = cycle.step(CycleState(), Inputs(now_ns=T0, image=image))
    assert "cycle_gap" not in {found.row for found in record.assessment.findings}
    assert after.time_ns == T0
    assert after.machine is State.IDLE
    assert record.writes


@pytest.mark.parametrize(
    ("budgets", "rows"),
    [(None, set()), ({}, set()), ({UNIT: worn({Point.ENABLE: 1})}, {"inverter_write_budget"})],
)
def test_a_point_that_wears_out_has_its_budget(budgets, rows):
    bench = Bench()
    bench.cycle = Cycle(bench.site, expected_signals(bench.site), points_of(bench.site), budgets)
    bench.run(0.1)
    assert {f.row for f in bench.records[-1].assessment.findings} == rows


@pytest.mark.parametrize(
    ("gap_ms", "found"), [(0, False), (400, False), (400.000001, True), (-0.000001, True)]
)
def test_a_gap_is_one_beyond_the_watchdogs_time_or_backwards_and_says_how_long(gap_ms, found):
    bench = Bench()
    bench.run(0.1)
    record = bench.step(dt_s=gap_ms / 1000)
    gaps = [f for f in record.assessment.findings if f.row == "cycle_gap"]
    assert bool(gaps) is found
    for gap in gaps:
        assert (gap.owner, gap.since_ns) == (SITE, bench.now_ns)
        assert f"{gap_ms / 1000:.3f} s between two cycles" in gap.text


@pytest.mark.parametrize(
    ("period_ms", "timeout_ms"), [(10, 400), (79, 400), (80, 400), (81, 405), (1000, 5000)]
)
def test_the_watchdog_waits_for_five_periods_and_for_400_ms_at_least(period_ms, timeout_ms):
    assert watchdog_timeout_ns(build_site(cycle={"period_ms": period_ms})) == timeout_ms * NS_PER_MS


def test_commands_that_change_nothing_are_counted():
    bench = Bench()
    bench.run(0.1)
    bench.step(Command.STOP)
    assert bench.state.ignored_events == 1
    bench.step(Command.STOP, Command.RESET)
    assert bench.state.ignored_events == 3
    bench.step()
    assert bench.state.ignored_events == 3


def test_what_a_device_does_wrong_counts_from_the_next_cycle_on():
    bench = Bench()
    bench.start()
    bench.deaf.add(Point.ENABLE)
    bench.set(Signal.INVERTER_ENABLED, 0.0)
    for _ in range(300):
        record = bench.step()
        if bench.state.findings:
            break
    (found,) = bench.state.findings
    assert found.row == "inverter_setpoint_ignored"
    assert found not in record.assessment.findings
    assert bench.state.machine is State.RUNNING
    record = bench.step()
    assert found in record.assessment.findings
    assert bench.state.machine is State.ERROR


@pytest.mark.parametrize("how", ["command", "loop", "trip"])
def test_a_stop_writes_power_and_enable_anew_in_every_cycle_that_raises_it(how):
    bench = Bench()
    bench.start()
    commands = [Command.EMERGENCY_STOP] if how == "command" else []
    if how == "loop":
        bench.set(Signal.EMERGENCY_LOOP_CLOSED, 0.0)
    elif how == "trip":
        bench.set(Signal.CELL_VOLTAGE_MAX_V, 3.7)
        bench.step()
    record = bench.step(*commands)
    assert Event.TRIP in record.moved.events or Event.EMERGENCY_STOP in record.moved.events
    for point in POWER_POINTS:
        assert written(record, point) == [0.0]
    assert bench.state.machine is (State.ERROR if how == "trip" else State.STOPPED)
    record = bench.step(*commands)
    rewritten = [point for point in POWER_POINTS if written(record, point)]
    assert rewritten == (list(POWER_POINTS) if how == "command" else [])


@pytest.mark.parametrize(("category", "opens"), [(0, True), (1, False)])
def test_an_emergency_stop_of_category_0_opens_the_contactor_under_load(category, opens):
    bench = Bench(build_site(emergency_stop_category=category))
    bench.start()
    bench.set(Signal.BATTERY_POWER_W, 4000.0)
    bench.set(Signal.BATTERY_CURRENT_A, 75.0)
    record = bench.step(Command.EMERGENCY_STOP)
    assert (written(record, Point.CONTACTOR) == [0.0]) is opens


def test_a_trip_does_not_open_the_contactor_under_load_at_once_even_in_category_0():
    bench = Bench(build_site(emergency_stop_category=0))
    bench.start()
    bench.set(Signal.BATTERY_POWER_W, 4000.0)
    bench.set(Signal.BATTERY_CURRENT_A, 75.0)
    bench.set(Signal.CELL_VOLTAGE_MAX_V, 3.7)
    bench.step()
    record = bench.step()
    assert bench.state.machine is State.ERROR
    assert written(record, Point.CONTACTOR) == []


def test_each_unit_ramps_from_where_it_is_and_is_followed_up_by_itself():
    site = build_site(unit_content("left"), unit_content("right"))
    bench = Bench(site)
    bench.start()
    bench.set(Signal.GRID_POWER_W, -3000.0)  # a surplus that stays
    record = bench.step(dt_s=0.1)
    assert {unit: s.power_w for unit, s in record.setpoints.items()} == pytest.approx(
        {"left": 200.0, "right": 200.0}
    )
    record = bench.step(dt_s=0.1)
    assert {unit: s.power_w for unit, s in record.setpoints.items()} == pytest.approx(
        {"left": 400.0, "right": 400.0}
    )
    assert {unit: m.setpoint_w for unit, m in bench.state.units.items()} == pytest.approx(
        {"left": 400.0, "right": 400.0}
    )
    assert {write.unit for write in record.writes} == {"left", "right"}


def test_an_inverter_that_delivers_too_much_is_found_through_the_cycle():
    bench = Bench()
    bench.start()
    bench.set(Signal.BATTERY_CURRENT_A, 1440.0 / 52.8)
    bench.set(Signal.GRID_POWER_W, 1500.0)  # the grid feeds the battery; nobody asked for it
    for _ in range(400):
        bench.set(Signal.BATTERY_POWER_W, 1500.0)
        record = bench.step()
        if bench.state.machine is State.ERROR:
            break
    rows = {found.row: found.reaction for found in record.assessment.findings}
    assert rows["inverter_over_delivery"] is Reaction.TRIP


def test_a_meter_that_stands_still_winds_nothing_up():
    """What it shows belongs to the instant at which its value changed; see rest_of_site.py."""
    grid = {"import_max_w": 10_000, "export_max_w": 10_000, "meter_delay_s": 0}
    bench = Bench(build_site(unit_content("left"), unit_content("right"), grid=grid))
    bench.start()
    bench.set(Signal.GRID_POWER_W, 1600.0)
    for _ in range(100):
        assert bench.step().request.power_w == -1600.0
    pair = bench.state.rest.pair
    assert (pair.grid_w, pair.rest_w, pair.pv_w) == (1600.0, 1600.0, 0.0)
    assert bench.values["left", Signal.BATTERY_POWER_W] == pytest.approx(-800.0)
    bench.set(Signal.GRID_POWER_W, 100.0)
    assert bench.step().request.power_w == pytest.approx(-1700.0)


def test_a_contactor_that_falls_open_under_load_ends_the_run_and_is_not_closed_again():
    bench = Bench()
    bench.start()
    bench.set(Signal.GRID_POWER_W, -3000.0)
    bench.run(2.0)
    assert bench.values[UNIT, Signal.BATTERY_POWER_W] > 2000.0
    bench.set(Signal.CONTACTOR_CLOSED, 0.0)
    record = bench.step()
    assert written(record, Point.SETPOINT_W) == written(record, Point.ENABLE) == [0.0]
    bench.run(1.0)
    assert bench.state.machine is State.ERROR
    assert "battery/relays_contactor_dropped" in bench.state.latches.faults
    since = bench.records.index(record)
    assert [w for r in bench.records[since:] for w in written(r, Point.CONTACTOR)] == [0.0]


def test_power_that_nobody_can_see_ends_in_an_open_contactor():
    """One gateway for BMS and inverter, and it falls silent while 3 kW flow."""
    bench = Bench()
    bench.start()
    bench.set(Signal.GRID_POWER_W, -3000.0)
    bench.run(2.0)
    silent_ns = bench.now_ns
    for signal in HEALTHY_UNIT:
        if SIGNALS[signal].producer is not Role.RELAYS:
            bench.set(signal, None)
    while bench.values[UNIT, Signal.CONTACTOR_CLOSED] == 1.0 and bench.now_ns < silent_ns + 9e9:
        bench.step()
    assert bench.values[UNIT, Signal.CONTACTOR_CLOSED] == 0.0
    assert bench.state.machine is State.ERROR
    assert "battery/power_unseen" in bench.state.latches.faults
    # Five seconds, and one for a current that might yet become small enough.
    assert 5.0e9 <= bench.now_ns - silent_ns <= 6.1e9


def test_a_site_that_observes_follows_nothing_up():
    bench = Bench(build_site(authority="observe"))
    bench.set(Signal.BATTERY_POWER_W, 1500.0)
    bench.run(1.0)
    memory = bench.state.units[UNIT]
    assert memory == UnitMemory()


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_unit_of_which_nothing_is_remembered_starts_from_zero(sign):
    bench = Bench()
    bench.start()
    bench.set(Signal.GRID_POWER_W, -3000.0 * sign)
    bench.run(1.0)
    bench.state = replace(bench.state, units={})
    record = bench.step(dt_s=0.1)
    assert record.setpoints[UNIT].power_w == pytest.approx(200.0 * sign)


def test_a_cycle_that_knows_of_none_before_it_moves_no_setpoint_away_from_zero():
    bench = Bench()
    bench.start()
    bench.set(Signal.GRID_POWER_W, -3000.0)
    bench.state = replace(bench.state, time_ns=None)
    assert bench.step().setpoints[UNIT].power_w == 0.0


def test_a_cycle_tells_what_can_be_written():
    site = build_site()
    assert Cycle(site, expected_signals(site), points_of(site)).points == points_of(site)


def plan_limiting_export(limit_w, seconds):
    slot = PlanSlot(
        start=NOW,
        end=NOW + timedelta(hours=1),
        mode=SlotMode.SELF_CONSUMPTION,
        battery_power_w=0.0,
        grid_power_w=0.0,
        soc_end_pct=50.0,
        import_price_per_kwh=0.3,
        reason="export costs",
        export_limit_w=limit_w,
    )
    plan = Plan(
        plan_id="p",
        created=NOW,
        expires=NOW + timedelta(seconds=seconds),
        status=PlanStatus.OPTIMAL,
        expected_cost=0.0,
        slots=(slot,),
    )
    return lambda bench: accept_plan(plan, now_ns=bench.now_ns, utc=NOW, site=bench.site)


def test_each_inverter_that_can_gets_the_whole_export_limit_of_the_site_until_the_plan_expires():
    """Each of them sees the whole export at the grid connection."""
    hybrid = device("generic_hybrid")
    bench = Bench(
        build_site(
            unit_content("left", inverter=hybrid),
            unit_content("right", inverter=hybrid),
            unit_content("plain"),
            grid={"import_max_w": 10_000, "export_max_w": 6000},
        )
    )
    bench.start()
    plan = plan_limiting_export(100.0, 3.0)(bench)
    bench.run(5.0, plan=plan)
    for unit in ("left", "right"):
        limits = [
            w for record in bench.records for w in written(record, Point.EXPORT_LIMIT_W, unit)
        ]
        assert limits == [6000.0, 100.0, 6000.0]
    assert not [w for r in bench.records for w in written(r, Point.EXPORT_LIMIT_W, "plain")]
    assert bench.records[-1].assessment.findings == ()


def test_an_inverter_that_ignores_its_export_limit_is_logged_and_trips_nothing():
    bench = Bench(build_site(unit_content(inverter=device("generic_hybrid"))))
    bench.deaf.add(Point.EXPORT_LIMIT_W)
    bench.start()
    record = bench.run(30.0, plan=plan_limiting_export(100.0, 60.0)(bench))
    assert {found.row for found in record.assessment.findings} == {"inverter_export_limit_ignored"}
    assert record.moved.state is State.RUNNING
    assert record.permits[UNIT].envelope.max_w > 4000.0


def plan_with_pv_off(bench, seconds):
    accepted = plan_limiting_export(None, seconds)(bench)
    slots = tuple(
        replace(slot, pv_on=False, mode=SlotMode.HOLD, reason="paid")
        for slot in accepted.plan.slots
    )
    return replace(accepted, plan=replace(accepted.plan, slots=slots))


def test_each_inverter_that_can_switches_its_pv_off_until_the_plan_expires():
    hybrid = device("generic_hybrid")
    bench = Bench(
        build_site(
            unit_content("left", inverter=hybrid),
            unit_content("right", inverter=hybrid),
            unit_content("plain"),
        )
    )
    bench.start()
    bench.run(5.0, plan=plan_with_pv_off(bench, 3.0))
    for unit in ("left", "right"):
        told = [w for record in bench.records for w in written(record, Point.PV_ON, unit)]
        assert told == [1.0, 0.0, 1.0]
    assert not [w for r in bench.records for w in written(r, Point.PV_ON, "plain")]
    assert bench.records[-1].assessment.findings == ()


def test_an_inverter_that_ignores_its_pv_switch_is_logged_and_trips_nothing():
    bench = Bench(build_site(unit_content(inverter=device("generic_hybrid"))))
    bench.deaf.add(Point.PV_ON)
    bench.start()
    record = bench.run(30.0, plan=plan_with_pv_off(bench, 60.0))
    assert {found.row for found in record.assessment.findings} == {"inverter_pv_switch_ignored"}
    assert record.moved.state is State.RUNNING


@pytest.mark.parametrize("authority", ["observe", "full"])
def test_a_box_that_follows_its_own_rule_can_be_watched_but_not_started(authority):
    bench = Bench(build_site(authority=authority))
    bench.set(Signal.SETPOINT_READBACK_W, math.nan)
    bench.run(1.0)
    assert bench.state.machine is (State.IDLE if authority == "observe" else State.BOOT)


@pytest.mark.parametrize(
    ("asked_w", "reached_w", "limited"),
    [
        (900.0, 900.0, False),
        (900.0, 899.0, False),
        (900.0, 901.0, False),
        (900.0, 898.95, True),
        (900.0, 901.05, True),
        (-900.0, 900.0, True),
        (math.nan, 900.0, True),
    ],
)
def test_a_request_that_is_served_but_for_a_watt_is_not_limited(asked_w, reached_w, limited):
    request = Request(power_w=asked_w, source=AskedBy.DEFAULT, reason="", expires_ns=T0)
    half = {
        unit: Setpoint(unit=unit, asked_w=0.0, permitted_w=0.0, power_w=reached_w / 2.0)
        for unit in ("left", "right")
    }
    assert cycle_module._is_limited(request, half) is limited
    assert not CycleState().is_limited


@pytest.mark.parametrize(("learns", "told"), [(False, True), (True, False)])
def test_the_meters_delay_is_what_is_declared_unless_it_is_to_be_learned(learns, told):
    site = build_site(
        grid={"import_max_w": 17_000, "export_max_w": 10_000, "meter_delay_s": 7.0,
              "learns_meter_delay": learns}
    )  # fmt: skip
    bench = Bench(site)
    seen = []
    step = bench.cycle._modes.step
    bench.cycle._modes.step = lambda *args: seen.append(args[-1]) or step(*args)
    bench.step()
    declared = RestFollower(site.unit_names, 7.0).window(RestMemory())
    learned = RestFollower(site.unit_names, None).window(RestMemory())
    least_ns, most_ns = declared if told else learned
    assert least_ns < most_ns
    assert seen[0].meter_delay_s == least_ns / NS_PER_S
    assert bench.cycle._rest.window(RestMemory()) == (least_ns, most_ns)


def test_the_coarsest_device_tells_in_which_steps_the_site_is_led():
    site = build_site(unit_content("left"), unit_content("right"))

    def coarse_w(**traits):
        return cycle_module._coarse_w(site, {"left": {Point.SETPOINT_W: PointTraits(**traits)}})

    assert cycle_module._coarse_w(site, {}) == 0.0
    assert coarse_w(step=100.0) == 100.0
    assert coarse_w(whole_w=(500.0, 700.0)) == math.inf
    other = {"left": {Point.ENABLE: PointTraits(step=100.0)}}
    assert cycle_module._coarse_w(site, other) == 0.0
