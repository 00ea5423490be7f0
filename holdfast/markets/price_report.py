"""A price report tells what the owner pays and gets, and where that is known from."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile

from holdfast.core.config import Site
from holdfast.core.errors import PriceDataError
from holdfast.core.quarter_hours import quarter_start
from holdfast.markets.price_collector import PriceCollector, SourceState
from holdfast.markets.prices import PriceSlot
from holdfast.markets.site_prices import SitePrices, SiteTariffs

REPORT_HOURS = 36
"""So far ahead prices are told: today, and tomorrow once it is published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceReport:
    """Holds what is known of prices at one time."""

    site: Site
    now_utc: datetime
    prices: SitePrices | None
    """They are those of the coming hours; None if a source knows nothing."""
    problem: str
    """It tells why there are none; empty if there are."""
    sources: tuple[SourceState, ...]
    file_notes: dict[str, tuple[str, ...]]
    """They tell what of each file is left out or doubtful, by path."""

    @property
    def known_until(self) -> datetime | None:
        """Tells how far prices reach from now on; None if none is known for now."""
        return None if self.prices is None else self.prices.known_until(self.now_utc)

    @property
    def is_good(self) -> bool:
        """Says whether a price is known for now, and no source is stale."""
        stale = any(state.is_stale(self.now_utc) for state in self.sources)
        return self.known_until is not None and not stale

    def slots(self, hours: float = REPORT_HOURS) -> Iterator[PriceSlot]:
        """Yields the slots of purchase that begin in the coming ``hours``."""
        until_utc = quarter_start(self.now_utc) + timedelta(hours=hours)
        purchase = () if self.prices is None else self.prices.purchase
        return takewhile(lambda slot: slot.start_utc < until_utc, purchase)

    def content(self, hours: float = REPORT_HOURS) -> dict[str, object]:
        """Returns the report for programs, as ``holdfast prices --json`` prints it."""
        return {
            "site": self.site.name,
            "currency": self.site.currency,
            "known_until": self.known_until,
            "problem": self.problem,
            "sources": [self._source(state) for state in self.sources],
            "files": [{"path": path, "notes": notes} for path, notes in self.file_notes.items()],
            "prices": [self._slot(slot) for slot in self.slots(hours)],
        }

    def feed_in_at(self, utc: datetime) -> float | None:
        """Returns what a kWh earns at ``utc``; None where that is not known."""
        return None if self.prices is None else self.prices.feed_in.price_at(utc)

    def _source(self, state: SourceState) -> dict[str, object]:
        return {
            "kind": state.source.kind,
            "fetched": None if state.fetched is None else state.fetched.utc,
            "known_until": state.known_until(self.now_utc),
            "stale": state.is_stale(self.now_utc),
            "error": state.error,
            "notes": state.notes,
            "ask_again": state.ask_utc,
        }

    def _slot(self, slot: PriceSlot) -> dict[str, object]:
        return {
            "start": slot.start_utc,
            "end": slot.end_utc,
            "purchase_per_kwh": slot.price_per_kwh,
            "feed_in_per_kwh": self.feed_in_at(slot.start_utc),
        }


def price_report(site: Site, collector: PriceCollector, now_utc: datetime) -> PriceReport:
    """Returns what ``collector`` knows, without asking anybody."""
    start_utc = quarter_start(now_utc)
    prices, problem = None, ""
    try:
        tariffs = SiteTariffs(site, collector.read)
        prices = tariffs.prices(start_utc, start_utc + timedelta(hours=REPORT_HOURS))
    except PriceDataError as error:
        problem = str(error)
    return PriceReport(
        site=site,
        now_utc=now_utc,
        prices=prices,
        problem=problem,
        sources=collector.states(),
        file_notes=collector.file_notes(),
    )
