"""Weather, measured days and recorded registers: what others made, in files and over HTTP."""

import json
import math
from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from pathlib import Path
from tempfile import NamedTemporaryFile

import numpy as np

from fuzz.plant import NOON, SimulatedDevice
from fuzz.target import Target
from holdfast.backtest.data_file import POWER_MAX_W, PRICE_MAX_PER_KWH, Gaps, read_data
from holdfast.core.errors import ConfigError, DataError, WeatherDataError
from holdfast.core.quarter_hours import QUARTER_S
from holdfast.core.reading import Good
from holdfast.core.signals import SIGNALS
from holdfast.devices.modbus_profile import ModbusProfile
from holdfast.devices.profile import load_profile
from holdfast.forecasting.weather import parse_open_meteo
from holdfast.runtime.device_reading import RawBlock, Recording, decode, load

_LONGEST = 8192

# ------------------------------------------------------------------ weather


def _run_weather(data: bytes) -> bool:
    try:
        weather = parse_open_meteo(data)
    except WeatherDataError as error:
        assert len(str(error)) < 1000, "what a stranger says fills a log"
        return False
    sun = (weather.ghi_w_m2, weather.dni_w_m2, weather.dhi_w_m2)
    assert all(len(column) == len(weather) for column in (*sun, weather.temperature_c))
    for column in (*sun, weather.wind_m_s):
        assert not (column < 0.0).any()
    for column in (*sun, weather.wind_m_s, weather.temperature_c):
        assert not (np.abs(column) > 2000.0).any()
    return True


def _weather_seeds() -> Iterator[bytes]:
    names = ("shortwave_radiation", "direct_normal_irradiance", "diffuse_radiation")
    for kind, step in (("minutely_15", 1), ("hourly", 4)):
        times = [int(NOON.timestamp()) + step * QUARTER_S * number for number in range(8)]
        table: dict[str, object] = {"time": times, "temperature_2m": [20.0] * 8}
        table |= {"wind_speed_10m": [3.0] * 8, **dict.fromkeys(names, [100.0] * 8)}
        units = {"wind_speed_10m": "m/s", "temperature_2m": "°C"}
        yield json.dumps({"utc_offset_seconds": 0, f"{kind}_units": units, kind: table}).encode()


# ------------------------------------------------------------------ measured days


def _on_disk(data: bytes) -> Path:
    with NamedTemporaryFile(prefix="fuzz-", delete=False) as file:
        file.write(data)
    return Path(file.name)


def _run_days(data: bytes) -> bool:
    path = _on_disk(data)
    try:
        of_use = {_are_read(path, gaps) for gaps in Gaps}
        return True in of_use
    finally:
        path.unlink()


def _are_read(path: Path, gaps: Gaps) -> bool:
    try:
        days = read_data(path, gaps=gaps)
    except DataError:
        return False
    for row in days.rows:
        for power_w in (row.load_w, row.pv_w):
            assert abs(power_w) <= POWER_MAX_W
        for price in (row.import_price_per_kwh, row.export_price_per_kwh):
            assert abs(price) <= PRICE_MAX_PER_KWH
    return True


def _day_seeds() -> Iterator[bytes]:
    for separator, step in product(",;", (timedelta(hours=1), timedelta(minutes=15))):
        point = "," if separator == ";" else "."
        names = ("time_utc", "load_w", "pv_w", "import_price_per_kwh", "export_price_per_kwh")
        rows = [
            (
                f"{NOON + number * step:%Y-%m-%dT%H:%M:%SZ}",
                "500",
                f"1000{point}5",
                f"0{point}3",
                "0",
            )
            for number in range(24)
        ]
        yield "\n".join(separator.join(row) for row in (names, *rows)).encode()


# ------------------------------------------------------------------ recorded registers

_RECORDED = "generic_integrated"


def _table() -> ModbusProfile:
    table = load_profile(_RECORDED)
    assert isinstance(table, ModbusProfile)
    return table


def _run_recording(data: bytes) -> bool:
    path = _on_disk(data)
    try:
        found = decode(_table(), load(path))
    except ConfigError:
        return False
    finally:
        path.unlink()
    good = [one for one in found if isinstance(one.sample, Good)]
    for one in good:
        assert isinstance(one.sample, Good)
        assert math.isfinite(one.sample.value)
        assert SIGNALS[one.signal].is_plausible(one.sample.value)
    return bool(good)


def _recording_seeds() -> Iterator[bytes]:
    device = SimulatedDevice(_table())
    blocks = tuple(
        RawBlock(table=block.table, address=block.address, words=tuple(device.words(block)))
        for block in _table().blocks()
    )
    yield Recording(table=_RECORDED, utc=NOON, blocks=blocks).model_dump_json().encode()


TARGETS = (
    Target(
        name="weather_answers",
        eats="an answer of Open-Meteo",
        seeds=_weather_seeds,
        run=_run_weather,
        longest=_LONGEST,
    ),
    Target(
        name="measured_days",
        eats="a file of measured days, for a backtest",
        seeds=_day_seeds,
        run=_run_days,
        longest=_LONGEST,
    ),
    Target(
        name="recordings",
        eats="the recorded registers of a device",
        seeds=_recording_seeds,
        run=_run_recording,
    ),
)
