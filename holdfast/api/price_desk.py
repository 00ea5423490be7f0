"""Prices as the planner keeps them on disk, and asking for them anew."""

import logging
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from holdfast.core.config import Site
from holdfast.markets.price_cache import PriceCache
from holdfast.markets.price_collector import PriceCollector, open_collector
from holdfast.markets.price_report import PriceReport, price_report
from holdfast.site.files import SiteFiles, write_atomically

_log = logging.getLogger(__name__)

TOLD_FOR_S: Final = 10.0
REFRESH_EVERY_S: Final = 60.0
"""Sources are others' computers."""


class PriceDesk:
    """Tells prices; threads may share it."""

    def __init__(self, site: Site, files: SiteFiles) -> None:
        self._site = site
        self._folder = files.prices
        self._cache = PriceCache(files.prices, write_atomically)
        self._lock = threading.Lock()
        self._report: PriceReport | None = None
        self._told_s = self._asked_s = float("-inf")
        self._collector: PriceCollector | None = None
        self._stamp: object = None

    def report(self) -> PriceReport:
        """Returns what is known. Raises ConfigError."""
        with self._lock:
            if self._report is None or time.monotonic() - self._told_s > TOLD_FOR_S:
                now_utc = datetime.now(UTC)
                self._report = price_report(self._site, self._opened(now_utc), now_utc)
                self._told_s = time.monotonic()
            return self._report

    def _opened(self, now_utc: datetime) -> PriceCollector:
        """Returns what knows the prices; a new one once somebody has written to the disk."""
        stamp = _stamp(self._folder)
        if self._collector is None or stamp != self._stamp:
            self._collector = open_collector(self._site, self._cache, now_utc)
            self._stamp = stamp
        return self._collector

    def refresh(self) -> float | None:
        """Has the sources asked whose time has come, in a thread; returns at once.

        Returns None if it was begun, or in how many s it may be asked again.
        """
        with self._lock:
            wait_s = self._asked_s + REFRESH_EVERY_S - time.monotonic()
            if wait_s > 0.0:
                return wait_s
            self._asked_s = time.monotonic()
        threading.Thread(target=self._ask, name="prices", daemon=True).start()
        return None

    def _ask(self) -> None:
        now_utc = datetime.now(UTC)
        try:
            open_collector(self._site, self._cache, now_utc).refresh(now_utc)
        except Exception:
            _log.exception("prices cannot be asked for")
            raise
        with self._lock:
            self._report = None


def _stamp(folder: Path) -> object:
    """Returns what changes whenever a file of the folder is written, or goes."""
    try:
        found = [(path.name, path.stat().st_mtime_ns) for path in folder.iterdir()]
    except OSError:
        return None
    return sorted(found)
