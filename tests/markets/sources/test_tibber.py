"""Tibber, asked as the real service, gives the prices of the home that is meant."""

import json
from datetime import datetime
from typing import Any

import pytest

from holdfast.core.errors import PriceDataError, SourceError
from holdfast.web.request import RateLimited, TokenRefused
from tests.markets.asking import fetch, refusal, told
from tests.markets.builders import (
    BERLIN,
    DAY,
    HOUR,
    NOW,
    QUARTER,
    TODAY,
    dumped,
    starts,
)
from tests.markets.http_server import Reply, Seen, always

pytestmark = pytest.mark.usefixtures("token")

TIBBER = {"token_env": "PRICE_TOKEN"}


def tibber_row(start: datetime, total: float, currency: str = "SEK") -> dict[str, object]:
    local = start.astimezone(BERLIN)
    return {
        "total": total,
        "energy": total - 0.1,
        "startsAt": local.isoformat(timespec="milliseconds"),
        "currency": currency,
    }


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


def test_tibber_hours_are_asked_for_where_there_are_no_quarter_hours() -> None:
    hours = tibber([tibber_row(start, 0.7) for start in starts(TODAY, TODAY + DAY, HOUR)], [])

    def answer(seen: Seen) -> Reply:
        return Reply(body=tibber([], []) if b"QUARTER_HOURLY" in seen.body else hours)

    prices, server = fetch(answer, "tibber", **TIBBER)
    assert (len(prices), prices.price_at(NOW)) == (24, 0.7)
    assert [b"resolution:HOURLY" in seen.body for seen in server.seen] == [False, True]
    assert "Tibber gave no prices" in refusal(always(tibber([], [])), "tibber", **TIBBER)


def test_tibber_errors_of_another_home_are_not_ours() -> None:
    content = json.loads(tibber(QUARTERS, [], others=("home-2",)))
    content["errors"] = [{"message": "Response code 400", "path": ["viewer", "homes", 1]}]
    answer = told(always(dumped(content)), "tibber", **TIBBER, home_id="home-1")
    assert (len(answer.prices), answer.notes) == (96, ())
    other = refusal(always(dumped(content)), "tibber", **TIBBER, home_id="home-2")
    assert "Response code 400" in other
    content["data"]["viewer"]["homes"][1] = None
    assert len(fetch(always(dumped(content)), "tibber", **TIBBER)[0]) == 96


def test_tibber_a_row_without_a_price_costs_itself_alone() -> None:
    rows = [*QUARTERS]
    for number in (3, 60):  # the first is over
        rows[number] = {**rows[number], "total": None}
    answer = told(always(tibber(rows, [])), "tibber", **TIBBER)
    assert len(answer.prices) == 94
    assert "row 61 is not as expected: total" in answer.notes[0]


def test_tibber_in_two_currencies_is_refused() -> None:
    rows = [*QUARTERS, tibber_row(TODAY + DAY, 1.0, "EUR")]
    assert "2 currencies" in refusal(always(tibber(rows, [])), "tibber", **TIBBER)
