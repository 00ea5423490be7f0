"""A site's forecast: from the day it is new to the day it has learned, and whatever it is fed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.config import Location, PvArray, PvPlant
from holdfast.core.quarter_hours import QUARTER, QUARTERS_PER_DAY, quarter_of, start_of
from holdfast.forecasting.array_file import Floats
from holdfast.forecasting.channel import LOAD, PRICE, PV, Candidate, choose
from holdfast.forecasting.forecast import QUANTILES, Basis, PowerForecast
from holdfast.forecasting.history import Field, PowerHistory
from holdfast.forecasting.lookback import Lookback, look_back
from holdfast.forecasting.site_forecast import SiteForecaster
from holdfast.forecasting.weather import WeatherForecast
from holdfast.forecasting.workshop import Bench

NOON = datetime(2026, 5, 8, 12, tzinfo=UTC)
NOW = quarter_of(NOON)
DAY = timedelta(days=1)
RANDOM = np.random.default_rng(5)


def filled(days: int, field: Field, power: Floats) -> PowerHistory:
    history = PowerHistory()
    history.put(field, NOW - days * 96, power)
    return history


def household(days: int, noise_w: float = 30.0, zone: str = "UTC") -> PowerHistory:
    """Load with a daily and a weekly habit, local time; PV with clear and dull days."""
    quarters = np.arange(NOW - days * 96, NOW)
    info = ZoneInfo(zone)
    local = [start_of(int(quarter)).astimezone(info) for quarter in quarters]
    hour = np.array([time.hour + time.minute / 60 for time in local])
    weekend = np.array([time.weekday() >= 5 for time in local])
    load = 300 + 900 * np.exp(-((hour - 19) ** 2) / 4) + weekend * 500 * (hour > 9) * (hour < 15)
    sky = np.repeat(np.random.default_rng(2).choice([0.2, 1.0], days + 1), 96)[: len(quarters)]
    sun = np.maximum(np.sin((quarters % 96 - 24) / 48 * np.pi), 0.0)
    history = PowerHistory()
    history.put(Field.LOAD_W, NOW - days * 96, load + RANDOM.normal(0, noise_w, len(load)))
    history.put(Field.PV_W, NOW - days * 96, 4000 * sky * sun)
    return history


def whole(forecast: PowerForecast) -> bool:
    values = [*forecast.mean_w, *(v for row in forecast.quantiles_w.values() for v in row)]
    return all(0.0 <= value < 1e9 for value in values)


# ------------------------------------------------------------------ a new site


def test_without_history_nothing_is_expected_and_it_says_so() -> None:
    site = SiteForecaster(PowerHistory()).forecast(NOON, 2)
    assert set(site.load.mean_w) == set(site.pv.mean_w) == {0.0}
    assert site.load.basis is site.pv.basis is Basis.FALLBACK
    assert site.load.skill is None
    assert site.load.quantile_at(0.9, NOON) is None
    assert site.price is None


def test_load_is_the_mean_of_the_same_time_on_the_last_seven_days() -> None:
    history = PowerHistory()
    for day in range(1, 9):
        history.add(NOON - day * DAY, 100.0 * day, 0)
    site = SiteForecaster(history).forecast(NOON, 0)
    assert site.load.mean_w == pytest.approx((400.0,))  # days 1 to 7; the eighth is too old
    assert site.load.basis is Basis.HISTORY


def test_for_pv_yesterday_counts_more_than_last_week() -> None:
    for yesterday, before, low, high in ((3000, 1000, 2000, 3000), (1000, 3000, 1000, 2000)):
        history = PowerHistory()
        history.add(NOON - DAY, 0, yesterday)
        history.add(NOON - 6 * DAY, 0, before)
        assert low < SiteForecaster(history).forecast(NOON, 0).pv.mean_w[0] < high


def test_times_never_measured_follow_the_fallback() -> None:
    history = PowerHistory()
    history.add(NOON - DAY, 300, 2000)
    history.add(NOON - DAY + QUARTER, 500, 1000)
    site = SiteForecaster(history).forecast(NOON, 0.5)
    assert site.load.mean_w == (300, 500, 400)  # the mean of everything measured
    assert site.pv.mean_w == (2000, 1000, 0)  # no sun that was never seen
    assert site.load.basis is site.pv.basis is Basis.PARTIAL


def test_a_forecast_covers_the_horizon_and_is_looked_up_by_instant() -> None:
    history = PowerHistory()
    history.add(NOON - DAY, 1, 0)
    history.add(NOON - DAY + QUARTER, 2, 0)
    made = NOON + timedelta(minutes=14)
    load = SiteForecaster(history).forecast(made, 48).load
    assert (load.start_utc, load.made_utc) == (NOON, made)
    assert load.end_utc >= made + timedelta(hours=48)
    assert load.at(NOON + timedelta(minutes=29)) == 2
    assert load.at(NOON - timedelta(minutes=1)) is None
    assert load.at(load.end_utc) is None


@pytest.mark.parametrize(
    ("level", "power_w"), [(0.1, 20.0), (0.3, 60.0), (0.5, 100.0), (0.7, 250.0), (0.9, 400.0)]
)
def test_a_cautious_plan_takes_a_level_between_mean_and_quantile(
    level: float, power_w: float
) -> None:
    quantiles = {0.1: (20.0,), 0.5: (90.0,), 0.9: (400.0,)}
    bare = PowerForecast(start_utc=NOON, mean_w=(100.0,), basis=Basis.HISTORY)
    assert replace(bare, quantiles_w=quantiles).levels(level, NOON, 1) == pytest.approx([power_w])
    assert bare.levels(level, NOON, 1) == pytest.approx([100.0])
    for start, count in ((NOON + QUARTER, 1), (NOON, 2), (NOON - QUARTER, 1)):
        assert bare.levels(level, start, count) is None


def test_a_forecast_is_never_negative() -> None:
    history = PowerHistory()
    history.add(NOON - DAY, -20, -5)
    site = SiteForecaster(history).forecast(NOON, 0)
    assert site.load.mean_w == site.pv.mean_w == (0.0,)


# ------------------------------------------------------------------ one that has learned


def test_weekends_are_told_from_working_days_and_the_score_says_what_that_is_worth() -> None:
    forecaster = SiteForecaster(household(60))  # NOON is a Friday
    forecaster.learn(NOON)
    load = forecaster.forecast(NOON, 48).load
    saturday, friday = NOON + DAY, NOON
    assert load.model == "day pattern"
    assert load.at(saturday) > load.at(friday) + 150  # type: ignore[operator]
    assert load.skill is not None
    assert load.skill > 0.1
    low, middle, high = (load.quantile_at(level, saturday) for level in QUANTILES)
    assert low < middle < high  # type: ignore[operator]


def test_a_holiday_is_a_day_off_before_it_comes() -> None:
    monday = NOON + 3 * DAY
    known = SiteForecaster(household(60), is_holiday=lambda day: day == monday.date())
    unknown = SiteForecaster(household(60))
    for forecaster in (known, unknown):
        forecaster.learn(NOON)
    off, working = (one.forecast(NOON, 96).load.at(monday) for one in (known, unknown))
    assert off is not None
    assert working is not None
    assert off > working + 150  # NOON lies in the hours that are busy at weekends


def test_habits_follow_local_time_through_the_change_of_clocks() -> None:
    # In the night of 2026-03-29 clocks go forward; the evening's peak comes an hour earlier in UTC.
    history = PowerHistory()
    begin, change = datetime(2026, 2, 20, tzinfo=UTC), datetime(2026, 3, 29, tzinfo=UTC)
    zone = ZoneInfo("Europe/Berlin")
    count = quarter_of(change) - quarter_of(begin)
    local = [(begin + index * QUARTER).astimezone(zone).hour for index in range(count)]
    noise = RANDOM.normal(0, 5, count)
    history.put(
        Field.LOAD_W, quarter_of(begin), np.where(np.array(local) == 19, 2000.0, 200.0) + noise
    )
    forecaster = SiteForecaster(history, zone="Europe/Berlin")
    forecaster.learn(change)
    load = forecaster.forecast(change, 24).load
    hours = [utc for utc in range(24) if load.at(change + timedelta(hours=utc)) > 1000]  # type: ignore[operator]
    assert hours == [17]  # 19:00 summer time
    assert len(load.mean_w) == 97


@pytest.mark.parametrize("month", [3, 10])
def test_days_of_92_and_100_quarters_have_one_value_for_each(month: int) -> None:
    zone = ZoneInfo("Europe/Berlin")
    day = datetime(2026, month, 29 if month == 3 else 25, tzinfo=zone).astimezone(UTC)
    history = PowerHistory()
    history.put(Field.LOAD_W, quarter_of(day) - 40 * 96, np.full(40 * 96, 500.0))
    forecaster = SiteForecaster(history, zone="Europe/Berlin")
    forecaster.learn(day)
    load = forecaster.forecast(day, 26).load
    assert all(load.at(day + index * QUARTER) == pytest.approx(500.0) for index in range(100))


def test_the_next_hours_follow_what_is_measured_now() -> None:
    history = household(60)
    history.put(Field.LOAD_W, NOW - 4, np.full(4, 2300.0))  # 2 kW more than usual
    history.put(Field.PV_W, NOW - 8, history.window(Field.PV_W, NOW - 8, 8) * 0.1)
    calm = SiteForecaster(household(60))
    busy = SiteForecaster(history)
    for forecaster in (calm, busy):
        forecaster.learn(NOON)
    usual, now = calm.forecast(NOON, 24), busy.forecast(NOON, 24)
    extra = np.array(now.load.mean_w) - np.array(usual.load.mean_w)
    assert 500 < extra[0] < 1500
    assert extra[8] < 0.5 * extra[0]
    assert abs(extra[90]) < 60
    assert now.pv.model == "recent days and today"
    assert now.pv.mean_w[0] < 0.5 * usual.pv.mean_w[0]


def test_a_model_that_does_worse_than_its_baseline_is_not_used() -> None:
    history = household(60)
    past = look_back(history, "UTC", first=NOW - 60 * 96, count=60 * 96, fields=LOAD.inputs)

    def off_by(offset_w: float) -> Candidate:
        def model(past: Lookback, origin: int, count: int) -> Floats:
            return LOAD.baseline.model(past, origin, count) + offset_w

        return Candidate(name="rival", basis=Basis.HISTORY, model=model)

    for rival, wins in ((off_by(500.0), False), (LOAD.rivals[0], True), (off_by(0.0), False)):
        channel = replace(LOAD, rivals=(rival,))
        choice = choose(channel, past, 60 * 96, [], NOON)
        assert (choice.candidate is rival) is wins
        assert choice.score is not None


def test_a_model_that_is_silent_is_not_praised_for_it() -> None:
    def silent(past: Lookback, origin: int, count: int) -> Floats:
        return np.full(count, np.nan)

    past = look_back(household(60), "UTC", first=NOW - 5760, count=5760, fields=LOAD.inputs)
    rival = Candidate(name="silent", basis=Basis.HISTORY, model=silent)
    assert choose(replace(LOAD, rivals=(rival,)), past, 5760, [], NOON).candidate is LOAD.baseline


def test_a_calculated_sun_is_corrected_by_what_was_measured() -> None:
    history = household(40)
    measured = history.window(Field.PV_W, NOW - 40 * 96, 40 * 96)
    calculated = np.concatenate([measured, measured[:288] * 0.0 + 1000.0]) * 2.0
    history.put(Field.PV_MODEL_W, NOW - 40 * 96, calculated)  # twice what the plant really makes
    forecaster = SiteForecaster(history)
    forecaster.learn(NOON)
    pv = forecaster.forecast(NOON, 24).pv
    assert pv.basis is Basis.WEATHER
    assert pv.mean_w[60] == pytest.approx(1000.0, rel=0.2)
    assert pv.skill is not None
    assert pv.skill > 0.8


def test_weather_that_has_ended_is_not_told_to_be_used() -> None:
    history = household(40)
    measured = history.window(Field.PV_W, NOW - 40 * 96, 40 * 96)
    history.put(Field.PV_MODEL_W, NOW - 40 * 96, np.concatenate([measured, measured[:96]]))
    forecaster = SiteForecaster(history)
    forecaster.learn(NOON)
    assert forecaster.forecast(NOON, 48).pv.basis is Basis.WEATHER  # half of it
    ended = forecaster.forecast(NOON + DAY, 48).pv
    assert ended.basis is Basis.HISTORY
    assert ended.model == PV.baseline.name
    assert whole(ended)
    history.put(Field.PV_CLEAR_W, NOW - 40 * 96, np.concatenate([measured, measured[:384]]))
    assert forecaster.forecast(NOON + DAY, 48).pv.basis is Basis.CLEAR_SKY


def test_temperatures_are_told_for_each_quarter_hour_as_far_as_they_are_known() -> None:
    history = PowerHistory()
    history.put(Field.TEMPERATURE_C, NOW - 1, np.array([3.0, 4.0, np.nan, -6.0]))
    found = SiteForecaster(history).forecast(NOON + timedelta(minutes=7), 1)
    assert found.temperature_c == (4.0, None, -6.0, None, None)
    assert found.temperature_at(NOON + timedelta(minutes=14)) == 4.0
    assert found.temperature_at(NOON + 2 * QUARTER) == -6.0
    for utc in (NOON - QUARTER, NOON + QUARTER, NOON + 2 * DAY):
        assert found.temperature_at(utc) is None


# ------------------------------------------------------------------ sun and weather


def test_a_new_plant_is_calculated_from_its_arrays() -> None:
    pytest.importorskip("pvlib")
    plant = PvPlant(arrays=(PvArray(azimuth_deg=180, tilt_deg=35, peak_w=10_000),))
    place = Location(latitude_deg=52.5, longitude_deg=13.4)
    forecaster = SiteForecaster(PowerHistory(), location=place, plant=plant, workshop=Bench())
    _quietly(forecaster)
    clear = forecaster.forecast(NOON, 24).pv
    assert clear.basis is Basis.CLEAR_SKY
    assert 3000 < clear.mean_w[0] < 7000  # the mean sky is not a clear one
    forecaster.take_weather(
        WeatherForecast(
            first=NOW - 96,
            ghi_w_m2=np.full(288, 100.0),
            dni_w_m2=np.zeros(288),
            dhi_w_m2=np.full(288, 100.0),
            temperature_c=np.full(288, 12.0),
            wind_m_s=np.full(288, 3.0),
        )
    )
    dull = forecaster.forecast(NOON, 24).pv
    assert dull.basis is Basis.WEATHER
    assert 300 < dull.mean_w[0] < 1200


@pytest.mark.filterwarnings("ignore:DatetimeIndex.dayofyear")
def _quietly(forecaster: SiteForecaster) -> None:
    forecaster.learn(NOON)


pytestmark = pytest.mark.filterwarnings("ignore:DatetimeIndex.dayofyear")


# ------------------------------------------------------------------ prices


def prices(days: int) -> PowerHistory:
    quarter = np.arange(NOW - days * 96, NOW + 40)
    price = (
        0.1 + 0.05 * np.sin(quarter % 96 / 96 * 2 * np.pi) + RANDOM.normal(0, 0.002, len(quarter))
    )
    history = PowerHistory()
    history.put(Field.PRICE_PER_KWH, NOW - days * 96, price)
    return history


def test_a_price_forecast_begins_where_published_prices_end() -> None:
    forecaster = SiteForecaster(prices(50))
    forecaster.learn(NOON)
    price = forecaster.forecast(NOON, 48, with_price=True).price
    assert price is not None
    assert price.start_utc == start_of(NOW + 40)
    assert len(price.mean_per_kwh) == 48 * 4 + 1 - 40
    for index, value in enumerate(price.mean_per_kwh):
        at = (NOW + 40 + index) % 96 / 96
        assert value == pytest.approx(0.1 + 0.05 * np.sin(at * 2 * np.pi), abs=0.005)
    assert price.score is not None


def test_without_a_week_of_prices_or_with_enough_published_there_is_no_forecast() -> None:
    def found(history: PowerHistory, horizon_h: float) -> object:
        return SiteForecaster(history).forecast(NOON, horizon_h, with_price=True).price

    assert found(prices(5), 48) is None
    assert found(prices(50), 9) is None
    assert found(prices(50), 48) is not None
    assert SiteForecaster(prices(50)).forecast(NOON, 48).price is None


# ------------------------------------------------------------------ anything at all

garbage = st.lists(
    st.tuples(
        st.integers(-70 * 96, 300),
        st.sampled_from([Field.LOAD_W, Field.PV_W, Field.PV_MODEL_W, Field.PV_CLEAR_W]),
        st.floats(-1e6, 1e6),
        st.integers(1, 20 * 96),
    ),
    max_size=12,
)


@settings(max_examples=10, deadline=None)
@given(garbage, st.sampled_from(["UTC", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu"]))
def test_any_history_gives_finite_and_not_negative_forecasts(
    parts: list[tuple[int, Field, float, int]], zone: str
) -> None:
    history = PowerHistory()
    for begin, field, value, count in parts:
        history.put(field, NOW + begin, np.full(count, value) * (np.arange(count) % 7))
    forecaster = SiteForecaster(history, zone=zone)
    for now_utc in (NOON, NOON + 3 * DAY):
        forecaster.learn(now_utc)
        site = forecaster.forecast(now_utc, 48)
        assert whole(site.load)
        assert whole(site.pv)


def test_a_clock_that_jumps_back_stops_nothing() -> None:
    forecaster = SiteForecaster(household(50))
    for now_utc in (NOON, datetime(1970, 6, 1, tzinfo=UTC), NOON):
        forecaster.learn(now_utc)
        assert whole(forecaster.forecast(now_utc, 24).load)
    assert forecaster.choice(LOAD).score is not None


# ------------------------------------------------------------------ recorded households


def test_recorded_households_are_forecast_better_than_by_repeating_days(shared_data: Path) -> None:
    from benchmarks.forecast import evaluate, read_columns

    for name, zone in (
        ("household_fr_2024.csv", "Europe/Paris"),
        ("home_CA_citylearn_B01_2016-08_2017-07_hourly.csv", "America/Los_Angeles"),
    ):
        first, columns, step = read_columns(shared_data / name)
        half = {field: values[: 150 * QUARTERS_PER_DAY] for field, values in columns.items()}
        found = evaluate(first, half, step, zone, None)
        for channel in (LOAD, PV):
            assert found[channel.name]["skill_against_yesterday"] > 0.0
            assert found[channel.name]["skill_against_week_mean"] > 0.02
    assert PRICE.name not in found
