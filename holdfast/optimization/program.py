"""A PlanProblem as costs, bounds and matrix of the linear program that model.py describes.

Columns come in five blocks of one per slot: charge, discharge, imported, slack, stored;
rows in two: balance, storage. Everything in kWh per slot and currency per kWh.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holdfast.optimization.problem import Array, PlanProblem

LATER_COST_PER_KWH = 3e-7
"""Per slot of delay: among equals the earlier slot wins, so that answers do not jump.
A little above the solver's tolerance for costs, or it would not count."""


_ROOM_KWH = 1e-5
"""Added where a limit is only just reachable: a hundred times the solver's tolerance."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Program:
    """Everything of the linear program but its matrix."""

    costs: Array
    """Shape (5 x slots,)."""
    lower: Array
    upper: Array
    row_lower: Array
    """Shape (2 x slots,)."""
    row_upper: Array
    stored_low_kwh: Array
    """Limits of the stored energy at the end of each slot, shape (slots,)."""
    stored_high_kwh: Array


def build_program(problem: PlanProblem) -> Program:
    """Costs and bounds of ``problem``."""
    low, high = _stored_limits(problem)
    lower, upper = _column_bounds(problem, low, high)
    row_lower, row_upper = _row_bounds(problem)
    return Program(
        costs=_costs(problem),
        lower=lower,
        upper=upper,
        row_lower=row_lower,
        row_upper=row_upper,
        stored_low_kwh=low,
        stored_high_kwh=high,
    )


def build_matrix(
    slots: int, charge_efficiency: float, discharge_efficiency: float
) -> tuple[NDArray[np.int32], NDArray[np.int32], Array]:
    """Starts, row indices and entries, column by column."""
    balance = np.arange(slots, dtype=np.int32)
    storage = balance + slots
    pairs = np.column_stack([balance, storage]).ravel()
    following = np.column_stack([storage, storage + 1]).ravel()[:-1]
    indices = np.concatenate([pairs, pairs, balance, balance, following])
    entries = np.concatenate(
        [
            np.tile([-1.0, -charge_efficiency], slots),
            np.tile([1.0, 1.0 / discharge_efficiency], slots),
            np.ones(2 * slots),
            np.tile([1.0, -1.0], slots)[:-1],
        ]
    )
    per_column = np.repeat([2, 2, 1, 1, 2], slots)
    starts = np.concatenate([[0], np.cumsum(per_column)[:-1]])
    return starts.astype(np.int32), indices.astype(np.int32), entries


def _costs(problem: PlanProblem) -> Array:
    battery = problem.battery
    bought, sold = problem.import_price_per_kwh, _convex_export_price(problem)
    highest = max(float(np.abs(bought).max()), float(np.abs(sold).max()))
    # Above anything that prices, wear and efficiencies can earn.
    penalty = 1.0 + 10.0 * (highest + battery.wear_cost_per_kwh)
    short = problem.net_load_w > problem.import_max_w
    later = LATER_COST_PER_KWH * np.arange(problem.slots)
    stored = np.zeros(problem.slots)
    stored[-1] = -battery.terminal_value_per_kwh
    return np.concatenate(
        [
            sold + later,
            battery.wear_cost_per_kwh - sold + later,
            bought - sold,
            np.where(short, bought - sold + penalty, -sold - penalty),
            stored,
        ]
    )


def _convex_export_price(problem: PlanProblem) -> Array:
    bought, sold = problem.import_price_per_kwh, problem.export_price_per_kwh
    exports_anyway = problem.net_load_w < -problem.battery.charge_max_w
    # Where it exports anyway, importing at once is ruled out by a bound (_column_bounds).
    return np.where(exports_anyway, sold, np.minimum(sold, bought))


def _column_bounds(problem: PlanProblem, low: Array, high: Array) -> tuple[Array, Array]:
    battery, dt_h, net_w = problem.battery, problem.dt_h, problem.net_load_w
    zero = np.zeros(problem.slots)
    exports_anyway = net_w < -battery.charge_max_w
    over_kwh = np.maximum(net_w - problem.import_max_w, 0.0) * dt_h / 1e3
    curtailed_kwh = np.maximum(-net_w - problem.export_max_w, 0.0) * dt_h / 1e3
    lower = np.concatenate([zero, zero, zero, -curtailed_kwh, low])
    upper = np.concatenate(
        [
            battery.charge_max_w * dt_h / 1e3,
            battery.discharge_max_w * dt_h / 1e3,
            np.where(exports_anyway, 0.0, problem.import_max_w) * dt_h / 1e3,
            over_kwh,
            high,
        ]
    )
    return lower, upper


def _row_bounds(problem: PlanProblem) -> tuple[Array, Array]:
    net_kwh = problem.net_load_w * problem.dt_h / 1e3
    storage = np.zeros(problem.slots)
    storage[0] = problem.battery.soc_now_wh / 1e3
    return (
        np.concatenate([net_kwh, storage]),
        np.concatenate([net_kwh + problem.export_max_w * problem.dt_h / 1e3, storage]),
    )


def _stored_limits(problem: PlanProblem) -> tuple[Array, Array]:
    """Limits that hold from where the battery is, and lead back to its operating limits.

    Below the minimum it charges as fast as the import limit allows; above the maximum it
    serves what the load takes, and is never made to export for it.
    """
    battery, net_w = problem.battery, problem.net_load_w
    low = np.full(problem.slots, battery.soc_min_wh / 1e3)
    high = np.full(problem.slots, battery.soc_max_wh / 1e3)
    if battery.soc_now_wh < battery.soc_min_wh:
        room_w = np.clip(problem.import_max_w - net_w, 0.0, battery.charge_max_w)
        gained_wh = np.cumsum(room_w * problem.dt_h) * battery.charge_efficiency
        reached_kwh = (battery.soc_now_wh + gained_wh) / 1e3 - _ROOM_KWH
        low = np.clip(reached_kwh, 0.0, low)
    if battery.soc_now_wh > battery.soc_max_wh:
        taken_w = np.clip(net_w, 0.0, battery.discharge_max_w)
        given_wh = np.cumsum(taken_w * problem.dt_h) / battery.discharge_efficiency
        high = np.maximum(high, (battery.soc_now_wh - given_wh) / 1e3 + _ROOM_KWH)
    return low, high
