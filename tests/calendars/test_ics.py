"""iCalendar files are read as people's calendars write them, and nothing in them stops anybody."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.calendars.ics import MAX_BYTES, CalendarEvent, parse_ics, read_ics
from holdfast.core.errors import ConfigError

BERLIN = ZoneInfo("Europe/Berlin")
SINCE, UNTIL = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 15, tzinfo=UTC)


def calendar(*events: str, head: str = "") -> bytes:
    body = "\n".join(f"BEGIN:VEVENT\n{event}\nEND:VEVENT" for event in events)
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n{head}{body}\nEND:VCALENDAR\n".encode()


def found(*events: str, head: str = "") -> tuple[CalendarEvent, ...]:
    return parse_ics(calendar(*events, head=head), "a.ics", BERLIN, SINCE, UNTIL)


def starts(*events: str) -> list[str]:
    return [f"{each.start:%m-%d %H:%M}" for each in found(*events)]


def test_an_event_has_its_zone() -> None:
    (event,) = found("SUMMARY:Charge\nDTSTART;TZID=America/New_York:20261020T080000\nDURATION:PT2H")
    assert event == CalendarEvent(
        summary="Charge",
        start=datetime(2026, 10, 20, 12, tzinfo=UTC),
        end=datetime(2026, 10, 20, 14, tzinfo=UTC),
        days=(date(2026, 10, 20),),
    )


@pytest.mark.parametrize(
    ("start", "utc"),
    [
        ("DTSTART:20261020T080000Z", "10-20 08:00"),
        ("DTSTART:20261020T080000", "10-20 06:00"),
        ("DTSTART;TZID=W. Europe Standard Time:20261020T080000", "10-20 06:00"),
    ],
    ids=["UTC", "the site's", "as Windows calls it"],
)
def test_times_by_other_clocks(start: str, utc: str) -> None:
    assert starts(f"{start}\nDURATION:PT1H") == [utc]


def test_whole_days_are_the_sites() -> None:
    """The day on which clocks are changed has 25 hours."""
    (event,) = found("DTSTART;VALUE=DATE:20261024\nDTEND;VALUE=DATE:20261026")
    assert (event.start, event.end - event.start) == (
        datetime(2026, 10, 23, 22, tzinfo=UTC),
        timedelta(hours=49),
    )
    assert event.days == (date(2026, 10, 24), date(2026, 10, 25))


def test_what_comes_again_keeps_its_clock_over_a_change() -> None:
    weekly = "DTSTART;TZID=Europe/Berlin:20261014T020000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;COUNT=3"
    assert starts(weekly) == ["10-14 00:00", "10-21 00:00", "10-28 01:00"]


def test_exceptions_moved_ones_and_cancelled_ones() -> None:
    daily = (
        "UID:1\nDTSTART:20261020T080000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=4\n"
        "EXDATE:20261021T080000Z\nRDATE:20261030T080000Z"
    )
    moved = "UID:1\nRECURRENCE-ID:20261022T080000Z\nDTSTART:20261022T170000Z\nDURATION:PT1H"
    gone = "UID:2\nSTATUS:CANCELLED\nDTSTART:20261020T080000Z\nDURATION:PT1H"
    assert starts(daily, moved, gone) == [
        "10-20 08:00", "10-22 17:00", "10-23 08:00", "10-30 08:00"
    ]  # fmt: skip


BAD = {
    "no calendar": (b"hello", "BEGIN:VCALENDAR is missing"),
    "no text": (b"\xff\xfe\x00", "is no iCalendar file"),
    "a zone of another planet": (
        calendar("DTSTART;TZID=Mars/Base:20261020T080000"), "'Mars/Base' is no time zone"
    ),
    "every second": (
        calendar("DTSTART:20000101T000000Z\nRRULE:FREQ=SECONDLY"), "FREQ=SECONDLY is not understood"
    ),
    "a rule by the second": (
        calendar("DTSTART:20000101T000000Z\nRRULE:FREQ=DAILY;BYSECOND=1"), "BYSECOND"
    ),
    "counted for ever": (
        calendar(*["DTSTART:00010101T000000Z\nRRULE:FREQ=DAILY;COUNT=99999999"] * 4),
        "take too long to work out",
    ),
    "no start": (calendar("SUMMARY:x"), "no DTSTART"),
    "two years long": (calendar("DTSTART:20260101T000000Z\nDURATION:P800D"), "longer than a year"),
    "no end of it": (b"BEGIN:VCALENDAR\n" + b"BEGIN:VEVENT\n" * 30_000, "more than 5000 events"),
    "very large": (b"x" * (MAX_BYTES + 1), "more than"),
    "an interval of nothing": (
        calendar("DTSTART:20260101T000000Z\nRRULE:FREQ=DAILY;INTERVAL=0"), "INTERVAL"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("content", "why"), BAD.values(), ids=BAD)
def test_what_is_wrong_is_told_in_time(content: bytes, why: str) -> None:
    with pytest.raises(ConfigError, match=r"^a\.ics: ") as error:
        parse_ics(content, "a.ics", BERLIN, SINCE, UNTIL)
    assert why in str(error.value)


def test_what_a_file_says_of_zones_is_not_worked_out() -> None:
    bomb = (
        "BEGIN:VTIMEZONE\nTZID:Europe/Berlin\nBEGIN:STANDARD\nDTSTART:16010101T000000\n"
        "TZOFFSETFROM:+0200\nTZOFFSETTO:+0100\nRRULE:FREQ=SECONDLY\nEND:STANDARD\n"
        "END:VTIMEZONE\n"
    )
    event = "DTSTART;TZID=Europe/Berlin:20261020T080000\nDURATION:PT1H"
    assert len(found(event, head=bomb)) == 1


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.ics: cannot be read: No such file"):
        read_ics(tmp_path / "gone.ics", BERLIN, SINCE, UNTIL)


LINES = st.sampled_from(
    [
        "BEGIN:VEVENT", "END:VEVENT", "BEGIN:VALARM", "END:VCALENDAR", "SUMMARY:x", "DTSTART:1",
        "DTSTART:20261020T080000Z", "DTSTART;VALUE=DATE:20261020", "DTEND:20261020T090000Z",
        "DURATION:-PT5H", "DURATION:P1D", "RRULE:FREQ=DAILY", "RRULE:FREQ=MONTHLY;BYDAY=9XX",
        "RRULE:FREQ=YEARLY;UNTIL=99999999", "EXDATE:x", "EXDATE;VALUE=DATE:20261020", "RDATE:",
        "RECURRENCE-ID:20261020T080000Z", "DTSTART:20261020T080000Z", "RRULE:FREQ=WEEKLY;WKST=XX",
        "DTEND;TZID=:20261020T090000", "RDATE;VALUE=PERIOD:20261021T080000Z/PT1H", "UID:1",
    ]
)  # fmt: skip


@given(lines=st.lists(LINES | st.text(max_size=20), max_size=12))
def test_any_lines_are_read_or_refused(lines: list[str]) -> None:
    text = "\n".join(["BEGIN:VCALENDAR", "BEGIN:VEVENT", *lines, "END:VEVENT", "END:VCALENDAR"])
    try:
        events = parse_ics(text.encode(errors="replace"), "a.ics", BERLIN, SINCE, UNTIL)
    except ConfigError:
        return
    assert all(each.end > SINCE and each.start < UNTIL and each.days for each in events)
