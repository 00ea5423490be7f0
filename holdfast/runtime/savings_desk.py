"""The savings desk works out now and then what today and this month have cost."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from holdfast.core.config import Site
from holdfast.core.errors import HoldfastError
from holdfast.monitoring.history.place import HistoryPlace
from holdfast.monitoring.history.reader import HistoryReader
from holdfast.monitoring.history.savings import savings
from holdfast.monitoring.history.span_savings import SpanName, SpanSavings

EVERY_S = 300.0
SPANS = (SpanName.TODAY, SpanName.MONTH)


class SavingsDesk:
    """Reads the history of a site beside who writes it."""

    def __init__(self, site: Site, find_place: Callable[[], HistoryPlace]) -> None:
        self._site, self._find_place = site, find_place
        self._next_s = time.monotonic() + EVERY_S / 5.0
        self._latest: tuple[SpanSavings, ...] = ()

    def latest(self) -> tuple[SpanSavings, ...]:
        """Returns what is known, made anew if it is old; what was known where that fails."""
        if self._site.prices is not None and time.monotonic() >= self._next_s:
            self._next_s = time.monotonic() + EVERY_S
            try:
                reader = HistoryReader(self._find_place(), ZoneInfo(self._site.timezone))
                self._latest = tuple(savings(self._site, reader, datetime.now(UTC), SPANS))
            except HoldfastError:
                return self._latest
        return self._latest
