"""A forest sees of a slot its calendar, lags of a day and a week, means, and the level."""

import numpy as np

from holdfast.core.quarter_hours import QUARTERS_PER_DAY
from holdfast.forecasting.array_file import Floats, Whole
from holdfast.forecasting.history import Field
from holdfast.forecasting.lookback import Lookback
from holdfast.forecasting.pattern import WEEK, Pattern, lagged, repeat

NAMES = (
    "pattern", "week_mean", "lag_24h", "lag_168h", "level_1h", "level_24h", "level_168h",
    "lead", "day_sin", "day_cos", "week_sin", "week_cos", "day_off", "temperature",
)  # fmt: skip
_HOUR = 4
_WEEK = 7 * QUARTERS_PER_DAY
_NO_TEMPERATURE_C = -99.0


def features(
    past: Lookback, field: Field, index: Whole, known: Whole | int, pattern: Pattern
) -> Floats:
    """Returns one row for each of ``index``, from what lies before ``known``; columns as ``NAMES``.

    A lag that is not known yet is the next older one that is; what is not known at all is
    the pattern.
    """
    values = past.values[field]
    known = np.broadcast_to(np.asarray(known), index.shape)
    lags = lagged(past, values, index, known, np.array([1, 2, 3, 7, 14]))
    by_pattern = repeat(past, values, index, known, pattern)
    day = 2.0 * np.pi * past.local[index] / QUARTERS_PER_DAY
    local = past.first + index + past.offset[index]
    week = 2.0 * np.pi * (local % _WEEK) / _WEEK
    temperature = past.values.get(Field.TEMPERATURE_C)
    means = _running(values)
    columns = [
        by_pattern,
        repeat(past, values, index, known, WEEK),
        _first_known(lags[:3]),
        _first_known(lags[3:]),
        *(_level(means, known, count) for count in (_HOUR, QUARTERS_PER_DAY, _WEEK)),
        (index - known).astype(float),
        np.sin(day), np.cos(day), np.sin(week), np.cos(week),
        past.day_off[index].astype(float),
        np.full(index.shape, np.nan) if temperature is None else temperature[index],
    ]  # fmt: skip
    rows = np.column_stack(columns)
    rows[:, -1] = np.where(np.isfinite(rows[:, -1]), rows[:, -1], _NO_TEMPERATURE_C)
    whole: Floats = np.where(np.isfinite(rows), rows, rows[:, :1])
    return whole


def _first_known(rows: Floats) -> Floats:
    result: Floats = rows[-1]
    for row in rows[-2::-1]:
        result = np.where(np.isfinite(row), row, result)
    return result


def _running(values: Floats) -> tuple[Floats, Floats]:
    there = np.isfinite(values)
    zero = np.zeros(1)
    return (
        np.concatenate([zero, np.cumsum(np.where(there, values, 0.0))]),
        np.concatenate([zero, np.cumsum(there)]),
    )


def _level(running: tuple[Floats, Floats], known: Whole, count: int) -> Floats:
    total, number = running
    begin = np.maximum(known - count, 0)
    there = number[known] - number[begin]
    summed = total[known] - total[begin]
    mean: Floats = np.divide(summed, there, out=np.full(known.shape, np.nan), where=there > 0)
    return mean
