"""Open-Meteo's answers: read as they are meant, and refused by name when they cannot be."""

import json
import math
from typing import Any

import pytest

from holdfast.forecasting.weather import WeatherDataError, open_meteo, parse_open_meteo

FIRST = 1_781_000_100 // 900 * 900
NAMES = (
    "shortwave_radiation", "direct_normal_irradiance", "diffuse_radiation", "temperature_2m",
    "wind_speed_10m",
)  # fmt: skip


def answer(kind: str = "minutely_15", count: int = 4, **changes: Any) -> bytes:
    step = 900 if kind == "minutely_15" else 3600
    table = {"time": [FIRST + index * step for index in range(count)]} | {
        name: [10.0 + index for index in range(count)] for name in NAMES
    }
    units = {"wind_speed_10m": "m/s", "temperature_2m": "°C"}
    content = {"utc_offset_seconds": 0, f"{kind}_units": units, kind: table | changes}
    return json.dumps(content).encode()


def test_radiation_belongs_to_the_interval_before_its_time() -> None:
    weather = parse_open_meteo(answer())
    assert weather.first == FIRST // 900 - 1
    assert weather.ghi_w_m2.tolist() == [10.0, 11.0, 12.0, 13.0]
    hourly = parse_open_meteo(answer("hourly", 2))
    assert hourly.first == FIRST // 900 - 4
    assert hourly.temperature_c.tolist() == [10.0] * 4 + [11.0] * 4
    assert len(hourly) == 8


def test_what_is_missing_is_missing() -> None:
    weather = parse_open_meteo(answer(temperature_2m=[None, 1, 2, 3]))
    assert math.isnan(weather.temperature_c[0])
    assert weather.temperature_c[1] == 1.0


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no JSON"),
        (b"<html>503</html>", "no JSON"),
        (b"[]", "no table"),
        (b"[" * 100_000, "no JSON"),
        (b'{"error": true, "reason": "Daily limit exceeded"}', "Daily limit"),
        (b'{"latitude": 52}', "neither"),
        (answer(time=[]), "no times"),
        (answer(time=["2026-06-09T10:00", 1, 2, 3]), "Unix time"),
        (answer(time=[FIRST, FIRST + 900, FIRST + 2700, FIRST + 3600]), "out of step"),
        (answer(shortwave_radiation=[1.0]), "has not 4 values"),
        (answer(shortwave_radiation=None), "has not 4 values"),
        (answer(shortwave_radiation=[1, 2, 3, 5000]), "5000 is not within"),
        (answer(shortwave_radiation=[1, 2, 3, -1]), "-1 is not within"),
        (answer(temperature_2m=[1, 2, 3, float("nan")]), "nan is not within"),
        (answer(temperature_2m=[1, 2, 3, "4"]), "'4' is no number"),
        (answer(temperature_2m=[1, 2, 3, True]), "no number"),
        (answer().replace(b'"m/s"', b'"km/h"'), "km/h"),
        (answer().replace(b'"utc_offset_seconds": 0', b'"utc_offset_seconds": 7200'), "7200"),
    ],
)
def test_absurd_answers_are_refused_by_name(content: bytes, reason: str) -> None:
    with pytest.raises(WeatherDataError, match=reason):
        parse_open_meteo(content)


def test_the_request_asks_for_what_the_parser_reads() -> None:
    source = open_meteo(52.52, 13.405)
    assert source.url.startswith("https://")
    assert source.params["latitude"] == "52.5200"
    assert set(source.params["minutely_15"].split(",")) == set(NAMES)
    assert source.params["timeformat"] == "unixtime"
    assert source.params["wind_speed_unit"] == "ms"
