"""The plan as one would write it down for a solver: a mixed-integer program, all binaries in.

Written apart from the optimizer, which must find the same objective in a fraction of the time.
"""

from collections.abc import Sequence
from typing import Any

import highspy

from holdfast.optimization.problem import PlanProblem
from holdfast.optimization.site_problem import ShiftableLoad
from holdfast.optimization.solver import new_solver


def best_objective(
    problem: PlanProblem,
    loads: Sequence[ShiftableLoad] = (),
    *,
    time_limit_s: float = float("inf"),
) -> float:
    """Exact optimum, by a mixed-integer program in W and Wh with "either or" as binaries.

    Only for problems whose limits can all be kept, and ``loads`` that run through whole slots; nan
    if the solver takes too long.
    """
    battery = problem.battery
    highs = _solver(time_limit_s)
    taken_w = _taken_w(highs, problem, loads)
    most_taken_w = sum(load.power_max_w for load in loads)
    stored = battery.soc_now_wh
    cost: Any = 0.0
    for slot in range(problem.slots):
        hours = problem.dt_h[slot]
        net_w = problem.load_w[slot] - problem.pv_w[slot]
        reach_w = (
            problem.load_w[slot]
            + problem.pv_w[slot]
            + battery.charge_max_w
            + battery.discharge_max_w
            + most_taken_w
        )
        charge = highs.addVariable(0, battery.charge_max_w)
        discharge = highs.addVariable(0, battery.discharge_max_w)
        bought = highs.addVariable(0, min(problem.import_max_w, reach_w))
        sold = highs.addVariable(0, min(problem.export_max_w, reach_w))
        charges, buys = highs.addBinary(), highs.addBinary()
        highs.addConstr(charge <= battery.charge_max_w * charges)
        highs.addConstr(discharge <= battery.discharge_max_w * (1 - charges))
        highs.addConstr(bought <= reach_w * buys)
        highs.addConstr(sold <= reach_w * (1 - buys))
        thrown_away = highs.addVariable(0, problem.pv_w[slot] if problem.pv_curtailable else 0)
        if problem.pv_curtailable:  # a surplus alone
            highs.addConstr(thrown_away <= reach_w * (1 - buys))
        used_w = charge - discharge + thrown_away
        if problem.may_switch_pv[slot]:
            off = highs.addBinary()
            used_w = used_w + problem.pv_w[slot] * off
            highs.addConstr(thrown_away <= problem.pv_w[slot] * (1 - off))
            highs.addConstr(bought <= reach_w - (reach_w - problem.pv_off_import_max_w) * off)
        highs.addConstr(bought - sold == net_w + taken_w[slot] + used_w)
        end = highs.addVariable(battery.soc_min_wh, battery.soc_max_wh)
        gain = charge * (battery.charge_efficiency * hours)
        loss = discharge * (hours / battery.discharge_efficiency)
        highs.addConstr(end == stored + gain - loss)
        stored = end
        aged = highs.addVariable(0, battery.capacity_wh)
        highs.addConstr(aged >= end - battery.ageing_above_wh)
        cost = cost + aged * (battery.ageing_cost_per_kwh_h * hours / 1000)
        cost = cost + bought * (problem.import_price_per_kwh[slot] * hours / 1000)
        cost = cost - sold * (problem.export_price_per_kwh[slot] * hours / 1000)
        cost = cost + discharge * (battery.wear_cost_per_kwh * hours / 1000)
    # The solver's tolerances are absolute: a thousand times the cost makes them small.
    highs.minimize(1000 * (cost - stored * (battery.terminal_value_per_kwh / 1000)))
    if highs.getModelStatus() == highspy.HighsModelStatus.kTimeLimit:
        return float("nan")
    assert highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return float(highs.getObjectiveValue()) / 1000


def _solver(time_limit_s: float) -> Any:
    return new_solver(
        {"mip_rel_gap": 0.0, "mip_abs_gap": 1e-9, "threads": 1, "time_limit": time_limit_s}
    )


def _taken_w(highs: Any, problem: PlanProblem, loads: Sequence[ShiftableLoad]) -> list[Any]:
    """What all loads take in each slot."""
    taken_w: list[Any] = [0.0] * problem.slots
    for load in loads:
        window = range(load.first_slot, load.last_slot + 1)
        if not load.runs_through:
            runs = {slot: highs.addVariable(0, load.power_max_w) for slot in window}
            highs.addConstr(
                sum(problem.dt_h[slot] * run for slot, run in runs.items()) == load.energy_wh
            )
            for slot, run in runs.items():
                taken_w[slot] = taken_w[slot] + run
            continue
        length = round(load.energy_wh / (load.power_max_w * problem.dt_h[0]))
        starts = {slot: highs.addBinary() for slot in window[: len(window) - length + 1]}
        highs.addConstr(sum(starts.values()) == 1)
        for first, start in starts.items():
            for slot in range(first, first + length):
                taken_w[slot] = taken_w[slot] + load.power_max_w * start
    return taken_w
