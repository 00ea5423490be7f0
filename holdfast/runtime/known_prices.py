"""Known prices are what the planner of a site has on disk; nobody is asked for them."""

import random
import time
from datetime import datetime, timedelta

from holdfast.core.config import Site
from holdfast.core.config.prices import MarketSource
from holdfast.core.errors import HoldfastError, PriceDataError
from holdfast.core.quarter_hours import quarter_start
from holdfast.markets.price_answer import PriceAnswer
from holdfast.markets.price_cache import PriceCache
from holdfast.markets.price_collector import PriceCollector
from holdfast.markets.site_prices import SitePrices, SiteTariffs
from holdfast.markets.sources.conversation import Asked
from holdfast.monitoring.history.energies import PricesNow
from holdfast.site.files import SiteFiles, write_atomically

READ_EVERY_S = 300.0
_BACK, _AHEAD = timedelta(hours=1), timedelta(hours=36)


class KnownPrices:
    """Tells what a kWh costs and earns. One thread may read them anew while another one asks."""

    def __init__(self, site: Site, files: SiteFiles) -> None:
        self._site, self._files = site, files
        self._prices: SitePrices | None = None
        self._read_s = float("-inf")

    def refresh(self, now_utc: datetime) -> None:
        """Reads them from disk, if the last time is a while ago. Where that fails none is known."""
        if self._site.prices is None or time.monotonic() < self._read_s + READ_EVERY_S:
            return
        self._read_s = time.monotonic()
        try:
            self._prices = self._read(now_utc)
        except HoldfastError:
            self._prices = None

    def at(self, utc: datetime) -> PricesNow:
        """Returns the prices that hold at ``utc``."""
        prices = self._prices
        if prices is None:
            return PricesNow()
        return PricesNow(
            purchase=prices.purchase.price_at(utc), feed_in=prices.feed_in.price_at(utc)
        )

    def _read(self, now_utc: datetime) -> SitePrices:
        collector = PriceCollector(
            self._site,
            cache=PriceCache(self._files.prices, write_atomically),
            fetch=_asks_nobody,
            chance=random.random,
            now_utc=now_utc,
        )
        start_utc = quarter_start(now_utc)
        return SiteTariffs(self._site, collector.read).prices(start_utc - _BACK, start_utc + _AHEAD)


def _asks_nobody(source: MarketSource, _: Asked) -> PriceAnswer:
    raise PriceDataError(f"{source.kind}: the planner asks, and nobody else")
