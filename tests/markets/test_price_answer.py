"""What stays of an earlier answer fills holes of the later one, and nothing else."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.markets.price_answer import PriceAnswer, completed
from tests.markets.builders import DAY, HOUR, NOW, QUARTER, series

_HOURS = 12
PRICES = st.lists(st.none() | st.floats(-1.0, 1.0), min_size=_HOURS, max_size=_HOURS)


def at(hour: float) -> datetime:
    return NOW + hour * HOUR


@given(PRICES, PRICES, st.integers(0, 20), st.integers(0, 20), st.booleans())
def test_within_the_window_what_was_known_fills_the_holes(
    later: list[float | None], before: list[float | None], start: int, length: int, halves: bool
) -> None:
    old = PriceAnswer(prices=series(*before, start=NOW, length=HOUR / 2 if halves else HOUR))
    new = PriceAnswer(prices=series(*later, start=NOW))
    begin, end = NOW + start * QUARTER, NOW + (start + length) * QUARTER
    found = completed(new, old, begin, end)
    for quarter in range(4 * _HOURS):
        utc = NOW + quarter * QUARTER
        told = new.prices.price_at(utc)
        known = old.prices.price_at(utc) if begin <= utc < end else None
        assert found.prices.price_at(utc) == (known if told is None else told)
    assert bool(found.notes) == (found.prices != new.prices)


def test_an_answer_without_holes_stays_as_it_is() -> None:
    answer = PriceAnswer(prices=series(*[0.1] * 24, start=NOW))
    before = PriceAnswer(prices=series(*[0.2] * 24, start=NOW))
    assert completed(answer, before, NOW, NOW + DAY) is answer


def test_an_open_end_is_not_published_for_a_certain_day() -> None:
    prices = series(*[0.1] * 10, start=NOW)
    assert PriceAnswer(prices=prices).firm_until(at(1)) == at(10)
    for open_from, firm in ((4, 4), (-4, 1), (20, 10)):
        answer = PriceAnswer(prices=prices, open_from_utc=at(open_from))
        assert answer.firm_until(at(1)) == at(firm)
        assert answer.firm_until(at(11)) is None


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (PriceAnswer(prices=series(0.2), tariff="A"), True),
        (PriceAnswer(prices=series(0.1), tariff="B"), False),
        (PriceAnswer(prices=series(0.1, currency="GBP"), tariff="A"), False),
    ],
)
def test_another_tariff_or_currency_is_about_something_else(
    other: PriceAnswer, *, same: bool
) -> None:
    assert PriceAnswer(prices=series(0.1), tariff="A").is_of(other) is same
