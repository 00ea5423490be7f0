"""Sources are asked when there is something new, and left alone when they want to be."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from holdfast.core.errors import PriceDataError, SourceError
from holdfast.markets.schedule import ask_after_failure, ask_after_success
from holdfast.markets.sources.catalogue import market_of
from holdfast.web.request import RateLimited, TokenRefused
from tests.markets.builders import source

ENTSOE = market_of(source("entsoe", zone="NL", token_env="T")).publication
OCTOPUS = market_of(source("octopus", product="AGILE-24-10-01", region="C")).publication
MINUTE = timedelta(minutes=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-05-08T00:00+02:00", "2026-05-09T00:00+02:00"),
        ("2026-05-08T12:59:59+02:00", "2026-05-09T00:00+02:00"),
        ("2026-05-08T13:00+02:00", "2026-05-10T00:00+02:00"),
        ("2026-05-08T23:59+02:00", "2026-05-10T00:00+02:00"),
        # The day after has 23 hours, and 25.
        ("2026-03-28T14:00+01:00", "2026-03-30T00:00+02:00"),
        ("2026-10-24T14:00+02:00", "2026-10-26T00:00+01:00"),
    ],
)
def test_day_ahead_prices_are_out_at_13_and_reach_to_midnight(now: str, until: str) -> None:
    assert ENTSOE.expected_until(utc(now)) == utc(until)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-05-08T15:59+01:00", "2026-05-08T23:00+01:00"),
        ("2026-05-08T16:00+01:00", "2026-05-09T23:00+01:00"),
        ("2026-05-08T22:59+01:00", "2026-05-09T23:00+01:00"),
        ("2026-05-08T23:00+01:00", "2026-05-09T23:00+01:00"),
    ],
)
def test_agile_prices_are_out_at_16_and_reach_to_23(now: str, until: str) -> None:
    assert OCTOPUS.expected_until(utc(now)) == utc(until)


@pytest.mark.parametrize(
    ("now", "until", "ask"),
    [
        # All there: look again after three hours, but not later than the next publication.
        ("2026-05-08T08:00+02:00", "2026-05-09T00:00+02:00", "2026-05-08T11:00+02:00"),
        ("2026-05-08T11:30+02:00", "2026-05-09T00:00+02:00", "2026-05-08T13:00+02:00"),
        ("2026-05-08T13:05+02:00", "2026-05-10T00:00+02:00", "2026-05-08T16:05+02:00"),
        # Tomorrow should be out and is not.
        ("2026-05-08T13:05+02:00", "2026-05-09T00:00+02:00", "2026-05-08T13:15+02:00"),
        ("2026-05-08T12:55+02:00", "2026-05-08T23:00+02:00", "2026-05-08T13:00+02:00"),
    ],
)
def test_what_is_missing_is_asked_for_soon(now: str, until: str, ask: str) -> None:
    assert ask_after_success(utc(now), utc(until), ENTSOE, 0.0) == utc(ask)
    late = ask_after_success(utc(now), utc(until), ENTSOE, 1.0)
    assert late - utc(ask) == MINUTE


NOW = utc("2026-05-08T10:00+00:00")


@pytest.mark.parametrize(
    ("failures", "minutes"), [(1, 1), (2, 2), (3, 4), (6, 32), (7, 40), (100_000, 40)]
)
def test_after_failures_the_waits_double_and_are_never_longer_than_an_hour(
    failures: int, minutes: int
) -> None:
    error = PriceDataError("HTTP 503")
    assert ask_after_failure(NOW, failures, error, ENTSOE, 0.0) == NOW + minutes * MINUTE
    assert ask_after_failure(NOW, failures, error, ENTSOE, 1.0) == NOW + 1.5 * minutes * MINUTE


@pytest.mark.parametrize(
    ("error", "wait"),
    [
        (RateLimited("x"), timedelta(minutes=10)),
        (RateLimited("x", retry_after_s=1800), timedelta(minutes=30)),
        (RateLimited("x", retry_after_s=5), timedelta(minutes=1)),
        (RateLimited("x", retry_after_s=1e9), timedelta(days=1)),
        (TokenRefused("x"), timedelta(minutes=40)),
    ],
)
def test_who_was_too_eager_or_is_not_let_in_stays_away(error: SourceError, wait: timedelta) -> None:
    assert ask_after_failure(NOW, 1, error, ENTSOE, 0.0) == NOW + wait


SOURCES = [
    source("entsoe", zone="NL", token_env="T"),
    source("octopus", product="AGILE-24-10-01", region="C"),
    source("tibber", token_env="T"),
    source("home_assistant", url="http://ha", entity_id="sensor.x", token_env="T"),
]


@pytest.mark.parametrize("one", SOURCES, ids=lambda one: str(one.kind))
@pytest.mark.parametrize("failures", [1, 3, 100])
def test_who_does_not_say_how_long_is_asked_again_within_the_hour(one: Any, failures: int) -> None:
    publication = market_of(one).publication
    for error in (RateLimited("x"), TokenRefused("x"), PriceDataError("x")):
        ask = ask_after_failure(NOW, failures, error, publication, 1.0)
        assert NOW + MINUTE <= ask <= NOW + timedelta(hours=1)
