"""Exact dynamic programming over piecewise linear value functions, for one storage unit.

The value function of a slot is the lowest cost of it and all later ones against what is stored
before it. It is piecewise linear, though not convex where a slot's curve is not, and follows
from that of the next slot: V(s) = min over u of curve(u) + V'(s + u). At the minimum either u is
a convex corner of the curve or s + u is one of V', so V is the lower envelope of shifted copies
of both, which is computed without approximation.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holdfast.optimization.problem import Array

_SAME_KWH = 1e-8
_SAME_COST = 1e-11


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Line:
    """A piecewise linear function by its corners, ``x`` rising; infinite beyond its ends."""

    x: Array
    y: Array

    def at(self, x: Array) -> Array:
        """Its values."""
        inside = (x >= self.x[0] - _SAME_KWH) & (x <= self.x[-1] + _SAME_KWH)
        return np.where(inside, np.interp(x, self.x, self.y), np.inf)

    def plus(self, other: "Line") -> "Line":
        """The sum, where both are finite."""
        low, high = max(self.x[0], other.x[0]), min(self.x[-1], other.x[-1])
        x = np.unique(np.clip(np.concatenate([self.x, other.x]), low, high))
        return simplified(x, self.at(x) + other.at(x))

    def slope_at(self, x: float) -> float:
        """Slope to the right of ``x``; at the right end that to the left of it."""
        if len(self.x) < 2:
            return 0.0
        right = min(max(int(np.searchsorted(self.x, x + _SAME_KWH)), 1), len(self.x) - 1)
        return float((self.y[right] - self.y[right - 1]) / (self.x[right] - self.x[right - 1]))


def simplified(x: Array, y: Array) -> Line:
    """A line without coinciding corners and corners that do not bend it."""
    far = np.concatenate([[True], np.diff(x) > _SAME_KWH])
    x, y = x[far], y[far]
    if len(x) > 2:
        length, rise = np.diff(x), np.diff(y)
        # How far a corner is off the straight line between its neighbours, in money.
        off = (rise[1:] * length[:-1] - rise[:-1] * length[1:]) / (length[:-1] + length[1:])
        keep = np.concatenate([[True], np.abs(off) > _SAME_COST, [True]])
        x, y = x[keep], y[keep]
    return Line(x=x, y=y)


def earlier(curve: Line, later: Line, low: float, high: float) -> Line:
    """V on [low, high] for V' = ``later``; empty where nothing of [low, high] leads there."""
    shifts, curve_y = _convex_corners(curve)
    targets, later_y = _convex_corners(later)
    low = max(low, float(later.x[0] - curve.x[-1]))
    high = min(high, float(later.x[-1] - curve.x[0]))
    x = np.concatenate(
        [[low, high], (later.x[:, None] - shifts).ravel(), (targets[:, None] - curve.x).ravel()]
    )
    x = np.unique(np.clip(x, low, high))
    for _ in range(4):
        values = np.concatenate(
            [
                curve_y[:, None] + later.at(x + shifts[:, None]),
                later_y[:, None] + curve.at(targets[:, None] - x),
            ]
        )
        crossings = _crossings(x, values)
        if not len(crossings):
            break
        x = np.unique(np.concatenate([x, crossings]))
    return simplified(x, values.min(axis=0))


def best_step(curve: Line, later: Line, stored: float) -> float:
    """The change in stored energy that is best where ``stored`` is in the battery."""
    steps = np.concatenate([curve.x, later.x - stored])
    steps = np.clip(steps, curve.x[0], curve.x[-1])
    costs = curve.at(steps) + later.at(stored + steps)
    # Among equals the smallest movement.
    best = np.flatnonzero(costs <= costs.min() + _SAME_COST)
    return float(steps[best[np.abs(steps[best]).argmin()]])


def _convex_corners(line: Line) -> tuple[Array, Array]:
    """The corners at which a minimum can be: the ends, and where the slope rises."""
    if len(line.x) < 3:
        return line.x, line.y
    slope = np.diff(line.y) / np.diff(line.x)
    keep = np.concatenate([[True], np.diff(slope) > 0.0, [True]])
    return line.x[keep], line.y[keep]


def _crossings(x: Array, values: Array) -> Array:
    """Where, between two neighbours of ``x``, the lowest of the functions changes."""
    left, right = values[:, :-1], values[:, 1:]
    there = np.isfinite(left) & np.isfinite(right)
    left, right = np.where(there, left, np.inf), np.where(there, right, np.inf)
    at_left = _argmin(left, right)
    at_right = _argmin(right, left)
    spans = np.flatnonzero(at_left != at_right)
    p, q = at_left[spans], at_right[spans]
    gap_left = left[q, spans] - left[p, spans]
    gap_right = right[p, spans] - right[q, spans]
    crosses = (gap_left > _SAME_COST) & (gap_right > _SAME_COST)
    spans, gap_left, gap_right = spans[crosses], gap_left[crosses], gap_right[crosses]
    width = x[spans + 1] - x[spans]
    at = x[spans] + width * gap_left / (gap_left + gap_right)
    inner = (at - x[spans] > _SAME_KWH) & (x[spans + 1] - at > _SAME_KWH)
    return np.asarray(at[inner])


def _argmin(first: Array, second: Array) -> NDArray[np.intp]:
    """Row with the lowest ``first``; among equals the one with the lowest ``second``."""
    lowest = first.min(axis=0)
    tied = np.where(first <= lowest + _SAME_COST, second, np.inf)
    return np.asarray(tied.argmin(axis=0))
