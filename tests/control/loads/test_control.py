"""Loads, through the cycle: what they do, and that nothing of the battery rests on them."""

from dataclasses import replace

import pytest

from holdfast.control.cycle import Cycle, CycleState, Inputs
from holdfast.control.loads.control import LoadControl, LoadsStep
from holdfast.control.loads.requests import LoadSource
from holdfast.core.commands import Command, Point
from holdfast.core.data_store import Snapshot
from holdfast.core.role import Role
from holdfast.core.signals import SITE, Signal
from holdfast.core.state_machine import State
from holdfast.core.units import NS_PER_S
from holdfast.devices.profile import load_profile
from holdfast.safety.assessment import Assessment
from tests.builders import (
    T0,
    UNIT,
    Bench,
    build_site,
    device,
    expected_signals,
    load_content,
    points_of,
    room_content,
    worn,
    written,
)
from tests.control.loads.test_requests import plan_of, planned

BOILER, PUMP, PARLOUR, DEN = "boiler", "pump", "parlour", "den"
LOADS = {
    "loads": [
        load_content(),
        load_content(name=PUMP, without_plan="on"),
        load_content(name="washer", switch=None),
    ],
    "rooms": [
        room_content(),
        room_content(name=DEN, switch=device("generic_thermostat")),
    ],
}
SITE_WITH_LOADS = build_site(**LOADS)
OFF = {BOILER: 0.0, PUMP: 0.0, PARLOUR: 0.0, DEN: 7.0}


def bench_of(**changes):
    bench = Bench(build_site(**LOADS | changes))
    bench.start()
    return bench


def held(bench):
    """What each switch was last told."""
    return {
        name: (points.get(Point.LOAD_ON) or points[Point.ROOM_SETPOINT_C]).value
        for name, points in bench.state.loads.items()
    }


def shown(bench):
    """What each switch stores."""
    return {
        name: bench.values[name, Signal.ROOM_SETPOINT_READBACK_C if name == DEN else Signal.LOAD_ON]
        for name in OFF
    }


# A site without switches. ------------------------------------------------------------------------


def test_a_site_without_switches_has_nothing_of_loads():
    bench = Bench(build_site(loads=[load_content(switch=None)]))
    bench.start()
    bench.set(Signal.GRID_POWER_W, 12_000.0)
    record = bench.run(1.0)
    assert "grid_import_high" in {found.row for found in record.assessment.findings}
    assert (record.load_requests, record.load_permits) == ({}, {})
    assert (bench.state.loads, bench.state.shed_ns) == ({}, None)
    assert not any(write.role is Role.LOAD_SWITCH for write in record.writes)


def test_what_became_of_no_loads_is_nothing():
    nothing = LoadsStep()
    assert (nothing.requests, nothing.permits, nothing.memory) == ({}, {}, {})
    assert (nothing.writes, nothing.findings, nothing.shed_ns) == ((), (), None)
    assessment = Assessment(findings=(), envelopes={}, blocks=())
    control = LoadControl(build_site(), {}, {})
    snapshot = Snapshot(time_ns=T0, readings={})
    assert control.step({}, T0, snapshot, None, State.RUNNING, assessment) == nothing


# Each load. --------------------------------------------------------------------------------------


def test_without_a_plan_each_load_has_its_own_rule():
    bench = bench_of()
    bench.set(Signal.ROOM_TEMPERATURE_C, 19.0, PARLOUR)
    record = bench.step()
    on = {name: request.on for name, request in record.load_requests.items()}
    assert on == {BOILER: False, PUMP: True, PARLOUR: True, DEN: True}
    assert {request.source for request in record.load_requests.values()} == {LoadSource.LOCAL_RULE}
    assert shown(bench) == {BOILER: 0.0, PUMP: 1.0, PARLOUR: 1.0, DEN: 20.0}
    assert {permit.may_run for permit in record.load_permits.values()} == {True}
    assert list(record.load_permits) == list(SITE_WITH_LOADS.switches)


def test_with_a_plan_each_load_follows_it():
    bench = bench_of()
    plan = plan_of(
        [planned(BOILER, 2000.0), planned(PUMP, 0.0), planned(PARLOUR, 750.0, 22.0),
         planned(DEN, 100.0, 22.4)]
    )  # fmt: skip
    record = bench.step(plan=plan)
    assert {request.source for request in record.load_requests.values()} == {LoadSource.PLAN}
    assert shown(bench) == {BOILER: 1.0, PUMP: 0.0, PARLOUR: 1.0, DEN: 22.4}
    bench.run(451.0, dt_s=0.2, plan=plan)
    assert shown(bench) == {BOILER: 1.0, PUMP: 0.0, PARLOUR: 0.0, DEN: 22.4}
    assert bench.state.machine is State.RUNNING


def test_a_room_goes_on_being_heated_because_it_was():
    """Its own memory, and not that of another, says how it was."""
    bench = bench_of()
    bench.set(Signal.ROOM_TEMPERATURE_C, 19.9, PARLOUR)
    bench.step()
    bench.set(Signal.ROOM_TEMPERATURE_C, 20.4, PARLOUR)
    bench.run(1.0)
    assert shown(bench)[PARLOUR] == 1.0
    bench.set(Signal.ROOM_TEMPERATURE_C, 20.5, PARLOUR)
    bench.step()
    bench.set(Signal.ROOM_TEMPERATURE_C, 20.1, PARLOUR)
    bench.run(1.0)
    assert shown(bench)[PARLOUR] == 0.0
    assert shown(bench)[PUMP] == 1.0


def test_batteries_are_written_before_loads():
    bench = bench_of()
    bench.state = replace(bench.state, units={}, loads={})
    roles = [write.role for write in bench.step().writes]
    first = roles.index(Role.LOAD_SWITCH)
    assert first > 0
    assert set(roles[first:]) == {Role.LOAD_SWITCH}
    assert Role.LOAD_SWITCH not in roles[:first]


def test_a_setpoint_that_wears_out_has_its_budget_by_its_load():
    site = SITE_WITH_LOADS
    bench = Bench(site)
    budgets = {DEN: worn({Point.ROOM_SETPOINT_C: 1}), PARLOUR: worn({Point.LOAD_REVERT_S: 100})}
    bench.cycle = Cycle(site, expected_signals(site), points_of(site), budgets)
    bench.run(0.1)
    rows = {found.key for found in bench.records[-1].assessment.findings}
    assert rows == {f"{DEN}/load_switch_write_budget"}


# Who keeps them off. -----------------------------------------------------------------------------


def test_nothing_is_switched_on_before_the_self_test_is_through():
    bench = Bench(build_site(**LOADS))
    bench.set(Signal.WATCHDOG_ARMED, 0.0)
    bench.set(Signal.ROOM_TEMPERATURE_C, 15.0, PARLOUR)
    record = bench.run(1.0)
    assert bench.state.machine is State.BOOT
    assert held(bench) == shown(bench) == OFF
    assert {permit.blocked_by for permit in record.load_permits.values()} == {"state_boot"}
    bench.set(Signal.WATCHDOG_ARMED, 1.0)
    bench.run(2.0)
    assert bench.state.machine is State.IDLE
    assert shown(bench) == {BOILER: 0.0, PUMP: 1.0, PARLOUR: 1.0, DEN: 20.0}


def test_an_emergency_stop_switches_every_load_off_in_the_same_cycle_until_it_is_reset():
    bench = bench_of()
    bench.run(1.0)
    record = bench.step(Command.EMERGENCY_STOP)
    assert written(record, Point.LOAD_ON, PUMP) == [0.0]
    assert written(record, Point.ROOM_SETPOINT_C, DEN) == [7.0]
    bench.run(30.0, dt_s=0.1)
    assert held(bench) == shown(bench) == OFF
    bench.step(Command.RESET)
    bench.run(1.0)
    assert bench.state.machine is State.IDLE
    assert shown(bench)[PUMP] == 1.0


def test_a_trip_switches_every_load_off_until_its_cause_is_gone_and_then_the_local_rule_holds():
    bench = bench_of()
    plan = plan_of([planned(BOILER, 2000.0)])
    bench.run(1.0, plan=plan)
    assert shown(bench)[BOILER] == shown(bench)[PUMP] == 1.0
    bench.set(Signal.CELL_VOLTAGE_MAX_V, 3.7)
    bench.run(0.04, plan=plan)
    assert bench.state.machine is State.ERROR
    assert held(bench) == shown(bench) == OFF
    bench.set(Signal.CELL_VOLTAGE_MAX_V, 3.3)
    bench.run(9.9, dt_s=0.1, plan=plan)
    assert shown(bench) == OFF
    bench.run(1.0, dt_s=0.1, plan=plan)
    assert bench.state.machine is State.ERROR
    assert shown(bench) == {BOILER: 0.0, PUMP: 1.0, PARLOUR: 0.0, DEN: 20.0}


def test_above_the_import_limit_loads_are_shed_and_come_back_five_minutes_after():
    bench = bench_of()
    bench.set(Signal.GRID_POWER_W, 10_001.0)
    bench.run(1.0)
    assert held(bench) == shown(bench) == OFF
    since_ns = bench.state.shed_ns
    assert since_ns == bench.now_ns
    bench.set(Signal.GRID_POWER_W, 0.0)
    bench.run(310.0, dt_s=0.2)
    assert shown(bench)[PUMP] == 1.0
    times = [r.inputs.now_ns for r in bench.records if written(r, Point.LOAD_ON, PUMP) == [1.0]]
    back_ns = next(time_ns for time_ns in times if time_ns > since_ns)
    # What the row takes to see it (4 of 8 samples), its hold time of 5 s, and the five minutes.
    assert 305 * NS_PER_S <= back_ns - since_ns <= 306 * NS_PER_S
    assert bench.state.shed_ns is None


@pytest.mark.parametrize(
    "limit",
    [
        {"modes": {"import_max_w": 2000}},
        {"grid": {"import_max_w": 10_000, "export_max_w": 5000, "mean_import_max_w": 2000}},
    ],
    ids=["a cap", "a quarter hour"],
)
def test_a_limit_that_the_empty_battery_cannot_hold_sheds_loads(limit):
    bench = bench_of(**limit)
    assert shown(bench)[PUMP] == 1.0
    bench.set(Signal.SOC_PCT, 10.0)
    bench.set(Signal.GRID_POWER_W, 6000.0)
    bench.run(1.0)
    assert held(bench) == shown(bench) == OFF


def test_on_an_island_loads_are_off():
    bench = bench_of()
    bench.go_island()
    record = bench.run(1.0)
    assert held(bench) == shown(bench) == OFF
    assert {permit.blocked_by for permit in record.load_permits.values()} == {"island"}
    bench.return_to_grid()
    bench.step()
    assert shown(bench)[PUMP] == 1.0


def test_a_site_that_observes_says_what_it_would_do_and_writes_nothing():
    bench = Bench(build_site(authority="observe", **LOADS))
    record = bench.run(1.0)
    assert record.load_requests[PUMP].on
    assert record.writes == ()
    assert bench.state.loads == {name: {} for name in OFF}
    assert bench.state.findings == ()


def test_loads_are_off_in_the_very_first_cycle_and_without_any_reading():
    cycle = Cycle(SITE_WITH_LOADS, expected_signals(SITE_WITH_LOADS), points_of(SITE_WITH_LOADS))
    owners = (SITE, UNIT, *SITE_WITH_LOADS.switches)
    inputs = Inputs(now_ns=T0, image={owner: {} for owner in owners})
    _, record = cycle.step(CycleState(), inputs)
    assert written(record, Point.LOAD_ON, PUMP) == [0.0]
    assert written(record, Point.ROOM_SETPOINT_C, DEN) == [7.0]


# Nothing of the battery rests on them. -----------------------------------------------------------


def silent(bench):
    for name in OFF:
        for signal in load_profile(bench.site.switches[name].profile).signals:
            bench.set(signal, None, name)


def mad(bench):
    for name in OFF:
        for signal in load_profile(bench.site.switches[name].profile).signals:
            bench.set(signal, float("nan"), name)


def disobedient(bench):
    for name in OFF:
        bench.set(Signal.LOAD_ON, 1.0, name)
        bench.set(Signal.LOAD_REVERT_READBACK_S, 1.0, name)
        bench.set(Signal.ROOM_SETPOINT_READBACK_C, 30.0, name)
    bench.deaf |= {Point.LOAD_ON, Point.LOAD_REVERT_S, Point.ROOM_SETPOINT_C}


def flickering(bench):
    """Switched by hand all the time."""
    for name in OFF:
        at = bench.now_ns // NS_PER_S % 2
        bench.set(Signal.LOAD_ON, float(at), name)
        bench.set(Signal.ROOM_SETPOINT_READBACK_C, 10.0 + 10.0 * at, name)
        bench.set(Signal.LOAD_REVERT_READBACK_S, 100.0 * at, name)


def of_units(record):
    return [write for write in record.writes if write.role is not Role.LOAD_SWITCH]


@pytest.mark.parametrize("go_wrong", [silent, mad, disobedient, flickering])
@pytest.mark.parametrize("island", [False, True])
def test_whatever_a_load_switch_does_the_battery_goes_on_as_if_there_were_none(go_wrong, island):
    """From BOOT on: it starts, runs and stops as it would without loads."""
    plain, loaded = Bench(), Bench(SITE_WITH_LOADS)
    states = set()
    for index in range(1500):
        go_wrong(loaded)
        commands = {50: [Command.START], 1400: [Command.STOP]}.get(index, [])
        if index == 900:
            for bench in (plain, loaded):
                bench.set(Signal.GRID_POWER_W, -3000.0)
                if island:
                    bench.go_island()
        states.add(loaded.state.machine)
        mine, other = plain.step(*commands), loaded.step(*commands)
        assert loaded.state.machine is plain.state.machine
        assert other.moved == mine.moved
        assert other.permits == mine.permits
        assert other.setpoints == mine.setpoints
        assert of_units(other) == of_units(mine)
        assert other.assessment.envelopes == mine.assessment.envelopes
        assert other.assessment.not_ready == mine.assessment.not_ready
        assert other.assessment.trips == mine.assessment.trips == ()
        assert loaded.state.safety == plain.state.safety  # nothing is held or counted, either
        assert loaded.state.units == plain.state.units
        assert {found.reaction.name for found in loaded.state.findings} <= {"LOG"}
    assert states == {State.BOOT, State.IDLE, State.RUNNING}
    rows = {found.row for record in loaded.records for found in record.assessment.findings}
    assert "load_switch_load_silent" in rows


def test_a_load_switch_is_logged_under_its_name():
    bench = bench_of()
    silent(bench)
    record = bench.run(62.0, dt_s=0.2)
    owners = {found.owner for found in record.assessment.findings}
    assert owners == set(OFF)
    assert {found.row for found in record.assessment.findings} == {"load_switch_load_silent"}
