"""What exchanges publish by mistake is left out: a day of zeros, and the hour that comes twice."""

from datetime import UTC, datetime

import pytest

from holdfast.core.errors import PriceDataError
from holdfast.markets.sources.clock_change import without_doubtful_hours
from holdfast.markets.sources.exchange import exchange_answer
from holdfast.markets.sources.left_out import LeftOut
from tests.markets.builders import BERLIN, HOUR, NOW, asked, series

# A day of zeros


def left_of(*prices: float) -> tuple[list[float], tuple[str, ...]]:
    answer = exchange_answer("EUR", series(*prices).slots, asked(), LeftOut(NOW))
    return [slot.price_per_kwh for slot in answer.prices], answer.notes


def test_a_day_of_nothing_but_zeros_is_no_auction() -> None:
    kept, (note,) = left_of(*[0.1] * 24, *[0.0] * 24)
    assert kept == [0.1] * 24
    assert "exactly 0.00 for a day" in note
    assert "2026-05-08T22:00Z to 2026-05-09T22:00Z" in note


@pytest.mark.parametrize(
    "prices", [[0.1] * 24 + [0.0] * 19 + [0.1] * 5, [0.1] * 24 + [0.00001] * 24, [-0.01] * 48]
)
def test_a_windy_day_is_one(prices: list[float]) -> None:
    kept, notes = left_of(*prices)
    assert kept == prices
    assert not any("0.00" in note and "left out" in note for note in notes)


def test_where_there_is_nothing_else_it_is_told() -> None:
    with pytest.raises(PriceDataError, match="as before an auction"):
        left_of(*[0.0] * 48)


# The hour that comes twice

CHANGE = datetime(2026, 10, 25, 0, tzinfo=UTC)
"""02:00 in Berlin for the first time; an hour later for the second."""


def around(*prices: float) -> list[float]:
    """What is left of hourly prices that begin two hours before the change."""
    start = CHANGE - 2 * HOUR
    kept = without_doubtful_hours(series(*prices, start=start), BERLIN, LeftOut())
    return [slot.price_per_kwh for slot in kept]


def test_a_lonely_zero_in_the_repeated_hour_is_doubted_and_so_is_the_rest_of_its_day() -> None:
    day, next_day = [0.1] * 21, [0.3, 0.3]
    assert around(0.1, 0.1, 0.1, 0.0, *day, *next_day) == [0.1, 0.1, 0.1, 0.3, 0.3]
    assert around(0.1, 0.1, 0.0, 0.1, *day, *next_day) == [0.1, 0.1, 0.3, 0.3]


def test_a_cheap_night_around_it_makes_it_no_less_doubtful() -> None:
    assert around(0.04, 0.03, 0.0, 0.001, 0.0005, *[0.01] * 20, 0.3) == [0.04, 0.03, 0.3]
    quarters = [0.05, 0.04, 0.03, 0.02, 0.0, 0.0, 0.0, 0.0, 0.06, 0.01, 0.002, 0.001, *[0.01] * 84]
    left_out = LeftOut()
    prices = series(*quarters, start=CHANGE - HOUR, length=HOUR / 4)
    assert len(without_doubtful_hours(prices, BERLIN, left_out)) == 4
    (note,) = left_out.notes()
    assert "clock change" in note
    assert "2026-10-25T00:00Z to 2026-10-25T23:00Z" in note


@pytest.mark.parametrize(
    "prices",
    [
        (0.1, 0.1, 0.1, 0.1, 0.1, 0.1),
        (0.1, 0.0, 0.0, 0.0, 0.0, 0.1),  # a windy night
        (0.1, 0.1, 0.0, 0.0, 0.1, 0.1),  # both hours
        (0.1, 0.1, 0.1, 0.001, 0.1, 0.1),
        (0.1, 0.1, 0.1, 0.1, 0.0, 0.1),  # another hour
        (0.1, 0.1, 0.1, 0.0),  # nothing to compare with
    ],
)
def test_other_zeros_are_prices(prices: tuple[float, ...]) -> None:
    assert around(*prices) == list(prices)


def test_zeros_on_other_days_are_prices() -> None:
    prices = series(0.1, 0.0, 0.1, *[0.1] * 21)
    assert without_doubtful_hours(prices, BERLIN, LeftOut()) is prices
