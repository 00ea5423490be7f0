"""Octopus, asked as the real service, gives the rates that this account or product has."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from holdfast.core.errors import SourceError
from holdfast.markets.prices import Direction
from holdfast.web.request import RateLimited, TokenRefused
from tests.markets.asking import fetch, refusal, told
from tests.markets.builders import (
    DAY,
    HOUR,
    NOW,
    TODAY,
    asked,
    dumped,
    starts,
)
from tests.markets.http_server import Answering, Reply, Seen, always

pytestmark = pytest.mark.usefixtures("token")
LONDON = ZoneInfo("Europe/London")

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


def test_octopus_rows_that_come_twice_count_once_and_where_two_differ_neither_does() -> None:
    rows = half_hours(LONDON_DAY, LONDON_DAY + DAY)
    prices, _ = fetch(pages([*rows, *rows[-3:]]), "octopus", **AGILE)
    assert len(prices) == 48
    evening = LONDON_DAY + 40 * HALF
    two = [*rows, rate(LONDON_DAY, LONDON_DAY + HALF, 99), rate(evening, evening + HALF, 99)]
    answer = told(pages(two), "octopus", **AGILE)
    assert [answer.prices.price_at(start) for start in (LONDON_DAY, evening)] == [None, None]
    assert len(answer.prices) == 46
    (note,) = answer.notes  # what was before now is nobody's business
    assert "two prices for one time" in note
    assert "2026-05-08T18:00Z to 2026-05-08T18:30Z" in note


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
    (note,) = told(always(page), "octopus", **AGILE).notes
    assert "another server: 'x.invalid'" in note


def account(
    *points: dict[str, object], failing: str = "none", **others: object
) -> Callable[[Seen], Reply]:
    """An account, and rates of every tariff but one; those of a tariff that varies hold on."""
    agile = pages(half_hours(LONDON_DAY, LONDON_DAY + 2 * DAY))
    varying = pages([rate(LONDON_DAY - 30 * DAY, None, 27)])

    def answer(seen: Seen) -> Reply:
        if seen.path == "/accounts/A-1234ABCD/":
            item = {"electricity_meter_points": points, **others}
            return Reply(body=dumped({"number": "A-1234ABCD", "properties": [item]}))
        if failing in seen.path:
            return Reply(status=404)
        return varying(seen) if "VAR" in seen.path else agile(seen)

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
    ("E-1R-VAR-27-01-01-C", "2026-05-09T00:00:00+01:00", None),
)
EXPORT = point("2" * 13, ("E-1R-AGILE-OUTGOING-19-05-13-C", None, None), is_export=True)
ACCOUNT = {"account": "A-1234ABCD", "token_env": "PRICE_TOKEN"}


CHANGE = datetime(2026, 5, 8, 23, tzinfo=UTC)
"""Midnight in London, when the agreement of :data:`IMPORT` ends."""


def test_octopus_an_account_says_the_tariff_that_is_valid_now_and_which_follows() -> None:
    prices, server = fetch(account(IMPORT, EXPORT), "octopus", **ACCOUNT)
    _, now, later = server.seen
    assert AGILE_CODE in now.path
    assert (now.query["period_from"], now.query["period_to"]) == (
        "2026-05-08T10:00:00Z", "2026-05-08T23:00:00Z",
    )  # fmt: skip
    assert "E-1R-VAR-27-01-01-C" in later.path
    assert prices.price_at(CHANGE - HALF) == 0.49
    assert prices.price_at(CHANGE) == 0.27
    assert prices.known_until(NOW) == asked().end_utc


@pytest.mark.parametrize("code", ["VAR-27-01-01", "E-2R-VAR-27-01-01-C"])
def test_octopus_rates_that_fail_cost_their_own_agreement(code: str) -> None:
    agreements = (
        (AGILE_CODE, None, f"{CHANGE:%FT%TZ}"),
        (f"E-1R-{code}-C", f"{CHANGE:%FT%TZ}", None),
    )
    if code.startswith("E-2R"):
        agreements = (agreements[0], (code, f"{CHANGE:%FT%TZ}", None))
    answer = told(account(point("1" * 13, *agreements), failing="VAR-27"), "octopus", **ACCOUNT)
    assert answer.prices.known_until(NOW) == CHANGE
    assert answer.tariff == AGILE_CODE
    (note,) = answer.notes
    assert "HTTP 404" in note or "more than one register" in note
    assert "2026-05-08T23:00Z" in note


def test_octopus_a_rate_left_open_ends_where_the_next_begins() -> None:
    rows = [rate(NOW + HOUR, None, 30), rate(NOW - DAY, None, 20)]
    answer = told(pages(rows), "octopus", **AGILE)
    assert answer.prices.price_at(NOW) == 0.2
    assert answer.prices.price_at(NOW + HOUR) == 0.3
    assert (answer.notes, answer.open_from_utc) == ((), NOW + HOUR)


def test_octopus_what_an_account_may_hold_besides() -> None:
    agreement = (AGILE_CODE, None, None)
    twice = point("1" * 13, agreement, agreement)
    unsaid = {**point("1" * 13, agreement), "is_export": None}
    for one in (twice, unsaid):
        assert len(fetch(account(one), "octopus", **ACCOUNT)[0]) == 96
    moved = account(point("1" * 13, agreement), moved_out_at="2026-05-01T00:00:00Z")
    assert "no import agreement" in refusal(moved, "octopus", **ACCOUNT)


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
    answer = told(account(two), "octopus", **ACCOUNT)
    assert (len(answer.prices), answer.tariff) == (0, "E-2R-VAR-22-11-01-C")
    assert "more than one register" in answer.notes[0]


def test_octopus_a_page_that_fails_costs_its_rates() -> None:
    rows = half_hours(LONDON_DAY, LONDON_DAY + 2 * DAY)
    first = pages(rows, 60)

    def answer(seen: Seen) -> Reply:
        return Reply(status=500) if "page" in seen.query else first(seen)

    found = told(answer, "octopus", **AGILE)
    assert len(found.prices) == 60
    assert found.prices.known_until(NOW + 10 * HOUR) == LONDON_DAY + 2 * DAY
    assert "a page of the rates of E-1R-AGILE-24-10-01-C: " in found.notes[0]
    assert "HTTP 500" in found.notes[0]


@pytest.mark.parametrize(("status", "kind"), [(429, RateLimited), (403, TokenRefused)])
def test_octopus_who_wants_to_be_left_alone_is(status: int, kind: type[SourceError]) -> None:
    with pytest.raises(kind):
        fetch(lambda _: Reply(status=status), "octopus", **AGILE)
