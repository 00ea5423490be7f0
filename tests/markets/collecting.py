"""A collector of prices over a source that answers what it is told to."""

from datetime import datetime, timedelta

from holdfast.core.config import Site
from holdfast.core.config.prices import MarketSource
from holdfast.core.errors import SourceError
from holdfast.markets.price_answer import PriceAnswer
from holdfast.markets.price_cache import PriceCache
from holdfast.markets.price_collector import PriceCollector, SourceState
from holdfast.markets.prices import Direction, PriceSeries
from holdfast.markets.sources.conversation import Asked
from tests.markets.builders import NOW, series, site, source

NL = {"kind": "entsoe", "zone": "NL", "token_env": "PRICE_TOKEN"}
SITE = site(NL)
MINUTE = timedelta(minutes=1)


class Source:
    """Answers what it is told to; remembers when it was asked."""

    def __init__(self, answer: PriceSeries | PriceAnswer | SourceError) -> None:
        self.answer = answer
        self.asked: list[tuple[MarketSource, Asked]] = []

    def fetch(self, one: MarketSource, asked: Asked) -> PriceAnswer:
        self.asked.append((one, asked))
        if isinstance(self.answer, SourceError):
            raise self.answer
        return (
            PriceAnswer(prices=self.answer) if isinstance(self.answer, PriceSeries) else self.answer
        )


TODAYS = series(*[0.1] * 24)
BOTH_DAYS = series(*[0.1] * 24, *[0.2] * 24)


def collector(
    cache: PriceCache, answer: Source, now: datetime = NOW, one: Site = SITE
) -> PriceCollector:
    return PriceCollector(one, cache=cache, fetch=answer.fetch, chance=lambda: 0.0, now_utc=now)


def read(one: PriceCollector) -> PriceSeries:
    return one.read(source(**NL), Direction.PURCHASE)


def state(one: PriceCollector) -> SourceState:
    (found,) = one.states()
    return found
