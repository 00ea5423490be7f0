"""What a site's planner would have foreseen, each time that it would have planned.

Load and PV do not depend on battery and tariff: whoever compares these asks once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from holdfast.backtest.quarter_data import QuarterData
from holdfast.backtest.run import Floats
from holdfast.backtest.world import PUBLISHED_AT_H
from holdfast.core.config import Site
from holdfast.core.quarter_hours import quarter_of
from holdfast.forecasting.history import Field, PowerHistory
from holdfast.forecasting.site_forecast import site_forecaster
from holdfast.forecasting.workshop import Bench

EVERY_QUARTERS = 8
"""A plan is made anew every two hours."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Foreseen:
    """Holds what one plan rests on."""

    index: int
    """It is that of the quarter hour with which the plan begins."""
    until: int
    """There the next plan begins."""
    load_w: Floats
    """It is forecast for each quarter hour as far as prices are known."""
    pv_w: Floats
    a_day: bool
    """A day of the house was measured; before, nothing that is stored is sold."""


def foresee(site: Site, data: QuarterData, past: QuarterData | None) -> Iterator[Foreseen]:
    """Yields what is foreseen at each time of a plan, from nothing but what was measured before.

    No plan reaches over a hole in ``data``: there no price is known.
    """
    history = PowerHistory()
    # PV is calculated as live; nothing is trained, so that a run is short.
    forecaster = site_forecaster(site, history, workshop=Bench())
    zone, quantile = ZoneInfo(site.timezone), site.planner.load_quantile
    horizon = round(site.planner.horizon_h * 4)
    if past is not None:
        _remember(history, past, 0, len(past.load_w))
    seen = 0
    for stretch in data.stretches:
        begins = [index for index in stretch if _is_due(data.first + index)]
        begins = [stretch.start, *(index for index in begins if index > stretch.start)]
        for begin, until in zip(begins, [*begins[1:], stretch.stop], strict=True):
            _remember(history, data, seen, begin)
            seen, now_utc = begin, data.start_of(begin)
            published = quarter_of(_published_until(now_utc, zone)) - data.first
            count = min(horizon, published - begin, stretch.stop - begin)
            forecaster.learn(now_utc)
            forecast = forecaster.forecast(now_utc, count / 4.0)
            load_w = forecast.load.levels(quantile, now_utc, count)
            pv_w = forecast.pv.levels(1.0 - quantile, now_utc, count)
            assert load_w is not None, "a forecast begins with its time"
            assert pv_w is not None, "a forecast begins with its time"
            yield Foreseen(
                index=begin,
                until=until,
                load_w=np.asarray(load_w),
                pv_w=np.asarray(pv_w),
                a_day=forecast.learned.a_day,
            )


def _is_due(quarter: int) -> bool:
    return quarter % EVERY_QUARTERS == 0


def _remember(history: PowerHistory, data: QuarterData, begin: int, end: int) -> None:
    for field, values in ((Field.LOAD_W, data.load_w), (Field.PV_W, data.pv_w)):
        history.put(field, data.first + begin, values[begin:end])


def _published_until(now_utc: datetime, zone: ZoneInfo) -> datetime:
    """Returns the end of the local day, or from 13:00 on of the next one."""
    local = now_utc.astimezone(zone)
    days = 2 if local.hour >= PUBLISHED_AT_H else 1
    midnight = datetime(local.year, local.month, local.day, tzinfo=zone)
    return (midnight + timedelta(days=days)).astimezone(UTC)
