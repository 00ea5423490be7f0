"""Data age: every signal that a device provides must keep coming, and must be believable."""

from collections.abc import Collection, Mapping

from holdfast.core.data_store import Snapshot
from holdfast.core.reading import Bad, Good, Missing, Reading, Stale
from holdfast.core.signals import SIGNALS, Producer, Signal
from holdfast.core.units import s_from_ns
from holdfast.safety.faults import Finding, finding

Expected = Mapping[str, Collection[Signal]]
"""The signals that must keep coming, by owner."""


class DataAge:
    """Finds, for each device, its worst reading. One finding a device, not one a signal."""

    def __init__(self, expected: Expected) -> None:
        self._devices = [
            (owner, producer, rows)
            for owner, signals in expected.items()
            for producer in Producer
            if (
                rows := tuple(
                    (signal, SIGNALS[signal].max_age_ns // 2, SIGNALS[signal].max_age_ns)
                    for signal in signals
                    if SIGNALS[signal].producer is producer
                )
            )
        ]

    def assess(self, snapshot: Snapshot) -> tuple[Finding, ...]:
        """Findings for every device whose data are old, lost or bad."""
        now_ns = snapshot.time_ns
        findings = []
        for owner, producer, rows in self._devices:
            readings = snapshot.readings[owner]
            found: Finding | None = None
            for signal, half_age_ns, max_age_ns in rows:
                reading = readings.get(signal)
                if isinstance(reading, Good) and now_ns - reading.time_ns <= half_age_ns:
                    continue
                new = _finding(owner, producer, signal, reading or Missing(), max_age_ns, now_ns)
                if found is None or new.reaction > found.reaction:
                    found = new
            if found is not None:
                findings.append(found)
        return tuple(findings)


def _finding(
    owner: str, producer: Producer, signal: Signal, reading: Reading, max_age_ns: int, now_ns: int
) -> Finding:
    match reading:
        case Good(time_ns=time_ns):
            row, since_ns = "data_old", time_ns + max_age_ns // 2
            detail = f"{signal} is {s_from_ns(now_ns - time_ns):.2f} s old"
        case Stale(time_ns=time_ns):
            row, since_ns = "data_lost", time_ns + max_age_ns
            detail = f"{signal} is {s_from_ns(now_ns - time_ns):.1f} s old"
        case Bad(reason=reason, time_ns=time_ns):
            row, since_ns = "data_bad", min(time_ns, now_ns)
            detail = f"{signal}: {reason}"
        case Missing():
            row, since_ns, detail = "data_lost", 0, f"{signal} was never read"
    return finding(row, owner, since_ns, detail, device=producer)
