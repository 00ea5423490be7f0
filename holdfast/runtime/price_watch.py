"""Keeps a site's prices up to date beside what the planner does: asking may take a minute."""

import random
import threading
from datetime import UTC, datetime, timedelta

from holdfast.core.config import Site
from holdfast.core.price_config import PriceSource
from holdfast.markets.fetcher import Fetcher
from holdfast.markets.market_desk import MarketDesk
from holdfast.markets.price_cache import PriceCache
from holdfast.markets.prices import Direction, PriceSeries
from holdfast.runtime.files import SiteFiles, write_atomically

_LOOK_EVERY = timedelta(seconds=5)
"""The wall clock may be set meanwhile, so no wait is as long as it seems."""


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
        self._thread: threading.Thread | None = None

    def start(self, end: threading.Event) -> None:
        """Ask until ``end`` is set. What is being asked then is left to itself."""
        self._thread = threading.Thread(target=self._run, args=(end,), name="prices", daemon=True)
        self._thread.start()

    def read(self, source: PriceSource, direction: Direction) -> PriceSeries:
        """What ``source`` last told. Raises PriceDataError if that is nothing."""
        return self._desk.read(source, direction)

    def check(self) -> None:
        """Raises RuntimeError if asking has ended: whoever supervises us starts us anew."""
        if self._thread is not None and not self._thread.is_alive():
            raise RuntimeError("prices are no longer watched")

    def _run(self, end: threading.Event) -> None:
        if not self._desk.states():
            end.wait()
        while not end.is_set():
            self._desk.refresh(datetime.now(UTC))
            end.wait(_LOOK_EVERY.total_seconds())
