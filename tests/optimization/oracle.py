"""A battery to try answers on, written apart from the code under test."""

import numpy as np

from holdfast.optimization.problem import PlanProblem, PlanSolution


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
        # A battery below its minimum may give a milliwatt, which is lost with the PV.
        assert 0 <= curtailed_w <= problem.pv_w[slot] + 0.01
        if solution.pv_off[slot]:
            assert problem.may_switch_pv[slot]
            assert abs(curtailed_w - problem.pv_w[slot]) < 1e-6
            assert solution.grid_w[slot] <= problem.pv_off_import_max_w + 0.2
        else:
            assert curtailed_w <= 0.2 or solution.grid_w[slot] <= 0.2  # surplus only
        grid_w = problem.load_w[slot] - (problem.pv_w[slot] - curtailed_w) + power_w
        assert abs(grid_w - float(solution.grid_w[slot])) < 1e-6
        assert grid_w >= -problem.export_max_w - 0.2
        bound_w = max(problem.import_max_w, problem.load_w[slot] - problem.pv_w[slot])
        assert grid_w <= bound_w + 0.2
        prices = problem.import_price_per_kwh, problem.export_price_per_kwh
        cost += float(prices[0 if grid_w > 0 else 1][slot]) * grid_w * hours / 1000
    assert np.isfinite(solution.stored_value_per_kwh).all()
    return cost - battery.terminal_value_per_kwh * stored_wh / 1000
