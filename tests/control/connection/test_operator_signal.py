"""The grid operator's signal has the states of LPC: without him the failsafe limit holds."""

import math

import pytest

from holdfast.control.connection.operator_signal import (
    CONSUMPTION,
    HEARD,
    LIMITS,
    PRODUCTION,
    TRANSITIONS,
    OperatorHeartbeat,
    OperatorMemory,
    OperatorSignal,
    OperatorState,
    OperatorTerms,
    exceeded,
    heard,
)
from holdfast.core.data_store import DataStore, freeze
from holdfast.core.signals import SITE, Signal
from holdfast.core.units import ns_from_s
from tests.builders import T0, UNIT, put

S = OperatorState
TERMS = OperatorTerms(limit_w=4200.0, failsafe_w=3000.0, failsafe_ns=ns_from_s(7200.0))


class Box:
    """A grid operator's box that is read once a second."""

    def __init__(self, *, beats: bool = True, counts: bool = False, channel=CONSUMPTION) -> None:
        self.store = DataStore((UNIT,))
        self.signal, self.channel = OperatorSignal(channel, TERMS), channel
        self.heartbeat, self.memory = OperatorHeartbeat(), OperatorMemory()
        self.time_ns = T0
        self.beats, self.counts = beats, counts
        self.limited, self.limit_w = 0.0, None
        self.beat, self.writes = 1.0, 1.0
        self.alive = self.readable = True
        self.next_beat_s = 0.0

    def run(self, seconds: float, step_s: float = 1.0) -> OperatorState:
        for _ in range(round(seconds / step_s)):
            self.time_ns += ns_from_s(step_s)
            self._tell(step_s)
            snapshot = freeze(self.store.image(), self.time_ns)
            self.heartbeat = heard(snapshot, self.heartbeat)
            self.memory = self.signal.step(snapshot, self.heartbeat, self.memory)
        return self.memory.state

    def write(self, limited: float, limit_w: float | None = None) -> None:
        self.limited, self.limit_w = limited, limit_w
        self.writes += 1.0

    def _tell(self, step_s: float) -> None:
        self.next_beat_s -= step_s
        if self.alive and self.next_beat_s <= 0.0:
            self.beat, self.next_beat_s = self.beat + 1.0, 30.0
        if not self.readable:
            return
        told = {self.channel.limited: self.limited, self.channel.limit_w: self.limit_w}
        if self.beats:
            told[Signal.OPERATOR_BEATS_COUNT] = self.beat
        if self.counts:
            told[Signal.OPERATOR_WRITES_COUNT] = self.writes
        for signal, value in told.items():
            if value is not None:
                put(self.store, SITE, signal, value, self.time_ns)

    @property
    def holds_w(self) -> float | None:
        return self.signal.limit_w(self.memory)


def test_the_ways_between_the_states_are_those_of_the_use_case():
    ways = {(a.value, e.value): b.value for (a, e), b in TRANSITIONS.items()}
    unlimited, alone = "unlimited_controlled", "unlimited_autonomous"
    assert ways == {
        ("init", "limit"): "limited",
        ("init", "release"): unlimited,
        ("init", "lost"): "failsafe",
        ("init", "over"): alone,
        (unlimited, "limit"): "limited",
        (unlimited, "lost"): "failsafe",
        ("limited", "release"): unlimited,
        ("limited", "lost"): "failsafe",
        ("failsafe", "limit"): "limited",
        ("failsafe", "release"): unlimited,
        ("failsafe", "over"): alone,
        (alone, "limit"): "limited",
        (alone, "release"): unlimited,
    }
    assert {S.UNLIMITED, S.LIMITED} == HEARD
    assert {S.INIT, S.LIMITED, S.FAILSAFE} == LIMITS


def test_from_the_first_cycle_on_the_failsafe_limit_holds():
    box = Box()
    box.readable = False
    assert box.run(1) is S.INIT
    assert box.holds_w == 3000.0
    assert box.run(120) is S.INIT
    assert box.run(1) is S.FAILSAFE
    assert box.holds_w == 3000.0


@pytest.mark.parametrize("counts", [False, True])
def test_a_heartbeat_and_a_limit_after_it_put_him_in_command(counts):
    box = Box(counts=counts)
    box.run(31)  # the first value is no beat: it tells that there is a counter
    box.run(2)
    box.write(1.0, 2500.0)
    assert box.run(30) is S.LIMITED
    assert box.holds_w == 2500.0
    box.write(0.0)
    assert box.run(1) is S.UNLIMITED
    assert box.holds_w is None
    box.write(1.0)
    assert box.run(1) is S.LIMITED


def test_what_is_read_with_the_first_heartbeat_may_be_older_than_it():
    box = Box()
    assert box.run(31) is S.INIT
    assert box.heartbeat.since_ns == box.time_ns
    assert box.run(1) is S.UNLIMITED


def test_while_he_is_in_command_a_limit_holds_at_once_whatever_the_count_says():
    box = Box()
    assert box.run(35) is S.UNLIMITED
    box.counts = True  # its first value tells of no limit
    box.limited, box.limit_w = 1.0, 2500.0
    assert box.run(1) is S.LIMITED
    box.limited = 0.0
    assert box.run(1) is S.UNLIMITED


def test_the_first_count_of_limits_tells_of_none():
    box = Box(counts=True)
    box.run(31)
    assert box.heartbeat.writes == 1.0
    assert box.heartbeat.written_ns is None
    assert box.run(600) is S.INIT


def test_a_count_of_limits_that_cannot_be_read_for_a_while_counts_none():
    box = lost()
    box.alive, box.next_beat_s = True, 0.0
    box.run(40)
    box.counts = False
    assert box.run(20) is S.FAILSAFE
    box.counts = True
    assert box.run(20) is S.FAILSAFE


@pytest.mark.parametrize("signal", [Signal.OPERATOR_BEATS_COUNT, Signal.CONSUMPTION_LIMITED])
def test_what_cannot_be_true_is_neither_a_heartbeat_nor_a_word_of_his(signal):
    box = Box()
    box.run(35)
    put(box.store, SITE, signal, math.nan, box.time_ns + 1)
    before, box.time_ns = box.heartbeat, box.time_ns + 1
    snapshot = freeze(box.store.image(), box.time_ns)
    assert heard(snapshot, before) == before
    assert box.signal.step(snapshot, before, box.memory).state is S.UNLIMITED


def test_a_box_that_once_had_a_heartbeat_is_never_a_plain_contact():
    box = Box()
    box.run(35)
    box.store, box.beats = DataStore((UNIT,)), False  # as if its count had never been read
    assert box.run(130) is S.FAILSAFE
    assert box.run(60) is S.FAILSAFE


def test_a_value_that_stands_still_is_no_heartbeat():
    box = Box()
    box.alive = False
    box.limited = 0.0
    assert box.run(120) is S.INIT
    assert box.run(2) is S.FAILSAFE


def test_he_is_lost_120_s_after_the_last_heartbeat():
    box = Box()
    box.run(40)
    assert box.memory.state is S.UNLIMITED
    box.alive = False
    last_ns = box.heartbeat.last_ns
    while box.run(1) is S.UNLIMITED:
        pass
    assert box.memory.state is S.FAILSAFE
    assert box.time_ns - last_ns == ns_from_s(121.0)


def lost() -> Box:
    """A box that counts its limits, in failsafe, whose register still shows the last limit."""
    box = Box(counts=True)
    box.run(35)
    box.write(0.0)
    assert box.run(31) is S.UNLIMITED
    box.alive = False
    assert box.run(150) is S.FAILSAFE
    return box


def test_failsafe_is_left_for_a_limit_that_follows_a_heartbeat_and_not_for_a_heartbeat_alone():
    box = lost()
    box.alive = True
    assert box.run(600) is S.FAILSAFE
    assert box.holds_w == 3000.0
    box.write(1.0, 4000.0)
    assert box.run(1) is S.LIMITED
    assert box.holds_w == 4000.0


def test_a_limit_that_came_before_the_heartbeat_does_not_count():
    box = lost()
    box.write(0.0)
    assert box.run(60) is S.FAILSAFE
    box.alive, box.next_beat_s = True, 0.0
    assert box.run(60) is S.FAILSAFE
    box.write(0.0)
    assert box.run(1) is S.UNLIMITED


@pytest.mark.parametrize("alive", [False, True])
def test_failsafe_lasts_two_hours_at_least_then_the_site_is_on_its_own(alive):
    box = lost()
    since_ns = box.memory.since_ns
    box.alive = alive
    while (box.time_ns - since_ns) % ns_from_s(10.0):
        box.run(1)
    while box.run(10, 10.0) is S.FAILSAFE:
        pass
    assert box.memory.state is S.AUTONOMOUS
    assert box.time_ns - since_ns == ns_from_s(7200.0)
    assert box.holds_w is None
    assert box.run(1000, 10.0) is S.AUTONOMOUS
    box.alive, box.next_beat_s = True, 0.0
    box.run(60)
    box.write(1.0, 1000.0)
    assert box.run(1) is S.LIMITED


def test_a_box_that_beats_and_never_sets_a_limit_leaves_the_site_on_its_own_in_the_end():
    box = Box(counts=True)
    assert box.run(7190, 10.0) is S.INIT
    assert box.run(30, 10.0) is S.AUTONOMOUS


def test_a_plain_contact_says_what_holds_as_long_as_it_can_be_read():
    box = Box(beats=False)
    assert box.run(1) is S.UNLIMITED
    box.limited = 1.0
    assert box.run(1) is S.LIMITED
    assert box.holds_w == 4200.0
    box.readable = False
    assert box.run(10) is S.LIMITED
    assert box.run(1) is S.FAILSAFE
    assert box.run(20_000, 10.0) is S.FAILSAFE  # no time makes a broken wire a permission
    box.readable, box.limited = True, 0.0
    assert box.run(1) is S.UNLIMITED


def test_the_later_reading_of_two_contacts_is_the_last_sign_of_him():
    box = Box(beats=False)
    for later_s, signal in enumerate((PRODUCTION.limited, CONSUMPTION.limited)):
        put(box.store, SITE, signal, 0.0, T0 + ns_from_s(later_s))
    now_ns = T0 + ns_from_s(2.0)
    assert heard(freeze(box.store.image(), now_ns), box.heartbeat).last_ns == T0 + ns_from_s(1.0)


def test_production_has_its_own_contact():
    box = Box(beats=False, channel=PRODUCTION)
    box.limited, box.limit_w = 1.0, 0.0
    assert box.run(1) is S.LIMITED
    assert box.holds_w == 0.0


def test_what_the_box_told_last_holds_while_its_watts_are_away():
    box = Box(beats=False)
    box.limited, box.limit_w = 1.0, 1500.0
    box.run(1)
    box.limit_w = None
    assert box.run(60) is S.LIMITED  # what was read is long gone
    assert box.holds_w == 1500.0


def test_the_time_under_a_limit_is_counted_and_what_of_it_was_exceeded():
    box = Box(beats=False)
    box.run(100)
    assert box.memory.limited_ns == 0
    box.limited = 1.0
    box.run(61)
    assert box.memory.limited_ns == ns_from_s(60.0)
    assert exceeded(box.memory, is_over=True).exceeded_ns == ns_from_s(1.0)
    assert exceeded(box.memory, is_over=False) is box.memory
    box.limited = 0.0
    box.run(5)
    assert box.memory.limited_ns == ns_from_s(61.0)
    assert exceeded(box.memory, is_over=True).exceeded_ns == 0


def test_each_cycle_under_a_limit_counts_and_one_that_took_no_time_changes_nothing():
    assert exceeded(OperatorMemory(spent_ns=1), is_over=True).exceeded_ns == 1
    for memory in (OperatorMemory(), OperatorMemory(spent_ns=0, exceeded_ns=7)):
        assert exceeded(memory, is_over=True) is memory


def test_a_clock_that_goes_back_takes_no_time_away():
    box = Box(beats=False)
    box.limited = 1.0
    box.run(10)
    box.time_ns -= ns_from_s(5.0)
    box.run(1)
    assert box.memory.limited_ns == ns_from_s(9.0)


@pytest.mark.parametrize("beats", [False, True])
@pytest.mark.parametrize("counts", [False, True])
def test_no_box_that_falls_silent_leaves_the_site_without_a_limit(beats, counts):
    box = Box(beats=beats, counts=counts)
    box.run(35)
    box.write(1.0, 500.0)
    assert box.run(31) is S.LIMITED
    box.readable = False
    box.run(140)
    assert (box.memory.state, box.holds_w) == (S.FAILSAFE, 3000.0)


class TwoContacts(Box):
    """Plain contacts in both directions; the one of production may break."""

    def __init__(self) -> None:
        super().__init__(beats=False, channel=PRODUCTION)

    def _tell(self, step_s: float) -> None:
        super()._tell(step_s)
        put(self.store, SITE, Signal.CONSUMPTION_LIMITED, 0.0, self.time_ns)


def test_a_broken_contact_is_failsafe_though_the_other_one_can_be_read():
    box = TwoContacts()
    assert box.run(5) is S.UNLIMITED
    box.readable = False
    assert box.run(20) is S.FAILSAFE
    assert box.holds_w == 3000.0
    box.readable = True
    assert box.run(2) is S.UNLIMITED


def test_a_contact_that_was_never_read_is_no_permission_after_hours():
    box = TwoContacts()
    box.readable = False
    assert box.run(121) is S.INIT
    assert box.run(1) is S.FAILSAFE
    box.run(8000, 10.0)
    assert box.holds_w == 3000.0
