"""PV: weather lasts, so yesterday counts more than last week."""

from datetime import datetime

from holdfast.forecasting.forecast import PowerForecast, forecast_by_time_of_day
from holdfast.forecasting.history import PowerHistory

_RECENCY = 0.7
"""Yesterday has a third of the weight of a week."""


def forecast_solar(history: PowerHistory, *, start_utc: datetime, count: int) -> PowerForecast:
    """Mean PV power of ``count`` quarter hours from ``start_utc``.

    Times of day that were never measured get 0 W: no plan counts on sun that was never
    seen here. For a day after commissioning this underestimates; PV surplus is stored all
    the same, since that needs no forecast.
    """
    return forecast_by_time_of_day(
        history.pv_w, start_utc=start_utc, count=count, recency=_RECENCY, fallback_w=0.0
    )
