"""Day sets are the calendars of a schedule: which days are in each, and under which name."""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import assert_never
from zoneinfo import ZoneInfo

from holdfast.calendars.holiday_days import holiday_on
from holdfast.calendars.ics import CalendarEvent, read_ics
from holdfast.core.config.schedule import (
    DateCalendar,
    HolidayCalendar,
    IcsCalendar,
    Schedule,
)
from holdfast.core.errors import ConfigError

_AROUND = timedelta(days=3)


class DaySets:
    """Answers for one schedule, and reads its files once for a stretch of time."""

    def __init__(
        self, schedule: Schedule, zone: ZoneInfo, since: datetime, until: datetime
    ) -> None:
        self._calendars = schedule.calendars
        self._events: dict[str, tuple[CalendarEvent, ...]] = {}
        self.problems: list[str] = []
        """Tell which calendars cannot be used."""
        for name, calendar in schedule.calendars.items():
            self._open(name, calendar, zone, since - _AROUND, until + _AROUND)

    def _open(
        self,
        name: str,
        calendar: HolidayCalendar | IcsCalendar | DateCalendar,
        zone: ZoneInfo,
        since: datetime,
        until: datetime,
    ) -> None:
        try:
            if isinstance(calendar, IcsCalendar):
                found = read_ics(Path(calendar.path), zone, since, until)
                text = (calendar.summary or "").casefold()
                self._events[name] = tuple(
                    event for event in found if text in event.summary.casefold()
                )
            elif isinstance(calendar, HolidayCalendar):
                holiday_on(calendar, since.astimezone(zone).date())
        except ConfigError as error:
            self.problems.append(f"schedule.calendars.{name}: {error}")
            self._events[name] = ()

    def is_broken(self, name: str) -> bool:
        """Says whether nothing is known of a calendar."""
        start = f"schedule.calendars.{name}: "
        return any(problem.startswith(start) for problem in self.problems)

    def events(self, name: str) -> tuple[CalendarEvent, ...]:
        """Returns the events of an iCalendar file."""
        return self._events.get(name, ())

    def why(self, name: str, day: date) -> str | None:
        """Returns what ``day`` is in a calendar, such as a holiday's name; None: nothing."""
        calendar = self._calendars[name]
        if self.is_broken(name):
            return None
        match calendar:
            case HolidayCalendar():
                return holiday_on(calendar, day)
            case IcsCalendar():
                found = (event.summary for event in self._events[name] if day in event.days)
                return next(found, None)
            case DateCalendar():
                return name if _holds(calendar, day) else None
            case _:
                assert_never(calendar)


def _holds(calendar: DateCalendar, day: date) -> bool:
    if day in calendar.dates:
        return True
    return any(each.from_date <= day <= each.to_date for each in calendar.ranges)
