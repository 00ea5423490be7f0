"""A wish is what a slot asks of the battery; here stands what the planner expects it to come to.

The controller works it out every cycle, from what is measured (``control/modes``); the planner
expects the same of the forecast, a slot at a time.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from holdfast.core.asked_slot import NO_TERMS, SlotTerms
from holdfast.core.slot_mode import REFILL_SHARE, SlotMode
from holdfast.optimization.problem import BatteryModel

COMMANDED = frozenset({SlotMode.POWER, SlotMode.CHARGE_ONLY, SlotMode.FULL_CHARGE})
"""In these modes the power of a slot is a command; in the others it is what is expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotWish:
    """Holds what is wished for in a slot."""

    mode: SlotMode
    power_w: float = 0.0
    """It counts in modes that have a power, + charging."""
    terms: SlotTerms = NO_TERMS
    left_h: float | None = None
    """So long after the slot's start what was asked for goes on; None: to the slot's end."""


REST = SlotWish(mode=SlotMode.POWER)
FOLLOW = SlotWish(mode=SlotMode.SELF_CONSUMPTION)
KEEP = SlotWish(mode=SlotMode.HOLD)
FILL = SlotWish(mode=SlotMode.FULL_CHARGE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Holds what is expected in a slot."""

    net_w: float
    """It is load less PV."""
    stored_wh: float
    """It is taken at the start."""
    hours: float
    export_max_w: float
    battery: BatteryModel
    direct_w: float = 0.0
    """It is PV that may reach the battery without passing AC."""

    def filling_w(self, pct: float) -> float:
        """Returns the power that fills the battery up to ``pct`` in this slot; 0 above it."""
        missing_wh = max(pct / 100.0 * self.battery.capacity_wh - self.stored_wh, 0.0)
        if not missing_wh > 0.0:
            return 0.0
        return self.ac_w(missing_wh / self.hours)

    def emptying_w(self, pct: float) -> float:
        """Returns the power that empties the battery down to ``pct`` in it; 0 below it."""
        above_wh = max(self.stored_wh - pct / 100.0 * self.battery.capacity_wh, 0.0)
        return max(-self.ac_w(-above_wh / self.hours), 0.0)

    def ac_w(self, stored_w: float) -> float:
        """Returns the AC power at which energy is stored with ``stored_w``."""
        battery = self.battery
        if battery.is_linear:  # in plain floats: it is asked a thousand times a plan
            to_ac = battery.discharge_efficiency
            return stored_w / battery.charge_efficiency if stored_w > 0.0 else stored_w * to_ac
        return float(battery.ac_w(np.array(stored_w), self.direct_w))

    def stored_w(self, ac_w: float) -> float:
        """Returns the power at which energy is stored for an AC power."""
        battery = self.battery
        if battery.is_linear:
            given = battery.discharge_efficiency
            return ac_w * battery.charge_efficiency if ac_w > 0.0 else ac_w / given
        return float(battery.stored_w(np.array(ac_w), self.direct_w))


def expected_w(wish: SlotWish, here: Expected) -> float:
    """Returns the mean power that comes of ``wish``, but for the limits of battery and site."""
    return _within(wish.terms, _WORKS_OUT[wish.mode](wish, here), here)


def _follows(wish: SlotWish, here: Expected) -> float:
    return (wish.terms.grid_target_w or 0.0) - here.net_w


def _holds(_: SlotWish, here: Expected) -> float:
    return max(-here.net_w, 0.0)


def _charges(wish: SlotWish, here: Expected) -> float:
    power_w = wish.power_w if wish.power_w > 0.0 else here.battery.charge_max_w
    target_pct = wish.terms.soc_target_pct
    return power_w if target_pct is None else min(power_w, here.filling_w(target_pct))


def _fills(wish: SlotWish, here: Expected) -> float:
    return wish.power_w if wish.power_w > 0.0 else here.battery.charge_max_w


def _reaches(wish: SlotWish, here: Expected) -> float:
    target_pct = wish.terms.soc_target_pct
    if target_pct is None:
        return 0.0
    share = 1.0 if wish.left_h is None else min(here.hours / max(wish.left_h, here.hours), 1.0)
    return share * (here.filling_w(target_pct) - here.emptying_w(target_pct))


def _shaves(wish: SlotWish, here: Expected) -> float:
    cap_w, surplus_w = wish.terms.import_max_w, max(-here.net_w, 0.0)
    if cap_w is None:
        return surplus_w
    if here.net_w > cap_w:
        return cap_w - here.net_w
    refill_w = max(REFILL_SHARE * cap_w - here.net_w, surplus_w)
    return min(refill_w, max(here.filling_w(wish.terms.soc_target_pct or 100.0), surplus_w))


def _keeps_caps(wish: SlotWish, here: Expected) -> float:
    target_pct = wish.terms.soc_target_pct
    if target_pct is None or not here.emptying_w(target_pct) > 0.0:
        return _shaves(wish, here)
    return max(-here.net_w, -here.emptying_w(target_pct))


def _by_marks(wish: SlotWish, here: Expected) -> float:
    terms = wish.terms
    store_w = math.inf if terms.store_below_pct is None else here.filling_w(terms.store_below_pct)
    serve_w = here.emptying_w(terms.serve_above_pct or 0.0)
    power_w = min(max(-here.net_w, -serve_w), store_w)
    if terms.buy_below_pct is not None:
        power_w = max(power_w, here.filling_w(terms.buy_below_pct) or -math.inf)
    if terms.sell_above_pct is not None:
        power_w = min(power_w, -here.emptying_w(terms.sell_above_pct) or math.inf)
    return power_w


_WORKS_OUT: Mapping[SlotMode, Callable[[SlotWish, Expected], float]] = {
    SlotMode.SELF_CONSUMPTION: _follows,
    SlotMode.POWER: lambda wish, _: wish.power_w,
    SlotMode.HOLD: _holds,
    SlotMode.PASSIVE: lambda _, __: 0.0,
    SlotMode.CHARGE_ONLY: _charges,
    SlotMode.SOC: _reaches,
    SlotMode.FULL_CHARGE: _fills,
    SlotMode.PV_OPTIMIZER: _follows,
    SlotMode.PEAK_SHAVING: _shaves,
    SlotMode.LOAD_BALANCER: lambda _, __: 0.0,  # it levels what a forecast's mean does not show
    SlotMode.COMMERCIAL: _keeps_caps,
    SlotMode.STORED_VALUE: _by_marks,
}
assert _WORKS_OUT.keys() == set(SlotMode), "each mode is expected to do something"


def _within(terms: SlotTerms, power_w: float, here: Expected) -> float:
    """Keeps a power within the terms, the weakest first."""
    if terms.soc_ceiling_pct is not None and power_w > 0.0:
        lost_w = max(-here.net_w - here.export_max_w, 0.0)
        power_w = min(power_w, max(here.filling_w(terms.soc_ceiling_pct), lost_w))
    if terms.import_max_w is not None:
        power_w = min(power_w, terms.import_max_w - here.net_w)
    if terms.export_max_w is not None:
        power_w = max(power_w, -terms.export_max_w - here.net_w)
    if terms.reserve_pct is not None:
        power_w = max(power_w, -here.emptying_w(terms.reserve_pct))
    return power_w
