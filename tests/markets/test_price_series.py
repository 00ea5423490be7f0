"""Lookups never invent a price."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from holdfast.core.errors import PriceDataError
from holdfast.markets.prices import PriceSeries, PriceSlot

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def slot(hours: float, price: float = 0.1, length: timedelta = HOUR) -> PriceSlot:
    start = NOON + hours * HOUR
    return PriceSlot(start_utc=start, end_utc=start + length, price_per_kwh=price)


def price_series(*slots: PriceSlot) -> PriceSeries:
    return PriceSeries(currency="EUR", slots=slots)


def test_a_slot_holds_from_its_start_to_just_before_its_end() -> None:
    prices = price_series(slot(0, 0.1), slot(1, 0.2))
    assert prices.price_at(NOON - timedelta(microseconds=1)) is None
    assert prices.price_at(NOON) == 0.1
    assert prices.price_at(NOON + HOUR - timedelta(microseconds=1)) == 0.1
    assert prices.price_at(NOON + HOUR) == 0.2
    assert prices.price_at(NOON + 2 * HOUR) is None


def test_a_hole_has_no_price_and_ends_what_is_known() -> None:
    prices = price_series(slot(0), slot(1), slot(3))
    assert prices.price_at(NOON + 2.5 * HOUR) is None
    assert prices.known_until(NOON) == NOON + 2 * HOUR
    assert prices.known_until(NOON + 2.5 * HOUR) is None
    assert prices.known_until(NOON + 3.5 * HOUR) == NOON + 4 * HOUR


def test_without_prices_nothing_is_known() -> None:
    assert price_series().price_at(NOON) is None
    assert price_series().known_until(NOON) is None


def test_a_window_keeps_whole_slots() -> None:
    prices = price_series(slot(0), slot(1), slot(2))
    cut = prices.between(NOON + 0.5 * HOUR, NOON + 2 * HOUR)
    assert [item.start_utc for item in cut] == [NOON, NOON + HOUR]


@pytest.mark.parametrize(
    "slots",
    [
        (slot(0), slot(0.5)),
        (slot(1), slot(0)),
        (slot(0), slot(0)),
        (slot(0, length=timedelta(0)),),
        (slot(0, float("nan")),),
        (slot(0, float("inf")),),
        (PriceSlot(start_utc=datetime(2026, 1, 1), end_utc=NOON, price_per_kwh=0.0),),  # noqa: DTZ001
        (
            PriceSlot(
                start_utc=NOON.astimezone(timezone(HOUR)), end_utc=NOON + HOUR, price_per_kwh=0.0
            ),
        ),
    ],
)
def test_overlaps_disorder_and_what_is_not_a_number_are_refused(
    slots: tuple[PriceSlot, ...],
) -> None:
    with pytest.raises(PriceDataError):
        price_series(*slots)


def test_prices_at_several_times_are_those_at_each_or_none_at_all() -> None:
    prices = price_series(slot(0, 0.1), slot(1, 0.2), slot(3, 0.4))
    quarters = [NOON + quarter * HOUR / 4 for quarter in range(8)]
    assert prices.prices_at(quarters) == [0.1] * 4 + [0.2] * 4
    assert prices.prices_at([NOON + HOUR, NOON + 3 * HOUR]) == [0.2, 0.4]
    assert prices.prices_at([]) == []
    for times in ([NOON - HOUR], [NOON, NOON + 2 * HOUR], [NOON, NOON + 4 * HOUR]):
        with pytest.raises(PriceDataError, match="no price is known"):
            prices.prices_at(times)
