"""Paths are as far off the forecast as it was, and nobody is off by what was not measured."""

import numpy as np
import pytest

from holdfast.core.config.planner import LEAST_DAYS
from holdfast.core.quarter_hours import QUARTERS_PER_DAY
from holdfast.forecasting.array_file import Floats
from holdfast.forecasting.channel import LOAD, PV, Candidate
from holdfast.forecasting.forecast import Basis
from holdfast.forecasting.history import Field, PowerHistory
from holdfast.forecasting.lookback import Lookback, look_back
from holdfast.forecasting.power_paths import EarlierForecasts, power_paths
from holdfast.forecasting.site_forecast import SiteForecaster
from tests.forecasting.test_site_forecast import NOON, NOW, household

ORIGIN = 36 * QUARTERS_PER_DAY
COUNT = 2 * QUARTERS_PER_DAY


class Flat:
    """Expects 500 W, and counts how often it was asked."""

    def __init__(self, name: str = "flat") -> None:
        self.asked = 0
        self.candidate = Candidate(name=name, basis=Basis.HISTORY, model=self._model)

    def _model(self, past: Lookback, origin: int, count: int) -> Floats:
        self.asked += 1
        return np.full(count, 500.0)


def past(load_w: Floats, later: int = 0) -> Lookback:
    """A past whose last values are ``load_w``; ``later`` quarters on nothing new is known."""
    history = PowerHistory()
    history.put(Field.LOAD_W, NOW - len(load_w), load_w)
    first = NOW + later - ORIGIN
    return look_back(history, "UTC", first=first, count=ORIGIN + COUNT, fields=(Field.LOAD_W,))


def by_day(*days_w: float) -> Floats:
    return np.repeat(np.array(days_w), QUARTERS_PER_DAY)


def test_each_day_is_off_by_as_much_as_it_was() -> None:
    looked = past(by_day(100, 200, 300, 400, 600))
    found = EarlierForecasts(LOAD).errors(Flat().candidate, looked, ORIGIN, COUNT, 5)
    assert found[:, 0].tolist() == [100, -100, -200, -300, -400]
    assert found[1, QUARTERS_PER_DAY] == 100, "the day after that one is known, too"
    assert found[0, QUARTERS_PER_DAY] == 100, "what is not known yet is as the day before"


def test_what_was_not_measured_is_no_error() -> None:
    looked = past(by_day(100, np.nan, 300))
    found = EarlierForecasts(LOAD).errors(Flat().candidate, looked, ORIGIN, COUNT, 4)
    assert np.isnan(found[1, :QUARTERS_PER_DAY]).all()
    assert np.isnan(found[3, :QUARTERS_PER_DAY]).all()
    nothing = EarlierForecasts(PV).errors(Flat().candidate, _without_pv(), ORIGIN, COUNT, 4)
    assert np.isnan(nothing).all()


def _without_pv() -> Lookback:
    return look_back(
        PowerHistory(), "UTC", first=NOW - ORIGIN, count=ORIGIN + COUNT, fields=(Field.PV_W,)
    )


def test_a_forecast_of_an_earlier_day_is_made_once_and_again_by_another_model() -> None:
    earlier, flat, other = EarlierForecasts(LOAD), Flat(), Flat("other")
    week = by_day(*[100.0] * 8)
    for _ in range(3):
        earlier.errors(flat.candidate, past(week), ORIGIN, COUNT, 7)
    assert flat.asked == 7
    earlier.errors(flat.candidate, past(week, later=QUARTERS_PER_DAY), ORIGIN, COUNT, 7)
    assert flat.asked == 8, "a day on, one more"
    earlier.errors(other.candidate, past(week), ORIGIN, COUNT, 7)
    assert other.asked == 7


def test_paths_have_the_mean_that_is_expected_and_no_power_below_zero() -> None:
    errors = np.repeat(np.array([[-200.0], [-100.0], [0.0], [100.0], [300.0]]), 8, axis=1)
    paths = power_paths(np.full(8, 500.0), np.full(8, 50.0), errors, errors)
    assert paths is not None
    assert paths.weight @ paths.load_w == pytest.approx(np.full(8, 500.0))
    assert (np.diff(paths.load_w[:, 0]) > np.diff(errors[:, 0])).all(), "a little farther off"
    assert (np.diff(paths.weight) < 0.0).all(), "yesterday counts most"
    assert paths.pv_w.min() == 0.0


def test_too_few_days_are_no_paths_and_pv_that_was_never_seen_comes_as_expected() -> None:
    few = np.zeros((LEAST_DAYS - 1, 8))
    assert power_paths(np.ones(8), np.ones(8), few, few) is None
    days = np.ones((LEAST_DAYS, 8))
    days[0, 3] = np.nan
    assert power_paths(np.ones(8), np.ones(8), days, np.zeros_like(days)) is None
    never = np.full((LEAST_DAYS, 8), np.nan)
    paths = power_paths(np.ones(8), np.full(8, 70.0), np.zeros((LEAST_DAYS, 8)), never)
    assert paths is not None
    assert (paths.pv_w == 70.0).all()


@pytest.mark.parametrize(("days", "known"), [(2, 0), (40, 28)])
def test_a_site_knows_how_it_may_come_once_it_has_seen_some_days(days: int, known: int) -> None:
    forecaster = SiteForecaster(household(days))
    forecaster.learn(NOON)
    found = forecaster.forecast(NOON, 48.0, path_days=28)
    assert (0 if found.paths is None else len(found.paths.load_w)) == known
    if found.paths is not None:
        assert found.paths.load_w.shape == (known, len(found.load.mean_w))
    assert forecaster.forecast(NOON, 48.0).paths is None, "nobody asked"
