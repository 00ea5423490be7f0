"""What of a cycle is worth a line: everything that matters, and no flood."""

import math
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.control.cycle import CycleRecord
from holdfast.control.plan_gate import AcceptedPlan, accept_plan
from holdfast.core.commands import Command, Point
from holdfast.core.config import Site
from holdfast.core.plan import Plan, PlanSlot, PlanStatus, SlotMode
from holdfast.core.signals import SITE, Signal
from holdfast.core.units import NS_PER_MS, NS_PER_S
from holdfast.monitoring.audit_events import (
    MAX_TEXT,
    AuditEvent,
    CommandAnswered,
    FindingCleared,
    FindingRaised,
    LatchesChanged,
    SetpointChanged,
    StateChanged,
    decode_event,
    encode_event,
)
from holdfast.monitoring.audit_findings import FLAP_MAX_NS, FindingMemory, finding_events
from holdfast.monitoring.audit_observer import AuditMemory, CycleObserver
from holdfast.safety.finding import Finding, Level, Reaction
from tests.builders import T0, UNIT, Bench, build_site, unit_content

Kind = TypeVar("Kind")
NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)


class AuditBench(Bench):
    """A bench whose cycles are observed."""

    def __init__(self, site: Site | None = None) -> None:
        super().__init__(site)
        self.observer = CycleObserver(self.site)
        self.memory = AuditMemory(latches=self.state.latches)
        self.events: list[AuditEvent] = []

    def step(
        self, *commands: Command, plan: AcceptedPlan | None = None, dt_s: float = 0.02
    ) -> CycleRecord:
        record = super().step(*commands, plan=plan, dt_s=dt_s)
        events, self.memory = self.observer.observe(self.memory, self.state, record)
        self.events += events
        return record

    def of(self, kind: type[Kind]) -> list[Kind]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def setpoints(self) -> list[SetpointChanged]:
        return self.of(SetpointChanged)


def a_plan(bench: Bench, power_w: float, reason: str = "cheap") -> AcceptedPlan:
    slot = PlanSlot(
        start=NOON,
        end=NOON + timedelta(minutes=15),
        mode=SlotMode.POWER,
        battery_power_w=power_w,
        grid_power_w=0.0,
        soc_end_pct=50.0,
        import_price_per_kwh=0.3,
        reason=reason,
    )
    plan = Plan(
        plan_id="p1",
        created=NOON,
        expires=NOON + timedelta(hours=1),
        status=PlanStatus.OPTIMAL,
        expected_cost=1.0,
        slots=(slot,),
    )
    return accept_plan(plan, now_ns=bench.now_ns, utc=NOON, site=bench.site)


def test_states_and_commands_are_on_record_with_their_reasons() -> None:
    bench = AuditBench()
    bench.start()
    bench.set(Signal.EMERGENCY_LOOP_CLOSED, 0.0)
    bench.step()
    bench.step(Command.RESET)
    assert [(e.source, e.target, e.event, e.reasons) for e in bench.of(StateChanged)] == [
        ("boot", "idle", "self_test_passed", ()),
        ("idle", "running", "start", ("by command",)),
        ("running", "stopped", "emergency_stop", ("the emergency-stop loop is open",)),
    ]
    assert [(e.command, e.accepted, e.state) for e in bench.of(CommandAnswered)] == [
        ("start", True, "running"), ("reset", False, "stopped"),
    ]  # fmt: skip
    assert bench.of(LatchesChanged) == [LatchesChanged(emergency_stop=True, faults=())]


def test_a_trip_says_what_tripped() -> None:
    bench = AuditBench()
    bench.start()
    bench.set(Signal.CELL_VOLTAGE_MAX_V, 3.9)
    bench.run(0.1)
    (tripped,) = [event for event in bench.of(StateChanged) if event.target == "error"]
    assert tripped.event == "trip"
    assert "cell_voltage_max_v above 3.65 V: 3.9" in tripped.reasons[0]
    assert bench.of(LatchesChanged)[-1].faults == (f"{UNIT}/cell_voltage_high",)


def test_a_cycle_in_which_nothing_happens_has_no_event_and_changes_nothing() -> None:
    bench = AuditBench()
    bench.start()
    bench.run(3.0)
    before, events = bench.memory, len(bench.events)
    record = bench.step()
    assert not record.writes
    assert bench.memory is before
    assert len(bench.events) == events


def test_a_setpoint_is_on_record_with_its_way_through_the_layers() -> None:
    bench = AuditBench()
    bench.start()
    bench.run(1.5)
    bench.set(Signal.CHARGE_CURRENT_LIMIT_A, 45.0)
    bench.set(Signal.PACK_VOLTAGE_V, 53.2)
    plan = a_plan(bench, 4000.0)
    bench.run(4.0, plan=plan)
    last = bench.setpoints[-1]
    assert (last.source, last.reason) == ("plan", "cheap")
    assert last.slot is not None
    assert (last.slot.plan_id, last.slot.mode, last.slot.battery_power_w) == ("p1", "power", 4000.0)
    assert last.request_w == 4000.0
    assert (last.max_w, last.max_by, last.limited_by) == (
        2394.0, "charge_current_limit_a", "charge_current_limit_a",
    )  # fmt: skip
    assert last.permitted_w == last.ramped_w == last.written_w == 2394.0
    assert (last.charge_limit_a, last.pack_voltage_v) == (45.0, 53.2)


def test_a_block_is_on_record_with_its_cause() -> None:
    bench = AuditBench()
    bench.start()
    plan = a_plan(bench, 4000.0)
    bench.run(3.0, plan=plan)
    bench.set(Signal.SOC_PCT, 96.0)
    bench.run(0.1, plan=plan)
    last = bench.setpoints[-1]
    assert (last.written_w, last.limited_by) == (0.0, "soc_high")
    assert last.causes[0].text == "soc_pct above 95 %: 96"
    bench.set(Signal.SOC_PCT, 50.0)
    bench.set(Signal.CONTACTOR_CLOSED, 0.0)
    bench.deaf.add(Point.CONTACTOR)
    bench.run(3.0, plan=plan)
    assert bench.setpoints[-1].blocks == ("contactor_confirmed",)


def test_zero_is_on_record_at_once_and_everything_else_once_a_second() -> None:
    bench = AuditBench(build_site(unit_content(operation={"ramp_w_per_s": 1e6})))
    bench.start()
    up, down = a_plan(bench, 4000.0), a_plan(bench, 3700.0)  # too little to be an oscillation
    times: list[tuple[int, float | None]] = []
    for index in range(1000):
        before = len(bench.setpoints)
        bench.step(plan=(up, down)[index // 3 % 2])
        times += [(bench.now_ns, event.written_w) for event in bench.setpoints[before:]]
    seconds = 20
    assert seconds - 2 <= len([1 for _, power_w in times if power_w]) <= seconds
    assert len(times) <= 2 * seconds
    bench.step(plan=up)
    bench.run(3.0, plan=up)
    bench.step(Command.EMERGENCY_STOP)
    assert bench.setpoints[-1].written_w == 0.0


def test_a_change_that_came_too_soon_gets_its_line_a_second_after_the_last() -> None:
    bench = AuditBench(build_site(unit_content(operation={"ramp_w_per_s": 1e6})))
    bench.start()
    bench.run(3.0)
    bench.run(0.3, plan=a_plan(bench, 1000.0))
    assert bench.setpoints[-1].written_w == 1000.0
    bench.run(0.6, plan=a_plan(bench, 2000.0))
    assert bench.setpoints[-1].written_w == 1000.0
    record = bench.run(0.12, plan=a_plan(bench, 2000.0))
    assert not record.writes  # it does not wait for the next write
    assert bench.setpoints[-1].written_w == 2000.0


def test_the_end_of_a_ramp_gets_its_line() -> None:
    bench = AuditBench()
    bench.start()
    bench.run(1.5)
    bench.run(2.5, plan=a_plan(bench, 500.0))
    shown = len(bench.setpoints)
    bench.run(0.2, plan=a_plan(bench, 1000.0))
    bench.step(plan=a_plan(bench, 500.0))
    bench.run(1.5, plan=a_plan(bench, 1000.0))
    assert [event.written_w for event in bench.setpoints[shown:]] == [900.0, 1000.0]


def test_small_changes_get_no_line_and_are_counted_in_the_next() -> None:
    bench = AuditBench()
    bench.start()
    bench.run(4.0, plan=a_plan(bench, 1000.0))
    shown = len(bench.setpoints)
    for power_w in (1100.0, 1150.0, 900.0):
        bench.run(0.5, plan=a_plan(bench, power_w))
    assert len(bench.setpoints) == shown
    bench.run(2.0, plan=a_plan(bench, 2000.0))
    event = bench.setpoints[shown]
    assert event.writes > 3
    assert (event.lowest_w, event.highest_w) == (900.0, event.written_w)


def test_another_reason_is_worth_a_line_at_the_next_write() -> None:
    bench = AuditBench()
    bench.start()
    bench.run(4.0, plan=a_plan(bench, 1000.0))
    shown = len(bench.setpoints)
    bench.run(3.0, plan=a_plan(bench, 1000.0, "x" * 5000))
    (event,) = bench.setpoints[shown:]
    assert len(event.reason) == MAX_TEXT


def test_a_refused_command_that_is_repeated_is_counted() -> None:
    bench = AuditBench()
    bench.run(0.1)
    for _ in range(100):
        bench.step(Command.RESET)
    answers = bench.of(CommandAnswered)
    assert [event.repeats for event in answers] == [0, 49]
    assert not any(event.accepted for event in answers)
    bench.step(Command.EMERGENCY_STOP)
    bench.step(Command.EMERGENCY_STOP)
    assert [e.accepted for e in bench.of(CommandAnswered) if e.command == "estop"] == [True, True]


def test_a_finding_is_on_record_when_it_comes_and_when_it_goes() -> None:
    bench = AuditBench()
    bench.set(Signal.SOC_PCT, 94.0)
    bench.start()
    bench.run(2.0)
    bench.set(Signal.SOC_PCT, 96.0)
    bench.run(2.0)
    bench.set(Signal.SOC_PCT, 96.5)  # only its text changes
    bench.run(2.0)
    bench.set(Signal.SOC_PCT, 93.0)
    bench.run(3.0)
    (raised,), (cleared,) = bench.of(FindingRaised), bench.of(FindingCleared)
    assert (raised.key, raised.level, raised.reaction) == (
        f"{UNIT}/soc_high", "alarm", "block_charge",
    )  # fmt: skip
    assert cleared.key == raised.key
    assert cleared.lasted_s == pytest.approx(5.0, abs=0.1)


def a_finding(reaction: Reaction, level: Level = Level.ALARM, since_ns: int = T0) -> Finding:
    return Finding(
        owner=SITE, row="row", level=level, reaction=reaction, since_ns=since_ns, text="text"
    )


def test_a_finding_that_flaps_gets_fewer_and_fewer_lines_and_none_is_lost() -> None:
    memory, now_ns, lines = FindingMemory(), T0, 0
    changes = 0
    for index in range(60 * 60 * 10):  # an hour, ten times a second
        now_ns += 100 * NS_PER_MS
        findings = (a_finding(Reaction.DERATE),) if index % 2 else ()
        changes += 1 if index else 0
        events, memory = finding_events(memory, findings, now_ns)
        lines += len(events)
        for event in events:
            assert isinstance(event, FindingRaised | FindingCleared)
            changes -= 1 + event.flaps if event.flaps % 2 == 0 else event.flaps
    assert 60 <= lines <= 75
    assert memory.due_ns <= now_ns + FLAP_MAX_NS


def test_after_flapping_the_last_word_is_how_it_is() -> None:
    memory, now_ns = FindingMemory(), T0
    told: AuditEvent | None = None
    for index in range(107):
        now_ns += 100 * NS_PER_MS
        events, memory = finding_events(
            memory, (a_finding(Reaction.DERATE),) if index % 2 else (), now_ns
        )
        told = events[-1] if events else told
    for _ in range(200):
        now_ns += NS_PER_S
        events, memory = finding_events(memory, (), now_ns)
        told = events[-1] if events else told
    assert isinstance(told, FindingCleared)
    assert told.flaps > 0


def test_what_is_stronger_than_before_does_not_wait() -> None:
    memory = FindingMemory()
    _, memory = finding_events(memory, (a_finding(Reaction.LOG),), T0)
    now_ns = T0 + NS_PER_MS
    trip = (a_finding(Reaction.TRIP, Level.TRIP),)
    events, memory = finding_events(memory, trip, now_ns)
    assert [event.kind for event in events] == ["finding_raised"]
    for index in range(100):
        now_ns += NS_PER_MS
        events, memory = finding_events(memory, trip if index % 2 else (), now_ns)
        assert not events


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 3000)), max_size=60))
def test_in_the_end_the_log_says_what_is(steps: list[tuple[int, int]]) -> None:
    """Whatever findings do: after some quiet the lines give the present state of each."""
    states = [(), *((a_finding(reaction),) for reaction in list(Reaction)[:3])]
    memory, now_ns = FindingMemory(), T0
    told: FindingRaised | FindingCleared | None = None
    present: tuple[Finding, ...] = ()
    for state, wait_ms in [*steps, (steps[-1][0] if steps else 0, 130_000)]:
        present = states[state]
        for at_ns in (now_ns, now_ns + wait_ms * NS_PER_MS):
            events, memory = finding_events(memory, present, at_ns)
            for event in events:
                assert isinstance(event, FindingRaised | FindingCleared)
                told = event
        now_ns += wait_ms * NS_PER_MS
    if present:
        assert isinstance(told, FindingRaised)
        assert told.reaction == present[0].reaction.name.lower()
    else:
        assert told is None or isinstance(told, FindingCleared)


def test_numbers_that_are_not_finite_are_absent_and_events_survive_the_way() -> None:
    bench = AuditBench()
    bench.start()
    bench.set(Signal.CELL_VOLTAGE_MAX_V, math.nan)
    bench.set(Signal.GRID_POWER_W, math.inf)
    bench.run(2.0)
    bench.step(Command.STOP)
    kinds = set()
    for event in bench.events:
        content = encode_event(event)
        assert b"NaN" not in content
        assert b"Infinity" not in content
        assert content.startswith(b'{"kind":"%s"' % event.kind.encode())
        assert decode_event(content) == event
        kinds.add(event.kind)
    assert kinds >= {"state", "command", "finding_raised", "setpoint"}
    assert bench.setpoints[-1].grid_power_w is None
