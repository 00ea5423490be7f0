"""Which kind of source is asked how, and when its prices come out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time, timedelta
from types import MappingProxyType
from typing import assert_never
from zoneinfo import ZoneInfo

from holdfast.core.price_config import (
    AwattarSource,
    EnergyChartsSource,
    EntsoeSource,
    HomeAssistantSource,
    MarketSource,
    NordPoolSource,
    OctopusSource,
    PriceSource,
    TibberSource,
)
from holdfast.markets.bidding_zones import eic_of
from holdfast.markets.conversation import Asked, PriceConversation
from holdfast.markets.schedule import Publication

_DAY_AHEAD = Publication(zone=ZoneInfo("Europe/Brussels"), out_at=time(13))
"""Results of the coupled auction come out between 12:45 and 13:00."""
_OCTOPUS = Publication(zone=ZoneInfo("Europe/London"), out_at=time(16), day_ends=time(23))
_TIBBER = Publication(
    zone=ZoneInfo("Europe/Brussels"), out_at=time(13), limited=timedelta(hours=12)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """What there is to know of a kind of source beside how it is asked."""

    publication: Publication = _DAY_AHEAD
    by_direction: bool = False
    """True if purchase and feed-in are asked for differently."""


_MARKETS: Mapping[type[MarketSource], Market] = MappingProxyType(
    {
        OctopusSource: Market(publication=_OCTOPUS, by_direction=True),
        TibberSource: Market(publication=_TIBBER),
    }
)
_DAY_AHEAD_MARKET = Market()


def market_of(source: MarketSource) -> Market:
    """What there is to know of ``source``."""
    return _MARKETS.get(type(source), _DAY_AHEAD_MARKET)


def converse(source: MarketSource, asked: Asked) -> PriceConversation:
    """What is to be said to ``source``.

    The shapes of the answers take 50 ms to build: only who asks imports them.
    """
    match source:
        case EntsoeSource():
            from holdfast.markets import entsoe_api

            return entsoe_api.converse(source, asked)
        case OctopusSource():
            from holdfast.markets import octopus

            return octopus.converse(source, asked)
        case TibberSource():
            from holdfast.markets import tibber

            return tibber.converse(source, asked)
        case AwattarSource():
            from holdfast.markets import awattar

            return awattar.converse(source, asked)
        case EnergyChartsSource():
            from holdfast.markets import energy_charts

            return energy_charts.converse(source, asked)
        case NordPoolSource():
            from holdfast.markets import nord_pool

            return nord_pool.converse(source, asked)
        case HomeAssistantSource():
            from holdfast.markets import home_assistant

            return home_assistant.converse(source, asked)
        case _:
            assert_never(source)


def check_source(source: PriceSource) -> None:
    """Raises ConfigError for what can be told to be wrong without asking."""
    if isinstance(source, EntsoeSource):
        eic_of(source.zone)
