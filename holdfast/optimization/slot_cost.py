"""What a slot costs as a function of what the battery does in it: piecewise linear, and exact.

All that a slot knows (prices, load, PV, grid limits, curtailment, losses, wear) goes into one
curve of cost against the change in stored energy. Whatever is either-or (charge or discharge,
import or export, curtail or not) is decided inside the curve. Where the curve is convex the
linear program over its pieces is exact; where it is not, its lower convex hull is the tightest
relaxation there is for a slot.
"""

from dataclasses import dataclass

import numpy as np

from holdfast.optimization.problem import Array, PlanProblem

LATER_COST_PER_KWH = 3e-10
"""Per slot of delay: among equals the earlier slot wins, so that answers do not jump.
A little above the solver's tolerance for (scaled) costs, or it would not count."""
_WEEK_SLOTS = 672


_SHORTEST_KWH = 1e-12
_SAME_SLOPE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curves:
    """The curve of each slot, by its corners in rising order. Shapes (corners, slots)."""

    gained_kwh: Array
    """Change in stored energy; corners may coincide."""
    cost: Array

    def cost_at(self, gained_kwh: Array) -> Array:
        """Cost of each slot, shape (slots,); beyond the ends that of the end."""
        x, y = self.gained_kwh, self.cost
        right = np.clip((x <= gained_kwh).sum(axis=0), 1, len(x) - 1)
        slots = np.arange(x.shape[1])
        x0, x1 = x[right - 1, slots], x[right, slots]
        y0, y1 = y[right - 1, slots], y[right, slots]
        wide = x1 - x0
        share = np.where(wide > 0.0, (gained_kwh - x0) / np.where(wide > 0.0, wide, 1.0), 0.0)
        return np.asarray(y0 + np.clip(share, 0.0, 1.0) * (y1 - y0))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GridExchange:
    """What crosses the meter in a slot, in kWh, and what it costs. Equal shapes."""

    grid_kwh: Array
    """+ import, after curtailment."""
    curtailed_kwh: Array
    cost: Array
    """In money alone."""
    penalty: Array
    """For what is beyond a grid limit."""


def build_curves(problem: PlanProblem) -> Curves:
    """The curves of ``problem``, without what a stored kWh is worth at the end."""
    least, most = _reach_kwh(problem)
    corners = np.stack([least, np.zeros(problem.slots), most, *_grid_corners(problem)])
    through_kwh = np.sort(np.clip(corners, least, most), axis=0)
    exchange = exchange_at(problem, through_kwh)
    delivered_kwh = np.maximum(-through_kwh, 0.0)
    wear = problem.battery.wear_cost_per_kwh * delivered_kwh
    cost = exchange.cost + exchange.penalty + wear
    return Curves(
        gained_kwh=gained_kwh(problem, through_kwh),
        cost=cost + _later(problem) * np.abs(through_kwh),
    )


def _reach_kwh(problem: PlanProblem) -> tuple[Array, Array]:
    """Least and most AC energy of the battery: it never takes the site beyond a grid limit."""
    battery, hours = problem.battery, problem.dt_h / 1e3
    sheddable_w = problem.pv_w if problem.pv_curtailable else 0.0
    least_w = -problem.export_max_w - problem.net_load_w - sheddable_w
    most_w = problem.import_max_w - problem.net_load_w
    least_w = np.clip(least_w, -battery.discharge_max_w, 0.0)
    most_w = np.clip(most_w, 0.0, battery.charge_max_w)
    if problem.least_w is not None:
        least_w = np.clip(problem.least_w, least_w, 0.0)
    if problem.most_w is not None:
        most_w = np.clip(problem.most_w, 0.0, most_w)
    return least_w * hours, most_w * hours


def preference_limit(problem: PlanProblem) -> float:
    """The most that the preference for earlier slots adds to the cost of an answer."""
    battery = problem.battery
    most_kwh = max(battery.charge_max_w, battery.discharge_max_w) * problem.dt_h / 1e3
    return float(_later(problem) @ most_kwh)


def _later(problem: PlanProblem) -> Array:
    # After a week of quarter hours it rises no more: over a year it would be worth cents a kWh.
    later = np.minimum(np.arange(problem.slots), _WEEK_SLOTS)
    return np.asarray(LATER_COST_PER_KWH * later, dtype=np.float64)


def gained_kwh(problem: PlanProblem, through_kwh: Array) -> Array:
    """Change in stored energy for the AC energy ``through_kwh`` (+ charging)."""
    battery = problem.battery
    factor = np.where(
        through_kwh > 0.0, battery.charge_efficiency, 1 / battery.discharge_efficiency
    )
    return np.asarray(through_kwh * factor)


def through_kwh(problem: PlanProblem, gained_kwh: Array) -> Array:
    """AC energy (+ charging) for a change in stored energy."""
    battery = problem.battery
    factor = np.where(gained_kwh > 0.0, 1 / battery.charge_efficiency, battery.discharge_efficiency)
    return np.asarray(gained_kwh * factor)


def exchange_at(problem: PlanProblem, through_kwh: Array) -> GridExchange:
    """The best exchange with the grid while the battery takes ``through_kwh``.

    ``through_kwh`` has shape (slots,) or (n, slots). PV that may be curtailed is, where that
    pays, as far as there is surplus; other PV is lost only where it finds no way out.
    """
    hours = problem.dt_h / 1e3
    uncurtailed = problem.net_load_w * hours + through_kwh
    if not problem.pv_curtailable:
        return _exchange(problem, uncurtailed, np.zeros_like(uncurtailed))
    pv_kwh = problem.pv_w * hours
    grid_min = -problem.export_max_w * hours
    candidates = [
        _exchange(problem, uncurtailed, np.clip(curtailed, 0.0, pv_kwh))
        for curtailed in (
            np.zeros_like(uncurtailed),
            grid_min - uncurtailed,
            -uncurtailed,
        )
    ]
    costs = np.stack([candidate.cost + candidate.penalty for candidate in candidates])
    # A tie is for curtailing less: the candidates are in that order, but for rounding.
    best = (costs <= costs.min(axis=0) + 1e-12).argmax(axis=0)[None]

    def chosen(name: str) -> Array:
        values = np.stack([getattr(candidate, name) for candidate in candidates])
        return np.asarray(np.take_along_axis(values, best, axis=0)[0])

    return GridExchange(
        grid_kwh=chosen("grid_kwh"),
        curtailed_kwh=chosen("curtailed_kwh"),
        cost=chosen("cost"),
        penalty=chosen("penalty"),
    )


def _exchange(problem: PlanProblem, uncurtailed_kwh: Array, curtailed_kwh: Array) -> GridExchange:
    hours = problem.dt_h / 1e3
    wanted = uncurtailed_kwh + curtailed_kwh
    # What the grid may not take finds no way out, and is lost.
    grid_kwh = np.maximum(wanted, -problem.export_max_w * hours)
    lost_kwh = grid_kwh - wanted
    over_kwh = np.maximum(grid_kwh - problem.import_max_w * hours, 0.0)
    price = np.where(grid_kwh > 0.0, problem.import_price_per_kwh, problem.export_price_per_kwh)
    return GridExchange(
        grid_kwh=grid_kwh,
        curtailed_kwh=curtailed_kwh + lost_kwh,
        cost=price * grid_kwh,
        penalty=problem.penalty_per_kwh * (over_kwh + lost_kwh),
    )


def _grid_corners(problem: PlanProblem) -> list[Array]:
    """AC energies of the battery at which the cost of the grid exchange bends."""
    hours = problem.dt_h / 1e3
    net_kwh, pv_kwh = problem.net_load_w * hours, problem.pv_w * hours
    outwards = (-problem.export_max_w * hours, np.zeros(problem.slots))
    corners = [limit - net_kwh for limit in (*outwards, problem.import_max_w * hours)]
    if problem.pv_curtailable:
        corners += [limit - net_kwh - pv_kwh for limit in outwards]
    return corners


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pieces:
    """The lower convex hull of each curve, as pieces of rising slope. Shapes (pieces, slots)."""

    start_kwh: Array
    """Shape (slots,): where the first piece begins."""
    start_cost: Array
    length_kwh: Array
    """Of pieces that are not there: 0."""
    cost_per_kwh: Array


def convex_pieces(curves: Curves) -> Pieces:
    """Lower convex hull of each curve; as many rows as the curve with the most pieces has."""
    x, y = curves.gained_kwh.T.copy(), curves.cost.T.copy()
    length, slope = _slopes(x, y)
    steepest_before = np.maximum.accumulate(slope, axis=1)[:, :-1]
    concave = (slope[:, 1:] < steepest_before - _SAME_SLOPE) & (length[:, 1:] > 0.0)
    for slot in np.flatnonzero(concave.any(axis=1)):
        x[slot], y[slot] = _hull(x[slot], y[slot])
    length, slope = _slopes(x, y)
    order = np.argsort(length <= 0.0, axis=1, kind="stable")  # those that are there come first
    most = max(1, int((length > 0.0).sum(axis=1).max()))
    length = np.take_along_axis(length, order, axis=1)[:, :most]
    slope = np.take_along_axis(slope, order, axis=1)[:, :most]
    return Pieces(
        start_kwh=x[:, 0].copy(),
        start_cost=y[:, 0].copy(),
        length_kwh=length.T,
        cost_per_kwh=np.where(length > 0.0, slope, 0.0).T,
    )


def _slopes(x: Array, y: Array) -> tuple[Array, Array]:
    """Lengths of the pieces, 0 for those that are too short to be any, and their slopes."""
    length, rise = np.diff(x, axis=1), np.diff(y, axis=1)
    there = length > _SHORTEST_KWH
    slope = np.where(there, rise / np.where(there, length, 1.0), -np.inf)
    return np.where(there, length, 0.0), slope


def _hull(x: Array, y: Array) -> tuple[Array, Array]:
    """Lower hull of one curve, padded with its last corner to the same length."""
    kept: list[tuple[float, float]] = []
    for corner in zip(x.tolist(), y.tolist(), strict=True):
        if kept and corner[0] - kept[-1][0] <= _SHORTEST_KWH:
            continue
        while len(kept) > 1 and _turns_down(kept[-2], kept[-1], corner):
            kept.pop()
        kept.append(corner)
    kept += [kept[-1]] * (len(x) - len(kept))
    hull = np.array(kept)
    return hull[:, 0], hull[:, 1]


def _turns_down(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> bool:
    return (b[1] - a[1]) * (c[0] - b[0]) >= (c[1] - b[1]) * (b[0] - a[0])
