"""The catalogue tells which kind of source is asked how, and when its prices come out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from types import MappingProxyType
from typing import assert_never
from zoneinfo import ZoneInfo

from holdfast.core.config.prices import (
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
from holdfast.core.errors import ConfigError
from holdfast.markets.schedule import Publication
from holdfast.markets.sources.bidding_zones import eic_of
from holdfast.markets.sources.conversation import Asked, PriceConversation
from holdfast.markets.sources.units import unit_of

_DAY_AHEAD = Publication(zone=ZoneInfo("Europe/Brussels"), out_at=time(13))
"""Results of the coupled auction come out between 12:45 and 13:00."""
_OCTOPUS = Publication(zone=ZoneInfo("Europe/London"), out_at=time(16), day_ends=time(23))


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """Tells what there is to know of a kind of source beside how it is asked."""

    publication: Publication = _DAY_AHEAD
    by_direction: bool = False
    """It is true if purchase and feed-in are asked for differently."""


_MARKETS: Mapping[type[MarketSource], Market] = MappingProxyType(
    {
        OctopusSource: Market(publication=_OCTOPUS, by_direction=True),
    }
)
_DAY_AHEAD_MARKET = Market()


def market_of(source: MarketSource) -> Market:
    """Tells what there is to know of ``source``."""
    return _MARKETS.get(type(source), _DAY_AHEAD_MARKET)


def converse(source: MarketSource, asked: Asked) -> PriceConversation:
    """Returns what is to be said to ``source``.

    The shapes of the answers take 50 ms to build: only who asks imports them.
    """
    match source:
        case EntsoeSource():
            from holdfast.markets.sources import entsoe_api

            return entsoe_api.converse(source, asked)
        case OctopusSource():
            from holdfast.markets.sources import octopus

            return octopus.converse(source, asked)
        case TibberSource():
            from holdfast.markets.sources import tibber

            return tibber.converse(source, asked)
        case AwattarSource():
            from holdfast.markets.sources import awattar

            return awattar.converse(source, asked)
        case EnergyChartsSource():
            from holdfast.markets.sources import energy_charts

            return energy_charts.converse(source, asked)
        case NordPoolSource():
            from holdfast.markets.sources import nord_pool

            return nord_pool.converse(source, asked)
        case HomeAssistantSource():
            from holdfast.markets.sources import home_assistant

            return home_assistant.converse(source, asked)
        case _:
            assert_never(source)


def check_source(source: PriceSource) -> None:
    """Raises ConfigError for what can be told to be wrong without asking."""
    if isinstance(source, EntsoeSource):
        eic_of(source.zone)
    unit = source.unit if isinstance(source, HomeAssistantSource) else None
    if unit is not None and unit_of(unit, "EUR") is None:
        raise ConfigError(
            f"unit {unit!r} is no price per kWh; write it such as EUR/kWh, ct/kWh or CZK/MWh"
        )
