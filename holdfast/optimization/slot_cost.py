"""What a slot costs is a function of what the battery does in it: piecewise linear, and exact.

All that a slot knows (prices, load, PV, grid limits, curtailment, losses, wear) goes into one
curve of cost against the change in stored energy. Whatever is either-or (charge or discharge,
import or export, curtail or not, PV on or off) is decided inside the curve. Where the curve is
convex the linear program over its pieces is exact; where it is not, its lower convex hull is the
tightest relaxation there is for a slot.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from holdfast.optimization.problem import Array, Mask, PlanProblem

LATER_COST_PER_KWH = 3e-10
"""It is paid per slot of delay: among equals the earlier slot wins, so that answers do not jump.

It is a little above the solver's tolerance for (scaled) costs, or it would not count.
"""
_WEEK_SLOTS = 672


_SHORTEST_KWH = 1e-12
_SAME_SLOPE = 1e-9
_STEP_KWH = 1e-4
"""Where PV can no longer be off the cost rises at once: within as much, and as much a kWh of PV.

It is far above the solver's tolerances, and far below what anybody meters.
"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curves:
    """Each slot has a curve by its corners, in rising order. Shapes are (corners, slots)."""

    gained_kwh: Array
    """It is the change in stored energy; corners may coincide."""
    cost: Array

    def cost_at(self, gained_kwh: Array) -> Array:
        """Returns the cost of each slot, shape (slots,); beyond the ends that of the end."""
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
    """Tells what crosses the meter in a slot, in kWh, and what it costs. Shapes are equal."""

    grid_kwh: Array
    """It is + import, after curtailment."""
    curtailed_kwh: Array
    cost: Array
    """It is in money alone."""
    penalty: Array
    """It is for what is beyond a grid limit."""
    pv_off: Mask


def build_curves(problem: PlanProblem) -> Curves:
    """Builds the curves of ``problem``, without what a stored kWh is worth at the end."""
    corners = _loss_corners(problem)
    through_kwh, cost = exchange_costs(problem, *_reach_kwh(problem), corners)
    delivered_kwh = np.maximum(-through_kwh, 0.0)
    wear = problem.battery.wear_cost_per_kwh * delivered_kwh
    return Curves(
        gained_kwh=gained_kwh(problem, through_kwh),
        cost=cost + wear + _later(problem) * np.abs(through_kwh),
    )


def exchange_costs(
    problem: PlanProblem, least: Array, most: Array, corners: Sequence[Array] = ()
) -> tuple[Array, Array]:
    """Returns the corners, in rising order, of what the grid exchange costs in each slot.

    It is a function of the AC energy beside load and PV, from ``least`` to ``most`` kWh; both
    answers have the shape (corners, slots). They have those in ``corners``, too.
    """
    bends = [*_grid_corners(problem), *corners]
    whole = np.stack([least, np.zeros(problem.slots), most, *bends])
    through_kwh = np.sort(np.clip(whole, least, most), axis=0)
    if problem.may_switch_pv.any():
        through_kwh = _with_switching(problem, through_kwh)
    exchange = exchange_at(problem, through_kwh)
    return through_kwh, exchange.cost + exchange.penalty


def _reach_kwh(problem: PlanProblem) -> tuple[Array, Array]:
    """Returns the least and most AC energy of the battery, in kWh.

    It never takes the site beyond a grid limit, nor sells what it may not.
    """
    battery, hours = problem.battery, problem.dt_h / 1e3
    may_be_off = problem.may_switch_pv | problem.pv_curtailable
    sheddable_w = np.where(may_be_off, problem.pv_w, 0.0)
    least_w = -problem.export_max_w - problem.net_load_w - sheddable_w
    most_w = problem.import_max_w - problem.net_load_w
    least_w = np.clip(least_w, -battery.discharge_max_w, 0.0)
    most_w = np.clip(most_w, 0.0, battery.charge_max_w)
    room_w = problem.hybrid_room_w
    least_w, most_w = np.maximum(least_w, room_w[0]), np.minimum(most_w, room_w[1])
    lowest_w = least_w
    if not problem.sells_stored:
        least_w = np.maximum(least_w, -problem.deficit_w)
    # What is fixed is fixed, also to sell what is stored; but not beyond a limit.
    if problem.least_w is not None:
        least_w = np.maximum(least_w, np.clip(problem.least_w, lowest_w, most_w))
    if problem.most_w is not None:
        most_w = np.clip(problem.most_w, lowest_w, most_w)
        least_w = np.minimum(least_w, most_w)
    return least_w * hours, most_w * hours


def preference_limit(problem: PlanProblem) -> float:
    """Returns the most that the preference for earlier slots adds to the cost of an answer."""
    battery = problem.battery
    most_kwh = max(battery.charge_max_w, battery.discharge_max_w) * problem.dt_h / 1e3
    return float(_later(problem) @ most_kwh)


def _later(problem: PlanProblem) -> Array:
    # After a week of quarter hours it rises no more: over a year it would be worth cents a kWh.
    later = np.minimum(np.arange(problem.slots), _WEEK_SLOTS)
    return np.asarray(LATER_COST_PER_KWH * later, dtype=np.float64)


def gained_kwh(problem: PlanProblem, through_kwh: Array) -> Array:
    """Returns the change in stored energy for the AC energy ``through_kwh`` (+ charging)."""
    hours = problem.dt_h / 1e3
    return problem.battery.stored_w(through_kwh / hours, problem.direct_w) * hours


def through_kwh(problem: PlanProblem, gained_kwh: Array) -> Array:
    """Returns the AC energy (+ charging) for a change in stored energy."""
    hours = problem.dt_h / 1e3
    return problem.battery.ac_w(gained_kwh / hours, problem.direct_w) * hours


def exchange_at(problem: PlanProblem, through_kwh: Array) -> GridExchange:
    """Returns the best exchange with the grid while the battery takes ``through_kwh``.

    ``through_kwh`` has shape (slots,) or (n, slots). PV that may be curtailed is, where that
    pays, as far as there is surplus, and PV that may be switched off all of it; other PV is lost
    only where it finds no way out.
    """
    candidates = _with_pv_on(problem, through_kwh)
    if problem.may_switch_pv.any():
        candidates.append(_with_pv_off(problem, through_kwh))
    return candidates[0] if len(candidates) == 1 else _best_of(candidates)


def _with_pv_on(problem: PlanProblem, through_kwh: Array) -> list[GridExchange]:
    hours = problem.dt_h / 1e3
    uncurtailed = problem.net_load_w * hours + through_kwh
    cut_off = _cut_off_kwh(problem, through_kwh)
    curtailed = [cut_off]
    if problem.pv_curtailable:
        curtailed += [-problem.export_max_w * hours - uncurtailed, -uncurtailed]
    pv_kwh = problem.pv_w * hours
    return [_exchange(problem, uncurtailed, np.clip(each, cut_off, pv_kwh)) for each in curtailed]


def _cut_off_kwh(problem: PlanProblem, through_kwh: Array) -> Array:
    """Returns the PV that a hybrid inverter has no room for beside the battery's energy."""
    most_w = problem.battery.hybrid_ac_max_w
    if most_w is None:
        return np.zeros(np.broadcast_shapes(through_kwh.shape, problem.pv_w.shape))
    hours = problem.dt_h / 1e3
    return np.asarray(np.maximum((problem.pv_w - most_w) * hours - through_kwh, 0.0))


def _with_pv_off(problem: PlanProblem, through_kwh: Array) -> GridExchange:
    """Returns the exchange while PV is off; what it must not be for costs infinitely much."""
    hours = problem.dt_h / 1e3
    pv_kwh = problem.pv_w * hours
    uncurtailed = problem.net_load_w * hours + through_kwh
    off = _exchange(problem, uncurtailed, np.broadcast_to(pv_kwh, uncurtailed.shape))
    most_kwh = problem.pv_off_import_max_w * hours + _step_kwh(problem) / 2.0
    may = problem.may_switch_pv & (off.grid_kwh <= most_kwh)
    if problem.battery.hybrid_ac_max_w is not None:
        may &= through_kwh <= problem.battery.hybrid_ac_max_w * hours + _step_kwh(problem) / 2.0
    return replace(off, cost=np.where(may, off.cost, np.inf), pv_off=np.ones(may.shape, bool))


def _step_kwh(problem: PlanProblem) -> Array:
    return np.asarray(_STEP_KWH * (1.0 + problem.pv_w * problem.dt_h / 1e3))


def _best_of(candidates: list[GridExchange]) -> GridExchange:
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
        pv_off=np.asarray(chosen("pv_off"), dtype=bool),
    )


def _with_switching(problem: PlanProblem, through_kwh: Array) -> Array:
    """Adds where it begins or ceases to pay to switch PV off, between corners in rising order."""
    on = np.min([each.cost + each.penalty for each in _with_pv_on(problem, through_kwh)], axis=0)
    off = _with_pv_off(problem, through_kwh)
    may = np.isfinite(off.cost)
    gain = np.where(may, on - np.where(may, off.cost, 0.0) - off.penalty, 0.0)
    before, after = gain[:-1], gain[1:]
    crosses = before * after < 0.0
    share = np.where(crosses, before / np.where(crosses, before - after, 1.0), 0.0)
    crossings = through_kwh[:-1] + share * np.diff(through_kwh, axis=0)
    return np.sort(np.concatenate([through_kwh, crossings]), axis=0)


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
        pv_off=np.zeros(wanted.shape, bool),
    )


def _grid_corners(problem: PlanProblem) -> list[Array]:
    """Returns the AC energies of the battery at which the cost of the grid exchange bends."""
    hours = problem.dt_h / 1e3
    net_kwh, pv_kwh = problem.net_load_w * hours, problem.pv_w * hours
    outwards = (-problem.export_max_w * hours, np.zeros(problem.slots))
    corners = [limit - net_kwh for limit in (*outwards, problem.import_max_w * hours)]
    if problem.pv_curtailable:
        corners += [limit - net_kwh - pv_kwh for limit in outwards]
    if problem.may_switch_pv.any():
        most_kwh = problem.pv_off_import_max_w * hours
        ends = (*outwards, most_kwh, most_kwh + _step_kwh(problem))
        corners += [limit - net_kwh - pv_kwh for limit in ends]
    most_w = problem.battery.hybrid_ac_max_w
    if most_w is not None:
        corners.append(pv_kwh - most_w * hours)
        if problem.may_switch_pv.any():
            most = np.full(problem.slots, most_w) * hours
            corners += [most, most + _step_kwh(problem)]
    return corners


def _loss_corners(problem: PlanProblem) -> list[Array]:
    """Returns the AC energies of the battery at which what is lost bends."""
    battery, hours = problem.battery, problem.dt_h / 1e3
    bends_w = () if battery.conversion is None else battery.conversion.ac_w
    corners = [bend_w * hours for bend_w in bends_w]
    if battery.pv_stored_per_kwh > 0.0:
        direct_kwh = problem.direct_w * hours
        corners += [direct_kwh, *(direct_kwh + corner for corner in corners)]
    return corners


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pieces:
    """The lower convex hull of a curve is pieces of rising slope. Shapes are (pieces, slots)."""

    start_kwh: Array
    """The first piece begins there, shape (slots,)."""
    start_cost: Array
    length_kwh: Array
    """Pieces that are not there have length 0."""
    cost_per_kwh: Array


def convex_pieces(curves: Curves) -> Pieces:
    """Returns the lower convex hull of each curve.

    It has as many rows as the curve with the most pieces has.
    """
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
    """Returns the lengths of the pieces, 0 for those too short to be any, and their slopes."""
    length, rise = np.diff(x, axis=1), np.diff(y, axis=1)
    there = length > _SHORTEST_KWH
    slope = np.where(there, rise / np.where(there, length, 1.0), -np.inf)
    return np.where(there, length, 0.0), slope


def _hull(x: Array, y: Array) -> tuple[Array, Array]:
    """Returns the lower hull of one curve, padded with its last corner to the same length."""
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
