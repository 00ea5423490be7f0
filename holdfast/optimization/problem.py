"""The question put to the optimizer and its answer are both plain arrays.

Signs are as everywhere: battery_w + charging, grid_w + import. One aggregated battery stands
for all storage units of the site.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from holdfast.core.errors import PlanFailed
from holdfast.core.plan import PV_OFF_IMPORT_SHARE, PlanStatus
from holdfast.optimization.conversion import Conversion

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

PV_OFF_BELOW_PER_KWH = -0.005
"""At an import price below this it pays to switch PV off, in the site's currency.

A price that wavers about zero is no reason to move a switch, nor to write a register that wears
out: at half a cent the PV that a house would use itself in an hour (1 kWh) is worth as much.
"""
_MOST_SHARE = 1.0 - 1e-6
"""In a slot that is long enough all that is missing would be taken, but for what rounding hides."""
_DUSK_W = 10.0
"""Less PV is not worth a switch at any price."""


class SlackGroup(StrEnum):
    """Names a group of limits that could not all be kept."""

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
    """A battery is seen from the AC side."""

    capacity_wh: float
    soc_min_wh: float
    soc_max_wh: float
    soc_now_wh: float
    """It may lie outside min..max; the plan then leads back."""
    charge_max_w: float
    """It is AC power, >= 0."""
    discharge_max_w: float
    """It is AC power, >= 0."""
    charge_efficiency: float
    """It is stored energy per AC energy, in (0, 1]."""
    discharge_efficiency: float
    """It is AC energy per stored energy, in (0, 1]."""
    wear_cost_per_kwh: float = 0.0
    """Life costs this, counted once per kWh through the battery: when it is delivered (AC)."""
    terminal_value_per_kwh: float = 0.0
    """A stored kWh is worth this at the end of the horizon."""
    soc_final_min_wh: float = 0.0
    """At least this is stored at the end."""
    ageing_cost_per_kwh_h: float = 0.0
    """Calendar ageing costs this for each hour in which a kWh is above ``ageing_above_wh``."""
    ageing_above_wh: float = 0.0
    deep_wear_cost_per_kwh: float = 0.0
    """It is added to the wear of what is delivered beyond ``deep_from_wh`` of one cycle.

    Only ``site_model.py`` knows it (Xu et al., IEEE Trans. Power Systems 33, 2018: segments of
    cycle depth).
    """
    deep_from_wh: float = 0.0
    conversion: Conversion | None = None
    """It has losses by power, in the place of the two efficiencies, which then are those at half
    of the power beside what is drawn to be on. None: the efficiencies hold at any power."""
    taper_per_h: float = 0.0
    """Battery power is at most so many times what is missing to ``taper_end_wh``, as it is near
    full; 0: no matter how full it is."""
    taper_end_wh: float = 0.0
    hybrid_ac_max_w: float | None = None
    """PV and battery together give to AC, or take from it, no more. None: PV has its own way."""
    pv_stored_per_kwh: float = 0.0
    """So much is stored of a kWh of PV (AC) that reaches the battery without passing AC; 0: all
    passes it."""

    def __post_init__(self) -> None:
        """Refuses what is no battery. Raises PlanFailed."""
        for name in self.__slots__:
            value = getattr(self, name)
            if isinstance(value, float | int) and not -1e12 < value < 1e12:
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
        self._check_inverter()

    def _check_inverter(self) -> None:
        if self.taper_per_h and not (self.taper_per_h > 0 and self.taper_end_wh > self.capacity_wh):
            raise PlanFailed("battery: what it takes must fall to more than nothing when full")
        if not (self.pv_stored_per_kwh >= 0 and (self.hybrid_ac_max_w or 0.0) >= 0):
            raise PlanFailed("battery: what a hybrid inverter can must not be negative")

    @property
    def idle_w(self) -> float:
        """Returns what the inverter draws from the battery at 0 W, >= 0."""
        return 0.0 if self.conversion is None else self.conversion.idle_w

    @property
    def is_linear(self) -> bool:
        """Says whether the two efficiencies tell all of its losses."""
        return self.conversion is None and self.pv_stored_per_kwh == 0.0

    def stored_w(self, ac_w: Array, direct_w: Array | float = 0.0) -> Array:
        """Returns the power at which energy is stored (negative: taken) for an AC power.

        ``direct_w`` is the PV that may reach the battery without passing AC, >= 0.
        """
        if self.pv_stored_per_kwh > 0.0:
            taken_w = np.clip(ac_w, 0.0, direct_w)
            return self._through_ac(ac_w - taken_w) + self.pv_stored_per_kwh * taken_w
        return self._through_ac(ac_w)

    def ac_w(self, stored_w: Array, direct_w: Array | float = 0.0) -> Array:
        """Returns the AC power at which energy is stored with ``stored_w``: the other way round."""
        if self.pv_stored_per_kwh > 0.0:
            wanted_w = (stored_w + self.idle_w) / self.pv_stored_per_kwh
            taken_w = np.clip(wanted_w, 0.0, direct_w)
            return taken_w + self._from_stored(stored_w - self.pv_stored_per_kwh * taken_w)
        return self._from_stored(stored_w)

    def most_stored_wh(self, stored_wh: Array | float, hours: Array | float) -> Array:
        """Returns how much more may be stored after so many hours: less, the fuller it is."""
        if self.taper_per_h == 0.0:
            return np.asarray(np.inf)
        return np.asarray(self.taken_near_full(hours) * (self.taper_end_wh - stored_wh))

    def taken_near_full(self, hours: Array | float) -> Array:
        """Returns the share of what is missing to ``taper_end_wh`` that it takes in ``hours``."""
        return np.minimum(-np.expm1(-self.taper_per_h * np.asarray(hours)), _MOST_SHARE)

    def _through_ac(self, ac_w: Array) -> Array:
        if self.conversion is not None:
            return self.conversion.to_battery(ac_w)
        factor = np.where(ac_w > 0.0, self.charge_efficiency, 1 / self.discharge_efficiency)
        return np.asarray(ac_w * factor)

    def _from_stored(self, stored_w: Array) -> Array:
        if self.conversion is not None:
            return self.conversion.to_ac(stored_w)
        factor = np.where(stored_w > 0.0, 1 / self.charge_efficiency, self.discharge_efficiency)
        return np.asarray(stored_w * factor)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlanProblem:
    """Tells what is known of the coming slots. All arrays have shape (slots,)."""

    dt_h: Array
    """It is the length of each slot, > 0."""
    import_price_per_kwh: Array
    export_price_per_kwh: Array
    """It is earned per kWh exported; it may be negative, and may be above the import price."""
    load_w: Array
    """It is >= 0."""
    pv_w: Array
    """It is >= 0."""
    import_max_w: float | Array
    """It is one for all slots, or one for each."""
    export_max_w: float
    battery: BatteryModel
    pv_curtailable: bool = False
    """Surplus PV may be throttled where that pays, as an inverter's export limit does: what load
    and battery take is let through. Otherwise it is lost only where it finds no way out."""
    pv_switchable: bool = False
    """PV may be switched off for a whole slot where import is paid for (``may_switch_pv``)."""
    sells_stored: bool = True
    """It is false if what is stored serves the load, and none of it is exported; PV may be."""
    least_w: Array | None = None
    """It is the least battery power of each slot. None: what the battery can."""
    most_w: Array | None = None
    """It is the most battery power of each slot. None: what the battery can."""
    floor_wh: Array | None = None
    """It is the least that may be stored at the end of each slot, where that is more than the
    battery's own minimum. None: that alone."""
    ceiling_wh: Array | None = None
    """It is the most that may be stored at the end of each slot, likewise."""
    reached_wh: tuple[Array, Array] | None = None
    """It is the most and the least that can be stored at the end of each slot beside what is fixed
    by ``least_w`` and ``most_w``: the battery's own limits give way to it."""
    ageing_factor: Array | None = None
    """Cells age in each slot this much faster than at 25 °C, >= 0. None means not at all."""

    def __post_init__(self) -> None:
        """Refuses arrays of different length, non-finite numbers and wrong signs.

        Raises PlanFailed.
        """
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
        for name in ("least_w", "most_w", "floor_wh", "ceiling_wh", "ageing_factor"):
            bound: Array | None = getattr(self, name)
            if bound is not None and not (bound.shape == slots and np.isfinite(bound).all()):
                raise PlanFailed(f"problem: {name} is not one finite number a slot")
        limits = np.append(self.import_max_w, self.export_max_w)
        if not ((limits >= 0) & (limits < np.inf)).all():
            raise PlanFailed("problem: grid limits must be finite and not negative")

    @property
    def slots(self) -> int:
        """Returns the number of slots."""
        return len(self.dt_h)

    @property
    def may_switch_pv(self) -> Mask:
        """Says in which slots PV may be switched off: there is some, and import is paid for."""
        pays = self.import_price_per_kwh < PV_OFF_BELOW_PER_KWH
        return np.asarray(pays & (self.pv_w >= _DUSK_W) & self.pv_switchable)

    @property
    def pv_off_import_max_w(self) -> float | Array:
        """Returns what may be imported while PV is off, in W."""
        return PV_OFF_IMPORT_SHARE * self.import_max_w

    @property
    def net_load_w(self) -> Array:
        """Returns load minus PV, in W; negative is surplus."""
        return self.load_w - self.pv_w

    @property
    def taken_near_full(self) -> Array | None:
        """Returns the share of what is missing to ``taper_end_wh`` that may be stored in each slot;
        None: it does not matter how full the battery is."""
        battery = self.battery
        return None if battery.taper_per_h == 0.0 else battery.taken_near_full(self.dt_h)

    @property
    def direct_w(self) -> Array:
        """Returns the PV that may reach the battery without passing AC, in W.

        Where PV may be switched off none counts: what is stored would hang on that, too.
        """
        return np.where(self.may_switch_pv, 0.0, self.pv_w)

    @property
    def hybrid_room_w(self) -> tuple[Array, Array]:
        """Returns the least and most battery power in W that an inverter has room for which PV and
        battery share: PV goes first."""
        return hybrid_room_w(self.battery, self.pv_w)

    @property
    def deficit_w(self) -> Array:
        """Returns the load that PV does not serve, in W."""
        return np.maximum(self.net_load_w, 0.0)

    @property
    def ageing_cost_per_kwh(self) -> Array:
        """Returns what a kWh costs that is stored for the whole slot above the level of ageing."""
        factor = 1.0 if self.ageing_factor is None else self.ageing_factor
        return np.asarray(self.battery.ageing_cost_per_kwh_h * self.dt_h * factor)

    @property
    def penalty_per_kwh(self) -> float:
        """Returns a price above anything that prices, wear and efficiencies can earn.

        It is for what cannot be kept.
        """
        highest = max(
            float(np.abs(self.import_price_per_kwh).max()),
            float(np.abs(self.export_price_per_kwh).max()),
        )
        return 1.0 + 10.0 * (highest + self.battery.wear_cost_per_kwh)


def hybrid_room_w(battery: BatteryModel, pv_w: Array) -> tuple[Array, Array]:
    """Returns the least and most battery power in W beside ``pv_w`` behind the same inverter."""
    most_w = battery.hybrid_ac_max_w
    if most_w is None:
        return np.full_like(pv_w, -np.inf), np.full_like(pv_w, np.inf)
    return np.minimum(pv_w - most_w, 0.0), pv_w + most_w


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlanSolution:
    """Tells what is best. All arrays have shape (slots,)."""

    status: PlanStatus
    relaxed: tuple[SlackGroup, ...]
    """These limits could not be kept; empty when optimal."""
    battery_w: Array
    """It is + charging, as the mean over the slot."""
    grid_w: Array
    """It is + import; load + battery - (pv - curtailed)."""
    curtailed_w: Array
    """This PV is throttled or switched off, or finds no way out, >= 0."""
    pv_off: Mask
    """PV is switched off in these slots."""
    soc_wh: Array
    """It is taken at the end of each slot."""
    stored_value_per_kwh: Array
    """One more stored kWh in this slot would be worth it (the dual of its storage row)."""
    grid_cost: float
    """It is the cost of the energy at the grid connection alone."""
    objective: float
    """It is grid_cost + wear + ageing - value of what is stored at the end."""
    bound: float
    """No answer to the problem has a lower objective, by proof."""

    cut_short: bool = False
    """The search ended before this was proven to be the best: something as low as the bound may
    be."""
