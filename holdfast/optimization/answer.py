"""From the columns of the linear program to an answer that a battery can follow."""

import numpy as np

from holdfast.core.plan import PlanStatus
from holdfast.optimization.problem import Array, BatteryModel, PlanProblem, PlanSolution, SlackGroup
from holdfast.optimization.program import Program

TINY_KWH = 1e-6
"""Below this a column is zero: ten times the solver's tolerance."""
_TINY_W = 0.1


def build_solution(
    problem: PlanProblem, program: Program, values: Array, stored_value_per_kwh: Array
) -> PlanSolution:
    """Answer from ``values``, shape (5, slots).

    Slots that still charge and discharge at once are netted; the state of charge is then
    simulated forward, and power cut where a limit would be passed.
    """
    battery_w, stored_kwh = _battery(problem, values)
    if ((values[0] > TINY_KWH) & (values[1] > TINY_KWH)).any():
        battery_w, stored_kwh = _simulate(problem, program, battery_w)
    through_w = problem.net_load_w + battery_w
    curtailed_w = np.maximum(-through_w - problem.export_max_w, 0.0)
    curtailed_w = np.where(curtailed_w > _TINY_W, curtailed_w, 0.0)
    grid_w = through_w + curtailed_w
    relaxed = _relaxed(problem, grid_w, curtailed_w)
    grid_cost = _grid_cost(problem, grid_w)
    battery = problem.battery
    delivered_kwh = float(np.maximum(-battery_w, 0.0) @ problem.dt_h) / 1e3
    return PlanSolution(
        status=PlanStatus.RELAXED if relaxed else PlanStatus.OPTIMAL,
        relaxed=relaxed,
        battery_w=battery_w,
        grid_w=grid_w,
        curtailed_w=curtailed_w,
        soc_wh=stored_kwh * 1e3,
        stored_value_per_kwh=stored_value_per_kwh,
        grid_cost=grid_cost,
        objective=grid_cost
        + battery.wear_cost_per_kwh * delivered_kwh
        - battery.terminal_value_per_kwh * float(stored_kwh[-1]),
    )


def _battery(problem: PlanProblem, values: Array) -> tuple[Array, Array]:
    battery = problem.battery
    battery_w = (values[0] - values[1]) / problem.dt_h * 1e3
    battery_w = np.clip(battery_w, -battery.discharge_max_w, battery.charge_max_w)
    return battery_w, np.clip(values[4], 0.0, battery.capacity_wh / 1e3)


def _simulate(problem: PlanProblem, program: Program, wanted_w: Array) -> tuple[Array, Array]:
    """Follow ``wanted_w`` as far as stored energy and grid limits let it."""
    battery = problem.battery
    net_w = problem.net_load_w
    highest_w = np.clip(problem.import_max_w - net_w, 0.0, battery.charge_max_w)
    lowest_w = np.clip(-problem.export_max_w - net_w, -battery.discharge_max_w, 0.0)
    battery_w = np.clip(wanted_w, lowest_w, highest_w)
    stored_kwh = np.empty(problem.slots)
    now_kwh = battery.soc_now_wh / 1e3
    for slot, hours in enumerate(problem.dt_h.tolist()):
        most_kwh = _energy_kwh(battery, float(program.stored_high_kwh[slot]) - now_kwh)
        least_kwh = _energy_kwh(battery, float(program.stored_low_kwh[slot]) - now_kwh)
        energy_kwh = max(min(float(battery_w[slot]) * hours / 1e3, most_kwh), least_kwh)
        if energy_kwh > 0:
            now_kwh += energy_kwh * battery.charge_efficiency
        else:
            now_kwh += energy_kwh / battery.discharge_efficiency
        battery_w[slot] = energy_kwh / hours * 1e3
        stored_kwh[slot] = now_kwh
    return battery_w, stored_kwh


def _energy_kwh(battery: BatteryModel, stored_kwh: float) -> float:
    """AC energy that changes what is stored by ``stored_kwh``; + charging."""
    if stored_kwh > 0:
        return stored_kwh / battery.charge_efficiency
    return stored_kwh * battery.discharge_efficiency


def _relaxed(problem: PlanProblem, grid_w: Array, curtailed_w: Array) -> tuple[SlackGroup, ...]:
    battery = problem.battery
    tolerance_wh = 1e-6 * battery.capacity_wh
    outside_wh = max(
        battery.soc_min_wh - battery.soc_now_wh, battery.soc_now_wh - battery.soc_max_wh
    )
    used = {
        SlackGroup.SOC: outside_wh > tolerance_wh,
        SlackGroup.IMPORT_LIMIT: bool((grid_w > problem.import_max_w + _TINY_W).any()),
        SlackGroup.EXPORT_LIMIT: bool((curtailed_w > 0.0).any()),
    }
    return tuple(group for group, is_used in used.items() if is_used)


def _grid_cost(problem: PlanProblem, grid_w: Array) -> float:
    price = np.where(grid_w > 0, problem.import_price_per_kwh, problem.export_price_per_kwh)
    return float((price * grid_w) @ problem.dt_h) / 1e3
