"""What a plan costs: the solver alone, and the whole plan with its modes and reasons.

The problems are those that the scheduler itself poses for the demonstration's house with the
sample prices, each try at another quarter hour and state of charge. "cold" knows nothing of
the try before; "re-solved" starts from its answer.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import yaml

from benchmarks.report import Report, at_least_one, at_most, new_parser, run, summarise
from holdfast.core.config import Site
from holdfast.core.site_file import parse_site
from holdfast.forecasting.history import QUARTER, PowerHistory
from holdfast.forecasting.site_forecast import SiteForecast, forecast_site
from holdfast.optimization.model import PlanModel
from holdfast.optimization.problem import PlanProblem, PlanSolution
from holdfast.scheduling import daily_scheduler
from holdfast.scheduling.daily_scheduler import DailyScheduler
from holdfast.testing.demo_site import demo_content, demo_prices, sample_site_prices
from holdfast.testing.plant.household import Household

COLD_48_H_MS, AGAIN_48_H_MS, COLD_7_DAYS_MS = 6.0, 1.5, 30.0
_STARTS = 96
"""Quarter hours at which plans begin; the sample reaches far enough for 7 days from each."""
_HISTORY = timedelta(days=7)
_SOC_STEP_PCT, _SOC_LOW_PCT, _SOC_SPAN_PCT = 7.0, 20.0, 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    now_utc: datetime
    soc_pct: float
    forecast: SiteForecast


class _Household:
    """Plans of one length for one house."""

    def __init__(self, horizon_h: int, tries: int) -> None:
        content = demo_content(Path("/nowhere")) | {
            "prices": demo_prices("sample"),
            "planner": {"horizon_h": horizon_h},
        }
        self._site: Site = parse_site(yaml.safe_dump(content))
        self._prices = sample_site_prices(self._site)
        self._cases = list(self._make_cases(tries))

    def _make_cases(self, tries: int) -> Iterator[_Case]:
        start = self._prices.purchase.slots[0].start_utc
        history = _past(start)
        for index in range(tries):
            now_utc = start + index % _STARTS * QUARTER
            soc_pct = _SOC_LOW_PCT + index * _SOC_STEP_PCT % _SOC_SPAN_PCT
            forecast = forecast_site(
                history, now_utc=now_utc, horizon_h=self._site.planner.horizon_h
            )
            yield _Case(now_utc=now_utc, soc_pct=soc_pct, forecast=forecast)

    def make_plans(self) -> tuple[list[float], list[PlanProblem]]:
        """Times of the scheduler in ms, and the problems that it posed."""
        problems: list[PlanProblem] = []

        class Listening(PlanModel):
            def solve(self, problem: PlanProblem, *, warm: bool = True) -> PlanSolution:
                problems.append(problem)
                return super().solve(problem, warm=warm)

        times_ms = []
        with mock.patch.object(daily_scheduler, "PlanModel", Listening):
            scheduler = DailyScheduler(self._site)
            for case in self._cases:
                began_s = time.perf_counter()
                scheduler.make_plan(
                    now_utc=case.now_utc,
                    soc_pct=case.soc_pct,
                    prices=self._prices,
                    forecast=case.forecast,
                )
                times_ms.append((time.perf_counter() - began_s) * 1e3)
        return times_ms, problems


def _past(start: datetime) -> PowerHistory:
    history, house = PowerHistory(), Household(seed=1)
    for index in range(_HISTORY // QUARTER):
        utc = start - _HISTORY + index * QUARTER
        pv_w, load_w = house.power_w(utc.timestamp())
        history.add(utc, load_w, pv_w)
    return history


def _solve(problems: list[PlanProblem], *, warm: bool) -> list[float]:
    """Times in ms, on one model as the scheduler keeps it."""
    model = PlanModel(problems[0].slots)
    model.solve(problems[0])
    times_ms = []
    for problem in problems:
        began_s = time.perf_counter()
        model.solve(problem, warm=warm)
        times_ms.append((time.perf_counter() - began_s) * 1e3)
    return times_ms


def _solve_first(problems: list[PlanProblem]) -> list[float]:
    """Times in ms with a model that is made for each problem."""
    times_ms = []
    for problem in problems:
        began_s = time.perf_counter()
        PlanModel(problem.slots).solve(problem)
        times_ms.append((time.perf_counter() - began_s) * 1e3)
    return times_ms


def _measure_length(horizon_h: int, tries: int) -> dict[str, Any]:
    plan_ms, problems = _Household(horizon_h, tries).make_plans()
    return {
        "solve, cold": summarise(_solve(problems, warm=False)),
        "solve, cold, new model": summarise(_solve_first(problems)),
        "solve, re-solved": summarise(_solve(problems, warm=True)),
        "whole plan": summarise(plan_ms),
    }


def measure(options: argparse.Namespace) -> Report:
    """Two days, then seven."""
    short = _measure_length(48, options.tries)
    long = _measure_length(168, options.tries)
    return Report(
        settings={"tries": options.tries},
        results={"48 h": short, "7 days": long},
        unit="ms",
        budgets=[
            at_most("48 h, cold, median", "ms", COLD_48_H_MS, short["solve, cold"]["p50"]),
            at_most(
                "48 h, cold with a new model, median",
                "ms",
                COLD_48_H_MS,
                short["solve, cold, new model"]["p50"],
            ),
            at_most("48 h, whole plan, median", "ms", COLD_48_H_MS, short["whole plan"]["p50"]),
            at_most(
                "48 h, re-solved, median", "ms", AGAIN_48_H_MS, short["solve, re-solved"]["p50"]
            ),
            at_most("7 days, cold, median", "ms", COLD_7_DAYS_MS, long["solve, cold"]["p50"]),
            at_most("7 days, whole plan, median", "ms", COLD_7_DAYS_MS, long["whole plan"]["p50"]),
        ],
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point."""
    parser = new_parser("plan", "Time of a plan: solver alone, and the whole plan.")
    parser.add_argument("--tries", type=at_least_one, default=200, help="plans of each length")
    options = parser.parse_args(arguments)
    return run("plan", options, lambda: measure(options))


if __name__ == "__main__":
    sys.exit(main())
