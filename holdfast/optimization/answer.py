"""What the solver found becomes an answer that was tried: simulated, and priced, on its own."""

import numpy as np

from holdfast.core.errors import PlanFailed
from holdfast.core.plan import PlanStatus
from holdfast.optimization.problem import Array, PlanProblem, PlanSolution, SlackGroup
from holdfast.optimization.slot_cost import exchange_at, preference_limit, through_kwh
from holdfast.optimization.storage_limits import stored_limits

_TINY_W = 0.1
_TOLERANCE_KWH = 1e-4
"""It is more than the solver's tolerances add up to over a week of slots."""
_TOLERANCE_SHARE, _TOLERANCE_COST = 1e-4, 1e-3


def build_solution(
    problem: PlanProblem,
    gained_kwh: Array,
    stored_value_per_kwh: Array,
    *,
    cost: float,
    bound: float,
) -> PlanSolution:
    """Builds the answer for ``gained_kwh``, the change in stored energy of each slot.

    Raises PlanFailed if a battery could not follow it, or if it does not cost what the solver
    says that it does.
    """
    battery, hours = problem.battery, problem.dt_h / 1e3
    battery_w = np.clip(
        through_kwh(problem, gained_kwh) / hours, -battery.discharge_max_w, battery.charge_max_w
    )
    battery_w = np.where(np.abs(battery_w) > 1e-6, battery_w, 0.0)
    soc_wh = _follow(problem, battery_w)
    exchange = exchange_at(problem, battery_w * hours)
    curtailed_w = np.where(
        exchange.curtailed_kwh > _TINY_W * hours, exchange.curtailed_kwh / hours, 0.0
    )
    grid_w = problem.net_load_w + battery_w + curtailed_w
    grid_cost = float(exchange.cost.sum())
    relaxed = _relaxed(problem, exchange.penalty, soc_wh)
    objective = grid_cost + battery_cost(problem, battery_w, soc_wh)
    penalty = float(exchange.penalty.sum())
    tolerance = _TOLERANCE_SHARE * abs(cost) + _TOLERANCE_COST + preference_limit(problem)
    if not abs(objective + penalty - cost) <= tolerance:
        raise PlanFailed(f"the answer costs {objective + penalty:.4f}, not {cost:.4f} as it says")
    return PlanSolution(
        status=PlanStatus.RELAXED if relaxed else PlanStatus.OPTIMAL,
        relaxed=relaxed,
        battery_w=battery_w,
        grid_w=grid_w,
        curtailed_w=curtailed_w,
        pv_off=exchange.pv_off,
        soc_wh=soc_wh,
        stored_value_per_kwh=stored_value_per_kwh,
        grid_cost=grid_cost,
        objective=objective,
        bound=min(bound - penalty, objective),
    )


def _follow(problem: PlanProblem, battery_w: Array) -> Array:
    """Returns the state of charge at the end of each slot, in Wh.

    It is that of a battery that follows ``battery_w``.
    """
    battery = problem.battery
    limits = stored_limits(problem)
    gained_wh = battery.stored_w(battery_w, problem.direct_w) * problem.dt_h
    soc_wh = battery.soc_now_wh + np.cumsum(gained_wh)
    before_wh = np.concatenate([[battery.soc_now_wh], soc_wh[:-1]])
    beyond_wh = gained_wh - battery.most_stored_wh(before_wh, problem.dt_h)
    if not (beyond_wh <= 1e3 * _TOLERANCE_KWH).all():
        raise PlanFailed(f"the answer stores {beyond_wh.max():g} Wh more than a full battery takes")
    outside_kwh = np.maximum(limits.low_kwh - soc_wh / 1e3, soc_wh / 1e3 - limits.high_kwh)
    if not (outside_kwh <= _TOLERANCE_KWH).all():
        worst = int(np.nanargmax(outside_kwh))
        raise PlanFailed(f"the answer leaves {soc_wh[worst]:g} Wh stored after slot {worst}")
    return np.clip(soc_wh, 0.0, battery.capacity_wh)


def battery_cost(problem: PlanProblem, battery_w: Array, soc_wh: Array) -> float:
    """Returns the cost of wear and ageing, less what is stored at the end."""
    battery = problem.battery
    delivered_kwh = float(np.maximum(-battery_w, 0.0) @ problem.dt_h) / 1e3
    aged_wh = np.maximum(soc_wh - battery.ageing_above_wh, 0.0)
    return (
        battery.wear_cost_per_kwh * delivered_kwh
        + float(aged_wh @ problem.ageing_cost_per_kwh) / 1e3
        - battery.terminal_value_per_kwh * float(soc_wh[-1]) / 1e3
    )


def _relaxed(problem: PlanProblem, penalty: Array, soc_wh: Array) -> tuple[SlackGroup, ...]:
    battery = problem.battery
    tolerance_wh = 1e-6 * battery.capacity_wh + 0.02
    outside_wh = max(
        battery.soc_min_wh - battery.soc_now_wh, battery.soc_now_wh - battery.soc_max_wh
    )
    penalized = penalty > problem.penalty_per_kwh * _TINY_W * problem.dt_h / 1e3
    imports = problem.net_load_w > problem.import_max_w
    used = {
        SlackGroup.SOC: outside_wh > 1e-6 * battery.capacity_wh,
        SlackGroup.IMPORT_LIMIT: bool((penalized & imports).any()),
        SlackGroup.EXPORT_LIMIT: bool((penalized & ~imports).any()),
        SlackGroup.FINAL_SOC: float(soc_wh[-1]) < battery.soc_final_min_wh - tolerance_wh,
    }
    return tuple(group for group, is_used in used.items() if is_used)
