"""A forecast repeats what was measured at the same time on earlier days, and says if it cannot."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.forecasting.forecast import Basis
from holdfast.forecasting.history import QUARTER, PowerHistory, quarter_of, start_of
from holdfast.forecasting.load_forecast import forecast_load
from holdfast.forecasting.site_forecast import forecast_site
from holdfast.forecasting.solar_forecast import forecast_solar

NOON = datetime(2026, 5, 8, 12, tzinfo=UTC)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


def history_of(*samples: tuple[datetime, float, float]) -> PowerHistory:
    history = PowerHistory()
    for utc, load_w, pv_w in samples:
        history.add(utc, load_w, pv_w)
    return history


def test_samples_of_a_quarter_become_their_mean() -> None:
    history = history_of((NOON, 100, 0), (NOON + 7 * MINUTE, 300, 10), (NOON + QUARTER, 900, 50))
    assert history.load_w(quarter_of(NOON)) == 200
    assert history.pv_w(quarter_of(NOON)) == 5
    assert history.load_w(quarter_of(NOON + QUARTER)) == 900
    assert history.load_w(quarter_of(NOON - QUARTER)) is None
    assert len(history) == 2


def test_load_is_the_mean_of_the_same_time_on_the_last_seven_days() -> None:
    history = history_of(*[(NOON - day * DAY, 100.0 * day, 0) for day in range(1, 9)])
    forecast = forecast_load(history, start_utc=NOON, count=1)
    assert forecast.mean_w == (400.0,)  # days 1 to 7; the eighth is too old
    assert forecast.basis is Basis.HISTORY


def test_for_pv_yesterday_counts_more_than_last_week() -> None:
    sunny_last = history_of((NOON - DAY, 0, 3000), (NOON - 6 * DAY, 0, 1000))
    sunny_first = history_of((NOON - DAY, 0, 1000), (NOON - 6 * DAY, 0, 3000))
    after_sun = forecast_solar(sunny_last, start_utc=NOON, count=1).mean_w[0]
    after_rain = forecast_solar(sunny_first, start_utc=NOON, count=1).mean_w[0]
    assert 2000 < after_sun < 3000
    assert 1000 < after_rain < 2000


def test_gaps_are_bridged_by_the_days_that_were_measured() -> None:
    history = history_of((NOON - 2 * DAY, 500, 0), (NOON - 5 * DAY, 700, 0))
    assert forecast_load(history, start_utc=NOON, count=1).mean_w == (600.0,)


def test_the_second_day_repeats_the_first() -> None:
    history = history_of(
        *[(NOON - DAY + quarter * QUARTER, float(quarter), 0) for quarter in range(96)]
    )
    forecast = forecast_load(history, start_utc=NOON, count=192)
    assert forecast.mean_w[:96] == tuple(float(quarter) for quarter in range(96))
    assert forecast.mean_w[96:] == forecast.mean_w[:96]


def test_times_never_measured_follow_the_fallback_and_the_basis_says_so() -> None:
    history = history_of((NOON - DAY, 300, 2000), (NOON - DAY + QUARTER, 500, 1000))
    load = forecast_load(history, start_utc=NOON, count=3)
    assert load.mean_w == (300, 500, 400)  # the mean of everything measured
    pv = forecast_solar(history, start_utc=NOON, count=3)
    assert pv.mean_w == (2000, 1000, 0)  # no sun that was never seen
    assert load.basis is pv.basis is Basis.PARTIAL


def test_without_history_nothing_is_expected() -> None:
    site = forecast_site(PowerHistory(), now_utc=NOON, horizon_h=2)
    assert set(site.load.mean_w) == set(site.pv.mean_w) == {0.0}
    assert site.load.basis is site.pv.basis is Basis.FALLBACK


def test_a_site_forecast_covers_the_horizon_from_the_present_quarter() -> None:
    site = forecast_site(PowerHistory(), now_utc=NOON + 14 * MINUTE, horizon_h=48)
    for forecast in (site.load, site.pv):
        assert forecast.start_utc == NOON
        assert forecast.end_utc >= NOON + 14 * MINUTE + timedelta(hours=48)


def test_a_measurement_that_is_missing_is_not_a_zero() -> None:
    history = PowerHistory()
    history.add(NOON - DAY, None, 100.0)
    history.add(NOON - DAY, 50.0, None)
    assert history.load_w(quarter_of(NOON - DAY)) == 50.0
    assert history.pv_w(quarter_of(NOON - DAY)) == 100.0


def test_a_forecast_is_never_negative() -> None:
    history = history_of((NOON - DAY, -20, -5))
    assert forecast_load(history, start_utc=NOON, count=1).mean_w == (0.0,)
    assert forecast_solar(history, start_utc=NOON, count=1).mean_w == (0.0,)


def test_lookup_is_by_instant_and_ends_with_the_forecast() -> None:
    history = history_of((NOON - DAY, 1, 0), (NOON - DAY + QUARTER, 2, 0))
    forecast = forecast_load(history, start_utc=NOON, count=2)
    assert forecast.at(NOON + 29 * MINUTE) == 2
    assert forecast.at(NOON + 30 * MINUTE) is None
    assert forecast.at(NOON - MINUTE) is None


def test_local_times_are_the_same_instants_and_naive_ones_are_refused() -> None:
    summer = timezone(timedelta(hours=2))
    history = history_of(((NOON - DAY).astimezone(summer), 70, 0))
    assert forecast_load(history, start_utc=NOON, count=1).mean_w == (70.0,)
    with pytest.raises(ValueError, match="time zone"):
        history.add(datetime(2026, 1, 1), 1.0, 1.0)  # noqa: DTZ001
    with pytest.raises(ValueError, match="start of a quarter"):
        forecast_load(history, start_utc=NOON + MINUTE, count=1)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_are_none_are_refused(bad: float) -> None:
    for load_w, pv_w in ((bad, 1.0), (1.0, bad)):
        history = PowerHistory()
        with pytest.raises(ValueError, match="is"):
            history.add(NOON, load_w, pv_w)
        assert len(history) == 0


def test_memory_is_bounded_and_keeps_the_last_week() -> None:
    history = PowerHistory()
    for quarter in range(30 * 96):
        history.add(NOON + quarter * QUARTER, float(quarter), 0.0)
    end = NOON + 30 * DAY
    assert len(history) == 8 * 96
    assert forecast_load(history, start_utc=end, count=96).basis is Basis.HISTORY


@pytest.mark.parametrize("wrong", [datetime(1970, 1, 2, tzinfo=UTC), NOON + 9000 * DAY])
def test_days_with_a_wrong_clock_do_not_stand_in_the_way(wrong: datetime) -> None:
    history = PowerHistory()
    for quarter in range(8 * 96):
        history.add(NOON - (quarter + 1) * QUARTER, 100.0, 0.0)
    for quarter in range(8 * 96):
        history.add(wrong + quarter * QUARTER, 9999.0, 0.0)
    for quarter in range(96):
        history.add(NOON + quarter * QUARTER, 100.0, 0.0)
    forecast = forecast_load(history, start_utc=NOON + DAY, count=96)
    assert forecast.basis is Basis.HISTORY
    assert set(forecast.mean_w) == {100.0}


@given(
    st.lists(st.tuples(st.integers(0, 1000), st.floats(-1e6, 1e6), st.floats(0, 1e6)), max_size=30)
)
def test_a_history_survives_being_written_and_read(samples: list[tuple[int, float, float]]) -> None:
    history = history_of(*[(NOON + q * 5 * MINUTE, load, pv) for q, load, pv in samples])
    again = PowerHistory.from_json(history.to_json())
    assert again.to_json() == history.to_json()
    for copy in (history, again):
        copy.add(NOON, 123.0, 4.0)  # a mean goes on where it was
    assert again.load_w(quarter_of(NOON)) == history.load_w(quarter_of(NOON))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"version":2,"load":[],"pv":[]}',
        '{"version":1,"load":[[1,NaN,1]],"pv":[]}',
        '{"version":1,"load":[[1,5,0]],"pv":[]}',
        '{"version":1,"load":[[1.5,5,1]],"pv":[]}',
        '{"version":1,"load":[["1",5,1]],"pv":[]}',
        '{"version":1,"load":[[1,true,1]],"pv":7}',
        '{"version":1,"load":5,"pv":[]}',
        "[" * 100_000,
    ],
)
def test_a_damaged_history_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each says something else
        PowerHistory.from_json(text)


def test_quarters_are_numbered_by_instant() -> None:
    assert start_of(quarter_of(NOON + 14 * MINUTE)) == NOON
    change = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # 2:30 in Berlin comes twice that night
    assert quarter_of(change + timedelta(hours=1)) - quarter_of(change) == 4
