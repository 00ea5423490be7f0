"""PV arrays by pvlib: where the sun is, which way they look, and what the inverter lets through."""

from datetime import UTC, datetime

import numpy as np
import pytest

from holdfast.core.config import Location, PvArray, PvPlant
from holdfast.core.quarter_hours import quarter_of
from holdfast.forecasting.array_file import Floats
from holdfast.forecasting.pv_model import pv_job
from holdfast.forecasting.weather import WeatherForecast
from holdfast.forecasting.workshop import do_work

pytest.importorskip("pvlib")
# pvlib 0.16 still calls by a name what pandas 3.1 has renamed.
pytestmark = pytest.mark.filterwarnings("ignore:DatetimeIndex.dayofyear")
BERLIN = Location(latitude_deg=52.5, longitude_deg=13.4)
EAST = PvArray(azimuth_deg=143, tilt_deg=35, peak_w=7500)
WEST = PvArray(azimuth_deg=233, tilt_deg=35, peak_w=7500)
JUNE = quarter_of(datetime(2026, 6, 21, tzinfo=UTC))


def clear_w(*arrays: PvArray, limit_w: float | None = None, first: int = JUNE) -> Floats:
    plant = PvPlant(arrays=arrays, inverter_ac_max_w=limit_w)
    job = pv_job(BERLIN, plant, first=first, count=96, weather=None)
    power_w: Floats = do_work("pv", job).arrays["power_w"]
    return power_w


def test_two_arrays_look_two_ways_and_add_up() -> None:
    east, west, both = clear_w(EAST), clear_w(WEST), clear_w(EAST, WEST)
    assert np.argmax(east) < 45 < np.argmax(west)  # the sun is south at 11:10 UTC there
    np.testing.assert_allclose(both, east + west)
    assert 35_000 < both.sum() / 4 / 2 < 60_000  # Wh of 7.5 kWp on a clear June day
    assert both[0] == 0.0
    assert clear_w(EAST, first=JUNE + 183 * 96).sum() < 0.5 * east.sum()


def test_the_inverter_limits_what_comes_out() -> None:
    limited = clear_w(EAST, WEST, limit_w=5000.0)
    assert limited.max() == 5000.0
    np.testing.assert_allclose(limited, np.minimum(clear_w(EAST, WEST), 5000.0))


def weather(ghi: float, dni: float, temperature_c: float = 20.0) -> WeatherForecast:
    return WeatherForecast(
        first=JUNE,
        ghi_w_m2=np.full(96, ghi),
        dni_w_m2=np.full(96, dni),
        dhi_w_m2=np.full(96, ghi),
        temperature_c=np.full(96, temperature_c),
        wind_m_s=np.full(96, np.nan),
    )


def made_w(forecast: WeatherForecast) -> Floats:
    plant = PvPlant(arrays=(EAST,))
    power_w: Floats = do_work(
        "pv", pv_job(BERLIN, plant, first=0, count=0, weather=forecast)
    ).arrays["power_w"]
    return power_w


def test_weather_decides_and_heat_costs() -> None:
    dull, bright = made_w(weather(80.0, 0.0)), made_w(weather(300.0, 500.0))
    hot = made_w(weather(300.0, 500.0, temperature_c=40.0))
    assert 0 < dull[44] < 0.15 * 7500 < bright[44]
    assert 0.85 * bright[44] < hot[44] < 0.97 * bright[44]


def test_where_the_weather_is_missing_so_is_the_power() -> None:
    gone = weather(300.0, 500.0)
    gone.ghi_w_m2[40] = np.nan
    power_w = made_w(gone)
    assert np.isnan(power_w[40])
    assert np.isfinite(power_w[41:50]).all()
