"""This module keeps a site's prices up to date beside the planner: asking may take a minute."""

import threading
from datetime import UTC, datetime

from holdfast.core.config import Site
from holdfast.core.config.prices import PriceSource
from holdfast.markets.price_cache import PriceCache
from holdfast.markets.price_collector import PriceCollector, open_collector
from holdfast.markets.prices import Direction, PriceSeries
from holdfast.runtime.refresher import Refresher
from holdfast.site.files import SiteFiles, write_atomically


def read_prices(site: Site, files: SiteFiles) -> PriceCollector:
    """Returns the sources of ``site``, those asked whose time has come. Raises ConfigError."""
    now_utc = datetime.now(UTC)
    collector = open_collector(site, PriceCache(files.prices, write_atomically), now_utc)
    collector.refresh(now_utc)
    return collector


class PriceWatch:
    """Asks in a thread; who reads never waits."""

    def __init__(self, site: Site, files: SiteFiles) -> None:
        """Raises ConfigError."""
        self._collector = open_collector(
            site, PriceCache(files.prices, write_atomically), datetime.now(UTC)
        )
        asks = bool(self._collector.states())
        self._refresher = Refresher("prices", self._collector.refresh if asks else None)

    def start(self, end: threading.Event) -> None:
        """Asks until ``end`` is set. What is being asked then is left to itself."""
        self._refresher.start(end)

    def read(self, source: PriceSource, direction: Direction) -> PriceSeries:
        """Returns what ``source`` last told. Raises PriceDataError if that is nothing."""
        return self._collector.read(source, direction)

    def check(self) -> None:
        """Raises RuntimeError if asking has ended: whoever supervises us starts us anew."""
        self._refresher.check()
