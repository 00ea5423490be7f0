"""The past of a power: what it was in the seconds that a late meter or slow device still shows."""

from bisect import bisect_left

from holdfast.core.units import NS_PER_S

PAST_NS = 10 * NS_PER_S
"""No meter that control follows is later than this (assumption)."""
ENTRIES = 100
"""More of them would cost time and tell nothing."""

Past = tuple[tuple[int, float], ...]
"""Holds (time, power in W), the oldest first."""


def noted(past: Past, time_ns: int, power_w: float, kept_ns: int = PAST_NS) -> Past:
    """Returns ``past`` with a newer entry, and without what is older than ``kept_ns``.

    The newest is always kept as it is; a sample that was there already changes nothing.

    >>> noted(((0, 1.0), (1, 2.0)), 2, 3.0)
    ((0, 1.0), (2, 3.0))
    """
    if not past:
        return ((time_ns, power_w),)
    newest = (time_ns, power_w)
    if time_ns < past[-1][0] or newest == past[-1]:
        return past
    if time_ns == past[-1][0]:
        return (*past[:-1], newest)
    is_close = len(past) > 1 and (past[-1][0] - past[-2][0]) * ENTRIES < kept_ns
    kept = past[:-1] if is_close else past
    if len(kept) > 1 and kept[1][0] <= time_ns - kept_ns:
        kept = kept[1:]
    return (*kept, newest)


def power_at(past: Past, time_ns: int) -> float:
    """Returns the power at ``time_ns``, W, between two entries on the line from one to the other.

    Before the first entry it was that, since the last it is that.

    >>> power_at(((10, 100.0), (20, 300.0)), 15)
    200.0
    """
    later = bisect_left(past, (time_ns,))
    if later == len(past):
        return past[-1][1]
    after_ns, after_w = past[later]
    if later == 0:
        return after_w
    before_ns, before_w = past[later - 1]
    return before_w + (after_w - before_w) * ((time_ns - before_ns) / (after_ns - before_ns))


def powers_between(past: Past, from_ns: int, to_ns: int) -> tuple[float, float]:
    """Returns the least and the most, W, from ``from_ns`` to ``to_ns``, both included.

    >>> powers_between(((10, 100.0), (20, 900.0), (30, 300.0)), 15, 25)
    (500.0, 900.0)
    """
    ends = (power_at(past, from_ns), power_at(past, to_ns))
    inside = past[bisect_left(past, (from_ns,)) : bisect_left(past, (to_ns,))]
    powers_w = [*ends, *(power_w for _, power_w in inside)]
    return min(powers_w), max(powers_w)
