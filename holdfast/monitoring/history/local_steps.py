"""Local steps cut time as people count it: a day has 92, 96 or 100 quarter hours."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from holdfast.core.quarter_hours import QUARTER_S
from holdfast.monitoring.history.levels import HOUR_S


class TimeStep(StrEnum):
    """Names the steps."""

    QUARTER = "quarter"
    HOUR = "hour"
    DAY = "day"
    MONTH = "month"
    YEAR = "year"


def boundaries_s(start: datetime, end: datetime, step: TimeStep, zone: ZoneInfo) -> list[int]:
    """Returns where the steps begin that ``start`` to ``end`` touches, and where the last one ends.

    The times are aware; what is returned is in s since 1970. Raises ValueError if there is no step.
    """
    found = []
    for at_s in _starts(start, step, zone):
        found.append(at_s)
        if at_s >= end.timestamp():
            break
    first = max(i for i, at_s in enumerate(found) if at_s <= start.timestamp())
    if first == len(found) - 1:
        raise ValueError("the end is not after the start")
    return found[first:]


def local_day(at_s: int, zone: ZoneInfo) -> str:
    """Returns the date on the site's clock, such as 2026-11-29; ``at_s`` is in s since 1970."""
    return datetime.fromtimestamp(at_s, zone).date().isoformat()


def _starts(start: datetime, step: TimeStep, zone: ZoneInfo) -> Iterator[int]:
    """Yields where steps begin, from one before ``start`` on, without an end."""
    day = start.astimezone(zone).date()
    match step:
        case TimeStep.QUARTER | TimeStep.HOUR:
            step_s = QUARTER_S if step is TimeStep.QUARTER else HOUR_S
            while True:
                yield from range(_midnight_s(day, zone), _midnight_s(_next(day), zone), step_s)
                day = _next(day)
        case TimeStep.DAY:
            while True:
                yield _midnight_s(day, zone)
                day = _next(day)
        case TimeStep.MONTH:
            day = day.replace(day=1)
            while True:
                yield _midnight_s(day, zone)
                day = _next(day.replace(day=28), 4).replace(day=1)
        case TimeStep.YEAR:
            while True:
                day = day.replace(month=1, day=1)
                yield _midnight_s(day, zone)
                day = _next(day, 366)


def _next(day: date, days: int = 1) -> date:
    return day + timedelta(days=days)


def _midnight_s(day: date, zone: ZoneInfo) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())
