"""These models compete for each forecast.

A model takes the past, the index of its origin and a number of quarters, and gives as many
values; NaN where it has nothing to say. It reads measurements before the origin only.
"""

from collections.abc import Callable

import numpy as np

from holdfast.core.quarter_hours import QUARTERS_PER_DAY
from holdfast.forecasting.array_file import Floats, Whole
from holdfast.forecasting.features import features
from holdfast.forecasting.forest import Forest
from holdfast.forecasting.history import Field
from holdfast.forecasting.lookback import Lookback
from holdfast.forecasting.pattern import (
    LOAD_PATTERN,
    PRICE_PATTERN,
    SUN,
    Pattern,
    repeat,
    weighted_mean,
)

Model = Callable[[Lookback, int, int], Floats]

_HOUR = 4
_LOAD_LOOK = 1 * _HOUR
_LOAD_SHARE = 0.45
_LOAD_FADES = 2.0 * _HOUR
_SUN_LOOK = 2 * _HOUR
_SUN_SHARE = 0.9
_SUN_FADES = 5.0 * _HOUR
_SUN_FLOOR = 0.1
"""It is a share of the plant's best: below, a ratio of measured to expected says little."""
_SUN_RATIO = (0.0, 3.0)
_STACK_DAYS = 28
_STACK_PRIOR_DAYS = 2.0
_GAIN = (0.0, 3.0)
CLEAR_SKY_INDEX = 0.6
"""It holds for a sky that nobody has seen yet.

It is what a mean central European year gives (assumption).
"""


def persistence(field: Field) -> Model:
    """Returns the model that forecasts as the day before, at the same UTC time."""

    def model(past: Lookback, origin: int, count: int) -> Floats:
        ahead = np.arange(count)
        earlier = origin + ahead - QUARTERS_PER_DAY * (ahead // QUARTERS_PER_DAY + 1)
        values = past.values[field]
        return np.where(earlier >= 0, values[np.maximum(earlier, 0)], np.nan)

    return model


def by_pattern(field: Field, pattern: Pattern) -> Model:
    """Returns the model that forecasts from the same local time on earlier days."""

    def model(past: Lookback, origin: int, count: int) -> Floats:
        return repeat(past, past.values[field], origin + np.arange(count), origin, pattern)

    return model


def sun_week(past: Lookback, origin: int, count: int) -> Floats:
    """Forecasts PV as the last seven days, each counting more than the one before: the baseline."""
    return _sun_before(past, origin + np.arange(count), origin)


def load_pattern(past: Lookback, origin: int, count: int) -> Floats:
    """Forecasts by kind of day, recency, and what the last hour differs from that, fading away."""
    return _with_present(past, origin, count, None)


def load_forest(forest: Forest) -> Model:
    """Returns the model of the mean of the pattern and a forest, and the present deviation."""

    def model(past: Lookback, origin: int, count: int) -> Floats:
        return _with_present(past, origin, count, forest)

    return model


def _with_present(past: Lookback, origin: int, count: int, forest: Forest | None) -> Floats:
    values = past.values[Field.LOAD_W]
    look = min(_LOAD_LOOK, origin)
    index = np.arange(origin - look, origin + count)
    expected = repeat(past, values, index, origin, LOAD_PATTERN)
    missed = values[origin - look : origin] - expected[:look]
    ahead = expected[look:]
    if forest is not None:
        rows = features(past, Field.LOAD_W, index[look:], origin, LOAD_PATTERN)
        ahead = (ahead + forest.predict(rows)) / 2.0
    if np.isfinite(missed).any():
        fade = np.exp(-np.arange(count) / _LOAD_FADES)
        ahead = ahead + _LOAD_SHARE * float(np.nanmean(missed)) * fade
    return np.where(ahead > 0.0, ahead, np.where(np.isnan(ahead), np.nan, 0.0))


def price_forest(forest: Forest) -> Model:
    """Returns the model of the mean of the pattern and a forest.

    It is better than either on every market measured.
    """

    def model(past: Lookback, origin: int, count: int) -> Floats:
        index = origin + np.arange(count)
        rows = features(past, Field.PRICE_PER_KWH, index, origin, PRICE_PATTERN)
        by_day = repeat(past, past.values[Field.PRICE_PER_KWH], index, origin, PRICE_PATTERN)
        return (by_day + forest.predict(rows)) / 2.0

    return model


def sun_today(past: Lookback, origin: int, count: int) -> Floats:
    """Forecasts as the last days' sun, scaled by what today's differs from it, fading away."""
    return sun_by_field(None)(past, origin, count)


def sun_by_field(field: Field | None) -> Model:
    """Returns the model that mixes the last days' sun with a calculated one, scaled by today's.

    How much of each, the last four weeks tell: the two factors of least squares, drawn
    to the calculation alone as long as there are few days.
    """

    def model(past: Lookback, origin: int, count: int) -> Floats:
        values = past.values[Field.PV_W]
        begin = max(origin - _STACK_DAYS * QUARTERS_PER_DAY, 0)
        index = np.arange(begin, origin + count)
        # A slot is expected from the days before its own day's origin, as ahead of it.
        recent = _sun_before(past, index, origin)
        expected = recent
        if field is not None:
            expected = _stack(field, recent, past.values[field][index], values[begin:origin])
        looked = min(_SUN_LOOK, origin - begin)
        at = origin - begin
        ratio = _ratio(
            values[origin - looked : origin], expected[at - looked : at], values[begin:origin]
        )
        fade = _SUN_SHARE * np.exp(-np.arange(count) / _SUN_FADES)
        return expected[at:] * (1.0 + (ratio - 1.0) * fade)

    return model


def _sun_before(past: Lookback, index: Whole, origin: int) -> Floats:
    """Works as :data:`SUN`, by UTC: the sun knows no clock change."""
    values = past.values[Field.PV_W]
    days = np.arange(1, SUN.days + 1)
    earlier = index - days[:, None] * QUARTERS_PER_DAY
    usable = (earlier >= 0) & (earlier < origin)
    rows = np.where(usable, values[np.clip(earlier, 0, len(past) - 1)], np.nan)
    weight = np.exp(-(days - 1) / SUN.fading_days)[:, None]
    return weighted_mean(rows, weight)


def _stack(field: Field, recent: Floats, calculated: Floats, measured: Floats) -> Floats:
    """Mixes ``calculated`` and ``recent`` as fitted to what was ``measured``."""
    prior = CLEAR_SKY_INDEX if field is Field.PV_CLEAR_W else 1.0
    before = len(measured)
    model, base = calculated[:before], np.nan_to_num(recent[:before])
    there = np.isfinite(model) & np.isfinite(measured)
    model, base, target = model[there], base[there], measured[there]
    scale = float(np.nanmax(calculated, initial=0.0)) ** 2 + 1.0
    weight = _STACK_PRIOR_DAYS * QUARTERS_PER_DAY * 0.1 * scale
    left = np.array(
        [[model @ model + weight, model @ base], [model @ base, base @ base + weight * 0.1]]
    )
    gain = np.linalg.solve(left, [model @ target + weight * prior, base @ target])
    gain = np.clip(gain, *_GAIN)
    only = recent if len(target) else np.zeros_like(recent)
    mixed = gain[0] * calculated + gain[1] * np.nan_to_num(recent)
    return np.where(np.isfinite(calculated), mixed, only)


def _ratio(measured: Floats, expected: Floats, all_measured: Floats) -> float:
    there = np.isfinite(measured) & np.isfinite(expected)
    if not there.any():
        return 1.0
    best = float(np.nanmax(all_measured, initial=0.0))
    floor = _SUN_FLOOR * best * _HOUR + 1.0
    ratio = (float(measured[there].sum()) + floor) / (float(expected[there].sum()) + floor)
    return min(max(ratio, _SUN_RATIO[0]), _SUN_RATIO[1])
