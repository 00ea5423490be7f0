"""Data age: every signal that a device provides must keep coming, and must be believable."""

from collections.abc import Collection, Mapping

from holdfast.core.ages import ALL_USUAL, USUAL, Ages, SiteAges
from holdfast.core.data_store import Snapshot
from holdfast.core.reading import MISSING, Bad, Good, Missing, Reading, Stale
from holdfast.core.signals import INFORMATIVE, SIGNALS, Producer, Signal
from holdfast.core.units import ns_from_s, s_from_ns
from holdfast.safety.faults import finding
from holdfast.safety.finding import DERATE_FACTOR, RAMP_TO_ZERO_NS, RAMP_TO_ZERO_S, Finding

Expected = Mapping[str, Collection[Signal]]
"""Names the signals that must come at all, by owner. Owners that are not in it, loads, are passed
over: no safety rests on them."""

COMMANDED = frozenset({Signal.SETPOINT_READBACK_W})
"""It shows what was commanded. Where nobody commands that is somebody else's, or nothing at all."""
_DERATED_NS = ns_from_s((1.0 - DERATE_FACTOR) * RAMP_TO_ZERO_S)
"""Old data are through this part of the ramp to zero when they are lost."""


class DataAge:
    """Finds, for each device, its worst reading. A device gives one finding, not one a signal."""

    def __init__(
        self, expected: Expected, ages: SiteAges = ALL_USUAL, *, observes: bool = False
    ) -> None:
        """``observes``: nothing is written to any device."""
        self._expected = expected
        self._ages = ages
        self._passed_over = INFORMATIVE | COMMANDED if observes else INFORMATIVE

    def assess(self, snapshot: Snapshot) -> tuple[Finding, ...]:
        """Returns the findings for every device whose data are old, lost or bad.

        What is expected must come; what has come once, expected or not, must keep coming.
        """
        now_ns = snapshot.time_ns
        worst: dict[tuple[str, Producer], Finding] = {}
        for owner, readings in snapshot.readings.items():
            if owner not in self._expected:
                continue
            ages = self._ages.get(owner, USUAL)
            old_ns = ages.old_ns
            for signal, reading in readings.items():
                if isinstance(reading, Good) and now_ns - reading.time_ns <= old_ns[signal]:
                    continue
                if signal in self._passed_over:
                    continue
                _keep_worst(worst, _finding(owner, signal, reading, now_ns, ages))
            for signal in self._expected[owner]:
                if signal not in readings:
                    _keep_worst(worst, _finding(owner, signal, MISSING, now_ns, ages))
        return tuple(found for _, found in sorted(worst.items()))


def _keep_worst(worst: dict[tuple[str, Producer], Finding], new: tuple[Producer, Finding]) -> None:
    producer, found = new
    before = worst.get((found.owner, producer))
    # Of two as strong, the one that has closed the envelope further: a signal that is lost later
    # must not open it again.
    if before is None or _weight(found) > _weight(before):
        worst[found.owner, producer] = found


def _weight(found: Finding) -> tuple[int, int]:
    return found.reaction, -found.since_ns


def _finding(
    owner: str, signal: Signal, reading: Reading, now_ns: int, ages: Ages
) -> tuple[Producer, Finding]:
    producer = SIGNALS[signal].producer
    match reading:
        case Good(time_ns=time_ns):
            row, since_ns = "data_old", time_ns + ages.old_ns[signal]
            detail = f"{signal} is {s_from_ns(now_ns - time_ns):.2f} s old"
        case Stale(time_ns=time_ns):
            # The ramp goes on from what old data have left: older data never permit more.
            row, since_ns = "data_lost", time_ns + ages.lost_ns[signal] - _DERATED_NS
            detail = f"{signal} is {s_from_ns(now_ns - time_ns):.1f} s old"
        case Bad(reason=reason, time_ns=time_ns):
            # At zero at once: a new bad sample every time must not start the ramp anew.
            row, since_ns = "data_bad", min(time_ns, now_ns) - RAMP_TO_ZERO_NS
            detail = f"{signal}: {reason}"
        case Missing():
            row, since_ns = "data_missing", now_ns - RAMP_TO_ZERO_NS
            detail = f"{signal} was never read"
    return producer, finding(row, owner, since_ns, detail, device=producer)
