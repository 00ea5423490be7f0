"""Periods are the days, months and years by which a tariff counts, on the site's clock."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

Period = Literal["day", "month", "year"]
PERIODS: tuple[Period, ...] = ("day", "month", "year")
"""The shortest comes first."""
_FORMATS: dict[Period, str] = {"day": "%Y-%m-%d", "month": "%Y-%m", "year": "%Y"}


def period_name(utc: datetime, period: Period, zone: ZoneInfo) -> str:
    """Returns the name of the period that ``utc`` lies in: 2026-05-08, 2026-05 or 2026.

    >>> period_name(datetime(2026, 12, 31, 23, 30, tzinfo=UTC), "month", ZoneInfo("Europe/Berlin"))
    '2027-01'
    """
    return utc.astimezone(zone).strftime(_FORMATS[period])


def shares_of(
    start_utc: datetime, end_utc: datetime, period: Period, zone: ZoneInfo
) -> Iterator[float]:
    """Yields of each period that the span touches the share that lies in it, 0 to 1.

    A day has 23, 24 or 25 hours, as the clocks are changed.
    """
    first = _first_day(start_utc.astimezone(zone).date(), period)
    while (begin := _midnight(first, zone)) < end_utc:
        following = _following(first, period)
        end = _midnight(following, zone)
        yield (min(end, end_utc) - max(begin, start_utc)) / (end - begin)
        first = following


def begin_of(utc: datetime, period: Period, zone: ZoneInfo) -> datetime:
    """Returns the first instant of the period that ``utc`` lies in, UTC."""
    return _midnight(_first_day(utc.astimezone(zone).date(), period), zone)


def _first_day(day: date, period: Period) -> date:
    match period:
        case "day":
            return day
        case "month":
            return day.replace(day=1)
        case "year":
            return day.replace(month=1, day=1)


def _following(first: date, period: Period) -> date:
    match period:
        case "day":
            return first + timedelta(days=1)
        case "month":
            return (first + timedelta(days=31)).replace(day=1)
        case "year":
            return first.replace(year=first.year + 1)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
