"""A pattern takes the same local time on earlier days.

Recent days count more, and so do days of the kind.
"""

from dataclasses import dataclass

import numpy as np

from holdfast.core.quarter_hours import QUARTERS_PER_DAY
from holdfast.forecasting.array_file import Floats, Whole
from holdfast.forecasting.lookback import Lookback


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A pattern is a weighted mean over earlier days."""

    days: int
    fading_days: float
    """A day this much older counts 1/e."""
    other_kind: float
    """So much does a weekend day or holiday count for a working day, and the other way round."""


LOAD_PATTERN = Pattern(days=28, fading_days=5.0, other_kind=0.25)
PRICE_PATTERN = Pattern(days=28, fading_days=3.0, other_kind=0.3)
WEEK = Pattern(days=7, fading_days=1e9, other_kind=1.0)
"""The baseline is the plain mean of the last seven days."""
SUN = Pattern(days=7, fading_days=2.8037, other_kind=1.0)
"""Each day counts 0.7 times as much as the day after it."""


def lagged(past: Lookback, values: Floats, index: Whole, known: Whole | int, days: Whole) -> Floats:
    """Returns ``values`` at the local time of ``index``, ``days`` earlier; one row a day.

    It is NaN where nothing is known or the time is not before ``known``. A local time that a clock
    change skips or repeats takes the quarter as many away.
    """
    straight = index - days[:, None] * QUARTERS_PER_DAY
    inside = np.clip(straight, 0, len(past) - 1)
    shifted = straight + past.offset[index] - past.offset[inside]
    usable = (shifted >= 0) & (shifted < known)
    return np.where(usable, values[np.clip(shifted, 0, len(past) - 1)], np.nan)


def repeat(
    past: Lookback, values: Floats, index: Whole, known: Whole | int, pattern: Pattern
) -> Floats:
    """Returns what ``pattern`` expects at ``index`` from what lies before ``known``, else NaN."""
    days = np.arange(1, pattern.days + 1)
    earlier = lagged(past, values, index, known, days)
    weight = np.exp(-(days - 1) / pattern.fading_days)[:, None]
    if pattern.other_kind < 1.0:
        then = np.clip(index - days[:, None] * QUARTERS_PER_DAY, 0, len(past) - 1)
        alike = past.day_off[then] == past.day_off[index]
        weight = weight * np.where(alike, 1.0, pattern.other_kind)
    return weighted_mean(earlier, weight)


def weighted_mean(rows: Floats, weight: Floats) -> Floats:
    """Returns the mean of each column, leaving out NaN; NaN where nothing is left."""
    there = np.isfinite(rows)
    weights = np.where(there, weight, 0.0)
    total = weights.sum(axis=0)
    summed = (np.where(there, rows, 0.0) * weights).sum(axis=0)
    mean: Floats = np.divide(summed, total, out=np.full(total.shape, np.nan), where=total > 0.0)
    return mean
