"""How good are the forecasts? Made again for a recorded year, from what was known then.

    python -m benchmarks.forecast --data FILE.csv --zone Europe/Paris [--json]

Columns: ``time_utc`` (start of the interval) and ``load_w``, ``pv_w``, or a published price
(``price_..._per_kwh``); ``pv_forecast_w``, a calculated PV power, stands for the weather.
The forecaster learns once a day, as live; every few hours a forecast is made and compared
with what came, and so are "as yesterday" and "as the last week". ``--train`` lets it train
forests, which needs scikit-learn.
"""

import argparse
import csv
import itertools
import math
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from pydantic_core import to_json

from holdfast.core.quarter_hours import QUARTER_S, QUARTERS_PER_DAY, start_of
from holdfast.forecasting.array_file import Floats
from holdfast.forecasting.channel import LOAD, PRICE, PV, Channel
from holdfast.forecasting.forecast import QUANTILES
from holdfast.forecasting.history import Field, PowerHistory
from holdfast.forecasting.lookback import look_back
from holdfast.forecasting.models import persistence
from holdfast.forecasting.registry import ModelRegistry
from holdfast.forecasting.site_forecast import SiteForecaster
from holdfast.forecasting.workshop import Bench
from holdfast.site.files import write_atomically

_LEADS_H = (1, 6, 24)
_WARM_UP_DAYS = 35
_STEP = 20
"""Five hours between two forecasts: every time of day comes up."""
_HORIZON = 97
_COLUMNS = {
    "load_w": Field.LOAD_W,
    "pv_w": Field.PV_W,
    "pv_forecast_w": Field.PV_MODEL_W,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.forecast", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--zone", default="UTC", help="of the people (default: UTC)")
    parser.add_argument("--train", action="store_true", help="train forests, too")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    first, columns, step = read_columns(options.data)
    with tempfile.TemporaryDirectory() as folder:
        found = evaluate(
            first, columns, step, options.zone, Path(folder) if options.train else None
        )
    if options.json:
        print(to_json(found, indent=2, inf_nan_mode="null").decode())
    else:
        _print(found)
    return 0


def read_columns(path: Path) -> tuple[int, dict[Field, Floats], int]:
    """First quarter, values by quarter, and quarters in an interval of the file."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    quarters = [
        int(datetime.fromisoformat(row["time_utc"]).timestamp()) // QUARTER_S for row in rows
    ]
    step = min(late - early for early, late in itertools.pairwise(quarters))
    names = {name: _COLUMNS.get(name) for name in rows[0]}
    names |= {name: Field.PRICE_PER_KWH for name in rows[0] if name.startswith("price")}
    columns = {}
    for name, field in names.items():
        if field is None:
            continue
        values = np.full(quarters[-1] - quarters[0] + step, np.nan)
        for quarter, row in zip(quarters, rows, strict=True):
            begin = quarter - quarters[0]
            values[begin : begin + step] = float(row[name]) if row[name] else np.nan
        columns[field] = values
    if Field.PV_W in columns:
        columns[Field.PV_W] = without_night_gaps(columns[Field.PV_W])
    if Field.PV_MODEL_W in columns:
        columns[Field.PV_MODEL_W] = np.maximum(without_night_gaps(columns[Field.PV_MODEL_W]), 0.0)
    return quarters[0], columns, step


def without_night_gaps(values: Floats) -> Floats:
    """Gaps at times of day at which there is hardly any sun become 0 W; others stay."""
    slot = np.arange(len(values)) % QUARTERS_PER_DAY
    known = np.nan_to_num(values)
    by_slot = np.bincount(slot, known) / np.maximum(np.bincount(slot, np.isfinite(values)), 1)
    return np.where(np.isnan(values) & (by_slot[slot] < 0.05 * by_slot.max()), 0.0, values)


def evaluate(
    first: int, columns: Mapping[Field, Floats], step: int, zone: str, models: Path | None
) -> dict[str, Any]:
    """Forecast through the whole record, and compare."""
    history = PowerHistory()
    registry, shop = None, None
    if models is not None:
        registry, shop = ModelRegistry(models, write_atomically), Bench()
    forecaster = SiteForecaster(history, zone=zone, registry=registry, workshop=shop)
    channels = [channel for channel in (LOAD, PV, PRICE) if channel.field in columns]
    count = len(next(iter(columns.values())))
    made: dict[str, list[dict[str, Floats]]] = {channel.name: [] for channel in channels}
    used: dict[str, dict[str, int]] = {channel.name: {} for channel in channels}
    spent_s: list[float] = []
    learned_s: list[float] = []
    seen = 0
    for origin in range(_WARM_UP_DAYS * QUARTERS_PER_DAY, count - _HORIZON, _STEP):
        _feed(history, first, columns, seen, origin)
        seen, utc = origin, start_of(first + origin)
        begin_s = time.perf_counter()
        forecaster.learn(utc)
        learn_s = time.perf_counter()
        site = forecaster.forecast(utc, (_HORIZON - 1) / 4)
        spent_s.append(time.perf_counter() - learn_s)
        learned_s.append(learn_s - begin_s)
        price = site.price
        parts: dict[str, tuple[Sequence[float], Mapping[float, Sequence[float]], str]] = {
            "load": (site.load.mean_w, site.load.quantiles_w, site.load.model),
            "pv": (site.pv.mean_w, site.pv.quantiles_w, site.pv.model),
        }
        if price is not None:
            parts["price"] = (price.mean_per_kwh, price.quantiles_per_kwh, price.model)
        for channel in channels:
            if channel.name not in parts:
                continue
            mean, quantiles, model = parts[channel.name]
            used[channel.name][model] = used[channel.name].get(model, 0) + 1
            made[channel.name].append(
                _compared(history, channel, first + origin, columns, first, mean, quantiles, zone)
            )
    report: dict[str, Any] = {
        channel.name: _summary(made[channel.name]) | {"models_used": used[channel.name]}
        for channel in channels
    }
    report["forecast_ms"] = {
        "median": 1e3 * float(np.median(spent_s)), "p99": 1e3 * float(np.quantile(spent_s, 0.99)),
    }  # fmt: skip
    report["learn_ms_per_day"] = 1e3 * sum(learned_s) / (len(learned_s) * _STEP / QUARTERS_PER_DAY)
    report["interval_min"] = step * 15
    return report


def _feed(
    history: PowerHistory, first: int, columns: Mapping[Field, Floats], begin: int, end: int
) -> None:
    for field, values in columns.items():
        # A calculated PV power is there ahead of time; all else when it has happened.
        ahead = 2 * QUARTERS_PER_DAY if field is Field.PV_MODEL_W else 0
        history.put(field, first + begin, values[begin : end + ahead])


def _compared(
    history: PowerHistory,
    channel: Channel,
    origin: int,
    columns: Mapping[Field, Floats],
    first: int,
    mean: Sequence[float],
    quantiles: Mapping[float, Sequence[float]],
    zone: str,
) -> dict[str, Floats]:
    """Errors of one forecast and of what it competes with."""
    look = 8 * QUARTERS_PER_DAY
    past = look_back(
        history, zone, first=origin - look, count=look + _HORIZON, fields=channel.inputs
    )
    truth = columns[channel.field][origin - first : origin - first + _HORIZON]
    errors = {
        "forecast": np.array(mean) - truth,
        "yesterday": persistence(channel.field)(past, look, _HORIZON) - truth,
        "week_mean": channel.baseline.model(past, look, _HORIZON) - truth,
    }
    for level in QUANTILES:
        if level in quantiles:
            miss = truth - np.array(quantiles[level])
            errors[f"pinball_{level}"] = np.maximum(level * miss, (level - 1.0) * miss)
            errors[f"below_{level}"] = np.where(np.isfinite(miss), miss <= 0.0, np.nan)
    return errors


def _summary(made: list[dict[str, Floats]]) -> dict[str, Any]:
    names = ("forecast", "yesterday", "week_mean")
    stacked = {name: np.stack([errors[name] for errors in made]) for name in names}
    good = np.isfinite(np.stack(list(stacked.values()))).all(axis=0)
    held = {name: np.where(good, error, np.nan) for name, error in stacked.items()}
    mae = {name: float(np.nanmean(np.abs(error))) for name, error in held.items()}
    result: dict[str, Any] = {
        "forecasts": len(made),
        "mae": mae,
        "rmse": {name: math.sqrt(float(np.nanmean(error**2))) for name, error in held.items()},
        "bias": float(np.nanmean(held["forecast"])),
        "mae_by_lead_h": {
            lead: {name: float(np.nanmean(np.abs(error[:, lead * 4 - 4 : lead * 4 + 1])))
                   for name, error in held.items()}
            for lead in _LEADS_H
        },
        "skill_against_yesterday": 1.0 - mae["forecast"] / mae["yesterday"],
        "skill_against_week_mean": 1.0 - mae["forecast"] / mae["week_mean"],
    }  # fmt: skip
    for level in QUANTILES:
        for kind in ("pinball", "below"):
            rows = [errors[f"{kind}_{level}"] for errors in made if f"{kind}_{level}" in errors]
            if rows:
                result[f"{kind}_{level}"] = float(np.nanmean(np.stack(rows)))
    return result


def _print(found: Mapping[str, Any]) -> None:
    for name in ("load", "pv", "price"):
        if name not in found:
            continue
        one = found[name]
        print(f"{name}: {one['forecasts']} forecasts, models {one['models_used']}")
        for label, row in (("all leads", one["mae"]), *(
            (f"lead {lead} h", row) for lead, row in one["mae_by_lead_h"].items()
        )):  # fmt: skip
            print(f"  MAE {label:10}" + "".join(f"  {who} {row[who]:.4g}" for who in row))
        print("  RMSE          " + "".join(f"  {w} {v:.4g}" for w, v in one["rmse"].items()))
        print(
            f"  bias {one['bias']:.4g}; skill against yesterday "
            f"{one['skill_against_yesterday']:.3f}, week mean {one['skill_against_week_mean']:.3f}"
        )
        for level in QUANTILES:
            if f"below_{level}" in one:
                print(
                    f"  {level:.0%} quantile: {one[f'below_{level}']:.1%} below it, "
                    f"pinball {one[f'pinball_{level}']:.4g}"
                )
    times = found["forecast_ms"]
    print(f"one forecast: median {times['median']:.2f} ms, p99 {times['p99']:.2f} ms")
    print(f"learning: {found['learn_ms_per_day']:.0f} ms a day")


if __name__ == "__main__":
    sys.exit(main())
