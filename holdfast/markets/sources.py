"""Which kind of source is asked how, and when its prices come out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import time, timedelta
from types import MappingProxyType
from typing import Any
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
from holdfast.markets import (
    awattar,
    energy_charts,
    entsoe_api,
    home_assistant,
    nord_pool,
    octopus,
    tibber,
)
from holdfast.markets.bidding_zones import eic_of
from holdfast.markets.conversation import Asked, Conversation
from holdfast.markets.schedule import Publication

_DAY_AHEAD = Publication(zone=ZoneInfo("Europe/Brussels"), out_at=time(13))
"""Results of the coupled auction come out between 12:45 and 13:00."""
_OCTOPUS = Publication(zone=ZoneInfo("Europe/London"), out_at=time(16), day_ends=time(23))
_TIBBER = Publication(
    zone=ZoneInfo("Europe/Brussels"), out_at=time(13), limited=timedelta(hours=12)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """How one kind of source is asked."""

    converse: Callable[[Any, Asked], Conversation]
    publication: Publication = _DAY_AHEAD
    by_direction: bool = False
    """True if purchase and feed-in are asked for differently."""


_MARKETS: Mapping[type[MarketSource], Market] = MappingProxyType(
    {
        EntsoeSource: Market(converse=entsoe_api.converse),
        OctopusSource: Market(converse=octopus.converse, publication=_OCTOPUS, by_direction=True),
        TibberSource: Market(converse=tibber.converse, publication=_TIBBER),
        AwattarSource: Market(converse=awattar.converse),
        EnergyChartsSource: Market(converse=energy_charts.converse),
        NordPoolSource: Market(converse=nord_pool.converse),
        HomeAssistantSource: Market(converse=home_assistant.converse),
    }
)


def check_source(source: PriceSource) -> None:
    """Raises ConfigError for what can be told to be wrong without asking."""
    if isinstance(source, EntsoeSource):
        eic_of(source.zone)


def market_of(source: MarketSource) -> Market:
    """How ``source`` is asked."""
    return _MARKETS[type(source)]
