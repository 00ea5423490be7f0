"""Points as they are kept, at the edge of each of their times."""

from dataclasses import replace

import pytest

from holdfast.core.commands import Point
from holdfast.core.data_store import DataStore, freeze
from holdfast.core.signals import Producer, Signal
from holdfast.core.units import NS_PER_MS, NS_PER_S
from holdfast.devices.write_budget import DAY_NS, first_write
from holdfast.devices.written_point import (
    INCREASE_EVERY_NS,
    OVERWRITTEN_TIMES,
    OVERWRITTEN_WITHIN_NS,
    OWN_NS,
    PointMemory,
    PointRules,
    keep_points,
)
from holdfast.safety.faults import FAULTS
from holdfast.safety.finding import Reaction
from tests.builders import T0, UNIT, put

POINT, READBACK = Point.SETPOINT_W, Signal.SETPOINT_READBACK_W
RULES = PointRules(
    point=POINT, readback=READBACK, fault="setpoint_ignored", resolution=10.0,
    refresh_ns=2 * NS_PER_S,
)  # fmt: skip
SETTLE_NS = 500 * NS_PER_MS


def keep(value, memory, now_ns, *, reads=None, sampled_ns=None, rules=RULES, forced=frozenset()):
    """One cycle: what is written, the point's memory after it, and the findings."""
    store = DataStore((UNIT,))
    if reads is not None:
        put(store, UNIT, READBACK, reads, now_ns if sampled_ns is None else sampled_ns)
    before = {} if memory is None else {rules.point: memory}
    writes, after, findings = keep_points(
        UNIT, Producer.INVERTER, {rules.point: value}, (rules,), freeze(store.image(), now_ns),
        before, forced,
    )  # fmt: skip
    return [write.value for write in writes], after[rules.point], findings


def written(value, at_ns=T0, **changes):
    return PointMemory(**{"value": value, "written_ns": at_ns, "first_ns": at_ns, **changes})


def test_the_times_are_those_of_the_design():
    assert INCREASE_EVERY_NS == 100 * NS_PER_MS
    assert (RULES.settle_ns, RULES.tries) == (SETTLE_NS, 3)


def test_a_point_that_was_never_written_is_written_and_remembered_plainly():
    writes, memory, findings = keep(300.0, None, T0)
    assert (writes, findings) == ([300.0], ())
    assert memory == PointMemory(
        value=300.0, written_ns=T0, first_ns=T0, superseded=(), tries=0, tried_ns=0,
        ignored_since_ns=None, seen=None, overwritten=(),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("held", "value", "after_ms", "at_once"),
    [
        (300.0, 300.0, 1999, False),
        (300.0, 300.0, 2000, True),
        (300.0, 310.0, 99, False),  # away from zero
        (300.0, 310.0, 100, True),
        (300.0, 290.0, 1, True),  # towards it
        (300.0, 290.001, 1, False),
        (-300.0, -290.0, 1, True),
        (-300.0, -310.0, 99, False),
        (-300.0, -310.0, 100, True),
        (300.0, -300.0, 1, True),  # as far on the other side
        (300.0, -900.0, 1, True),
        (0.05, -10.0, 1, True),
        (-300.0, 900.0, 1, True),
        (0.0, 10.0, 99, False),
        (0.0, 10.0, 100, True),
        (0.0, 0.0, 1, False),
        (0.001, 0.0, 1, True),
        (-0.001, 0.0, 1, True),
        (1.5, 1.0, 150, False),
    ],
)
def test_when_a_change_is_written(held, value, after_ms, at_once):
    writes, memory, _ = keep(value, written(held), T0 + after_ms * NS_PER_MS)
    assert writes == ([value] if at_once else [])
    assert memory.value == (value if at_once else held)
    assert memory.written_ns == (T0 + after_ms * NS_PER_MS if at_once else T0)
    assert memory.first_ns == T0


def test_a_forced_point_is_written_and_another_one_is_not():
    assert keep(300.0, written(300.0), T0 + 1, forced=frozenset({POINT}))[0] == [300.0]
    assert keep(300.0, written(300.0), T0 + 1, forced=frozenset({Point.ENABLE}))[0] == []


def test_a_value_that_is_replaced_is_remembered_for_two_seconds_and_a_refresh_replaces_none():
    assert OWN_NS == 2 * NS_PER_S
    before = written(300.0, superseded=((100.0, T0 - OWN_NS), (200.0, T0)))
    _, memory, _ = keep(0.0, before, T0)
    assert memory.superseded == ((100.0, T0 - OWN_NS), (200.0, T0), (300.0, T0))
    _, memory, _ = keep(0.0, before, T0 + 1)
    assert memory.superseded == ((200.0, T0), (300.0, T0 + 1))
    _, memory, _ = keep(300.0, before, T0 + 2 * NS_PER_S)
    assert memory.superseded == before.superseded


@pytest.mark.parametrize("early_ns", [0, 1])
def test_what_is_read_before_the_first_write_has_settled_says_nothing(early_ns):
    now_ns = T0 + SETTLE_NS - early_ns
    writes, memory, _ = keep(300.0, written(300.0), now_ns, reads=0.0)
    assert bool(writes) is (early_ns == 0)
    assert memory.tries == (1 if early_ns == 0 else 0)


@pytest.mark.parametrize(("late_ns", "right"), [(0, True), (1, False)])
def test_a_read_back_may_show_what_was_replaced_until_that_has_settled(late_ns, right):
    replaced_ns = T0 + 10 * NS_PER_S
    memory = written(300.0, superseded=((700.0, replaced_ns),))
    _, after, _ = keep(300.0, memory, replaced_ns + SETTLE_NS + late_ns, reads=700.0)
    assert after.tries == (0 if right else 1)


@pytest.mark.parametrize("off_w", [5.0, -5.0])
def test_half_the_resolution_off_is_stored_and_more_is_not(off_w):
    later_ns = T0 + NS_PER_S
    assert keep(300.0, written(300.0), later_ns, reads=300.0 + off_w)[1].tries == 0
    assert keep(300.0, written(300.0), later_ns, reads=300.0 + off_w * 1.001)[1].tries == 1


def test_the_next_try_waits_until_the_last_one_has_settled():
    tried_ns = T0 + 10 * NS_PER_S
    memory = written(300.0, at_ns=tried_ns, first_ns=T0, tries=1, tried_ns=tried_ns)
    for early_ns, tries in ((1, 1), (0, 2)):
        now_ns = tried_ns + SETTLE_NS - early_ns
        writes, after, _ = keep(300.0, memory, now_ns, reads=0.0)
        assert (after.tries, bool(writes)) == (tries, tries == 2)
        assert after.tried_ns == (now_ns if tries == 2 else tried_ns)


def test_the_third_try_is_found_and_goes_on_since_then():
    now_ns, memory = T0 + NS_PER_S, written(300.0)
    found_at = None
    for tries in range(1, 6):
        _, memory, findings = keep(300.0, memory, now_ns, reads=0.0)
        assert memory.tries == tries
        assert bool(findings) is (tries >= 3)
        if findings:
            found_at = found_at or now_ns
            assert findings[0].since_ns == found_at
            assert findings[0].text.endswith("setpoint_w is to be 300, reads 0")
        now_ns += SETTLE_NS
    _, memory, findings = keep(300.0, memory, now_ns)
    assert findings[0].text.endswith("setpoint_w is to be 300, cannot be read")


@pytest.mark.parametrize(
    "changes", [{"tries": 2}, {"ignored_since_ns": T0}, {"tries": 3, "ignored_since_ns": T0}]
)
def test_once_it_is_stored_all_tries_are_forgotten(changes):
    _, memory, findings = keep(300.0, written(300.0, **changes), T0 + NS_PER_S, reads=300.0)
    assert (memory.tries, memory.ignored_since_ns, findings) == (0, None, ())


def test_while_all_is_well_the_memory_is_handed_on_and_not_copied():
    memory = written(300.0, seen=300.0, overwritten=((T0, 5.0),))
    assert keep(300.0, memory, T0 + NS_PER_S, reads=300.0)[1] is memory
    assert keep(300.0, memory, T0 + NS_PER_S)[1] is memory


def test_points_of_no_rule_stay_in_memory():
    snapshot = freeze(DataStore((UNIT,)).image(), T0)
    other = {Point.ENABLE: written(1.0)}
    _, after, _ = keep_points(UNIT, Producer.INVERTER, {POINT: 1.0}, (RULES,), snapshot, other)
    assert set(after) == {Point.ENABLE, POINT}


# Somebody else. -----------------------------------------------------------------------------------

EXCLUSIVE = replace(RULES, exclusive=True)
LATER_NS = T0 + 10 * NS_PER_S


def keep_exclusive(memory, reads, *, value=300.0, now_ns=LATER_NS, rules=EXCLUSIVE, **kwargs):
    return keep(value, memory, now_ns, reads=reads, rules=rules, **kwargs)


def settled(value=300.0, **changes):
    """Written long ago and refreshed just now, and seen since."""
    return written(
        value, first_ns=T0, at_ns=LATER_NS - 1, **{"seen": value, **changes}
    )  # fmt: skip


def test_how_often_another_master_has_to_come():
    assert (OVERWRITTEN_TIMES, OVERWRITTEN_WITHIN_NS) == (3, 600 * NS_PER_S)


def test_a_value_that_changes_by_itself_is_written_again_at_once_and_noted():
    writes, memory, (found,) = keep_exclusive(settled(), 900.0)
    assert writes == [300.0]
    assert memory.overwritten == ((LATER_NS, 900.0),)
    assert (memory.seen, memory.tries, memory.tried_ns) == (None, 0, LATER_NS)
    assert found.key == "battery/inverter_setpoint_overwritten"
    assert found.reaction is Reaction.LOG
    assert found.since_ns == LATER_NS
    assert "setpoint_w was 900 without our doing, 1 times" in found.text


def test_what_a_sample_shows_that_is_right_is_remembered_to_the_digit():
    memory = keep_exclusive(written(300.0, first_ns=T0), 304.0, now_ns=T0 + NS_PER_S)[1]
    assert memory.seen == 304.0
    assert keep_exclusive(memory, 303.0, now_ns=T0 + NS_PER_S + 1)[1].seen == 303.0


@pytest.mark.parametrize("rules", [RULES, EXCLUSIVE])
@pytest.mark.parametrize("seen", [None, 300.0])
def test_what_was_never_seen_stored_is_ignored_and_not_overwritten(rules, seen):
    _, memory, findings = keep_exclusive(settled(seen=seen), 900.0, rules=rules)
    foreign = rules.exclusive and seen is not None
    assert bool(memory.overwritten) is foreign
    assert memory.tries == (0 if foreign else 1)
    assert memory.seen is None
    assert bool(findings) is foreign


def test_the_sample_that_shows_it_counts_once_and_is_no_try():
    memory = keep_exclusive(settled(), 900.0)[1]
    writes, memory, _ = keep_exclusive(
        memory, 900.0, now_ns=LATER_NS + 20 * NS_PER_MS, sampled_ns=LATER_NS
    )
    assert (writes, len(memory.overwritten), memory.tries) == ([], 1, 0)
    # As long as our own write has had no time to settle, a new one neither.
    for early_ns, tries in ((1, 0), (0, 1)):
        after = keep_exclusive(memory, 900.0, now_ns=LATER_NS + SETTLE_NS - early_ns)[1]
        assert (len(after.overwritten), after.tries) == (1, tries)


def test_the_try_counts_from_the_sample_that_showed_it():
    memory = keep_exclusive(settled(), 900.0, sampled_ns=LATER_NS - 7)[1]
    assert memory.tried_ns == LATER_NS - 7
    assert memory.overwritten == ((LATER_NS, 900.0),)


@pytest.mark.parametrize(
    ("reads", "foreign"),
    [
        (1000.0, False), (995.0, False), (994.9, True), (1300.0, False), (3000.0, False),
        (3005.0, False), (3005.1, True), (2000.0, False), (0.0, True), (-1.0, True),
    ],
)  # fmt: skip
def test_what_lies_between_what_it_held_and_what_it_was_told_may_be_a_slow_answer(reads, foreign):
    memory = settled(
        1500.0, seen=1000.0, superseded=((3000.0, LATER_NS - NS_PER_S),), tried_ns=LATER_NS
    )
    _, after, _ = keep_exclusive(memory, reads, value=1500.0)
    assert bool(after.overwritten) is foreign


@pytest.mark.parametrize(("ago_ns", "foreign"), [(OWN_NS, False), (OWN_NS + 1, True)])
def test_what_was_written_longer_ago_explains_nothing(ago_ns, foreign):
    """Counted from the sample, which may be older than the cycle."""
    sampled_ns = LATER_NS - 50 * NS_PER_MS
    memory = settled(superseded=((3000.0, sampled_ns - ago_ns),))
    _, after, _ = keep_exclusive(memory, 2000.0, sampled_ns=sampled_ns)
    assert bool(after.overwritten) is foreign


def times(*ago_ns):
    return tuple((LATER_NS - ago, 900.0 + ago) for ago in ago_ns)


@pytest.mark.parametrize(
    ("before", "row", "since_ns"),
    [
        (times(5), "setpoint_overwritten", LATER_NS - 5),
        (times(9, 5), "setpoint_overwritten", LATER_NS - 9),
        (times(9, 5, 3), "second_writer", LATER_NS - 3),
        (times(9, 5, 3, 1), "second_writer", LATER_NS - 3),
        (times(OVERWRITTEN_WITHIN_NS, 5, 3), "second_writer", LATER_NS - 3),
        (times(OVERWRITTEN_WITHIN_NS + 1, 5, 3), "setpoint_overwritten", LATER_NS - 5),
        (times(OVERWRITTEN_WITHIN_NS + 1), None, None),
    ],
)
def test_the_third_time_within_ten_minutes_trips_and_what_is_older_is_forgotten(
    before, row, since_ns
):
    memory = settled(overwritten=before)
    _, after, findings = keep_exclusive(memory, 300.0)
    assert [found.row for found in findings] == ([] if row is None else [f"inverter_{row}"])
    assert [found.since_ns for found in findings] == ([] if row is None else [since_ns])
    assert [found.reaction for found in findings] == ([] if row is None else [FAULTS[row].reaction])
    count = sum(time_ns >= LATER_NS - OVERWRITTEN_WITHIN_NS for time_ns, _ in before)
    assert len(after.overwritten) == count
    assert all(f"{count} times within 10 minutes" in found.text for found in findings)
    assert all(f"was {before[-1][1]:g} without" in found.text for found in findings)


# A point without danger gives up. -----------------------------------------------------------------

MILD = replace(RULES, fault="export_limit_ignored", gives_up=True, refresh_ns=60 * NS_PER_S)


def keep_ignored(rules, seconds, value=100.0, memory=None):
    """When a device that stores nothing is written to; its memory and the last findings."""
    times = []
    for ms in range(0, round(seconds * 1000), 20):
        now_ns = T0 + ms * NS_PER_MS
        writes, memory, findings = keep(value, memory, now_ns, reads=9000.0, rules=rules)
        times += [ms / 1000] * len(writes)
    return times, memory, findings


def test_a_point_gives_up_after_its_tries_only_where_no_danger_hangs_on_it():
    assert PointRules(
        point=POINT, readback=READBACK, fault="", resolution=1.0, refresh_ns=1
    ).gives_up is False  # fmt: skip
    times, _, (found,) = keep_ignored(MILD, 59.9)
    assert times == [0.0, 0.5, 1.0]
    assert (found.row, found.reaction) == ("inverter_export_limit_ignored", Reaction.LOG)
    assert found.since_ns == T0 + 1500 * NS_PER_MS
    stubborn, _, _ = keep_ignored(replace(MILD, gives_up=False), 59.9)
    assert len(stubborn) == 120


def test_who_has_given_up_asks_again_at_each_refresh_and_at_each_change():
    times, memory, _ = keep_ignored(MILD, 130.0)
    assert times == [0.0, 0.5, 1.0, 61.0, 121.0]
    now_ns = T0 + 131 * NS_PER_S
    writes, memory, _ = keep(500.0, memory, now_ns, reads=9000.0, rules=MILD)
    assert writes == [500.0]
    now_ns += NS_PER_S
    writes, memory, findings = keep(500.0, memory, now_ns, reads=500.0, rules=MILD)
    assert (writes, findings) == ([], ())
    # It obeys now: what differs is worth all tries again.
    writes, _, _ = keep(500.0, memory, now_ns + NS_PER_S, reads=9000.0, rules=MILD)
    assert writes == [500.0]


def test_a_worn_point_that_is_ignored_is_written_again_as_long_as_its_budget_lasts():
    for budget, written_at in ((1, [0.0]), (2, [0.0, 0.5]), (3, [0.0, 0.5, 1.0]), (9, [0, 0.5, 1])):
        times, _, findings = keep_ignored(replace(MILD, writes_per_day=budget), 600.0)
        assert times == written_at
        assert "inverter_export_limit_ignored" in {found.row for found in findings}
    stubborn = replace(MILD, gives_up=False, writes_per_day=1)
    assert len(keep_ignored(stubborn, 59.9)[0]) == 120


def test_a_worn_point_is_written_again_once_the_day_is_over():
    rules = replace(MILD, writes_per_day=1)
    spent = first_write(1, T0)
    held = written(100.0, spent=spent)
    for ns, writes in ((DAY_NS - 1, []), (DAY_NS, [100.0])):
        assert keep(100.0, held, T0 + ns, reads=9000.0, rules=rules)[0] == writes
