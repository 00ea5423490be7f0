"""Findings in the audit log: when they come and when they go, and no flood."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.signals import SITE, Signal
from holdfast.core.units import NS_PER_MS, NS_PER_S
from holdfast.monitoring.audit.events import AuditEvent, FindingCleared, FindingRaised
from holdfast.monitoring.audit.findings import ALLOWANCE, FindingMemory, finding_events
from holdfast.safety.finding import Finding, Level, Reaction
from tests.builders import T0, UNIT
from tests.monitoring.audit.test_observer import AuditBench


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
        f"{UNIT}/soc_high",
        "alarm",
        "block_charge",
    )
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
    assert 60 <= lines <= 70
    assert memory.due_ns <= now_ns + ALLOWANCE.every_ns


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
    memory, now_ns = FindingMemory(), T0

    def flap(finding: Finding) -> int:
        """Lines of one that comes and goes fast."""
        nonlocal memory, now_ns
        lines = 0
        for index in range(100):
            now_ns += NS_PER_MS
            events, memory = finding_events(memory, (finding,) if index % 2 else (), now_ns)
            lines += len(events)
        return lines

    assert flap(a_finding(Reaction.LOG)) == ALLOWANCE.at_once
    assert flap(a_finding(Reaction.TRIP, Level.TRIP)) == 1
    assert flap(a_finding(Reaction.DERATE)) == 0


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


def test_one_that_comes_and_goes_a_few_times_is_on_record_each_time_and_then_waits() -> None:
    memory, kinds = FindingMemory(), []
    for index in range(ALLOWANCE.at_once + 2):
        present = () if index % 2 else (a_finding(Reaction.DERATE),)
        events, memory = finding_events(memory, present, T0 + index * NS_PER_S)
        kinds += [event.kind for event in events]
    assert kinds == ["finding_raised", "finding_cleared"] * (ALLOWANCE.at_once // 2)
    (event,), memory = finding_events(memory, (), memory.due_ns)
    assert isinstance(event, FindingCleared)
    assert event.flaps == 2


def test_what_has_been_quiet_for_long_is_forgotten() -> None:
    _, memory = finding_events(FindingMemory(), (a_finding(Reaction.DERATE),), T0)
    _, memory = finding_events(memory, (), T0 + NS_PER_S)
    assert memory.rows
    other = (replace(a_finding(Reaction.LOG), owner=UNIT, row="other"),)
    _, memory = finding_events(memory, other, T0 + 2 * ALLOWANCE.every_ns)
    assert memory.rows.keys() == {f"{UNIT}/other"}
