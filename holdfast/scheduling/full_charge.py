"""The full charge: now and then the battery is charged until it is full, at the cheapest time.

That balances its cells, and tells the BMS what full is. It is remembered when it last was.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from holdfast.core.asked_slot import AskedBy, AskedSlot
from holdfast.core.config import Site
from holdfast.core.config.reserve import FullCharge
from holdfast.core.errors import PriceDataError
from holdfast.core.quarter_hours import QUARTER, quarter_start
from holdfast.core.slot_mode import SlotMode
from holdfast.forecasting.site_forecast import SiteForecast
from holdfast.markets.site_prices import SitePrices

WHO = "full charge"
_SLOWER = 1.25
"""The last per cents take longer than the first: so much longer is counted with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FullChargeMemory:
    """Holds what is to outlive the planner; times are aware, UTC."""

    counted_from: datetime | None = None
    """Tells when it was last full for long enough, or since when that is watched."""
    full_since: datetime | None = None
    """Tells since when it is full; None: it is not."""
    start: datetime | None = None
    """A full charge is chosen to begin then; None: none is."""
    end: datetime | None = None


class FullChargeAsker:
    """Asks for a full charge once one is due."""

    def __init__(
        self, full_charge: FullCharge, site: Site, memory: FullChargeMemory | None = None
    ) -> None:
        self._full_charge = full_charge
        self._capacity_wh = sum(unit.battery.capacity_wh for unit in site.storage)
        self._charge_w = site.charge_power_max_w
        self.memory = memory or FullChargeMemory()
        self.problem = ""

    def look(
        self,
        now_utc: datetime,
        soc_pct: float,
        prices: SitePrices | None,
        forecast: SiteForecast | None,
    ) -> None:
        """Sees how full it is, and chooses when to charge if that is due."""
        self._observe(now_utc, soc_pct)
        memory = self.memory
        assert memory.counted_from is not None
        due = memory.counted_from + timedelta(days=self._full_charge.every_days)
        if now_utc < due:
            self.memory = replace(memory, start=None, end=None)
        elif memory.start is None or memory.end is None or not memory.start <= now_utc < memory.end:
            # What has begun is not chosen anew; what has not may find a cheaper time.
            latest = due + timedelta(days=self._full_charge.within_days)
            span = self._span(soc_pct)
            start = self._cheapest(now_utc, latest, span, prices, forecast)
            self.memory = replace(memory, start=start, end=None if start is None else start + span)

    def asked(self, now_utc: datetime, until: datetime) -> Sequence[AskedSlot]:
        """Returns the full charge that is chosen, if it comes before ``until``."""
        start, end = self.memory.start, self.memory.end
        if start is None or end is None or not (end > now_utc and start < until):
            return []
        since = self.memory.counted_from
        return [
            AskedSlot(
                start=start,
                end=end,
                by=AskedBy.SCHEDULE,
                who=WHO,
                reason=f"not full since {since:%Y-%m-%d}; this is the cheapest time",
                mode=SlotMode.FULL_CHARGE,
            )
        ]

    def _observe(self, now_utc: datetime, soc_pct: float) -> None:
        memory = self.memory
        # A clock that was set back must not make it wait for years.
        counted_from = min(memory.counted_from or now_utc, now_utc)
        full_since = None
        if soc_pct >= self._full_charge.full_pct:
            full_since = min(memory.full_since or now_utc, now_utc)
            if now_utc - full_since >= timedelta(hours=self._full_charge.kept_hours):
                counted_from = now_utc
        self.memory = replace(memory, counted_from=counted_from, full_since=full_since)

    def _span(self, soc_pct: float) -> timedelta:
        """Returns how long it takes, in whole quarter hours."""
        missing_wh = max(100.0 - soc_pct, 0.0) / 100.0 * self._capacity_wh
        hours = missing_wh / self._charge_w * _SLOWER + self._full_charge.kept_hours
        return max(math.ceil(hours * 4.0), 1) * QUARTER

    def _cheapest(
        self,
        now_utc: datetime,
        latest: datetime,
        span: timedelta,
        prices: SitePrices | None,
        forecast: SiteForecast | None,
    ) -> datetime | None:
        """Returns when it costs the least to begin; None: better wait for prices."""
        first = quarter_start(now_utc)
        known = None if prices is None else prices.known_until(now_utc)
        last = None if known is None else min(known - span, latest)
        if prices is None or last is None or last < first:
            return first if now_utc >= latest else None
        costs = self._costs(first, max(last, first) + span, prices, forecast)
        width = span // QUARTER
        totals = [sum(costs[at : at + width]) for at in range(len(costs) - width + 1)]
        return first + totals.index(min(totals)) * QUARTER

    def _costs(
        self, first: datetime, end: datetime, prices: SitePrices, forecast: SiteForecast | None
    ) -> list[float]:
        """Returns what charging costs in each quarter hour: surplus is worth what it would earn."""
        starts = [first + index * QUARTER for index in range((end - first) // QUARTER)]
        try:
            bought, sold = prices.purchase.prices_at(starts), prices.feed_in.prices_at(starts)
        except PriceDataError:
            return [0.0] * len(starts)
        costs = []
        for start, buy, sell in zip(starts, bought, sold, strict=True):
            surplus_w = min(max(_surplus_w(forecast, start), 0.0), self._charge_w)
            costs.append((self._charge_w - surplus_w) * buy + surplus_w * sell)
        return costs


def _surplus_w(forecast: SiteForecast | None, utc: datetime) -> float:
    if forecast is None:
        return 0.0
    return (forecast.pv.at(utc) or 0.0) - (forecast.load.at(utc) or 0.0)
