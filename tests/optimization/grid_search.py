"""A battery with losses by power, a taper and a hybrid inverter, searched on a fine grid.

It is written apart from the code under test: all that it shares with it is the question.
"""

from dataclasses import dataclass

import numpy as np

from holdfast.optimization.problem import Array, PlanProblem

STEP_WH = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What the question is about, in plain words: powers in W, energies in Wh."""

    corners: tuple[tuple[float, float], ...]
    """AC power and battery power, both + charging."""
    taper_from_wh: float
    taper_to: float
    """The share of the most that the battery takes when full; 1: no taper."""
    hybrid_w: float = np.inf
    pv_stored: float = 0.0


def stored_w(world: World, ac_w: float, pv_w: float) -> float:
    """The battery's power for an AC power."""
    direct_w = min(max(ac_w, 0.0), pv_w) if world.pv_stored else 0.0
    through = [ac for ac, _ in world.corners], [battery for _, battery in world.corners]
    return float(np.interp(ac_w - direct_w, *through)) + world.pv_stored * direct_w


def least_cost(problem: PlanProblem, world: World) -> float:
    """The least that the question costs, but for what the grid leaves."""
    battery = problem.battery
    levels = np.arange(battery.soc_min_wh, battery.soc_max_wh + 1e-9, STEP_WH)
    value = -battery.terminal_value_per_kwh * levels / 1e3
    for slot in range(problem.slots - 1, -1, -1):
        hours, pv_w = float(problem.dt_h[slot]), float(problem.pv_w[slot])
        powers_w = np.linspace(-battery.discharge_max_w, battery.charge_max_w, 1601)
        gains_wh = np.array([stored_w(world, w, pv_w) for w in powers_w.tolist()]) * hours
        costs = np.array([_cost(problem, world, slot, w) for w in powers_w.tolist()])
        best, full_wh = np.full(len(levels), np.inf), world.corners[-1][1] * hours
        starts = [battery.soc_now_wh] if slot == 0 else levels.tolist()
        for index, start_wh in enumerate(starts):
            ends = start_wh + gains_wh
            fits = (ends >= levels[0] - 1e-6) & (ends <= levels[-1] + 1e-6)
            fits &= gains_wh <= _most_wh(world, battery.capacity_wh, full_wh, start_wh) + 1e-9
            if fits.any():
                later = np.interp(ends[fits], levels, value)
                best[index] = (costs[fits] + later).min()
        value = best
    return float(value[0])


def _most_wh(world: World, capacity_wh: float, full_wh: float, start_wh: float) -> float:
    """What a slot stores that would store ``full_wh`` without a taper: power falls while it does.

    As the optimizer has it: the straight line of the taper also holds before it begins.
    """
    if world.taper_to == 1.0:
        return np.inf
    width_wh = capacity_wh - world.taper_from_wh
    end_wh = world.taper_from_wh + width_wh / (1.0 - world.taper_to)
    return (end_wh - start_wh) * -np.expm1(-full_wh * (1.0 - world.taper_to) / width_wh)


def _cost(problem: PlanProblem, world: World, slot: int, power_w: float) -> float:
    """What a slot costs at the meter and in wear; infinite for what cannot be."""
    load_w, pv_w = float(problem.load_w[slot]), float(problem.pv_w[slot])
    bought, sold = problem.import_price_per_kwh[slot], problem.export_price_per_kwh[slot]
    kwh = float(problem.dt_h[slot]) / 1e3
    if power_w > world.hybrid_w + pv_w + 1e-9:
        return np.inf
    if power_w < min(pv_w - world.hybrid_w, 0.0) - 1e-9:
        return np.inf
    inverter_w = max(power_w - pv_w, -world.hybrid_w)
    grid_w = load_w + inverter_w
    curtailed: Array = np.array([0.0])
    if problem.pv_curtailable and grid_w < 0.0:
        curtailed = np.array([0.0, min(-grid_w, pv_w)])
    grids = grid_w + curtailed
    costs = np.where(grids > 0.0, grids * bought, grids * sold) * kwh
    return float(costs.min()) + max(-power_w, 0.0) * kwh * problem.battery.wear_cost_per_kwh
