"""The sample that ships is what it says: a labelled, realistic, complete document."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from holdfast.markets.sources.entsoe import parse_entsoe
from holdfast.simulation.sample_prices import (
    DAYS,
    FIRST_START_UTC,
    generate_sample,
    redated,
    sample_text,
)


def test_the_file_is_what_the_generator_makes() -> None:
    assert sample_text() == generate_sample()


def test_nobody_can_take_it_for_market_data() -> None:
    moved = redated(sample_text(), datetime(2027, 1, 1, tzinfo=UTC))
    for text in (sample_text(), moved):
        assert "<!-- SAMPLE" in text
        assert "<mRID>SAMPLE-not-market-data</mRID>" in text
    assert len(sample_text()) < 400_000


def test_it_covers_nine_local_days_without_a_hole() -> None:
    prices = parse_entsoe(sample_text())
    assert len(prices) == DAYS * 96
    assert prices.known_until(FIRST_START_UTC) == FIRST_START_UTC + timedelta(days=DAYS)
    assert FIRST_START_UTC.astimezone(ZoneInfo("Europe/Berlin")).hour == 0


def test_it_leaves_out_repeated_points_and_holds_a_second_auction() -> None:
    text = sample_text()
    assert text.count("<Point>") < 2 * DAYS * 96
    first = parse_entsoe(text)
    second = parse_entsoe(text.replace("position>1</class", "position>3</class"))
    assert len(first) == len(second)
    assert first != second


def test_evenings_are_dear_and_sunny_middays_cheap() -> None:
    prices = parse_entsoe(sample_text())
    negative = []
    for day in range(DAYS):
        slots = prices.slots[day * 96 : day * 96 + 96]
        values = [slot.price_per_kwh for slot in slots]
        assert 0.22 < max(values) - min(values) < 0.30
        dearest = slots[values.index(max(values))].start_utc + timedelta(hours=2)
        assert 18 <= dearest.hour < 21
        negative += [slot.start_utc for slot in slots if slot.price_per_kwh < 0]
    assert 4 <= len(negative) <= 24
    assert {slot.weekday() for slot in negative} == {6}


@pytest.mark.parametrize("start", [datetime(2026, 11, 20, 23, tzinfo=UTC), FIRST_START_UTC])
def test_it_can_be_moved_to_any_day(start: datetime) -> None:
    original, moved = parse_entsoe(sample_text()), parse_entsoe(redated(sample_text(), start))
    assert moved.slots[0].start_utc == start
    assert [slot.price_per_kwh for slot in moved] == [slot.price_per_kwh for slot in original]


@pytest.mark.parametrize(
    "start",
    [datetime(2026, 1, 1), datetime(2026, 1, 1, 0, 7, tzinfo=UTC)],  # noqa: DTZ001
)
def test_it_is_not_moved_to_a_time_that_prices_cannot_have(start: datetime) -> None:
    with pytest.raises(ValueError, match="quarter hour"):
        redated(sample_text(), start)


def test_something_without_times_cannot_be_moved() -> None:
    with pytest.raises(ValueError, match="no <start>"):
        redated("<a/>", FIRST_START_UTC)
