"""The best plan for a whole site: a mixed-integer program whose whole numbers come when needed.

First everything is continuous. Where the answer then charges and discharges at once, imports
and exports at once, or throttles PV while it imports, "either or" of that slot, and of all whose
prices are such that it may pay, becomes a whole number, and the program is solved again. Modes and
loads that run through are whole numbers from the start.
"""

from typing import Any

import highspy
import numpy as np

from holdfast.optimization.problem import Array
from holdfast.optimization.site_answer import build_site_solution
from holdfast.optimization.site_problem import SiteProblem, SiteSolution
from holdfast.optimization.site_program import SiteColumns, build_site
from holdfast.optimization.sparse import Block, run

GAP = 5e-5
"""Relative to the objective."""
LONGEST_S = 10.0
"""A plan is needed in time: the best that was found by then is taken, and its bound tells how good
that is. It takes loads that wait, and prices below zero for most of two days, to need as long."""
_TINY_KWH = 1e-6
_ROUNDS = 8
_OPTIONS: dict[str, bool | int | float | str] = {
    "output_flag": False,
    "threads": 1,
    "parallel": "off",
    "mip_allow_restart": False,  # costs up to five times what it saves
    "mip_rel_gap": GAP,
    "mip_abs_gap": 1e-6,
    "time_limit": LONGEST_S,
}


def solve_site(problem: SiteProblem) -> SiteSolution:
    """The best answer to ``problem``. Raises PlanFailed if the solver gives up."""
    blocks, columns = build_site(problem)
    highs = blocks.build(_OPTIONS)
    chosen = np.concatenate([*columns.modes.values(), *columns.starts, np.empty(0, np.int32)])
    whole = _make_whole(highs, np.empty(0, np.int32), chosen.astype(np.int32))
    values = run(highs)
    for _ in range(_ROUNDS):
        more = _undecided(problem, columns, values, whole)
        if not len(more):
            break
        # Where it pays in one slot, it does in others: one by one they take longer than at once.
        more = np.union1d(more, np.setdiff1d(_either_or(problem, columns), whole))
        whole = _make_whole(highs, whole, more)
        highs.clearSolver()  # from the answer just found the search takes twice as long
        values = run(highs)
    bound = _bound(highs, whole)
    values, duals = _polished(highs, whole, values)
    worth = _worth(problem, columns, duals)
    cost = float(highs.getInfo().objective_function_value)
    return build_site_solution(problem, columns, values, worth, cost=cost, bound=bound)


def _make_whole(highs: Any, whole: Block, more: Block) -> Block:
    if len(more):
        kinds = np.full(len(more), int(highspy.HighsVarType.kInteger), dtype=np.uint8)
        highs.changeColsIntegrality(len(more), more, kinds)
    return np.concatenate([whole, more])


def _undecided(problem: SiteProblem, columns: SiteColumns, values: Array, whole: Block) -> Block:
    """The either-or of the slots that do both at once."""
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
    found = np.concatenate([grid.imports[(both & pays) | wastes], columns.charges[burns]])
    return np.setdiff1d(found, whole).astype(np.int32)


def _either_or(problem: SiteProblem, columns: SiteColumns) -> Block:
    """Of the slots whose prices can make it pay to do both at once."""
    base = problem.base
    burning = np.minimum(base.import_price_per_kwh, base.export_price_per_kwh) < 0.0
    trading = base.export_price_per_kwh > base.import_price_per_kwh
    return np.concatenate(
        [columns.charges[burning], columns.grid.imports[trading | base.pv_curtailable]]
    )


def _bound(highs: Any, whole: Block) -> float:
    info = highs.getInfo()
    return float(info.mip_dual_bound if len(whole) else info.objective_function_value)


def _polished(highs: Any, whole: Block, values: Array) -> tuple[Array, Array]:
    """Values and row duals with the whole numbers kept: exact, and with prices."""
    if len(whole):
        kept = np.round(values[whole])
        kinds = np.full(len(whole), int(highspy.HighsVarType.kContinuous), dtype=np.uint8)
        highs.changeColsIntegrality(len(whole), whole, kinds)
        highs.changeColsBounds(len(whole), whole, kept, kept)
        values = run(highs)
    return values, np.array(highs.getSolution().row_dual)


def _worth(problem: SiteProblem, columns: SiteColumns, duals: Array) -> Array:
    """What one more stored kWh is worth, the mean of the units by capacity."""
    capacity_wh = np.array([battery.capacity_wh for battery in problem.batteries])
    each = np.stack([-duals[unit.rows] for unit in columns.units])
    return np.asarray(capacity_wh @ each / capacity_wh.sum())
