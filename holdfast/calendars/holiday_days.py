"""Public holidays come from the package ``holidays``."""

from collections.abc import Callable
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

from holdfast.core.config.schedule import HolidayCalendar, Schedule
from holdfast.core.errors import ConfigError

if TYPE_CHECKING:
    from holidays import HolidayBase


def holiday_on(calendar: HolidayCalendar, day: date) -> str | None:
    """Returns the name of the holiday on ``day``; None if it is none. Raises ConfigError."""
    name: str | None = _holidays(calendar.country, calendar.subdivision).get(day)
    return name


def holidays_of(schedule: Schedule) -> Callable[[date], bool]:
    """Returns what says whether a calendar of ``schedule`` has a holiday on a day.

    One that nobody knows has none; the check of site.yaml has told so.
    """
    calendars = holiday_calendars(schedule)

    def is_holiday(day: date) -> bool:
        try:
            return any(holiday_on(calendar, day) for calendar in calendars)
        except ConfigError:
            return False

    return is_holiday


def holiday_calendars(schedule: Schedule) -> tuple[HolidayCalendar, ...]:
    """Returns those calendars of ``schedule`` that tell of holidays."""
    every = schedule.calendars.values()
    return tuple(one for one in every if isinstance(one, HolidayCalendar))


@lru_cache(maxsize=16)
def _holidays(country: str, subdivision: str | None) -> "HolidayBase":
    from holidays import country_holidays, list_supported_countries

    known = list_supported_countries()
    if country not in known:
        raise ConfigError(f"country: no holidays are known for {country!r}; DE or US are known")
    if subdivision is not None and subdivision not in known[country]:
        shown = ", ".join(known[country][:60]) or "none"
        raise ConfigError(f"subdivision: {country} has no {subdivision!r}; known are: {shown}")
    return country_holidays(country, subdiv=subdivision)
