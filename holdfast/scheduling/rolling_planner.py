"""The rolling planner makes new plans from what is measured, and keeps a memory between two."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from holdfast.core.abilities import SETPOINT_ONLY, Abilities
from holdfast.core.asked_slot import AskedSlot
from holdfast.core.config import Site
from holdfast.core.errors import PlanFailed
from holdfast.core.plan import Plan
from holdfast.core.quarter_hours import QUARTER, QUARTER_S, quarter_of
from holdfast.forecasting.history import Field, PowerHistory
from holdfast.forecasting.site_forecast import SiteForecast, SiteForecaster, site_forecaster
from holdfast.markets.demand_charge import DemandPrice
from holdfast.markets.prices import PriceSeries
from holdfast.markets.site_prices import SitePrices
from holdfast.scheduling.ladder import Ladder
from holdfast.scheduling.loads.progress import LoadProgress
from holdfast.scheduling.peaks import Peaks
from holdfast.scheduling.plan_question import PlanMaker, PlanQuestion
from holdfast.scheduling.planner_memory import PlannerMemory
from holdfast.scheduling.power_sample import PowerSample, remember
from holdfast.scheduling.stored_value import marks_hold, path_days
from holdfast.scheduling.strategies.maker import plan_maker


class RollingPlanner:
    """Collects what is measured and makes plans from it."""

    def __init__(
        self,
        site: Site,
        history: PowerHistory | None = None,
        make_plan: PlanMaker | None = None,
        forecaster: SiteForecaster | None = None,
        memory: PlannerMemory | None = None,
        abilities: Abilities = SETPOINT_ONLY,
    ) -> None:
        self._site = site
        self.history = PowerHistory() if history is None else history
        self._make_plan = make_plan or plan_maker(site, abilities)
        self._ladder = Ladder(site, abilities)
        memory = PlannerMemory() if memory is None else memory
        self._peaks = Peaks(memory.peaks_w)
        self._progress = LoadProgress(site, memory.loads_now)
        self._demand: tuple[DemandPrice, ...] = ()
        self.forecaster = site_forecaster(site, self.history) if forecaster is None else forecaster
        self._noted_until: datetime | None = None
        self.question: PlanQuestion | None = None
        """Holds what the last plan was made from; None if there was no forecast."""

    def observe(self, sample: PowerSample) -> None:
        """Remembers what the house did."""
        remember(sample, self._progress, self.history)
        if sample.grid_w is not None:
            self._peaks.observe(sample.utc, sample.grid_w, self._demand)

    @property
    def memory(self) -> PlannerMemory:
        """Returns what is to outlive the planner, besides the history."""
        return PlannerMemory(loads_now=self._progress.now, peaks_w=self._peaks.peaks_w())

    def plan(
        self,
        now_utc: datetime,
        soc_pct: float,
        prices: SitePrices,
        units_soc_pct: Sequence[float] = (),
        asked: Sequence[AskedSlot] = (),
        rule_leads: str = "",
    ) -> Plan:
        """Makes a plan from now on, as far as prices reach, by the best rung of the ladder.

        ``soc_pct`` is that of all storage units together; ``units_soc_pct`` that of each, empty if
        it is not known. The plan is made around what is ``asked`` for. ``rule_leads`` tells why
        self-consumption leads, if it does.

        Raises PriceDataError if there are no prices for now: the site then stays on its local
        rule.
        """
        self._demand = prices.demand
        self.question = None

        def make() -> Plan:
            self.question = PlanQuestion(
                now_utc=now_utc,
                soc_pct=soc_pct,
                prices=prices,
                forecast=self.forecast(
                    now_utc, prices.purchase, path_days=self._path_days(now_utc, prices)
                ),
                previous=self._ladder.last_good,
                peaks_w=self._peaks.peaks_w(),
                loads_now=self._progress.now,
                units_soc_pct=units_soc_pct,
                asked=asked,
                rule_leads=rule_leads,
            )
            return self._make_plan(self.question)

        plan = self._ladder.plan(now_utc, prices, make)
        self._progress.follow(plan)
        return plan

    def _path_days(self, now_utc: datetime, prices: SitePrices) -> int:
        """Returns from how many days it is due to see how load and PV may come."""
        known_until, horizon = prices.known_until(now_utc), self._site.planner.horizon_h
        if known_until is None:
            return 0
        # A plan ends with a quarter hour that is whole.
        until = min(known_until, now_utc + timedelta(hours=horizon)) - QUARTER
        hold = marks_hold(self._ladder.last_good, now_utc, until)
        return 0 if hold else path_days(self._site)

    def forecast(
        self, now_utc: datetime, prices: PriceSeries | None = None, *, path_days: int = 0
    ) -> SiteForecast:
        """Tells what is expected from now to the end of the horizon; learns when that is due.

        It tells how load and PV may come, too, as on ``path_days`` days before, and what prices are
        expected when those that are known end.

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
            return self.forecaster.forecast(
                now_utc,
                self._site.planner.horizon_h,
                with_price=path_days > 0,
                path_days=path_days,
            )
        except ValueError as error:
            raise PlanFailed(f"there is no forecast: {error}") from error


def note_prices(history: PowerHistory, prices: PriceSeries, since_utc: datetime | None) -> None:
    """Remembers published prices that hold after ``since_utc`` (None: all), by quarter hour."""
    for slot in reversed(prices.slots):
        if since_utc is not None and slot.end_utc <= since_utc:
            break
        first = quarter_of(slot.start_utc)
        count = max(round((slot.end_utc - slot.start_utc).total_seconds() / QUARTER_S), 1)
        history.put(Field.PRICE_PER_KWH, first, np.full(count, slot.price_per_kwh))
