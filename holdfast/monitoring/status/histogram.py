"""This histogram costs next to nothing to feed."""

from bisect import bisect_left
from dataclasses import dataclass

BOUNDS_S = (
    50e-6, 100e-6, 200e-6, 300e-6, 500e-6, 1e-3, 2e-3, 5e-3, 10e-3, 20e-3, 50e-3, 100e-3,
)  # fmt: skip
"""These are the upper bounds of the buckets, in seconds; one more bucket takes the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistogramStatus:
    """Holds counts per bucket (not cumulated) and the sum of all durations."""

    counts: tuple[int, ...]
    sum_s: float
    max_s: float


class Histogram:
    """Counts durations. It is not shared between threads."""

    def __init__(self) -> None:
        self._counts = [0] * (len(BOUNDS_S) + 1)
        self._sum_s = 0.0
        self._max_s = 0.0

    def add(self, duration_s: float) -> None:
        """Counts one duration, in seconds."""
        self._counts[bisect_left(BOUNDS_S, duration_s)] += 1
        self._sum_s += duration_s
        self._max_s = max(self._max_s, duration_s)

    def status(self) -> HistogramStatus:
        """Returns what was counted so far."""
        return HistogramStatus(counts=tuple(self._counts), sum_s=self._sum_s, max_s=self._max_s)
