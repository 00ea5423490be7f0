"""What a backtest's site and planner see of the data: the house now, prices as published, truth."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from holdfast.forecasting.forecast import Basis, PowerForecast
from holdfast.forecasting.history import QUARTER_S, quarter_of, start_of
from holdfast.forecasting.site_forecast import SiteForecast
from holdfast.markets.prices import PriceSeries, PriceSlot
from holdfast.markets.site_prices import SitePrices
from holdfast.testing.backtest.data import Row, SiteData, utc_of
from holdfast.testing.plant import Household

PUBLISHED_AT_H = 13
"""Local hour at which the next day's prices are out (SDAC: 12:45 to 13:00)."""


class MeasuredHouse(Household):
    """A house whose load and PV are those of the present row."""

    def __init__(self) -> None:
        super().__init__(seed=0)
        self._now_w = (0.0, 0.0)

    def hold(self, row: Row) -> None:
        """From now on load and PV are those of ``row``."""
        self._now_w = (row.pv_w, row.load_w)

    def power_w(self, utc_s: float) -> tuple[float, float]:  # noqa: ARG002 - as its base has it
        """(PV, load) of the present row."""
        return self._now_w


class PublishedPrices:
    """The owner's prices as they are known at each moment."""

    def __init__(
        self, data: SiteData, *, currency: str, zone: ZoneInfo, published_at_h: int = PUBLISHED_AT_H
    ) -> None:
        self._data, self._currency, self._zone = data, currency, zone
        self._published_at_h = published_at_h
        self._known: tuple[datetime, datetime] | None = None
        self._prices = SitePrices(
            currency=currency,
            purchase=PriceSeries(currency=currency, slots=()),
            feed_in=PriceSeries(currency=currency, slots=()),
        )

    def at(self, utc: datetime) -> SitePrices:
        """From the start of the local day to the end of what is out at ``utc``."""
        local = utc.astimezone(self._zone)
        midnight = datetime(local.year, local.month, local.day, tzinfo=self._zone)
        days = 2 if local.hour >= self._published_at_h else 1
        known = (
            midnight.astimezone(UTC),
            # Adding days to local time keeps the hour of the wall clock, which is wanted here.
            (midnight + timedelta(days=days)).astimezone(UTC),
        )
        if known != self._known:
            self._known, self._prices = known, self._between(*known)
        return self._prices

    def _between(self, start: datetime, end: datetime) -> SitePrices:
        data = self._data
        rows = data.rows[data.index_from(start) : data.index_from(end)]
        return SitePrices(
            currency=self._currency,
            purchase=self._series([(row.start_s, row.import_price_per_kwh) for row in rows]),
            feed_in=self._series([(row.start_s, row.export_price_per_kwh) for row in rows]),
        )

    def _series(self, prices: list[tuple[int, float]]) -> PriceSeries:
        step = timedelta(seconds=self._data.step_s)
        slots = tuple(
            PriceSlot(start_utc=start, end_utc=start + step, price_per_kwh=price)
            for start, price in ((utc_of(start_s), price) for start_s, price in prices)
        )
        return PriceSeries(currency=self._currency, slots=slots)


class Truth:
    """Load and PV as they will be, in place of a forecast."""

    def __init__(self, data: SiteData) -> None:
        self._load_w = quarter_means(data, lambda row: row.load_w)
        self._pv_w = quarter_means(data, lambda row: row.pv_w)

    def forecast(self, now_utc: datetime, horizon_h: float) -> SiteForecast:
        """Mean powers from the present quarter hour on, as far as there are data without a hole."""
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
    """Mean of a value by quarter hour since 1970; quarters without any are left out."""
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
    """The quarter hours, counted since 1970, that an interval lies in."""
    return range(start_s // QUARTER_S, (start_s + step_s - 1) // QUARTER_S + 1)
