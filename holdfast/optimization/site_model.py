"""The best plan for a whole site: a mixed-integer program whose whole numbers come when needed.

First everything is continuous. Where the answer then charges and discharges at once, imports
and exports at once, or throttles PV while it imports, "either or" of that slot becomes a whole
number, and the program is solved again. Modes and loads that run through are whole numbers from
the start.
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
GAP_OF_CHOICES = 0.004
"""Of problems with modes, or many slots that are either-or: the last tenths of a percent take
longer than all the rest, up to minutes."""
_FEW = 12
"""Whole numbers that are quickly found."""
_TINY_KWH = 1e-6
_ROUNDS = 8
_NODES = 300
"""A limit on work, unlike one on time, is repeatable."""
_OPTIONS: dict[str, bool | int | float | str] = {
    "output_flag": False,
    "threads": 1,
    "parallel": "off",
    "mip_max_nodes": _NODES,
    "mip_abs_gap": 1e-6,
}


def solve_site(problem: SiteProblem) -> SiteSolution:
    """The best answer to ``problem``. Raises PlanFailed if the solver gives up."""
    blocks, columns = build_site(problem)
    highs = blocks.build(_OPTIONS)
    chosen = np.concatenate([*columns.modes.values(), *columns.starts, np.empty(0, np.int32)])
    highs.setOptionValue("mip_rel_gap", GAP_OF_CHOICES if problem.modes else GAP)
    whole = _make_whole(highs, np.empty(0, np.int32), chosen.astype(np.int32))
    either_or = 0
    values = run(highs)
    for _ in range(_ROUNDS):
        more = _undecided(problem, columns, values, whole)
        if not len(more):
            break
        whole = _make_whole(highs, whole, more)
        either_or += len(more)
        if either_or > _FEW:
            highs.setOptionValue("mip_rel_gap", GAP_OF_CHOICES)
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
