"""The best plan for a site is a mixed-integer program whose whole numbers come when needed.

First everything is continuous. Where the answer then charges and discharges at once, imports
and exports at once, throttles PV while it imports, or switches off part of it, "either or" of that
slot, and of all whose prices are such that it may pay, becomes a whole number, and the program is
solved again. Modes and loads that run through are whole numbers from the start.
"""

from typing import Any

import highspy
import numpy as np

from holdfast.optimization.problem import Array
from holdfast.optimization.site_answer import build_site_solution
from holdfast.optimization.site_problem import SiteProblem, SiteSolution
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
_OPTIONS: dict[str, bool | int | float | str] = {
    "threads": 1,
    "parallel": "off",
    "mip_allow_restart": False,  # costs up to five times what it saves
    "mip_rel_gap": GAP,
    "mip_abs_gap": 1e-6,
    "time_limit": LONGEST_S,
}


def solve_site(problem: SiteProblem) -> SiteSolution:
    """Returns the best answer to ``problem``. Raises PlanFailed if the solver gives up."""
    blocks, columns = build_site(problem)
    highs = blocks.build(_OPTIONS)
    chosen = np.concatenate([*columns.modes.values(), *columns.starts, np.empty(0, np.int32)])
    whole = _make_whole(highs, np.empty(0, np.int32), chosen.astype(np.int32))
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
    bound = _bound(highs, whole)
    values, duals = _polished(highs, whole, values)
    worth = _worth(problem, columns, duals)
    cost = float(highs.getInfo().objective_function_value)
    return build_site_solution(problem, columns, values, worth, cost=cost, bound=bound)


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
