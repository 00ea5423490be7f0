"""When a load may run, by a local clock that sometimes jumps."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.config.loads import FlexibleLoad
from holdfast.scheduling.loads.windows import present_window, windows_of

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = timedelta(hours=1)


def load(**changes: object) -> FlexibleLoad:
    content = {"name": "boiler", "power_w": 2000, "energy_wh": 100, **changes}
    return FlexibleLoad.model_validate(content)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def told(asked: FlexibleLoad, since: str, until: str) -> list[tuple[str, str]]:
    found = windows_of(asked, BERLIN, utc(since), utc(until))
    return [(f"{one.start:%d %H:%M}", f"{one.end:%d %H:%M}") for one in found]


def test_a_window_of_each_day() -> None:
    asked = load(**{"from": "10:00", "to": "16:00"})
    assert told(asked, "2026-05-08T09:00", "2026-05-09T09:00") == [
        ("08 08:00", "08 14:00"),
        ("09 08:00", "09 14:00"),
    ]


def test_the_belong_to_no_other_window() -> None:
    asked = load(**{"from": "10:00", "to": "16:00"})
    assert told(asked, "2026-05-08T14:00", "2026-05-09T08:00") == []
    assert told(asked, "2026-05-08T13:59", "2026-05-09T08:01") == [
        ("08 08:00", "08 14:00"),
        ("09 08:00", "09 14:00"),
    ]
    assert present_window(asked, BERLIN, utc("2026-05-08T07:59:59")) is None
    assert present_window(asked, BERLIN, utc("2026-05-08T08:00")) is not None
    assert present_window(asked, BERLIN, utc("2026-05-08T13:59:59")) is not None
    assert present_window(asked, BERLIN, utc("2026-05-08T14:00")) is None


def test_a_window_over_midnight_belongs_to_the_day_on_which_it_begins() -> None:
    # The 8th of May 2026 is a Friday.
    asked = load(**{"from": "22:00", "to": "06:00", "days": ["fri"]})
    assert told(asked, "2026-05-07T00:00", "2026-05-15T00:00") == [("08 20:00", "09 04:00")]
    assert present_window(asked, BERLIN, utc("2026-05-09T03:00")) is not None
    assert present_window(asked, BERLIN, utc("2026-05-08T03:00")) is None


def test_from_and_to_alike_are_a_whole_day() -> None:
    asked = load(**{"from": "07:00", "to": "07:00"})
    assert told(asked, "2026-05-08T12:00", "2026-05-08T13:00") == [("08 05:00", "09 05:00")]


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-28", 24), ("2026-03-29", 23), ("2026-10-25", 25)]
)
def test_a_day_is_as_long_as_its_clock_says(day: str, hours: int) -> None:
    (window,) = windows_of(load(), BERLIN, utc(f"{day}T12:00"), utc(f"{day}T13:00"))
    assert window.end - window.start == hours * HOUR


def test_a_night_in_which_the_clocks_change() -> None:
    asked = load(**{"from": "22:00", "to": "06:00"})
    assert told(asked, "2026-03-28T22:00", "2026-03-29T03:00") == [("28 21:00", "29 04:00")]
    assert told(asked, "2026-10-24T22:00", "2026-10-25T03:00") == [("24 20:00", "25 05:00")]


def test_times_that_come_twice_or_not_at_all() -> None:
    # 02:00 to 03:00 comes twice: from the first 02:00 to 03:00, two hours.
    asked = load(**{"from": "02:00", "to": "03:00"})
    assert told(asked, "2026-10-24T12:00", "2026-10-25T12:00") == [("25 00:00", "25 02:00")]
    assert told(asked, "2026-03-28T12:00", "2026-03-29T12:00") == []
    late = load(**{"from": "02:30", "to": "04:00"})
    assert told(late, "2026-03-28T12:00", "2026-03-29T12:00") == [("29 01:30", "29 02:00")]


quarters = st.integers(0, 95)


@given(
    quarters,
    quarters,
    st.integers(0, 365 * 96),
    st.sampled_from(
        ["UTC", "Europe/Berlin", "Pacific/Kiritimati", "America/New_York", "Australia/Lord_Howe"]
    ),
)
def test_windows_of_a_load_follow_each_other(first: int, last: int, now: int, name: str) -> None:
    def clock(quarter: int) -> str:
        return f"{quarter // 4:02d}:{quarter % 4 * 15:02d}"

    zone = ZoneInfo(name)
    asked = load(**{"from": clock(first), "to": clock(last)})
    since = utc("2026-01-01T00:00") + now * timedelta(minutes=15)
    found = list(windows_of(asked, zone, since, since + 72 * HOUR))
    assert 2 <= len(found) <= 4
    for before, after in pairwise(found):
        assert before.end <= after.start
        assert timedelta(0) < before.end - before.start <= 25 * HOUR
    assert found[0].end > since
    assert present_window(asked, zone, since) == (found[0] if found[0].start <= since else None)
