"""The collector knows what the weather service last told, and when to ask it again.

Who calls it decides who waits.
"""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from holdfast.core.config import Location
from holdfast.core.errors import SourceError, WeatherDataError
from holdfast.core.quarter_hours import quarter_of
from holdfast.forecasting.weather import WeatherForecast, ask_weather
from holdfast.forecasting.weather_cache import FetchedWeather, WeatherCache
from holdfast.web.backoff import wait_after_failure
from holdfast.web.request import Conversation

_log = logging.getLogger(__name__)

ASK_EVERY = timedelta(hours=1)
"""The service's models run hourly at most."""
STALE_AFTER = timedelta(hours=6)
"""Global models run every six hours: older than that, a newer one was missed."""
_LIMITED = timedelta(hours=1)
"""Its limits are per minute, hour and day, and it does not say when the next begins."""
_SPREAD = timedelta(minutes=5)
"""It is there so that not all sites ask in the same second."""
_LONGEST_WAIT = timedelta(days=2)

Fetch = Callable[[Conversation[WeatherForecast]], WeatherForecast]


@dataclass(frozen=True, slots=True, kw_only=True)
class WeatherState:
    """Holds what was last told."""

    fetched: FetchedWeather | None = None
    """It is None if nothing was ever told."""
    error: str = ""
    """It tells why nothing came the last time; empty if something did."""
    failures: int = 0
    """These failures came in a row."""
    ask_utc: datetime
    """The service is to be asked next at this time."""

    def age(self, utc: datetime) -> timedelta | None:
        """Returns the time since the weather last came; None if it never did."""
        return None if self.fetched is None else utc - self.fetched.utc

    def is_stale(self, utc: datetime) -> bool:
        """Says whether newer weather should have come since, or none ever did."""
        age = self.age(utc)
        return age is None or age > STALE_AFTER


class WeatherCollector:
    """Keeps the weather of one place. One thread may refresh while others read ``state``."""

    def __init__(
        self,
        location: Location,
        url: str,
        *,
        cache: WeatherCache,
        fetch: Fetch,
        chance: Callable[[], float],
        now_utc: datetime,
    ) -> None:
        """``chance`` gives random numbers from 0 to 1. Begins with what is in the cache."""
        self._location = location
        self._url = url
        self._asked = hashlib.sha256(f"{url} {location.model_dump_json()}".encode()).hexdigest()
        self._cache = cache
        self._fetch = fetch
        self._chance = chance
        fetched = cache.load(self._asked)
        ask_utc = now_utc
        if fetched is not None and fetched.utc <= now_utc:
            # A process that is started again and again must not ask each time.
            ask_utc = self._next_ask(fetched.utc)
        self.state = WeatherState(fetched=fetched, ask_utc=ask_utc)

    def refresh(self, utc: datetime) -> None:
        """Asks if the time has come. Takes as long as the answer does."""
        # A clock that was set back must not keep us waiting for years.
        if not utc < self.state.ask_utc < utc + _LONGEST_WAIT:
            self.state = self._told(utc)

    def _told(self, utc: datetime) -> WeatherState:
        state = self.state
        try:
            weather = self._fetch(ask_weather(self._location, self._url))
            _check_now(weather, utc)
        except SourceError as error:
            failures = state.failures + 1
            wait = wait_after_failure(failures, error, _LIMITED, self._chance())
            if str(error) != state.error:
                _log.warning("there is no new weather, the old one stays: %s", error)
            return replace(state, error=str(error), failures=failures, ask_utc=utc + wait)
        if state.failures:
            _log.warning("there is new weather again")
        fetched = FetchedWeather(utc=utc, weather=weather)
        self._cache.keep(self._asked, fetched)
        return WeatherState(fetched=fetched, ask_utc=self._next_ask(utc))

    def _next_ask(self, utc: datetime) -> datetime:
        return utc + ASK_EVERY + self._chance() * _SPREAD


def _check_now(weather: WeatherForecast, utc: datetime) -> None:
    """Raises WeatherDataError for weather without the sun of this quarter hour."""
    index = quarter_of(utc) - weather.first
    suns = (weather.ghi_w_m2, weather.dni_w_m2, weather.dhi_w_m2)
    if not 0 <= index < len(weather) or not all(np.isfinite(sun[index]) for sun in suns):
        raise WeatherDataError("the answer has no radiation for now")
