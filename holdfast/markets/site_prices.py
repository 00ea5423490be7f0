"""This module puts together what the owner of a site pays and gets per kWh: sources and tariffs."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from holdfast.core.config import Site
from holdfast.core.config.prices import FixedSource, PriceSource, Tariff, TimeOfUseSource
from holdfast.core.errors import PriceDataError
from holdfast.markets.demand_charge import DemandPrice, demand_prices
from holdfast.markets.prices import Direction, PriceSeries
from holdfast.markets.tariff import clock_prices, in_currency, owner_prices

SourceReader = Callable[[PriceSource, Direction], PriceSeries]
"""Gives what a source (not one by the clock) knows; raises PriceDataError if that is nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SitePrices:
    """Holds what the owner pays and gets per kWh, tariffs applied. Holes are prices not known."""

    currency: str
    """The code follows ISO 4217, such as EUR."""
    purchase: PriceSeries
    feed_in: PriceSeries
    demand: tuple[DemandPrice, ...] = ()

    def __post_init__(self) -> None:
        """Refuses a mixture of currencies. Raises PriceDataError."""
        for series in (self.purchase, self.feed_in):
            if series.currency != self.currency:
                raise PriceDataError(
                    f"prices are in {series.currency}, the site is in {self.currency}"
                )

    @property
    def start_utc(self) -> datetime | None:
        """Tells from when on both prices are known; None if one is not known at all."""
        starts = [series.slots[0].start_utc for series in (self.purchase, self.feed_in) if series]
        return max(starts) if len(starts) == 2 else None

    def known_until(self, utc: datetime) -> datetime | None:
        """Tells how far both prices are known from ``utc`` on; None if one is not known then."""
        ends = [series.known_until(utc) for series in (self.purchase, self.feed_in)]
        known = [end for end in ends if end is not None]
        return min(known) if len(known) == len(ends) else None

    def between(self, start_utc: datetime, end_utc: datetime) -> "SitePrices":
        """Returns the slots that overlap the window; none is cut in two."""
        return SitePrices(
            currency=self.currency,
            purchase=self.purchase.between(start_utc, end_utc),
            feed_in=self.feed_in.between(start_utc, end_utc),
            demand=self.demand,
        )


class SiteTariffs:
    """Applies a site's tariffs to what its sources know."""

    def __init__(self, site: Site, read: SourceReader) -> None:
        """Raises PriceDataError for a site without prices."""
        if site.prices is None:
            raise PriceDataError("site.yaml has no prices; the site runs on self-consumption")
        self._currency = site.currency
        self._zone = ZoneInfo(site.timezone)
        self._tariffs = {
            Direction.PURCHASE: site.prices.purchase,
            Direction.FEED_IN: site.prices.feed_in,
        }
        self._demand = demand_prices(site.prices, self._zone)
        self._read = read

    def prices(self, start_utc: datetime, end_utc: datetime) -> SitePrices:
        """Returns the prices in the window, as far as they are known.

        Raises PriceDataError if a source knows nothing, or has another currency.
        """
        return SitePrices(
            currency=self._currency,
            purchase=self._owner_prices(Direction.PURCHASE, start_utc, end_utc),
            feed_in=self._owner_prices(Direction.FEED_IN, start_utc, end_utc),
            demand=self._demand,
        )

    def span_utc(self) -> tuple[datetime, datetime] | None:
        """Returns the window that all sources know something of; None if they are all by the clock.

        Raises PriceDataError as :meth:`prices` does.
        """
        known = [
            self._read(tariff.source, direction)
            for direction, tariff in self._tariffs.items()
            if not isinstance(tariff.source, FixedSource | TimeOfUseSource)
        ]
        if not known:
            return None
        if not all(known):
            raise PriceDataError("a source of prices knows no price")
        return (
            max(series.slots[0].start_utc for series in known),
            min(series.slots[-1].end_utc for series in known),
        )

    def _owner_prices(
        self, direction: Direction, start_utc: datetime, end_utc: datetime
    ) -> PriceSeries:
        tariff: Tariff = self._tariffs[direction]
        source = tariff.source
        if isinstance(source, FixedSource | TimeOfUseSource):
            known = clock_prices(source, self._currency, self._zone, start_utc, end_utc)
        else:
            told = self._read(source, direction).between(start_utc, end_utc)
            known = in_currency(told, tariff, self._currency)
        # A slot of the source may have begun long before the window.
        return owner_prices(known, tariff, self._zone).between(start_utc, end_utc)
