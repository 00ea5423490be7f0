"""What keeps coming back trips or derates, whatever each single time would have done."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.units import NS_PER_S
from holdfast.safety import escalation
from holdfast.safety.escalation import (
    ESCALATIONS,
    NEAR_LIMITS,
    EscalationMemory,
    Repetitions,
    escalate,
)
from holdfast.safety.finding import Finding, Level, Reaction
from holdfast.safety.limits import SITE_LIMITS, UNIT_LIMITS
from tests.builders import T0, UNIT

TABLE = {
    # fault: (times, within s, its reaction)
    "repeated_fault": (5, 600.0, Reaction.TRIP),
    "repeated_near_limit": (10, 3600.0, Reaction.DERATE),
}


def found(reaction=Reaction.RAMP_TO_ZERO, row="inverter_fault", level=Level.ALARM, owner=UNIT):
    return Finding(owner=owner, row=row, level=level, reaction=reaction, since_ns=T0, text="x")


NEAR = found(Reaction.LOG, "cell_voltage_high", Level.WARNING)
CAUSE = {"repeated_fault": found(), "repeated_near_limit": NEAR}


def came(times_ns, *what, memory=None):
    """Findings at the last of these times, after ``what`` came and went at each, and the memory."""
    memory, last = memory or EscalationMemory(), ()
    for time_ns in times_ns:
        last, memory = escalate(what or (found(),), memory, time_ns)
        _, memory = escalate((), memory, time_ns + 1)
    return last, memory


def every(seconds, count, start_ns=T0):
    return [start_ns + round(step * seconds * NS_PER_S) for step in range(count)]


def test_the_table_is_the_one_above():
    assert {
        fault: (rule.times, rule.within_s, escalation.FAULTS[fault].reaction)
        for fault, rule in ESCALATIONS.items()
    } == TABLE


@pytest.mark.parametrize("fault", TABLE)
def test_so_many_times_are_a_fault_of_their_own_and_one_less_is_not(fault):
    times, _, reaction = TABLE[fault]
    assert came(every(10, times - 1), CAUSE[fault])[0] == ()
    (new,), memory = came(every(10, times), CAUSE[fault])
    assert (new.row, new.owner, new.reaction) == (fault, UNIT, reaction)
    assert new.since_ns == every(10, times)[-1]
    assert f"{CAUSE[fault].key} came {times} times in" in new.text
    assert memory.counts[fault, CAUSE[fault].key].reached_ns == new.since_ns


def test_it_tells_what_was_found_the_last_time_and_not_what_is_found_now():
    memory = EscalationMemory()
    for step in range(5):
        text = f"time {step}"
        last, memory = came([T0 + step * NS_PER_S], replace(found(), text=text), memory=memory)
    (new,) = last
    assert new.text.endswith("in 10 minutes, the last time: time 4")
    other = replace(found(), owner=UNIT, row="other", text="and this")
    for time_ns in every(1, 5, T0 + 10 * NS_PER_S):
        (new,), memory = escalate((other, replace(found(), text="now")), memory, time_ns)
        _, memory = escalate((replace(found(), text="now"),), memory, time_ns + 1)
    assert new.text.endswith("the last time: now; and this")
    (count, _) = memory.counts.values()
    assert [len(c.began_ns) for c in memory.counts.values()] == [5, 5]
    _, memory = escalate((), memory, count.began_ns[0] + 600 * NS_PER_S + 1)
    (first, _) = memory.counts.values()
    assert (first.reached_ns, first.last) == (None, "now"), "it is kept while some are left"


@pytest.mark.parametrize("fault", TABLE)
def test_the_first_counts_for_exactly_as_long_as_the_rule_says(fault):
    times, within_s, _ = TABLE[fault]
    early, end_ns = [T0 + step * 10 for step in range(times - 1)], T0 + round(within_s * NS_PER_S)
    assert came([*early, end_ns], CAUSE[fault])[0]
    assert not came([*early, end_ns + 1], CAUSE[fault])[0]


@pytest.mark.parametrize("fault", TABLE)
def test_it_lasts_until_the_oldest_is_long_ago_and_memory_is_given_back(fault):
    times, within_s, _ = TABLE[fault]
    _, memory = came(every(1, times), CAUSE[fault])
    end_ns = T0 + round(within_s * NS_PER_S)
    assert escalate((), memory, end_ns)[0]
    findings, memory = escalate((), memory, end_ns + 1)
    assert findings == ()
    (count,) = memory.counts.values()
    assert (len(count.began_ns), count.reached_ns) == (times - 1, None)
    _, memory = escalate((), memory, 2 * end_ns)
    assert memory == EscalationMemory()


@pytest.mark.parametrize("fault", TABLE)
def test_what_lasts_counts_once(fault):
    memory = EscalationMemory()
    for step in range(100):
        findings, memory = escalate((CAUSE[fault],), memory, T0 + step * NS_PER_S)
        assert findings == ()


def test_what_lasted_for_longer_than_the_rule_looks_back_counts_again_when_it_comes_back():
    _, memory = escalate((found(),), EscalationMemory(), T0)
    late_ns = T0 + 601 * NS_PER_S
    _, memory = escalate((found(),), memory, late_ns)
    assert memory.counts == {}  # it began too long ago
    _, memory = escalate((), memory, late_ns + 1)
    assert memory.active == frozenset()
    _, memory = escalate((found(),), memory, late_ns + 2)
    assert [count.began_ns for count in memory.counts.values()] == [(late_ns + 2,)]


@pytest.mark.parametrize("fault", TABLE)
def test_once_more_does_not_move_the_beginning_and_memory_stays_bounded(fault):
    times, _, _ = TABLE[fault]
    (new,), memory = came(every(1, 3 * times), CAUSE[fault])
    assert new.since_ns == T0 + (times - 1) * NS_PER_S
    (count,) = memory.counts.values()
    assert count.began_ns == tuple(every(1, 3 * times)[-times:])


def test_only_what_takes_the_power_to_zero_counts_as_a_fault():
    for reaction in Reaction:
        last, _ = came(every(1, 5), found(reaction))
        assert bool(last) is (reaction is Reaction.RAMP_TO_ZERO)


def test_a_limit_counts_at_warning_and_alarm_and_a_trip_is_none_of_the_near_ones():
    for level in (Level.WARNING, Level.ALARM, Level.TRIP):
        near = found(Reaction.BLOCK_CHARGE, "cell_voltage_high", level)
        assert bool(came(every(1, 10), near)[0]) is (level is not Level.TRIP)


def test_from_warning_to_alarm_is_still_the_same_time():
    alarm = replace(NEAR, level=Level.ALARM, reaction=Reaction.BLOCK_CHARGE)
    memory = EscalationMemory()
    for time_ns in every(1, 30):
        findings, memory = escalate((NEAR,), memory, time_ns)
        assert findings == ()
        findings, memory = escalate((alarm,), memory, time_ns + 1)
        assert findings == ()


def test_flags_the_owners_wish_and_what_the_grid_does_are_daily_business():
    flags_and_wishes = {
        "soc_high", "soc_low", "bms_forbids_charge", "bms_forbids_discharge", "bms_protection",
        "bms_alarm", "inverter_fault",
    }  # fmt: skip
    assert {row.id for row in UNIT_LIMITS} - NEAR_LIMITS == flags_and_wishes
    assert NEAR_LIMITS.isdisjoint(row.id for row in SITE_LIMITS)
    for row in (*flags_and_wishes, "grid_voltage_high", "cell_heating"):
        assert came(every(1, 20), replace(NEAR, row=row))[0] == ()


def test_different_rows_and_owners_count_apart():
    memory = EscalationMemory()
    for step in range(4):
        for row, owner in (("a", UNIT), ("b", UNIT), ("a", "other")):
            last, memory = came([T0 + step], found(row=row, owner=owner), memory=memory)
            assert last == ()
    assert len(memory.counts) == 3


def test_an_owner_with_two_counts_has_one_finding_since_the_first_that_names_both():
    one, two = NEAR, replace(NEAR, row="cell_imbalance_high")
    other = replace(NEAR, owner="other")
    _, memory = came(every(1, 10), one)
    late_ns = T0 + 100 * NS_PER_S
    (mine, others), _ = came(every(1, 10, late_ns), two, other, memory=memory)
    assert (mine.owner, mine.row) == (UNIT, "repeated_near_limit")
    assert mine.since_ns == T0 + 9 * NS_PER_S
    assert one.key in mine.text
    assert two.key in mine.text
    assert (others.owner, others.since_ns) == ("other", late_ns + 9 * NS_PER_S)


def test_one_finding_can_count_for_both_rules():
    hot = found(Reaction.RAMP_TO_ZERO, "cell_temperature_high", Level.ALARM)
    last, _ = came(every(1, 10), hot)
    assert [new.row for new in last] == ["repeated_fault", "repeated_near_limit"]


def test_while_nothing_happens_the_same_memory_is_handed_on():
    memory = EscalationMemory()
    findings, after = escalate((), memory, T0)
    assert findings == ()
    assert after is memory
    assert (memory.counts, memory.active) == ({}, frozenset())
    assert Repetitions(began_ns=()).reached_ns is None
    assert Repetitions(began_ns=()).last == ""


@given(
    st.lists(
        st.tuples(
            st.lists(st.sampled_from([found(), NEAR, replace(NEAR, owner="other")])),
            st.integers(0, 4000 * NS_PER_S),
        ),
        max_size=60,
    )
)
def test_whatever_comes_and_goes_memory_is_bounded_and_each_finding_was_earned(steps):
    memory, now_ns, begun = EscalationMemory(), T0, 0
    for present, after_ns in steps:
        now_ns += after_ns
        findings, memory = escalate(tuple(present), memory, now_ns)
        begun += len(present)
        assert all(len(count.began_ns) <= 10 for count in memory.counts.values())
        assert len({new.key for new in findings}) == len(findings)
        if findings:
            assert begun >= 5


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"times": 1}, "once is no repetition"),
        ({"within_s": 0.0}, "no time"),
        ({"source": ""}, "no source"),
    ],
)
def test_a_rule_that_cannot_be_right_is_refused(changes, complaint, monkeypatch):
    wrong = replace(ESCALATIONS["repeated_fault"], **changes)
    monkeypatch.setattr(escalation, "ESCALATIONS", {**ESCALATIONS, "repeated_fault": wrong})
    with pytest.raises(AssertionError, match=complaint):
        escalation._check_table()


def test_a_rule_names_a_row_of_the_fault_table_and_two_times_are_enough(monkeypatch):
    rule = replace(ESCALATIONS["repeated_fault"], times=2, within_s=0.1)
    monkeypatch.setattr(escalation, "ESCALATIONS", {"repeated_fault": rule})
    escalation._check_table()
    monkeypatch.setattr(escalation, "ESCALATIONS", {"no_such": rule})
    with pytest.raises(AssertionError, match="no row of the fault table"):
        escalation._check_table()
