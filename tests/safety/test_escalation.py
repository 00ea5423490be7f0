"""A fault that keeps coming back trips, whatever each single one would have done."""

from holdfast.core.units import NS_PER_S
from holdfast.safety.escalation import TIMES, WITHIN_NS, EscalationMemory, escalate
from holdfast.safety.faults import Finding, Level, Reaction
from tests.builders import T0, UNIT


def found(reaction=Reaction.RAMP_TO_ZERO, row="inverter_fault"):
    return Finding(owner=UNIT, row=row, level=Level.ALARM, reaction=reaction, since_ns=T0, text="x")


def times(count, every_s=10.0, reaction=Reaction.RAMP_TO_ZERO, memory=None, start_ns=T0):
    """The trips after ``count`` comings and goings, and the memory."""
    memory, now_ns, trips = memory or EscalationMemory(), start_ns, ()
    for _ in range(count):
        trips, memory = escalate((found(reaction),), memory, now_ns)
        _, memory = escalate((), memory, now_ns + NS_PER_S)
        now_ns += round(every_s * NS_PER_S)
    return trips, memory


def test_five_times_in_ten_minutes_trip_and_four_do_not():
    assert times(TIMES - 1)[0] == ()
    (trip,) = times(TIMES)[0]
    assert (trip.row, trip.owner, trip.reaction) == ("repeated_fault", UNIT, Reaction.TRIP)
    assert "inverter_fault came 5 times" in trip.text


def test_a_fault_that_lasts_counts_once():
    memory = EscalationMemory()
    for step in range(100):
        trips, memory = escalate((found(),), memory, T0 + step * NS_PER_S)
        assert trips == ()


def test_slower_than_that_never_trips():
    assert times(20, every_s=WITHIN_NS / NS_PER_S / (TIMES - 1) + 1)[0] == ()


def test_what_does_not_take_the_power_to_zero_does_not_count():
    assert times(20, reaction=Reaction.DERATE)[0] == ()
    assert times(20, reaction=Reaction.BLOCK_CHARGE)[0] == ()


def test_different_faults_count_apart():
    memory = EscalationMemory()
    for step in range(TIMES - 1):
        for row in ("a", "b"):
            now_ns = T0 + step * NS_PER_S
            trips, memory = escalate((found(row=row),), memory, now_ns)
            assert trips == ()
            _, memory = escalate((), memory, now_ns)


def test_the_trip_ends_once_the_oldest_is_long_ago_and_memory_is_given_back():
    _, memory = times(TIMES)
    later_ns = T0 + WITHIN_NS + NS_PER_S
    trips, memory = escalate((), memory, later_ns)
    assert trips == ()
    _, memory = escalate((), memory, later_ns + WITHIN_NS)
    assert memory.began_ns == {}
