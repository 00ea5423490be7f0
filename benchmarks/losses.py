"""What it earns that plans know the inverter's losses by power: the same plant, with and without.

The house is generated, or a recorded one from HOLDFAST_SHARED_DATA; the battery is the
demonstration's. Its curve is of the kind that test reports show, its figures are assumed. The plans
that do not know it take ``efficiency_pct`` for all of it. A cost is what is paid at the meter less
what is left in the battery.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.backtest_data import Year, generated_year, recorded_years
from benchmarks.report import Report, at_most, new_parser, run
from holdfast.backtest.bill import NO_BATTERY, compare
from holdfast.backtest.measured_days import MeasuredDays
from holdfast.backtest.run import Job, Run, RunResult
from holdfast.backtest.strategies import ADVISERS, Adviser, Setting, Strategy
from holdfast.core.config import Site
from holdfast.core.config.losses import Losses
from holdfast.simulation.demo_site import simulated_site

SHARED = "HOLDFAST_SHARED_DATA"
CHARGE = {5: 78, 10: 88, 20: 93, 50: 95.5, 100: 95}
DISCHARGE = {5: 76, 10: 87, 20: 92.5, 50: 95, 100: 94}
"""Efficiency in % by power in %: assumed, after the shape of test reports of house batteries."""
STANDBY_W = 25.0
RATED_PCT = 95.0
"""What plans take for all of it that know one figure."""


def lossy_site(year: Year) -> Site:
    """The demonstration's site with the curve."""
    losses = Losses.model_validate(
        {
            "charge": _points(CHARGE),
            "discharge": _points(DISCHARGE),
            "standby_w": STANDBY_W,
        }
    )
    return _with(simulated_site(), losses).model_copy(
        update={"currency": year.currency, "timezone": year.timezone}
    )


def measure(options: argparse.Namespace) -> Report:
    """Each year with plans that know the curve, and with plans that do not."""
    folder = os.environ.get(SHARED)
    years = recorded_years(Path(folder)) if folder else [generated_year(int(options.first) + 45)]
    results: dict[str, Any] = {}
    budgets = []
    for number, year in enumerate(years, start=1):
        name = f"year {number}"
        begin = year.data.start + timedelta(days=options.first)
        past, later = year.data.split(begin, None)
        _, data = later.split(None, options.days)
        found = _figures(replace(year, data=data), MeasuredDays(data=data, before=past))
        results[name] = found
        budgets += [
            at_most(
                f"{name}: {strategy}, known less unknown",
                year.currency,
                0.0,
                _less(found, strategy),
            )
            for strategy in (Strategy.FORECAST, Strategy.PERFECT)
        ]
    return Report(
        settings={"days": options.days, "first": options.first},
        results=results,
        unit="as named",
        budgets=budgets,
        notes=[f"year {number}: {year.title}" for number, year in enumerate(years, start=1)],
    )


def _less(found: dict[str, dict[str, float]], strategy: Strategy) -> float:
    return found[str(strategy)]["cost"] - found[f"{strategy}, unknown"]["cost"]


def _figures(year: Year, scenario: MeasuredDays) -> dict[str, dict[str, float]]:
    site = lossy_site(year)
    figures: dict[str, dict[str, float]] = {}
    for strategy in (Strategy.FORECAST, Strategy.PERFECT, Strategy.SELF_CONSUMPTION):
        for knows in (True, False) if strategy.plans else (True,):
            begin_s = time.process_time()
            result = _run(site, scenario, strategy, knows=knows)
            (bill,) = (
                comparison := compare(site, year.data, strategy, {strategy: result})
            ).bills.values()
            figures[str(strategy) if knows else f"{strategy}, unknown"] = {
                "cost": bill.cost,
                "cost_with_wear": bill.cost_with_wear,
                "full_cycles": bill.full_cycles,
                "cpu_s": time.process_time() - begin_s,
                "damage": bill.damage,
            }
            figures[NO_BATTERY] = {"cost": comparison.cost_without_battery}
    return figures


def _run(site: Site, scenario: MeasuredDays, strategy: Strategy, *, knows: bool) -> RunResult:
    def laid(adviser: Adviser, setting: Setting) -> Adviser:
        if knows:
            return adviser
        blind = _with(site, Losses())
        return ADVISERS[strategy](replace(setting, site=blind, past=scenario.past(blind)))

    return Run(Job(site=site, scenario=scenario, strategy=strategy), laid).run()


def _with(site: Site, losses: Losses) -> Site:
    (unit,) = site.storage
    rated = unit.inverter_hardware.model_copy(update={"efficiency_pct": RATED_PCT})
    unit = unit.model_copy(update={"losses": losses, "inverter_hardware": rated})
    return site.model_copy(update={"storage": (unit,)})


def _points(curve: dict[int, float]) -> list[dict[str, float]]:
    return [{"power_pct": power, "efficiency_pct": pct} for power, pct in curve.items()]


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point."""
    parser = new_parser("losses", "What it earns that plans know losses by power.")
    parser.add_argument("--first", type=float, default=60.0, help="days watched before")
    parser.add_argument("--days", type=float, default=30.0, help="days that are planned")
    options = parser.parse_args(arguments)
    return run("losses", options, lambda: measure(options))


if __name__ == "__main__":
    sys.exit(main())
