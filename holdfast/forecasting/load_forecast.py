"""Load: people repeat themselves, so the plain mean of a week."""

from datetime import datetime

from holdfast.forecasting.forecast import PowerForecast, forecast_by_time_of_day
from holdfast.forecasting.history import PowerHistory


def forecast_load(history: PowerHistory, *, start_utc: datetime, count: int) -> PowerForecast:
    """Mean load of ``count`` quarter hours from ``start_utc``.

    Times of day that were never measured get the mean of everything measured so far; with
    no measurement at all, 0 W: the plan then trades with the battery alone.
    """
    return forecast_by_time_of_day(
        history.load_w,
        start_utc=start_utc,
        count=count,
        recency=1.0,
        fallback_w=history.load_level_w or 0.0,
    )
