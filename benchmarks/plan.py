"""What a plan costs: the solver alone, and the whole plan with its modes and reasons.

The problems are those that the scheduler itself poses for the demonstration's house with the
sample prices, each try at another quarter hour and state of charge. "cold" knows nothing of
the try before; "re-solved" starts from its answer.
"""

import argparse
import math
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import yaml

from benchmarks.direct_milp import best_objective
from benchmarks.hard_plans import (
    KINDS,
    WITH_LOADS,
    hard_problem,
    heated_house,
    house_with_loads,
    house_with_many_loads,
)
from benchmarks.report import Report, at_least_one, at_most, new_parser, run, summarise
from holdfast.core.config import Site
from holdfast.core.config.planner import MOST_DAYS
from holdfast.core.quarter_hours import QUARTER
from holdfast.forecasting.history import PowerHistory
from holdfast.forecasting.site_forecast import SiteForecast, SiteForecaster
from holdfast.optimization import model
from holdfast.optimization.model import PlanModel
from holdfast.optimization.problem import PlanProblem, PlanSolution
from holdfast.optimization.scenarios import ScenarioProblem, find_marks
from holdfast.optimization.site_model import solve_site
from holdfast.optimization.site_problem import SiteProblem
from holdfast.runtime.plan_worker import PlanWorker
from holdfast.scheduling.daily_scheduler import DailyScheduler
from holdfast.scheduling.plan_question import PlanQuestion
from holdfast.simulation.demo_site import demo_content, demo_prices, sample_site_prices
from holdfast.simulation.plant.household import Household
from holdfast.site.site_file import parse_site

HARD_48_H_MS, HARD_7_DAYS_MS, OFF_PCT = 100.0, 400.0, 0.01
HOUSE_MS, HOUSE_GAP_PCT, MEMORY_MB = 2_000.0, 0.5, 256.0
FEED_IN_3_MS, FEED_IN_3_GAP_PCT, FEED_IN_30_MS, FEED_IN_30_GAP_PCT = 2_000.0, 0.15, 4_000.0, 1.0
_CROWDS = (10, 30)
_COMPARED_SLOTS = 96
_DIRECT_LIMIT_S = 60.0
COLD_48_H_MS, AGAIN_48_H_MS, COLD_7_DAYS_MS = 6.0, 1.5, 30.0
SCENARIOS_48_H_MS = 60.0
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
        self.site: Site = parse_site(yaml.safe_dump(content))
        self._prices = sample_site_prices(self.site)
        self._cases = list(self._make_cases(tries))

    def _make_cases(self, tries: int) -> Iterator[_Case]:
        start = self._prices.purchase.slots[0].start_utc
        history = _past(start)
        for index in range(tries):
            now_utc = start + index % _STARTS * QUARTER
            soc_pct = _SOC_LOW_PCT + index * _SOC_STEP_PCT % _SOC_SPAN_PCT
            forecast = SiteForecaster(history).forecast(now_utc, self.site.planner.horizon_h)
            yield _Case(now_utc=now_utc, soc_pct=soc_pct, forecast=forecast)

    def questions(self) -> Iterator[PlanQuestion]:
        """What the scheduler is asked."""
        for case in self._cases:
            yield PlanQuestion(
                now_utc=case.now_utc,
                soc_pct=case.soc_pct,
                prices=self._prices,
                forecast=case.forecast,
            )

    def make_plans(self) -> tuple[list[float], list[PlanProblem]]:
        """Times of the scheduler in ms, and the problems that it posed."""
        problems: list[PlanProblem] = []

        class Listening(PlanModel):
            def solve(self, problem: PlanProblem, *, warm: bool = True) -> PlanSolution:
                problems.append(problem)
                return super().solve(problem, warm=warm)

        times_ms = []
        with mock.patch.object(model, "PlanModel", Listening):
            scheduler = DailyScheduler(self.site)
            for question in self.questions():
                began_s = time.perf_counter()
                scheduler.make_plan(question)
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


def _measure_scenarios(tries: int) -> dict[str, Any]:
    """The worth of stored energy against as many ways as a planner looks at, all unlike."""
    _, problems = _Household(48, tries).make_plans()
    random, shape = np.random.default_rng(1), (MOST_DAYS, problems[0].slots)
    times_ms = []
    for problem in problems:
        load_w = problem.load_w * random.uniform(0.3, 1.7, shape)
        pv_w = problem.pv_w * random.uniform(0.1, 1.9, shape)
        question = ScenarioProblem(base=problem, load_w=load_w, pv_w=pv_w)
        began_s = time.perf_counter()
        find_marks(question)
        times_ms.append((time.perf_counter() - began_s) * 1e3)
    return summarise(times_ms)


def _measure_hard(tries: int) -> dict[str, Any]:
    """Problems of all kinds in turn; the shortest ones against a direct MILP as well."""
    lengths = {"48 h": 192, "7 days": 672}
    results: dict[str, Any] = {}
    for name, slots in lengths.items():
        times_ms = []
        for number in range(tries):
            for kind in KINDS:
                asked = hard_problem(kind, slots, number)
                began_s = time.perf_counter()
                PlanModel(slots).solve(asked)
                times_ms.append((time.perf_counter() - began_s) * 1e3)
        results[name] = summarise(times_ms)
    direct_ms, pairs = [], []
    for kind in KINDS:
        asked = hard_problem(kind, _COMPARED_SLOTS, 0)
        began_s = time.perf_counter()
        best = best_objective(asked, time_limit_s=_DIRECT_LIMIT_S)
        direct_ms.append((time.perf_counter() - began_s) * 1e3)
        pairs.append((PlanModel(_COMPARED_SLOTS).solve(asked).objective, best))
    results["24 h: the direct MILP"] = summarise(direct_ms)
    results["24 h: off the direct MILP, %"] = _farthest_off_pct(pairs)
    return results


def _farthest_off_pct(pairs: list[tuple[float, float]]) -> float:
    """Of objectives and those of the direct MILP, where it ended in time; nan if it never did."""
    off_pct = [100.0 * (found - best) / abs(best) for found, best in pairs if math.isfinite(best)]
    return max(off_pct, default=math.nan)


def _measure_loads(tries: int) -> dict[str, Any]:
    """A house with loads that wait; a day of each kind against a direct MILP as well."""
    times_ms, pairs = [], []
    for kind in WITH_LOADS:
        for number in range(tries):
            asked = house_with_loads(kind, 192, number)
            began_s = time.perf_counter()
            solve_site(asked)
            times_ms.append((time.perf_counter() - began_s) * 1e3)
        asked = house_with_loads(kind, _COMPARED_SLOTS, 0)
        best = best_objective(asked.base, asked.loads, time_limit_s=_DIRECT_LIMIT_S)
        pairs.append((solve_site(asked).plan.objective, best))
    return {
        "48 h": summarise(times_ms),
        "24 h: off the direct MILP, %": _farthest_off_pct(pairs),
    }


def _measure_gaps(problems: Iterable[SiteProblem]) -> dict[str, Any]:
    """The processor's time, and how far an answer may be off the best, by its own bound."""
    times_ms, gaps_pct = [], []
    for asked in problems:
        began_s = time.process_time()
        plan = solve_site(asked).plan
        times_ms.append((time.process_time() - began_s) * 1e3)
        gaps_pct.append(100.0 * (plan.objective - plan.bound) / abs(plan.objective))
    return {"48 h": summarise(times_ms), "gap, %": max(gaps_pct)}


def _measure_rooms(rooms: int, tries: int) -> dict[str, Any]:
    return _measure_gaps(heated_house(192, number, rooms=rooms) for number in range(tries))


def _measure_feed_in(tries: int) -> dict[str, Any]:
    """Loads that wait where import is paid for and feed-in is at a fixed price."""
    kind = KINDS[2]
    results = {
        "3 loads": _measure_gaps(house_with_loads(kind, 192, number) for number in range(tries))
    }
    for count in _CROWDS:
        results[f"{count} loads"] = _measure_gaps(
            house_with_many_loads(kind, 192, number, count) for number in range(tries)
        )
    return results


def _memory_mb() -> float:
    """Most that the process which plans has had, after the plans of a week."""
    house = _Household(168, 3)
    with PlanWorker(house.site) as worker:
        for question in house.questions():
            worker.make_plan(question)
        status = Path(f"/proc/{worker.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024 / 1e6


def measure(options: argparse.Namespace) -> Report:
    """Two days, then seven."""
    short = _measure_length(48, options.tries)
    long = _measure_length(168, options.tries)
    hard = _measure_hard(options.hard)
    loads = _measure_loads(options.hard)
    feed_in = _measure_feed_in(options.hard)
    house, large = _measure_rooms(10, options.hard), _measure_rooms(30, options.hard)
    scenarios = _measure_scenarios(options.tries)
    memory_mb = _memory_mb()
    return Report(
        settings={"tries": options.tries, "hard": options.hard},
        results={
            "48 h": short,
            "7 days": long,
            "not convex": hard,
            "loads that wait": loads,
            "loads that wait, fixed feed-in, negative import": feed_in,
            "ten rooms and modes": house,
            "thirty rooms and modes": large,
            "48 h against 28 ways in which it may come": scenarios,
            "optimizer's memory, MB": memory_mb,
        },
        unit="ms",
        budgets=[
            at_most("not convex, 48 h, median", "ms", HARD_48_H_MS, hard["48 h"]["p50"]),
            at_most("not convex, 7 days, median", "ms", HARD_7_DAYS_MS, hard["7 days"]["p50"]),
            at_most("off the direct MILP", "%", OFF_PCT, hard["24 h: off the direct MILP, %"]),
            at_most(
                "loads that wait, off the direct MILP",
                "%",
                OFF_PCT,
                loads["24 h: off the direct MILP, %"],
            ),
            at_most("ten rooms and modes, 48 h, median", "ms", HOUSE_MS, house["48 h"]["p50"]),
            at_most("ten rooms and modes, gap", "%", HOUSE_GAP_PCT, house["gap, %"]),
            at_most("thirty rooms and modes, 48 h, median", "ms", HOUSE_MS, large["48 h"]["p50"]),
            at_most("thirty rooms and modes, gap", "%", HOUSE_GAP_PCT, large["gap, %"]),
            at_most(
                "3 loads at fixed feed-in, median",
                "ms",
                FEED_IN_3_MS,
                feed_in["3 loads"]["48 h"]["p50"],
            ),
            at_most(
                "3 loads at fixed feed-in, gap",
                "%",
                FEED_IN_3_GAP_PCT,
                feed_in["3 loads"]["gap, %"],
            ),
            at_most(
                "30 loads at fixed feed-in, median",
                "ms",
                FEED_IN_30_MS,
                feed_in["30 loads"]["48 h"]["p50"],
            ),
            at_most(
                "30 loads at fixed feed-in, gap",
                "%",
                FEED_IN_30_GAP_PCT,
                feed_in["30 loads"]["gap, %"],
            ),
            at_most("48 h against 28 ways, median", "ms", SCENARIOS_48_H_MS, scenarios["p50"]),
            at_most("memory of the optimizer's process", "MB", MEMORY_MB, memory_mb),
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
    parser.add_argument(
        "--hard", type=at_least_one, default=10, help="problems of each kind that is not convex"
    )
    options = parser.parse_args(arguments)
    return run("plan", options, lambda: measure(options))


if __name__ == "__main__":
    sys.exit(main())
