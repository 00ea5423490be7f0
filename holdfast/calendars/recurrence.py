"""A recurrence says on which days an event comes again: the rules that calendars of people have.

It is worked out day by day, so that no rule, however it is written, takes longer than its days.
"""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, get_args

Frequency = Literal["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]
FREQUENCIES: tuple[str, ...] = get_args(Frequency)
_LONGEST_PERIOD = 366
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """Holds one rule of RFC 5545 by days."""

    frequency: Frequency
    interval: int = 1
    count: int | None = None
    until: date | None = None
    """Included."""
    weekdays: tuple[tuple[int, int], ...] = ()
    """Each is an ordinal, 0 for each, and a weekday as in :meth:`datetime.date.weekday`."""
    month_days: tuple[int, ...] = ()
    """Negative ones count from the end."""
    months: tuple[int, ...] = ()
    positions: tuple[int, ...] = ()
    """Of the days that a month or a year has, only these count."""
    week_start: int = 0


def days_of(rule: Recurrence, first: date, since: date, until: date) -> Iterator[date]:
    """Yields the days from ``since`` to ``until``, both included, on which ``rule`` comes.

    It begins with ``first``, which always counts.
    """
    if rule.until is not None:
        until = min(until, rule.until)
    day, found = first, 0
    counted = _Counted(rule, first)
    if rule.count is None and since > first:
        day = since
    while day <= until and (rule.count is None or found < rule.count):
        if day == first or counted.comes_on(day):
            found += 1
            if day >= since:
                yield day
        if day == date.max:
            return
        day += _DAY


def work(rule: Recurrence, first: date, since: date, until: date) -> int:
    """Returns how many days have to be looked at, at most."""
    begin = first if rule.count is not None else max(first, since)
    days = max((until - begin).days + 1, 0)
    return days + _LONGEST_PERIOD if rule.positions else days


class _Counted:
    """Says whether a rule comes on a day; works out a week, month or year once."""

    def __init__(self, rule: Recurrence, first: date) -> None:
        self._rule, self._first = rule, first
        self._period: list[date] = []
        self._days: list[date] = []

    def comes_on(self, day: date) -> bool:
        """Says whether it comes on ``day``."""
        if not self._rule.positions:
            return _fits(self._rule, self._first, day)
        if day not in self._days and (not self._period or day > self._period[-1]):
            self._period = list(_period(self._rule, day))
            self._days = [other for other in self._period if _fits(self._rule, self._first, other)]
        if day not in self._days:
            return False
        place, count = self._days.index(day), len(self._days)
        return place + 1 in self._rule.positions or place - count in self._rule.positions


def _period(rule: Recurrence, day: date) -> Iterator[date]:
    """Yields the days of the week, month or year that ``day`` is in."""
    match rule.frequency:
        case "DAILY":
            start, end = day, day
        case "WEEKLY":
            start = day - _DAY * ((day.weekday() - rule.week_start) % 7)
            end = start + 6 * _DAY
        case "MONTHLY":
            start, end = day.replace(day=1), day.replace(day=_month_length(day))
        case "YEARLY":
            start, end = date(day.year, 1, 1), date(day.year, 12, 31)
    for offset in range((end - start).days + 1):
        yield start + offset * _DAY


def _fits(rule: Recurrence, first: date, day: date) -> bool:
    if rule.months and day.month not in rule.months:
        return False
    if not _interval_fits(rule, first, day):
        return False
    if rule.month_days and not {day.day, day.day - _month_length(day) - 1} & {*rule.month_days}:
        return False
    if rule.weekdays:
        return any(_is_weekday(rule, day, *wanted) for wanted in rule.weekdays)
    return bool(rule.month_days) or _is_like(rule, first, day)


def _interval_fits(rule: Recurrence, first: date, day: date) -> bool:
    match rule.frequency:
        case "DAILY":
            apart = (day - first).days
        case "WEEKLY":
            starts = [
                each - _DAY * ((each.weekday() - rule.week_start) % 7) for each in (first, day)
            ]
            apart = (starts[1] - starts[0]).days // 7
        case "MONTHLY":
            apart = (day.year - first.year) * 12 + day.month - first.month
        case "YEARLY":
            apart = day.year - first.year
    return apart % rule.interval == 0


def _is_weekday(rule: Recurrence, day: date, ordinal: int, weekday: int) -> bool:
    if day.weekday() != weekday:
        return False
    if ordinal == 0:
        return True
    if rule.frequency == "YEARLY" and not rule.months:
        number, length = day.timetuple().tm_yday, 366 if monthrange(day.year, 2)[1] == 29 else 365
    else:
        number, length = day.day, _month_length(day)
    return ordinal in ((number - 1) // 7 + 1, -((length - number) // 7 + 1))


def _is_like(rule: Recurrence, first: date, day: date) -> bool:
    """Says whether ``day`` is where ``first`` is in its week, month or year."""
    match rule.frequency:
        case "DAILY":
            return True
        case "WEEKLY":
            return day.weekday() == first.weekday()
        case "MONTHLY":
            return day.day == first.day
        case "YEARLY":
            return day.day == first.day and (bool(rule.months) or day.month == first.month)


def _month_length(day: date) -> int:
    return monthrange(day.year, day.month)[1]
