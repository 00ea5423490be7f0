"""Doubts tell what the prices of a site.yaml hardly mean, as far as nobody needs to be asked."""

from collections.abc import Iterator

from holdfast.core.config import Site
from holdfast.core.config.prices import (
    AwattarSource,
    EnergyChartsSource,
    EntsoeSource,
    HomeAssistantSource,
    NordPoolSource,
    OctopusSource,
    PriceSource,
    Tariff,
)
from holdfast.markets.sources.bidding_zones import EIC, meant_of
from holdfast.markets.sources.plausible import PER_EURO
from holdfast.markets.sources.units import unit_of

ENERGY_CHARTS_ZONES = (
    "AT", "BE", "BG", "CH", "CZ", "DE-AT-LU", "DE-LU", "DK1", "DK2", "EE", "ES", "FI", "FR", "GR",
    "HR", "HU", "IT-Calabria", "IT-Centre-North", "IT-Centre-South", "IT-North", "IT-SACOAC",
    "IT-SACODC", "IT-Sardinia", "IT-Sicily", "IT-South", "LT", "LV", "ME", "NL", "NO1", "NO2",
    "NO2NSL", "NO3", "NO4", "NO5", "PL", "PT", "RO", "RS", "SE1", "SE2", "SE3", "SE4", "SI", "SK",
)  # fmt: skip
NORD_POOL_AREAS = (
    "AT", "BE", "BG", "DK1", "DK2", "EE", "FI", "FR", "GER", "LT", "LV", "NL", "NO1", "NO2", "NO3",
    "NO4", "NO5", "PL", "SE1", "SE2", "SE3", "SE4", "SYS", "TEL",
)  # fmt: skip
_CURRENCIES: tuple[tuple[type[PriceSource], str], ...] = (
    (AwattarSource, "EUR"),
    (EnergyChartsSource, "EUR"),
    (EntsoeSource, "EUR"),
    (OctopusSource, "GBP"),
)
_ROUGHLY = 2.0
_IN_EUROS = frozenset(EIC) - {"BG", "CH", "GB", "PL", "RO"}
"""These are bidding zones of ENTSO-E; others may have the country's own currency."""


def price_doubts(site: Site) -> tuple[str, ...]:
    """Returns everything that looks wrong, each with what was probably meant."""
    if site.prices is None:
        return ()
    tariffs = {"purchase": site.prices.purchase, "feed_in": site.prices.feed_in}
    return tuple(
        f"prices.{direction}.{doubt}"
        for direction, tariff in tariffs.items()
        for doubt in (*_currency(tariff, site.currency), *_name(tariff.source))
    )


def _currency(tariff: Tariff, currency: str) -> Iterator[str]:
    told = currency_of(tariff.source, currency)
    if told is None:
        return
    if tariff.exchange_rate is None and told != currency:
        yield (
            f"exchange_rate: is missing; {tariff.source.kind} is in {told}, the site in "
            f"{currency}: write how many {currency} one {told} costs"
        )
    elif tariff.exchange_rate is not None and told == currency:
        yield f"exchange_rate: is not wanted; {tariff.source.kind} is in {told}, as the site is"
    elif tariff.exchange_rate is not None:
        yield from _rate(tariff.exchange_rate, told, currency)


def _rate(rate: float, told: str, currency: str) -> Iterator[str]:
    """Tells of a rate that is the other way round, or of another currency."""
    if not {told, currency} <= PER_EURO.keys():
        return
    about = PER_EURO[currency] / PER_EURO[told]
    if not about / _ROUGHLY <= rate <= about * _ROUGHLY:
        yield (
            f"exchange_rate: {rate:g} {currency} for one {told} is not plausible; it is about "
            f"{about:.2g}"
        )


def currency_of(source: PriceSource, site_currency: str) -> str | None:
    """Returns the currency of what ``source`` tells; None if only asking shows it."""
    if isinstance(source, NordPoolSource):
        return site_currency  # it is asked for that
    if isinstance(source, HomeAssistantSource):
        unit = None if source.unit is None else unit_of(source.unit, site_currency)
        return None if unit is None else unit[0]
    if isinstance(source, EntsoeSource) and source.zone not in _IN_EUROS:
        return None
    return next((told for kind, told in _CURRENCIES if isinstance(source, kind)), None)


def _name(source: PriceSource) -> Iterator[str]:
    match source:
        case EnergyChartsSource():
            yield from _unknown("source.zone", source.zone, ENERGY_CHARTS_ZONES, "energy-charts")
        case NordPoolSource():
            yield from _unknown("source.area", source.area, NORD_POOL_AREAS, "Nord Pool")
        case _:
            pass


def _unknown(key: str, name: str, known: tuple[str, ...], who: str) -> Iterator[str]:
    if name in known:
        return
    meant = meant_of(name, known)
    right = f"write {meant}" if meant is not None else f"known are {', '.join(known)}"
    yield f"{key}: {name} is not known of {who}; {right}"
