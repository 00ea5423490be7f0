"""What plans are worth with a price on the highest quarter hour, kept at the meter.

Days by the quarter hour, as in ``benchmarks.backtest``, or with ``--seconds`` those of a simulated
household second by second, whose peaks lie within quarter hours. Each cost is the energy at the
meter and the demand charge, less what is left in the battery.
"""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.backtest_data import Year, generated_year, recorded_years
from benchmarks.report import Budget, Report, at_most, new_parser, run
from holdfast.backtest.bill import Comparison, compare
from holdfast.backtest.campaign import Timed, run_all
from holdfast.backtest.data import SiteData
from holdfast.backtest.measured_days import MeasuredDays
from holdfast.backtest.run import Job
from holdfast.backtest.scenario import Scenario
from holdfast.backtest.simulated_days import simulated_days
from holdfast.backtest.strategies import Strategy
from holdfast.core.config import Site
from holdfast.core.config.prices import Prices
from holdfast.simulation.demo_site import sample_site_prices, simulated_site

SHARED = "HOLDFAST_SHARED_DATA"
STRATEGIES = (Strategy.FORECAST, Strategy.SELF_CONSUMPTION)


def measure(options: argparse.Namespace) -> Report:
    """Every record with plans and with self-consumption."""
    results: dict[str, Any] = {}
    budgets: list[Budget] = []
    notes = []
    for name, title, site, scenario in _scenes(options):
        job = Job(site=site, scenario=scenario, strategy=Strategy.FORECAST)
        timed = run_all(job, STRATEGIES, processes=options.processes)
        found = {strategy: one.result for strategy, one in timed.items()}
        comparison = compare(site, scenario.data, Strategy.FORECAST, found)
        results[name] = _figures(comparison, timed)
        planned, local = (comparison.bills[strategy].cost for strategy in STRATEGIES)
        budgets.append(at_most(f"{name}: plans, beside self-consumption", "", local, planned))
        notes.append(f"{name}: {title}, {scenario.data.days:g} days")
    return Report(
        settings={"days": options.days, "price_per_kw": options.price},
        results=results,
        unit="as named",
        budgets=budgets,
        notes=notes,
    )


def _scenes(options: argparse.Namespace) -> list[tuple[str, str, Site, Scenario]]:
    site = _with_charge(simulated_site(), options.price)
    if options.seconds:
        prices = sample_site_prices(simulated_site())
        days = simulated_days(prices, days=min(options.days, 9.0), step_s=2.0, seed=options.seed)
        return [("household", f"simulated, seed {options.seed}, each 2 s", site, days)]
    years = [generated_year(round(options.days) + 7)]
    if os.environ.get(SHARED):
        years = recorded_years(Path(os.environ[SHARED]))
    return [_measured(f"record {n}", year, site, options.days) for n, year in enumerate(years, 1)]


def _measured(name: str, year: Year, site: Site, days: float) -> tuple[str, str, Site, Scenario]:
    """A week is watched first, as by every new site."""
    past, data = year.data.split(year.data.start + timedelta(days=7), days)
    own = site.model_copy(update={"currency": year.currency, "timezone": year.timezone})
    data = SiteData(step_s=data.step_s, rows=data.rows, missing=data.missing)
    return name, year.title, own, MeasuredDays(data=data, before=past)


def _with_charge(site: Site, price_per_kw: float) -> Site:
    """The prices of energy come with the data."""
    fixed = {"source": {"kind": "fixed", "price_per_kwh": 0.0}}
    charge = {"price_per_kw": price_per_kw, "period": "month"}
    prices = {"purchase": fixed, "feed_in": fixed, "demand_charges": [charge]}
    return site.model_copy(update={"prices": Prices.model_validate(prices)})


def _figures(comparison: Comparison, timed: Mapping[Strategy, Timed]) -> dict[str, dict[str, Any]]:
    figures: dict[str, dict[str, Any]] = {"no_battery": {"cost": comparison.cost_without_battery}}
    for strategy, bill in comparison.bills.items():
        charges = sum(line.amount for line in bill.charges)
        figures[str(strategy)] = {
            "cost": bill.cost,
            "energy": bill.cost - charges,
            "demand": charges,
            "highest_kw": max((line.quantity for line in bill.charges), default=0.0),
            "full_cycles": bill.full_cycles,
            "damage": bill.damage,
            "cpu_s": timed[strategy].cpu_s,
        }
    return figures


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point."""
    parser = new_parser("capacity", "Plans with a demand charge, kept at the meter.")
    parser.add_argument("--days", type=float, default=45.0)
    parser.add_argument("--price", type=float, default=9.5, help="for a kW and month")
    parser.add_argument("--seconds", action="store_true", help="a simulated household")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=1, help="runs at a time")
    options = parser.parse_args(arguments)
    return run("capacity", options, lambda: measure(options))


if __name__ == "__main__":
    sys.exit(main())
