"""Parts of the day, the week and the year, as they stand in site.yaml."""

import re
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from holdfast.core.section import Section

DAY_MINUTES = 24 * 60
_CLOCK = re.compile(r"(\d{1,2}):([0-5]\d)", re.ASCII)
_YAML_CLOCK_FROM = 60
"""YAML 1.1 reads 1:00 to 24:00 without quotes as a number in base 60, which is the minutes."""


def _minute_of_day(value: object) -> int:
    minute = _minute(value)
    if minute is None or minute > DAY_MINUTES or minute % 15:
        raise ValueError(f"{value!r} is no quarter hour of a day, such as 06:00, 16:45 or 24:00")
    return minute


def _minute(value: object) -> int | None:
    if isinstance(value, str):
        clock = _CLOCK.fullmatch(value)
        return None if clock is None else int(clock[1]) * 60 + int(clock[2])
    # A bare 22 would be 22 minutes, and means 22 o'clock.
    return value if isinstance(value, int) and value >= _YAML_CLOCK_FROM else None


MinuteOfDay = Annotated[int, BeforeValidator(_minute_of_day)]
Month = Annotated[int, Field(ge=1, le=12)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class LocalWindow(Section):
    """A part of the day, the week and the year, by the site's local clock.

    From 22:00 to 06:00 runs over midnight; ``days`` and ``months`` are those of the moment
    that is asked about, not of the evening before.
    """

    from_minute: MinuteOfDay = Field(default=0, alias="from")
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
        """True if it leaves nothing out."""
        whole_day = (self.from_minute, self.to_minute) == (0, DAY_MINUTES)
        return whole_day and self.days is None and self.months is None
