"""The prices section of site.yaml: every key, its default, and what it refuses."""

import copy
import math
import re
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from holdfast.core.config.charges import DemandCharge
from holdfast.core.config.prices import (
    SOURCE_KINDS,
    Prices,
    PriceSource,
    Tariff,
    TimedPrice,
)
from holdfast.core.config.section import Section

SOURCE: TypeAdapter[Any] = TypeAdapter(PriceSource)
FIXED = {"kind": "fixed", "price_per_kwh": 0.3}
TOKEN = {"token_env": "TOKEN"}
NEEDED: dict[str, dict[str, Any]] = {
    "fixed": {"price_per_kwh": -0.1},
    "time_of_use": {"prices": [{"price_per_kwh": 0.3}]},
    "file": {"path": "prices.csv"},
    "entsoe": {"zone": "DE_LU", **TOKEN},
    "octopus": {"product": "AGILE-24-10-01", "region": "C"},
    "tibber": TOKEN,
    "awattar": {},
    "energy_charts": {"zone": "DE-LU"},
    "nord_pool": {"area": "SE3"},
    "home_assistant": {"entity_id": "sensor.price", "url": "http://ha.local:8123", **TOKEN},
}
URLS = {
    "entsoe": "https://web-api.tp.entsoe.eu/api",
    "octopus": "https://api.octopus.energy/v1",
    "tibber": "https://api.tibber.com/v1-beta/gql",
    "awattar": "https://api.awattar.de",
    "energy_charts": "https://api.energy-charts.info",
    "nord_pool": "https://dataportal-api.nordpoolgroup.com/api",
}


def source(kind: str, **changes: Any) -> Any:
    keys = {"kind": kind, **NEEDED[kind], **changes}
    return SOURCE.validate_python({name: value for name, value in keys.items() if value != ...})


def test_every_kind_is_tried_here() -> None:
    assert set(SOURCE_KINDS) == set(NEEDED)


@pytest.mark.parametrize("kind", SOURCE_KINDS)
def test_each_kind_needs_just_this(kind: str) -> None:
    one = source(kind)
    assert one.kind == kind
    assert getattr(one, "url", None) == NEEDED[kind].get("url", URLS.get(kind))
    for name in NEEDED[kind]:
        with pytest.raises(ValidationError):
            source(kind, **{name: ...})
    with pytest.raises(ValidationError, match="Extra inputs"):
        source(kind, token="abc")
    with pytest.raises(ValidationError):
        SOURCE.validate_python(NEEDED[kind])


@pytest.mark.parametrize("kind", SOURCE_KINDS)
def test_sources_can_be_told_apart_and_looked_up(kind: str) -> None:
    assert source(kind) == source(kind)
    assert hash(source(kind)) == hash(source(kind))


def test_defaults() -> None:
    octopus, tibber = source("octopus"), source("tibber")
    assert octopus.payment_method == "DIRECT_DEBIT"
    assert (octopus.account, octopus.mpan, octopus.token_env, octopus.token_file) == (None,) * 4
    assert (tibber.home_id, tibber.component) == (None, "total")
    assert source("home_assistant").attributes is None


@pytest.mark.parametrize("price", [math.nan, math.inf, True, "cheap"])
def test_a_price_is_a_number(price: object) -> None:
    for section in (lambda: source("fixed", price_per_kwh=price), lambda: timed(price)):
        with pytest.raises(ValidationError):
            section()


def timed(price: object, **keys: object) -> TimedPrice:
    return TimedPrice.model_validate({"price_per_kwh": price, **keys})


# Where the token is


def test_a_token_is_in_one_place() -> None:
    assert source("entsoe", token_env="A_1").token_env == "A_1"
    by_file = source("entsoe", token_env=..., token_file="token")
    assert by_file.token_file == "token"
    with pytest.raises(ValidationError, match="only one of them"):
        source("entsoe", token_file="token")
    with pytest.raises(ValidationError, match="must say where the token is"):
        source("entsoe", token_env=...)
    assert source("octopus").has_token is False
    assert source("entsoe").has_token is by_file.has_token is True


@pytest.mark.parametrize(
    "url",
    [
        "ftp://x",
        "http://",
        "https://x?token=1",
        "https://x#a",
        "https://u:p@x",
        "x y",
    ],
)
def test_an_address_is_plain_and_has_no_password(url: str) -> None:
    with pytest.raises(ValidationError):
        source("awattar", url=url)
    assert source("awattar", url="http://192.0.2.1:8080/a/b").url == "http://192.0.2.1:8080/a/b"


def test_a_slash_at_the_end_of_an_address_is_that_of_a_browser() -> None:
    assert source("awattar", url="http://x/").url == "http://x"
    assert source("awattar", url="http://x/my_").url == "http://x/my_"
    assert source("awattar", url="http://192.0.2.1:8080/a/b//").url == "http://192.0.2.1:8080/a/b"


@pytest.mark.parametrize(
    ("kind", "key", "wrong", "right"),
    [
        ("awattar", "url", "x.org", "address such as https://example.org/api, without ?"),
        ("entsoe", "token_env", "a-token", "environment variable, in capitals, such as ENTSOE"),
        ("entsoe", "zone", "D", "'D' is no bidding zone such as DE_LU, nor an EIC"),
        ("octopus", "account", "me", "'me' is no account such as A-1234ABCD"),
        ("octopus", "mpan", "12", "'12' is no MPAN of 13 digits"),
        ("octopus", "product", "agile", "'agile' is no product such as AGILE-24-10-01"),
        ("octopus", "region", "_C", "'_C' is no letter of a region from A to P, such as C"),
        ("energy_charts", "zone", "D", "'D' is no zone such as DE-LU or IT-North"),
        ("nord_pool", "area", "se3", "'se3' is no area as Nord Pool writes it, such as SE3"),
        ("home_assistant", "entity_id", "price", "'price' is no entity such as sensor.nordpool_"),
        (
            "octopus", "product", "E-1R-AGILE-24-10-01-C",
            "is the code of a tariff; write product: AGILE-24-10-01 and region: C",
        ),
    ],
)  # fmt: skip
def test_it_is_told_what_would_be_right(kind: str, key: str, wrong: str, right: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(right)):
        source(kind, **{key: wrong})


def test_what_may_be_a_secret_is_not_repeated() -> None:
    for kind, key in (("entsoe", "token_env"), ("awattar", "url")):
        with pytest.raises(ValidationError) as caught:
            source(kind, **{key: "s3cr3t@"})
        told = [error["msg"] for error in caught.value.errors()]
        assert any(message.startswith("Value error, this is no ") for message in told)
        assert not any("s3cr3t" in message for message in told)


def test_zones_are_written_as_their_service_does() -> None:
    assert source("energy_charts", zone="IT-Centre-North").zone == "IT-Centre-North"
    assert source("entsoe", zone="10Y1001C--00096J").zone == "10Y1001C--00096J"


def test_an_editor_is_told_the_form() -> None:
    schema = TypeAdapter(PriceSource).json_schema()
    assert schema["$defs"]["NordPoolSource"]["properties"]["area"]["pattern"] == "^([A-Z0-9]{2,8})$"


def test_rows_of_a_list_may_be_named() -> None:
    one = source("home_assistant", row={"start": "from", "price": "eur"}, unit="ct/kWh")
    assert (one.row.start, one.row.end, one.row.price, one.unit) == ("from", None, "eur", "ct/kWh")
    assert one.row.parts() == {"start": ("from",), "price": ("eur",)}
    whole = source("home_assistant", row={"start": "a", "end": "b", "price": "c"})
    assert whole.row.parts() == {"start": ("a",), "end": ("b",), "price": ("c",)}
    assert hash(whole) != hash(one)
    assert source("home_assistant").row is source("home_assistant").unit is None
    for missing in ({"start": "a"}, {"price": "c"}):
        with pytest.raises(ValidationError, match="Field required"):
            source("home_assistant", row=missing)


@pytest.mark.parametrize("kind", ["fixed", "time_of_use"])
def test_what_is_in_the_sites_currency_is_not_converted(kind: str) -> None:
    with pytest.raises(ValidationError, match=f"prices of {kind} are in the site's currency"):
        Tariff(source=source(kind), exchange_rate=11.2)
    assert Tariff(source=source(kind)).exchange_rate is None


def test_an_exchange_rate_is_a_positive_number() -> None:
    assert Tariff(source=source("awattar"), exchange_rate=11.2).exchange_rate == 11.2
    for wrong in (0.0, -1.0, math.inf, math.nan):
        with pytest.raises(ValidationError):
            Tariff(source=source("awattar"), exchange_rate=wrong)


@pytest.mark.parametrize(
    ("keys", "right"),
    [
        ({}, True),
        ({"region": ...}, False),
        ({"product": ...}, False),
        ({"account": "A-1234ABCD", **TOKEN}, False),
        ({"product": ..., "region": ..., "account": "A-1234ABCD", **TOKEN}, True),
        ({"product": ..., "region": ..., "account": "A-1234ABCD"}, False),
        ({"product": ..., "region": ..., **TOKEN}, False),
        ({"account": "A-1234ABCD"}, True),
        ({"region": "I"}, False),
        ({"region": "P"}, True),
        ({"mpan": "1" * 12}, False),
        ({"mpan": "1" * 13}, True),
        ({"payment_method": "CASH"}, False),
    ],
)
def test_octopus_is_told_the_tariff_in_one_way(keys: dict[str, Any], right: bool) -> None:
    if right:
        source("octopus", **keys)
    else:
        with pytest.raises(ValidationError):
            source("octopus", **keys)


@pytest.mark.parametrize("letter", "ABCDEFGHIJKLMNOPQ")
def test_there_are_fourteen_regions(letter: str) -> None:
    if letter in "IOQ":
        with pytest.raises(ValidationError):
            source("octopus", region=letter)
    else:
        assert source("octopus", region=letter).region == letter


@pytest.mark.parametrize(
    ("kind", "key", "values"),
    [
        ("octopus", "payment_method", ["DIRECT_DEBIT", "NON_DIRECT_DEBIT"]),
        ("tibber", "component", ["total", "energy"]),
        ("tibber", "home_id", ["96a14971"]),
        ("home_assistant", "attributes", [("one",), ("one", "two")]),
    ],
)
def test_choices(kind: str, key: str, values: list[object]) -> None:
    for value in values:
        assert getattr(source(kind, **{key: value}), key) == value
    for wrong in ("another", (), 7):
        if wrong != "another" or key != "home_id":
            with pytest.raises(ValidationError):
                source(kind, **{key: wrong})


# The tariff


def test_a_tariff_adds_nothing_by_itself() -> None:
    tariff = Tariff.model_validate({"source": FIXED})
    assert (tariff.factor, tariff.fees, tariff.levies_per_kwh, tariff.vat_pct) == (
        1.0,
        (),
        0.0,
        0.0,
    )


@pytest.mark.parametrize(
    ("key", "right", "wrong"),
    [
        ("factor", [1e-9, 2.0], [0.0, -1.0, math.nan, math.inf, True]),
        ("levies_per_kwh", [-1.0, 0.0, 1.0], [math.nan, math.inf, True]),
        ("vat_pct", [0.0, 100.0], [-1e-9, 100.1, math.nan, True]),
    ],
)
def test_numbers_of_a_tariff(key: str, right: list[float], wrong: list[object]) -> None:
    for value in right:
        assert getattr(Tariff.model_validate({"source": FIXED, key: value}), key) == value
    for bad in wrong:
        with pytest.raises(ValidationError):
            Tariff.model_validate({"source": FIXED, key: bad})


@pytest.mark.parametrize(
    ("keys", "right"),
    [
        ({"price_per_kw": 0.0, "period": "day"}, True),
        ({"price_per_kw": 9.5, "period": "month", "from": "07:00"}, True),
        ({"price_per_kw": 9.5, "period": "year"}, True),
        ({"price_per_kw": -0.1, "period": "month"}, False),
        ({"price_per_kw": 9.5, "period": "week"}, False),
        ({"price_per_kw": 9.5}, False),
    ],
)
def test_demand_charges(keys: dict[str, object], right: bool) -> None:
    if right:
        assert DemandCharge.model_validate(keys).price_per_kw == keys["price_per_kw"]
    else:
        with pytest.raises(ValidationError):
            DemandCharge.model_validate(keys)


def test_purchase_and_feed_in_are_both_said() -> None:
    whole = {"purchase": {"source": FIXED}, "feed_in": {"source": FIXED}}
    assert Prices.model_validate(whole).demand_charges == ()
    for name in whole:
        part = copy.deepcopy(whole)
        del part[name]
        with pytest.raises(ValidationError, match=name):
            Prices.model_validate(part)


def test_a_section_is_frozen_and_takes_no_unknown_key() -> None:
    section = Prices.model_validate({"purchase": {"source": FIXED}, "feed_in": {"source": FIXED}})
    assert isinstance(section, Section)
    with pytest.raises(ValidationError, match="frozen"):
        section.demand_charges = ()  # type: ignore[misc]


NIGHT = {"from": "22:00", "to": "06:00", "price_per_kwh": 0.2}


def test_a_table_ends_with_a_row_that_always_holds() -> None:
    rows = [NIGHT, {"price_per_kwh": 0.3}]
    assert len(source("time_of_use", prices=rows).prices) == 2
    assert len(Tariff.model_validate({"source": FIXED, "fees": rows}).fees) == 2
    for wrong in ([NIGHT], rows[::-1]):
        with pytest.raises(ValidationError, match="the last row must hold always"):
            source("time_of_use", prices=wrong)
        with pytest.raises(ValidationError, match="the last row must hold always"):
            Tariff.model_validate({"source": FIXED, "fees": wrong})
    with pytest.raises(ValidationError):
        source("time_of_use", prices=[])
