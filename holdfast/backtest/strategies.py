"""Plans ask the battery for power, and so do the rules that people use instead of them."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

import numpy as np

from holdfast.backtest.data import SiteData
from holdfast.backtest.world import PublishedPrices, Truth, quarter_means
from holdfast.core.config import Site
from holdfast.core.errors import PlanFailed
from holdfast.core.plan import Plan, PlanSlot, PlanStatus, SlotMode
from holdfast.core.quarter_hours import quarter_of
from holdfast.forecasting.history import Field, PowerHistory
from holdfast.forecasting.site_forecast import site_forecaster
from holdfast.forecasting.workshop import Bench
from holdfast.scheduling.daily_scheduler import DailyScheduler
from holdfast.scheduling.ladder import LAST_GOOD_FOR
from holdfast.scheduling.plan_question import PlanQuestion
from holdfast.scheduling.power_sample import PowerSample
from holdfast.scheduling.rolling_planner import RollingPlanner
from holdfast.site.devices import abilities

_CHEAP_QUANTILE, _DEAR_QUANTILE = 0.25, 0.5
NEVER = timedelta.max
_NIGHT_H, _EVENING_H = range(6), range(17, 23)
"""They are the local hours of a night tariff, and of the evening when people are at home."""


class Strategy(StrEnum):
    """A strategy is a way to run the battery."""

    FORECAST = "forecast"
    """It plans on forecasts from history, as live."""
    PERFECT = "perfect"
    """It plans with load and PV known; prices as they are published."""
    SELF_CONSUMPTION = "self_consumption"
    CHEAP_HOURS = "cheap_hours"
    """It charges from the grid in the cheapest quarter of the known hours, serves the dear half."""
    FIXED_HOURS = "fixed_hours"
    """It charges from 0 to 6 local, and discharges from 17 to 23."""
    LAST_GOOD = "last_good"
    """It plans as live, by an optimizer that works once in four hours."""
    TIME_OF_USE = "time_of_use"
    """It plans as live, by an optimizer that never works."""

    @property
    def plans(self) -> bool:
        """Says whether the optimizer works for it."""
        return self not in (Strategy.SELF_CONSUMPTION, Strategy.CHEAP_HOURS, Strategy.FIXED_HOURS)


COMPARED = tuple(
    strategy for strategy in Strategy if strategy not in (Strategy.LAST_GOOD, Strategy.TIME_OF_USE)
)
"""An owner chooses from these; the others are lower rungs of the planner's ladder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Holds what a strategy is given to work with."""

    site: Site
    data: SiteData
    """This is run."""
    past: Iterable[PowerSample]
    """This is what a planner saw before that."""
    prices: PublishedPrices
    plan_every: timedelta


class Adviser(ABC):
    """Gives plans. ``observe`` tells it what the house did."""

    @abstractmethod
    def plan(self, now_utc: datetime, soc_pct: float) -> Plan | None:
        """Returns what to follow from now on; None for the local rule. Raises HoldfastError."""

    def observe(self, sample: PowerSample) -> None:  # noqa: B027 - most do not look
        """Something was seen."""


class _Local(Adviser):
    def plan(self, now_utc: datetime, soc_pct: float) -> Plan | None:  # noqa: ARG002
        """Returns no plan: self-consumption."""
        return None


class _Forecasting(Adviser):
    """Asks the site's planner, which learns from what has passed."""

    def __init__(self, setting: Setting, works_every: timedelta = timedelta(0)) -> None:
        site = setting.site
        self._scheduler = DailyScheduler(site, abilities(site))
        self._history = PowerHistory()
        # PV is calculated as live; nothing is trained, so that a run is short.
        forecaster = site_forecaster(site, self._history, workshop=Bench())
        self._planner = RollingPlanner(
            site, self._history, self._make_plan, forecaster, abilities=abilities(site)
        )
        self._prices = setting.prices
        self._works_every = works_every
        self._worked_utc: datetime | None = None
        self._horizon = timedelta(hours=site.planner.horizon_h)
        self._pv_forecast_w = quarter_means(setting.data, lambda row: row.pv_forecast_w)
        self._forecast_until = 0
        for sample in setting.past:
            self.observe(sample)

    def plan(self, now_utc: datetime, soc_pct: float) -> Plan:
        self._take_pv_forecast(now_utc)
        return self._planner.plan(now_utc, soc_pct, self._prices.at(now_utc))

    def _take_pv_forecast(self, now_utc: datetime) -> None:
        """Takes what the data hold of it, as far ahead as plans look."""
        first = max(self._forecast_until, quarter_of(now_utc))
        self._forecast_until = max(quarter_of(now_utc + self._horizon) + 1, first)
        powers_w = [
            self._pv_forecast_w.get(quarter, math.nan)
            for quarter in range(first, self._forecast_until)
        ]
        if powers_w and self._pv_forecast_w:
            self._history.put(Field.PV_MODEL_W, first, np.array(powers_w))

    def observe(self, sample: PowerSample) -> None:
        self._planner.observe(sample)

    def _make_plan(self, question: PlanQuestion) -> Plan:
        now_utc = question.now_utc
        since = None if self._worked_utc is None else now_utc - self._worked_utc
        if self._works_every == NEVER or (since is not None and since < self._works_every):
            raise PlanFailed("it is not to work now")
        self._worked_utc = now_utc
        return self._scheduler.make_plan(question)


class _Perfect(Adviser):
    """Asks the same desk, whose optimizer is given the truth for a forecast."""

    def __init__(self, setting: Setting) -> None:
        site = setting.site
        self._scheduler = DailyScheduler(site, abilities(site))
        self._truth = Truth(setting.data)
        self._prices = setting.prices
        self._horizon_h = setting.site.planner.horizon_h
        self._planner = RollingPlanner(site, make_plan=self._make_plan, abilities=abilities(site))

    def plan(self, now_utc: datetime, soc_pct: float) -> Plan:
        return self._planner.plan(now_utc, soc_pct, self._prices.at(now_utc))

    def _make_plan(self, question: PlanQuestion) -> Plan:
        """Plans on the truth, whatever forecast it is asked with."""
        truth = self._truth.forecast(question.now_utc, self._horizon_h)
        return self._scheduler.make_plan(replace(question, forecast=truth))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    mode: SlotMode
    battery_power_w: float
    reason: str


class _Rule(Adviser):
    """Gives a plan of one slot that goes on until the next one is there."""

    def __init__(self, setting: Setting) -> None:
        self._every = setting.plan_every
        self._prices = setting.prices
        self._zone = ZoneInfo(setting.site.timezone)
        self._charge_w = setting.site.charge_power_max_w

    @abstractmethod
    def _wish(self, now_utc: datetime, price: float) -> _Wish: ...

    def plan(self, now_utc: datetime, soc_pct: float) -> Plan | None:  # noqa: ARG002 - as all are called
        """Returns its wish for now; None where no price is known."""
        price = self._prices.at(now_utc).purchase.price_at(now_utc)
        if price is None:
            return None
        wish = self._wish(now_utc, price)
        slot = PlanSlot(
            start=now_utc,
            end=now_utc + 2 * self._every,
            mode=wish.mode,
            battery_power_w=wish.battery_power_w,
            grid_power_w=None,
            soc_end_pct=None,
            import_price_per_kwh=price,
            reason=wish.reason,
        )
        return Plan(
            plan_id="rule",
            created=now_utc,
            expires=slot.end,
            status=PlanStatus.OPTIMAL,
            expected_cost=0.0,
            slots=(slot,),
        )

    def _charge(self, reason: str) -> _Wish:
        return _Wish(mode=SlotMode.POWER, battery_power_w=self._charge_w, reason=reason)


class _CheapHours(_Rule):
    def _wish(self, now_utc: datetime, price: float) -> _Wish:
        known = [slot.price_per_kwh for slot in self._prices.at(now_utc).purchase]
        cheap, dear = np.quantile(known, (_CHEAP_QUANTILE, _DEAR_QUANTILE))
        if price <= cheap < dear:
            return self._charge("cheap")
        mode = SlotMode.SELF_CONSUMPTION if price >= dear else SlotMode.HOLD
        return _Wish(mode=mode, battery_power_w=0.0, reason="dear or not")


class _FixedHours(_Rule):
    def _wish(self, now_utc: datetime, price: float) -> _Wish:  # noqa: ARG002
        hour = now_utc.astimezone(self._zone).hour
        if hour in _NIGHT_H:
            return self._charge("night")
        mode = SlotMode.SELF_CONSUMPTION if hour in _EVENING_H else SlotMode.HOLD
        return _Wish(mode=mode, battery_power_w=0.0, reason="by the clock")


ADVISERS: Mapping[Strategy, Callable[[Setting], Adviser]] = {
    Strategy.FORECAST: _Forecasting,
    Strategy.PERFECT: _Perfect,
    Strategy.SELF_CONSUMPTION: lambda _: _Local(),
    Strategy.CHEAP_HOURS: _CheapHours,
    Strategy.FIXED_HOURS: _FixedHours,
    Strategy.LAST_GOOD: lambda setting: _Forecasting(setting, works_every=LAST_GOOD_FOR),
    Strategy.TIME_OF_USE: lambda setting: _Forecasting(setting, works_every=NEVER),
}
