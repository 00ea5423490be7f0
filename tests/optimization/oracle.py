"""Written apart from the code under test: the exact answer, and a battery to try answers on."""

import highspy
import numpy as np

from holdfast.optimization.problem import PlanProblem, PlanSolution


def best_objective(problem: PlanProblem) -> float:
    """Exact optimum, by a mixed-integer program in W and Wh with "either or" as binaries.

    Only for problems whose limits can all be kept.
    """
    battery = problem.battery
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("mip_rel_gap", 0.0)
    highs.setOptionValue("mip_abs_gap", 1e-9)
    highs.setOptionValue("threads", 1)
    stored = battery.soc_now_wh
    cost = 0.0
    for slot in range(problem.slots):
        hours = problem.dt_h[slot]
        net_w = problem.load_w[slot] - problem.pv_w[slot]
        reach_w = (
            problem.load_w[slot]
            + problem.pv_w[slot]
            + battery.charge_max_w
            + battery.discharge_max_w
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
        highs.addConstr(bought - sold == net_w + charge - discharge + thrown_away)
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
    assert highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return float(highs.getObjectiveValue()) / 1000


def follow(problem: PlanProblem, solution: PlanSolution) -> float:
    """Let a battery follow the answer; assert that it can. Returns what that costs."""
    battery = problem.battery
    stored_wh = battery.soc_now_wh
    low_wh = min(battery.soc_min_wh, stored_wh)
    high_wh = max(battery.soc_max_wh, stored_wh)
    cost = 0.0
    for slot in range(problem.slots):
        hours = float(problem.dt_h[slot])
        power_w = float(solution.battery_w[slot])
        assert -battery.discharge_max_w - 1e-6 <= power_w <= battery.charge_max_w + 1e-6
        if power_w > 0:
            stored_wh += power_w * hours * battery.charge_efficiency
        else:
            stored_wh += power_w * hours / battery.discharge_efficiency
            cost += -power_w * hours / 1000 * battery.wear_cost_per_kwh
        assert low_wh - 0.02 <= stored_wh <= high_wh + 0.02
        assert abs(stored_wh - float(solution.soc_wh[slot])) < 0.02
        aged_wh = max(stored_wh - battery.ageing_above_wh, 0.0)
        cost += aged_wh / 1000 * hours * battery.ageing_cost_per_kwh_h
        curtailed_w = float(solution.curtailed_w[slot])
        assert 0 <= curtailed_w <= problem.pv_w[slot] + 1e-6
        grid_w = problem.load_w[slot] - (problem.pv_w[slot] - curtailed_w) + power_w
        assert abs(grid_w - float(solution.grid_w[slot])) < 1e-6
        assert grid_w >= -problem.export_max_w - 0.2
        bound_w = max(problem.import_max_w, problem.load_w[slot] - problem.pv_w[slot])
        assert grid_w <= bound_w + 0.2
        prices = problem.import_price_per_kwh, problem.export_price_per_kwh
        cost += float(prices[0 if grid_w > 0 else 1][slot]) * grid_w * hours / 1000
    assert np.isfinite(solution.stored_value_per_kwh).all()
    return cost - battery.terminal_value_per_kwh * stored_wh / 1000
