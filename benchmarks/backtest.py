"""What a backtest of a year takes, and what plans are worth on it.

Recorded years from HOLDFAST_SHARED_DATA, else a generated one; or one's own file. The battery is
the demonstration's, 10 kWh and 5 kW. A cost is what is paid at the meter less what is left in the
battery; wear is not part of it.
"""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.backtest_data import Year, generated_year, recorded_years
from benchmarks.report import Budget, Report, at_least, at_most, new_parser, run
from holdfast.backtest.against_rule import AgainstRule, against_rule
from holdfast.backtest.bill import NO_BATTERY, Comparison, compare
from holdfast.backtest.campaign import Timed, run_all
from holdfast.backtest.data import SiteData
from holdfast.backtest.data_file import Gaps, read_data
from holdfast.backtest.measured_days import MeasuredDays
from holdfast.backtest.run import Job
from holdfast.backtest.strategies import COMPARED, RECREATED, Strategy
from holdfast.core.config import Site
from holdfast.simulation.demo_site import simulated_site

SHARED = "HOLDFAST_SHARED_DATA"
YEAR_S = 360.0
_QUARTERS_A_YEAR = 35_040
SAVED_PCT, SHARE_PCT, WORSE_PCT = 30.0, 90.0, 1.0
ADDED_PCT, WEEKS_BEHIND_PCT = 85.0, 10.0
RSS_MB = 256.0
_NOTHING = 1e-9
_FEW = (
    Strategy.FORECAST,
    Strategy.ONE_FORECAST,
    Strategy.PERFECT,
    Strategy.SELF_CONSUMPTION,
)
_STRATEGIES = (*COMPARED, Strategy.LAST_GOOD, Strategy.TIME_OF_USE)
_FIELD = (Strategy.FORECAST, Strategy.SELF_CONSUMPTION, *RECREATED.values())


def measure(options: argparse.Namespace) -> Report:
    """Every year with every strategy."""
    years = _years(options)
    results: dict[str, Any] = {}
    budgets: list[Budget] = []
    for name, recorded in years.items():
        site = _site(recorded)
        begin = recorded.data.start + timedelta(days=options.watch_days)
        past, data = recorded.data.split(begin, None)
        year = replace(recorded, data=data)
        timed = _run(site, past, data, options)
        forecast = {strategy: one.result for strategy, one in timed.items()}
        comparison = compare(site, year.data, Strategy.FORECAST, forecast)
        rule = against_rule(year.data, comparison.bills, forecast)
        results[name] = _figures(year, comparison, rule, timed)
        budgets += _budgets(name, year, comparison, rule, timed[Strategy.FORECAST])
    return Report(
        settings={
            "days": options.days,
            "watch_days": options.watch_days,
            "from_day": options.from_day,
            "plan_every_min": options.plan_every,
            "processes": options.processes,
        },
        results=results,
        unit="as named",
        budgets=budgets,
        notes=[f"{name}: {year.title}" for name, year in years.items()],
    )


def _years(options: argparse.Namespace) -> dict[str, Year]:
    if options.data is not None:
        data = read_data(options.data, gaps=Gaps.SKIP)
        found = [Year(title=options.data.name, currency="EUR", timezone="UTC", data=data)]
    elif os.environ.get(SHARED):
        found = recorded_years(Path(os.environ[SHARED]))
    else:
        found = [generated_year()]
    if options.days is not None:
        found = [replace(year, data=_days(year.data, options)) for year in found]
    years = {f"year {number}": year for number, year in enumerate(found, start=1)}
    return {name: years[name] for name in years if options.year in (None, name)}


def _days(data: SiteData, options: argparse.Namespace) -> SiteData:
    begin = None if options.from_day is None else data.start + timedelta(days=options.from_day)
    return data.split(begin, options.days)[1]


def _site(year: Year) -> Site:
    return simulated_site().model_copy(
        update={"currency": year.currency, "timezone": year.timezone}
    )


def _run(
    site: Site, past: SiteData, data: SiteData, options: argparse.Namespace
) -> dict[Strategy, Timed]:
    scenario = MeasuredDays(data=data, before=past)
    job = Job(
        site=site,
        scenario=scenario,
        strategy=Strategy.FORECAST,
        plan_every_s=60 * options.plan_every,
    )
    chosen = _FIELD if options.field else _FEW if options.few else _STRATEGIES
    return run_all(job, chosen, processes=options.processes)


def _figures(
    year: Year,
    comparison: Comparison,
    rule: Mapping[Strategy, AgainstRule],
    timed: Mapping[Strategy, Timed],
) -> dict[str, dict[str, Any]]:
    without = comparison.cost_without_battery
    figures: dict[str, dict[str, Any]] = {
        NO_BATTERY: {"cost": without, "days": year.data.days, "rows_missing": year.data.missing}
    }
    for strategy, bill in comparison.bills.items():
        one = timed[strategy]
        figures[str(strategy)] = {
            "cost": bill.cost,
            "saved_pct": 100.0 * (without - bill.cost) / max(abs(without), _NOTHING),
            "full_cycles": bill.full_cycles,
            "wear": bill.wear_cost,
            "damage": bill.damage,
            "not_running": bill.cycles_not_running,
            "wall_s": one.wall_s,
            "cpu_s": one.cpu_s,
            "rss_mb": one.rss_mb,
        } | {f"plans_{status}": count for status, count in bill.plans.items()}
        if strategy in rule:
            figures[str(strategy)] |= asdict(rule[strategy])
    return figures


def _budgets(
    name: str,
    year: Year,
    comparison: Comparison,
    rule: Mapping[Strategy, AgainstRule],
    planned: Timed,
) -> list[Budget]:
    bill = comparison.bills[Strategy.FORECAST]
    local = comparison.bills[Strategy.SELF_CONSUMPTION]
    quarters = len(year.data.rows) * year.data.step_s / 900.0
    # Others on the machine do not change CPU time much; wall time is among the figures.
    a_year_s = planned.cpu_s * _QUARTERS_A_YEAR / quarters
    saved = comparison.savings[NO_BATTERY].percent
    share = comparison.share_of_perfect_pct

    def worse(strategy: Strategy) -> float:
        cost = comparison.bills[strategy].cost
        return 100.0 * (cost - local.cost) / max(abs(local.cost), _NOTHING)

    return [
        at_most(f"{name}: a year of plans, by CPU time", "s", YEAR_S, a_year_s),
        at_most(f"{name}: memory", "MB", RSS_MB, planned.rss_mb),
        at_least(f"{name}: below the bill without a battery", "%", SAVED_PCT, _or_nan(saved)),
        at_least(f"{name}: of what perfect foresight saves", "%", SHARE_PCT, _or_nan(share)),
        at_least(
            f"{name}: of what perfect foresight adds to self-consumption",
            "%",
            ADDED_PCT,
            _or_nan(rule[Strategy.FORECAST].share_of_added_pct),
        ),
        at_most(
            f"{name}: weeks behind self-consumption",
            "%",
            WEEKS_BEHIND_PCT,
            _or_nan(rule[Strategy.FORECAST].weeks_behind_pct),
        ),
        *(
            at_most(f"{name}: {rung}, worse than self-consumption", "%", WORSE_PCT, worse(rung))
            for rung in (Strategy.FORECAST, Strategy.LAST_GOOD, Strategy.TIME_OF_USE)
            if rung in comparison.bills
        ),
        at_most(f"{name}: damage", "times", 0, bill.damage),
    ]


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point."""
    parser = new_parser("backtest", "Time, memory and economy of a year of receding plans.")
    parser.add_argument("--data", type=Path, help="a file as `holdfast backtest` reads it")
    parser.add_argument("--days", type=float, help="only so many days of each year")
    parser.add_argument("--year", help="only this one, by the name that results give it")
    parser.add_argument(
        "--plan-every", type=int, default=15, help="minutes between two plans (default: 15)"
    )
    parser.add_argument("--from-day", type=float, help="they begin so many days after the start")
    parser.add_argument(
        "--watch-days",
        type=float,
        default=7.0,
        help="days watched before plans begin, as by "
        "every new site, which only observes (default: 7)",
    )
    parser.add_argument(
        "--few", action="store_true", help="neither rules of others nor lower rungs of the ladder"
    )
    parser.add_argument(
        "--field", action="store_true", help="other programs, made again from what they document"
    )
    parser.add_argument("--processes", type=int, default=1, help="runs at a time")
    options = parser.parse_args(arguments)
    return run("backtest", options, lambda: measure(options))


if __name__ == "__main__":
    sys.exit(main())
