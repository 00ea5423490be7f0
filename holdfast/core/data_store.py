"""The process image: devices write the next one, a cycle freezes it and reads only that."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from holdfast.core.reading import MISSING, Bad, Good, Reading, Sample, Stale
from holdfast.core.signals import SIGNALS, SITE, Producer, Signal

Image = Mapping[str, Mapping[Signal, Sample]]
"""Last sample of each signal, by owner (the site, a storage unit, or a load)."""

Listener = Callable[[str, Signal, Sample], None]

_MAX_AGE_NS = {signal: row.max_age_ns for signal, row in SIGNALS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One frozen process image: everything in a cycle reads this and nothing else."""

    time_ns: int
    readings: Mapping[str, Mapping[Signal, Reading]]

    def read(self, owner: str, signal: Signal) -> Reading:
        """Reading of ``signal`` at ``owner``; Missing where nothing was ever written."""
        return self.readings[owner].get(signal, MISSING)

    def good(self, owner: str, signal: Signal) -> float | None:
        """Value of a good reading; None for one that is stale, bad or missing."""
        reading = self.readings[owner].get(signal)
        return reading.value if isinstance(reading, Good) else None


def freeze(image: Image, now_ns: int) -> Snapshot:
    """Judge every sample of ``image`` at ``now_ns`` (monotonic)."""
    return Snapshot(
        time_ns=now_ns,
        readings={owner: _judge(samples, now_ns) for owner, samples in image.items()},
    )


def _judge(samples: Mapping[Signal, Sample], now_ns: int) -> dict[Signal, Reading]:
    readings: dict[Signal, Reading] = dict(samples)
    for signal, sample in samples.items():
        if 0 <= now_ns - sample.time_ns <= _MAX_AGE_NS[signal]:
            continue
        if now_ns < sample.time_ns:
            readings[signal] = Bad(reason="comes from the future", time_ns=sample.time_ns)
        elif isinstance(sample, Good):
            readings[signal] = Stale(value=sample.value, time_ns=sample.time_ns)
    return readings


class DataStore:
    """Holds the next process image. One producer per signal; no clock, no lock."""

    def __init__(self, units: tuple[str, ...], loads: tuple[str, ...] = ()) -> None:
        """``loads``: names of the loads and rooms that are switched."""
        owners = (SITE, *units, *loads)
        self._image: dict[str, dict[Signal, Sample]] = {owner: {} for owner in owners}
        self._loads = frozenset(loads)
        self._listeners: list[Listener] = []

    def put(
        self, producer: Producer, owner: str, signal: Signal, value: float, time_ns: int
    ) -> None:
        """Write a sample, taken at ``time_ns`` (monotonic).

        A value that is not finite or not plausible is kept as Bad. A sample older than
        the present one is dropped: a late answer never replaces a fresh one.

        Raises ValueError if ``producer`` may not write this signal at this owner.
        """
        row = SIGNALS[signal]
        if row.producer is not producer:
            raise ValueError(f"{signal} is produced by {row.producer}, not by {producer}")
        if row.of_site != (owner == SITE) or row.of_load != (owner in self._loads):
            raise ValueError(f"{signal} does not belong to {owner!r}")
        samples = self._image[owner]
        previous = samples.get(signal)
        if previous is not None and time_ns < previous.time_ns:
            return
        sample: Sample
        if math.isfinite(value) and row.low <= value <= row.high:
            sample = Good(value=value, time_ns=time_ns)
        else:
            sample = Bad(
                reason=f"{value:g} {row.unit} is not within {row.low:g} to {row.high:g}",
                time_ns=time_ns,
            )
        samples[signal] = sample
        if _differs(previous, sample):
            for listener in self._listeners:
                listener(owner, signal, sample)

    def on_change(self, listener: Listener) -> None:
        """Call ``listener(owner, signal, sample)`` whenever a value or its quality changes."""
        self._listeners.append(listener)

    def image(self) -> Image:
        """A copy of the image that later writes do not touch."""
        return {owner: samples.copy() for owner, samples in self._image.items()}


def _differs(before: Sample | None, after: Sample) -> bool:
    match before, after:
        case Good(value=old), Good(value=new):
            return old != new
        case Bad(), Bad():
            return False
        case _:
            return True
