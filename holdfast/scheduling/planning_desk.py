"""The planning desk: what a planner keeps between two plans."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import numpy as np

from holdfast.core.config import Site
from holdfast.core.errors import PlanFailed
from holdfast.core.plan import Plan
from holdfast.forecasting.history import QUARTER_S, Field, PowerHistory, quarter_of
from holdfast.forecasting.registry import ModelRegistry
from holdfast.forecasting.site_forecast import SiteForecast, SiteForecaster
from holdfast.forecasting.workshop import Workshop
from holdfast.markets.demand_charge import DemandPrice
from holdfast.markets.prices import PriceSeries
from holdfast.markets.site_prices import SitePrices
from holdfast.scheduling.daily_scheduler import DailyScheduler
from holdfast.scheduling.desk_memory import DeskMemory
from holdfast.scheduling.ladder import Ladder
from holdfast.scheduling.load_book import LoadBook, LoadsNow
from holdfast.scheduling.peaks import Peaks


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerSample:
    """What the house did at one moment."""

    utc: datetime
    load_w: float | None
    """All of it, what can wait included."""
    pv_w: float | None
    grid_w: float | None = None
    """+ import; only demand charges need it."""
    on: Mapping[str, bool] = field(default_factory=dict)
    """What switches of loads and rooms say, by name; what is not there is not known."""
    room_c: Mapping[str, float] = field(default_factory=dict)


class PlanMaker(Protocol):
    """Asks the optimizer: :meth:`DailyScheduler.make_plan`, here or in another process."""

    def __call__(
        self,
        *,
        now_utc: datetime,
        soc_pct: float,
        prices: SitePrices,
        forecast: SiteForecast,
        previous: Plan | None,
        peaks_w: dict[str, float],
        loads_now: LoadsNow,
        units_soc_pct: Sequence[float],
    ) -> Plan:
        """A plan. Raises PlanFailed, PriceDataError."""


class PlanningDesk:
    """Collects what is measured and makes plans from it."""

    def __init__(
        self,
        site: Site,
        history: PowerHistory | None = None,
        make_plan: PlanMaker | None = None,
        forecaster: SiteForecaster | None = None,
        memory: DeskMemory | None = None,
    ) -> None:
        self._site = site
        self.history = PowerHistory() if history is None else history
        self._make_plan = DailyScheduler(site).make_plan if make_plan is None else make_plan
        self._ladder = Ladder(site)
        memory = DeskMemory() if memory is None else memory
        self._peaks = Peaks(memory.peaks_w)
        self._book = LoadBook(site, memory.loads_now)
        self._demand: tuple[DemandPrice, ...] = ()
        self.forecaster = site_forecaster(site, self.history) if forecaster is None else forecaster
        self._noted_until: datetime | None = None

    def observe(self, sample: PowerSample) -> None:
        """Remember what the house did. Loads that can wait are planned, and no part of what is
        learned; while one of their switches is not known, neither is the rest of the load."""
        self._book.observe(sample.utc, sample.on, sample.room_c)
        taken_w = self._book.taken_w(sample.utc, sample.on)
        load_w = sample.load_w
        if load_w is not None:
            load_w = None if taken_w is None else max(load_w - taken_w, 0.0)
        self.history.add(sample.utc, load_w, sample.pv_w)
        if sample.grid_w is not None:
            self._peaks.observe(sample.utc, sample.grid_w, self._demand)

    @property
    def memory(self) -> DeskMemory:
        """What is to outlive the desk, besides the history."""
        return DeskMemory(loads_now=self._book.now, peaks_w=self._peaks.peaks_w())

    def plan(
        self, now_utc: datetime, soc_pct: float, prices: SitePrices,
        units_soc_pct: Sequence[float] = (),
    ) -> Plan:  # fmt: skip
        """A plan from now on, as far as prices reach, by the best rung of the ladder.

        ``soc_pct`` is that of all storage units together; ``units_soc_pct`` that of each, empty if
        it is not known.

        Raises PriceDataError if there are no prices for now: the site then stays on its local
        rule.
        """
        self._demand = prices.demand

        def make() -> Plan:
            return self._make_plan(
                now_utc=now_utc,
                soc_pct=soc_pct,
                prices=prices,
                forecast=self.forecast(now_utc, prices.purchase),
                previous=self._ladder.last_good,
                peaks_w=self._peaks.peaks_w(),
                loads_now=self._book.now,
                units_soc_pct=units_soc_pct,
            )

        plan = self._ladder.plan(now_utc, prices, make)
        self._book.follow(plan)
        return plan

    def forecast(self, now_utc: datetime, prices: PriceSeries | None = None) -> SiteForecast:
        """What is expected from now to the end of the horizon; learns when that is due.

        Published ``prices`` are what a forecast of later ones learns from. Raises PlanFailed
        if there can be no forecast.
        """
        try:
            if prices is not None and len(prices):
                until = prices.slots[-1].end_utc
                if until != self._noted_until:
                    note_prices(self.history, prices, self._noted_until)
                    self._noted_until = until
            self.forecaster.learn(now_utc)
            return self.forecaster.forecast(now_utc, self._site.planner.horizon_h)
        except ValueError as error:
            raise PlanFailed(f"there is no forecast: {error}") from error


def note_prices(history: PowerHistory, prices: PriceSeries, since_utc: datetime | None) -> None:
    """Remember published prices that hold after ``since_utc`` (None: all), by quarter hour."""
    for slot in reversed(prices.slots):
        if since_utc is not None and slot.end_utc <= since_utc:
            break
        first = quarter_of(slot.start_utc)
        count = max(round((slot.end_utc - slot.start_utc).total_seconds() / QUARTER_S), 1)
        history.put(Field.PRICE_PER_KWH, first, np.full(count, slot.price_per_kwh))


def site_forecaster(
    site: Site,
    history: PowerHistory,
    registry: ModelRegistry | None = None,
    workshop: Workshop | None = None,
) -> SiteForecaster:
    """The forecaster of ``site``; without a workshop it trains and calculates nothing new."""
    return SiteForecaster(
        history,
        zone=site.timezone,
        location=site.location,
        plant=site.pv,
        registry=registry,
        workshop=workshop,
    )
