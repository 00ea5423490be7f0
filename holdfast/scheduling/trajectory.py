"""A trajectory is a solved problem with its times: modes and reasons are read from it."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from holdfast.optimization.problem import Array, BatteryModel, PlanProblem, PlanSolution
from holdfast.scheduling.export_limit import export_limit_w

_TOLERANCE_W = 20.0
_TOLERANCE_SHARE = 0.005
_IDLE_TIMES = 1.5
_PRICE_TOLERANCE_PER_KWH = 2e-4
"""It is above what the solver's tolerances and tie-breaks move a value by.

It is below a tenth of a cent.
"""
_EDGE_SHARE = 0.002
"""It is a share of the capacity.

This close to an operating limit the battery counts as full or empty.
"""

Numbers = tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trajectory:
    """Tells slot by slot what is planned and what would pay if reality differs a little.

    The solver tells what one more stored kWh in a slot is worth. Comparing that with the
    prices of the slot says which way a deviation from the forecast should be met.
    """

    starts: tuple[datetime, ...]
    """They are those of the slots; aware, UTC."""
    battery: BatteryModel
    import_price_per_kwh: Numbers
    export_price_per_kwh: Numbers
    load_w: Numbers
    battery_w: Numbers
    grid_w: Numbers
    soc_wh: Numbers
    """It is taken at the end of each slot."""
    stored_value_per_kwh: Numbers
    battery_sign: tuple[int, ...]
    """It is 1 for charging, -1 for discharging, 0 for neither (within a tolerance)."""
    grid_sign: tuple[int, ...]
    """It is 1 for import, -1 for export, 0 for neither (within a tolerance)."""
    export_limit_w: tuple[float | None, ...]
    """PV is throttled to it, whatever the sun does.

    It is None for what the grid connection permits.
    """
    throttles: tuple[bool, ...]
    """It is true where that costs PV even if the forecast holds."""
    pv_on: tuple[bool, ...]
    """It is false where PV is switched off."""

    def holding_pays(self, slot: int) -> bool:
        """Says whether stored energy is worth more later than the import it would save now."""
        battery = self.battery
        value = self.stored_value_per_kwh[slot]
        if self.is_full_after(slot) and self.grid_sign[slot] >= 0:
            # One kWh more has no room, but one less is missed later.
            value = max(value, self._carried_value(slot))
        cost = value / battery.discharge_efficiency + battery.wear_cost_per_kwh
        return cost > self.import_price_per_kwh[slot] + _PRICE_TOLERANCE_PER_KWH

    def storing_loses(self, slot: int) -> bool:
        """Says whether surplus earns more by export now than it would be worth when stored."""
        worth = self.stored_value_per_kwh[slot] * self.battery.charge_efficiency
        # What is throttled costs nothing.
        earned = self.export_price_per_kwh[slot] if self.export_limit_w[slot] is None else 0.0
        return earned > worth + _PRICE_TOLERANCE_PER_KWH

    def is_full_after(self, slot: int) -> bool:
        """Says whether the battery reaches its upper operating limit in this slot."""
        battery = self.battery
        return self.soc_wh[slot] >= battery.soc_max_wh - _EDGE_SHARE * battery.capacity_wh

    def is_empty_after(self, slot: int) -> bool:
        """Says whether the battery reaches its lower operating limit in this slot."""
        battery = self.battery
        return self.soc_wh[slot] <= battery.soc_min_wh + _EDGE_SHARE * battery.capacity_wh

    def next_uses(self) -> tuple[int | None, ...]:
        """Returns for each slot the dearest later one that serves from what is stored then.

        It is no later than the slot in which the battery runs empty; None if there is none.
        """
        uses: list[int | None] = [None] * len(self.starts)
        for slot in range(len(self.starts) - 2, -1, -1):
            after = slot + 1
            best = None if self.is_empty_after(after) else uses[after]
            if self.battery_sign[after] < 0 and (
                best is None or self.import_price_per_kwh[after] >= self.import_price_per_kwh[best]
            ):
                best = after
            uses[slot] = best
        return tuple(uses)

    def next_charges(self) -> tuple[int | None, ...]:
        """Returns for each slot the next later one that charges; None if there is none."""
        charges: list[int | None] = [None] * len(self.starts)
        for slot in range(len(self.starts) - 2, -1, -1):
            charges[slot] = slot + 1 if self.battery_sign[slot + 1] > 0 else charges[slot + 1]
        return tuple(charges)

    def _carried_value(self, slot: int) -> float:
        if slot + 1 < len(self.starts):
            return self.stored_value_per_kwh[slot + 1]
        return self.battery.terminal_value_per_kwh


def build_trajectory(
    starts: tuple[datetime, ...], problem: PlanProblem, solution: PlanSolution
) -> Trajectory:
    """Builds the trajectory on ``solution``, the answer to ``problem``."""
    battery = problem.battery
    largest_w = max(battery.charge_max_w, battery.discharge_max_w)
    # What makes up for an inverter that is on is no charge.
    tolerance_w = max(_TOLERANCE_W, _TOLERANCE_SHARE * largest_w, _IDLE_TIMES * battery.idle_w)
    limits_w = _export_limits_w(problem, solution)
    lost_w, pv_on = solution.curtailed_w.tolist(), (~solution.pv_off).tolist()
    return Trajectory(
        starts=starts,
        battery=battery,
        import_price_per_kwh=tuple(problem.import_price_per_kwh.tolist()),
        export_price_per_kwh=tuple(problem.export_price_per_kwh.tolist()),
        load_w=tuple(problem.load_w.tolist()),
        battery_w=tuple(solution.battery_w.tolist()),
        grid_w=tuple(solution.grid_w.tolist()),
        soc_wh=tuple(solution.soc_wh.tolist()),
        stored_value_per_kwh=tuple(solution.stored_value_per_kwh.tolist()),
        battery_sign=_signs(solution.battery_w, tolerance_w),
        grid_sign=_signs(solution.grid_w, tolerance_w),
        export_limit_w=limits_w,
        throttles=tuple(
            limit_w is not None and lost_w[slot] > tolerance_w and pv_on[slot]
            for slot, limit_w in enumerate(limits_w)
        ),
        pv_on=tuple(pv_on),
    )


def _export_limits_w(problem: PlanProblem, solution: PlanSolution) -> tuple[float | None, ...]:
    if not problem.pv_curtailable:
        return (None,) * problem.slots
    return tuple(
        export_limit_w(price, problem.export_max_w, planned_w=-grid_w)
        for price, grid_w in zip(
            problem.export_price_per_kwh.tolist(), solution.grid_w.tolist(), strict=True
        )
    )


def _signs(power_w: Array, tolerance_w: float) -> tuple[int, ...]:
    return tuple(np.where(np.abs(power_w) > tolerance_w, np.sign(power_w), 0).astype(int).tolist())
