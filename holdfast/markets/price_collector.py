"""The collector knows what a site's sources last told, and whom to ask next.

Who calls it decides when it waits.
"""

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from holdfast.core.config import Site
from holdfast.core.config.prices import FileSource, MarketSource, PriceSource
from holdfast.core.errors import PriceDataError, SourceError
from holdfast.core.quarter_hours import quarter_start
from holdfast.markets.fetcher import Fetcher
from holdfast.markets.price_answer import PriceAnswer, completed
from holdfast.markets.price_cache import Failure, FetchedPrices, PriceCache
from holdfast.markets.price_file import PriceFiles
from holdfast.markets.prices import Direction, PriceSeries
from holdfast.markets.schedule import (
    STALE_AFTER,
    ask_after_failure,
    ask_after_success,
)
from holdfast.markets.sources.catalogue import check_source, market_of
from holdfast.markets.sources.conversation import Asked
from holdfast.markets.sources.left_out import plain
from holdfast.web.request import TokenRefused

_log = logging.getLogger(__name__)

_BACK, _AHEAD = timedelta(days=1), timedelta(days=9)
"""These whole days around now are asked for; a plan looks a week ahead at most."""

_LONGEST_WAIT = timedelta(days=2)

Fetch = Callable[[MarketSource, Asked], PriceAnswer]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """Holds a source and what it last told."""

    source: MarketSource
    direction: Direction
    """It is PURCHASE for a source that tells the same for both."""
    fetched: FetchedPrices | None = None
    """It is None if the source never told anything."""
    error: str = ""
    """It tells why nothing came the last time; empty if something did."""
    failures: int = 0
    """These failures came in a row."""
    ask_utc: datetime
    """The source is to be asked next at this time."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Tells what of its last answer was left out, or is doubtful."""
        return () if self.fetched is None else self.fetched.answer.notes

    def known_until(self, utc: datetime) -> datetime | None:
        """Tells how far its prices reach from ``utc`` on; None if they do not hold then."""
        return None if self.fetched is None else self.fetched.prices.known_until(utc)

    def age(self, utc: datetime) -> timedelta | None:
        """Returns the time since it last told anything; None if it never did."""
        return None if self.fetched is None else utc - self.fetched.utc

    def is_stale(self, utc: datetime) -> bool:
        """Says whether it should have told something since, or knows no price for now."""
        age = self.age(utc)
        return age is None or age > STALE_AFTER or self.known_until(utc) is None


_Key = tuple[MarketSource, Direction]


class PriceCollector:
    """Asks the sources of one site. One thread may refresh while others read."""

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
        self._changed_ns: dict[_Key, int] = {}
        """Tells when the cache's file was written that was looked at last."""
        for key in _keys(site):
            check_source(key[0])
            self._changed_ns[key] = cache.changed_ns(*key)
            self._states[key] = self._restored(key, now_utc)

    def read(self, source: PriceSource, direction: Direction) -> PriceSeries:
        """Returns what ``source`` knows, without asking it. Raises PriceDataError."""
        if isinstance(source, FileSource):
            return self._files.read(source, direction)
        assert isinstance(source, MarketSource), "fixed and time_of_use are nobody's to ask"
        state = self._states[_key(source, direction)]
        if state.fetched is None:
            raise PriceDataError(f"{source.kind}: {state.error or 'has not answered yet'}")
        return state.fetched.prices

    def file_notes(self) -> dict[str, tuple[str, ...]]:
        """Tells what of each file that was read is left out or doubtful, by path."""
        return self._files.notes()

    def states(self) -> tuple[SourceState, ...]:
        """Returns the states of all sources that are asked over HTTP."""
        return tuple(self._states.values())

    def next_ask_utc(self) -> datetime | None:
        """Tells when the next source is to be asked; None if there is none to ask."""
        return min((state.ask_utc for state in self._states.values()), default=None)

    def refresh(self, utc: datetime) -> None:
        """Asks every source whose time has come. Takes as long as they do."""
        for key in self._states:
            state = self._states[key] = self._with_others(key, utc)
            # A clock that was set back must not keep a source waiting for years.
            if not utc < state.ask_utc < utc + _LONGEST_WAIT:
                self._states[key] = self._asked(state, utc)

    def _with_others(self, key: _Key, utc: datetime) -> SourceState:
        """Returns the state with what another process was told since: command line or API."""
        state, changed_ns = self._states[key], self._cache.changed_ns(*key)
        if changed_ns == self._changed_ns[key]:
            return state
        self._changed_ns[key] = changed_ns
        kept = self._restored(key, utc)
        if kept.fetched is None:
            return state
        return kept if state.fetched is None or kept.fetched.utc > state.fetched.utc else state

    def _restored(self, key: _Key, utc: datetime) -> SourceState:
        fetched, failure = self._cache.load(*key), self._cache.load_failure(*key)
        state = SourceState(source=key[0], direction=key[1], fetched=fetched, ask_utc=utc)
        # A process that is started again and again must not ask each time.
        if failure is not None and failure.utc <= utc < failure.ask_utc:
            return replace(
                state, error=failure.error, failures=failure.count, ask_utc=failure.ask_utc
            )
        if fetched is not None and fetched.utc <= utc:
            known_until = fetched.prices.known_until(utc)
            if known_until is not None:
                publication = market_of(key[0]).publication
                ask_utc = ask_after_success(fetched.utc, known_until, publication, self._chance())
                return replace(state, ask_utc=ask_utc)
        return state

    def _asked(self, state: SourceState, utc: datetime) -> SourceState:
        try:
            answer = self._fetch(state.source, self._question(state.direction, utc))
        except SourceError as error:
            return self._failed(state, error, utc)
        if answer.prices:
            return self._told(state, answer, utc)
        if state.fetched is not None and not answer.is_of(state.fetched.answer):
            # Another tariff holds: what is known of the one before is known to be wrong.
            fetched = FetchedPrices(utc=utc, answer=answer)
            self._cache.keep(state.source, state.direction, fetched)
            state = replace(state, fetched=fetched)
        why = "; ".join(answer.notes) or "the answer has no price"
        return self._failed(state, PriceDataError(why), utc)

    def _failed(self, state: SourceState, error: SourceError, utc: datetime) -> SourceState:
        failures = state.failures + 1
        publication = market_of(state.source).publication
        ask_utc = ask_after_failure(utc, failures, error, publication, self._chance())
        told = plain(str(error))
        if told != state.error:
            _log.warning("%s gives no new prices: %s", state.source.kind, told)
        if not isinstance(error, TokenRefused):  # who mends a token wants to see it at once
            failure = Failure(utc=utc, error=told, count=failures, ask_utc=ask_utc)
            self._cache.keep_failure(state.source, state.direction, failure)
        return replace(state, error=told, failures=failures, ask_utc=ask_utc)

    def _told(self, state: SourceState, answer: PriceAnswer, utc: datetime) -> SourceState:
        publication = market_of(state.source).publication
        told_until = answer.prices.known_until(utc)
        promised = publication.expected_until(utc)
        answer = _with_what_stays(answer, state.fetched, utc, promised)
        for note in answer.notes:
            if note not in state.notes:
                _log.warning("%s: %s", state.source.kind, note)
        if state.failures:
            _log.warning("%s gives prices again", state.source.kind)
        fetched = FetchedPrices(utc=utc, answer=answer)
        self._cache.keep(state.source, state.direction, fetched)
        self._cache.forget_failure(state.source, state.direction)
        known_until = answer.prices.known_until(utc)
        error = "" if known_until is not None else _no_price_now(answer.prices)
        ask_utc = ask_after_success(utc, told_until or utc, publication, self._chance())
        return replace(state, fetched=fetched, error=error, failures=0, ask_utc=ask_utc)

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


def open_collector(site: Site, cache: PriceCache, now_utc: datetime) -> PriceCollector:
    """Opens the sources of ``site`` over HTTP, with what ``cache`` knows. Raises ConfigError."""
    return PriceCollector(
        site, cache=cache, fetch=Fetcher().fetch, chance=random.random, now_utc=now_utc
    )


def _with_what_stays(
    answer: PriceAnswer, fetched: FetchedPrices | None, utc: datetime, promised: datetime
) -> PriceAnswer:
    """Returns ``answer`` with what was known before where it has nothing and should have.

    What is published later counts, also where it takes back what was published before. But a
    piece that was left out takes nothing back, and what has to be out by now cannot be withdrawn.
    """
    if fetched is None or not fetched.prices or not answer.is_of(fetched.answer):
        return answer
    before = fetched.answer
    reach = before.prices.slots[-1].end_utc if answer.is_partial else before.firm_until(utc)
    if reach is None:
        return answer
    until = reach if answer.is_partial else min(reach, promised)
    return completed(answer, before, quarter_start(utc), until)


def _no_price_now(prices: PriceSeries) -> str:
    first, last = prices.slots[0].start_utc, prices.slots[-1].end_utc
    return f"no price for now; what came lies within {first:%FT%RZ} to {last:%FT%RZ}"


def _keys(site: Site) -> list[_Key]:
    """Lists each source once, though purchase and feed-in may share it."""
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
