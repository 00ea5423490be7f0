"""aWATTar, energy-charts and Nord Pool, asked as the real ones, give their prices."""

import json
from datetime import datetime

import pytest

from tests.markets.asking import fetch, refusal, told
from tests.markets.builders import (
    DAY,
    HOUR,
    NOW,
    QUARTER,
    TODAY,
    asked,
    dumped,
    starts,
)
from tests.markets.http_server import Reply, Seen, always

pytestmark = pytest.mark.usefixtures("token")


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
    rows[20]["unit"], rows[21]["unit"] = "Eur/kWh", "EUR/MWh"
    answer = told(always(dumped({"data": rows})), "awattar")
    assert len(answer.prices) == 23
    assert "prices are not in EUR/MWh" in answer.notes[0]
    rows[-1]["end_timestamp"] = int((TODAY + 3000 * DAY).timestamp()) * 1000
    answer = told(always(dumped({"data": rows})), "awattar")
    assert len(answer.prices) == 22
    assert "a price that holds for longer than two hours" in answer.notes[-1]
    for row in rows:
        row["unit"] = "Eur/kWh"
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
        "market": "DayAhead",
        "date": "2026-05-08",
        "deliveryArea": "SE3",
        "currency": "SEK",
    }
    published["2026-05-09"] = nord_pool_day(TODAY + DAY, TODAY + 2 * DAY, 500.0)
    prices, _ = fetch(answer, "nord_pool", question, area="SE3")
    assert prices.known_until(NOW) == TODAY + 2 * DAY


@pytest.mark.parametrize(
    "bad", [Reply(status=500), Reply(status=404), Reply(body=b"<html>"), Reply(hang_up=True)]
)
def test_nord_pool_a_page_that_fails_costs_its_day(bad: Reply) -> None:
    page = nord_pool_day(TODAY, TODAY + DAY, 450.0)

    def answer(seen: Seen) -> Reply:
        return Reply(body=page) if seen.query["date"] == "2026-05-08" else bad

    found = told(answer, "nord_pool", asked(currency="SEK"), area="SE3")
    assert found.prices.known_until(NOW) == TODAY + DAY
    assert found.is_partial
    assert found.notes[0].startswith("left out: the page of 2026-05-09: ")
    assert refusal(lambda _: bad, "nord_pool", asked(currency="SEK"), area="SE3")


def test_nord_pool_null_is_a_hole() -> None:
    content = json.loads(nord_pool_day(TODAY, TODAY + DAY, 450.0))
    content["multiAreaEntries"][90]["entryPerArea"]["SE3"] = None
    answer = told(always(dumped(content)), "nord_pool", asked(currency="SEK"), area="SE3")
    assert (len(answer.prices), answer.notes) == (95, ())


def test_nord_pool_in_another_currency_is_refused() -> None:
    page = nord_pool_day(TODAY, TODAY + DAY, 450.0)
    assert "prices are in SEK" in refusal(always(page), "nord_pool", area="SE3")


def test_nord_pool_another_area_is_not_ours() -> None:
    page = nord_pool_day(TODAY, TODAY + DAY, 450.0)
    prices, _ = fetch(always(page), "nord_pool", asked(currency="SEK"), area="SE4")
    assert len(prices) == 0
