"""Local windows are parts of the day, the week and the year, as they stand in site.yaml."""

import re
from datetime import datetime
from typing import Annotated, Literal, Self, get_args
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, model_validator

from holdfast.core.config.section import Section

DAY_MINUTES = 24 * 60
_CLOCK = re.compile(r"(\d{1,2}):([0-5]\d)", re.ASCII)


def _minute_of_day(value: object) -> int:
    clock = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    minute = None if clock is None else int(clock[1]) * 60 + int(clock[2])
    if minute is None or minute > DAY_MINUTES or minute % 15:
        raise ValueError(f"{value!r} is no quarter hour of a day, such as 06:00, 16:45 or 24:00")
    return minute


MinuteOfDay = Annotated[int, BeforeValidator(_minute_of_day)]
Month = Annotated[int, Field(ge=1, le=12)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
"""The order is that of :meth:`datetime.weekday`."""


class LocalWindow(Section):
    """A part of the day, the week and the year, by the site's local clock.

    From 22:00 to 06:00 runs over midnight; ``days`` and ``months`` are those of the moment
    that is asked about, not of the evening before.
    """

    from_minute: MinuteOfDay = Field(default=0, alias="from")
    """Included; from 22:00 to 06:00 runs over midnight."""
    to_minute: MinuteOfDay = Field(default=DAY_MINUTES, alias="to")
    """Not included."""
    days: Annotated[tuple[Weekday, ...], Field(min_length=1)] | None = None
    """None: all."""
    months: Annotated[tuple[Month, ...], Field(min_length=1)] | None = None
    """None: all."""

    @model_validator(mode="after")
    def _has_length(self) -> Self:
        if self.from_minute == self.to_minute:
            raise ValueError("from and to are the same; leave both out for the whole day")
        return self

    @property
    def is_always(self) -> bool:
        """Says whether it leaves nothing out."""
        whole_day = (self.from_minute, self.to_minute) == (0, DAY_MINUTES)
        return whole_day and self.days is None and self.months is None


def lies_in(window: LocalWindow, utc: datetime, zone: ZoneInfo) -> bool:
    """Says whether ``utc``, as the clocks of ``zone`` show it, lies in ``window``."""
    local = utc.astimezone(zone)
    if window.days is not None and WEEKDAYS[local.weekday()] not in window.days:
        return False
    if window.months is not None and local.month not in window.months:
        return False
    minute = local.hour * 60 + local.minute
    if window.from_minute < window.to_minute:
        return window.from_minute <= minute < window.to_minute
    return minute >= window.from_minute or minute < window.to_minute
