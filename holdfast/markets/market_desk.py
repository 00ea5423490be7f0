"""What a site's sources last told, and whom to ask next. Who calls it decides when it waits."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from holdfast.core.config import Site
from holdfast.core.errors import PriceDataError, SourceError
from holdfast.core.price_config import FileSource, MarketSource, PriceSource
from holdfast.markets.conversation import Asked
from holdfast.markets.price_cache import Fetched, PriceCache
from holdfast.markets.price_file import PriceFiles
from holdfast.markets.prices import Direction, PriceSeries
from holdfast.markets.schedule import (
    STALE_AFTER,
    ask_after_failure,
    ask_after_success,
)
from holdfast.markets.sources import check_source, market_of

_log = logging.getLogger(__name__)

_BACK, _AHEAD = timedelta(days=1), timedelta(days=9)
"""Whole days around now that are asked for; a plan looks a week ahead at most."""

_LONGEST_WAIT = timedelta(days=2)

Fetch = Callable[[MarketSource, Asked], PriceSeries]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """A source and what it last told."""

    source: MarketSource
    direction: Direction
    """PURCHASE for a source that tells the same for both."""
    fetched: Fetched | None = None
    """None if it never told anything."""
    error: str = ""
    """Why it told nothing the last time; empty if it did."""
    failures: int = 0
    """In a row."""
    ask_utc: datetime
    """When to ask next."""

    def known_until(self, utc: datetime) -> datetime | None:
        """How far its prices reach from ``utc`` on; None if they do not hold then."""
        return None if self.fetched is None else self.fetched.prices.known_until(utc)

    def age(self, utc: datetime) -> timedelta | None:
        """Time since it last told anything; None if it never did."""
        return None if self.fetched is None else utc - self.fetched.utc

    def is_stale(self, utc: datetime) -> bool:
        """True if it should have told something since, or knows no price for now."""
        age = self.age(utc)
        return age is None or age > STALE_AFTER or self.known_until(utc) is None


_Key = tuple[MarketSource, Direction]


class MarketDesk:
    """The sources of one site. One thread may refresh while others read."""

    def __init__(
        self,
        site: Site,
        *,
        cache: PriceCache,
        fetch: Fetch,
        chance: Callable[[], float],
        now_utc: datetime,
    ) -> None:
        """``chance`` gives random numbers from 0 to 1. Begins with what is in the cache.

        Raises ConfigError for a source that cannot be asked.
        """
        self._zone = ZoneInfo(site.timezone)
        self._currency = site.currency
        self._cache = cache
        self._fetch = fetch
        self._chance = chance
        self._files = PriceFiles(site.currency)
        self._states: dict[_Key, SourceState] = {}
        for key in _keys(site):
            check_source(key[0])
            self._states[key] = self._restored(key, now_utc)

    def read(self, source: PriceSource, direction: Direction) -> PriceSeries:
        """What ``source`` knows, without asking it. Raises PriceDataError."""
        if isinstance(source, FileSource):
            return self._files.read(source, direction)
        assert isinstance(source, MarketSource), "fixed and time_of_use are nobody's to ask"
        state = self._states[_key(source, direction)]
        if state.fetched is None:
            raise PriceDataError(f"{source.kind}: {state.error or 'has not answered yet'}")
        return state.fetched.prices

    def states(self) -> tuple[SourceState, ...]:
        """Of all sources that are asked over HTTP."""
        return tuple(self._states.values())

    def next_ask_utc(self) -> datetime | None:
        """When the next source is to be asked; None if there is none to ask."""
        return min((state.ask_utc for state in self._states.values()), default=None)

    def refresh(self, utc: datetime) -> None:
        """Ask every source whose time has come. Takes as long as they do."""
        for key, state in self._states.items():
            # A clock that was set back must not keep a source waiting for years.
            if not utc < state.ask_utc < utc + _LONGEST_WAIT:
                self._states[key] = self._asked(state, utc)

    def _restored(self, key: _Key, utc: datetime) -> SourceState:
        source, direction = key
        fetched = self._cache.load(source, direction)
        ask_utc = utc
        if fetched is not None and fetched.utc <= utc:
            known_until = fetched.prices.known_until(utc)
            if known_until is not None:
                # A process that is started again and again must not ask each time.
                ask_utc = ask_after_success(
                    fetched.utc, known_until, market_of(source).publication, self._chance()
                )
        return SourceState(source=source, direction=direction, fetched=fetched, ask_utc=ask_utc)

    def _asked(self, state: SourceState, utc: datetime) -> SourceState:
        source, publication = state.source, market_of(state.source).publication
        try:
            prices = self._fetch(source, self._question(state.direction, utc))
            known_until = _check_whole(prices, state, utc)
        except SourceError as error:
            failures = state.failures + 1
            ask_utc = ask_after_failure(utc, failures, error, publication, self._chance())
            if str(error) != state.error:
                _log.warning("%s gives no prices, the old ones stay: %s", source.kind, error)
            return replace(state, error=str(error), failures=failures, ask_utc=ask_utc)
        if state.failures:
            _log.warning("%s gives prices again", source.kind)
        fetched = Fetched(utc=utc, prices=prices)
        self._cache.keep(source, state.direction, fetched)
        ask_utc = ask_after_success(utc, known_until, publication, self._chance())
        return replace(state, fetched=fetched, error="", failures=0, ask_utc=ask_utc)

    def _question(self, direction: Direction, utc: datetime) -> Asked:
        today = utc.replace(hour=0, minute=0, second=0, microsecond=0)
        return Asked(
            now_utc=utc,
            start_utc=today - _BACK,
            end_utc=today + _AHEAD,
            direction=direction,
            currency=self._currency,
            zone=self._zone,
        )


def _check_whole(prices: PriceSeries, state: SourceState, utc: datetime) -> datetime:
    """How far ``prices`` reach. Raises PriceDataError if the old ones are better."""
    known_until = prices.known_until(utc)
    if known_until is None:
        raise PriceDataError(f"{state.source.kind}: the answer has no price for now")
    before = state.known_until(utc)
    if before is not None and known_until < before:
        raise PriceDataError(
            f"{state.source.kind}: the answer reaches to {known_until:%FT%RZ}, which is less than "
            f"is known, to {before:%FT%RZ}"
        )
    return known_until


def _keys(site: Site) -> list[_Key]:
    """Each source once, though purchase and feed-in may share it."""
    if site.prices is None:
        return []
    wanted = (
        (site.prices.purchase.source, Direction.PURCHASE),
        (site.prices.feed_in.source, Direction.FEED_IN),
    )
    keys = [_key(source, use) for source, use in wanted if isinstance(source, MarketSource)]
    return list(dict.fromkeys(keys))


def _key(source: MarketSource, direction: Direction) -> _Key:
    return source, direction if market_of(source).by_direction else Direction.PURCHASE
