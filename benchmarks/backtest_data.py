"""Years to backtest: recorded ones where HOLDFAST_SHARED_DATA has them, else a generated one.

Recorded houses have no owner's prices, so tariffs are assumed, and named in each title. Houses
and prices of different places or years are a pairing, which the title says.
"""

import csv
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from benchmarks.report import CannotRun
from holdfast.backtest.data import Row, SiteData
from holdfast.simulation.plant import Household, HouseholdSpec

_STEP_S = 900
_DAY_S = 86_400
_HOUSE_FR = "household_fr_2024.csv"
_HOUSE_CA = "home_CA_citylearn_B01_2016-08_2017-07_hourly.csv"
_PRICE_FR = "price_FR_2024-01_2024-09_hourly.csv"
_PRICE_NL = "price_NL_2023_hourly.csv"
_AGILE = "price_GB_agile_{}_2022-11_2023-12_30min_gbp.csv"
_NIGHT_SHARE = 0.01
"""Of peak power under a clear sky: less is night."""

Series = Mapping[int, float]
"""Value by start of its quarter hour, seconds since 1970."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Year:
    """Data with a name that says what they are."""

    title: str
    currency: str
    timezone: str
    data: SiteData


def recorded_years(folder: Path) -> list[Year]:
    """All pairings that the folder has data for. Raises CannotRun."""
    try:
        return [_french(folder), _dutch(folder), _british(folder)]
    except (OSError, ValueError, KeyError) as error:
        raise CannotRun(f"HOLDFAST_SHARED_DATA: {error!r}") from error


def generated_year(days: int = 365) -> Year:
    """A simulated house with invented prices; always the same."""
    house, rng = Household(seed=5), np.random.default_rng(3)
    first = int(datetime(2025, 1, 1, tzinfo=UTC).timestamp()) // _DAY_S
    rows: list[Row] = []
    for day in range(first, first + days):
        pv_w, load_w = (values[:-1].reshape(96, 15).mean(axis=1) for values in house.day(day))
        level = rng.normal(0.09, 0.03)
        for quarter in range(96):
            price = level + _shape(quarter / 4.0)
            rows.append(
                Row(
                    start_s=day * _DAY_S + quarter * _STEP_S,
                    import_price_per_kwh=(price + 0.14) * 1.19,
                    export_price_per_kwh=price - 0.005,
                    load_w=float(load_w[quarter]),
                    pv_w=float(pv_w[quarter]),
                )
            )
    return Year(
        title="generated house and prices",
        currency="EUR",
        timezone="Europe/Berlin",
        data=SiteData(step_s=_STEP_S, rows=tuple(rows)),
    )


def _shape(hour: float) -> float:
    """A day-ahead price over its mean: morning and evening peak, noon valley; EUR/kWh."""
    return (
        0.06 * math.exp(-(((hour - 18.0) / 2.0) ** 2))
        + 0.03 * math.exp(-(((hour - 7.0) / 1.5) ** 2))
        - 0.07 * math.exp(-(((hour - 12.5) / 2.5) ** 2))
    )


def _french(folder: Path) -> Year:
    load_w = _series(folder / _HOUSE_FR, "load_w", 1800)
    pv_w = _nights_filled(load_w, _series(folder / _HOUSE_FR, "pv_w", 1800))
    pv_forecast_w = _series(folder / _HOUSE_FR, "pv_forecast_w", 1800)
    price = _series(folder / _PRICE_FR, "price_eur_per_kwh", 3600)
    return Year(
        title="house FR 2024 with FR day-ahead 2024-02 to 2024-09, (price + 0.12) x 1.2 / price; "
        "PV as forecast at the time; days with lost data skipped",
        currency="EUR",
        timezone="Europe/Paris",
        data=_whole_days(
            load_w, pv_w, lambda s: ((price[s] + 0.12) * 1.2, price[s]), pv_forecast_w
        ),
    )


def _dutch(folder: Path) -> Year:
    price = _series(folder / _PRICE_NL, "price_eur_per_kwh", 3600)
    load_w, pv_w = _californian(folder, 9)
    return Year(
        title="pairing: house CA 2016/17 moved to NL day-ahead 2023, (price + 0.13) x 1.21 / price",
        currency="EUR",
        timezone="Europe/Amsterdam",
        data=_whole_days(load_w, pv_w, lambda s: ((price[s] + 0.13) * 1.21, price[s])),
    )


def _british(folder: Path) -> Year:
    bought, sold = (
        _series(folder / _AGILE.format(way), "price_gbp_per_kwh", 1800)
        for way in ("import", "export")
    )
    load_w, pv_w = _californian(folder, 8)
    return Year(
        title="pairing: house CA 2016/17 moved to GB Octopus Agile and Agile Outgoing 2023",
        currency="GBP",
        timezone="Europe/London",
        data=_whole_days(load_w, pv_w, lambda s: (bought[s], sold[s])),
    )


def _californian(folder: Path, hours_east: int) -> tuple[Series, Series]:
    """The house on the same day of the year and weekday in 2023, at its own time of day."""
    east = timedelta(hours=hours_east)
    # Whole weeks: from 2017 for January to July, from 2016 for the rest of the year.
    shifts = (timedelta(weeks=313) - east, timedelta(weeks=365) - east)
    moved: tuple[dict[int, float], dict[int, float]] = ({}, {})
    for column, target in zip(("load_w", "pv_w"), moved, strict=True):
        house = _series(folder / _HOUSE_CA, column, 3600)
        start_s = int(datetime(2023, 1, 1, tzinfo=UTC).timestamp())
        august_s = int(datetime(2023, 8, 1, tzinfo=UTC).timestamp())
        for second in range(start_s, start_s + 365 * _DAY_S, _STEP_S):
            shift = shifts[second >= august_s]
            source = second - int(shift.total_seconds())
            if source in house:
                target[second] = house[source]
    return moved


def _series(path: Path, column: str, step_s: int) -> dict[int, float]:
    """A column, each value for all quarter hours of its step; empty cells are left out."""
    values: dict[int, float] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row[column] == "":
                continue
            start_s = int(datetime.fromisoformat(row["time_utc"]).timestamp())
            for second in range(start_s, start_s + step_s, _STEP_S):
                values[second] = float(row[column])
    return values


def _nights_filled(load_w: Series, pv_w: dict[int, float]) -> Series:
    """Missing PV at night is 0; missing by day stays missing."""
    spec = HouseholdSpec(latitude_deg=46.5, longitude_deg=2.5, clouds=False, appliances=False)
    sky = Household(seed=0, spec=spec)
    for second in load_w:
        if second not in pv_w and sky.power_w(second)[0] < _NIGHT_SHARE * spec.pv_peak_w:
            pv_w[second] = 0.0
    return pv_w


def _whole_days(
    load_w: Series,
    pv_w: Series,
    prices: Callable[[int], tuple[float, float]],
    pv_forecast_w: Series | None = None,
) -> SiteData:
    """Every UTC day that lacks nothing; between others the clock jumps. Raises KeyError."""
    rows: list[Row] = []
    for day in range(min(load_w) // _DAY_S, max(load_w) // _DAY_S + 1):
        try:
            found = []
            for second in range(day * _DAY_S, (day + 1) * _DAY_S, _STEP_S):
                bought, sold = prices(second)
                found.append(
                    Row(
                        start_s=second,
                        import_price_per_kwh=bought,
                        export_price_per_kwh=sold,
                        load_w=load_w[second],
                        pv_w=pv_w[second],
                        pv_forecast_w=(pv_forecast_w or {}).get(second),
                    )
                )
        except KeyError:
            continue
        rows += found
    if not rows:
        raise KeyError("no whole day")
    count = (rows[-1].start_s - rows[0].start_s) // _STEP_S + 1
    return SiteData(step_s=_STEP_S, rows=tuple(rows), missing=count - len(rows))
