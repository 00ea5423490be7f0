"""``holdfast check`` names what it can know of prices: currencies, zones, codes, units."""

from typing import Any

import pytest

from holdfast.core.errors import ConfigError
from holdfast.markets.price_doubts import ENERGY_CHARTS_ZONES, NORD_POOL_AREAS, price_doubts
from holdfast.markets.sources.catalogue import check_source
from tests.markets.builders import site, source

TOKEN = {"token_env": "T"}
OCTOPUS = {"kind": "octopus", "product": "AGILE-24-10-01", "region": "C"}
SENSOR = {"kind": "home_assistant", "url": "http://ha", "entity_id": "sensor.x", **TOKEN}


RATES = {("GBP", "EUR"): 1.15, ("EUR", "CZK"): 24.3, ("EUR", "SEK"): 11.2}


def doubts(purchase: dict[str, Any], currency: str, **keys: Any) -> tuple[str, ...]:
    return price_doubts(site({"source": purchase, **keys}, currency=currency))


@pytest.mark.parametrize(
    ("one", "told", "currency"),
    [
        (OCTOPUS, "GBP", "EUR"),
        ({"kind": "awattar"}, "EUR", "CZK"),
        ({"kind": "energy_charts", "zone": "SE4"}, "EUR", "SEK"),
        ({"kind": "entsoe", "zone": "SE_4", **TOKEN}, "EUR", "SEK"),
        ({**SENSOR, "unit": "EUR/MWh"}, "EUR", "SEK"),
    ],
)
def test_a_source_in_another_currency_needs_a_rate(
    one: dict[str, Any], told: str, currency: str
) -> None:
    (missing,) = doubts(one, currency)
    assert missing == (
        f"prices.purchase.exchange_rate: is missing; {one['kind']} is in {told}, the site in "
        f"{currency}: write how many {currency} one {told} costs"
    )
    assert doubts(one, currency, exchange_rate=RATES[told, currency]) == ()
    (wrong_way,) = doubts(one, currency, exchange_rate=RATES[told, currency] / 5.0)
    assert f"{currency} for one {told} is not plausible; it is about " in wrong_way
    assert doubts(one, told) == ()
    (doubt,) = doubts(one, told, exchange_rate=11.2)
    assert doubt.startswith("prices.purchase.exchange_rate: is not wanted")


def test_of_a_currency_that_is_not_known_no_rate_is_doubted() -> None:
    assert doubts({"kind": "awattar"}, "XYZ", exchange_rate=1e6) == ()


@pytest.mark.parametrize(
    "one",
    [
        {"kind": "entsoe", "zone": "PL", **TOKEN},
        {"kind": "entsoe", "zone": "10Y1001C--00003F", **TOKEN},
        {"kind": "tibber", **TOKEN},
        {"kind": "nord_pool", "area": "SE3"},
        {"kind": "fixed", "price_per_kwh": 0.3},
        SENSOR,
        {**SENSOR, "unit": "öre/kWh"},
    ],
)
def test_where_only_asking_shows_the_currency_nothing_is_said(one: dict[str, Any]) -> None:
    assert doubts(one, "SEK") == ()


@pytest.mark.parametrize(
    ("one", "told"),
    [
        (
            {"kind": "energy_charts", "zone": "IT-NORTH"},
            "source.zone: IT-NORTH is not known of energy-charts; write IT-North",
        ),
        (
            {"kind": "energy_charts", "zone": "DELU"},
            "source.zone: DELU is not known of energy-charts; write DE-LU",
        ),
        (
            {"kind": "energy_charts", "zone": "XX"},
            "source.zone: XX is not known of energy-charts; known are AT, BE, ",
        ),
        (
            {"kind": "nord_pool", "area": "DE"},
            "source.area: DE is not known of Nord Pool; known are AT, BE, ",
        ),
    ],
)
def test_a_zone_that_its_service_does_not_know_is_named(one: dict[str, Any], told: str) -> None:
    (doubt,) = doubts(one, "EUR")
    assert doubt.startswith(f"prices.purchase.{told}")
    feed_in = site({"kind": "fixed", "price_per_kwh": 0.1}, one)
    assert price_doubts(feed_in)[0].startswith("prices.feed_in.source.")


def test_zones_that_are_known_are_in_order_and_no_doubt() -> None:
    for zone in ENERGY_CHARTS_ZONES:
        assert doubts({"kind": "energy_charts", "zone": zone}, "EUR") == ()
    for area in NORD_POOL_AREAS:
        assert doubts({"kind": "nord_pool", "area": area}, "EUR") == ()
    for names in (ENERGY_CHARTS_ZONES, NORD_POOL_AREAS):
        assert list(names) == sorted(set(names))


def test_a_site_without_prices_has_no_doubts_about_them() -> None:
    one = site({"kind": "awattar"}, currency="CZK").model_copy(update={"prices": None})
    assert price_doubts(one) == ()


@pytest.mark.parametrize(
    ("zone", "told"),
    [("de-lu", "DE_LU is"), ("IT-Nord", "IT_NORD is"), ("SE4", "SE_4 is"), ("DE", "write its EIC")],
)
def test_a_bidding_zone_that_is_not_known_is_told_with_what_was_meant(zone: str, told: str) -> None:
    with pytest.raises(ConfigError, match=f"zone '{zone}' is not known; {told}"):
        check_source(source("entsoe", zone=zone, **TOKEN))


def test_a_unit_that_is_no_price_is_told() -> None:
    for right in ("ct/kWh", "EUR/MWh", "Kč/kWh"):
        check_source(source(**{**SENSOR, "unit": right}))
    with pytest.raises(ConfigError, match="unit 'cents' is no price per kWh; write it such as"):
        check_source(source(**{**SENSOR, "unit": "cents"}))
