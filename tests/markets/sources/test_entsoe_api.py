"""ENTSO-E, asked as the real platform, gives its prices at the right instants."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from holdfast.core.errors import ConfigError
from holdfast.markets.fetcher import Fetcher
from holdfast.markets.sources.entsoe import parse_entsoe
from tests.markets.asking import fetch, refusal
from tests.markets.builders import (
    DAY,
    HOUR,
    NOW,
    QUARTER,
    TODAY,
    asked,
    source,
)
from tests.markets.http_server import always, serving
from tests.markets.sources.test_entsoe import DAY as XML_DAY
from tests.markets.sources.test_entsoe import document, period, series

pytestmark = pytest.mark.usefixtures("token")

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


def test_a_recorded_document_is_what_the_platform_answers(shared_data: Path, token: str) -> None:
    body = (shared_data / "entsoe_DE_LU_2026-02-02.xml").read_bytes()
    with serving(always(body)) as server:
        one = source("entsoe", zone="DE_LU", url=server.url, token_env="PRICE_TOKEN")
        answer = Fetcher().fetch(one, asked(XML_DAY + 12 * HOUR))
    assert answer.prices == parse_entsoe(body)
