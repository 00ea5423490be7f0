"""Local clocks become UTC, also when they are changed."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.calendars.local_time import instant_of

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = st.sampled_from(
    [
        "UTC", "Europe/Berlin", "Europe/Dublin", "America/New_York", "America/Sao_Paulo",
        "Australia/Lord_Howe", "Asia/Kolkata", "Asia/Beirut", "Pacific/Apia", "Africa/Casablanca",
    ]
).map(ZoneInfo)  # fmt: skip
DAYS = st.dates(date(2000, 1, 1), date(2037, 12, 31))
_DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("day", "minute", "utc"),
    [
        (date(2026, 3, 29), 120, "01:00"),  # does not come: the instant at which it is left out
        (date(2026, 3, 29), 150, "01:00"),
        (date(2026, 3, 29), 180, "01:00"),
        (date(2026, 3, 29), 181, "01:01"),
        (date(2026, 10, 25), 120, "00:00"),  # comes twice: the first time
        (date(2026, 10, 25), 150, "00:30"),
        (date(2026, 10, 25), 180, "02:00"),
    ],
)
def test_the_two_days_on_which_clocks_are_changed(day: date, minute: int, utc: str) -> None:
    assert f"{instant_of(day, minute, BERLIN):%H:%M}" == utc


@given(zone=ZONES, day=DAYS, minute=st.integers(0, 1439))
def test_a_time_that_is_shown_is_the_first_that_shows_it(
    zone: ZoneInfo, day: date, minute: int
) -> None:
    instant = instant_of(day, minute, zone)
    local = datetime.combine(day, time()) + timedelta(minutes=minute)
    shown = instant.astimezone(zone).replace(tzinfo=None)
    assert instant.tzinfo is UTC
    assert shown >= local
    just_before = (instant - timedelta(seconds=1)).astimezone(zone).replace(tzinfo=None)
    assert just_before < local, "and nothing before shows it, or a later time"


@given(zone=ZONES, day=DAYS, first=st.integers(0, 1440), second=st.integers(0, 1440))
def test_days_join_without_gap_and_times_stay_in_order(
    zone: ZoneInfo, day: date, first: int, second: int
) -> None:
    early, late = sorted((first, second))
    assert instant_of(day, early, zone) <= instant_of(day, late, zone)
    assert instant_of(day, 1440, zone) == instant_of(day + _DAY, 0, zone)
    length = instant_of(day, 1440, zone) - instant_of(day, 0, zone)
    offsets = [
        datetime(each.year, each.month, each.day, tzinfo=zone).utcoffset() or timedelta()
        for each in (day, day + _DAY)
    ]
    if length > timedelta(0):  # Samoa left out a whole day
        assert length == _DAY + offsets[0] - offsets[1]
