"""This module gives what may be known of days that are run: prices as published, and the truth."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from holdfast.backtest.data import Row, SiteData
from holdfast.core.quarter_hours import QUARTER_S, quarter_of, start_of
from holdfast.forecasting.forecast import Basis, PowerForecast
from holdfast.forecasting.site_forecast import SiteForecast
from holdfast.markets.site_prices import SitePrices

PUBLISHED_AT_H = 13
"""At this local hour the next day's prices are out (SDAC: 12:45 to 13:00)."""


class PublishedPrices:
    """Gives the owner's prices as they are known at each moment."""

    def __init__(
        self, prices: SitePrices, *, zone: ZoneInfo, published_at_h: int = PUBLISHED_AT_H
    ) -> None:
        self._prices = prices
        self._zone = zone
        self._published_at_h = published_at_h
        self._known: tuple[datetime, datetime, SitePrices] | None = None

    def at(self, utc: datetime) -> SitePrices:
        """Returns prices from the start of the local day to the end of what is out at ``utc``."""
        local = utc.astimezone(self._zone)
        midnight = datetime(local.year, local.month, local.day, tzinfo=self._zone)
        days = 2 if local.hour >= self._published_at_h else 1
        # Adding days to local time keeps the hour of the wall clock, which is wanted here.
        start, end = midnight.astimezone(UTC), (midnight + timedelta(days=days)).astimezone(UTC)
        if self._known is None or self._known[:2] != (start, end):
            self._known = (start, end, self._prices.between(start, end))
        return self._known[2]


class Truth:
    """Gives load and PV as they will be, in place of a forecast."""

    def __init__(self, data: SiteData) -> None:
        self._load_w = quarter_means(data, lambda row: row.load_w)
        self._pv_w = quarter_means(data, lambda row: row.pv_w)

    def forecast(self, now_utc: datetime, horizon_h: float) -> SiteForecast:
        """Returns mean powers in W from the present quarter hour on.

        They reach as far as there are data without a hole.
        """
        first = quarter_of(now_utc)
        last = first
        while last - first <= horizon_h * 4 and last in self._load_w:
            last += 1
        quarters = range(first, last)
        return SiteForecast(
            load=_forecast(first, [self._load_w[quarter] for quarter in quarters]),
            pv=_forecast(first, [self._pv_w[quarter] for quarter in quarters]),
        )


def _forecast(first: int, mean_w: list[float]) -> PowerForecast:
    return PowerForecast(start_utc=start_of(first), mean_w=tuple(mean_w), basis=Basis.HISTORY)


def quarter_means(data: SiteData, value_of: Callable[[Row], float | None]) -> dict[int, float]:
    """Returns the mean of a value by quarter hour since 1970; quarters without any are left out."""
    means: dict[int, float] = {}
    counts: dict[int, int] = {}
    for row in data.rows:
        value = value_of(row)
        if value is None:
            continue
        for quarter in quarters_of(row.start_s, data.step_s):
            count = counts[quarter] = counts.get(quarter, 0) + 1
            before = means.get(quarter, 0.0)
            means[quarter] = before + (value - before) / count
    return means


def quarters_of(start_s: int, step_s: int) -> range:
    """Returns the quarter hours, counted since 1970, that an interval lies in."""
    return range(start_s // QUARTER_S, (start_s + step_s - 1) // QUARTER_S + 1)
