"""What sources tell in common: instants, lengths, and prices that cannot be."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.errors import PriceDataError
from holdfast.markets.answers import Answered, Utc, read_json, series_of, slots_from_starts
from holdfast.markets.clock_change import without_doubtful_hours
from tests.markets.builders import BERLIN, DAY, HOUR, NOW, QUARTER, TODAY, series

MINUTE = timedelta(minutes=1)


class _Time(Answered):
    at: Utc


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-05-08T12:00:00+02:00", NOW),
        ("2026-05-08T10:00:00Z", NOW),
        ("2026-05-08 12:00:00+02:00", NOW),
        ("2026-05-08T10:00:00.000Z", NOW),
    ],
)
def test_instants_are_turned_into_utc(text: str, utc: datetime) -> None:
    found = read_json(_Time, f'{{"at": "{text}"}}'.encode()).at
    assert (found, found.tzinfo) == (utc, UTC)


@pytest.mark.parametrize(
    "text", ['"2026-05-08T12:00:00"', '"today"', "1778234400", "null", "true",
             '"9999-12-31T23:59:00-12:00"', '"1999-12-31T23:59:00Z"', '"2200-01-01T00:00:00Z"'],
)  # fmt: skip
def test_what_is_no_instant_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(PriceDataError, match="at:") as caught:
        read_json(_Time, f'{{"at": {text}}}'.encode())
    assert "12:00" not in str(caught.value)


def lengths(*starts: timedelta) -> list[timedelta]:
    slots = slots_from_starts((NOW + start, float(index)) for index, start in enumerate(starts))
    return [slot.end_utc - slot.start_utc for slot in slots]


def test_a_slot_is_as_long_as_the_shorter_distance_to_its_neighbours() -> None:
    assert lengths(0 * HOUR, HOUR, 2 * HOUR) == [HOUR] * 3
    # From hours to quarter hours, as on 2025-10-01.
    assert lengths(0 * HOUR, HOUR, 2 * HOUR, 2 * HOUR + QUARTER) == [HOUR, HOUR, QUARTER, QUARTER]


def test_a_missing_start_leaves_a_hole_and_stretches_nothing() -> None:
    assert lengths(0 * QUARTER, QUARTER, 3 * QUARTER, 4 * QUARTER) == [QUARTER] * 4


def test_a_start_between_two_holes_is_no_longer_than_those_around_it() -> None:
    assert lengths(*(n * QUARTER for n in (0, 1, 3, 5, 6))) == [QUARTER] * 5
    assert lengths(*(n * HOUR for n in (0, 2, 3, 4, 6))) == [HOUR] * 5


def test_order_and_repetition_do_not_matter() -> None:
    rows = [(NOW + HOUR, 2.0), (NOW, 1.0), (NOW + HOUR, 2.0)]
    assert [slot.price_per_kwh for slot in slots_from_starts(rows)] == [1.0, 2.0]
    assert slots_from_starts([]) == []


def test_what_has_no_length_or_an_odd_one_is_refused() -> None:
    with pytest.raises(PriceDataError, match="one price alone"):
        slots_from_starts([(NOW, 1.0)])
    for odd in (MINUTE, 7 * MINUTE, DAY):
        with pytest.raises(PriceDataError, match="apart"):
            lengths(0 * HOUR, odd)
    with pytest.raises(PriceDataError, match="0:00:00 apart"):
        slots_from_starts([(NOW, 1.0), (NOW, 2.0)])


@pytest.mark.parametrize(
    ("currency", "low", "high"), [("EUR", -1.0, 10.0), ("GBP", -1.0, 10.0), ("SEK", -1e3, 1e4)]
)
def test_prices_are_taken_up_to_what_a_market_may_have(
    currency: str, low: float, high: float
) -> None:
    for price in (low, high):
        slots = series(price).slots
        assert len(series_of(currency, slots, TODAY, TODAY + DAY)) == 1
    for price in (low * 1.001, high * 1.001):
        with pytest.raises(PriceDataError, match="not within"):
            series_of(currency, series(price).slots, TODAY, TODAY + DAY)


@given(st.binary(max_size=200))
def test_no_body_breaks_the_reader(body: bytes) -> None:
    with pytest.raises(PriceDataError):
        read_json(_Time, body)


# The hour that comes twice

CHANGE = datetime(2026, 10, 25, 0, tzinfo=UTC)
"""02:00 in Berlin for the first time; an hour later for the second."""


def around(*prices: float) -> list[float]:
    """What is left of hourly prices that begin two hours before the change."""
    start = CHANGE - 2 * HOUR
    kept = without_doubtful_hours(series(*prices, start=start), BERLIN)
    return [slot.price_per_kwh for slot in kept]


def test_a_lonely_zero_in_the_repeated_hour_is_doubted_and_so_is_the_rest_of_its_day() -> None:
    day, next_day = [0.1] * 21, [0.3, 0.3]
    assert around(0.1, 0.1, 0.1, 0.0, *day, *next_day) == [0.1, 0.1, 0.1, 0.3, 0.3]
    assert around(0.1, 0.1, 0.0, 0.1, *day, *next_day) == [0.1, 0.1, 0.3, 0.3]


@pytest.mark.parametrize(
    "prices",
    [
        (0.1, 0.1, 0.1, 0.1, 0.1, 0.1),
        (0.1, 0.0, 0.0, 0.0, 0.0, 0.1),  # a windy night
        (0.1, 0.1, 0.02, 0.0, 0.1, 0.1),
        (0.1, 0.1, 0.1, 0.0, 0.02, 0.1),
        (0.1, 0.1, 0.1, 0.001, 0.1, 0.1),
        (0.1, 0.1, 0.1, 0.1, 0.0, 0.1),  # another hour
        (0.1, 0.1, 0.1, 0.0),  # nothing to compare with
    ],
)
def test_other_zeros_are_prices(prices: tuple[float, ...]) -> None:
    assert around(*prices) == list(prices)


def test_zeros_on_other_days_are_prices() -> None:
    prices = series(0.1, 0.0, 0.1, *[0.1] * 21)
    assert without_doubtful_hours(prices, BERLIN) is prices
