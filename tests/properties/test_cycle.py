"""The whole cycle: what holds in every cycle, whatever comes in, in whatever order."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import holdfast.control.cycle as cycle_module
import holdfast.safety.assessment as assessment_module
from holdfast.control.connection.band import Band
from holdfast.control.cycle import Cycle, CycleState, Inputs
from holdfast.control.mode_manager import AskedOfBatteries
from holdfast.control.patience import watchdog_timeout_ns
from holdfast.control.plan_gate import AcceptedPlan
from holdfast.control.request import Request
from holdfast.control.storage.power_ramper import Setpoint
from holdfast.core.asked_slot import AskedBy
from holdfast.core.commands import Command, Point
from holdfast.core.latches import Latches
from holdfast.core.plan import Plan, PlannedLoad, PlanSlot, PlanStatus
from holdfast.core.reading import Good
from holdfast.core.role import Role
from holdfast.core.signals import SIGNALS, SITE, Signal
from holdfast.core.slot_mode import SlotMode
from holdfast.core.state_machine import State
from holdfast.core.units import NS_PER_S
from tests.builders import (
    HEALTHY_LOAD,
    HEALTHY_PV,
    HEALTHY_SITE,
    HEALTHY_UNIT,
    T0,
    UNIT,
    Bench,
    build_site,
    device,
    expected_signals,
    load_content,
    points_of,
    room_content,
    unit_content,
    written,
)

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
POWERS = {Point.SETPOINT_W, Point.CHARGE_POWER_W, Point.DISCHARGE_POWER_W}


def plan_for(
    power_w, mode=SlotMode.POWER, lasts_s=86_400, loads=(), export_limit_w=None, pv_on=True
):
    """A plan as it is followed; not through the gate, so that nothing is known of its powers."""
    slot = PlanSlot(
        start=NOW,
        end=NOW + timedelta(days=1),
        mode=mode,
        battery_power_w=power_w,
        grid_power_w=0.0,
        soc_end_pct=50.0,
        import_price_per_kwh=0.3,
        reason="test",
        loads=loads,
        export_limit_w=export_limit_w,
        pv_on=pv_on,
    )
    plan = Plan(
        plan_id="p",
        created=NOW,
        expires=NOW,
        status=PlanStatus.OPTIMAL,
        expected_cost=0.0,
        slots=(slot,),
    )
    end_ns = T0 + lasts_s * NS_PER_S
    return AcceptedPlan(
        plan=plan, accepted_ns=T0, expires_ns=end_ns, starts_ns=(T0 - NS_PER_S,), ends_ns=end_ns
    )


# What may come in. ------------------------------------------------------------------------------

LOADS = {
    "loads": [load_content(), load_content(name="pump", power_w=1e6, without_plan="on")],
    "rooms": [room_content(), room_content(name="den", switch=device("generic_thermostat"))],
}
SITES = {
    "full": build_site(),
    "limited": build_site(authority="limited", limited_power_w=700),
    "observe": build_site(authority="observe", **LOADS),
    "loads": build_site(**LOADS),
    "hybrid": build_site(
        unit_content(inverter=device("generic_hybrid")),
        grid={"import_max_w": 10_000, "export_max_w": 3000},
    ),
    "two units": build_site(
        unit_content("battery", operation={"charge_power_max_w": 3000}),
        unit_content("second", battery={"charge_current_max_a": 40}),
    ),
}


def near(low, high):
    return st.floats(low, high, allow_nan=False)


def values_of(signal):
    """Mostly what a device may say; sometimes what it cannot; sometimes silence."""
    row = SIGNALS[signal]
    healthy = {**HEALTHY_SITE, **HEALTHY_UNIT, **HEALTHY_LOAD}
    normal = {**healthy, **dict(HEALTHY_PV.values())}[signal]
    return st.one_of(
        st.just(normal),
        near(row.low, row.high),
        st.sampled_from([math.nan, math.inf, -math.inf, row.low - 1, row.high + 1]),
        st.none(),
    )


MEASURED = [*HEALTHY_SITE, *HEALTHY_UNIT, *dict(HEALTHY_PV.values())]
CHANGES = st.sampled_from([*MEASURED, *HEALTHY_LOAD]).flatmap(
    lambda s: st.tuples(st.just(s), values_of(s))
)
COMMANDS = st.lists(st.sampled_from(Command), max_size=2)
PLANNED = st.lists(
    st.builds(
        PlannedLoad,
        name=st.sampled_from(sorted(build_site(**LOADS).switches)),
        power_w=st.floats() | near(0, 2000),
        temperature_c=st.none() | st.floats() | near(5, 35),
    ),
    max_size=3,
).map(tuple)
PLANS = st.none() | st.builds(
    plan_for,
    st.floats() | near(-6000, 6000),
    st.sampled_from(SlotMode),
    st.sampled_from([1, 86_400]),
    PLANNED,
    st.none() | st.floats() | near(-100, 4000),
    st.booleans(),
)
STEPS = st.lists(
    st.tuples(
        st.lists(CHANGES, max_size=2),
        COMMANDS,
        PLANS,
        st.sampled_from([0.02, 0.02, 0.02, 0.1, 0.39, 0.5, 1.5, 6.0, 0.0, -0.1]),
        st.integers(1, 6),
    ),
    min_size=1,
    max_size=12,
)
WORLDS = {"site": st.sampled_from(sorted(SITES)), "running": st.booleans(), "steps": STEPS}


def live(site, running, steps):
    """Run a bench through ``steps``; yields (state before, record, bench) for every cycle."""
    bench = Bench(SITES[site])
    if running:
        bench.start()
    for changes, commands, plan, dt_s, cycles in steps:
        for signal, value in changes:
            of_load = SIGNALS[signal].of_load
            for owner in bench.site.switches if of_load else bench.site.unit_names:
                bench.set(signal, value, owner)
        for index in range(cycles):
            before = bench.state
            record = bench.step(*(commands if index == 0 else ()), plan=plan, dt_s=dt_s)
            yield before, record, bench
            dt_s = 0.02


def nameplate_w(bench, unit):
    content = next(u for u in bench.site.storage if u.name == unit)
    return -content.discharge_power_max_w, content.charge_power_max_w


# What always holds. -----------------------------------------------------------------------------


@settings(max_examples=120, deadline=None)
@given(**WORLDS)
def test_every_written_power_is_inside_the_permit_and_that_inside_the_nameplate(
    site, running, steps
):
    held = {}
    for _, record, bench in live(site, running, steps):
        for unit, permit in record.permits.items():
            low, high = nameplate_w(bench, unit)
            envelope, assessed = permit.envelope, record.assessment.envelopes[unit]
            assert low <= assessed.min_w <= envelope.min_w <= 0.0
            assert 0.0 <= envelope.max_w <= assessed.max_w <= high
            assert envelope.contains(record.setpoints[unit].power_w)
        for write in record.writes:
            assert math.isfinite(write.value)
            if write.role is Role.LOAD_SWITCH:
                continue
            envelope = record.permits[write.unit].envelope
            if write.point is Point.SETPOINT_W:
                held[write.unit] = write.value
                assert envelope.contains(write.value)
            elif write.point is Point.CHARGE_POWER_W:
                assert 0.0 <= write.value <= envelope.max_w
            elif write.point is Point.DISCHARGE_POWER_W:
                assert 0.0 <= write.value <= -envelope.min_w
            elif write.point is Point.EXPORT_LIMIT_W:
                assert 0.0 <= write.value <= bench.site.grid.export_max_w
        for unit, value in held.items():
            assert record.permits[unit].envelope.contains(value)


@settings(max_examples=120, deadline=None)
@given(**WORLDS)
def test_outside_running_every_setpoint_is_zero_and_no_power_stage_is_enabled(site, running, steps):
    for _, record, bench in live(site, running, steps):
        if bench.state.machine is not State.RUNNING:
            assert all(setpoint.power_w == 0.0 for setpoint in record.setpoints.values())
            for write in record.writes:
                if write.point in POWERS | {Point.ENABLE}:
                    assert write.value == 0.0
            if bench.site.authority != "observe":
                for unit in bench.state.units.values():
                    assert unit.inverter[Point.SETPOINT_W].value == 0.0
                    assert unit.inverter[Point.ENABLE].value == 0.0


ALLOWED = {
    (State.BOOT, State.IDLE), (State.BOOT, State.ERROR), (State.BOOT, State.STOPPED),
    (State.IDLE, State.RUNNING), (State.IDLE, State.ERROR), (State.IDLE, State.STOPPED),
    (State.RUNNING, State.IDLE), (State.RUNNING, State.ERROR), (State.RUNNING, State.STOPPED),
    (State.ERROR, State.STOPPED), (State.ERROR, State.BOOT), (State.STOPPED, State.BOOT),
}  # fmt: skip


@settings(max_examples=120, deadline=None)
@given(**WORLDS)
def test_only_the_designs_transitions_happen_and_running_follows_only_idle_and_a_start(
    site, running, steps
):
    for before, record, bench in live(site, running, steps):
        after = bench.state.machine
        assert before.machine is after or (before.machine, after) in ALLOWED
        if after is State.RUNNING and before.machine is not State.RUNNING:
            assert Command.START in record.inputs.commands
            assert record.assessment.not_ready == ()
        if record.assessment.trips:
            # BOOT: out of STOPPED; the latched fault takes it to ERROR in the next cycle.
            assert after not in (State.IDLE, State.RUNNING)
            assert bench.state.latches.faults
        if Command.EMERGENCY_STOP in record.inputs.commands:
            assert after is State.STOPPED


@settings(max_examples=120, deadline=None)
@given(**WORLDS)
def test_latches_are_never_lost_without_a_reset(site, running, steps):
    for before, record, bench in live(site, running, steps):
        after = bench.state.latches
        if not {Command.RESET, Command.SERVICE_RESET} & set(record.inputs.commands):
            assert set(after.faults) >= set(before.latches.faults)
            assert after.emergency_stop >= before.latches.emergency_stop
        if bench.state.machine is State.RUNNING:
            assert after == Latches()


@settings(max_examples=80, deadline=None)
@given(running=st.booleans(), steps=STEPS)
def test_a_site_that_observes_writes_nothing(running, steps):
    for _, record, _ in live("observe", running, steps):
        assert record.writes == ()
        assert all(setpoint.power_w == 0.0 for setpoint in record.setpoints.values())


def must_be_off(site, state, record):
    """Why no load may be on, in the words of the decision; None if they may."""
    findings = record.assessment.findings
    return next(
        (
            why
            for why, holds in (
                ("observing", site.authority == "observe"),
                ("self-test", state is State.BOOT),
                ("stopped", state is State.STOPPED),
                ("tripped", bool(record.assessment.trips)),
                ("import limit", any(found.row == "grid_import_high" for found in findings)),
                ("island", bool(record.assessment.islanded)),
            )
            if holds
        ),
        None,
    )


@settings(max_examples=160, deadline=None)
@given(site=st.sampled_from(["loads", "loads", "observe"]), running=st.booleans(), steps=STEPS)
def test_no_load_is_on_while_anything_forbids_it_whatever_is_asked(site, running, steps):
    for _, record, bench in live(site, running, steps):
        off = must_be_off(bench.site, bench.state.machine, record)
        names = set(bench.site.switches)
        assert record.load_requests.keys() == record.load_permits.keys() == names
        for name, permit in record.load_permits.items():
            assert not (permit.may_run and off)
            assert permit.may_write is (bench.site.authority != "observe")
            asked = record.load_requests[name]
            runs = float(asked.on and permit.may_run)
            assert set(written(record, Point.LOAD_ON, name)) <= {0.0, runs}
            for value in written(record, Point.ROOM_SETPOINT_C, name):
                assert value == 7.0 or (runs and 20.0 <= value <= 23.0)
            for point, memory in bench.state.loads[name].items():
                if point is Point.LOAD_ON:  # what it holds, and not only what is written now
                    assert memory.value <= runs
                if point is Point.ROOM_SETPOINT_C and not runs:
                    assert memory.value == 7.0
            temperature_c = record.snapshot.good(name, Signal.ROOM_TEMPERATURE_C)
            if name == "parlour" and not (temperature_c is not None and temperature_c < 23.0):
                assert not asked.on


@settings(max_examples=80, deadline=None)
@given(running=st.booleans(), steps=STEPS)
def test_no_load_changes_what_the_battery_does(running, steps):
    """Whatever load switches say or plans tell them."""
    plain = [
        (record.moved, record.permits, record.setpoints)
        for _, record, _ in live("full", running, steps)
    ]
    loaded = [
        (record.moved, record.permits, record.setpoints)
        for _, record, _ in live("loads", running, steps)
    ]
    assert plain == loaded


@settings(max_examples=80, deadline=None)
@given(running=st.just(True), steps=STEPS)
def test_no_unit_ever_charges_another(running, steps):
    for _, record, _ in live("two units", running, steps):
        powers = [setpoint.power_w for setpoint in record.setpoints.values()]
        assert not min(powers) < 0.0 < max(powers)


@settings(max_examples=80, deadline=None)
@given(**WORLDS)
def test_the_same_state_and_inputs_give_the_same_outputs_again(site, running, steps):
    told = [(before, record, bench.state) for before, record, bench in live(site, running, steps)]
    built = SITES[site]
    again = Cycle(built, expected_signals(built), points_of(built))
    for before, record, after in reversed(told):  # in any order: nothing is kept inside
        assert again.step(before, record.inputs) == (after, record)


# Emergency stop and trip. -----------------------------------------------------------------------


def bench_in(state):
    bench = Bench()
    if state is State.BOOT:
        bench.set(Signal.WATCHDOG_ARMED, None)
        bench.run(0.1)
    elif state is State.IDLE:
        bench.run(0.1)
    else:
        bench.start()
        bench.run(2.0, plan=plan_for(3000.0))
        assert bench.state.units[UNIT].setpoint_w == pytest.approx(3000.0)
        if state is State.ERROR:
            bench.step(dt_s=2.0)
            bench.run(0.1)
        elif state is State.STOPPED:
            bench.step(Command.EMERGENCY_STOP)
            bench.run(0.1)
    assert bench.state.machine is state
    return bench


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("others", [(), (Command.START,), (Command.RESET, Command.STOP)])
def test_an_emergency_stop_by_command_writes_zero_in_that_same_cycle_in_every_state(state, others):
    bench = bench_in(state)
    record = bench.step(Command.EMERGENCY_STOP, *others, plan=plan_for(3000.0))
    assert written(record, Point.SETPOINT_W) == [0.0]
    assert written(record, Point.ENABLE) == [0.0]
    assert written(record, Point.CHARGE_POWER_W) == [0.0]
    assert written(record, Point.DISCHARGE_POWER_W) == [0.0]
    assert bench.state.machine is State.STOPPED
    assert bench.state.latches.emergency_stop is True


@pytest.mark.parametrize("state", [state for state in State if state is not State.STOPPED])
def test_an_open_loop_writes_zero_in_that_same_cycle_and_keeps_the_site_stopped(state):
    bench = bench_in(state)
    bench.set(Signal.EMERGENCY_LOOP_CLOSED, 0.0)
    record = bench.step(plan=plan_for(3000.0))
    assert written(record, Point.SETPOINT_W) == [0.0]
    assert written(record, Point.ENABLE) == [0.0]
    assert bench.state.machine is State.STOPPED
    bench.step(Command.RESET)
    assert bench.state.machine is State.STOPPED
    bench.set(Signal.EMERGENCY_LOOP_CLOSED, 1.0)
    bench.run(1.0)
    assert bench.state.machine is State.STOPPED  # a release is no restart
    assert bench.state.latches.emergency_stop is True


def test_an_emergency_stop_works_in_the_very_first_cycle_and_without_any_reading():
    site = build_site()
    cycle = Cycle(site, expected_signals(site), points_of(site))
    inputs = Inputs(now_ns=T0, image={SITE: {}, UNIT: {}}, commands=[Command.EMERGENCY_STOP])
    after, record = cycle.step(CycleState(), inputs)
    assert after.machine is State.STOPPED
    assert written(record, Point.SETPOINT_W) == [0.0]
    assert written(record, Point.ENABLE) == [0.0]


def test_after_an_emergency_stop_the_contactor_opens_within_a_second():
    bench = bench_in(State.RUNNING)
    bench.step(Command.EMERGENCY_STOP)
    bench.run(1.0)
    assert bench.values[UNIT, Signal.CONTACTOR_CLOSED] == 0.0


@pytest.mark.parametrize(
    ("signal", "value", "row", "hold_s", "by"),
    [
        (Signal.CELL_VOLTAGE_MAX_V, 3.66, "cell_voltage_high", 10, Command.RESET),
        (Signal.CELL_VOLTAGE_MIN_V, 2.49, "cell_voltage_low", 10, Command.SERVICE_RESET),
        (Signal.PACK_VOLTAGE_V, 58.5, "pack_voltage_high", 10, Command.RESET),
        (Signal.PACK_VOLTAGE_V, 39.9, "pack_voltage_low", 10, Command.SERVICE_RESET),
        (Signal.BATTERY_CURRENT_A, 121.0, "charge_current_high", 5, Command.RESET),
        (Signal.BATTERY_CURRENT_A, -121.0, "discharge_current_high", 5, Command.RESET),
        (Signal.CELL_TEMPERATURE_MAX_C, 60.1, "cell_temperature_high", 60, Command.SERVICE_RESET),
    ],
)
@pytest.mark.parametrize("power_w", [3000.0, -3000.0])
def test_a_trip_stops_the_power_after_its_debounce_and_stays_until_it_is_reset(
    signal, value, row, hold_s, by, power_w
):
    bench = Bench()
    bench.start()
    bench.run(2.0, plan=plan_for(power_w))
    bench.set(signal, value)
    bench.step(plan=plan_for(power_w))
    record = bench.step(plan=plan_for(power_w))  # the second of three samples
    assert bench.state.machine is State.ERROR
    assert written(record, Point.SETPOINT_W) == [0.0]
    assert written(record, Point.ENABLE) == [0.0]
    latched = {f"{UNIT}/{row}"}
    assert set(bench.state.latches.faults) == latched
    bench.run(1.0)
    assert bench.values[UNIT, Signal.CONTACTOR_CLOSED] == 0.0
    if signal is Signal.BATTERY_CURRENT_A:
        # It is a power that nobody asked for as well.
        latched |= {f"{UNIT}/bms_{'over_delivery' if value * power_w > 0.0 else 'wrong_sign'}"}
    # The cause is gone, and the reset comes too early, and then in time.
    bench.set(signal, HEALTHY_UNIT[signal])
    bench.run(hold_s - 0.5, dt_s=0.1)
    bench.step(by)
    assert bench.state.machine is State.ERROR
    assert set(bench.state.latches.faults) == latched
    bench.run(1.0, dt_s=0.1)
    assert bench.state.machine is State.ERROR
    if by is Command.SERVICE_RESET:
        bench.step(Command.RESET)
        assert bench.state.machine is State.ERROR
        assert set(bench.state.latches.faults) == latched
    bench.step(by)
    assert (bench.state.machine, bench.state.latches) == (State.BOOT, Latches())
    bench.run(10.0, dt_s=0.1)  # a wrong current also was a wrong power, for a while
    assert bench.state.machine is State.IDLE


def test_a_gap_between_two_cycles_that_the_watchdog_may_have_noticed_trips():
    site = build_site()
    assert watchdog_timeout_ns(site) == 400_000_000
    assert watchdog_timeout_ns(build_site(cycle={"period_ms": 500})) == 2_500_000_000
    for dt_s, state in ((0.4, State.RUNNING), (0.400001, State.ERROR), (-0.001, State.ERROR)):
        bench = Bench(site)
        bench.start()
        record = bench.step(dt_s=dt_s, plan=plan_for(1000.0))
        assert bench.state.machine is state
        if state is State.ERROR:
            assert "site/cycle_gap" in bench.state.latches.faults
            assert written(record, Point.SETPOINT_W) == [0.0]


@pytest.mark.parametrize("point", [Point.SETPOINT_W, Point.ENABLE])
def test_an_inverter_that_acknowledges_and_does_not_do_it_trips(point):
    bench = Bench()
    bench.start()
    bench.deaf.add(point)
    bench.set(Signal.INVERTER_ENABLED, float(point is not Point.ENABLE))
    bench.run(4.0, plan=plan_for(3000.0))
    assert bench.state.machine is State.ERROR
    assert bench.state.latches.faults == (f"{UNIT}/inverter_setpoint_ignored",)


# Where the power comes from and how it gets out. -------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(near(-4500.0, 4500.0))
def test_on_a_healthy_site_nothing_is_found_or_blocked_and_the_plan_is_done(power_w):
    """Controller and gate agree: a normal command is never refused."""
    bench = Bench()
    bench.start()
    for _ in range(250):
        record = bench.step(plan=plan_for(power_w))
        assert record.assessment.findings == ()
        assert bench.state.machine is State.RUNNING
        if not bench.state.modes.transfer.easing:  # from what the site did by itself
            assert record.setpoints[UNIT].permitted_w == pytest.approx(power_w)
    assert record.setpoints[UNIT].power_w == pytest.approx(power_w)
    assert bench.values[UNIT, Signal.SETPOINT_READBACK_W] == pytest.approx(power_w, abs=10.0)


def test_the_stages_come_in_the_order_of_the_design(monkeypatch):
    bench = bench_in(State.RUNNING)
    called = []

    def watch(target, name, stage):
        original = getattr(target, name)

        def spy(*args, **kwargs):
            called.append(stage)
            return original(*args, **kwargs)

        monkeypatch.setattr(target, name, spy)

    cycle = bench.cycle
    watch(cycle_module, "freeze", "freeze")
    watch(cycle.assessor, "assess", "assess")
    watch(cycle._guard, "step", "state")
    watch(cycle._modes, "step", "request")
    watch(cycle._gate, "authorise", "authorise")
    watch(cycle._ramper, "approach", "ramp")
    watch(cycle._units[UNIT], "apply", "apply")
    watch(cycle._loads, "step", "loads")
    watch(cycle_module, "CycleRecord", "record")
    bench.step(plan=plan_for(1000.0))
    assert called == [
        "freeze",
        "assess",
        "state",
        "request",
        "authorise",
        "ramp",
        "apply",
        "loads",
        "record",
    ]


def test_within_a_unit_power_goes_out_before_the_contactor_moves():
    bench = bench_in(State.IDLE)
    bench.state = replace(bench.state, units={})  # a new start: everything is written
    record = bench.step()
    roles = [write.role.value for write in record.writes]
    assert roles == sorted(roles, key=["inverter", "bms", "relays"].index)
    assert set(roles) == {"inverter", "bms", "relays"}


@pytest.mark.parametrize("mad_w", [1e9, -1e9, math.inf, -math.inf, math.nan, 5000.001])
def test_a_ramp_gone_mad_gets_nothing_past_the_wrappers(mad_w, monkeypatch):
    bench = bench_in(State.RUNNING)
    monkeypatch.setattr(
        bench.cycle._ramper,
        "approach",
        lambda last_w, asked_w, permit, dt_s, urgent: Setpoint(
            unit=permit.unit, asked_w=asked_w, permitted_w=mad_w, power_w=mad_w
        ),
    )
    record = bench.step(plan=plan_for(3000.0))
    assert written(record, Point.SETPOINT_W) == [0.0]
    assert set(written(record, Point.CHARGE_POWER_W)) <= {0.0}
    assert set(written(record, Point.DISCHARGE_POWER_W)) <= {0.0}


@pytest.mark.parametrize("mad_w", [1e9, -1e9, math.inf, -math.inf, math.nan])
def test_a_planner_gone_mad_gets_no_more_than_the_permit(mad_w, monkeypatch):
    bench = bench_in(State.RUNNING)
    monkeypatch.setattr(
        bench.cycle._modes,
        "step",
        lambda snapshot, plan, state, memory, utc_ns, last: AskedOfBatteries(
            request=Request(power_w=mad_w, source=AskedBy.PLAN, reason="mad", expires_ns=2**62),
            band=Band(low_w=-1e7, high_w=1e7),
            findings=(),
            memory=memory,
        ),
    )
    for _ in range(200):
        record = bench.step()
        for value in written(record, Point.SETPOINT_W):
            assert -5000.0 <= value <= 5000.0
    if math.isnan(mad_w):
        assert record.setpoints[UNIT].power_w == 0.0


@settings(max_examples=120, deadline=None)
@given(**WORLDS)
def test_pv_is_switched_off_only_while_running_by_a_plan_with_room_for_the_import(
    site, running, steps
):
    for _, record, bench in live(site, running, steps):
        if all(permit.pv_on for permit in record.permits.values()):
            off = [w for w in record.writes if w.point is Point.PV_ON and w.value != 1.0]
            assert off == []
            continue
        slot = record.inputs.plan.slot_at(record.inputs.now_ns)
        assert (record.moved.state, slot.pv_on) == (State.RUNNING, False)
        assert bench.site.authority != "observe"
        seen = record.snapshot.good
        load_w = seen(SITE, Signal.REST_OF_SITE_W) + seen(SITE, Signal.PV_POWER_W)
        assert load_w <= 0.95 * bench.site.grid.import_max_w


@settings(max_examples=100, deadline=None)
@given(limits_w=st.lists(st.none() | st.floats() | near(-100, 4000), min_size=1, max_size=6))
def test_the_inverter_is_never_told_to_export_more_than_the_grid_connection_permits(limits_w):
    """Whatever the plan says; and within that it is told what the plan says."""
    bench = Bench(SITES["hybrid"])
    bench.start()
    most_w = bench.site.grid.export_max_w
    for limit_w in limits_w:
        record = bench.run(0.2, plan=plan_for(0.0, export_limit_w=limit_w))
        held_w = bench.values[UNIT, Signal.EXPORT_LIMIT_READBACK_W]
        assert 0.0 <= held_w <= most_w
        sane_w = most_w if limit_w is None else min(max(limit_w, 0.0), most_w)
        if limit_w is not None and math.isnan(limit_w):
            sane_w = 0.0
        assert held_w == pytest.approx(sane_w, abs=10.0)
        assert record.assessment.findings == ()


# Each check can be removed, and then the site is not safe: so each test above can fail. ---------


def without_limits(bench, monkeypatch):
    monkeypatch.setattr(
        bench.cycle.assessor.limit_monitor, "assess", lambda _, memory: ((), memory)
    )


def without_data_age(bench, monkeypatch):
    monkeypatch.setattr(bench.cycle.assessor._data_age, "assess", lambda _: ())


def without_interlocks(bench, monkeypatch):
    monkeypatch.setattr(bench.cycle.assessor._interlocks, "assess", lambda _: ())


def without_battery_limits(bench, monkeypatch):
    monkeypatch.setattr(
        assessment_module, "battery_limits", lambda unit, _: assessment_module.nameplate(unit)
    )


def without_emergency_handler(bench, monkeypatch):
    monkeypatch.setattr("holdfast.control.state_guard.emergency_cause", lambda *_: None)


def without_gap_check(bench, monkeypatch):
    monkeypatch.setattr(bench.cycle, "_gap_ns", 2**62)


def without_read_back(bench, monkeypatch):
    monkeypatch.setattr("holdfast.devices.written_point._compare", lambda r, b, m, n: (m, False))


def set_to(signal, value):
    return lambda bench: bench.set(signal, value)


def gap(bench):
    bench.step(dt_s=3.0, plan=plan_for(3000.0))


def deafness(bench):
    bench.deaf.add(Point.SETPOINT_W)
    bench.set(Signal.SETPOINT_READBACK_W, 200.0)


CHECKS = {
    "limits": (without_limits, set_to(Signal.INSULATION_KOHM, 100.0)),
    "data age": (without_data_age, set_to(Signal.INVERTER_TEMPERATURE_C, None)),
    "interlocks": (without_interlocks, set_to(Signal.PRECHARGE_CLOSED, 1.0)),
    "battery limits": (without_battery_limits, set_to(Signal.CHARGE_CURRENT_LIMIT_A, 0.0)),
    "emergency stop": (without_emergency_handler, set_to(Signal.EMERGENCY_LOOP_CLOSED, 0.0)),
    "cycle gap": (without_gap_check, gap),
    "read-back": (without_read_back, deafness),
}


@pytest.mark.parametrize("check", CHECKS)
def test_the_power_stops_with_a_check_and_does_not_stop_without_it(check, monkeypatch):
    remove, go_wrong = CHECKS[check]

    def power_after(removed):
        bench = bench_in(State.RUNNING)
        if removed:
            remove(bench, monkeypatch)
        go_wrong(bench)
        bench.run(2.5, plan=plan_for(3000.0))
        return bench.records[-1].setpoints[UNIT].power_w

    assert power_after(removed=False) == 0.0
    assert power_after(removed=True) == 3000.0


def test_the_bench_sees_only_fresh_readings_and_starts_a_site():
    """The bench itself: if it could not run a site, the tests above would say nothing."""
    bench = bench_in(State.RUNNING)
    record = bench.records[-1]
    readings = record.snapshot.readings[UNIT].values()
    assert all(isinstance(r, Good) and r.time_ns == record.inputs.now_ns for r in readings)
    assert bench.values[UNIT, Signal.CONTACTOR_CLOSED] == 1.0
    assert bench.values[UNIT, Signal.BATTERY_POWER_W] == 3000.0


@pytest.mark.parametrize(
    ("signal", "role"),
    [
        (Signal.SETPOINT_READBACK_W, "inverter"),
        (Signal.CHARGE_POWER_READBACK_W, "bms"),
        (Signal.DISCHARGE_POWER_READBACK_W, "bms"),
    ],
)
def test_another_master_is_overruled_in_the_same_cycle_and_the_third_time_the_site_trips(
    signal, role
):
    bench = Bench()
    bench.start()
    bench.run(3.0)
    for _ in range(3):
        assert bench.state.machine is State.RUNNING
        bench.values[UNIT, signal] = 3000.0
        record = bench.step()
        assert bench.values[UNIT, signal] == 0.0
        assert len(record.writes) == 1
        bench.run(1.0)
    assert bench.state.machine is State.ERROR
    assert f"{UNIT}/{role}_second_writer" in bench.state.latches.faults


@pytest.mark.parametrize(
    ("signal", "value"),
    [(Signal.INVERTER_ENABLED, 0.0), (Signal.REVERT_TIMEOUT_READBACK_S, 0.0)],
)
def test_what_a_device_may_change_by_itself_has_no_other_master(signal, value):
    bench = Bench()
    bench.start()
    for _ in range(4):
        bench.run(3.0)
        bench.values[UNIT, signal] = value
        bench.step()
        assert not any("writ" in found.row for found in bench.state.findings)
    assert bench.state.machine is State.RUNNING


# On an island. ------------------------------------------------------------------------------------

KEEP = {Signal.ISLANDED, Signal.EMERGENCY_LOOP_CLOSED, Signal.CONTACTOR_CLOSED,
        Signal.PRECHARGE_CLOSED, Signal.GRID_VOLTAGE_V, Signal.GRID_POWER_W}  # fmt: skip
NOT_OF_BATTERY = [s for s in MEASURED if not SIGNALS[s].of_battery and s not in KEEP]
OWNERS_WISHES = [(Signal.SOC_PCT, 5.0), (Signal.SOC_PCT, 99.0)]
NOT_KNOWN = [
    (s, None)
    for s in (
        Signal.CONTACTOR_CLOSED,
        Signal.PRECHARGE_CLOSED,
        Signal.GRID_VOLTAGE_V,
        Signal.GRID_POWER_W,
    )
]
DEAD_GRIDS = [(Signal.GRID_VOLTAGE_V, 49.9), (Signal.GRID_VOLTAGE_V, math.nan)]
"""A meter goes out with the grid, or sees that it is dead; a living one is no island."""
HARMLESS = st.one_of(
    st.sampled_from(NOT_OF_BATTERY).flatmap(lambda s: st.tuples(st.just(s), values_of(s))),
    st.sampled_from(OWNERS_WISHES + NOT_KNOWN + DEAD_GRIDS),
)


def on_island(**changes):
    bench = Bench(build_site(**changes))
    bench.start()
    bench.go_island()
    bench.run(1.0)
    return bench


def carries_its_load(bench):
    """The power stage is on, the contactor closed, the site running."""
    memory = bench.state.units[UNIT]
    return (
        bench.state.machine is State.RUNNING
        and memory.inverter[Point.ENABLE].value == 1.0
        and memory.inverter[Point.SETPOINT_W].value == 0.0
        and memory.relays.points[Point.CONTACTOR].value == 1.0
        and memory.bms[Point.DISCHARGE_POWER_W].value > 0.0
    )


ISLAND_SITES = [
    {}, {"operating_mode": "passive"}, {"operating_mode": "charge_only"},
    {"authority": "limited", "limited_power_w": 100},
]  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    changes=st.sampled_from(ISLAND_SITES),
    steps=st.lists(
        st.tuples(HARMLESS, PLANS, st.sampled_from([0.02, 0.5, 0.0]), st.integers(1, 90)),
        min_size=1,
        max_size=4,
    ),
)
def test_nothing_but_the_batterys_own_protection_drops_the_loads_of_an_island(changes, steps):
    bench = on_island(**changes)
    assert carries_its_load(bench)
    for (signal, value), plan, dt_s, cycles in steps:
        bench.set(signal, value)
        for _ in range(cycles):
            record = bench.step(plan=plan, dt_s=dt_s)
            dt_s = 0.02
            assert carries_its_load(bench), record.assessment
            assert record.permits[UNIT].may_run
            assert record.permits[UNIT].envelope.min_w < 0.0


@pytest.mark.parametrize(
    ("signal", "value", "after_s", "state"),
    [
        (Signal.CELL_VOLTAGE_MIN_V, 2.79, 0.1, State.RUNNING),
        (Signal.CELL_VOLTAGE_MIN_V, 2.49, 0.1, State.ERROR),
        (Signal.CELL_VOLTAGE_MAX_V, 3.66, 0.1, State.ERROR),
        (Signal.CELL_TEMPERATURE_MAX_C, 60.1, 0.1, State.ERROR),
        (Signal.DISCHARGE_ALLOWED, 0.0, 0.1, State.RUNNING),
        (Signal.BMS_PROTECTION, 1.0, 0.7, State.RUNNING),
        (Signal.DISCHARGE_CURRENT_LIMIT_A, 0.0, 0.1, State.RUNNING),
        (Signal.INSULATION_KOHM, 400.0, 0.2, State.ERROR),
        (Signal.PACK_VOLTAGE_V, None, 5.1, State.RUNNING),
        (Signal.BATTERY_CURRENT_A, None, 5.1, State.RUNNING),
        (Signal.CELL_VOLTAGE_MIN_V, None, 5.7, State.RUNNING),
        (Signal.EMERGENCY_LOOP_CLOSED, 0.0, 0.1, State.STOPPED),
        (Signal.EMERGENCY_LOOP_CLOSED, None, 1.2, State.RUNNING),
        (Signal.CONTACTOR_CLOSED, 0.0, 0.1, State.ERROR),
    ],
)
def test_the_batterys_own_protection_and_the_emergency_stop_end_the_discharge_of_an_island(
    signal, value, after_s, state
):
    bench = on_island()
    assert carries_its_load(bench)
    bench.set(signal, value)
    if signal is Signal.CONTACTOR_CLOSED:
        bench.deaf.add(Point.CONTACTOR)
    bench.run(after_s)
    assert bench.state.machine is state
    assert bench.state.units[UNIT].inverter[Point.ENABLE].value == 0.0
    assert bench.state.units[UNIT].bms[Point.DISCHARGE_POWER_W].value == 0.0
    assert bench.values[UNIT, Signal.BATTERY_POWER_W] == 0.0


@pytest.mark.parametrize("quality", ["stale", "bad"])
def test_an_island_that_is_not_known_to_be_one_has_the_strict_rules(quality):
    bench = on_island()
    bench.set(Signal.GRID_POWER_W, None)
    bench.run(3.0)
    assert carries_its_load(bench)
    bench.set(Signal.ISLANDED, None if quality == "stale" else math.nan)
    record = bench.run(1.1)
    envelope = record.permits[UNIT].envelope
    assert (envelope.min_w, envelope.max_w) == (0.0, 0.0)


@pytest.mark.parametrize(
    "seen",
    [
        {Signal.GRID_VOLTAGE_V: 50.0},
        {Signal.GRID_VOLTAGE_V: 230.0, Signal.GRID_POWER_W: 0.0},
        {Signal.GRID_VOLTAGE_V: None, Signal.GRID_POWER_W: 50.0},
        {Signal.GRID_VOLTAGE_V: None, Signal.GRID_POWER_W: -3000.0},
    ],
)
def test_an_island_that_the_meter_denies_has_the_strict_rules(seen):
    """An island switches protections off: the inverter's word alone makes none."""
    bench = on_island()
    for signal, value in seen.items():
        bench.set(signal, value)
    record = bench.run(1.1)
    assert not record.permits[UNIT].islanded
    assert "island_contradicted" in {found.row for found in record.assessment.findings}
    bench.step(dt_s=2.0)
    assert bench.state.machine is State.ERROR


def test_a_gap_between_two_cycles_does_not_trip_an_island_and_trips_on_the_grid():
    bench = on_island()
    record = bench.step(dt_s=2.0)
    assert "cycle_gap" in {found.row for found in record.assessment.findings}
    assert carries_its_load(bench)
    bench.return_to_grid()
    bench.run(0.1)
    bench.step(dt_s=2.0)
    assert bench.state.machine is State.ERROR


def test_back_on_the_grid_the_strict_rules_hold_at_once_and_requests_count_again():
    bench = on_island()
    bench.set(Signal.GRID_POWER_W, None)
    bench.run(3.0)
    bench.return_to_grid()
    record = bench.step()
    assert record.permits[UNIT].envelope.min_w == 0.0
    bench.set(Signal.GRID_POWER_W, 800.0)
    bench.run(70.0, dt_s=0.1)
    assert bench.state.machine is State.RUNNING
    assert bench.state.units[UNIT].setpoint_w == pytest.approx(-800.0)


def test_a_stop_ends_an_island_too_for_somebody_wants_it():
    bench = on_island()
    bench.step(Command.STOP)
    assert bench.state.units[UNIT].inverter[Point.ENABLE].value == 0.0
