"""Past values are read at the level that fits what is asked, and reduced to as many as are wanted.

A gap stays a gap: where nothing was measured there is no value, and not 0.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from sqlalchemy import Connection, func, select

from holdfast.monitoring.history.blocks import read_blocks
from holdfast.monitoring.history.levels import MINUTE_S, ValueLevel
from holdfast.monitoring.history.pages import decode_page
from holdfast.monitoring.history.reducing import reduced
from holdfast.monitoring.history.schema import BLOCK, MINUTE, SERIES
from holdfast.monitoring.history.value_codec import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesInfo:
    """Tells of one series, and from when to when it has values."""

    key: str
    unit: str
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PastSeries:
    """Holds one series, with a value each step; NaN is a gap."""

    unit: str
    mean: Floats
    lowest: Floats
    highest: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PastValues:
    """Holds series between two times; value i covers a step from ``start + i * step_s`` on."""

    start: datetime
    step_s: int
    series: dict[str, PastSeries]

    @property
    def count(self) -> int:
        """Returns the number of steps."""
        return max((len(found.mean) for found in self.series.values()), default=0)


def all_series(connection: Connection) -> list[SeriesInfo]:
    """Returns all series, in the order of their keys."""
    newest: dict[int, int] = {}
    for start_s, numbers, _ in _pages(connection, 0, 2**62):
        newest |= dict.fromkeys(numbers, start_s + MINUTE_S)
    return [
        SeriesInfo(
            key=row.key,
            unit=row.unit,
            first=datetime.fromtimestamp(row.first_s, UTC),
            last=datetime.fromtimestamp(max(row.last_s, newest.get(row.id, 0)), UTC),
        )
        for row in connection.execute(select(SERIES).order_by(SERIES.c.key))
    ]


def fitting_step_s(
    connection: Connection, keys: Sequence[str], start_s: int, end_s: int, points: int
) -> int:
    """Returns the step, in s, at which at most ``points`` values are read, or a few more.

    It is that of a level, or several of its steps. What is no longer kept as fine is read coarser.
    """
    wanted_s = max((end_s - start_s) / points, 1.0)
    fits = max(
        (level for level in ValueLevel if level.step_s <= wanted_s), key=lambda one: one.step_s
    )
    step_s = _kept_level(connection, keys, start_s, fits).step_s
    return step_s * max(-(-(end_s - start_s) // (step_s * points)), 1)


def finest_step_s(
    connection: Connection, keys: Sequence[str], start_s: int, end_s: int, most: int
) -> int:
    """Returns the finest step that is kept and has no more than ``most`` values, in s; or else that
    of the coarsest level."""
    few = (level for level in ValueLevel if (end_s - start_s) / level.step_s <= most)
    return _kept_level(connection, keys, start_s, next(few, ValueLevel.QUARTER)).step_s


def values_at(
    connection: Connection, keys: Sequence[str], start_s: int, end_s: int, step_s: int
) -> PastValues:
    """Returns the values of ``keys`` between two times, in s since 1970, at a whole number of steps
    of a level. What has no such key is left out."""
    level = next(level for level in reversed(ValueLevel) if step_s % level.step_s == 0)
    begins_s = start_s - start_s % step_s
    count = -(-(end_s - begins_s) // step_s) * step_s // level.step_s
    named = _named(connection, keys)
    numbers = [number for number, _ in named.values()]
    values = {number: np.full((level.rows, count), np.nan) for number in numbers}
    for number, at_s, rows in _parts(connection, level, numbers, begins_s, end_s):
        _lay(values[number], (at_s - begins_s) // level.step_s, rows)
    series = {}
    for key, (number, unit) in named.items():
        mean, lowest, highest = reduced(values[number], step_s // level.step_s)
        series[key] = PastSeries(unit=unit, mean=mean, lowest=lowest, highest=highest)
    return PastValues(start=datetime.fromtimestamp(begins_s, UTC), step_s=step_s, series=series)


def _named(connection: Connection, keys: Sequence[str]) -> dict[str, tuple[int, str]]:
    """Returns number and unit by key, in the order of ``keys``."""
    found = {
        row.key: (row.id, row.unit)
        for row in connection.execute(select(SERIES).where(SERIES.c.key.in_(keys)))
    }
    return {key: found[key] for key in keys if key in found}


def _kept_level(
    connection: Connection, keys: Sequence[str], start_s: int, finest: ValueLevel
) -> ValueLevel:
    """Returns ``finest``, or the next level that is still kept from ``start_s`` on."""
    numbers = [number for number, _ in _named(connection, keys).values()]
    first_s = connection.execute(
        select(func.min(SERIES.c.first_s)).where(SERIES.c.id.in_(numbers))
    ).scalar()
    begins_s = max(start_s, first_s or 0)
    kept = (
        level
        for level in ValueLevel
        if level.step_s >= finest.step_s and _begins_s(connection, level, numbers) <= begins_s
    )
    return next(kept, ValueLevel.QUARTER)


def _begins_s(connection: Connection, level: ValueLevel, numbers: Sequence[int]) -> int:
    """Returns from when on something is kept at this level."""
    oldest_s = connection.execute(
        select(func.min(BLOCK.c.start_s)).where(
            BLOCK.c.step_s == level.step_s, BLOCK.c.series.in_(numbers)
        )
    ).scalar()
    minute_s = connection.execute(select(func.min(MINUTE.c.start_s))).scalar()
    return min((found for found in (oldest_s, minute_s) if found is not None), default=0)


def _parts(
    connection: Connection, level: ValueLevel, numbers: Sequence[int], start_s: int, end_s: int
) -> Iterator[tuple[int, int, Floats]]:
    """Yields number, start and values of blocks, then of what is not in blocks yet."""
    for block in read_blocks(connection, level, numbers, start_s, end_s):
        yield block.series, block.start_s, block.values
    span_s = max(level.step_s, MINUTE_S)
    seconds: dict[tuple[int, int], Floats] = {}
    for at_s, found, values in _pages(connection, start_s - span_s, end_s):
        first_s = at_s - at_s % span_s
        for number, row in zip(found, values, strict=True):
            if number in numbers:
                part = seconds.setdefault((number, first_s), np.full((1, span_s), np.nan))
                part[0, at_s - first_s : at_s - first_s + MINUTE_S] = row
    for (number, first_s), part in seconds.items():
        yield number, first_s, part if level is ValueLevel.SECOND else reduced(part, level.step_s)


def _pages(
    connection: Connection, start_s: int, end_s: int
) -> Iterator[tuple[int, list[int], Floats]]:
    """Yields start, numbers and values of each minute; one that is damaged is a gap."""
    found = connection.execute(
        select(MINUTE.c.start_s, MINUTE.c.content)
        .where(MINUTE.c.start_s >= start_s, MINUTE.c.start_s < end_s)
        .order_by(MINUTE.c.start_s)
    )
    for at_s, content in found:
        try:
            page = decode_page(content)
        except ValueError:
            continue
        yield at_s, page.series.tolist(), page.values


def _lay(values: Floats, first: int, rows: Floats) -> None:
    """Lays ``rows`` over ``values`` from a column on, which may be before the first one."""
    begin, end = max(first, 0), min(first + rows.shape[1], values.shape[1])
    if begin < end:
        part = rows[:, begin - first : end - first]
        np.copyto(values[:, begin:end], part, where=~np.isnan(part))
