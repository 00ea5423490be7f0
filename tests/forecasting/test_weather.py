"""Open-Meteo's answers: read as they are meant, and refused by name when they cannot be."""

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.config import Location
from holdfast.core.errors import WeatherDataError
from holdfast.forecasting.weather import ask_weather, parse_open_meteo

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
        (b"", "empty"),
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


def test_what_a_stranger_says_is_short_in_the_log() -> None:
    for content in (
        answer(temperature_2m=[1, 2, 3, "x" * 10**6]),
        answer(temperature_2m=[1, 2, 3, 10**400]),
        answer(temperature_2m=[1, 2, 3, [[]] * 10**6]),
        json.dumps({"error": True, "reason": "x" * 10**6}).encode(),
        b"<html>" + b"x" * 10**6,
    ):
        with pytest.raises(WeatherDataError) as caught:
            parse_open_meteo(content)
        assert len(str(caught.value)) < 300


def test_the_request_asks_for_what_the_parser_reads() -> None:
    asking = ask_weather(Location(latitude_deg=52.52, longitude_deg=13.405), "http://localhost/v1")
    request = next(asking)
    assert request.url == "http://localhost/v1"
    assert request.query["latitude"] == "52.5200"
    assert set(request.query["minutely_15"].split(",")) == set(NAMES)
    assert request.query["timeformat"] == "unixtime"
    assert request.query["wind_speed_unit"] == "ms"
    with pytest.raises(StopIteration) as ended:
        asking.send(answer())
    assert len(ended.value.value) == 4


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner),
    max_leaves=5,
)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([*NAMES, "time"]),
    st.lists(anything, min_size=4, max_size=4) | anything,
    st.integers(0, 900),
    st.binary(max_size=3),
)
def test_whatever_comes_is_weather_or_refused(
    column: str, values: object, place: int, noise: bytes
) -> None:
    whole = answer(**{column: values})
    for content in (whole, whole[:place] + noise + whole[place + 1 :]):
        try:
            weather = parse_open_meteo(content)
        except WeatherDataError:
            continue
        assert len(weather) > 0
        assert not np.isinf(weather.ghi_w_m2).any()
