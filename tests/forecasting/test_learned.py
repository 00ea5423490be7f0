"""A new site begins with what is measured now, and says what it has learned."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest

from holdfast.core.quarter_hours import QUARTER, quarter_of
from holdfast.forecasting.forecast import Basis, PowerForecast
from holdfast.forecasting.history import Field, PowerHistory
from holdfast.forecasting.learned import hours_measured
from holdfast.forecasting.site_forecast import SiteForecast, SiteForecaster

NOON = datetime(2026, 5, 8, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=7)


def forecast(history: PowerHistory) -> SiteForecast:
    return SiteForecaster(history).forecast(LATER, 24)


def measured(quarters: int, load_w: float = 600.0) -> PowerHistory:
    """All of the last ``quarters``, up to noon."""
    history = PowerHistory()
    history.put(Field.LOAD_W, quarter_of(NOON) - quarters, np.full(quarters, load_w))
    history.put(Field.PV_W, quarter_of(NOON) - quarters, np.zeros(quarters))
    return history


def test_in_the_first_minutes_the_load_measured_now_is_taken_for_all_hours() -> None:
    history = PowerHistory()
    history.add(LATER, 590.0, 0.0)
    found = forecast(history)
    assert set(found.load.mean_w) == {590.0}
    assert found.load.basis is Basis.FALLBACK
    assert found.learned.note.startswith(
        "nothing learned yet: the load measured now, 590 W, is taken for all hours; "
    )
    assert "later sun is not known, and none is counted on" in found.learned.note


def test_the_sun_of_now_fades_where_later_sun_is_not_known() -> None:
    history = PowerHistory()
    history.add(LATER, 590.0, 3000.0)
    found = forecast(history)
    assert found.pv.mean_w[0] == pytest.approx(3000.0)
    assert all(later < sooner for sooner, later in pairwise(found.pv.mean_w))
    assert found.pv.mean_w[-1] < 30.0
    assert "the 3000 W of now are taken to fade" in found.learned.note


def test_the_sun_of_the_last_quarter_hour_counts_in_the_first_second_of_the_next() -> None:
    history = PowerHistory()
    history.add(NOON - QUARTER, 500.0, 2000.0)
    assert forecast(history).pv.mean_w[0] == 2000.0


def test_what_was_measured_outweighs_the_moment() -> None:
    history = measured(8, load_w=600.0)
    history.add(LATER, 6000.0, 0.0)
    found = forecast(history)
    assert found.load.mean_w[0] == pytest.approx((8 * 600 + 6000) / 9)
    assert "the load of 2 of the day's 24 hours; their mean, 1200 W, is" in found.learned.note


def test_without_any_measurement_it_says_that_this_is_no_forecast() -> None:
    found = forecast(PowerHistory())
    assert set(found.load.mean_w) == set(found.pv.mean_w) == {0.0}
    assert found.learned.load_w is None
    assert "no load is measured: 0 W is no forecast" in found.learned.note


@pytest.mark.parametrize(("quarters", "known"), [(0, False), (92, False), (93, True), (96, True)])
def test_a_day_is_known_when_each_of_its_hours_was_measured(quarters: int, known: bool) -> None:
    learned = forecast(measured(quarters)).learned
    assert learned.a_day is known
    assert (learned.note == "") is known


def test_a_day_learned_in_pieces_is_a_day_and_the_same_hours_again_are_none() -> None:
    pieces, again = PowerHistory(), PowerHistory()
    for hour in range(24):
        pieces.put(Field.LOAD_W, quarter_of(NOON) - 96 * (1 + hour % 5) + 4 * hour, np.array([5.0]))
        again.put(Field.LOAD_W, quarter_of(NOON) - 96 * hour, np.full(8, 5.0))
    assert forecast(pieces).learned.a_day
    assert forecast(again).learned.load_hours == 2


def test_what_was_measured_months_ago_is_no_knowledge_of_today() -> None:
    history = PowerHistory()
    history.put(Field.LOAD_W, quarter_of(NOON) - 60 * 96, np.full(96, 500.0))
    assert forecast(history).learned.load_hours == 0


def test_a_forecast_that_was_given_rests_on_all_of_a_day() -> None:
    given = PowerForecast(start_utc=NOON, mean_w=(0.0,), basis=Basis.HISTORY)
    assert SiteForecast(load=given, pv=given).learned.a_day


def test_hours_are_counted_by_the_clock_wherever_the_values_begin() -> None:
    values = np.array([np.nan, 1.0, 1.0, np.nan, np.nan, np.nan])
    assert hours_measured(96 * 7 + 2, values) == 2  # 00:45 and 01:00
    assert hours_measured(96 * 7 + 3, values) == 1
    assert hours_measured(0, np.full(6, np.nan)) == 0
