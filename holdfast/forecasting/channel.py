"""A channel says what is forecast, by which models, and how one of them is chosen."""

import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from holdfast.core.quarter_hours import QUARTERS_PER_DAY
from holdfast.forecasting.array_file import Floats
from holdfast.forecasting.forecast import Basis, Score
from holdfast.forecasting.forest import Forest
from holdfast.forecasting.history import Field
from holdfast.forecasting.lookback import Lookback
from holdfast.forecasting.models import (
    Model,
    by_pattern,
    load_forest,
    load_pattern,
    price_forest,
    sun_by_field,
    sun_today,
    sun_week,
)
from holdfast.forecasting.pattern import LOAD_PATTERN, PRICE_PATTERN, WEEK, Pattern
from holdfast.forecasting.scoring import (
    Errors,
    Spread,
    origins_between,
    score_of,
    spread_of,
    try_model,
)

_log = logging.getLogger(__name__)

SCORED_DAYS = 28
_LEAST_DAYS_BEFORE = 7
_DRIFT_DAYS = 3
_DRIFT = 1.5
"""A model has aged if the error of the last days, in terms of the weeks before, is above this."""
RETRAIN_AFTER = timedelta(days=7)
RETRAIN_AT_MOST = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Holds a model with what is told of it."""

    name: str
    basis: Basis
    model: Model


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A channel is one quantity that is forecast."""

    name: str
    field: Field
    inputs: tuple[Field, ...]
    """The channel's models read these."""
    least: float
    """No forecast is lower than this."""
    baseline: Candidate
    """Every other candidate has to beat it."""
    rivals: tuple[Candidate, ...]
    forest: Callable[[Forest], Model] | None = None
    pattern: Pattern = WEEK
    """A forest builds on it."""


LOAD = Channel(
    name="load",
    field=Field.LOAD_W,
    inputs=(Field.LOAD_W, Field.TEMPERATURE_C),
    least=0.0,
    baseline=Candidate(name="week mean", basis=Basis.HISTORY, model=by_pattern(Field.LOAD_W, WEEK)),
    rivals=(Candidate(name="day pattern", basis=Basis.HISTORY, model=load_pattern),),
    forest=load_forest,
    pattern=LOAD_PATTERN,
)
PV = Channel(
    name="pv",
    field=Field.PV_W,
    inputs=(Field.PV_W, Field.PV_MODEL_W, Field.PV_CLEAR_W),
    least=0.0,
    baseline=Candidate(name="recent days", basis=Basis.HISTORY, model=sun_week),
    rivals=(
        Candidate(name="recent days and today", basis=Basis.HISTORY, model=sun_today),
        Candidate(
            name="weather, corrected", basis=Basis.WEATHER, model=sun_by_field(Field.PV_MODEL_W)
        ),
        Candidate(
            name="clear sky, corrected",
            basis=Basis.CLEAR_SKY,
            model=sun_by_field(Field.PV_CLEAR_W),
        ),
    ),
)
PRICE = Channel(
    name="price",
    field=Field.PRICE_PER_KWH,
    inputs=(Field.PRICE_PER_KWH,),
    least=-math.inf,
    baseline=Candidate(
        name="week mean", basis=Basis.HISTORY, model=by_pattern(Field.PRICE_PER_KWH, WEEK)
    ),
    rivals=(
        Candidate(
            name="day pattern",
            basis=Basis.HISTORY,
            model=by_pattern(Field.PRICE_PER_KWH, PRICE_PATTERN),
        ),
    ),
    forest=price_forest,
    pattern=PRICE_PATTERN,
)
CHANNELS = (LOAD, PV, PRICE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Tells which model is in use."""

    candidate: Candidate
    spread: Spread | None = None
    score: Score | None = None
    chosen_utc: datetime | None = None
    drifted: bool = False
    maes: Mapping[str, float] | None = None
    """It holds those of all that competed, by name."""


def choose(
    channel: Channel, past: Lookback, end: int, forests: list[tuple[str, Forest]], utc: datetime
) -> Choice:
    """Returns the candidate with the least error on the last weeks before index ``end``.

    It is the baseline, as long as there are too few days to tell.
    """
    measured = np.flatnonzero(np.isfinite(past.values[channel.field][:end]))
    first = int(measured[0]) if measured.size else end
    begin = max(end - SCORED_DAYS * QUARTERS_PER_DAY, first + _LEAST_DAYS_BEFORE * QUARTERS_PER_DAY)
    origins = origins_between(begin, end)
    none = Choice(candidate=channel.baseline, chosen_utc=utc)
    if len(origins) < SCORED_DAYS / 4:
        return none
    field = channel.field
    tried = {
        candidate.name: (candidate, try_model(candidate.model, past, field, origins))
        for candidate in _candidates(channel, past, forests)
    }
    base = tried[channel.baseline.name][1]
    best, errors = channel.baseline, base
    for candidate, found in tried.values():
        if _loss(found, base) < _loss(errors, base):
            best, errors = candidate, found
    spread = spread_of(errors)
    if spread is None:
        return none
    return Choice(
        candidate=best,
        spread=spread,
        score=score_of(errors, spread, past, field),
        chosen_utc=utc,
        drifted=has_drifted(errors),
        maes={name: errors.mae for name, (_, errors) in tried.items()},
    )


def _candidates(
    channel: Channel, past: Lookback, forests: list[tuple[str, Forest]]
) -> list[Candidate]:
    found = [channel.baseline]
    for candidate in channel.rivals:
        needs = {Basis.WEATHER: Field.PV_MODEL_W, Basis.CLEAR_SKY: Field.PV_CLEAR_W}
        field = needs.get(candidate.basis)
        if field is None or np.isfinite(past.values[field]).any():
            found.append(candidate)
    if channel.forest is not None:
        found += [
            Candidate(name=name, basis=Basis.HISTORY, model=channel.forest(forest))
            for name, forest in forests
        ]
    return found


def _loss(errors: Errors, base: Errors) -> float:
    """Returns the mean of MAE and RMSE, each in terms of the baseline's.

    MAE alone prefers a forecast that is right in most quarters and misses the rare large
    ones; a plan needs their energy too.
    """
    # Where a model is silent, the baseline speaks for it.
    error = np.where(np.isfinite(errors.error), errors.error, base.error)
    good = np.isfinite(error) & np.isfinite(base.error)
    error, other = error[good], base.error[good]
    if not error.any():
        return 0.0
    if not other.any():
        return math.inf
    shares = np.abs(error).mean() / np.abs(other).mean(), _rms(error) / _rms(other)
    return float(sum(shares)) / 2.0


def _rms(error: Floats) -> float:
    return math.sqrt(float((error**2).mean()))


def has_drifted(errors: Errors) -> bool:
    """Says whether the errors of the last days are far larger than those of the weeks before."""
    recent = errors.origins >= errors.origins[-1] - _DRIFT_DAYS * QUARTERS_PER_DAY
    late, early = errors.error[recent], errors.error[~recent]
    late, early = np.abs(late[np.isfinite(late)]), np.abs(early[np.isfinite(early)])
    if not (late.size and early.size):
        return False
    return float(late.mean()) > _DRIFT * float(early.mean())


def mae_of_forest(channel: Channel, past: Lookback, begin: int, end: int, forest: Forest) -> float:
    """Returns the MAE of a forest from origins between two indices; infinite if it says nothing."""
    assert channel.forest is not None, "only a channel with a forest is asked"
    return mae_between(channel, past, begin, end, channel.forest(forest))


def mae_between(channel: Channel, past: Lookback, begin: int, end: int, model: Model) -> float:
    """Returns the MAE of a model from origins between two indices; infinite if it says nothing."""
    origins = origins_between(begin, end)
    mae = try_model(model, past, channel.field, origins).mae if len(origins) else math.inf
    return math.inf if math.isnan(mae) else mae
