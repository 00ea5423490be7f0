"""Weather comes as the PV model needs it, from Open-Meteo's JSON.

This module knows what to ask, and how to read it.
"""

import json
import math
import reprlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from holdfast.core.config import Location
from holdfast.core.errors import WeatherDataError
from holdfast.core.quarter_hours import QUARTER_S
from holdfast.forecasting.array_file import Floats
from holdfast.web.request import Conversation, HttpRequest

_NAMES = {
    "ghi_w_m2": "shortwave_radiation",
    "dni_w_m2": "direct_normal_irradiance",
    "dhi_w_m2": "diffuse_radiation",
    "temperature_c": "temperature_2m",
    "wind_m_s": "wind_speed_10m",
}
_LIMITS = {
    "ghi_w_m2": (0.0, 1600.0),
    "dni_w_m2": (0.0, 1500.0),
    "dhi_w_m2": (0.0, 1200.0),
    "temperature_c": (-60.0, 60.0),
    "wind_m_s": (0.0, 100.0),
}
COLUMNS = tuple(_NAMES)
"""They are those of a :class:`WeatherForecast`."""
_STEPS = {"minutely_15": 1, "hourly": 4}
_MOST_SLOTS = 17 * 96
_UNITS = {"wind_speed_10m": "m/s", "temperature_2m": "°C"}


@dataclass(frozen=True, slots=True, kw_only=True)
class WeatherForecast:
    """Weather comes as means of quarter hours without a gap; a value that was not given is NaN."""

    first: int
    """It is the number of the first quarter hour since 1970."""
    ghi_w_m2: Floats
    dni_w_m2: Floats
    dhi_w_m2: Floats
    temperature_c: Floats
    wind_m_s: Floats

    def __len__(self) -> int:
        """Returns the number of quarters."""
        return len(self.ghi_w_m2)


def ask_weather(location: Location, url: str) -> Conversation[WeatherForecast]:
    """Asks Open-Meteo for yesterday and the coming week by quarter hour.

    Raises WeatherDataError.
    """
    body = yield HttpRequest(
        url=url,
        query={
            "latitude": f"{location.latitude_deg:.4f}",
            "longitude": f"{location.longitude_deg:.4f}",
            "minutely_15": ",".join(_NAMES.values()),
            "wind_speed_unit": "ms",
            "timeformat": "unixtime",
            "timezone": "UTC",
            "past_days": "1",
            "forecast_days": "8",
        },
        errors_are_answers=True,
    )
    return parse_open_meteo(body)


def parse_open_meteo(content: bytes) -> WeatherForecast:
    """Reads an answer of Open-Meteo, quarter-hourly or hourly.

    Its radiation is the mean of the interval that ends at the time given, so the values of
    a time belong to the slot before it. Absurd values are refused, a missing one is missing.

    Raises WeatherDataError.
    """
    if not content:
        raise WeatherDataError("the answer is empty")
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        raise WeatherDataError(f"the answer is no JSON; it begins with {content[:40]!r}") from None
    if not isinstance(answer, dict):
        raise WeatherDataError("the answer is no table")
    if answer.get("error"):
        raise WeatherDataError(f"the service refuses: {_shown(answer.get('reason'))}")
    for name, step in _STEPS.items():
        if isinstance(answer.get(name), dict):
            _check_units(answer.get(f"{name}_units"))
            return _series(answer[name], step, answer.get("utc_offset_seconds", 0))
    raise WeatherDataError("the answer has neither minutely_15 nor hourly")


def _check_units(units: object) -> None:
    for name, unit in _UNITS.items():
        given = units.get(name, unit) if isinstance(units, dict) else unit
        if given != unit:
            raise WeatherDataError(f"{name} is in {_shown(given)}, not in {unit}")


def _series(table: dict[str, Any], step: int, offset_s: object) -> WeatherForecast:
    # The last quarter of an interval ends where the interval does.
    if offset_s != 0:
        raise WeatherDataError(f"times are {_shown(offset_s)} s off UTC")
    ends = _quarters(table.get("time"), step)
    columns = {field: _column(table, field, len(ends), step) for field in _NAMES}
    return WeatherForecast(first=ends[0] - step, **columns)


def _quarters(times: object, step: int) -> list[int]:
    if not isinstance(times, list) or not 0 < len(times) * step <= _MOST_SLOTS:
        raise WeatherDataError("the answer has no times, or too many")
    quarters = []
    for index, time in enumerate(times):
        if not isinstance(time, int) or isinstance(time, bool) or time % QUARTER_S:
            raise WeatherDataError(f"time {_shown(time)} is no Unix time of a whole quarter hour")
        quarters.append(time // QUARTER_S)
        if quarters[index] != quarters[0] + index * step:
            raise WeatherDataError(f"time {_shown(time)} is out of step")
    return quarters


def _column(table: dict[str, Any], field: str, count: int, step: int) -> Floats:
    values = table.get(_NAMES[field])
    if not isinstance(values, list) or len(values) != count:
        raise WeatherDataError(f"{_NAMES[field]} has not {count} values")
    low, high = _LIMITS[field]
    result = np.full(count, math.nan)
    for index, value in enumerate(values):
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise WeatherDataError(f"{_NAMES[field]}: {_shown(value)} is no number")
        if not low <= value <= high:
            raise WeatherDataError(
                f"{_NAMES[field]}: {_shown(value)} is not within {low:g} to {high:g}"
            )
        result[index] = value
    return np.repeat(result, step)


def _shown(value: object) -> str:
    """Returns a stranger's value, short enough for a log."""
    return repr(value[:200]) if isinstance(value, str) else reprlib.repr(value)
