"""Plans ask the battery for power, and so do the rules that people use instead of them."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

import numpy as np

from holdfast.backtest.data import SiteData
from holdfast.backtest.one_mode import ModeAsked, plan_of_mode
from holdfast.backtest.peers.table import PEERS, expected_by
from holdfast.backtest.world import PublishedPrices, Truth, quarter_means
from holdfast.core.config import Site
from holdfast.core.errors import PlanFailed
from holdfast.core.plan import Plan
from holdfast.core.quarter_hours import quarter_of
from holdfast.core.strategy_name import StrategyName
from holdfast.forecasting.history import Field, PowerHistory
from holdfast.forecasting.site_forecast import site_forecaster
from holdfast.forecasting.workshop import Bench
from holdfast.scheduling.daily_scheduler import DailyScheduler
from holdfast.scheduling.ladder import LAST_GOOD_FOR
from holdfast.scheduling.plan_question import PlanMaker, PlanQuestion
from holdfast.scheduling.power_sample import PowerSample
from holdfast.scheduling.rolling_planner import RollingPlanner
from holdfast.scheduling.strategies.maker import StrategyMaker
from holdfast.scheduling.strategies.table import STRATEGIES
from holdfast.site.devices import abilities

NEVER = timedelta.max


class Strategy(StrEnum):
    """A strategy is a way to run the battery."""

    FORECAST = "forecast"
    """It plans on forecasts from history, as live."""
    ONE_FORECAST = "one_forecast"
    """It plans as if the forecast were what comes, with ``planner.scenario_days: 0``."""
    PERFECT = "perfect"
    """It plans with load and PV known; prices as they are published."""
    SELF_CONSUMPTION = "self_consumption"
    LAST_GOOD = "last_good"
    """It plans as live, by an optimizer that works once in four hours."""
    TIME_OF_USE = "time_of_use"
    """It plans as live, by an optimizer that never works."""
    CHEAPEST_FOUR_HOURS = "cheapest_four_hours"
    NEGATIVE_PRICE_FIRST = "negative_price_first"
    PERCENTILE_95 = "percentile_95"
    EVENING_PEAK = "evening_peak"
    PRE_HEATING = "pre_heating"
    PRICE_DRIVEN_EXPORT = "price_driven_export"
    CHEAP_HOURS = "cheap_hours"
    FIXED_HOURS = "fixed_hours"
    """These are rules that an owner can pick (:mod:`holdfast.scheduling.strategies`)."""
    LIKE_EMHASS = "like_emhass"
    LIKE_PREDBAT = "like_predbat"
    LIKE_EVCC = "like_evcc"
    """These are other programs, made again from what they document
    (:mod:`holdfast.backtest.peers`), to compare with."""
    MODE = "mode"
    """It keeps one mode, whatever comes."""

    @property
    def plans(self) -> bool:
        """Says whether the optimizer works for it."""
        return self in _PLANNED


_PLANNED = (
    Strategy.FORECAST,
    Strategy.ONE_FORECAST,
    Strategy.PERFECT,
    Strategy.LAST_GOOD,
    Strategy.TIME_OF_USE,
)
COMPARED = (
    Strategy.FORECAST,
    Strategy.ONE_FORECAST,
    Strategy.PERFECT,
    Strategy.SELF_CONSUMPTION,
    Strategy.CHEAP_HOURS,
    Strategy.FIXED_HOURS,
)
"""An owner sees these beside each other who asks for none by name."""
PICKED: Mapping[str, Strategy] = {
    str(name): Strategy.FORECAST if name is StrategyName.OPTIMIZER else Strategy(name)
    for name in StrategyName
} | {"perfect": Strategy.PERFECT, "one_forecast": Strategy.ONE_FORECAST}
"""An owner can ask for these by name."""
RECREATED: Mapping[str, Strategy] = {name: Strategy(name) for name in PEERS}
"""An owner can ask for these by name, and cannot run a site by them."""


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
    asked: ModeAsked | None = None
    """Strategy.MODE keeps it."""


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


class _OneMode(Adviser):
    def __init__(self, setting: Setting) -> None:
        assert setting.asked is not None, "whoever runs a mode says which"
        self._asked, self._prices = setting.asked, setting.prices

    def plan(self, now_utc: datetime, soc_pct: float) -> Plan:  # noqa: ARG002 - as all are called
        """Returns the mode that was asked for."""
        price = self._prices.at(now_utc).purchase.price_at(now_utc)
        return plan_of_mode(self._asked, now_utc, 0.0 if price is None else price)


class _Forecasting(Adviser):
    """Asks the site's planner, which learns from what has passed."""

    def __init__(
        self,
        setting: Setting,
        works_every: timedelta = timedelta(0),
        ask: PlanMaker | None = None,
    ) -> None:
        site = setting.site
        self._ask = ask or DailyScheduler(site, abilities(site)).make_plan
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
        return self._ask(question)


class _AsPeer(_Forecasting):
    """Asks the same desk, at which a peer sits in the place of the optimizer."""

    def __init__(self, setting: Setting, name: str) -> None:
        site = _on_one_forecast(setting.site)
        self._zone, self._peer = site.timezone, PEERS[name]
        self._maker = StrategyMaker(site, name, abilities(site), self._peer.row)
        super().__init__(replace(setting, site=site), ask=self._as_peer)

    def _as_peer(self, question: PlanQuestion) -> Plan:
        """Plans on the load that the peer expects."""
        expected = expected_by(
            self._peer, self._history, self._zone, question.now_utc, question.forecast
        )
        return self._maker.make_plan(replace(question, forecast=expected))


class _Perfect(Adviser):
    """Asks the same desk, whose optimizer is given the truth for a forecast."""

    def __init__(self, setting: Setting) -> None:
        site = _on_one_forecast(setting.site)
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


def _on_one_forecast(site: Site) -> Site:
    planner = site.planner.model_copy(update={"scenario_days": 0})
    return site.model_copy(update={"planner": planner})


def _ruled(name: StrategyName) -> Callable[[Setting], Adviser]:
    """Returns the same desk, at which a strategy's rule sits in the place of the optimizer."""

    def begin(setting: Setting) -> Adviser:
        maker = StrategyMaker(setting.site, name, abilities(setting.site))
        return _Forecasting(setting, ask=maker.make_plan)

    return begin


def _as_peer(name: str) -> Callable[[Setting], Adviser]:
    return lambda setting: _AsPeer(setting, name)


ADVISERS: Mapping[Strategy, Callable[[Setting], Adviser]] = {
    **{PICKED[name]: _ruled(name) for name in STRATEGIES},
    **{RECREATED[name]: _as_peer(name) for name in PEERS},
    Strategy.FORECAST: _Forecasting,
    Strategy.ONE_FORECAST: lambda setting: _Forecasting(
        replace(setting, site=_on_one_forecast(setting.site))
    ),
    Strategy.PERFECT: _Perfect,
    Strategy.SELF_CONSUMPTION: lambda _: _Local(),
    Strategy.MODE: _OneMode,
    Strategy.LAST_GOOD: lambda setting: _Forecasting(setting, works_every=LAST_GOOD_FOR),
    Strategy.TIME_OF_USE: lambda setting: _Forecasting(setting, works_every=NEVER),
}
