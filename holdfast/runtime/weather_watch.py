"""Keeps the weather up to date beside what the planner does."""

import random
import threading
from datetime import UTC, datetime

from holdfast.core.config import Site
from holdfast.forecasting.weather import WeatherForecast
from holdfast.forecasting.weather_cache import WeatherCache
from holdfast.forecasting.weather_desk import WeatherDesk, WeatherState
from holdfast.runtime.files import SiteFiles, write_atomically
from holdfast.runtime.refresher import Refresher
from holdfast.web.carrier import Carrier


def open_desk(site: Site, files: SiteFiles, now_utc: datetime) -> WeatherDesk | None:
    """The weather of ``site`` with what is known from before; None if it has no use for any."""
    if site.location is None or not (site.pv or site.rooms):
        return None
    return WeatherDesk(
        site.location,
        site.weather.url,
        cache=WeatherCache(files.weather, write_atomically),
        fetch=Carrier().carry,
        chance=random.random,
        now_utc=now_utc,
    )


def read_weather(site: Site, files: SiteFiles) -> WeatherState | None:
    """What the planner of ``site`` last fetched, asking nobody; None if it has no use for any."""
    desk = open_desk(site, files, datetime.now(UTC))
    return None if desk is None else desk.state


class WeatherWatch:
    """A thread that asks; who reads never waits."""

    def __init__(self, site: Site, files: SiteFiles) -> None:
        self._desk = open_desk(site, files, datetime.now(UTC))
        self._refresher = Refresher("weather", None if self._desk is None else self._desk.refresh)
        self._taken_utc: datetime | None = None

    def start(self, end: threading.Event) -> None:
        """Ask until ``end`` is set. What is being asked then is left to itself."""
        self._refresher.start(end)

    def check(self) -> None:
        """Raises RuntimeError if asking has ended: whoever supervises us starts us anew."""
        self._refresher.check()

    def take(self) -> WeatherForecast | None:
        """Weather that was not taken before, that of the last run included; None while none is."""
        fetched = None if self._desk is None else self._desk.state.fetched
        if fetched is None or fetched.utc == self._taken_utc:
            return None
        self._taken_utc = fetched.utc
        return fetched.weather
