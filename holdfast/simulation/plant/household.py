"""A European house with PV has power as a function of UTC time, reproducible from the seed.

Each day is computed once, at one-minute points; a step only interpolates.
"""

import math
from dataclasses import dataclass

import numpy as np

_MINUTES = 1440
_DAY_S = 86_400.0
_TYPICAL_WH = 10_840.0
"""The load profile below adds up to this on an average day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseholdSpec:
    """Tells where the house stands and how big things are."""

    latitude_deg: float = 50.0
    longitude_deg: float = 10.0
    """It is + east; it sets when noon is, and when people get up."""
    pv_peak_w: float = 6000.0
    pv_tilt_deg: float = 35.0
    """It faces the equator."""
    load_wh_per_day: float = 12_000.0
    clouds: bool = True
    appliances: bool = True


class Household:
    """Gives PV and load of one house."""

    def __init__(self, *, seed: int, spec: HouseholdSpec | None = None) -> None:
        self.spec = spec or HouseholdSpec()
        self.seed = seed
        self.pv_override_w: float | None = None
        """It holds PV at this power, for tests."""
        self.load_override_w: float | None = None
        """It holds the load at this power, for tests."""
        self._days: dict[int, tuple[list[float], list[float]]] = {}

    def power_w(self, utc_s: float) -> tuple[float, float]:
        """Returns (PV, load) in W at ``utc_s`` seconds since 1970, both >= 0."""
        day = int(utc_s // _DAY_S)
        series = self._days.get(day)
        if series is None:
            series = self._remember(day)
        minute = (utc_s - day * _DAY_S) / 60.0
        index = int(minute)
        part = minute - index
        pv, load = series
        pv_w = pv[index] + (pv[index + 1] - pv[index]) * part
        load_w = load[index] + (load[index + 1] - load[index]) * part
        if self.pv_override_w is not None:
            pv_w = self.pv_override_w
        if self.load_override_w is not None:
            load_w = self.load_override_w
        return pv_w, load_w

    def day(self, day: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns (PV, load) in W at each minute of ``day`` and at its last midnight.

        Days are counted since 1970.
        """
        rng = np.random.default_rng((self.seed, day))
        minutes = np.arange(_MINUTES + 1, dtype=float)
        solar_h = minutes / 60.0 + self.spec.longitude_deg / 15.0
        pv_w = _clear_sky_w(self.spec, day, solar_h)
        if self.spec.clouds:
            pv_w = pv_w * _clearness(rng)
        load_w = _habits_w(minutes, solar_h % 24.0, rng)
        if self.spec.appliances:
            load_w = load_w + _appliances_w(self.spec.longitude_deg, rng)
        return pv_w, load_w * (self.spec.load_wh_per_day / _TYPICAL_WH)

    def _remember(self, day: int) -> tuple[list[float], list[float]]:
        if len(self._days) >= 2:
            self._days.clear()
        pv_w, load_w = self.day(day)
        self._days[day] = series = (pv_w.tolist(), load_w.tolist())
        return series


def _clear_sky_w(spec: HouseholdSpec, day: int, solar_h: np.ndarray) -> np.ndarray:
    """Returns the PV power in W under a cloudless sky.

    Declination is after Cooper (1969), direct light after Meinel (1976): 1353 W/m² x
    0.7^(air mass^0.678), plus a tenth of it diffuse; 20 % are lost in modules and inverter.
    """
    day_of_year = day % 365.2425
    declination = math.radians(23.45) * math.sin(2 * math.pi * (284 + day_of_year) / 365)
    latitude, tilt = math.radians(spec.latitude_deg), math.radians(spec.pv_tilt_deg)
    hour_angle = np.cos(np.radians(15.0 * (solar_h - 12.0)))
    up = math.sin(latitude) * math.sin(declination) + (
        math.cos(latitude) * math.cos(declination) * hour_angle
    )
    flatter = latitude - math.copysign(tilt, latitude)
    facing = math.sin(flatter) * math.sin(declination) + (
        math.cos(flatter) * math.cos(declination) * hour_angle
    )
    air_mass = 1.0 / np.maximum(up, 0.03)
    direct = np.where(up > 0.0, 1353.0 * 0.7 ** (air_mass**0.678), 0.0)
    plane_w_per_m2 = direct * (np.maximum(facing, 0.0) + 0.1)
    power_w: np.ndarray = np.minimum(spec.pv_peak_w * 0.8 * plane_w_per_m2 / 1000.0, spec.pv_peak_w)
    return power_w


def _clearness(rng: np.random.Generator) -> np.ndarray:
    """Returns the share of the clear-sky power that gets through.

    There are fine, mixed and dull days, with clouds.
    """
    mean, swing = ((0.95, 0.03), (0.62, 0.30), (0.25, 0.08))[
        int(rng.choice(3, p=(0.35, 0.4, 0.25)))
    ]
    slow, fast = _smooth(rng, 90), _smooth(rng, 8)
    share: np.ndarray = np.clip(mean + swing * (0.7 * slow + 0.7 * fast), 0.05, 1.0)
    return share


def _smooth(rng: np.random.Generator, minutes: int) -> np.ndarray:
    """Makes noise of variance 1 that changes over ``minutes``."""
    white = rng.standard_normal(_MINUTES + minutes)
    return np.convolve(white, np.full(minutes, 1.0 / math.sqrt(minutes)), mode="valid")


def _habits_w(minutes: np.ndarray, local_h: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Returns in W what runs every day: standby, refrigerator, a morning and an evening peak."""
    fridge = np.where((minutes + rng.uniform(0, 45)) % 45.0 < 15.0, 90.0, 0.0)
    morning = 350.0 * rng.uniform(0.8, 1.2) * _bell(local_h, 7.2 + rng.normal(0, 0.2), 0.9)
    evening = 650.0 * rng.uniform(0.8, 1.2) * _bell(local_h, 19.2 + rng.normal(0, 0.3), 1.8)
    watts: np.ndarray = 180.0 + fridge + morning + evening
    return watts


def _bell(x: np.ndarray, middle: float, width: float) -> np.ndarray:
    bell: np.ndarray = np.exp(-(((x - middle) / width) ** 2) / 2.0)
    return bell


_APPLIANCES = (
    # watts, minutes, earliest and latest hour, share of the days
    (2000.0, 4, 6.0, 8.0, 1.0),
    (2000.0, 3, 10.0, 16.0, 0.8),
    (2000.0, 3, 16.0, 21.0, 0.8),
    (1700.0, 35, 17.5, 19.0, 0.8),
    (900.0, 20, 11.5, 12.5, 0.5),
    (1800.0, 22, 19.5, 21.0, 0.8),
    (1900.0, 18, 9.0, 17.0, 0.5),
)
"""They are the kettle three times, oven, hob at noon, dishwasher, washing machine."""


def _appliances_w(longitude_deg: float, rng: np.random.Generator) -> np.ndarray:
    """Returns in W what is switched on for a while, at times drawn for the day."""
    watts = np.zeros(_MINUTES + 1)
    for power_w, duration, earliest_h, latest_h, share in _APPLIANCES:
        start_h = rng.uniform(earliest_h, latest_h) - longitude_deg / 15.0
        if rng.random() < share:
            start = int(start_h * 60.0) % _MINUTES
            watts[start : start + duration] += power_w
    return watts
