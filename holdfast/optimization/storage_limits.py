"""These limits tell what may be stored at the end of each slot, and what it costs to store it."""

from dataclasses import dataclass

import numpy as np

from holdfast.optimization.problem import Array, PlanProblem
from holdfast.optimization.storage_program import Columns
from holdfast.optimization.value_function import PiecewiseLinear

_ROOM_KWH = 1e-5
"""It is added where a limit is only just reachable: a hundred times the solver's tolerance."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StoredLimits:
    """Holds limits and costs of the stored energy. Arrays have shape (slots,)."""

    low_kwh: Array
    high_kwh: Array
    cost_per_kwh: Array
    """It is that of what is stored: what it is worth at the end, negative."""
    ageing_per_kwh: Array
    """It is added for what is above ``aged_above_kwh``."""
    aged_above_kwh: float

    def columns(self) -> tuple[Columns, Columns]:
        """Splits what is stored in two: the part that ages the cells costs more."""
        stored = Columns(
            lower=np.minimum(self.low_kwh, self.aged_above_kwh),
            upper=np.minimum(self.high_kwh, self.aged_above_kwh),
            cost=self.cost_per_kwh,
        )
        aged = Columns(
            lower=self.low_kwh - stored.lower,
            upper=self.high_kwh - stored.upper,
            cost=self.cost_per_kwh + self.ageing_per_kwh,
        )
        return stored, aged

    def cost_of(self, stored_kwh: Array) -> float:
        """Returns the cost of storing ``stored_kwh``, shape (slots,)."""
        aged_kwh = np.maximum(stored_kwh - self.aged_above_kwh, 0.0)
        return float(stored_kwh @ self.cost_per_kwh + aged_kwh @ self.ageing_per_kwh)

    def holding_line(self, slot: int) -> PiecewiseLinear:
        """Returns the cost against what is stored at the end of one slot."""
        low, high = float(self.low_kwh[slot]), float(self.high_kwh[slot])
        x = np.array(sorted({low, min(max(self.aged_above_kwh, low), high), high}))
        aged_kwh = np.maximum(x - self.aged_above_kwh, 0.0)
        return PiecewiseLinear(
            x=x, y=x * self.cost_per_kwh[slot] + aged_kwh * self.ageing_per_kwh[slot]
        )


def stored_limits(problem: PlanProblem) -> StoredLimits:
    """Returns limits that hold from where the battery is, and lead to where it shall be.

    Below the minimum the battery charges as fast as the import limit allows; above the maximum
    it serves what the load takes, and is never made to export for it. What shall be stored at
    the end is asked for as far as it can be reached.
    """
    battery = problem.battery
    low = np.full(problem.slots, battery.soc_min_wh / 1e3)
    high = np.full(problem.slots, battery.soc_max_wh / 1e3)
    if battery.soc_now_wh < battery.soc_min_wh or battery.idle_w > 0.0:
        low = np.minimum(low, _filled_kwh(problem))
    if battery.soc_now_wh > battery.soc_max_wh:
        high = np.maximum(high, _served_kwh(problem))
    if battery.soc_final_min_wh > battery.soc_min_wh:
        wanted = min(battery.soc_final_min_wh, battery.soc_max_wh) / 1e3
        low[-1] = max(low[-1], min(wanted, float(_filled_kwh(problem)[-1])))
    low, high = _as_asked(problem, low, high)
    cost = np.zeros(problem.slots)
    cost[-1] = -battery.terminal_value_per_kwh
    return StoredLimits(
        low_kwh=low,
        high_kwh=high,
        cost_per_kwh=cost,
        ageing_per_kwh=problem.ageing_cost_per_kwh,
        aged_above_kwh=battery.ageing_above_wh / 1e3 if battery.ageing_cost_per_kwh_h else np.inf,
    )


def _as_asked(problem: PlanProblem, low: Array, high: Array) -> tuple[Array, Array]:
    """Returns the limits with what the problem asks for beside those of the battery."""
    if problem.reached_wh is not None:
        most_wh, least_wh = problem.reached_wh
        low = np.minimum(low, np.maximum(most_wh / 1e3 - _ROOM_KWH, 0.0))
        high = np.maximum(high, least_wh / 1e3 + _ROOM_KWH)
    if problem.floor_wh is not None:
        low = np.maximum(low, np.maximum(problem.floor_wh / 1e3 - _ROOM_KWH, 0.0))
    if problem.ceiling_wh is not None:
        high = np.minimum(high, problem.ceiling_wh / 1e3 + _ROOM_KWH)
    return low, high


def _filled_kwh(problem: PlanProblem) -> Array:
    """Returns what is stored if the battery only ever charges, within the import limit."""
    battery, room_w = problem.battery, problem.import_max_w - problem.net_load_w
    room_w = np.clip(np.minimum(room_w, problem.hybrid_room_w[1]), 0.0, battery.charge_max_w)
    gained_wh = battery.stored_w(room_w, problem.direct_w) * problem.dt_h
    filled, now_wh = np.empty(problem.slots), battery.soc_now_wh
    for slot, gain_wh in enumerate(gained_wh.tolist()):
        most_wh = float(battery.most_stored_wh(now_wh, problem.dt_h[slot]))
        now_wh = min(now_wh + min(gain_wh, most_wh), battery.capacity_wh)
        filled[slot] = now_wh
    return np.maximum(filled / 1e3 - _ROOM_KWH, 0.0)


def _served_kwh(problem: PlanProblem) -> Array:
    """Returns what is stored if the battery only ever serves the load."""
    battery = problem.battery
    taken_w = np.clip(problem.net_load_w, 0.0, battery.discharge_max_w)
    taken_w = np.minimum(taken_w, -problem.hybrid_room_w[0])
    given_wh = np.cumsum(-battery.stored_w(-taken_w) * problem.dt_h)
    return np.asarray((battery.soc_now_wh - given_wh) / 1e3 + _ROOM_KWH)
