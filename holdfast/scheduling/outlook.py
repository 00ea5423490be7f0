"""A solved problem with its times: what modes and reasons are read from."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from holdfast.optimization.problem import Array, BatteryModel, PlanProblem, PlanSolution
from holdfast.scheduling.export_limit import export_limit_w

_TOLERANCE_W = 20.0
_TOLERANCE_SHARE = 0.005
_PRICE_TOLERANCE_PER_KWH = 2e-4
"""Above what the solver's tolerances and tie-breaks move a value by,
and below a tenth of a cent."""
_EDGE_SHARE = 0.002
"""Of the capacity: this close to an operating limit the battery counts as full or empty."""

Numbers = tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """Slot by slot, what is planned and what would pay if reality differs a little.

    The solver tells what one more stored kWh in a slot is worth. Comparing that with the
    prices of the slot says which way a deviation from the forecast should be met.
    """

    starts: tuple[datetime, ...]
    """Of the slots; aware, UTC."""
    battery: BatteryModel
    import_price_per_kwh: Numbers
    export_price_per_kwh: Numbers
    load_w: Numbers
    battery_w: Numbers
    grid_w: Numbers
    soc_wh: Numbers
    """At the end of each slot."""
    stored_value_per_kwh: Numbers
    battery_sign: tuple[int, ...]
    """1 charging, -1 discharging, 0 neither (within a tolerance)."""
    grid_sign: tuple[int, ...]
    """1 import, -1 export, 0 neither (within a tolerance)."""
    export_limit_w: tuple[float | None, ...]
    """To which PV is throttled, whatever the sun does; None: what the grid connection permits."""
    throttles: tuple[bool, ...]
    """True where that costs PV even if the forecast holds."""

    def holding_pays(self, slot: int) -> bool:
        """True if stored energy is worth more later than the import it would save now."""
        battery = self.battery
        value = self.stored_value_per_kwh[slot]
        if self.is_full_after(slot) and self.grid_sign[slot] >= 0:
            # One kWh more has no room, but one less is missed later.
            value = max(value, self._carried_value(slot))
        cost = value / battery.discharge_efficiency + battery.wear_cost_per_kwh
        return cost > self.import_price_per_kwh[slot] + _PRICE_TOLERANCE_PER_KWH

    def storing_loses(self, slot: int) -> bool:
        """True if surplus earns more by export now than it would be worth when stored."""
        worth = self.stored_value_per_kwh[slot] * self.battery.charge_efficiency
        # What is throttled costs nothing.
        earned = self.export_price_per_kwh[slot] if self.export_limit_w[slot] is None else 0.0
        return earned > worth + _PRICE_TOLERANCE_PER_KWH

    def is_full_after(self, slot: int) -> bool:
        """True if the battery reaches its upper operating limit in this slot."""
        battery = self.battery
        return self.soc_wh[slot] >= battery.soc_max_wh - _EDGE_SHARE * battery.capacity_wh

    def is_empty_after(self, slot: int) -> bool:
        """True if the battery reaches its lower operating limit in this slot."""
        battery = self.battery
        return self.soc_wh[slot] <= battery.soc_min_wh + _EDGE_SHARE * battery.capacity_wh

    def next_uses(self) -> tuple[int | None, ...]:
        """For each slot, the dearest later one that serves from what is stored then.

        No later than the slot in which the battery runs empty; None if there is none.
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
        """For each slot, the next later one that charges; None if there is none."""
        charges: list[int | None] = [None] * len(self.starts)
        for slot in range(len(self.starts) - 2, -1, -1):
            charges[slot] = slot + 1 if self.battery_sign[slot + 1] > 0 else charges[slot + 1]
        return tuple(charges)

    def _carried_value(self, slot: int) -> float:
        if slot + 1 < len(self.starts):
            return self.stored_value_per_kwh[slot + 1]
        return self.battery.terminal_value_per_kwh


def build_outlook(
    starts: tuple[datetime, ...], problem: PlanProblem, solution: PlanSolution
) -> Outlook:
    """Outlook on ``solution``, the answer to ``problem``."""
    battery = problem.battery
    largest_w = max(battery.charge_max_w, battery.discharge_max_w)
    tolerance_w = max(_TOLERANCE_W, _TOLERANCE_SHARE * largest_w)
    limits_w = _export_limits_w(problem, solution)
    lost_w = solution.curtailed_w.tolist()
    return Outlook(
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
            limit_w is not None and lost_w[slot] > tolerance_w
            for slot, limit_w in enumerate(limits_w)
        ),
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
