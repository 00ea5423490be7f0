"""Scoring tells how good a model was: forecasts are made again from origins of the last weeks.

A model sees at each origin what it would have seen then. Its errors give the score, and
by lead time and time of day the quantiles of what comes.
"""

from dataclasses import dataclass

import numpy as np

from holdfast.core.quarter_hours import QUARTERS_PER_DAY
from holdfast.forecasting.array_file import Floats, Whole
from holdfast.forecasting.forecast import QUANTILES, Score
from holdfast.forecasting.history import Field
from holdfast.forecasting.lookback import Lookback
from holdfast.forecasting.models import Model, persistence

_STEP = 20
"""A step is five hours: origins come by every time of day."""
_LEADS = (0, 4, 12, 24)
"""Each class of lead times begins here, in quarters."""
_BLOCK = 12
"""So many quarters of the UTC day share their quantiles."""
_BLOCKS = QUARTERS_PER_DAY // _BLOCK
_LEAST_ERRORS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Errors:
    """Errors are measured less forecast, by origin and lead; NaN where one of them is not known."""

    origins: Whole
    """They are indices in the past."""
    first: int
    """It is the quarter of index 0."""
    error: Floats

    @property
    def mae(self) -> float:
        """Returns the mean absolute error; NaN if nothing was measured."""
        good = self.error[np.isfinite(self.error)]
        return float(np.abs(good).mean()) if good.size else float("nan")


def origins_between(begin: int, end: int, count: int = QUARTERS_PER_DAY) -> Whole:
    """Returns the origins whose ``count`` quarters ahead lie before ``end``."""
    return np.arange(begin, end - count + 1, _STEP)


def try_model(
    model: Model, past: Lookback, field: Field, origins: Whole, count: int = QUARTERS_PER_DAY
) -> Errors:
    """Makes a forecast from each origin, and compares it."""
    truth = past.values[field]
    error = np.full((len(origins), count), np.nan)
    for row, origin in enumerate(origins.tolist()):
        error[row] = truth[origin : origin + count] - model(past, origin, count)
    return Errors(origins=origins, first=past.first, error=error)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Holds quantiles of the error by lead class and block of the day: [lead, block, level]."""

    table: Floats

    def quantiles(self, mean: Floats, first: int, least: float) -> dict[float, Floats]:
        """Returns quantiles by level around ``mean``; its first value is of quarter ``first``."""
        ahead = np.arange(len(mean))
        lead = np.searchsorted(_LEADS, ahead, side="right") - 1
        block = (first + ahead) % QUARTERS_PER_DAY // _BLOCK
        rows = np.maximum(mean[:, None] + self.table[lead, block], least)
        return {level: rows[:, column] for column, level in enumerate(QUANTILES)}


def spread_of(errors: Errors) -> Spread | None:
    """Returns the quantiles of ``errors``; None as long as there are too few."""
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


def score_of(errors: Errors, spread: Spread, past: Lookback, field: Field) -> Score:
    """Returns the score of a model, with that of persistence from the same origins."""
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
