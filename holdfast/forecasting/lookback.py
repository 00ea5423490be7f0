"""A lookback is a stretch of history with its future, laid out for arithmetic."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from holdfast.core.quarter_hours import QUARTER_S, QUARTERS_PER_DAY
from holdfast.forecasting.array_file import Floats, Whole
from holdfast.forecasting.history import Field, PowerHistory

_DAY_S = QUARTERS_PER_DAY * QUARTER_S
_MONDAY = 3
"""1970-01-01 was a Thursday."""
_SATURDAY = 5
_FIRST_DAY = date(1970, 1, 1).toordinal()

IsHoliday = Callable[[date], bool]


def no_holiday(_: date) -> bool:
    """Says that no day is a holiday: nobody has told which are."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookback:
    """Values are held by field from quarter ``first`` on, each as long as ``offset``.

    What was measured after an origin is there too, where it is known: a model that
    forecasts from an origin reads it only before the origin.
    """

    first: int
    values: Mapping[Field, Floats]
    offset: Whole
    """It is local time less UTC, in quarters."""
    day_off: Whole
    """It is 1 on local Saturdays, Sundays and holidays, else 0."""
    local: Whole
    """It is the quarter of the local day."""

    def __len__(self) -> int:
        """Returns the number of quarters."""
        return len(self.offset)


def look_back(
    history: PowerHistory,
    zone: str,
    *,
    first: int,
    count: int,
    fields: tuple[Field, ...],
    is_holiday: IsHoliday = no_holiday,
) -> Lookback:
    """Returns ``count`` quarters of ``history`` from ``first`` on."""
    offset = _offsets(zone, first, count)
    local = np.arange(first, first + count) + offset
    days = local // QUARTERS_PER_DAY
    begin, end = int(days.min()), int(days.max()) + 1
    off = np.array([_is_off(day, is_holiday) for day in range(begin, end)], np.int64)
    return Lookback(
        first=first,
        values={field: history.window(field, first, count) for field in fields},
        offset=offset,
        day_off=off[days - begin],
        local=local % QUARTERS_PER_DAY,
    )


def _is_off(day: int, is_holiday: IsHoliday) -> bool:
    """Says whether a local day, counted from 1970-01-01 on, is one off."""
    return (day + _MONDAY) % 7 >= _SATURDAY or is_holiday(date.fromordinal(_FIRST_DAY + day))


def _offsets(zone: str, first: int, count: int) -> Whole:
    day, last = first // QUARTERS_PER_DAY, (first + count - 1) // QUARTERS_PER_DAY
    whole = np.concatenate([_offsets_of_day(zone, each) for each in range(day, last + 1)])
    begin = first - day * QUARTERS_PER_DAY
    return whole[begin : begin + count]


@lru_cache(maxsize=2048)
def _offsets_of_day(zone: str, day: int) -> Whole:
    info = ZoneInfo(zone)
    start_s = day * _DAY_S
    ends = {_offset(info, start_s), _offset(info, start_s + _DAY_S - QUARTER_S)}
    if len(ends) == 1:
        return np.full(QUARTERS_PER_DAY, ends.pop(), np.int64)
    quarters = range(start_s, start_s + _DAY_S, QUARTER_S)
    return np.array([_offset(info, start) for start in quarters], np.int64)


def _offset(info: ZoneInfo, utc_s: int) -> int:
    offset = datetime.fromtimestamp(utc_s, tz=UTC).astimezone(info).utcoffset()
    assert offset is not None, "a zone has an offset"
    return round(offset.total_seconds() / QUARTER_S)
