"""This module calculates what PV arrays make of weather or of a clear sky, by pvlib.

pvlib brings pandas and takes some 110 MB, so this runs in a process of its own
(:mod:`holdfast.forecasting.workshop`), not in the planner.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from holdfast.core.config import Location, PvPlant
from holdfast.core.quarter_hours import QUARTER_S
from holdfast.forecasting.array_file import Array, ArrayFile, Floats
from holdfast.forecasting.weather import WeatherForecast

_ALBEDO = 0.2
_TEMPERATURE_PER_C = -0.0037
"""It is a share of power, as usual for crystalline silicon (PVWatts standard module)."""
_FALLBACK = {"temperature_c": 15.0, "wind_m_s": 2.0}
"""It is used where the weather has none; it moves power by a few percent."""


def pv_job(
    location: Location, plant: PvPlant, *, first: int, count: int, weather: WeatherForecast | None
) -> ArrayFile:
    """Makes the order for :func:`pv_work`: power of ``count`` quarters from ``first`` on."""
    arrays: dict[str, Array] = {}
    if weather is not None:
        first, count = weather.first, len(weather)
        names = ("ghi_w_m2", "dni_w_m2", "dhi_w_m2", "temperature_c", "wind_m_s")
        arrays = {name: getattr(weather, name) for name in names}
    about = {
        "location": location.model_dump(mode="json"),
        "plant": plant.model_dump(mode="json"),
        "first": first,
        "count": count,
    }
    return ArrayFile(about=about, arrays=arrays)


def pv_work(job: ArrayFile) -> ArrayFile:
    """Returns the AC power of all arrays together, in W; NaN where the weather is not known."""
    location = Location.model_validate(job.about["location"])
    plant = PvPlant.model_validate(job.about["plant"])
    first, count = int(job.about["first"]), int(job.about["count"])
    power_w = _power_w(location, plant, first, count, job.arrays)
    about = {"first": first, "weather": bool(job.arrays)}
    return ArrayFile(about=about, arrays={"power_w": power_w})


def _power_w(
    location: Location, plant: PvPlant, first: int, count: int, weather: Mapping[str, Array]
) -> Floats:
    import pandas as pd
    import pvlib

    # The middle of a quarter hour stands for it.
    seconds = (np.arange(first, first + count) * QUARTER_S) + QUARTER_S // 2
    times = pd.DatetimeIndex(pd.to_datetime(seconds, unit="s", utc=True))
    place = pvlib.location.Location(
        location.latitude_deg, location.longitude_deg, altitude=location.altitude_m
    )
    sun = place.get_solarposition(times)
    sky = _sky(place, times, sun, weather)
    air = {
        name: np.nan_to_num(weather[name], nan=value) if weather else np.full(count, value)
        for name, value in _FALLBACK.items()
    }
    dni_extra = pvlib.irradiance.get_extra_radiation(times)
    dc_w = np.zeros(count)
    for array in plant.arrays:
        plane = pvlib.irradiance.get_total_irradiance(
            array.tilt_deg,
            array.azimuth_deg,
            sun["apparent_zenith"],
            sun["azimuth"],
            sky["dni"],
            sky["ghi"],
            sky["dhi"],
            dni_extra=dni_extra,
            albedo=_ALBEDO,
            model="haydavies",
        )
        on_plane = np.asarray(plane["poa_global"], float)
        cell_c = pvlib.temperature.faiman(on_plane, air["temperature_c"], air["wind_m_s"])
        made_w = pvlib.pvsystem.pvwatts_dc(on_plane, cell_c, array.peak_w, _TEMPERATURE_PER_C)
        dc_w = dc_w + np.asarray(made_w, float) * (1.0 - array.losses_pct / 100.0)
    ac_w = dc_w * plant.inverter_efficiency_pct / 100.0
    if plant.inverter_ac_max_w is not None:
        ac_w = np.minimum(ac_w, plant.inverter_ac_max_w)
    return np.maximum(ac_w, 0.0)


def _sky(place: Any, times: Any, sun: Any, weather: Mapping[str, Array]) -> dict[str, Floats]:
    names = ("dni", "ghi", "dhi")
    if not weather:
        clear = place.get_clearsky(times, solar_position=sun)
        return {name: np.asarray(clear[name], float) for name in names}
    return {name: np.asarray(weather[f"{name}_w_m2"], float) for name in names}
