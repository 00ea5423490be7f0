"""How good a model was: forecasts made again from origins of the last weeks.

A model sees at each origin what it would have seen then. Its errors give the score, and
by lead time and time of day the quantiles of what comes.
"""

from dataclasses import dataclass

import numpy as np

from holdfast.forecasting.forecast import QUANTILES, Score
from holdfast.forecasting.history import QUARTERS_PER_DAY, Field
from holdfast.forecasting.models import Model, persistence
from holdfast.forecasting.packed import Floats, Whole
from holdfast.forecasting.past import Past

_STEP = 20
"""Five hours: origins come by every time of day."""
_LEADS = (0, 4, 12, 24)
"""Where a class of lead times begins, in quarters."""
_BLOCK = 12
"""Quarters of the UTC day that share their quantiles."""
_BLOCKS = QUARTERS_PER_DAY // _BLOCK
_LEAST_ERRORS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Errors:
    """Measured less forecast, by origin and lead; NaN where one of them is not known."""

    origins: Whole
    """Indices in the past."""
    first: int
    """Quarter of index 0."""
    error: Floats

    @property
    def mae(self) -> float:
        """Mean absolute error; NaN if nothing was measured."""
        good = self.error[np.isfinite(self.error)]
        return float(np.abs(good).mean()) if good.size else float("nan")


def origins_between(begin: int, end: int, count: int = QUARTERS_PER_DAY) -> Whole:
    """Origins whose ``count`` quarters ahead lie before ``end``."""
    return np.arange(begin, end - count + 1, _STEP)


def try_model(
    model: Model, past: Past, field: Field, origins: Whole, count: int = QUARTERS_PER_DAY
) -> Errors:
    """Forecast from each origin, and compare."""
    truth = past.values[field]
    error = np.full((len(origins), count), np.nan)
    for row, origin in enumerate(origins.tolist()):
        error[row] = truth[origin : origin + count] - model(past, origin, count)
    return Errors(origins=origins, first=past.first, error=error)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Quantiles of the error by lead class and block of the day: [lead, block, level]."""

    table: Floats

    def quantiles(self, mean: Floats, first: int, least: float) -> dict[float, Floats]:
        """By level, around ``mean``, whose first value is of quarter ``first``."""
        ahead = np.arange(len(mean))
        lead = np.searchsorted(_LEADS, ahead, side="right") - 1
        block = (first + ahead) % QUARTERS_PER_DAY // _BLOCK
        rows = np.maximum(mean[:, None] + self.table[lead, block], least)
        return {level: rows[:, column] for column, level in enumerate(QUANTILES)}


def spread_of(errors: Errors) -> Spread | None:
    """Quantiles of ``errors``; None as long as there are too few."""
    good = np.isfinite(errors.error)
    if int(good.sum()) < _LEAST_ERRORS:
        return None
    ahead = np.arange(errors.error.shape[1])
    lead = np.broadcast_to(np.searchsorted(_LEADS, ahead, side="right") - 1, good.shape)
    block = (errors.first + errors.origins[:, None] + ahead) % QUARTERS_PER_DAY // _BLOCK
    overall = np.quantile(errors.error[good], QUANTILES)
    table = np.tile(overall, (len(_LEADS), _BLOCKS, 1))
    for which in range(len(_LEADS)):
        for part in range(_BLOCKS):
            found = errors.error[good & (lead == which) & (block == part)]
            if found.size >= _LEAST_ERRORS:
                table[which, part] = np.quantile(found, QUANTILES)
    return Spread(table=table)


def score_of(errors: Errors, spread: Spread, past: Past, field: Field) -> Score:
    """The score of a model, with that of persistence from the same origins."""
    count = errors.error.shape[1]
    other = try_model(persistence(field), past, field, errors.origins, count)
    span = int(errors.origins[-1] - errors.origins[0]) + count
    return Score(
        mae=errors.mae,
        persistence_mae=other.mae,
        pinball=_pinball(errors, spread),
        days=span / QUARTERS_PER_DAY,
    )


def _pinball(errors: Errors, spread: Spread) -> float:
    ahead = np.arange(errors.error.shape[1])
    lead = np.searchsorted(_LEADS, ahead, side="right") - 1
    block = (errors.first + errors.origins[:, None] + ahead) % QUARTERS_PER_DAY // _BLOCK
    level = np.array(QUANTILES)
    miss = errors.error[:, :, None] - spread.table[lead[None], block]
    loss = np.maximum(level * miss, (level - 1.0) * miss)
    return float(np.nanmean(loss))
