"""Quarter hours are the same everywhere, in every zone."""

from datetime import UTC, datetime, timedelta, timezone, tzinfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.quarter_hours import (
    QUARTER,
    QUARTER_S,
    QUARTERS_PER_DAY,
    quarter_of,
    quarter_start,
    start_of,
)

SECONDS = st.floats(0.0, 4e9)
ZONES = st.just(UTC) | st.timezones()


def test_a_day_has_ninety_six_of_nine_hundred_seconds() -> None:
    assert timedelta(seconds=QUARTER_S) == QUARTER == timedelta(minutes=15)
    assert timedelta(days=1) == QUARTERS_PER_DAY * QUARTER


def test_they_are_counted_from_1970() -> None:
    assert quarter_of(datetime(1970, 1, 1, 0, 14, 59, 999_999, tzinfo=UTC)) == 0
    assert quarter_of(datetime(1970, 1, 1, 1, 15, tzinfo=timezone(timedelta(hours=1)))) == 1
    assert start_of(5) == datetime(1970, 1, 1, 1, 15, tzinfo=UTC)
    with pytest.raises(ValueError, match="has no time zone"):
        quarter_of(datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None))


@given(SECONDS, ZONES)
def test_each_moment_lies_in_its_quarter(seconds: float, zone: tzinfo) -> None:
    moment = datetime.fromtimestamp(seconds, tz=zone)
    start = start_of(quarter_of(moment))
    assert start <= moment.astimezone(UTC) < start + QUARTER


@given(SECONDS)
def test_a_quarter_starts_at_the_clock_s_quarter(seconds: float) -> None:
    moment = datetime.fromtimestamp(seconds, tz=UTC)
    assert quarter_start(moment) == start_of(quarter_of(moment))


def test_the_start_keeps_its_zone() -> None:
    zone = timezone(timedelta(hours=2))
    found = quarter_start(datetime(2026, 1, 1, 8, 44, 5, 7, tzinfo=zone))
    assert (found, found.tzinfo) == (datetime(2026, 1, 1, 8, 30, tzinfo=zone), zone)
