"""This module counts a loop's cycles and missed deadlines, and how long and how late it ran."""

import time

from holdfast.core.units import s_from_ns
from holdfast.monitoring.status.histogram import Histogram
from holdfast.monitoring.status.schema import LoopStatus


class LoopTimes:
    """Tells what the loop does with its time."""

    def __init__(self, period_s: float, *, real_time: bool) -> None:
        self._period_s = period_s
        self._real_time = real_time
        self._cycles = self._missed = 0
        self._cycle_s, self._lateness_s = Histogram(), Histogram()

    def woke(self, deadline_ns: int, missed: int) -> None:
        """Counts a wake-up now, for ``deadline_ns``, and the ``missed`` deadlines before it."""
        self._lateness_s.add(s_from_ns(time.monotonic_ns() - deadline_ns))
        self._missed += missed

    def ran(self, duration_ns: int) -> None:
        """Counts a completed cycle."""
        self._cycles += 1
        self._cycle_s.add(s_from_ns(duration_ns))

    def status(self) -> LoopStatus:
        """Returns what was counted so far."""
        return LoopStatus(
            period_s=self._period_s,
            cycles=self._cycles,
            missed=self._missed,
            real_time=self._real_time,
            cycle=self._cycle_s.status(),
            lateness=self._lateness_s.status(),
        )
