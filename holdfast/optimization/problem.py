"""The question put to the optimizer and its answer, both as plain arrays.

Signs as everywhere: battery_w + charging, grid_w + import. One aggregated battery stands
for all storage units of the site.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from holdfast.core.errors import PlanFailed
from holdfast.core.plan import PlanStatus

Array = NDArray[np.float64]


class SlackGroup(StrEnum):
    """A group of limits that could not all be kept."""

    SOC = "soc"
    """The battery starts outside its operating limits."""
    IMPORT_LIMIT = "import_limit"
    """The load is above the import limit, and the battery cannot make up for it."""
    EXPORT_LIMIT = "export_limit"
    """PV surplus is above the export limit, and the battery cannot take it."""
    FINAL_SOC = "final_soc"
    """What shall be stored at the end cannot be reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryModel:
    """One battery, seen from the AC side."""

    capacity_wh: float
    soc_min_wh: float
    soc_max_wh: float
    soc_now_wh: float
    """May lie outside min..max; the plan then leads back."""
    charge_max_w: float
    """AC, >= 0."""
    discharge_max_w: float
    """AC, >= 0."""
    charge_efficiency: float
    """Stored per AC energy, in (0, 1]."""
    discharge_efficiency: float
    """AC energy per stored, in (0, 1]."""
    wear_cost_per_kwh: float = 0.0
    """Cost in life, counted once per kWh through the battery: when it is delivered (AC)."""
    terminal_value_per_kwh: float = 0.0
    """What a stored kWh is worth at the end of the horizon."""
    soc_final_min_wh: float = 0.0
    """Stored at the end at least."""
    ageing_cost_per_kwh_h: float = 0.0
    """Calendar ageing: cost of each hour in which a kWh is stored above ``ageing_above_wh``."""
    ageing_above_wh: float = 0.0
    deep_wear_cost_per_kwh: float = 0.0
    """Added to the wear of what is delivered beyond ``deep_from_wh`` of one cycle; only
    ``site_model.py`` knows it (Xu et al., IEEE Trans. Power Systems 33, 2018: segments of cycle
    depth)."""
    deep_from_wh: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what is no battery. Raises PlanFailed."""
        for name in self.__slots__:
            value = getattr(self, name)
            if not -1e12 < value < 1e12:
                raise PlanFailed(f"battery: {name} is {value}, not a finite number")
        if not 0 <= self.soc_min_wh <= self.soc_max_wh <= self.capacity_wh:
            raise PlanFailed("battery: needs 0 <= soc_min_wh <= soc_max_wh <= capacity_wh")
        if not 0 <= self.soc_now_wh <= self.capacity_wh:
            raise PlanFailed("battery: soc_now_wh is not within 0 to capacity_wh")
        if not (self.charge_max_w >= 0 and self.discharge_max_w >= 0):
            raise PlanFailed("battery: power limits must not be negative")
        if not (0 < self.charge_efficiency <= 1 and 0 < self.discharge_efficiency <= 1):
            raise PlanFailed("battery: efficiencies must be above 0 and at most 1")
        costs = (self.wear_cost_per_kwh, self.ageing_cost_per_kwh_h, self.deep_wear_cost_per_kwh)
        if not min(costs) >= 0:
            raise PlanFailed("battery: costs of wear and ageing must not be negative")
        for name in ("soc_final_min_wh", "ageing_above_wh", "deep_from_wh"):
            if not 0 <= getattr(self, name) <= self.capacity_wh:
                raise PlanFailed(f"battery: {name} is not within 0 to capacity_wh")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlanProblem:
    """What is known of the coming slots. All arrays have shape (slots,)."""

    dt_h: Array
    """Length of each slot, > 0."""
    import_price_per_kwh: Array
    export_price_per_kwh: Array
    """Earned per kWh exported; may be negative, and may be above the import price."""
    load_w: Array
    """>= 0."""
    pv_w: Array
    """>= 0."""
    import_max_w: float
    export_max_w: float
    battery: BatteryModel
    pv_curtailable: bool = False
    """Surplus PV may be throttled where that pays, as an inverter's export limit does: what load
    and battery take is let through. Otherwise it is lost only where it finds no way out."""
    least_w: Array | None = None
    """Battery power of each slot at least, at most 0 W. None: what the battery can."""
    most_w: Array | None = None
    """At most, at least 0 W."""
    ageing_factor: Array | None = None
    """How much faster than at 25 °C the cells age in each slot, >= 0. None: not at all."""

    def __post_init__(self) -> None:
        """Refuse arrays of different length, non-finite numbers and wrong signs."""
        slots = self.dt_h.shape
        if len(slots) != 1 or slots[0] < 1:
            raise PlanFailed("problem: needs at least one slot")
        for name in ("dt_h", "import_price_per_kwh", "export_price_per_kwh", "load_w", "pv_w"):
            values: Array = getattr(self, name)
            if values.shape != slots or values.dtype != np.float64:
                raise PlanFailed(f"problem: {name} is not an array of {slots[0]} floats")
            if not np.isfinite(values).all():
                raise PlanFailed(f"problem: {name} holds a number that is not finite")
        if not ((self.dt_h > 0).all() and (self.load_w >= 0).all() and (self.pv_w >= 0).all()):
            raise PlanFailed("problem: dt_h must be above 0, load_w and pv_w not negative")
        for name in ("least_w", "most_w", "ageing_factor"):
            bound: Array | None = getattr(self, name)
            if bound is not None and not (bound.shape == slots and np.isfinite(bound).all()):
                raise PlanFailed(f"problem: {name} is not one finite number a slot")
        if not (0 <= self.import_max_w < np.inf and 0 <= self.export_max_w < np.inf):
            raise PlanFailed("problem: grid limits must be finite and not negative")

    @property
    def slots(self) -> int:
        """Number of slots."""
        return len(self.dt_h)

    @property
    def net_load_w(self) -> Array:
        """Load minus PV; negative is surplus."""
        return self.load_w - self.pv_w

    @property
    def ageing_cost_per_kwh(self) -> Array:
        """Of a kWh stored above the level from which it ages the cells, for the whole slot."""
        factor = 1.0 if self.ageing_factor is None else self.ageing_factor
        return np.asarray(self.battery.ageing_cost_per_kwh_h * self.dt_h * factor)

    @property
    def penalty_per_kwh(self) -> float:
        """Above anything that prices, wear and efficiencies can earn: for what cannot be kept."""
        highest = max(
            float(np.abs(self.import_price_per_kwh).max()),
            float(np.abs(self.export_price_per_kwh).max()),
        )
        return 1.0 + 10.0 * (highest + self.battery.wear_cost_per_kwh)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlanSolution:
    """What is best. All arrays have shape (slots,)."""

    status: PlanStatus
    relaxed: tuple[SlackGroup, ...]
    """Which limits could not be kept; empty when optimal."""
    battery_w: Array
    """+ charging; mean over the slot."""
    grid_w: Array
    """+ import; load + battery - (pv - curtailed)."""
    curtailed_w: Array
    """PV that is throttled, or finds no way out, >= 0."""
    soc_wh: Array
    """At the end of each slot."""
    stored_value_per_kwh: Array
    """What one more stored kWh in this slot would be worth (the dual of its storage row)."""
    grid_cost: float
    """Of the energy at the grid connection alone."""
    objective: float
    """grid_cost + wear + ageing - value of what is stored at the end."""
    bound: float
    """No answer to the problem has a lower objective, by proof."""
