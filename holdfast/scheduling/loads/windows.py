"""Flexible loads may run in their windows, in UTC, by the site's local clock."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from holdfast.core.config.loads import FlexibleLoad
from holdfast.core.config.local_window import WEEKDAYS
from holdfast.core.interval import Interval

_BACK = timedelta(days=3)
"""A window is a day long at most, two with a change of clocks and the date of another zone."""


def windows_of(
    load: FlexibleLoad, zone: ZoneInfo, since: datetime, until: datetime
) -> Iterator[Interval]:
    """Yields windows that end after ``since`` and begin before ``until`` (aware), first one first.

    A day has 23 or 25 hours when clocks change: a time that comes twice counts the first time,
    one that does not come counts as an hour later. A window that lies within the hour that is
    left out does not come on that day.
    """
    day = (since.astimezone(zone) - _BACK).date()
    last = until.astimezone(zone).date()
    while day <= last:
        window = _window_on(load, zone, day)
        wanted = load.days is None or WEEKDAYS[day.weekday()] in load.days
        if wanted and window.start < min(until, window.end) and window.end > since:
            yield window
        day += timedelta(days=1)


def present_window(load: FlexibleLoad, zone: ZoneInfo, utc: datetime) -> Interval | None:
    """Returns the window that ``utc`` lies in; None if the load is not wanted now."""
    for window in windows_of(load, zone, utc, utc + timedelta(seconds=1)):
        if window.start <= utc:
            return window
    return None


def _window_on(load: FlexibleLoad, zone: ZoneInfo, day: date) -> Interval:
    midnight = datetime.combine(day, time())
    start = midnight + timedelta(minutes=load.from_minute)
    end = start + timedelta(minutes=load.window_minutes)
    return Interval(start=_utc(start, zone), end=_utc(end, zone))


def _utc(local: datetime, zone: ZoneInfo) -> datetime:
    return local.replace(tzinfo=zone).astimezone(UTC)
