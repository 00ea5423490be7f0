"""This module keeps the weather up to date beside what the planner does."""

import random
import threading
from datetime import UTC, datetime

from holdfast.core.config import Site
from holdfast.forecasting.weather import WeatherForecast
from holdfast.forecasting.weather_cache import WeatherCache
from holdfast.forecasting.weather_collector import WeatherCollector, WeatherState
from holdfast.runtime.refresher import Refresher
from holdfast.site.files import SiteFiles, write_atomically
from holdfast.web.carrier import Carrier


def open_collector(site: Site, files: SiteFiles, now_utc: datetime) -> WeatherCollector | None:
    """Opens the weather of ``site`` with what is known from before; None if it uses none."""
    if site.location is None or not (site.pv or site.rooms):
        return None
    return WeatherCollector(
        site.location,
        site.weather.url,
        cache=WeatherCache(files.weather, write_atomically),
        fetch=Carrier().carry,
        chance=random.random,
        now_utc=now_utc,
    )


def read_weather(site: Site, files: SiteFiles) -> WeatherState | None:
    """Returns what the planner of ``site`` last fetched, asking nobody; None if it uses none."""
    collector = open_collector(site, files, datetime.now(UTC))
    return None if collector is None else collector.state


class WeatherWatch:
    """Asks in a thread; who reads never waits."""

    def __init__(self, site: Site, files: SiteFiles) -> None:
        self._collector = open_collector(site, files, datetime.now(UTC))
        self._refresher = Refresher(
            "weather", None if self._collector is None else self._collector.refresh
        )
        self._taken_utc: datetime | None = None

    def start(self, end: threading.Event) -> None:
        """Asks until ``end`` is set. What is being asked then is left to itself."""
        self._refresher.start(end)

    def check(self) -> None:
        """Raises RuntimeError if asking has ended: whoever supervises us starts us anew."""
        self._refresher.check()

    def take(self) -> WeatherForecast | None:
        """Returns weather that was not taken before, also of the last run; None while none is."""
        fetched = None if self._collector is None else self._collector.state.fetched
        if fetched is None or fetched.utc == self._taken_utc:
            return None
        self._taken_utc = fetched.utc
        return fetched.weather
