"""Dynamic programming over piecewise linear value functions is exact, for one storage unit.

The value function of a slot is the lowest cost of it and all later ones against what is stored
before it. It is piecewise linear, though not convex where a slot's curve is not, and follows
from that of the next slot: V(s) = min over u of curve(u) + V'(s + u). At the minimum either u is
a convex corner of the curve or s + u is one of V', so V is the lower envelope of shifted copies
of both, which is computed without approximation.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from holdfast.optimization.problem import Array

_SAME_KWH = 1e-8
_SAME_COST = 1e-11
_END = np.array([True])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PiecewiseLinear:
    """A piecewise linear function has corners, ``x`` rising; it is infinite beyond its ends."""

    x: Array
    y: Array

    def at(self, x: Array) -> Array:
        """Returns its values."""
        inside = (x >= self.x[0] - _SAME_KWH) & (x <= self.x[-1] + _SAME_KWH)
        return np.where(inside, np.interp(x, self.x, self.y), np.inf)

    def plus(self, other: "PiecewiseLinear") -> "PiecewiseLinear":
        """Returns the sum, where both are finite."""
        if not other.y.any() and other.x[0] <= self.x[0] and self.x[-1] <= other.x[-1]:
            return self
        low, high = max(self.x[0], other.x[0]), min(self.x[-1], other.x[-1])
        x = np.unique(np.clip(np.concatenate([self.x, other.x]), low, high))
        return simplified(x, self.at(x) + other.at(x))

    def slope_at(self, x: float) -> float:
        """Returns the slope to the right of ``x``; at the right end that to the left of it."""
        if len(self.x) < 2:
            return 0.0
        right = min(max(int(np.searchsorted(self.x, x + _SAME_KWH)), 1), len(self.x) - 1)
        return float((self.y[right] - self.y[right - 1]) / (self.x[right] - self.x[right - 1]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Taper:
    """A battery that is nearly full takes a share of what is missing to an end, and no more."""

    share: float
    """It is above 0 and below 1."""
    end: float
    """It is above all that can be stored."""

    def most(self, stored: Array) -> Array:
        """Returns how much more may be stored where ``stored`` is in the battery."""
        return np.asarray(self.share * (self.end - stored))

    def before(self, stored: Array) -> Array:
        """Returns what is in the battery before a slot that ends with ``stored`` at the most."""
        return np.asarray((stored - self.share * self.end) / (1.0 - self.share))

    def where_most_is(self, gained: Array) -> Array:
        """Returns what is in the battery where it may gain that at the most."""
        return np.asarray(self.end - gained / self.share)


def simplified(x: Array, y: Array) -> PiecewiseLinear:
    """Returns a line without coinciding corners and corners that do not bend it."""
    far = np.concatenate([_END, x[1:] - x[:-1] > _SAME_KWH])
    x, y = x[far], y[far]
    if len(x) > 2:
        length, rise = x[1:] - x[:-1], y[1:] - y[:-1]
        # How far a corner is off the straight line between its neighbours, in money.
        off = (rise[1:] * length[:-1] - rise[:-1] * length[1:]) / (length[:-1] + length[1:])
        keep = np.concatenate([_END, np.abs(off) > _SAME_COST, _END])
        x, y = x[keep], y[keep]
    return PiecewiseLinear(x=x, y=y)


def earlier(
    curve: PiecewiseLinear,
    later: PiecewiseLinear,
    low: float,
    high: float,
    taper: Taper | None = None,
) -> PiecewiseLinear:
    """Returns V on [low, high] for V' = ``later``; empty where nothing in there leads to it.

    With a ``taper`` the best may also be as much as the battery takes, and nothing more is.
    """
    shifts, curve_y = _convex_corners(curve)
    targets, later_y = _convex_corners(later)
    low = max(low, float(later.x[0] - curve.x[-1]))
    high = min(high, float(later.x[-1] - curve.x[0]))
    places: list[Array] = [
        np.array([low, high]),
        (later.x[:, None] - shifts).ravel(),
        (targets[:, None] - curve.x).ravel(),
    ]
    if taper is not None:
        places += [taper.where_most_is(curve.x), taper.before(later.x)]
    x = np.unique(np.minimum(np.maximum(np.concatenate(places), low), high))
    # One row for each function, which is straight between two neighbours of x.
    values = np.concatenate(
        [
            curve_y[:, None] + later.at(x + shifts[:, None]),
            later_y[:, None] + curve.at(targets[:, None] - x),
        ]
    )
    if taper is not None:
        most = taper.most(x)
        steps = np.concatenate(
            [np.broadcast_to(shifts[:, None], (len(shifts), len(x))), targets[:, None] - x]
        )
        values = np.where(steps <= most + _SAME_KWH, values, np.inf)
        values = np.concatenate([values, (curve.at(most) + later.at(x + most))[None]])
    return simplified(*_with_bends(x, values))


def _with_bends(x: Array, values: Array) -> tuple[Array, Array]:
    """Returns the lower envelope of ``values``: x and y.

    It has corners in x wherever another row takes over.
    """
    y = values.min(axis=0)
    middle = (values[:, :-1] + values[:, 1:]).min(axis=0) / 2.0
    # In the middle the lowest of straight lines lies on the chord, or two of them cross.
    spans = np.flatnonzero(middle > (y[:-1] + y[1:]) / 2.0 + _SAME_COST / 4.0)
    if not len(spans):
        return x, y
    where, more_x, more_y = [], [], []
    for span in spans.tolist():
        for share, cost in _bends(values[:, span], values[:, span + 1]):
            at = x[span] + (x[span + 1] - x[span]) * share
            if at - x[span] > _SAME_KWH and x[span + 1] - at > _SAME_KWH:
                where.append(span + 1)
                more_x.append(at)
                more_y.append(cost)
    return np.insert(x, where, more_x), np.insert(y, where, more_y)


def _bends(left: Array, right: Array) -> Iterator[tuple[float, float]]:
    """Tells where from 0 to 1 the lowest of straight lines changes, and what it is there.

    ``left`` and ``right`` are the lines' values at 0 and 1, infinite for those that are not there.
    """
    there = np.isfinite(left) & np.isfinite(right)
    start, rise = left[there], right[there] - left[there]
    if not len(start):
        return
    now = np.lexsort((rise, start))[0]
    while True:
        falls = np.flatnonzero(rise < rise[now] - _SAME_COST)
        share = (start[falls] - start[now]) / (rise[now] - rise[falls])
        if not len(falls) or share.min() >= 1.0:
            return
        first = share.argmin()
        now = falls[first]
        yield float(share[first]), float(start[now] + rise[now] * share[first])


def best_step(
    curve: PiecewiseLinear, later: PiecewiseLinear, stored: float, taper: Taper | None = None
) -> float:
    """Returns the change in stored energy that is best where ``stored`` is in the battery."""
    most = curve.x[-1]
    if taper is not None:
        most = max(min(most, float(taper.most(np.array(stored)))), curve.x[0])
    steps = np.concatenate([curve.x, later.x - stored])
    steps = np.clip(steps, curve.x[0], most)
    costs = curve.at(steps) + later.at(stored + steps)
    # Among equals the smallest movement.
    best = np.flatnonzero(costs <= costs.min() + _SAME_COST)
    return float(steps[best[np.abs(steps[best]).argmin()]])


def _convex_corners(line: PiecewiseLinear) -> tuple[Array, Array]:
    """Returns the corners at which a minimum can be: the ends, and where the slope rises."""
    if len(line.x) < 3:
        return line.x, line.y
    slope = (line.y[1:] - line.y[:-1]) / (line.x[1:] - line.x[:-1])
    keep = np.concatenate([_END, slope[1:] > slope[:-1], _END])
    return line.x[keep], line.y[keep]
