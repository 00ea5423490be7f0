"""Predbat-like: windows of charging and exporting, chosen by trying them in a simulation.

From its documentation (customisation.md, apps-yaml.md; defaults): half-hour slots; load as the mean
of the last seven days; charging in slots below the mean of the prices to come, exporting above that
of feed-in (how far, it finds itself); a first pass tries price thresholds below which all slots
charge and above which all export, a second one the next eight windows of each kind one by one: a
charge to a part or all of the battery, a freeze (nothing is discharged), or neither; an export, if
it brings at least 0.1 of a cent a half hour. Each plan is judged by its cost, 0.5 cents for a kWh
through the battery, less what is stored at the end at the lowest price to come with losses; below
0.5 kWh is avoided from the fifth hour on. Pence are taken as hundredths of the site's currency.
What a shortage below 0.5 kWh costs is not documented in figures: here its price as if it was bought
each hour. Left out: its second look at a worse PV forecast, and the lock while a car charges.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from holdfast.core.quarter_hours import quarter_of
from holdfast.optimization.problem import Array, Mask
from holdfast.scheduling.strategies.outlook import Outlook
from holdfast.scheduling.strategies.step import StrategyStep, charges, follows, holds, sells

CYCLE_COST_PER_KWH = 0.005
EXPORT_GAIN = 0.001
KEPT_WH, KEPT_FROM_H = 500.0, 4.0
WINDOWS = 8
_PARTS = (1.0, 0.75, 0.5, 0.25, 0.0)
"""So full may a window charge the battery; 0: it freezes what is stored."""
_THRESHOLDS = 12
_NONE = -1.0
_SAME_COST = 1e-9


def like_predbat(outlook: Outlook, slot: int, stored_wh: float) -> StrategyStep:
    """Returns what to do in ``slot``."""
    chosen = _choose(outlook)
    window = chosen.window[slot]
    if chosen.exports[window]:
        return sells(outlook, "in a window of export")
    part = chosen.part[window]
    if part == _NONE:
        return follows("in no window: follows load and PV")
    battery, hours = outlook.problem.battery, float(outlook.problem.dt_h[slot])
    missing_w = (part * battery.soc_max_wh - stored_wh) / battery.charge_efficiency / hours
    if missing_w > 0.0:
        return charges(outlook, "in a window of charging", missing_w)
    return holds("in a window of charging: keeps what is stored")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Windows:
    """Holds what the windows do, one a half hour."""

    window: list[int]
    """It tells which one each slot lies in."""
    part: list[float]
    exports: list[bool]


@lru_cache(maxsize=1)
def _choose(outlook: Outlook) -> _Windows:
    """Returns the best windows; an outlook is asked slot by slot."""
    trial = _Trial(outlook)
    part, exports = trial.by_thresholds()
    for window in trial.cheapest_next():
        parts = np.repeat(part[None], len(_PARTS) + 1, axis=0)
        parts[:, window] = (_NONE, *reversed(_PARTS))
        costs = trial.costs(parts, np.repeat(exports[None], len(parts), axis=0))
        # Among equals it charges less.
        part = parts[int(np.argmax(costs <= costs.min() + _SAME_COST))]
    for window in trial.dearest_next():
        tried = np.repeat(exports[None], 2, axis=0)
        tried[:, window] = (False, True)
        without, sold = trial.costs(np.repeat(part[None], 2, axis=0), tried).tolist()
        exports = tried[int(without - sold >= EXPORT_GAIN)]
    return _Windows(window=trial.window.tolist(), part=part.tolist(), exports=exports.tolist())


class _Trial:
    """Simulates many plans at once, window by window. Plans have shape (plans, windows)."""

    def __init__(self, outlook: Outlook) -> None:
        problem = outlook.problem
        half_hours = np.array([quarter_of(one.start) // 2 for one in outlook.intervals])
        self.window = half_hours - half_hours[0]
        first = np.searchsorted(self.window, np.arange(self.window[-1] + 1))
        self._hours = np.add.reduceat(problem.dt_h, first)

        def mean(values: Array) -> Array:
            return np.asarray(np.add.reduceat(values * problem.dt_h, first) / self._hours)

        self._battery = problem.battery
        self._net_w = mean(problem.net_load_w)
        self._bought, self._sold = mean(outlook.bought), mean(outlook.sold)
        self._is_low = self._bought < self._bought.mean() - _SAME_COST
        self._is_high = self._sold > self._sold.mean() + _SAME_COST
        self._since_h = np.cumsum(self._hours) - self._hours
        self._worth = max(float(self._bought.min()), 0.0) / self._battery.charge_efficiency

    def by_thresholds(self) -> tuple[Array, Mask]:
        """Returns the best plan that charges below one price and exports above another."""
        lows = np.append(-np.inf, _levels(self._bought[self._is_low]))
        highs = np.append(np.inf, _levels(self._sold[self._is_high]))
        low, high = (grid.ravel()[:, None] for grid in np.meshgrid(lows, highs))
        exports = self._sold >= high
        part = np.where((self._bought <= low) & ~exports, 1.0, _NONE)
        best = int(np.argmin(self.costs(part, exports)))
        return part[best], exports[best]

    def cheapest_next(self) -> list[int]:
        """Returns the next windows of charging, the cheapest first."""
        low = np.flatnonzero(self._is_low)[:WINDOWS].tolist()
        return sorted(low, key=lambda one: float(self._bought[one]))

    def dearest_next(self) -> list[int]:
        """Returns the next windows of export, the dearest first."""
        high = np.flatnonzero(self._is_high)[:WINDOWS].tolist()
        return sorted(high, key=lambda one: -float(self._sold[one]))

    def costs(self, part: Array, exports: Mask) -> Array:
        """Returns what each plan costs."""
        battery = self._battery
        stored, cost = np.full(len(part), battery.soc_now_wh), np.zeros(len(part))
        target_wh = part * battery.soc_max_wh
        for window, hours in enumerate(self._hours.tolist()):
            net_w, bought = float(self._net_w[window]), float(self._bought[window])
            missing_w = (target_wh[:, window] - stored) / battery.charge_efficiency / hours
            charging_w = np.where(missing_w > 0.0, missing_w, max(-net_w, 0.0))
            power_w = np.where(part[:, window] == _NONE, -net_w, charging_w)
            power_w = np.where(exports[:, window], -battery.discharge_max_w, power_w)
            room_w = (battery.soc_max_wh - stored) / battery.charge_efficiency / hours
            left_w = (stored - battery.soc_min_wh) * battery.discharge_efficiency / hours
            most_w = np.clip(room_w, 0.0, battery.charge_max_w)
            power_w = np.clip(power_w, -np.clip(left_w, 0.0, battery.discharge_max_w), most_w)
            gained = power_w * battery.charge_efficiency, power_w / battery.discharge_efficiency
            stored = stored + np.where(power_w > 0.0, *gained) * hours
            grid_w = net_w + power_w
            price = np.where(grid_w > 0.0, bought, float(self._sold[window]))
            spent = grid_w * price + np.abs(power_w) * CYCLE_COST_PER_KWH
            if self._since_h[window] >= KEPT_FROM_H:
                spent = spent + np.maximum(KEPT_WH - stored, 0.0) * max(bought, 0.0)
            cost += spent * hours / 1e3
        return np.asarray(cost - stored / 1e3 * self._worth)


def _levels(prices: Array) -> Array:
    """Returns the prices that are tried as thresholds."""
    if not prices.size:
        return prices
    return np.unique(np.quantile(prices, np.linspace(0.0, 1.0, _THRESHOLDS), method="lower"))
