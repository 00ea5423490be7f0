"""The ``schedule`` section says what the batteries do at which times (docs/schedule.md)."""

import re
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from holdfast.core.config.form import Form
from holdfast.core.config.local_window import DAY_MINUTES, Month, Weekday
from holdfast.core.config.section import (
    FilePath,
    Finite,
    Name,
    NotNegative,
    Positive,
    Section,
)
from holdfast.core.slot_mode import NEEDS

Percent = Annotated[float, Field(ge=0, le=100)]
_CLOCK = r"([01]?\d|2[0-3]):[0-5]\d|24:00"
_SUN = r"(sunrise|sunset)([+-]\d{2}:[0-5]\d)?"
TimeOfDay = Annotated[
    str,
    Form(
        pattern=f"{_CLOCK}|{_SUN}",
        right="time of a day, such as 06:45, 24:00, sunset or sunrise-00:30",
    ),
]
ScheduledMode = Literal[
    "self_consumption",
    "hold",
    "passive",
    "charge",
    "discharge",
    "charge_only",
    "soc",
    "full_charge",
    "pv_optimizer",
    "peak_shaving",
    "load_balancer",
    "commercial",
]
_NEEDS = {**NEEDS, "charge": "power_w", "discharge": "power_w"}
_HAS_POWER = frozenset({"charge", "discharge", "charge_only", "full_charge"})
_TERMS = (
    "grid_target_w",
    "soc_target_pct",
    "soc_ceiling_pct",
    "reserve_pct",
    "import_max_w",
    "export_max_w",
)


class DateRange(Section):
    """Days from one to another, both included."""

    from_date: date = Field(alias="from")
    """Included."""
    to_date: date = Field(alias="to")
    """Included."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.to_date < self.from_date:
            raise ValueError(f"to ({self.to_date}) is before from ({self.from_date})")
        return self


class HolidayCalendar(Section):
    """Public holidays."""

    kind: Literal["holidays"]
    """Days off, by a country's law."""
    country: Annotated[str, Form(pattern="[A-Z]{2}", right="country's code such as DE")]
    """By ISO 3166."""
    subdivision: Annotated[str, Field(max_length=40)] | None = None
    """State or region, such as BY; None: what the whole country keeps."""


class IcsCalendar(Section):
    """An iCalendar file, as calendars are exported by."""

    kind: Literal["ics"]
    """Days, or times, of a file."""
    path: FilePath
    """Read anew when it changes."""
    summary: Annotated[str, Field(min_length=1)] | None = None
    """Only events with this text in their summary count; None: all."""


class DateCalendar(Section):
    """Days by their dates: exceptions, vacations."""

    kind: Literal["dates"]
    """Days one by one."""
    dates: tuple[date, ...] = ()
    """Such as 2026-12-24."""
    ranges: tuple[DateRange, ...] = ()
    """Such as ``{from: 2026-07-27, to: 2026-08-10}``, both included."""

    @model_validator(mode="after")
    def _has_days(self) -> Self:
        if not (self.dates or self.ranges):
            raise ValueError("dates: has no days: give dates, or ranges")
        return self


Calendar = Annotated[HolidayCalendar | IcsCalendar | DateCalendar, Field(discriminator="kind")]


class ScheduleEntry(Section):
    """What is asked of the batteries in a part of certain days."""

    name: Name
    """In the plan, and in messages."""
    from_time: TimeOfDay = Field(default="00:00", alias="from")
    """By the site's local clock, or by the sun: sunset, sunrise+01:00."""
    to_time: TimeOfDay = Field(default="24:00", alias="to")
    """Not included; at or before ``from``: on the next day."""
    days: Annotated[tuple[Weekday, ...], Field(min_length=1)] | None = None
    """On which it begins. None: on all, or those of ``on_days_of`` alone."""
    months: Annotated[tuple[Month, ...], Field(min_length=1)] | None = None
    """In which it begins. None: in all."""
    on_days_of: tuple[Name, ...] = ()
    """Calendars on whose days it begins, too."""
    except_days_of: tuple[Name, ...] = ()
    """Calendars on whose days it does not begin."""
    during: Name | None = None
    """An iCalendar file whose events say when, in place of all above but ``except_days_of``."""
    mode: ScheduledMode | None = None
    """None: whatever is done otherwise, within what stands below."""
    power_w: Positive | None = None
    """Of all units together, to charge or discharge with."""
    grid_target_w: Finite | None = None
    """Where self_consumption leads the meter, + import."""
    soc_target_pct: Percent | None = None
    """Where charging or discharging ends; soc reaches it at the end."""
    soc_ceiling_pct: Percent | None = None
    """More is not stored, but of what could not be exported."""
    reserve_pct: Percent | None = None
    """At or below it nothing is discharged, except in an outage."""
    import_max_w: NotNegative | None = None
    """The battery helps to import no more."""
    export_max_w: NotNegative | None = None
    """The battery helps to export no more."""
    overrides: tuple[Name, ...] = ()
    """Entries in whose place it is where both are: an exception."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        needed = _NEEDS.get(self.mode or "")
        if needed is not None and getattr(self, needed) is None:
            raise ValueError(f"{self.name}: mode {self.mode} needs {needed}")
        if self.power_w is not None and self.mode not in _HAS_POWER:
            raise ValueError(f"{self.name}: power_w: there is none in mode {self.mode}")
        if self.mode is None and all(getattr(self, name) is None for name in _TERMS):
            raise ValueError(f"{self.name}: asks for nothing: give a mode, or {', '.join(_TERMS)}")
        return self

    @model_validator(mode="after")
    def _has_a_time(self) -> Self:
        if self.from_time == self.to_time:
            raise ValueError(
                f"{self.name}: from and to are the same; leave both out for the whole day"
            )
        timed = {"from_time", "to_time", "days", "months", "on_days_of"} & self.model_fields_set
        if self.during is not None and timed:
            raise ValueError(
                f"{self.name}: during says when; leave out from, to, days, months, on_days_of"
            )
        return self

    @property
    def by_sun(self) -> bool:
        """Says whether it hangs on sunrise or sunset."""
        return "sun" in self.from_time or "sun" in self.to_time

    @property
    def calendars(self) -> tuple[str, ...]:
        """Returns the names of all calendars that it asks."""
        during = () if self.during is None else (self.during,)
        return (*self.on_days_of, *self.except_days_of, *during)


class Schedule(Section):
    """What the batteries do at which times."""

    calendars: dict[Name, Calendar] = Field(default_factory=dict)
    """Days by a name of your own."""
    entries: Annotated[tuple[ScheduleEntry, ...], Field(max_length=100)] = ()
    """No two that have a mode may meet, but an exception."""

    @model_validator(mode="after")
    def _names_are_there(self) -> Self:
        names = [entry.name for entry in self.entries]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"entries: two have the name {twice}")
        for entry in self.entries:
            for name in entry.calendars:
                if name not in self.calendars:
                    raise ValueError(f"{entry.name}: there is no calendar {name}")
            if entry.during is not None and self.calendars[entry.during].kind != "ics":
                raise ValueError(f"{entry.name}: during: {entry.during} is no iCalendar file")
            for name in entry.overrides:
                if name not in names or name == entry.name:
                    raise ValueError(f"{entry.name}: overrides: there is no other entry {name}")
        return self


def minutes_of(text: str) -> int:
    """Returns the minutes of a clock, or of an offset from the sun.

    >>> minutes_of("06:45"), minutes_of("24:00"), minutes_of("sunset-00:30"), minutes_of("sunset")
    (405, 1440, -30, 0)
    """
    found = re.search(r"([+-]?)(\d{1,2}):(\d{2})$", text)
    if found is None:
        return 0
    minutes = int(found[2]) * 60 + int(found[3])
    return -minutes if found[1] == "-" else minutes


assert minutes_of("24:00") == DAY_MINUTES
