"""Load and PV of the site together, for the planner."""

import math
from dataclasses import dataclass
from datetime import datetime

from holdfast.forecasting.forecast import PowerForecast
from holdfast.forecasting.history import PowerHistory, quarter_of, start_of
from holdfast.forecasting.load_forecast import forecast_load
from holdfast.forecasting.solar_forecast import forecast_solar


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteForecast:
    """What a plan rests on."""

    load: PowerForecast
    pv: PowerForecast


def forecast_site(history: PowerHistory, *, now_utc: datetime, horizon_h: float) -> SiteForecast:
    """Forecast from the quarter hour that ``now_utc`` lies in to the end of the horizon.

    Raises ValueError if ``now_utc`` is naive.
    """
    start_utc = start_of(quarter_of(now_utc))
    count = math.ceil(horizon_h * 4) + 1
    return SiteForecast(
        load=forecast_load(history, start_utc=start_utc, count=count),
        pv=forecast_solar(history, start_utc=start_utc, count=count),
    )
