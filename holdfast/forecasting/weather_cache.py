"""The last good weather forecast is on disk: it outlives a restart and an outage."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from holdfast.forecasting.array_file import Array, ArrayFile
from holdfast.forecasting.weather import COLUMNS, WeatherForecast

_log = logging.getLogger(__name__)

_KIND = "weather"


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedWeather:
    """Holds a weather forecast and when it came."""

    utc: datetime
    weather: WeatherForecast


class WeatherCache:
    """Keeps a file with one forecast and a checksum."""

    def __init__(self, path: Path, write: Callable[[Path, bytes], None]) -> None:
        """``write`` replaces a file so that it is whole at any time; raises OSError."""
        self._path = path
        self._write = write

    def load(self, asked: str) -> FetchedWeather | None:
        """Returns what was last kept as the answer to ``asked``; None if none is to be trusted."""
        try:
            return _fetched(ArrayFile.from_bytes(self._path.read_bytes()), asked)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, OverflowError) as error:
            _log.warning("%s is not used: %s", self._path.name, type(error).__name__)
            return None

    def keep(self, asked: str, fetched: FetchedWeather) -> None:
        """Brings a forecast to disk. A disk that fails is logged, and stops nobody."""
        weather = fetched.weather
        about = {
            "kind": _KIND,
            "asked": asked,
            "fetched": fetched.utc.timestamp(),
            "first": weather.first,
        }
        arrays: dict[str, Array] = {name: getattr(weather, name) for name in COLUMNS}
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._write(self._path, ArrayFile(about=about, arrays=arrays).to_bytes())
        except OSError as error:
            _log.error("the weather is not on disk: %s", error)


def _fetched(file: ArrayFile, asked: str) -> FetchedWeather | None:
    about = file.about
    if (about.get("kind"), about.get("asked")) != (_KIND, asked):
        return None  # of another place
    columns = {name: np.asarray(file.arrays[name], np.float64) for name in COLUMNS}
    if len({values.shape for values in columns.values()}) != 1:
        raise ValueError("columns differ in length")
    return FetchedWeather(
        utc=datetime.fromtimestamp(about["fetched"], tz=UTC),
        weather=WeatherForecast(first=int(about["first"]), **columns),
    )
