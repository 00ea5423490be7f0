"""The best plan for a site is a mixed-integer program whose whole numbers come when needed.

First everything is continuous. Where the answer then charges and discharges at once, imports
and exports at once, throttles PV while it imports, or switches off part of it, "either or" of that
slot, and of all whose prices are such that it may pay, becomes a whole number, and the program is
solved again. Loads that run through are whole numbers from the start; modes only if those next to
the continuous answer's are not proven to be as good. Where feed-in earns more than purchase costs
such a search does not end in time: there loads that wait have prices (``load_search.py``).
"""

from time import monotonic
from typing import Any

import highspy
import numpy as np

from holdfast.core.errors import PlanFailed
from holdfast.optimization.load_search import PatternAnswer, search
from holdfast.optimization.mode_rounding import nearest_modes
from holdfast.optimization.priced_loads import EitherOr, can_be_priced
from holdfast.optimization.problem import Array
from holdfast.optimization.site_answer import build_site_solution
from holdfast.optimization.site_problem import ModeRules, SiteProblem, SiteSolution
from holdfast.optimization.site_program import SiteColumns, build_site
from holdfast.optimization.sparse import Block, is_proven, run

GAP = 5e-5
"""It is relative to the objective."""
LONGEST_S = 10.0
"""A plan is needed in time: the best that was found by then is taken, and its bound tells how good
that is. It takes loads that wait, and prices below zero for most of two days, to need as long."""
_ROUND_S = 1.0
"""Each round gets this, however long those before it took."""
_TINY_KWH = 1e-6
_TINY_SHARE = 1e-6
_ROUNDS = 8
_LEAST_GAP = 1e-6
"""It is in money."""
_NONE: Block = np.empty(0, np.int32)
_MANY_SLOTS = 24
"""From so many slots on that sell for more than they buy a search for each takes long."""
_PATTERN_NODES = 20
"""With a pattern kept only starts of loads are left to be searched for."""
_OPTIONS: dict[str, Any] = {
    "threads": 1,
    "parallel": "off",
    "mip_allow_restart": False,  # costs up to five times what it saves
    "mip_rel_gap": GAP,
    "mip_abs_gap": _LEAST_GAP,
    "time_limit": LONGEST_S,
}


def solve_site(problem: SiteProblem) -> SiteSolution:
    """Returns the best answer to ``problem``. Raises PlanFailed if the solver gives up."""
    blocks, columns = build_site(problem)
    if can_be_priced(problem) and _trades(problem):
        priced = _by_prices(problem, blocks.build(_OPTIONS), columns)
        if priced is not None:
            return priced
    highs = blocks.build(_OPTIONS)
    starts = [load.starts for load in columns.loads]
    whole = _make_whole(highs, _NONE, np.concatenate([*starts, _NONE]))
    found = None
    if problem.modes is not None:
        found = _in_nearest_modes(problem, problem.modes, highs, columns, whole)
    if found is None:
        whole = _make_whole(highs, whole, np.concatenate([*columns.modes.values(), _NONE]))
        values, whole = _decided(problem, highs, columns, whole)
        found = values, _bound(highs, whole)
    values, bound = found
    values, duals = _polished(highs, whole, values)
    worth = _worth(problem, columns, duals)
    cost = float(highs.getInfo().objective_function_value)
    return build_site_solution(problem, columns, values, worth, cost=cost, bound=bound)


def _decided(
    problem: SiteProblem, highs: Any, columns: SiteColumns, whole: Block
) -> tuple[Array, Block]:
    """Returns an answer that does nothing at once that is either-or, and what is whole for it."""
    values = _run(highs)
    for _ in range(_ROUNDS):
        more = _undecided(problem, columns, values, whole)
        if not len(more):
            break
        # Where it pays in one slot, it does in others: one by one they take longer than at once.
        more = np.union1d(more, np.setdiff1d(_either_or(problem, columns), whole))
        whole = _make_whole(highs, whole, more)
        highs.clearSolver()  # from the answer just found the search takes twice as long
        values = _run(highs)
    return values, whole


def _in_nearest_modes(
    problem: SiteProblem, rules: ModeRules, highs: Any, columns: SiteColumns, whole: Block
) -> tuple[Array, float] | None:
    """Returns the answer with the modes next to the best mixture of modes, and its bound.

    The mixture is the bound. None where one mode at a time is worse than that, or leaves something
    undecided: modes have to be searched for then.
    """
    mixed = _run(highs)
    bound = _bound(highs, whole)
    modes = np.concatenate(list(columns.modes.values()))
    nearest = nearest_modes(problem, rules, columns, mixed)
    kept = np.concatenate([[float(mode is each) for mode in nearest] for each in columns.modes])
    highs.changeColsBounds(len(modes), modes, kept, kept)
    try:
        values = _run(highs)
    except PlanFailed:  # what is fixed needs other modes
        values = mixed
    cost = float(highs.getInfo().objective_function_value)
    is_near = values is not mixed and cost - bound <= GAP * abs(cost) + _LEAST_GAP
    if is_near and not len(_undecided(problem, columns, values, whole)):
        return values, bound
    highs.changeColsBounds(len(modes), modes, np.zeros(len(modes)), np.ones(len(modes)))
    highs.clearSolver()
    return None


def _trades(problem: SiteProblem) -> bool:
    """Says whether many slots sell for more than they buy."""
    base = problem.base
    return int((base.export_price_per_kwh > base.import_price_per_kwh).sum()) >= _MANY_SLOTS


def _by_prices(problem: SiteProblem, highs: Any, columns: SiteColumns) -> SiteSolution | None:
    """Returns the best answer that a search for the loads' prices finds; None if it finds none."""
    until_s = monotonic() + _OPTIONS["time_limit"]
    _run(highs)
    duals = np.array(highs.getSolution().row_dual)
    price = np.array([float(duals[load.total[0]]) for load in columns.loads])
    starts = np.concatenate([load.starts for load in columns.loads])
    whole = _make_whole(highs, _NONE, starts)
    highs.setOptionValue("mip_max_nodes", _PATTERN_NODES)
    searched = search(
        problem,
        price,
        lambda pattern: _tried(problem, highs, columns, pattern),
        gap=GAP,
        is_late=lambda: monotonic() >= until_s,
    )
    if searched.best is None:
        return None
    _keep(highs, columns, searched.best.pattern)
    # Without whole numbers that is found at once; with them, in the time left, perhaps not again.
    values = searched.best.values if len(whole) else _run(highs)
    values, duals = _polished(highs, whole, values)
    cost = float(highs.getInfo().objective_function_value)
    return build_site_solution(
        problem,
        columns,
        values,
        _worth(problem, columns, duals),
        cost=cost,
        bound=min(searched.bound, cost),
    )


def _tried(
    problem: SiteProblem, highs: Any, columns: SiteColumns, pattern: EitherOr
) -> PatternAnswer | None:
    _keep(highs, columns, pattern)
    try:
        values = _run(highs)
    except PlanFailed:
        return None
    taken_kwh = np.zeros(problem.base.slots)
    for load, each in zip(problem.loads, columns.loads, strict=True):
        taken_kwh[load.slots] += values[each.run]
    cost = float(highs.getInfo().objective_function_value)
    return PatternAnswer(pattern=pattern, cost=cost, values=values, taken_kwh=taken_kwh)


def _keep(highs: Any, columns: SiteColumns, pattern: EitherOr) -> None:
    grid = columns.grid
    block = np.concatenate([columns.charges, grid.imports, grid.pv_off])
    kept = np.concatenate([pattern.charges, pattern.imports, pattern.pv_off]).astype(np.float64)
    highs.changeColsBounds(len(block), block, kept, kept)


def _run(highs: Any) -> Array:
    """Solves within what is left of the time for all rounds together."""
    left_s = _OPTIONS["time_limit"] - highs.getRunTime()
    highs.setOptionValue("time_limit", max(left_s, _ROUND_S))
    return run(highs)


def _make_whole(highs: Any, whole: Block, more: Block) -> Block:
    if len(more):
        kinds = np.full(len(more), int(highspy.HighsVarType.kInteger), dtype=np.uint8)
        highs.changeColsIntegrality(len(more), more, kinds)
    return np.concatenate([whole, more])


def _undecided(problem: SiteProblem, columns: SiteColumns, values: Array, whole: Block) -> Block:
    """Returns the either-or of the slots that do both at once."""
    grid, base = columns.grid, problem.base
    pays = base.export_price_per_kwh > base.import_price_per_kwh
    imports = values[grid.imported] > _TINY_KWH
    both = imports & (values[grid.exported] > _TINY_KWH)
    wastes = imports & (values[grid.curtailed] > _TINY_KWH)
    charge, discharge = (
        np.sum([values[block] for block in blocks], axis=0)
        for blocks in zip(*((unit.charge, unit.discharge) for unit in columns.units), strict=True)
    )
    burns = (charge > _TINY_KWH) & (discharge > _TINY_KWH)
    pv_off = values[grid.pv_off]
    partly = (pv_off > _TINY_SHARE) & (pv_off < 1.0 - _TINY_SHARE)
    found = np.concatenate(
        [grid.imports[(both & pays) | wastes], columns.charges[burns], grid.pv_off[partly]]
    )
    return np.setdiff1d(found, whole).astype(np.int32)


def _either_or(problem: SiteProblem, columns: SiteColumns) -> Block:
    """Returns the either-or of the slots whose prices can make it pay to do both at once."""
    base = problem.base
    burning = np.minimum(base.import_price_per_kwh, base.export_price_per_kwh) < 0.0
    trading = base.export_price_per_kwh > base.import_price_per_kwh
    grid = columns.grid
    return np.concatenate(
        [
            columns.charges[burning],
            grid.imports[trading | base.pv_curtailable],
            grid.pv_off[base.may_switch_pv],
        ]
    )


def _bound(highs: Any, whole: Block) -> float:
    info = highs.getInfo()
    if len(whole):
        return float(info.mip_dual_bound)
    return float(info.objective_function_value) if is_proven(highs) else -np.inf


def _polished(highs: Any, whole: Block, values: Array) -> tuple[Array, Array]:
    """Returns values and row duals with the whole numbers kept: exact, and with prices."""
    if len(whole):
        kept = np.round(values[whole])
        kinds = np.full(len(whole), int(highspy.HighsVarType.kContinuous), dtype=np.uint8)
        highs.changeColsIntegrality(len(whole), whole, kinds)
        highs.changeColsBounds(len(whole), whole, kept, kept)
        values = run(highs)
    return values, np.array(highs.getSolution().row_dual)


def _worth(problem: SiteProblem, columns: SiteColumns, duals: Array) -> Array:
    """Returns what one more stored kWh is worth, the mean of the units by capacity."""
    capacity_wh = np.array([battery.capacity_wh for battery in problem.batteries])
    each = np.stack([-duals[unit.rows] for unit in columns.units])
    return np.asarray(capacity_wh @ each / capacity_wh.sum())
