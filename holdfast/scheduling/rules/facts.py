"""The facts of a moment are made of what a planner knows; what it does not know is left out."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from holdfast.calendars.holiday_days import holiday_calendars, holiday_on
from holdfast.core.config import Site
from holdfast.core.config.local_window import WEEKDAYS
from holdfast.core.errors import ConfigError
from holdfast.core.quarter_hours import QUARTER, quarter_of, quarter_start
from holdfast.forecasting.forecast import PowerForecast
from holdfast.forecasting.site_forecast import SiteForecast
from holdfast.forecasting.weather import WeatherForecast
from holdfast.markets.prices import PriceSeries, PriceSlot
from holdfast.markets.site_prices import SitePrices
from holdfast.scheduling.rules.fact_table import Facts, FactValue

_HOUR = timedelta(hours=1)
_QUANTILES = {"price_p05": 0.05, "price_p25": 0.25, "price_p50": 0.5, "price_p75": 0.75,
              "price_p95": 0.95}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Holds what a planner knows at one moment; None is what it does not."""

    utc: datetime
    prices: SitePrices | None = None
    """They reach from local midnight, or the day's figures are not known."""
    forecast: SiteForecast | None = None
    weather: WeatherForecast | None = None
    soc_pct: float | None = None
    """It is that of all units together."""
    grid_w: float | None = None
    pv_w: float | None = None
    load_w: float | None = None
    battery_w: float | None = None
    is_holiday: bool | None = None
    signals: Facts = field(default_factory=dict)


def facts_of(known: Known, zone: ZoneInfo) -> Facts:
    """Returns the facts by name."""
    facts: dict[str, FactValue | None] = {
        **_times(known, zone),
        **_measured(known),
        **_price_facts(known, zone),
        **_energies(known, zone),
        **_weather(known),
        **known.signals,
    }
    return {name: value for name, value in facts.items() if value is not None and _is_finite(value)}


def is_holiday(site: Site, utc: datetime) -> bool | None:
    """Says whether a calendar of the site's schedule has a holiday; None if it has no such one."""
    day = utc.astimezone(ZoneInfo(site.timezone)).date()
    try:
        found = [holiday_on(calendar, day) for calendar in holiday_calendars(site.schedule)]
    except ConfigError:
        return None
    return any(found) if found else None


def day_bounds(utc: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Returns start and end of the local day that ``utc`` lies in; it may have 23 or 25 hours."""
    local = utc.astimezone(zone)
    midnight = datetime(local.year, local.month, local.day, tzinfo=zone)
    # A day later on the wall clock, which is wanted here.
    return midnight.astimezone(UTC), (midnight + timedelta(days=1)).astimezone(UTC)


def _is_finite(value: FactValue) -> bool:
    return not isinstance(value, float) or math.isfinite(value)


def _times(known: Known, zone: ZoneInfo) -> dict[str, FactValue | None]:
    local = known.utc.astimezone(zone)
    return {
        "hour": local.hour + local.minute / 60.0,
        "weekday": WEEKDAYS[local.weekday()],
        "day": float(local.day),
        "month": float(local.month),
        "is_holiday": known.is_holiday,
    }


def _measured(known: Known) -> dict[str, FactValue | None]:
    both = known.pv_w is not None and known.load_w is not None
    return {
        "soc_pct": known.soc_pct,
        "grid_w": known.grid_w,
        "pv_w": known.pv_w,
        "load_w": known.load_w,
        "battery_w": known.battery_w,
        "surplus_w": (known.pv_w or 0.0) - (known.load_w or 0.0) if both else None,
    }


def _price_facts(known: Known, zone: ZoneInfo) -> dict[str, FactValue | None]:
    if known.prices is None:
        return {}
    series = known.prices.purchase
    now = series.price_at(known.utc)
    facts: dict[str, FactValue | None] = {
        "price_per_kwh": now,
        "feed_in_per_kwh": known.prices.feed_in.price_at(known.utc),
    }
    until = series.known_until(known.utc)
    start, end = day_bounds(known.utc, zone)
    day = None if now is None else _quarters(series, start, end)
    if day is not None and now is not None:
        facts |= _figures(day, "today")
        facts["cheaper_hours_today"] = sum(price < now for price in day) / 4.0
        facts["dearer_hours_today"] = sum(price > now for price in day) / 4.0
    if until is not None:
        facts["known_hours_ahead"] = (until - known.utc) / _HOUR
        facts |= _figures(_quarters(series, quarter_start(known.utc), until) or [], "ahead")
        of_all = [] if day is None else _quarters(series, start, until) or []
        if of_all:
            values = np.quantile(of_all, [*_QUANTILES.values()])
            facts |= {name: float(at) for name, at in zip(_QUANTILES, values, strict=True)}
    return facts


def _figures(prices: Sequence[float], when: str) -> dict[str, FactValue | None]:
    if not prices:
        return {}
    return {
        f"price_min_{when}": min(prices),
        f"price_mean_{when}": sum(prices) / len(prices),
        f"price_max_{when}": max(prices),
    }


def _quarters(series: PriceSeries, start: datetime, end: datetime) -> list[float] | None:
    """Returns the prices of the quarter hours of a window; None if one is missing."""
    prices: list[float] = []
    utc = start
    for slot in series.between(start, end):
        if slot.start_utc > utc:
            return None
        held = [slot.price_per_kwh for _ in _starts(slot, utc, end)]
        prices += held
        utc += len(held) * QUARTER
    return prices if utc >= end else None


def _starts(slot: PriceSlot, start: datetime, end: datetime) -> Iterator[datetime]:
    utc = start
    while utc < min(slot.end_utc, end):
        yield utc
        utc += QUARTER


def _energies(known: Known, zone: ZoneInfo) -> dict[str, FactValue | None]:
    forecast = known.forecast
    if forecast is None:
        return {}
    _, midnight = day_bounds(known.utc, zone)
    _, next_midnight = day_bounds(midnight, zone)
    windows = {
        "next_1h": (known.utc, known.utc + _HOUR),
        "next_4h": (known.utc, known.utc + 4 * _HOUR),
        "rest_of_today": (known.utc, midnight),
        "tomorrow": (midnight, next_midnight),
    }
    return {
        f"{name}_{when}_wh": _energy_wh(power, *window)
        for name, power in (("pv", forecast.pv), ("load", forecast.load))
        for when, window in windows.items()
    }


def _energy_wh(power: PowerForecast, start: datetime, end: datetime) -> float | None:
    """Returns the energy in a window in Wh; None if the forecast does not cover it."""
    if start < power.start_utc or end > power.end_utc:
        return None
    total_wh, utc = 0.0, start
    while utc < end:
        until = min(quarter_start(utc) + QUARTER, end)
        total_wh += (power.at(utc) or 0.0) * ((until - utc) / _HOUR)
        utc = until
    return total_wh


def _weather(known: Known) -> dict[str, FactValue | None]:
    weather, forecast = known.weather, known.forecast
    temperature_c = None if forecast is None else forecast.temperature_at(known.utc)
    if weather is None:
        return {"temperature_c": temperature_c}
    index = quarter_of(known.utc) - weather.first
    if not 0 <= index < len(weather):
        return {"temperature_c": temperature_c}
    return {
        "temperature_c": float(weather.temperature_c[index]),
        "wind_m_s": float(weather.wind_m_s[index]),
        "sun_w_m2": float(weather.ghi_w_m2[index]),
    }
