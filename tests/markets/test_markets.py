"""Each source, asked over HTTP as the real one, gives its prices at the right instants."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from holdfast.core.errors import ConfigError, PriceDataError, SourceError
from holdfast.markets.conversation import Asked
from holdfast.markets.fetcher import Fetcher
from holdfast.markets.prices import Direction, PriceSeries
from holdfast.web.request import RateLimited, TokenRefused
from tests.markets.builders import (
    BERLIN,
    DAY,
    HOUR,
    NOW,
    QUARTER,
    TODAY,
    asked,
    dumped,
    source,
    starts,
)
from tests.markets.http_server import Answering, PriceServer, Reply, Seen, always, serving
from tests.markets.test_entsoe import document, period, series

pytestmark = pytest.mark.usefixtures("token")

LONDON = ZoneInfo("Europe/London")


def fetch(
    answering: Answering, kind: str, question: Asked | None = None, **keys: Any
) -> tuple[PriceSeries, PriceServer]:
    with serving(answering) as server:
        one = source(kind, url=server.url, **keys)
        return Fetcher().fetch(one, question or asked()), server


def refusal(answering: Answering, kind: str, question: Asked | None = None, **keys: Any) -> str:
    with pytest.raises(SourceError) as caught:
        fetch(answering, kind, question, **keys)
    return str(caught.value)


# ENTSO-E

ENTSOE = {"zone": "DE_LU", "token_env": "PRICE_TOKEN"}


def day_of(price: float, *, start: datetime = TODAY, length: timedelta = DAY, **others: Any) -> str:
    return series(period({1: price}, start=start, length=length), **others)


def test_entsoe_is_asked_for_whole_days_of_one_zone(token: str) -> None:
    _, server = fetch(always(document(day_of(80))), "entsoe", **ENTSOE)
    (seen,) = server.seen
    assert seen.query == {
        "securityToken": token,
        "documentType": "A44",
        "contract_MarketAgreement.type": "A01",
        "in_Domain": "10Y1001A1001A82H",
        "out_Domain": "10Y1001A1001A82H",
        "periodStart": "202605070000",
        "periodEnd": "202605110000",
    }


def test_entsoe_prices_of_two_auctions_are_not_mixed() -> None:
    answer = document(
        day_of(70, sequence=2), day_of(80, sequence=1), day_of(90, start=TODAY + DAY, sequence=2)
    )
    prices, _ = fetch(always(answer), "entsoe", **ENTSOE)
    assert prices.price_at(NOW) == 0.08
    assert prices.price_at(NOW + DAY) == 0.09  # only the early auction is out
    assert len(prices) == 192
    assert prices.known_until(NOW) == TODAY + 2 * DAY


def test_entsoe_gaps_repeat_the_price_before_to_the_end_of_the_day() -> None:
    answer = document(series(period({1: 10, 50: 20}, start=TODAY, length=DAY)))
    prices, _ = fetch(always(answer), "entsoe", **ENTSOE)
    assert prices.price_at(TODAY + 48 * QUARTER) == 0.01
    assert prices.price_at(TODAY + 49 * QUARTER) == prices.price_at(TODAY + 95 * QUARTER) == 0.02


def test_entsoe_what_was_not_asked_for_is_cut_off() -> None:
    answer = document(day_of(80), day_of(70, start=TODAY - 5 * DAY))
    prices, _ = fetch(always(answer), "entsoe", **ENTSOE)
    assert len(prices) == 96


@pytest.mark.parametrize("status", [200, 400])
def test_entsoe_no_data_is_told_whatever_the_status(status: int) -> None:
    body = (
        '<Acknowledgement_MarketDocument xmlns="urn:iec62325.351:tc57wg16:451-1:'
        'acknowledgementdocument:7:0"><Reason><code>999</code><text>No matching data found'
        "</text></Reason></Acknowledgement_MarketDocument>"
    )
    told = refusal(always(body, status=status), "entsoe", **ENTSOE)
    assert "No matching data found" in told


def test_entsoe_a_page_of_html_is_no_price() -> None:
    page = "<!DOCTYPE html><html><body>Service unavailable</body></html>"
    assert "web page" in refusal(always(page), "entsoe", **ENTSOE)
    assert "HTTP 503" in refusal(always(page, status=503), "entsoe", **ENTSOE)


@pytest.mark.parametrize(
    ("midnight", "hours"),
    [
        (datetime(2026, 3, 28, 23, tzinfo=UTC), 23),
        (datetime(2026, 10, 24, 22, tzinfo=UTC), 25),
    ],
)
def test_entsoe_days_of_92_and_100_quarters(midnight: datetime, hours: int) -> None:
    points: dict[int, float | str] = {n: n for n in range(1, 4 * hours + 1)}
    answer = document(series(period(points, start=midnight, length=hours * HOUR)))
    prices, _ = fetch(always(answer), "entsoe", asked(midnight + HOUR), **ENTSOE)
    assert len(prices) == 4 * hours
    assert prices.price_at(midnight + 12 * QUARTER) == 0.013


def test_entsoe_an_unknown_zone_is_a_mistake_of_the_configuration() -> None:
    with pytest.raises(ConfigError, match=r"zone 'DE' is not known.*DE_LU"):
        fetch(always(""), "entsoe", zone="DE", token_env="PRICE_TOKEN")
    _, server = fetch(
        always(document(day_of(80))),
        "entsoe",
        zone="10YIT-GRTN-----B",
        token_env="PRICE_TOKEN",
    )
    assert server.seen[0].query["in_Domain"] == "10YIT-GRTN-----B"


# Octopus

AGILE = {"product": "AGILE-24-10-01", "region": "C"}
AGILE_CODE = "E-1R-AGILE-24-10-01-C"
HALF = timedelta(minutes=30)
LONDON_DAY = datetime(2026, 5, 7, 22, tzinfo=UTC)
"""23:00 in London: an Agile day begins."""


def rate(
    start: datetime | None, end: datetime | None, pence: float, method: str | None = None
) -> dict[str, object]:
    return {
        "value_exc_vat": pence / 1.05,
        "value_inc_vat": pence,
        "valid_from": None if start is None else f"{start:%Y-%m-%dT%H:%M:%SZ}",
        "valid_to": None if end is None else f"{end:%Y-%m-%dT%H:%M:%SZ}",
        "payment_method": method,
    }


def half_hours(start: datetime, end: datetime) -> list[dict[str, object]]:
    """Newest first, as they come; the price is the number of the half hour."""
    rows = [rate(s, s + HALF, n) for n, s in enumerate(starts(start, end, HALF))]
    return rows[::-1]


def pages(rows: list[dict[str, object]], size: int = 100) -> Answering:
    """Rates in pages; every page but the first is asked for by the address it was given."""

    def answer(seen: Seen) -> Reply:
        page = int(seen.query.get("page", "1"))
        part = rows[(page - 1) * size : page * size]
        there = f"http://{seen.headers['Host']}{seen.path}?page={page + 1}"
        more = there if page * size < len(rows) else None
        return Reply(
            body=dumped({"count": len(rows), "next": more, "previous": None, "results": part})
        )

    return answer


def test_octopus_agile_comes_newest_first_and_in_pages() -> None:
    rows = half_hours(LONDON_DAY, LONDON_DAY + 2 * DAY)
    prices, server = fetch(pages(rows, 40), "octopus", **AGILE)
    assert len(prices) == 96
    assert prices.currency == "GBP"
    assert prices.price_at(LONDON_DAY) == 0.0
    assert prices.price_at(LONDON_DAY + 95 * HALF) == 0.95
    assert prices.known_until(NOW) == LONDON_DAY + 2 * DAY
    first, second, third = server.seen
    assert (
        first.path
        == f"/products/AGILE-24-10-01/electricity-tariffs/{AGILE_CODE}/standard-unit-rates/"
    )
    assert first.query["period_from"] == "2026-05-07T00:00:00Z"
    assert first.query["period_to"] == "2026-05-17T00:00:00Z"
    assert (second.query["page"], third.query["page"]) == ("2", "3")


def test_octopus_rows_that_come_twice_count_once_and_others_are_refused() -> None:
    rows = half_hours(LONDON_DAY, LONDON_DAY + DAY)
    prices, _ = fetch(pages([*rows, *rows[-3:]]), "octopus", **AGILE)
    assert len(prices) == 48
    two = [*rows, rate(LONDON_DAY, LONDON_DAY + HALF, 99)]
    assert "overlap" in refusal(pages(two), "octopus", **AGILE)


def test_octopus_two_payment_methods_are_two_tariffs() -> None:
    rows = [
        rate(TODAY, None, 24.5, "DIRECT_DEBIT"),
        rate(TODAY, None, 26.5, "NON_DIRECT_DEBIT"),
    ]
    prices, _ = fetch(pages(rows), "octopus", **AGILE)
    assert prices.price_at(NOW) == 0.245
    prices, _ = fetch(pages(rows), "octopus", **AGILE, payment_method="NON_DIRECT_DEBIT")
    assert prices.price_at(NOW) == 0.265


def test_octopus_a_rate_without_an_end_holds_on() -> None:
    rows = [rate(NOW - HOUR, None, 30), rate(None, NOW - HOUR, 20)]
    prices, _ = fetch(pages(rows), "octopus", **AGILE)
    assert prices.price_at(NOW - 2 * HOUR) == 0.2
    assert prices.price_at(NOW) == 0.3
    assert prices.known_until(NOW) == asked().end_utc


@pytest.mark.parametrize(
    ("start", "slots"),
    [
        (datetime(2026, 3, 28, 23, tzinfo=UTC), 46),
        (datetime(2026, 10, 24, 22, tzinfo=UTC), 50),
    ],
)
def test_octopus_days_of_46_and_50_half_hours(start: datetime, slots: int) -> None:
    end = (start.astimezone(LONDON) + DAY).astimezone(UTC)
    prices, _ = fetch(pages(half_hours(start, end)), "octopus", asked(start + HOUR), **AGILE)
    assert len(prices) == slots
    assert prices.known_until(start) == start + slots * HALF


def test_octopus_the_next_page_is_not_asked_of_a_stranger() -> None:
    page = dumped({"results": [], "next": "https://x.invalid/more"})
    assert "another server: 'x.invalid'" in refusal(always(page), "octopus", **AGILE)


def account(*points: dict[str, object]) -> Callable[[Seen], Reply]:
    rates = pages(half_hours(LONDON_DAY, LONDON_DAY + 2 * DAY))

    def answer(seen: Seen) -> Reply:
        if seen.path == "/accounts/A-1234ABCD/":
            content = {"number": "A-1234ABCD", "properties": [{"electricity_meter_points": points}]}
            return Reply(body=dumped(content))
        return rates(seen)

    return answer


def point(
    mpan: str, *agreements: tuple[str, str | None, str | None], is_export: bool = False
) -> dict[str, object]:
    return {
        "mpan": mpan,
        "is_export": is_export,
        "agreements": [
            {"tariff_code": code, "valid_from": begin, "valid_to": end}
            for code, begin, end in agreements
        ],
    }


IMPORT = point(
    "1" * 13,
    ("E-1R-OLD-22-01-01-C", "2022-01-01T00:00:00Z", "2026-05-08T11:00:00+01:00"),
    (AGILE_CODE, "2026-05-08T11:00:00+01:00", "2026-05-09T00:00:00+01:00"),
    ("E-1R-NEW-27-01-01-C", "2026-05-09T00:00:00+01:00", None),
)
EXPORT = point("2" * 13, ("E-1R-AGILE-OUTGOING-19-05-13-C", None, None), is_export=True)
ACCOUNT = {"account": "A-1234ABCD", "token_env": "PRICE_TOKEN"}


def test_octopus_an_account_says_the_tariff_that_is_valid_now() -> None:
    prices, server = fetch(account(IMPORT, EXPORT), "octopus", **ACCOUNT)
    assert AGILE_CODE in server.seen[1].path
    # Its rates go on, but from then on it is another agreement.
    assert prices.known_until(NOW) == datetime(2026, 5, 8, 23, tzinfo=UTC)


def test_octopus_feed_in_is_paid_at_the_export_meter_point() -> None:
    question = asked(direction=Direction.FEED_IN)
    _, server = fetch(account(IMPORT, EXPORT), "octopus", question, **ACCOUNT)
    assert "/products/AGILE-OUTGOING-19-05-13/" in server.seen[1].path


def test_octopus_without_one_agreement_there_is_no_price() -> None:
    question = asked(direction=Direction.FEED_IN)
    assert "no export agreement" in refusal(account(IMPORT), "octopus", question, **ACCOUNT)
    other = point("3" * 13, (AGILE_CODE, None, None))
    told = refusal(account(IMPORT, other), "octopus", **ACCOUNT)
    assert "2 import agreements" in told
    assert "mpan" in told
    _, server = fetch(account(IMPORT, other), "octopus", **ACCOUNT, mpan="3" * 13)
    assert len(server.seen) == 2


def test_octopus_a_tariff_with_two_rates_is_not_guessed() -> None:
    two = point("1" * 13, ("E-2R-VAR-22-11-01-C", None, None))
    assert "more than one register" in refusal(account(two), "octopus", **ACCOUNT)


# Tibber

TIBBER = {"token_env": "PRICE_TOKEN"}


def tibber_row(start: datetime, total: float, currency: str = "SEK") -> dict[str, object]:
    local = start.astimezone(BERLIN)
    return {
        "total": total, "energy": total - 0.1, "startsAt": local.isoformat(timespec="milliseconds"),
        "currency": currency,
    }  # fmt: skip


def tibber(
    today: list[Any], tomorrow: list[Any], *, home: str = "home-1", others: tuple[str, ...] = ()
) -> bytes:
    info = {"priceInfo": {"today": today, "tomorrow": tomorrow}}
    homes = [{"id": home, "currentSubscription": info}]
    homes += [{"id": other, "currentSubscription": None} for other in others]
    return dumped({"data": {"viewer": {"homes": homes}}})


QUARTERS = [
    tibber_row(start, 0.5 + n / 100) for n, start in enumerate(starts(TODAY, TODAY + DAY, QUARTER))
]


def test_tibber_quarter_hours_without_tomorrow() -> None:
    prices, server = fetch(always(tibber(QUARTERS, [])), "tibber", **TIBBER)
    assert (len(prices), prices.currency) == (96, "SEK")
    assert prices.price_at(TODAY + 10 * QUARTER) == 0.6
    assert prices.known_until(NOW) == TODAY + DAY
    (seen,) = server.seen
    assert seen.method == "POST"
    assert "resolution:QUARTER_HOURLY" in json.loads(seen.body)["query"]


def test_tibber_with_tomorrow_and_without_its_own_fees() -> None:
    tomorrow = [tibber_row(TODAY + DAY + n * QUARTER, 1.0) for n in range(96)]
    prices, _ = fetch(always(tibber(QUARTERS, tomorrow)), "tibber", **TIBBER, component="energy")
    assert prices.known_until(NOW) == TODAY + 2 * DAY
    assert prices.price_at(TODAY + DAY) == 0.9


def test_tibber_a_home_is_chosen_and_never_guessed() -> None:
    two = tibber(QUARTERS, [], others=("home-2",))
    assert "2 homes; say which by home_id" in refusal(always(two), "tibber", **TIBBER)
    assert len(fetch(always(two), "tibber", **TIBBER, home_id="home-1")[0]) == 96
    for home in ("home-2", "home-3"):
        told = refusal(always(two), "tibber", **TIBBER, home_id=home)
        assert "no such home with a subscription" in told


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        ("UNAUTHENTICATED", "invalid token", TokenRefused),
        ("RATE_LIMITED", "slow down", RateLimited),
        (None, "Too many requests", RateLimited),
        ("INTERNAL_SERVER_ERROR", "oops", PriceDataError),
    ],
)
@pytest.mark.parametrize("status", [200, 400])
def test_tibber_errors_come_in_the_answer(
    code: str | None, message: str, kind: type[SourceError], status: int
) -> None:
    error: dict[str, object] = {"message": message}
    if code is not None:
        error["extensions"] = {"code": code}
    body = dumped({"errors": [error], "data": None})
    with pytest.raises(SourceError, match=message) as caught:
        fetch(always(body, status=status), "tibber", **TIBBER)
    assert type(caught.value) is kind


def test_tibber_in_two_currencies_is_refused() -> None:
    rows = [*QUARTERS, tibber_row(TODAY + DAY, 1.0, "EUR")]
    assert "2 currencies" in refusal(always(tibber(rows, [])), "tibber", **TIBBER)


# aWATTar, energy-charts, Nord Pool


def test_awattar_hours_are_per_mwh() -> None:
    rows = [
        {
            "start_timestamp": int(start.timestamp()) * 1000,
            "end_timestamp": int((start + HOUR).timestamp()) * 1000,
            "marketprice": 10.0 * n,
            "unit": "Eur/MWh",
        }
        for n, start in enumerate(starts(TODAY, TODAY + DAY, HOUR))
    ]
    prices, server = fetch(always(dumped({"data": rows})), "awattar")
    assert (len(prices), prices.currency) == (24, "EUR")
    assert prices.price_at(TODAY + 12 * HOUR) == 0.12
    assert server.seen[0].path == "/v1/marketdata"
    assert server.seen[0].query == {
        "start": str(int(asked().start_utc.timestamp()) * 1000),
        "end": str(int(asked().end_utc.timestamp()) * 1000),
    }
    rows[3]["unit"] = "Eur/kWh"
    assert "unit" in refusal(always(dumped({"data": rows})), "awattar")


def charts(times: list[datetime], prices: list[float | None], **others: object) -> bytes:
    seconds = [int(time.timestamp()) for time in times]
    return dumped({"unix_seconds": seconds, "price": prices, "unit": "EUR / MWh", **others})


def test_energy_charts_length_comes_from_the_next_time_and_null_is_a_hole() -> None:
    times = list(starts(TODAY, TODAY + DAY, HOUR))
    values: list[float | None] = [100.0] * 24
    values[20] = None
    prices, server = fetch(always(charts(times, values)), "energy_charts", zone="DE-LU")
    assert len(prices) == 23
    assert prices.price_at(TODAY + 20.5 * HOUR) is None
    assert prices.price_at(TODAY + 19.9 * HOUR) == prices.price_at(TODAY + 23.9 * HOUR) == 0.1
    assert prices.known_until(NOW) == TODAY + 20 * HOUR
    assert server.seen[0].path == "/price"
    assert server.seen[0].query == {"bzn": "DE-LU", "start": "2026-05-07", "end": "2026-05-16"}


def test_energy_charts_columns_must_match_and_be_in_euros_per_mwh() -> None:
    times = list(starts(TODAY, TODAY + DAY, HOUR))
    short = charts(times, [1.0] * 23)
    assert "24 times and 23 prices" in refusal(always(short), "energy_charts", zone="AT")
    other = charts(times, [1.0] * 24, unit="EUR / kWh")
    assert "not in EUR/MWh" in refusal(always(other), "energy_charts", zone="AT")


def nord_pool_day(start: datetime, end: datetime, price: float, **others: object) -> bytes:
    entries = [
        {
            "deliveryStart": f"{slot:%Y-%m-%dT%H:%M:%SZ}",
            "deliveryEnd": f"{slot + QUARTER:%Y-%m-%dT%H:%M:%SZ}",
            "entryPerArea": {"SE3": price},
        }
        for slot in starts(start, end, QUARTER)
    ]
    return dumped({"currency": "SEK", "multiAreaEntries": entries, **others})


def test_nord_pool_tomorrow_is_empty_before_it_is_published() -> None:
    published = {"2026-05-08": nord_pool_day(TODAY, TODAY + DAY, 450.0)}

    def answer(seen: Seen) -> Reply:
        body = published.get(seen.query["date"], b"")
        return Reply(body=body, status=200 if body else 204)

    question = asked(currency="SEK")
    prices, server = fetch(answer, "nord_pool", question, area="SE3")
    assert (len(prices), prices.price_at(NOW)) == (96, 0.45)
    assert server.seen[0].path == "/DayAheadPrices"
    assert server.seen[0].query == {
        "market": "DayAhead", "date": "2026-05-08", "deliveryArea": "SE3", "currency": "SEK",
    }  # fmt: skip
    published["2026-05-09"] = nord_pool_day(TODAY + DAY, TODAY + 2 * DAY, 500.0)
    prices, _ = fetch(answer, "nord_pool", question, area="SE3")
    assert prices.known_until(NOW) == TODAY + 2 * DAY


def test_nord_pool_in_another_currency_is_refused() -> None:
    page = nord_pool_day(TODAY, TODAY + DAY, 450.0)
    assert "prices are in SEK" in refusal(always(page), "nord_pool", area="SE3")


def test_nord_pool_another_area_is_not_ours() -> None:
    page = nord_pool_day(TODAY, TODAY + DAY, 450.0)
    prices, _ = fetch(always(page), "nord_pool", asked(currency="SEK"), area="SE4")
    assert len(prices) == 0


# Home Assistant

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
    told = refusal(always(sensor(today=[0.1])), "home_assistant", **HASS)
    assert "name it by attributes" in told


@pytest.mark.parametrize(
    ("unit", "site", "currency", "price"),
    [
        ("EUR/MWh", "EUR", "EUR", 0.004),
        ("SEK/kWh", "SEK", "SEK", 4.0),
        ("kr/kWh", "NOK", "NOK", 4.0),
        ("öre/kWh", "SEK", "SEK", 0.04),
        ("ct/kWh", "EUR", "EUR", 0.04),
        ("p/kWh", "GBP", "GBP", 0.04),
        ("£ / kWh", "GBP", "GBP", 4.0),
    ],
)
def test_home_assistant_the_unit_says_what_the_numbers_are(
    unit: str, site: str, currency: str, price: float
) -> None:
    body = sensor(unit, raw_today=raw(TODAY, 24, 4.0))
    prices, _ = fetch(always(body), "home_assistant", asked(currency=site), **HASS)
    assert (prices.currency, prices.price_at(NOW)) == (currency, pytest.approx(price))


@pytest.mark.parametrize("unit", [None, "", "kWh", "EUR", "EUR/kW", "euros/kWh", 7, "/kWh"])
def test_home_assistant_a_unit_that_is_no_price_is_refused(unit: object) -> None:
    body = sensor(unit, raw_today=raw(TODAY, 24, 4.0))
    assert "unit_of_measurement" in refusal(always(body), "home_assistant", **HASS)


def test_home_assistant_a_sensor_that_is_gone_is_told() -> None:
    assert "sensor.prices is unavailable" in refusal(
        always(sensor(state="unavailable")), "home_assistant", **HASS
    )
    gone = always(dumped({"message": "Entity not found."}), status=404)
    assert "HTTP 404" in refusal(gone, "home_assistant", **HASS)


# All of them


@pytest.mark.parametrize("price", [10.1, -1.1])
def test_a_price_that_cannot_be_is_refused_by_name(price: float) -> None:
    body = sensor(raw_today=[*raw(TODAY, 23, 0.1), *raw(TODAY + 23 * HOUR, 1, price)])
    told = refusal(always(body), "home_assistant", **HASS)
    assert f"price {price:g} EUR per kWh at 2026-05-08T21:00Z is not within -1 to 10" in told
    body = sensor("NOK/kWh", raw_today=raw(TODAY, 24, price))
    assert len(fetch(always(body), "home_assistant", asked(currency="NOK"), **HASS)[0]) == 24
