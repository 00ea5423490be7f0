"""A schedule comes to windows in UTC, and says what is left out and why."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.calendars.expansion import Expansion, expand
from holdfast.core.config import Site
from holdfast.core.errors import ConfigError
from holdfast.site.schedule_check import check_schedule
from tests.calendars.scheduled import days_from, entries, scheduled

HOUR = timedelta(hours=1)
NIGHT = "{name: night, from: '02:00', to: '03:00', mode: hold}"


def week_of(site: Site, year: int, month: int, day: int, days: float = 7) -> Expansion:
    return expand(site, *days_from(year, month, day, days))


def on(found: Expansion, name: str) -> list[str]:
    """Its windows by the clocks of Berlin."""
    zone = ZoneInfo("Europe/Berlin")
    return [
        f"{each.start.astimezone(zone):%a %d. %H:%M}-{each.end.astimezone(zone):%H:%M}"
        for each in found.windows
        if each.entry.name == name
    ]


def test_a_window_in_the_hour_that_is_left_out_is_empty_and_that_is_told() -> None:
    found = week_of(scheduled(entries(NIGHT)), 2026, 3, 28, 3)
    assert on(found, "night") == [
        "Sat 28. 02:00-03:00", "Mon 30. 02:00-03:00"
    ]  # fmt: skip
    (left,) = found.left_out
    assert (left.name, left.day) == ("night", date(2026, 3, 29))
    assert left.why == "02:00 to 03:00 does not come on this day: clocks go forward"


def test_a_window_around_the_hour_that_comes_twice_is_longer_once() -> None:
    found = week_of(scheduled(entries(NIGHT)), 2026, 10, 24, 2)
    lengths = {each.day.day: (each.end - each.start) / HOUR for each in found.windows}
    assert lengths == {24: 1.0, 25: 2.0}
    assert len(found.windows) == 2


def test_over_midnight_it_belongs_to_the_day_on_which_it_begins() -> None:
    site = scheduled(entries("{name: late, from: '22:00', to: '06:00', days: [fri], mode: hold}"))
    assert on(week_of(site, 2026, 5, 4), "late") == ["Fri 08. 22:00-06:00"]


HOLIDAYS = "{free: {kind: holidays, country: DE, subdivision: BY}}"


def test_a_holiday_is_left_out_by_its_name() -> None:
    site = scheduled(
        entries(
            "{name: work, from: '08:00', to: '16:00', days: [mon, tue, wed, thu, fri], "
            "except_days_of: [free], mode: hold}",
            "{name: rest, from: '10:00', to: '12:00', days: [sun], on_days_of: [free], "
            "mode: passive}",
            calendars=HOLIDAYS,
        )
    )
    found = week_of(site, 2026, 1, 5, 6)  # the 6th is a holiday in Bavaria
    assert [text[:7] for text in on(found, "work")] == ["Mon 05.", "Wed 07.", "Thu 08.", "Fri 09."]
    assert [(each.day.day, each.why) for each in found.left_out] == [(6, "free: Epiphany")]
    assert on(found, "rest") == ["Tue 06. 10:00-12:00"]
    (rest,) = [each for each in found.windows if each.entry.name == "rest"]
    assert rest.because == "Epiphany"


def test_a_vacation_switches_entries_off_and_others_on() -> None:
    site = scheduled(
        entries(
            "{name: usual, from: '18:00', to: '20:00', except_days_of: [vacation], mode: hold}",
            "{name: away, from: '18:00', to: '20:00', on_days_of: [vacation], mode: passive}",
            calendars="{vacation: {kind: dates, dates: [2026-05-05], "
            "ranges: [{from: 2026-05-07, to: 2026-05-08}]}}",
        )
    )
    found = week_of(site, 2026, 5, 4, 5)
    assert [text[4:7] for text in on(found, "away")] == ["05.", "07.", "08."]
    assert [text[4:7] for text in on(found, "usual")] == ["04.", "06."]
    assert {each.why for each in found.left_out} == {"vacation"}
    assert found.problems == ()


ICS = """BEGIN:VCALENDAR
BEGIN:VEVENT
SUMMARY:Charge the battery
DTSTART;TZID=Europe/Berlin:20260505T010000
DURATION:PT2H
RRULE:FREQ=DAILY;COUNT=2
END:VEVENT
BEGIN:VEVENT
SUMMARY:Dentist
DTSTART;TZID=Europe/Berlin:20260507T100000
DURATION:PT1H
END:VEVENT
END:VCALENDAR
"""


@pytest.fixture
def with_ics(tmp_path: Path) -> Site:
    (tmp_path / "mine.ics").write_text(ICS, encoding="utf-8")
    return scheduled(
        entries(
            "{name: called, during: mine, mode: charge, power_w: 3000}",
            calendars="{mine: {kind: ics, path: mine.ics, summary: charge}}",
        ),
        folder=tmp_path,
    )


def test_events_say_when(with_ics: Site) -> None:
    found = week_of(with_ics, 2026, 5, 4)
    assert on(found, "called") == ["Tue 05. 01:00-03:00", "Wed 06. 01:00-03:00"]
    assert {each.because for each in found.windows} == {"Charge the battery"}


def test_a_calendar_that_cannot_be_read_takes_its_entries_alone_away(
    with_ics: Site, tmp_path: Path
) -> None:
    (tmp_path / "mine.ics").write_text("BEGIN:VCALENDAR\nDTSTART;TZID=Mars", encoding="utf-8")
    site = with_ics.model_copy(
        update={
            "schedule": with_ics.schedule.model_copy(
                update={
                    "entries": (
                        *with_ics.schedule.entries,
                        *scheduled(entries(NIGHT)).schedule.entries,
                    )
                }
            )
        }
    )
    found = week_of(site, 2026, 5, 4)
    assert {each.entry.name for each in found.windows} == {"night"}
    assert found.problems[0].startswith("schedule.calendars.mine: mine.ics: ")
    with pytest.raises(ConfigError, match="mine"):
        check_schedule(site)


def test_two_entries_that_meet_are_refused_with_the_first_date() -> None:
    site = scheduled(
        entries(
            "{name: cheap, from: '22:00', to: '06:00', mode: charge, power_w: 1000}",
            "{name: early, from: '05:00', to: '07:00', days: [sat], mode: hold}",
        )
    )
    found = week_of(site, 2026, 5, 4, 20)
    assert found.problems == (
        (
            "schedule: cheap and early meet on 2026-05-09 at 05:00; let one override the other, "
            "or except its days"
        ),
    )
    assert on(found, "early")[0] == "Sat 09. 06:00-07:00", "the first in the file has it"
    with pytest.raises(ConfigError, match="cheap and early meet on "):
        check_schedule(site)


def test_an_exception_is_in_the_place_of_what_it_overrides() -> None:
    site = scheduled(
        entries(
            "{name: usual, from: '12:00', to: '16:00', mode: hold}",
            "{name: instead, from: '13:00', to: '14:00', days: [tue], mode: passive, "
            "overrides: [usual]}",
        )
    )
    found = week_of(site, 2026, 5, 4, 2)
    assert on(found, "usual") == [
        "Mon 04. 12:00-16:00", "Tue 05. 12:00-13:00", "Tue 05. 14:00-16:00"
    ]  # fmt: skip
    assert [(each.name, each.why) for each in found.left_out] == [
        ("usual", "instead is in its place")
    ]
    assert found.problems == ()


def test_what_has_no_mode_may_meet_anything() -> None:
    site = scheduled(entries(NIGHT, "{name: kept, reserve_pct: 50}"))
    assert week_of(site, 2026, 5, 4).problems == ()


PLACE = "location: {latitude_deg: 52.52, longitude_deg: 13.40}"


def test_the_sun_says_when() -> None:
    """Berlin on 21 June: sunrise 04:43, sunset 21:33."""
    site = scheduled(
        entries(
            "{name: sunny, from: sunrise, to: 'sunset-01:00', mode: hold}",
            "{name: dark, from: 'sunset', to: sunrise, mode: self_consumption}",
        ),
        more=PLACE,
    )
    found = week_of(site, 2026, 6, 21, 1)
    (sunny,) = [each for each in found.windows if each.entry.name == "sunny"]
    assert abs(sunny.start - datetime(2026, 6, 21, 2, 43, tzinfo=UTC)) < timedelta(minutes=3)
    assert abs(sunny.end - datetime(2026, 6, 21, 18, 33, tzinfo=UTC)) < timedelta(minutes=3)
    assert found.problems == ()


def test_where_the_sun_does_not_set_there_is_no_window_and_that_is_told() -> None:
    site = scheduled(
        entries("{name: dark, from: sunset, to: sunrise, mode: hold}"),
        more="location: {latitude_deg: 69.6, longitude_deg: 18.9}",
    )
    found = week_of(site, 2026, 6, 21, 1)
    assert found.windows == ()
    assert {each.why for each in found.left_out} == {"the sun does not rise and set"}


def test_a_sunset_after_the_clock_that_was_to_follow_it_leaves_no_day_long_window() -> None:
    site = scheduled(entries("{name: evening, from: sunset, to: '21:00', mode: hold}"), more=PLACE)
    found = week_of(site, 2026, 6, 21, 1)
    assert found.windows == ()
    assert found.left_out[0].why.endswith("the sun is early or late")


ZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo"]
)
MINUTES = st.integers(0, 1439)


@given(
    zone=ZONES,
    first=st.dates(date(2010, 1, 1), date(2036, 1, 1)),
    start=MINUTES,
    length=st.integers(1, 1440),
)
def test_windows_have_the_length_of_their_clock_but_for_the_change(
    zone: str, first: date, start: int, length: int
) -> None:
    end = (start + length) % 1440 or 1440
    if start == end % 1440:
        return
    texts = [f"'{minute // 60:02}:{minute % 60:02}'" for minute in (start, end)]
    site = scheduled(
        entries(f"{{name: each, from: {texts[0]}, to: {texts[1]}, mode: hold}}"), timezone=zone
    )
    found = week_of(site, first.year, first.month, first.day, 9)
    tz = ZoneInfo(zone)
    nominal = timedelta(minutes=length)
    for each in found.windows:
        offsets = [at.astimezone(tz).utcoffset() or timedelta() for at in (each.start, each.end)]
        changes = [
            at.astimezone(tz).utcoffset()
            for at in (each.start - 2 * HOUR, each.start, each.end, each.end + 2 * HOUR)
        ]
        if len(set(changes)) == 1:
            assert each.end - each.start == nominal
        assert timedelta(0) < each.end - each.start <= nominal + 1.01 * HOUR
        assert abs(each.end - each.start - nominal) <= abs(offsets[0] - offsets[1]) + HOUR
    days = [each.day for each in found.windows] + [each.day for each in found.left_out]
    assert len(days) == len(set(days)), "one a day, or a reason"
    whole = {first + timedelta(days=offset) for offset in range(2, 8)}
    assert whole <= set(days)
