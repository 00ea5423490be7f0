"""CityLearn's 2022 data, 17 homes and a year, in CityLearn's own battery and by its own score.

    python -m benchmarks.citylearn --python ENVIRONMENT/bin/python [--homes 1,5] [--hours 8760]

It needs an environment of its own, which is no part of Holdfast's:

    python3 -m venv ENVIRONMENT
    ENVIRONMENT/bin/pip install --no-deps citylearn==1.8.0
    ENVIRONMENT/bin/pip install "numpy<2" pandas gym simplejson pyyaml

A battery is told each hour what to take in the *next* hour, of which load and PV are not known
yet. Holdfast's forecasts and ways in which load and PV may come are made from what was seen until
then, and the value of stored energy from these; the tariff is known ahead, carbon intensity is
forecast from its past. CityLearn's own forecasts of the weather are the truth, and left alone. A
kWh costs its price and its carbon, so weighed that the home's bill and its emissions of the past
count alike; an export earns nothing, as in CityLearn's score.

The score is 1.8.0's: of each home the bill and the emissions of what it takes from the grid, hour
by hour, by those without a battery; their mean over the homes. Four ways are told: plans, and
self-consumption, each on what is expected of the coming hour; and both "at the meter", where a
controller sees that hour's load and PV while they happen, which CityLearn's own controllers cannot.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

import numpy as np

from benchmarks.report import CannotRun, Report, at_least_one, at_most, new_parser, run
from holdfast.core.config.planner import MOST_DAYS
from holdfast.core.quarter_hours import QUARTER_S, quarter_of
from holdfast.forecasting.array_file import Whole
from holdfast.forecasting.history import Field, PowerHistory
from holdfast.forecasting.site_forecast import SiteForecaster
from holdfast.optimization.problem import Array, BatteryModel, PlanProblem
from holdfast.optimization.scenarios import ScenarioProblem, cost_to_come

_WORLD = Path(__file__).with_name("citylearn_world.py")
_HOMES = ",".join(str(home) for home in range(1, 18))
_START = datetime(2016, 7, 31, 23, tzinfo=UTC)
"""By the days of the week in the data."""
_AHEAD_H = 25
"""The coming hour, and a day of which its value depends."""
_YEAR_H = 8760
_QUARTERS = 3600 // QUARTER_S
TARGET = 0.765

_CAPACITY_KWH, _POWER_KW = 6.4, 5.0
_EFFICIENCY = 0.92
"""It is what plans expect one way; the battery's own depends on power."""
_AT_POWER, _OF_POWER = (0.0, 0.3, 0.7, 0.8, 1.0), (0.83, 0.83, 0.9, 0.9, 0.85)
_AT_SOC, _OF_SOC = (0.0, 0.8, 1.0), (1.0, 1.0, 0.2)
"""They are the battery's curves as CityLearn documents them: efficiency there and back by power,
and power by what is stored."""
_TRIED = 81
_CARBON_DAYS, _CARBON_FADES_DAYS, _CARBON_FADES_H = 8, 2.5, 12.0
_TERMINAL_SHARE = 0.9
_NO_ENVIRONMENT = (
    "needs a Python that has CityLearn 1.8.0; `python -m benchmarks.citylearn --help` says how"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A way to run the batteries."""

    plans: bool
    """What is stored has a value; else load and PV are followed."""
    sees_the_hour: bool


WAYS = {
    "plans": Way(plans=True, sees_the_hour=False),
    "self-consumption": Way(plans=False, sees_the_hour=False),
    "plans at the meter": Way(plans=True, sees_the_hour=True),
    "self-consumption at the meter": Way(plans=False, sees_the_hour=True),
}


@contextmanager
def opened(python: Path, homes: str, hours: int) -> Iterator["World"]:
    """CityLearn in a process of its own, with the same homes once for each way.

    Raises CannotRun where there is no such environment.
    """
    # Alone (-I): beside it lies a module with the name of what it imports.
    command = [str(python), "-I", str(_WORLD), homes, str(hours), str(len(WAYS))]
    with tempfile.TemporaryFile("w+", encoding="utf-8") as said:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
                encoding="utf-8",
            )
        except OSError as error:
            raise CannotRun(f"{python}: {error.strerror}; {_NO_ENVIRONMENT}") from error
        with process:
            try:
                yield World(process, said)
            finally:
                process.kill()


class World:
    """What CityLearn tells, and is asked for."""

    def __init__(self, process: subprocess.Popen[str], said: IO[str]) -> None:
        """Raises CannotRun if it ends before it tells anything."""
        assert process.stdin is not None, "it is a pipe"
        assert process.stdout is not None, "it is a pipe"
        self._asks, self._tells, self._said = process.stdin, process.stdout, said
        self.told = self._next()

    def step(self, energies_kwh: list[list[float]]) -> None:
        """Lets an hour pass in which the batteries take so much, by way and home."""
        self._asks.write(json.dumps(energies_kwh) + "\n")
        self._asks.flush()
        self.told = self._next()

    def scores(self) -> list[dict[str, Any]]:
        """Returns what CityLearn makes of each way."""
        scores: list[dict[str, Any]] = self._next()["scores"]
        return scores

    def _next(self) -> dict[str, Any]:
        line = self._tells.readline()
        if not line:
            self._said.seek(0)
            last = self._said.read().strip().rpartition("\n")[2]
            raise CannotRun(f"CityLearn ended: {last}; {_NO_ENVIRONMENT}")
        told: dict[str, Any] = json.loads(line)
        return told


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ahead:
    """What a home's controller knows when it is asked for the coming hour."""

    net_kwh: Array
    """Ways in which the hour may come."""
    weight: Array
    cost_per_kwh: float
    levels_kwh: Array
    cost: Array
    """What is to come after it, from each level."""

    @property
    def expected_kwh(self) -> float:
        """Returns the mean."""
        return float(self.weight @ self.net_kwh)

    def best_kwh(self, stored_kwh: float, net_kwh: float | None) -> float:
        """Returns the energy that costs least; ``net_kwh`` is seen at the meter, None: not."""
        net = self.net_kwh if net_kwh is None else np.array([net_kwh])
        weight = self.weight if net_kwh is None else np.ones(1)
        limit = _POWER_KW * float(np.interp(stored_kwh / _CAPACITY_KWH, _AT_SOC, _OF_SOC))
        tried = np.clip(np.append(np.linspace(-limit, limit, _TRIED), -net), -limit, limit)
        one_way = np.sqrt(np.interp(np.abs(tried) / _POWER_KW, _AT_POWER, _OF_POWER))
        gained = np.where(tried > 0.0, tried * one_way, tried / one_way)
        then = np.clip(stored_kwh + gained, 0.0, _CAPACITY_KWH)
        gained = then - stored_kwh
        taken = np.where(gained > 0.0, gained / one_way, gained * one_way)
        bought = weight @ np.maximum(net[:, None] + taken, 0.0)
        cost = self.cost_per_kwh * bought + np.interp(then, self.levels_kwh, self.cost)
        return float(tried[int(np.argmin(cost))])


class Home:
    """A home's controller: what was seen, and what it makes of it."""

    def __init__(self) -> None:
        self._history = PowerHistory()
        self._forecaster = SiteForecaster(self._history)
        self._paid = self._emitted = 0.0

    def see(self, hour: int, load_kwh: float, pv_kwh: float, price: float, carbon: float) -> None:
        """Takes in the hour that has passed."""
        first = quarter_of(_START + timedelta(hours=hour))
        for field, value in ((Field.LOAD_W, load_kwh), (Field.PV_W, pv_kwh)):
            self._history.put(field, first, np.full(_QUARTERS, 1e3 * value))
        bought = max(load_kwh - pv_kwh, 0.0)
        self._paid += bought * price
        self._emitted += bought * carbon

    def ahead(self, hour: int, price: Array, carbon: Array) -> Ahead:
        """Returns what is expected after ``hour``, at these prices and intensities to come."""
        now = _START + timedelta(hours=hour + 1)
        self._forecaster.learn(now)
        forecast = self._forecaster.forecast(now, float(_AHEAD_H), path_days=MOST_DAYS)
        if forecast.paths is None:
            load_w, pv_w = (np.array([each.mean_w]) for each in (forecast.load, forecast.pv))
            weight = np.ones(1)
        else:
            load_w, pv_w = forecast.paths.load_w, forecast.paths.pv_w
            weight = forecast.paths.weight
        load_w, pv_w = _hourly(load_w), _hourly(pv_w)
        of_carbon = self._paid / self._emitted if self._emitted > 0.0 else 0.0
        cost = price + of_carbon * carbon
        levels_kwh, to_come = cost_to_come(
            ScenarioProblem(
                base=_problem(cost[1:], weight @ load_w[:, 1:], weight @ pv_w[:, 1:]),
                load_w=load_w[:, 1:],
                pv_w=pv_w[:, 1:],
                weight=weight,
            )
        )
        return Ahead(
            net_kwh=(load_w - pv_w)[:, 0] / 1e3,
            weight=weight,
            cost_per_kwh=float(cost[0]),
            levels_kwh=levels_kwh,
            cost=to_come,
        )


def _hourly(powers_w: Array) -> Array:
    whole = powers_w[:, : _AHEAD_H * _QUARTERS]
    return np.asarray(whole.reshape(len(whole), _AHEAD_H, _QUARTERS).mean(axis=2))


def _problem(cost_per_kwh: Array, load_w: Array, pv_w: Array) -> PlanProblem:
    whole_wh, most_w = 1e3 * _CAPACITY_KWH, 1e3 * _POWER_KW
    return PlanProblem(
        dt_h=np.ones(len(cost_per_kwh)),
        import_price_per_kwh=cost_per_kwh,
        export_price_per_kwh=np.zeros(len(cost_per_kwh)),
        load_w=load_w,
        pv_w=pv_w,
        import_max_w=1e6,
        export_max_w=1e6,
        battery=BatteryModel(
            capacity_wh=whole_wh,
            soc_min_wh=0.0,
            soc_max_wh=whole_wh,
            soc_now_wh=0.0,
            charge_max_w=most_w,
            discharge_max_w=most_w,
            charge_efficiency=_EFFICIENCY,
            discharge_efficiency=_EFFICIENCY,
            terminal_value_per_kwh=_TERMINAL_SHARE * _EFFICIENCY * float(cost_per_kwh.min()),
        ),
    )


def carbon_ahead(past: Array, count: int) -> Array:
    """Returns what is expected after ``past``: the same hour of late, and today's being off it."""

    def pattern(hours: Whole) -> Array:
        back = hours[:, None] - 24 * np.arange(1, _CARBON_DAYS + 1)
        known = (back >= 0) & (back < len(past))
        weight = np.where(known, np.exp(-np.arange(_CARBON_DAYS) / _CARBON_FADES_DAYS), 0.0)
        summed = (weight * past[np.clip(back, 0, len(past) - 1)]).sum(axis=1)
        total = weight.sum(axis=1)
        return np.asarray(np.where(total > 0.0, summed / np.maximum(total, 1e-9), past[-1]))

    now = np.array([len(past) - 1])
    off = float(past[-1] - pattern(now)[0])
    ahead = len(past) + np.arange(count)
    return np.asarray(pattern(ahead) + off * np.exp(-np.arange(1, count + 1) / _CARBON_FADES_H))


def play(world: World, homes: list[Home]) -> None:
    """Lets the time pass."""
    price, carbon = np.array(world.told["price"]), np.zeros(0)
    for hour in range(len(price) - 1):
        told = world.told
        carbon = np.append(carbon, told["carbon"])
        for home, (load_kwh, pv_kwh) in zip(homes, told["seen"], strict=True):
            home.see(hour, load_kwh, pv_kwh, float(price[hour]), float(carbon[-1]))
        to_come = price[np.minimum(hour + 1 + np.arange(_AHEAD_H), len(price) - 1)]
        expected = carbon_ahead(carbon, _AHEAD_H)
        known = [home.ahead(hour, to_come, expected) for home in homes]
        meter = [load_kwh - pv_kwh for load_kwh, pv_kwh in told["at_the_meter"]]
        world.step(
            [
                [
                    _asked_kwh(way, one, held, net)
                    for one, held, net in zip(known, stored, meter, strict=True)
                ]
                for way, stored in zip(WAYS.values(), told["stored"], strict=True)
            ]
        )


def _asked_kwh(way: Way, ahead: Ahead, stored_kwh: float, meter_kwh: float) -> float:
    net_kwh = meter_kwh if way.sees_the_hour else None
    if way.plans:
        return ahead.best_kwh(stored_kwh, net_kwh)
    return -(ahead.expected_kwh if net_kwh is None else net_kwh)


def measure(options: argparse.Namespace) -> Report:
    """All ways."""
    begun_s = time.process_time()
    with opened(options.python, options.homes, options.hours) as world:
        play(world, [Home() for _ in options.homes.split(",")])
        scores = dict(zip(WAYS, world.scores(), strict=True))
    results = {name: _figures(score, options.homes) for name, score in scores.items()}
    planned = results["plans"]["mean"]
    return Report(
        settings={"homes": options.homes, "hours": options.hours},
        results=results | {"cpu_s": time.process_time() - begun_s},
        unit="of no storage",
        budgets=[at_most("plans, mean of price and carbon", "of no storage", TARGET, planned)],
        notes=["mean over homes of each home's share, as CityLearn 1.8.0 evaluates"],
    )


def _figures(score: dict[str, Any], homes: str) -> dict[str, Any]:
    price, carbon = score["by_home"]["price"], score["by_home"]["carbon"]
    together = score["together"]
    return {
        "price": float(np.mean(price)),
        "carbon": float(np.mean(carbon)),
        "mean": float(np.mean(price + carbon)),
        "mean_together": (together["price"] + together["carbon"]) / 2.0,
        "homes": {
            name: {"price": price[place], "carbon": carbon[place]}
            for place, name in enumerate(homes.split(","))
        },
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point."""
    parser = new_parser("citylearn", __doc__ or "")
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--python", type=Path, default=Path("citylearn/bin/python"), help="that has CityLearn"
    )
    parser.add_argument("--homes", default=_HOMES, help="of the 17 (default: all)")
    parser.add_argument(
        "--hours", type=at_least_one, default=_YEAR_H, help="from the start (default: a year)"
    )
    options = parser.parse_args(arguments)
    return run("citylearn", options, lambda: measure(options))


if __name__ == "__main__":
    sys.exit(main())
