"""The quarter-hour guard: what an interval of the meter's clock may still import.

A meter that bills peaks adds up what is imported from one quarter hour to the next. So it is no
mean of the last fifteen minutes that counts, but a budget: the limit for the whole interval, less
what was counted since it began, over the time that is left. Whoever imports no more than that now
keeps the mean whatever was before; whoever imports less may import more later.

A battery cannot take back what was imported, and cannot carry more than its power: so charging,
which could wait, leaves room for the highest load of the last day, as far as the batteries could
not carry it.
"""

import math
from dataclasses import dataclass

from holdfast.core.config import Grid
from holdfast.core.units import NS_PER_S, s_from_ns

AIM = 0.99
"""It is steered for this share of a limit: meter, clock and battery are each a little late."""
LEAST_LEFT_S = 10.0
"""What is left of an interval counts as so long at least: what a late meter shows in the last
seconds must not be made good in one."""
CLOCK_STEP_NS = 2 * NS_PER_S
"""A clock that moved by this much against the monotonic one was set."""
CATCH_UP_S = 60.0
"""Within so long charging that spared too little room gives way."""
PEAK_LASTS_S = 86_400.0
"""The highest load is forgotten by a third in so long."""
_S_PER_H = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalMemory:
    """Holds what was counted of the present interval."""

    index: int
    """The number of the interval since 1970."""
    counted_wh: float
    """Was imported, as the meter showed it."""
    uncounted_s: float
    """For so long nobody saw the meter: it is taken to have been at the limit."""
    utc_ns: int
    time_ns: int
    peak_w: float = 0.0
    """The highest load that was seen lately."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportAllowance:
    """Tells what may be imported now, so that the mean of the interval stays within its limit."""

    limit_w: float
    import_w: float
    """Keeps the mean, if it is imported until the end."""
    charging_w: float
    """Charging may bring the import up to this: the rest is kept for a load that may come."""
    left_s: float
    interval_s: float
    used_wh: float
    """Of the budget, so far."""

    def missing_wh(self, import_w: float) -> float:
        """Returns how much too much the interval will have, if so much is imported until its end;
        below zero: how much is left."""
        budget_wh = self.limit_w * self.interval_s / _S_PER_H
        return self.used_wh + import_w * self.left_s / _S_PER_H - budget_wh


class MeanImport:
    """Counts the intervals of one site. Holds no state."""

    def __init__(self, grid: Grid) -> None:
        self._interval_ns = grid.interval_min * 60 * NS_PER_S
        self._interval_s = s_from_ns(self._interval_ns)

    def count(
        self,
        memory: IntervalMemory | None,
        *,
        utc_ns: int | None,
        time_ns: int,
        import_w: float | None,
        load_w: float,
    ) -> IntervalMemory | None:
        """Returns the memory with what was imported since the last cycle.

        ``import_w`` is what the meter shows, None if it cannot be read. Without a clock nothing is
        counted. Where it begins within an interval, or the clock was set, what was before is not
        known.
        """
        if utc_ns is None:
            return None
        index, elapsed_ns = divmod(utc_ns, self._interval_ns)
        if memory is None or _was_set(memory, utc_ns, time_ns):
            peak_w = load_w if memory is None else memory.peak_w
            return IntervalMemory(
                index=index,
                counted_wh=0.0,
                uncounted_s=s_from_ns(elapsed_ns),
                utc_ns=utc_ns,
                time_ns=time_ns,
                peak_w=max(load_w, peak_w),
            )
        since_s = s_from_ns(time_ns - memory.time_ns)
        faded = 1.0 - min(since_s / PEAK_LASTS_S / 3.0, 1.0)
        counted_wh, uncounted_s = memory.counted_wh, memory.uncounted_s
        if index != memory.index:
            counted_wh = uncounted_s = 0.0
            since_s = min(since_s, s_from_ns(elapsed_ns))
        if import_w is None:
            uncounted_s += since_s
        else:
            counted_wh += import_w * since_s / _S_PER_H
        return IntervalMemory(
            index=index,
            counted_wh=counted_wh,
            uncounted_s=uncounted_s,
            utc_ns=utc_ns,
            time_ns=time_ns,
            peak_w=max(load_w, memory.peak_w * faded),
        )

    def left_s(self, memory: IntervalMemory | None) -> float:
        """Returns the rest of the interval; all of it where nobody knows the time."""
        if memory is None:
            return self._interval_s
        return s_from_ns(self._interval_ns - memory.utc_ns % self._interval_ns)

    def allowance(
        self, memory: IntervalMemory | None, limit_w: float, deliverable_w: float
    ) -> ImportAllowance:
        """Returns what ``limit_w`` leaves now, to batteries that can deliver ``deliverable_w``
        until the end. Without a clock it is the limit at any time: then each interval keeps it."""
        aim_w, left_s = AIM * limit_w, self.left_s(memory)
        passed_wh = aim_w * (self._interval_s - left_s) / _S_PER_H
        used_wh, import_w, charging_w = passed_wh, aim_w, aim_w
        if memory is not None:
            used_wh = memory.counted_wh + aim_w * memory.uncounted_s / _S_PER_H
            ahead_w = (passed_wh - used_wh) * _S_PER_H / max(left_s, LEAST_LEFT_S)
            import_w = max(aim_w + ahead_w, 0.0)
            through_w = memory.peak_w - deliverable_w
            charging_w = min(import_w, self._for_charging_w(aim_w, used_wh, left_s, through_w))
        return ImportAllowance(
            limit_w=limit_w,
            import_w=import_w,
            charging_w=charging_w,
            left_s=left_s,
            interval_s=self._interval_s,
            used_wh=used_wh,
        )

    def _for_charging_w(
        self, aim_w: float, used_wh: float, left_s: float, through_w: float
    ) -> float:
        """Returns the import up to which charging leaves room for the highest load.

        If that came now, the batteries would leave ``through_w`` of it to the grid until the end.
        """
        if through_w <= aim_w:
            return math.inf
        spare_wh = (aim_w * self._interval_s - through_w * left_s) / _S_PER_H - used_wh
        return through_w + spare_wh * _S_PER_H / CATCH_UP_S


def _was_set(memory: IntervalMemory, utc_ns: int, time_ns: int) -> bool:
    by_ns = (utc_ns - memory.utc_ns) - (time_ns - memory.time_ns)
    return abs(by_ns) > CLOCK_STEP_NS or time_ns < memory.time_ns
