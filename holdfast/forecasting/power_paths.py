"""Paths are ways in which load and PV may come: the forecast, off as it was on earlier days.

A day ago, two days ago and so on a forecast was made at the same time of day. How far it was off,
quarter by quarter, is one way of being off: neighbouring hours are off together, load and PV on the
same day, and the next hour less than the next day.
"""

from dataclasses import dataclass

import numpy as np

from holdfast.core.config.planner import LEAST_DAYS, MOST_DAYS
from holdfast.core.quarter_hours import QUARTERS_PER_DAY
from holdfast.forecasting.array_file import Floats
from holdfast.forecasting.channel import Candidate, Channel
from holdfast.forecasting.lookback import Lookback

_FADING_DAYS = 10.0
"""A day this much older counts 1/e."""
_WIDER = 1.2
"""So much farther off than they were: the days ahead are new, and the models were chosen on the
days before."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PowerPaths:
    """Holds loads and PV powers, in W, by path and quarter hour. Shapes are equal."""

    load_w: Floats
    pv_w: Floats
    weight: Floats
    """It is how much each path counts, > 0, of shape (paths,)."""


class EarlierForecasts:
    """Makes the forecasts of earlier days again, and keeps them as long as they are needed."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._model = ""
        self._made: dict[int, Floats] = {}

    def errors(
        self, candidate: Candidate, past: Lookback, origin: int, count: int, days: int
    ) -> Floats:
        """Returns measured less forecast, in W, of shape (days, count): yesterday's comes first.

        What of it lies after ``origin`` is taken from a day before. It is NaN where nothing is
        known.
        """
        truth = past.values[self._channel.field].copy()
        truth[origin:] = np.nan
        if not np.isfinite(truth).any():
            return np.full((days, count), np.nan)
        self._forget(candidate, past.first + origin)
        found = np.full((days, count), np.nan)
        for day in range(days):
            start = origin - (day + 1) * QUARTERS_PER_DAY
            there = min(len(truth) - start, count)
            mean = self._forecast(candidate, past, start, count)
            found[day, :there] = truth[start : start + there] - mean[:there]
        for lead in range(QUARTERS_PER_DAY, count, QUARTERS_PER_DAY):
            known = found[:, lead - QUARTERS_PER_DAY : lead]
            ahead = found[:, lead : lead + QUARTERS_PER_DAY]
            missing = np.isnan(ahead)
            ahead[missing] = known[:, : ahead.shape[1]][missing]
        return found

    def _forget(self, candidate: Candidate, quarter: int) -> None:
        if self._model != candidate.name:
            self._model, self._made = candidate.name, {}
        oldest = quarter - (MOST_DAYS + 1) * QUARTERS_PER_DAY
        self._made = {made: mean for made, mean in self._made.items() if made >= oldest}

    def _forecast(self, candidate: Candidate, past: Lookback, start: int, count: int) -> Floats:
        kept = self._made.get(past.first + start)
        if kept is None or len(kept) < count:
            kept = candidate.model(past, start, count)
            self._made[past.first + start] = kept
        return kept[:count]


def power_paths(
    load_w: Floats, pv_w: Floats, load_errors_w: Floats, pv_errors_w: Floats
) -> PowerPaths | None:
    """Returns the paths around what is expected; None if fewer than ``LEAST_DAYS`` are known.

    Where PV was never measured it comes as expected.
    """
    if np.isnan(pv_errors_w).all():
        pv_errors_w = np.zeros_like(pv_errors_w)
    whole = np.isfinite(load_errors_w).all(axis=1) & np.isfinite(pv_errors_w).all(axis=1)
    if int(whole.sum()) < LEAST_DAYS:
        return None
    weight = np.exp(-np.flatnonzero(whole) / _FADING_DAYS)
    weight /= weight.sum()
    return PowerPaths(
        load_w=_around(load_w, load_errors_w[whole], weight),
        pv_w=_around(pv_w, pv_errors_w[whole], weight),
        weight=weight,
    )


def _around(mean_w: Floats, errors_w: Floats, weight: Floats) -> Floats:
    """Returns ``mean_w`` with each of the errors, which have no mean of their own."""
    off_w = errors_w - weight @ errors_w
    return np.asarray(np.maximum(mean_w + _WIDER * off_w, 0.0))
