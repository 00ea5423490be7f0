"""Points as they are kept: written on change, refreshed, read back, tried again."""

import math
from dataclasses import replace
from itertools import pairwise

import pytest

from holdfast.core.commands import Point
from holdfast.core.data_store import DataStore, freeze
from holdfast.core.role import Role
from holdfast.core.signals import SITE, Signal
from holdfast.core.units import NS_PER_MS, NS_PER_S
from holdfast.devices.point_traits import NO_TRAITS, PointTraits
from holdfast.devices.write_budget import DAY_NS, first_write
from holdfast.devices.written_point import (
    INCREASE_EVERY_NS,
    OVERWRITTEN_TIMES,
    OVERWRITTEN_WITHIN_NS,
    OWN_NS,
    PV_CHANGE_W,
    PointMemory,
    PointRules,
    keep_points,
)
from holdfast.safety.faults import FAULTS
from holdfast.safety.finding import Reaction
from tests.builders import T0, UNIT, put

RULES = PointRules(
    point=Point.SETPOINT_W,
    readback=Signal.SETPOINT_READBACK_W,
    fault="setpoint_ignored",
    resolution=10.0,
    refresh_ns=2 * NS_PER_S,
)


class Device:
    """A device on 20 ms cycles. ``stores`` says what becomes of a write."""

    def __init__(self, stores=lambda value: value, rules=RULES):
        self.stores, self.rules = stores, rules
        self.store, self.memory, self.now_ns = DataStore((UNIT,)), {}, T0
        self.stored, self.written, self.findings = 0.0, [], ()

    def keep(self, value, ms=20, read=True):
        """One cycle; the values that were written in it."""
        self.now_ns += ms * NS_PER_MS
        if read:
            put(self.store, UNIT, self.rules.readback, self.stored, self.now_ns)
        writes, self.memory, self.findings = keep_points(
            UNIT,
            Role.INVERTER,
            {self.rules.point: value},
            (self.rules,),
            freeze(self.store.image(), self.now_ns),
            self.memory,
        )
        for write in writes:
            assert (write.unit, write.role, write.point) == (
                UNIT,
                Role.INVERTER,
                self.rules.point,
            )
            self.stored = self.stores(write.value)
            self.written.append((self.now_ns, write.value))
        return [write.value for write in writes]

    def keep_for(self, seconds, value):
        """Cycles in which ``value(t_s)`` or a constant is wanted; stops at a finding."""
        for step in range(round(seconds / 0.02)):
            self.keep(value(step * 0.02) if callable(value) else value)
            if self.findings:
                return step * 0.02
        return None


def deaf(_value):
    return 0.0


def test_the_first_value_is_written_and_the_same_again_only_to_refresh():
    device = Device()
    assert device.keep(0.0) == [0.0]
    for _ in range(300):
        device.keep(0.0)
    times = [time_ns for time_ns, _ in device.written]
    gaps = [b - a for a, b in pairwise(times)]
    assert gaps == [RULES.refresh_ns] * 3


def test_a_change_below_the_resolution_is_not_worth_a_write_but_small_ones_add_up():
    device = Device()
    device.keep(1000.0)
    assert device.keep(1009.9, ms=150) == []
    assert device.keep(990.1) == []
    assert device.keep(1010.0) == [1010.0]


@pytest.mark.parametrize("held", [0.5, 5.0, 4000.0, -3.0])
def test_exactly_zero_is_written_at_once_from_whatever_is_held(held):
    device = Device()
    device.keep(held)
    assert device.keep(0.0, ms=1) == [0.0]


def test_a_move_away_from_zero_waits_and_one_towards_zero_does_not():
    device = Device()
    device.keep(100.0)
    assert device.keep(200.0) == []
    assert device.keep(50.0) == [50.0]
    assert device.keep(200.0, ms=20) == []
    assert device.keep(200.0, ms=INCREASE_EVERY_NS // NS_PER_MS - 20) == [200.0]


def test_a_reversal_does_not_leave_the_old_direction_running():
    """Towards zero is at once: what charges must not go on charging until a pause is over."""
    device = Device()
    device.keep(3000.0)
    (value,) = device.keep(-40.0)
    assert value <= 0.0


def test_a_ramp_does_not_flood_the_bus():
    device = Device()
    device.keep_for(2.0, lambda t: 2000.0 * t)
    assert len(device.written) <= 2.0 / 0.1 + 2


def test_what_is_not_stored_is_tried_three_times_and_then_found():
    device = Device(deaf)
    after_s = device.keep_for(10.0, 500.0)
    assert after_s == pytest.approx(1.5, abs=0.1)
    (found,) = device.findings
    assert found.key == "battery/inverter_setpoint_ignored"
    assert "500" in found.text
    assert "reads 0" in found.text
    assert [value for _, value in device.written] == [500.0] * 4


def test_the_finding_goes_on_until_the_value_is_stored_and_then_clears():
    device = Device(deaf)
    device.keep_for(10.0, 500.0)
    since_ns = device.findings[0].since_ns
    for _ in range(100):
        device.keep(500.0)
        assert device.findings[0].since_ns == since_ns
    device.stores = lambda value: value
    device.keep(500.0)
    for _ in range(60):
        device.keep(500.0)
    assert device.findings == ()
    assert device.memory[Point.SETPOINT_W].tries == 0


def test_a_single_lost_write_is_repaired_without_a_finding():
    device = Device(deaf)
    device.keep(500.0)
    device.stores = lambda value: value
    assert device.keep_for(3.0, 500.0) is None
    assert device.stored == 500.0


def test_a_read_back_from_before_the_write_took_effect_is_no_proof_against_it():
    device = Device(deaf)
    device.keep(500.0)
    for _ in range(RULES.settle_ns // (20 * NS_PER_MS) - 1):
        assert device.keep(500.0) == []
    assert device.keep(500.0) == [500.0]


def test_a_device_that_rounds_to_half_the_resolution_stores_what_was_meant():
    device = Device(lambda value: value - 5.0)
    assert device.keep_for(10.0, 500.0) is None
    device = Device(lambda value: value - 5.1)
    assert device.keep_for(10.0, 500.0) is not None


def test_without_a_read_back_nothing_is_concluded():
    device = Device(deaf)
    for _ in range(500):
        device.keep(500.0, read=False)
    assert device.findings == ()


def test_a_device_that_ignores_a_setpoint_that_keeps_changing_is_found_as_well():
    """Self-consumption moves its setpoint many times a second, for hours."""
    device = Device(deaf)
    after_s = device.keep_for(30.0, lambda t: 500.0 + 40.0 * (int(t / 0.2) % 2))
    assert after_s is not None


def test_a_device_that_ignores_its_setpoint_is_found_however_short_the_refresh():
    """The refresh follows from the revert timer, and may be shorter than the settling time."""
    rules = PointRules(
        point=Point.SETPOINT_W,
        readback=Signal.SETPOINT_READBACK_W,
        fault="setpoint_ignored",
        resolution=10.0,
        refresh_ns=333 * NS_PER_MS,
    )
    device = Device(deaf, rules)
    assert device.keep_for(30.0, 500.0) is not None


# Another master. ----------------------------------------------------------------------------------

EXCLUSIVE = replace(RULES, exclusive=True)


def run(device, seconds, value, meddle=None):
    """Cycles in which ``meddle(t_s)`` may say what somebody else stores; the findings by row."""
    rows = {}
    for step in range(round(seconds / 0.02)):
        if meddle is not None and (stored := meddle(step * 0.02)) is not None:
            device.stored = stored
        device.keep(value(step * 0.02) if callable(value) else value)
        rows |= {found.row: found.reaction for found in device.findings}
    return rows


def every(seconds, value):
    return lambda t: value if t > 2.0 and abs(t / seconds - round(t / seconds)) < 1e-6 else None


@pytest.mark.parametrize("wanted", [0.0, 500.0, -500.0])
def test_another_master_is_overruled_at_once_noted_and_the_third_time_the_site_trips(wanted):
    device = Device(rules=EXCLUSIVE)
    run(device, 5.0, wanted)
    for times, row in ((1, "setpoint_overwritten"), (2, "setpoint_overwritten"),
                       (3, "second_writer")):  # fmt: skip
        device.stored = 3000.0
        assert device.keep(wanted) == [wanted]
        assert [found.row for found in device.findings] == [f"inverter_{row}"]
        assert f"{times} times" in device.findings[0].text
        run(device, 60.0, wanted)
        assert device.stored == wanted


def test_a_device_that_forgets_its_setpoint_once_when_it_starts_anew_does_not_trip():
    device = Device(rules=EXCLUSIVE)
    run(device, 5.0, 500.0)
    device.stored = 0.0
    assert set(run(device, 599.0, 500.0)) == {"inverter_setpoint_overwritten"}
    assert device.findings
    assert device.stored == 500.0
    run(device, 3.0, 500.0)
    assert device.findings == ()


def test_three_times_in_more_than_ten_minutes_do_not_trip():
    device = Device(rules=EXCLUSIVE)
    run(device, 5.0, 500.0)
    assert "inverter_second_writer" not in run(device, 1300.0, 500.0, every(301.0, 0.0))


def test_another_master_is_found_while_our_own_setpoint_never_rests():
    """Self-consumption moves its setpoint many times a second, for hours."""
    device = Device(rules=EXCLUSIVE)
    rows = run(device, 40.0, lambda t: 500.0 + 40.0 * (int(t / 0.2) % 3), every(10.0, 3000.0))
    assert rows["inverter_second_writer"] is Reaction.TRIP


def test_a_device_that_never_stored_it_ignores_and_has_no_other_master():
    device = Device(deaf, EXCLUSIVE)
    assert set(run(device, 5.0, 500.0)) == {"inverter_setpoint_ignored"}


@pytest.mark.parametrize("limit_w", [400.0, 2000.0])
def test_a_device_that_stops_at_a_limit_of_its_own_has_no_other_master(limit_w):
    device = Device(lambda value: min(value, limit_w), EXCLUSIVE)
    assert set(run(device, 30.0, lambda t: 200.0 * t)) <= {"inverter_setpoint_ignored"}


def test_a_device_that_becomes_deaf_while_the_setpoint_moves_has_no_other_master():
    device = Device(rules=EXCLUSIVE)
    run(device, 5.0, 500.0)
    held = device.stored
    device.stores = lambda value: held
    rows = run(device, 30.0, lambda t: 500.0 + 40.0 * int(t / 0.2))
    assert set(rows) == {"inverter_setpoint_ignored"}


def test_a_slow_device_has_no_other_master():
    """A setpoint that comes and goes is shown a second after both."""
    device = Device(rules=EXCLUSIVE)
    late = []

    def blip(t):
        return 2000.0 if 5.0 <= t % 10.0 < 5.3 else 0.0

    for step in range(3000):
        device.keep(blip(step * 0.02))
        late.append(device.written[-1][1])
        device.stored = late[max(step - 50, 0)]
        assert not any("writ" in found.row for found in device.findings)


def test_where_a_point_is_no_register_nothing_is_concluded():
    device = Device()
    run(device, 5.0, 500.0)
    device.stored = 3000.0
    device.keep(500.0)
    assert device.findings == ()


POINT, READBACK = Point.SETPOINT_W, Signal.SETPOINT_READBACK_W
EDGE_RULES = PointRules(
    point=POINT,
    readback=READBACK,
    fault="setpoint_ignored",
    resolution=10.0,
    refresh_ns=2 * NS_PER_S,
)
SETTLE_NS = 500 * NS_PER_MS


def keep(
    value, memory, now_ns, *, reads=None, sampled_ns=None, rules=EDGE_RULES, forced=frozenset()
):
    """One cycle: what is written, the point's memory after it, and the findings."""
    store = DataStore((UNIT,))
    if reads is not None:
        put(store, UNIT, READBACK, reads, now_ns if sampled_ns is None else sampled_ns)
    before = {} if memory is None else {rules.point: memory}
    writes, after, findings = keep_points(
        UNIT,
        Role.INVERTER,
        {rules.point: value},
        (rules,),
        freeze(store.image(), now_ns),
        before,
        forced,
    )
    return [write.value for write in writes], after[rules.point], findings


def written(value, at_ns=T0, **changes):
    return PointMemory(**{"value": value, "written_ns": at_ns, "first_ns": at_ns, **changes})


def test_the_times_are_those_of_the_design():
    assert INCREASE_EVERY_NS == 100 * NS_PER_MS
    assert PV_CHANGE_W == 50.0
    assert (EDGE_RULES.settle_ns, EDGE_RULES.tries) == (SETTLE_NS, 3)


def test_a_point_that_was_never_written_is_written_and_remembered_plainly():
    writes, memory, findings = keep(300.0, None, T0)
    assert (writes, findings) == ([300.0], ())
    assert memory == PointMemory(
        value=300.0,
        written_ns=T0,
        first_ns=T0,
        superseded=(),
        tries=0,
        tried_ns=0,
        ignored_since_ns=None,
        seen=None,
        overwritten=(),
    )


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
    _, after, _ = keep_points(UNIT, Role.INVERTER, {POINT: 1.0}, (EDGE_RULES,), snapshot, other)
    assert set(after) == {Point.ENABLE, POINT}


# Somebody else. -----------------------------------------------------------------------------------

EDGE_EXCLUSIVE = replace(EDGE_RULES, exclusive=True)
LATER_NS = T0 + 10 * NS_PER_S


def keep_exclusive(memory, reads, *, value=300.0, now_ns=LATER_NS, rules=EDGE_EXCLUSIVE, **kwargs):
    return keep(value, memory, now_ns, reads=reads, rules=rules, **kwargs)


def settled(value=300.0, **changes):
    """Written long ago and refreshed just now, and seen since."""
    return written(value, first_ns=T0, at_ns=LATER_NS - 1, **{"seen": value, **changes})


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


@pytest.mark.parametrize("rules", [EDGE_RULES, EDGE_EXCLUSIVE])
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

MILD = replace(EDGE_RULES, fault="export_limit_ignored", gives_up=True, refresh_ns=60 * NS_PER_S)


def keep_ignored(rules, seconds, value=100.0, memory=None):
    """When a device that stores nothing is written to; its memory and the last findings."""
    times = []
    for ms in range(0, round(seconds * 1000), 20):
        now_ns = T0 + ms * NS_PER_MS
        writes, memory, findings = keep(value, memory, now_ns, reads=9000.0, rules=rules)
        times += [ms / 1000] * len(writes)
    return times, memory, findings


def test_a_point_gives_up_after_its_tries_only_where_no_danger_hangs_on_it():
    plain = PointRules(point=POINT, readback=READBACK, fault="", resolution=1.0, refresh_ns=1)
    assert (plain.gives_up, plain.safe) == (False, 0.0)
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
        times, _, findings = keep_ignored(
            replace(MILD, traits=PointTraits(writes_per_day=budget)), 600.0
        )
        assert times == written_at
        assert "inverter_export_limit_ignored" in {found.row for found in findings}
    stubborn = replace(MILD, gives_up=False, traits=PointTraits(writes_per_day=1))
    assert len(keep_ignored(stubborn, 59.9)[0]) == 120


def test_a_worn_point_is_written_again_once_the_day_is_over():
    rules = replace(MILD, traits=PointTraits(writes_per_day=1))
    spent = first_write(1, T0)
    held = written(100.0, spent=spent)
    for ns, writes in ((DAY_NS - 1, []), (DAY_NS, [100.0])):
        assert keep(100.0, held, T0 + ns, reads=9000.0, rules=rules)[0] == writes


# Kept in steps. -----------------------------------------------------------------------------------


def in_steps(step, rules=RULES):
    return rules.of_device({rules.point: PointTraits(step=step)})


@pytest.mark.parametrize("step", [50.0, 100.0])
def test_a_device_that_keeps_its_setpoint_in_steps_is_told_such_values_and_believed(step):
    device = Device(rules=in_steps(step))
    assert device.keep(1234.0) == [1200.0]
    assert device.keep_for(10.0, lambda t: 1234.0 + 700.0 * math.sin(t)) is None
    assert all(value % step == 0.0 for _, value in device.written)
    assert device.keep(-1234.0) == [-1200.0]
    assert device.keep(0.4) == [0.0]


def test_a_step_is_the_tolerance_of_the_read_back_and_no_more():
    """Half of it, since what is written is a whole number of steps."""
    for shown, found in ((1225.0, False), (1225.1, True)):
        device = Device(lambda _, shown=shown: shown, rules=in_steps(50.0))
        assert (device.keep_for(5.0, 1200.0) is not None) is found


def test_a_step_finer_than_the_resolution_changes_the_value_and_not_the_resolution():
    rules = in_steps(1.0)
    assert rules.resolution == RULES.resolution
    assert Device(rules=rules).keep(1234.9) == [1234.0]


def test_a_point_without_traits_keeps_its_rules():
    assert RULES.of_device(NO_TRAITS) == RULES
    assert RULES.of_device({Point.ENABLE: PointTraits(step=50.0)}) == RULES


@pytest.mark.parametrize(("own_s", "kept_s"), [(0.5, 0.5), (2.0, 2.0), (60.0, 3.0), (None, 3.0)])
def test_what_the_device_forgets_sooner_is_refreshed_sooner_and_never_later(own_s, kept_s):
    rules = replace(RULES, refresh_ns=3 * NS_PER_S)
    own_ns = None if own_s is None else round(own_s * NS_PER_S)
    told = rules.of_device({rules.point: PointTraits(refresh_ns=own_ns)})
    assert told.refresh_ns == kept_s * NS_PER_S


def test_a_timer_or_a_flag_is_never_rounded():
    """Five seconds in a register of minutes would be 0: never."""
    rules = replace(RULES, exact=True)
    assert in_steps(60.0, rules) == rules
    worn = rules.of_device({rules.point: PointTraits(step=60.0, writes_per_day=3)})
    assert worn == replace(rules, traits=PointTraits(writes_per_day=3))


def test_a_device_that_takes_longer_is_given_the_time():
    slow = PointTraits(settle_ns=3 * NS_PER_S)
    assert RULES.of_device({RULES.point: slow}).settle_ns == 3 * NS_PER_S
    assert RULES.of_device({RULES.point: PointTraits(settle_ns=1)}).settle_ns == RULES.settle_ns
    device = Device(deaf, rules=RULES.of_device({RULES.point: slow}))
    assert device.keep_for(20.0, 500.0) == pytest.approx(9.0, abs=0.1)


def test_what_a_slow_device_shows_is_its_own_slow_answer_for_twice_its_time_to_settle():
    slow = replace(RULES, exclusive=True, settle_ns=3 * NS_PER_S)
    assert slow.own_ns == 6 * NS_PER_S
    assert RULES.own_ns == OWN_NS
    for rules, foreign in ((slow, False), (replace(RULES, exclusive=True), True)):
        device = Device(rules=rules)
        device.keep_for(4.0, 1000.0)
        device.keep_for(4.0, 2000.0)
        device.stored = 1500.0  # between what it was told five seconds ago and now
        device.keep_for(0.1, 2000.0)
        assert bool(device.findings) is foreign


# What follows the sun. ----------------------------------------------------------------------------


class Box(Device):
    """One that is told what flows at its AC side: the same number is another battery power once PV
    is another."""

    def __init__(self, pv_w=1000.0, **traits):
        traits = PointTraits(follows_pv=True, **traits)
        super().__init__(rules=RULES.of_device({RULES.point: traits}))
        self.pv_w = pv_w

    def keep(self, value, ms=20, read=True):
        if self.pv_w is not None:
            put(self.store, SITE, Signal.PV_POWER_W, self.pv_w, self.now_ns + ms * NS_PER_MS)
        return super().keep(value, ms, read)


@pytest.mark.parametrize("change_w", [PV_CHANGE_W, -PV_CHANGE_W, 900.0])
def test_it_is_written_anew_as_soon_as_the_sun_gives_another_power(change_w):
    box = Box()
    box.keep(500.0)
    assert box.keep(500.0) == []
    box.pv_w += change_w
    assert box.keep(500.0) == [500.0]
    assert box.keep(500.0) == [], "once for each change"


def test_small_changes_of_the_sun_are_not_worth_a_write_but_add_up():
    box = Box()
    box.keep(500.0)
    box.pv_w += PV_CHANGE_W - 0.1
    assert box.keep(500.0) == []
    box.pv_w += 0.1
    assert box.keep(500.0) == [500.0]


def test_a_sun_that_is_not_known_is_no_reason_to_write_and_one_that_is_again_is():
    box = Box(pv_w=None)
    assert box.keep(500.0) == [500.0]
    assert box.keep(500.0) == []
    box.pv_w = 0.0
    assert box.keep(500.0) == [500.0]
    assert box.keep(500.0) == []


def test_who_is_told_the_batterys_power_cares_for_no_sun():
    device = Device()
    device.keep(500.0)
    put(device.store, SITE, Signal.PV_POWER_W, 3000.0, device.now_ns)
    assert device.keep(500.0) == []
    assert device.keep(0.0) == [0.0]
    assert device.memory[RULES.point].pv_w is None
