"""The planning desk: what a planner keeps between two plans."""

from dataclasses import dataclass
from datetime import datetime

from holdfast.core.config import Site
from holdfast.core.plan import Plan
from holdfast.forecasting.history import PowerHistory
from holdfast.forecasting.site_forecast import forecast_site
from holdfast.markets.site_prices import SitePrices
from holdfast.scheduling.daily_scheduler import DailyScheduler


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerSample:
    """What the house did at one moment."""

    utc: datetime
    load_w: float | None
    pv_w: float | None


class PlanningDesk:
    """Collects what is measured and makes plans from it."""

    def __init__(self, site: Site, history: PowerHistory | None = None) -> None:
        self._site = site
        self.history = PowerHistory() if history is None else history
        self._scheduler = DailyScheduler(site)

    def observe(self, sample: PowerSample) -> None:
        """Remember what the house did."""
        self.history.add(sample.utc, sample.load_w, sample.pv_w)

    def plan(self, now_utc: datetime, soc_pct: float, prices: SitePrices) -> Plan:
        """A plan from now on, as far as prices reach.

        Raises PriceDataError if there are no prices for now, PlanFailed if nothing can be
        planned: the site then stays on its local rule.
        """
        forecast = forecast_site(
            self.history, now_utc=now_utc, horizon_h=self._site.planner.horizon_h
        )
        return self._scheduler.make_plan(
            now_utc=now_utc, soc_pct=soc_pct, prices=prices, forecast=forecast
        )
