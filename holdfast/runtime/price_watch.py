"""Keeps a site's prices up to date beside what the planner does: asking may take a minute."""

import random
import threading
from datetime import UTC, datetime

from holdfast.core.config import Site
from holdfast.core.price_config import PriceSource
from holdfast.markets.fetcher import Fetcher
from holdfast.markets.market_desk import MarketDesk
from holdfast.markets.price_cache import PriceCache
from holdfast.markets.prices import Direction, PriceSeries
from holdfast.runtime.files import SiteFiles, write_atomically
from holdfast.runtime.refresher import Refresher


def open_desk(site: Site, files: SiteFiles, now_utc: datetime) -> MarketDesk:
    """The sources of ``site`` with what is known from before. Raises ConfigError."""
    return MarketDesk(
        site,
        cache=PriceCache(files.prices, write_atomically),
        fetch=Fetcher().fetch,
        chance=random.random,
        now_utc=now_utc,
    )


def read_prices(site: Site, files: SiteFiles) -> MarketDesk:
    """The sources of ``site``, those asked whose time has come. Raises ConfigError."""
    now_utc = datetime.now(UTC)
    desk = open_desk(site, files, now_utc)
    desk.refresh(now_utc)
    return desk


class PriceWatch:
    """A thread that asks; who reads never waits."""

    def __init__(self, site: Site, files: SiteFiles) -> None:
        """Raises ConfigError."""
        self._desk = open_desk(site, files, datetime.now(UTC))
        asks = bool(self._desk.states())
        self._refresher = Refresher("prices", self._desk.refresh if asks else None)

    def start(self, end: threading.Event) -> None:
        """Ask until ``end`` is set. What is being asked then is left to itself."""
        self._refresher.start(end)

    def read(self, source: PriceSource, direction: Direction) -> PriceSeries:
        """What ``source`` last told. Raises PriceDataError if that is nothing."""
        return self._desk.read(source, direction)

    def check(self) -> None:
        """Raises RuntimeError if asking has ended: whoever supervises us starts us anew."""
        self._refresher.check()
