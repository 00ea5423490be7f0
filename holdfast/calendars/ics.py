"""iCalendar files are read with care: they come from elsewhere, and stop no planner.

Files, events and the days that have to be looked at are bounded. A zone that is not known, or a
rule that nobody's calendar has, is an error that says so.
"""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

from holdfast.calendars.recurrence import FREQUENCIES, Frequency, Recurrence, days_of, work
from holdfast.core.errors import ConfigError
from holdfast.core.texts import MAX_NAME, shown

Event = Any
"""It is one of the library's, whose properties may be of any of thirty kinds."""
MAX_BYTES = 2_000_000
MAX_EVENTS = 5_000
MAX_WORK = 400_000
"""So many days are looked at for all rules of a file."""
_LONGEST = timedelta(days=366)
_DAY = timedelta(days=1)
_MOMENT = timedelta(microseconds=1)
_ZONES = re.compile(r"^BEGIN:VTIMEZONE\s*?$.*?^END:VTIMEZONE\s*?$\n?", re.M | re.S | re.I)
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_WEEKDAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_KNOWN = {
    "FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "WKST"
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarEvent:
    """Holds an event of a calendar; one that comes again once for each time."""

    summary: str
    start: datetime
    """The time is aware, UTC."""
    end: datetime
    """The time is aware, UTC; not included."""
    days: tuple[date, ...]
    """They are all local days of the site that it touches."""


def read_ics(
    path: Path, zone: ZoneInfo, since: datetime, until: datetime
) -> tuple[CalendarEvent, ...]:
    """Returns the events that end after ``since`` and begin before ``until`` (aware).

    Raises ConfigError for a file that cannot be read, or is none.
    """
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size > MAX_BYTES:
                raise ConfigError(f"{path.name}: has more than {MAX_BYTES} bytes")
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path.name}: cannot be read: {error.strerror}") from error
    return parse_ics(content, path.name, zone, since, until)


def parse_ics(
    content: bytes, name: str, zone: ZoneInfo, since: datetime, until: datetime
) -> tuple[CalendarEvent, ...]:
    """Returns the events of a file's ``content``, the first one first. Raises ConfigError."""
    if len(content) > MAX_BYTES:
        raise ConfigError(f"{name}: has more than {MAX_BYTES} bytes")
    try:
        events = _events(content)
        found = list(_times(events, zone, since, until))
    except ConfigError as error:
        raise ConfigError(f"{name}: {error}") from error
    except (ValueError, OverflowError, RecursionError, LookupError, TypeError, AttributeError) as e:
        # The library has many ways to say that a text is no calendar.
        told = shown(str(e), MAX_NAME)
        raise ConfigError(f"{name}: is no iCalendar file that can be read: {told}") from e
    return tuple(sorted(found, key=lambda event: (event.start, event.end, event.summary)))


def _events(content: bytes) -> list[Event]:
    from icalendar import Calendar

    text = content.decode("utf-8-sig").replace("\r\n", "\n")
    if text.upper().count("BEGIN:") > 4 * MAX_EVENTS:
        raise ConfigError(f"has more than {MAX_EVENTS} events")
    if "BEGIN:VCALENDAR" not in text.upper():
        raise ConfigError("is no iCalendar file: BEGIN:VCALENDAR is missing")
    # Zones are known by their names; what a file says of them is a program that runs for long.
    calendar = Calendar.from_ical(_ZONES.sub("", text))
    events = list(calendar.walk("VEVENT"))
    if len(events) > MAX_EVENTS:
        raise ConfigError(f"has {len(events)} events, and {MAX_EVENTS} are permitted")
    return events


def _times(
    events: Iterable[Event], zone: ZoneInfo, since: datetime, until: datetime
) -> Iterator[CalendarEvent]:
    moved: dict[str, set[datetime]] = {}
    for event in events:
        if "RECURRENCE-ID" in event:
            moved.setdefault(_uid(event), set()).add(_moment(event, "RECURRENCE-ID", zone)[0])
    left = MAX_WORK
    for event in events:
        if str(event.get("STATUS", "")).upper() == "CANCELLED":
            continue
        start, length, is_whole = _span(event, zone)
        first, last = since - length - _DAY, until + _DAY
        begins, rule = [start, *_listed(event, "RDATE", zone)], _rule_of(event, zone)
        if rule is not None:
            days = first.date(), last.date()
            left -= work(rule, start.date(), *days)
            if left < 0:
                raise ConfigError("its rules take too long to work out: they begin too long ago")
            begins = [
                datetime.combine(day, start.timetz()) for day in days_of(rule, start.date(), *days)
            ] + begins[1:]
        skipped = {*_listed(event, "EXDATE", zone)}
        if "RECURRENCE-ID" not in event:
            skipped |= moved.get(_uid(event), set())
        for begin in begins:
            if begin not in skipped and first < begin < last:
                yield from _made(event, begin, length, is_whole, zone, since, until)


def _uid(event: Event) -> str:
    return str(event.get("UID", ""))


def _made(
    event: Event,
    begin: datetime,
    length: timedelta,
    is_whole: bool,  # noqa: FBT001 - as it was read
    zone: ZoneInfo,
    since: datetime,
    until: datetime,
) -> Iterator[CalendarEvent]:
    # Days are counted by the clock, hours by the time that passes.
    end = (begin + length if is_whole else begin.astimezone(UTC) + length).astimezone(UTC)
    start = begin.astimezone(UTC)
    if start < end and start < until and end > since:
        first, last = start.astimezone(zone).date(), (end - _MOMENT).astimezone(zone).date()
        yield CalendarEvent(
            summary=shown(str(event.get("SUMMARY", "")), MAX_NAME),
            start=start,
            end=end,
            days=tuple(first + offset * _DAY for offset in range((last - first).days + 1)),
        )


def _span(event: Event, zone: ZoneInfo) -> tuple[datetime, timedelta, bool]:
    """Returns start in the event's zone, length, and whether it is of whole days."""
    if "DTSTART" not in event:
        raise ConfigError("an event has no DTSTART")
    start, is_whole = _moment(event, "DTSTART", zone)
    if "DTEND" in event:
        end = _moment(event, "DTEND", zone)[0]
        length = end - start if is_whole else end.astimezone(UTC) - start.astimezone(UTC)
    elif "DURATION" in event:
        length = event["DURATION"].dt
    else:
        length = _DAY if is_whole else timedelta(0)
    if length > _LONGEST:
        raise ConfigError(f"an event of {start:%Y-%m-%d} lasts longer than a year")
    return start, length, is_whole


def _moment(event: Event, key: str, zone: ZoneInfo) -> tuple[datetime, bool]:
    """Returns the time of a property; without a zone it is by the site's clock."""
    found = event[key]
    if isinstance(found, list):
        raise ConfigError(f"an event has two {key}")
    return _in_zone(found.dt, str(found.params.get("TZID", "")), zone)


def _in_zone(value: Any, tzid: str, zone: ZoneInfo) -> tuple[datetime, bool]:
    if isinstance(value, datetime):
        if value.tzinfo is None and tzid:
            raise ConfigError(
                f"{shown(tzid, MAX_NAME)!r} is no time zone that is known, such as Europe/Berlin"
            )
        return (value if value.tzinfo is not None else value.replace(tzinfo=zone)), False
    if isinstance(value, date):
        return datetime.combine(value, time(), zone), True
    raise ConfigError(f"{shown(str(value), MAX_NAME)!r} is no time of an event")


def _listed(event: Event, key: str, zone: ZoneInfo) -> Iterator[datetime]:
    found = event.get(key, [])
    for group in found if isinstance(found, list) else [found]:
        for each in group.dts:
            tzid = str(getattr(group, "params", {}).get("TZID", ""))
            yield _in_zone(each.dt, tzid, zone)[0]


def _rule_of(event: Event, zone: ZoneInfo) -> Recurrence | None:
    if "RRULE" not in event or "RECURRENCE-ID" in event:
        return None
    found = event["RRULE"]
    if isinstance(found, list):
        raise ConfigError("an event has two rules")
    unknown = sorted(set(map(str.upper, found)) - _KNOWN)
    frequency = str(_only(found, "FREQ", "")).upper()
    if unknown or frequency not in FREQUENCIES:
        what = ", ".join(unknown) or f"FREQ={shown(frequency, MAX_NAME)}"
        raise ConfigError(f"a rule with {what} is not understood; {', '.join(FREQUENCIES)} are")
    until = _only(found, "UNTIL", None)
    if isinstance(until, datetime):
        until = (until if until.tzinfo is None else until.astimezone(zone)).date()
    count = _only(found, "COUNT", None)
    rule = Recurrence(
        frequency=cast("Frequency", frequency),
        interval=int(_only(found, "INTERVAL", 1)),
        count=None if count is None else int(count),
        until=until,
        weekdays=tuple(_weekday(str(each)) for each in found.get("BYDAY", [])),
        month_days=tuple(int(each) for each in found.get("BYMONTHDAY", [])),
        months=tuple(int(each) for each in found.get("BYMONTH", [])),
        positions=tuple(int(each) for each in found.get("BYSETPOS", [])),
        week_start=_WEEKDAYS.index(str(_only(found, "WKST", "MO")).upper()),
    )
    if rule.interval < 1 or (rule.count is not None and rule.count < 1):
        raise ConfigError("a rule has an INTERVAL or a COUNT below 1")
    return rule


def _only(found: Any, key: str, default: Any) -> Any:
    values = found.get(key, [])
    return values[0] if values else default


def _weekday(text: str) -> tuple[int, int]:
    found = _WEEKDAY.fullmatch(text.upper())
    if found is None:
        raise ConfigError(f"{shown(text, MAX_NAME)!r} is no day of a rule, such as MO or -1FR")
    return int(found[1] or 0), _WEEKDAYS.index(found[2])
