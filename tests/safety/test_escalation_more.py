"""Five times in ten minutes, to the nanosecond."""

from holdfast.core.units import NS_PER_S
from holdfast.safety.escalation import TIMES, WITHIN_NS, EscalationMemory, escalate
from holdfast.safety.faults import Finding, Level, Reaction
from tests.builders import T0

FAULT = Finding(
    owner="battery", row="row", level=Level.ALARM, reaction=Reaction.RAMP_TO_ZERO, since_ns=T0,
    text="",
)  # fmt: skip


def came(times_ns):
    """Trips and memory after the fault came, and went, at each of these times."""
    memory = EscalationMemory()
    for time_ns in times_ns:
        trips, memory = escalate((FAULT,), memory, time_ns)
        last = trips
        _, memory = escalate((), memory, time_ns + 1)
    return last, memory


def test_it_is_five_times_in_ten_minutes():
    assert TIMES == 5
    assert WITHIN_NS == 10 * 60 * NS_PER_S


def test_the_trip_holds_since_the_fifth_time_and_says_which_fault_it_was():
    times_ns = [T0 + second * NS_PER_S for second in (0, 10, 20, 30, 40)]
    (trip,), _ = came(times_ns)
    assert (trip.owner, trip.row, trip.reaction) == ("battery", "repeated_fault", Reaction.TRIP)
    assert trip.since_ns == times_ns[-1]
    assert "battery/row" in trip.text


def test_a_sixth_time_does_not_move_the_beginning():
    times_ns = [T0 + second * NS_PER_S for second in (0, 10, 20, 30, 40, 50)]
    (trip,), _ = came(times_ns)
    assert trip.since_ns == times_ns[4]


def test_the_first_of_five_counts_for_exactly_ten_minutes():
    early = [T0, T0 + 10, T0 + 20, T0 + 30]
    assert came([*early, T0 + WITHIN_NS])[0]
    assert not came([*early, T0 + WITHIN_NS + 1])[0]


def test_while_nothing_happens_the_same_memory_is_handed_on():
    memory = EscalationMemory()
    trips, after = escalate((), memory, T0)
    assert trips == ()
    assert after is memory
