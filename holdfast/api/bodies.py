"""What a request may hold: strict values of bounded length, and times with a zone.

JSON as pydantic reads it by itself takes ``false`` for 0.0 and a number for a time.
"""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainValidator, WithJsonSchema

from holdfast.core.texts import shown

_MOMENT: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_YEARS: Final = range(1971, 9000)
"""From the first one on every time has a distance to now that fits."""


class Body(BaseModel):
    """The body of a request: it has no key that nobody knows, and no value of another kind."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, frozen=True)


def moment(value: object) -> datetime:
    """Returns the time that a text tells, in UTC. Raises ValueError.

    >>> moment("2026-11-30T13:00:00+01:00").isoformat()
    '2026-11-30T12:00:00+00:00'
    """
    if not isinstance(value, str) or _MOMENT.fullmatch(value) is None:
        raise ValueError(
            f"{shown(repr(value), 60)} is no time with a zone, such as 2026-11-30T12:00:00Z"
        )
    try:
        time = datetime.fromisoformat(value.upper())
    except ValueError as error:
        raise ValueError(f"{value} is no time: {error}") from None
    if time.year not in _YEARS:
        raise ValueError(f"{value} is no time of a site")
    return time.astimezone(UTC)


Moment = Annotated[
    datetime,
    BeforeValidator(moment),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


def day(value: object) -> date:
    """Returns the date that a text tells. Raises ValueError.

    >>> day("2026-11-30")
    datetime.date(2026, 11, 30)
    """
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            found = date.fromisoformat(value)
        except ValueError as error:
            raise ValueError(f"{value} is no date: {error}") from None
        if found.year in _YEARS:
            return found
    raise ValueError(f"{shown(repr(value), 60)} is no date of a site, such as 2026-11-30")


def day_or_moment(value: object) -> date:
    """Returns the date, or the time in UTC, that a text tells. Raises ValueError."""
    is_day = isinstance(value, str) and _DAY.fullmatch(value)
    return day(value) if is_day else moment(value)


Day = Annotated[date, BeforeValidator(day), WithJsonSchema({"type": "string", "format": "date"})]
DayOrMoment = Annotated[
    date,
    PlainValidator(day_or_moment),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "format": "date"},
                {"type": "string", "format": "date-time"},
            ]
        }
    ),
]
