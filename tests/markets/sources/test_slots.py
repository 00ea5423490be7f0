"""How long each price holds, and which count: a bad piece costs itself alone, and is told."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.errors import PriceDataError
from holdfast.markets.prices import PriceSeries, PriceSlot
from holdfast.markets.sources.left_out import LeftOut
from holdfast.markets.sources.slots import series_of, slots_from_starts
from tests.markets.builders import DAY, HOUR, NOW, QUARTER, TODAY, series

MINUTE = timedelta(minutes=1)


def told(*starts: timedelta) -> tuple[list[timedelta], tuple[str, ...]]:
    """Lengths of what begins so long after now, and what is told of the rest."""
    left_out = LeftOut()
    rows = ((NOW + start, float(index)) for index, start in enumerate(starts))
    slots = slots_from_starts(rows, left_out)
    return [slot.end_utc - slot.start_utc for slot in slots], left_out.notes()


def lengths(*starts: timedelta) -> list[timedelta]:
    found, notes = told(*starts)
    assert notes == ()
    return found


def test_a_slot_is_as_long_as_the_shorter_distance_to_its_neighbours() -> None:
    assert lengths(0 * HOUR, HOUR, 2 * HOUR) == [HOUR] * 3
    # From hours to quarter hours, as on 2025-10-01.
    assert lengths(0 * HOUR, HOUR, 2 * HOUR, 2 * HOUR + QUARTER) == [HOUR, HOUR, QUARTER, QUARTER]


def test_hours_that_follow_quarter_hours_are_whole_from_the_first_on() -> None:
    quarters = [n * QUARTER for n in range(8)]
    hours = [2 * HOUR, 3 * HOUR, 4 * HOUR]
    assert lengths(*quarters, *hours) == [QUARTER] * 8 + [HOUR] * 3
    halves = [2 * HOUR, 2.5 * HOUR, 3 * HOUR]
    assert lengths(*quarters, *halves) == [QUARTER] * 8 + [HOUR / 2] * 3


def test_a_missing_start_leaves_a_hole_and_stretches_nothing() -> None:
    assert lengths(0 * QUARTER, QUARTER, 3 * QUARTER, 4 * QUARTER) == [QUARTER] * 4
    # Every other one is missing from a quarter past on, where no half hour begins.
    assert lengths(*(n * QUARTER for n in (0, 1, 3, 5)))[:2] == [QUARTER, QUARTER]


def test_a_start_between_two_holes_is_no_longer_than_those_around_it() -> None:
    assert lengths(*(n * QUARTER for n in (0, 1, 3, 5, 6))) == [QUARTER] * 5
    assert lengths(*(n * HOUR for n in (0, 2, 3, 4, 6))) == [HOUR] * 5


def test_order_and_repetition_do_not_matter() -> None:
    rows = [(NOW + HOUR, 2.0), (NOW, 1.0), (NOW + HOUR, 2.0)]
    assert [slot.price_per_kwh for slot in slots_from_starts(rows, LeftOut())] == [1.0, 2.0]
    assert slots_from_starts([], LeftOut()) == []


def test_what_has_no_length_or_an_odd_one_is_left_out_and_the_rest_is_not() -> None:
    found, (note,) = told(0 * HOUR)
    assert found == []
    assert "one price alone, at 2026-05-08T10:00Z, does not tell its length" in note
    for odd in (MINUTE, 7 * MINUTE, DAY):
        found, notes = told(0 * HOUR, odd)
        assert found == []
        assert "apart (2 such" in notes[0]
    found, (note,) = told(0 * HOUR, HOUR, 2 * HOUR, 30 * HOUR, 54 * HOUR)
    assert found[:3] == [HOUR] * 3
    assert "apart" in note


def test_two_prices_of_one_start_cost_that_start() -> None:
    left_out = LeftOut()
    rows = [(NOW, 1.0), (NOW + HOUR, 2.0), (NOW + HOUR, 3.0), (NOW + 2 * HOUR, 4.0)]
    assert [slot.price_per_kwh for slot in slots_from_starts(rows, left_out)] == [1.0, 4.0]
    (note,) = left_out.notes()
    assert note.startswith("left out: two prices for one time, and nothing says which counts (2026")
    assert note.endswith("(2026-05-08T11:00Z to 2026-05-08T12:00Z)")


def slot(start: float, end: float, price: float) -> PriceSlot:
    """A slot between two hours after now."""
    return PriceSlot(start_utc=NOW + start * HOUR, end_utc=NOW + end * HOUR, price_per_kwh=price)


def series_with(left_out: LeftOut, *slots: PriceSlot) -> PriceSeries:
    return series_of("EUR", slots, NOW - DAY, NOW + DAY, left_out)


def in_force(slots: Iterable[PriceSlot], *hours: float) -> list[float | None]:
    found = PriceSeries(currency="EUR", slots=tuple(slots))
    return [found.price_at(NOW + hour * HOUR) for hour in hours]


def test_where_two_prices_contradict_each_other_neither_counts() -> None:
    left_out = LeftOut()
    prices = series_with(left_out, slot(0, 4, 0.1), slot(1, 2, 0.2), slot(4, 5, 0.3))
    assert in_force(prices, 0, 1, 2, 4) == [0.1, None, 0.1, 0.3]
    (note,) = left_out.notes()
    assert "two prices for one time" in note
    assert "2026-05-08T11:00Z to 2026-05-08T12:00Z" in note


def test_of_one_that_reaches_beyond_what_was_asked_no_piece_is_taken_from_there() -> None:
    prices = series_with(LeftOut(), slot(22, 26, 0.1), slot(23, 25, 0.2), slot(-26, -23, 0.3))
    assert [(one.start_utc, one.end_utc) for one in prices] == [
        (NOW - 26 * HOUR, NOW - 23 * HOUR), (NOW + 22 * HOUR, NOW + 23 * HOUR),
    ]  # fmt: skip
    prices = series_with(LeftOut(), slot(-28, -22, 0.1), slot(-27, -26, 0.2), slot(-25, -23, 0.2))
    assert [(one.start_utc, one.end_utc) for one in prices] == [
        (NOW - 23 * HOUR, NOW - 22 * HOUR)
    ]  # fmt: skip


def test_equal_prices_that_overlap_agree() -> None:
    left_out = LeftOut()
    prices = series_with(left_out, slot(0, 2, 0.1), slot(0, 2, 0.1), slot(1, 3, 0.1))
    assert in_force(prices, 0, 1, 2) == [0.1, 0.1, 0.1]
    assert left_out.notes() == ()


def test_what_lies_before_now_is_nobodys_business() -> None:
    left_out = LeftOut(NOW)
    prices = series_with(
        left_out, slot(-3, -2, 0.1), slot(-3, -2, 0.2), slot(-2, -1, 99), slot(-1, 0, 0.1),
        slot(0, 1, 0.3), slot(1, 2, 0.3), slot(2, 3, 0.3), slot(3, 4, 0.3),
    )  # fmt: skip
    assert in_force(prices, -2.5, -1.5, -0.5, 0) == [None, None, 0.1, 0.3]
    assert (left_out.notes(), left_out.is_partial) == ((), False)


def test_a_price_that_cannot_be_costs_itself_alone() -> None:
    left_out = LeftOut(NOW)
    slots = [slot(hour, hour + 1, 0.1) for hour in range(5)]
    prices = series_with(left_out, *slots, slot(5, 6, 10.1), slot(6, 6, 0.1))
    assert list(prices) == slots
    length, bounds = left_out.notes()
    assert bounds == (
        "left out: price 10.1 EUR per kWh at 2026-05-08T15:00Z is not within -1 to 10 "
        "(2026-05-08T15:00Z to 2026-05-08T16:00Z)"
    )
    assert "no length" in length
    assert left_out.is_partial


def test_where_nothing_is_left_the_reason_is_told() -> None:
    with pytest.raises(PriceDataError, match="two prices for one time"):
        series_with(LeftOut(), slot(0, 1, 0.1), slot(0, 1, 0.2))


@given(
    st.lists(
        st.tuples(st.integers(-8, 8), st.integers(1, 12), st.sampled_from([0.1, 0.2, 0.3])),
        max_size=12,
    )
)
def test_what_counts_is_what_all_who_speak_of_a_time_agree_on(
    rows: list[tuple[int, int, float]],
) -> None:
    slots = [slot(start / 4, (start + length) / 4, price) for start, length, price in rows]
    try:
        prices = series_with(LeftOut(), *slots)
    except PriceDataError:
        prices = PriceSeries(currency="EUR", slots=())
    for quarter in range(-8, 20):
        utc: datetime = NOW + quarter * QUARTER
        said = {one.price_per_kwh for one in slots if one.start_utc <= utc < one.end_utc}
        assert prices.price_at(utc) == (said.pop() if len(said) == 1 else None)


def test_notes_are_few_whatever_the_answer_is() -> None:
    left_out = LeftOut()
    for number in range(100):
        left_out.add(f"reason {number} " + 2000 * "x")
    notes = left_out.notes()
    assert len(notes) == 6
    assert notes[-1] == "left out: 95 more kinds of pieces"
    assert all(len(note) < 400 for note in notes)


def test_the_window_cuts_what_was_not_asked_for() -> None:
    prices = series_of("EUR", series(*[0.1] * 72).slots, TODAY, TODAY + DAY, LeftOut())
    assert len(prices) == 24
