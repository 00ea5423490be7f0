"""A sensor of Home Assistant gives its prices, whatever its integration calls them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.markets.asking import fetch, refusal, told
from tests.markets.builders import (
    BERLIN,
    DAY,
    HOUR,
    NOW,
    QUARTER,
    TODAY,
    asked,
    dumped,
    starts,
)
from tests.markets.http_server import always

pytestmark = pytest.mark.usefixtures("token")

HASS = {"entity_id": "sensor.prices", "token_env": "PRICE_TOKEN"}


def sensor(unit: object = "EUR/kWh", state: str = "0.1", **attributes: object) -> bytes:
    return dumped(
        {
            "entity_id": "sensor.prices",
            "state": state,
            "attributes": {"unit_of_measurement": unit, **attributes},
            "last_updated": "2026-05-08T09:00:00+00:00",
        }
    )


def raw(start: datetime, count: int, value: float | None, step: timedelta = HOUR) -> list[Any]:
    local = [(start + n * step).astimezone(BERLIN) for n in range(count)]
    return [
        {
            "start": time.isoformat(),
            "end": (time.astimezone(UTC) + step).isoformat(),
            "value": value,
        }
        for time in local
    ]


def test_home_assistant_nord_pool_lists() -> None:
    body = sensor(raw_today=raw(TODAY, 24, 0.2), raw_tomorrow=raw(TODAY + DAY, 24, 0.3), today=[1])
    prices, server = fetch(always(body), "home_assistant", **HASS)
    assert (len(prices), prices.price_at(NOW), prices.price_at(NOW + DAY)) == (48, 0.2, 0.3)
    assert server.seen[0].path == "/api/states/sensor.prices"


@pytest.mark.parametrize("tomorrow", [{}, {"raw_tomorrow": None}, {"raw_tomorrow": []}])
def test_home_assistant_tomorrow_may_be_missing(tomorrow: dict[str, Any]) -> None:
    body = sensor(raw_today=raw(TODAY, 24, 0.2), **tomorrow)
    assert len(fetch(always(body), "home_assistant", **HASS)[0]) == 24


def test_home_assistant_nulls_are_holes() -> None:
    body = sensor(raw_today=[*raw(TODAY, 23, 0.2), *raw(TODAY + 23 * HOUR, 1, None)])
    assert len(fetch(always(body), "home_assistant", **HASS)[0]) == 23


def test_home_assistant_entsoe_lists_have_no_end() -> None:
    rows = [
        {"time": str(start.astimezone(BERLIN)), "price": 0.25}
        for start in starts(TODAY, TODAY + DAY, QUARTER)
    ]
    body = sensor("€/kWh", prices_today=rows, prices_tomorrow=[], prices=rows)
    prices, _ = fetch(always(body), "home_assistant", **HASS)
    assert (len(prices), prices.currency, prices.price_at(NOW)) == (96, "EUR", 0.25)


def test_home_assistant_lists_may_be_named() -> None:
    body = sensor(raw_today=raw(TODAY, 24, 0.2), mine=raw(TODAY, 24, 0.4))
    prices, _ = fetch(always(body), "home_assistant", **HASS, attributes=["mine"])
    assert prices.price_at(NOW) == 0.4
    unknown = refusal(always(sensor(today=[0.1], spots=[])), "home_assistant", **HASS)
    assert "name it by attributes, of spots, today" in unknown
    bare = refusal(always(sensor()), "home_assistant", **HASS)
    assert "no list of prices; a template sensor can hold one" in bare


@pytest.mark.parametrize(
    ("unit", "site", "currency", "price"),
    [
        ("EUR/MWh", "EUR", "EUR", 0.0014),
        ("SEK/kWh", "SEK", "SEK", 1.4),
        ("kr/kWh", "NOK", "NOK", 1.4),
        ("öre/kWh", "SEK", "SEK", 0.014),
        ("ct/kWh", "EUR", "EUR", 0.014),
        ("p/kWh", "GBP", "GBP", 0.014),
        ("£ / kWh", "GBP", "GBP", 1.4),
    ],
)
def test_home_assistant_the_unit_says_what_the_numbers_are(
    unit: str, site: str, currency: str, price: float
) -> None:
    body = sensor(unit, raw_today=raw(TODAY, 24, 1.4))
    prices, _ = fetch(always(body), "home_assistant", asked(currency=site), **HASS)
    assert (prices.currency, prices.price_at(NOW)) == (currency, pytest.approx(price))
    bare = sensor(None, raw_today=raw(TODAY, 24, 1.4))
    assert (
        fetch(always(bare), "home_assistant", asked(currency=site), **HASS, unit=unit)[0] == prices
    )


@pytest.mark.parametrize("unit", [None, "", "kWh", "EUR", "EUR/kW", "money/kWh", 7, "/kWh"])
def test_home_assistant_a_unit_that_is_no_price_is_refused(unit: object) -> None:
    body = sensor(unit, raw_today=raw(TODAY, 24, 4.0))
    assert "unit_of_measurement" in refusal(always(body), "home_assistant", **HASS)


def test_home_assistant_a_sensor_that_is_gone_is_told() -> None:
    assert "sensor.prices is unavailable" in refusal(
        always(sensor(state="unavailable")), "home_assistant", **HASS
    )
    gone = always(dumped({"message": "Entity not found."}), status=404)
    assert "HTTP 404" in refusal(gone, "home_assistant", **HASS)


def rows_of(*keys: str) -> list[dict[str, object]]:
    """A day of hours, each with a start, an end and a price by these names."""
    start, end, price = keys
    return [
        {start: f"{one:%FT%TZ}", end: f"{one + HOUR:%FT%TZ}", price: 0.2, "note": "x"}
        for one in starts(TODAY, TODAY + DAY, HOUR)
    ]


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("data", ("start_time", "end_time", "price_per_kwh")),
        ("prices", ("from", "till", "price")),
        ("forecasts", ("start_time", "end_time", "per_kwh")),
        ("rates", ("start", "end", "value_inc_vat")),
    ],
)
def test_home_assistant_rows_of_known_integrations(name: str, keys: tuple[str, ...]) -> None:
    body = sensor(**{name: rows_of(*keys)})
    prices, _ = fetch(always(body), "home_assistant", **HASS)
    assert (len(prices), prices.price_at(NOW)) == (24, 0.2)


def test_home_assistant_rows_may_be_named() -> None:
    body = sensor(spots=rows_of("begin", "finish", "amount"))
    row = {"start": "begin", "end": "finish", "price": "amount"}
    keys = {**HASS, "attributes": ["spots"]}
    assert len(fetch(always(body), "home_assistant", **keys, row=row)[0]) == 24
    without_end = {"start": "begin", "price": "amount"}
    assert len(fetch(always(body), "home_assistant", **keys, row=without_end)[0]) == 24
    said = refusal(always(body), "home_assistant", **keys)
    assert "rows of spots have amount, begin, finish, note; say which is which by row:" in said
    for strange, why in (([0.1, 0.2], "no rows with a start"), ("text", "is no list")):
        assert why in refusal(always(sensor(spots=strange)), "home_assistant", **keys)


def test_home_assistant_forecasts_that_begin_a_second_late_have_no_holes() -> None:
    half = timedelta(minutes=30)
    fives = [(NOW + n * timedelta(minutes=5), timedelta(minutes=5)) for n in range(6)]
    halves = [(NOW + (n + 1) * half, half) for n in range(20)]
    rows = [
        {
            "start_time": f"{start + timedelta(seconds=1):%FT%T+00:00}",
            "end_time": f"{start + length:%FT%T+00:00}",
            "per_kwh": 0.3,
        }
        for start, length in (*fives, *halves)
    ]
    question = asked(currency="AUD", zone=ZoneInfo("Australia/Sydney"))
    prices, _ = fetch(always(sensor("$/kWh", forecasts=rows)), "home_assistant", question, **HASS)
    assert prices.known_until(NOW) == NOW + 21 * half


def test_home_assistant_hours_after_quarter_hours() -> None:
    times = [*starts(TODAY, TODAY + DAY, QUARTER), *starts(TODAY + DAY, TODAY + 2 * DAY, HOUR)]
    rows = [{"time": f"{time:%FT%TZ}", "price": 0.1} for time in times]
    prices, _ = fetch(always(sensor(prices=rows)), "home_assistant", **HASS)
    assert prices.known_until(NOW) == TODAY + 2 * DAY


# Prices that cannot be


@pytest.mark.parametrize("price", [10.1, -1.1])
def test_a_price_that_cannot_be_is_left_out_by_name(price: float) -> None:
    body = sensor(raw_today=[*raw(TODAY, 23, 0.1), *raw(TODAY + 23 * HOUR, 1, price)])
    answer = told(always(body), "home_assistant", **HASS)
    assert answer.prices.known_until(NOW) == TODAY + 23 * HOUR
    assert answer.is_partial
    (note,) = answer.notes
    assert f"price {price:g} EUR per kWh at 2026-05-08T21:00Z is not within -1 to 10" in note
    body = sensor("NOK/kWh", raw_today=raw(TODAY, 24, price))
    assert len(fetch(always(body), "home_assistant", asked(currency="NOK"), **HASS)[0]) == 24


def test_prices_in_another_unit_than_they_say_are_not_used() -> None:
    body = sensor(raw_today=raw(TODAY, 24, 31.0))
    assert "another unit" in refusal(always(body), "home_assistant", **HASS)
    answer = told(always(sensor(raw_today=raw(TODAY, 24, 0.0003))), "home_assistant", **HASS)
    assert answer.notes[0].startswith("doubtful: ")
    assert not answer.is_partial
