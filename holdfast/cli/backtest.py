"""``holdfast backtest`` tells what plans would have cost on measured data, beside simpler rules."""

import argparse
import csv
from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table

from holdfast.backtest.against_rule import AgainstRule, against_rule
from holdfast.backtest.bill import NO_BATTERY, Bill, Comparison, compare
from holdfast.backtest.campaign import Timed
from holdfast.backtest.data import SiteData, require_an_hour, utc_of
from holdfast.backtest.measured_days import MeasuredDays
from holdfast.backtest.run import Job, RunResult
from holdfast.backtest.scenario import Scenario
from holdfast.backtest.simulated_days import in_quarter_hours, simulated_days
from holdfast.backtest.strategies import COMPARED, PICKED, RECREATED, Strategy
from holdfast.backtest.world import PUBLISHED_AT_H
from holdfast.cli.arguments import add_json, add_processes, processes_of
from holdfast.cli.backtest_report import write_report
from holdfast.cli.data_arguments import (
    DATA_HELP,
    Measured,
    acting,
    add_data_options,
    check_soc,
    left_out,
    read_measured,
    site_to_run,
)
from holdfast.cli.json_output import print_json
from holdfast.cli.progress import run_shown
from holdfast.cli.simulate import site_and_prices
from holdfast.core.config import Site
from holdfast.core.errors import ConfigError
from holdfast.core.strategy_name import StrategyName

DESCRIPTION = """\
Run a site on measured load, PV and prices as if it had been there: a plan each quarter hour,
followed by the same cycle with the same safety path as live, on a simulated battery. Prices are
known when they were published; load and PV are forecast from what was measured before
(--foresight forecast), or known in advance (--foresight perfect).

Tells the cost beside that of no battery, of plans that take the forecast for what comes, of
self-consumption, of charging whenever it is cheap, of charging by the clock, and of perfect
foresight; what went through the battery, and whether it would have been damaged (it should never
be). Flexible loads and heated rooms are left out: the data know nothing of them.

Without --data it runs on the demonstration's house, at the sample prices or those of --config: by
the quarter hour, or second by second for a site with loads or rooms, which are run then, too.

--strategy NAME compares strategies that an owner can pick (planner.strategy, docs/strategies.md);
it may be repeated, and "all" stands for all of them. like_emhass, like_predbat and like_evcc are
other programs, made again from what they document, to compare with. What the tariff of --config has
beside the price of a kWh (demand, capacity, standing charges, quotas) is part of each cost.

Without --config the battery is the demonstration's: 10 kWh, 5 kW. A site whose authority is
observe is run as if it were full.
"""
_EVERY_MIN = (5, 10, 15, 30)

_BY_NAME_ALONE = (
    StrategyName.CHEAPEST_FOUR_HOURS,
    StrategyName.NEGATIVE_PRICE_FIRST,
    StrategyName.PERCENTILE_95,
    StrategyName.EVENING_PEAK,
    StrategyName.PRE_HEATING,
    StrategyName.PRICE_DRIVEN_EXPORT,
    StrategyName.TIME_OF_USE,
)
ALL = "all"
_SIMULATED_DAYS = 7.0
WORDS: Mapping[str, str] = {
    NO_BATTERY: "no battery",
    Strategy.FORECAST: "plans",
    Strategy.ONE_FORECAST: "plans on one forecast",
    Strategy.PERFECT: "perfect foresight",
    Strategy.SELF_CONSUMPTION: "self-consumption",
    Strategy.CHEAP_HOURS: "charging when cheap",
    Strategy.FIXED_HOURS: "charging by the clock",
    **{PICKED[name]: name.replace("_", " ") for name in _BY_NAME_ALONE},
    Strategy.LIKE_EMHASS: "EMHASS-like",
    Strategy.LIKE_PREDBAT: "Predbat-like",
    Strategy.LIKE_EVCC: "evcc-like",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    parser.add_argument("--data", type=Path, metavar="FILE.csv", help=DATA_HELP)
    parser.add_argument("--config", type=Path, metavar="FILE", help="run this site")
    parser.add_argument(
        "--foresight",
        choices=("forecast", "perfect"),
        default="forecast",
        help="what plans know of load and PV (default: forecast)",
    )
    parser.add_argument(
        "--strategy",
        dest="strategies",
        action="append",
        default=[],
        choices=(*PICKED, *RECREATED, ALL),
        metavar="NAME",
        help="compare this strategy; may be repeated, the first one is told most of. There are: "
        f"{', '.join((*PICKED, *RECREATED))}; {ALL} stands for those that an owner can pick",
    )
    add_data_options(parser)
    parser.add_argument(
        "--soc", type=float, default=50.0, metavar="PERCENT", help="at the start (default: 50)"
    )
    parser.add_argument(
        "--published-at",
        type=int,
        default=PUBLISHED_AT_H,
        metavar="HOUR",
        choices=range(25),
        help="local hour from which the next day's prices are known; 0: always, 24: never before "
        f"that day (default: {PUBLISHED_AT_H})",
    )
    parser.add_argument(
        "--plan-every",
        type=int,
        default=15,
        metavar="MINUTES",
        choices=_EVERY_MIN,
        help="time between two plans: 5, 10, 15 or 30 (default: 15)",
    )
    add_processes(parser)
    parser.add_argument("--schedule", type=Path, metavar="OUT.csv", help="write what was done here")
    parser.add_argument("--report", type=Path, metavar="OUT.html", help="draw a report here")
    add_json(parser)


def execute(options: argparse.Namespace) -> int:
    """Runs, and tells; 1 if a battery was damaged or a site left RUNNING."""
    check_soc(options.soc)
    processes = processes_of(options)
    measured, site, scenario, missing = _scene(options)
    strategies = _strategies(options, site)
    strategy = strategies[0]
    job = Job(
        site=site,
        scenario=scenario,
        strategy=strategy,
        soc_pct=options.soc,
        published_at_h=options.published_at,
        plan_every_s=options.plan_every * 60,
    )
    # The slow ones first, so that they run beside each other.
    words = {name: WORDS[name] for name in strategies}
    timed = run_shown(job, words, processes=processes, quiet=options.json)
    results = {name: one.result for name, one in timed.items()}
    comparison = compare(site, measured.data, strategy, results)
    rule = against_rule(measured.data, comparison.bills, results)
    if options.schedule is not None:
        _write_schedule(options.schedule, measured.data, results[strategy])
    if options.report is not None:
        write_report(options.report, site, measured.data, comparison, results, WORDS)
    if options.json:
        summary = _summary(options, site, measured, comparison, rule, timed)
        print_json(summary | {"left_out": missing})
    else:
        if missing:
            print(missing)
        _print(site, measured.data, comparison, rule, timed)
    bills = comparison.bills.values()
    return 1 if any(bill.damage or bill.cycles_not_running for bill in bills) else 0


def _scene(options: argparse.Namespace) -> tuple[Measured, Site, Scenario, str]:
    """Returns what is run: measured days, or simulated ones if none were measured; and what the
    data know nothing of, in words."""
    if options.data is None:
        length = timedelta(days=_SIMULATED_DAYS if options.days is None else options.days)
        site, prices = site_and_prices(options.config, length)
        days = simulated_days(prices, days=length / timedelta(days=1))
        quarters = in_quarter_hours(days)
        scenario = days if site.loads or site.rooms else quarters
        return Measured(past=quarters.before, data=days.data), acting(site), scenario, ""
    site = site_to_run(options.config)
    missing = left_out(site, loads=True, rooms=True)
    site = site.model_copy(update={"loads": (), "rooms": ()})
    measured = read_measured(options, site)
    require_an_hour(measured.data)
    return measured, site, MeasuredDays(data=measured.data, before=measured.past), missing


def _strategies(options: argparse.Namespace, site: Site) -> tuple[Strategy, ...]:
    """Returns what is run, the one that is asked for first. Raises ConfigError."""
    if not options.strategies:
        return tuple(dict.fromkeys((Strategy(options.foresight), *COMPARED)))
    asked = options.strategies
    if ALL in asked:
        asked = [name for name in PICKED if name != StrategyName.PRE_HEATING or site.rooms]
    elif StrategyName.PRE_HEATING in asked and not site.rooms:
        raise ConfigError(
            f"--strategy {StrategyName.PRE_HEATING}: needs rooms, which measured data know nothing "
            "of; leave out --data, and name a site with rooms by --config"
        )
    named = {**PICKED, **RECREATED}
    return tuple(dict.fromkeys(named[name] for name in asked))


def _write_schedule(path: Path, data: SiteData, result: RunResult) -> None:
    hours = data.step_s / 3600.0
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(("time_utc", "battery_power_w", "soc_pct", "grid_power_w"))
            for index, row in enumerate(data.rows):
                grid_w = float(result.import_wh[index] - result.export_wh[index]) / hours
                battery_w, soc_pct = result.battery_w[index], result.soc_pct[index]
                table.writerow(
                    (
                        f"{utc_of(row.start_s):%Y-%m-%dT%H:%M:%SZ}",
                        f"{battery_w:.1f}",
                        f"{soc_pct:.2f}",
                        f"{grid_w:.1f}",
                    )
                )
    except OSError as error:
        raise ConfigError(f"--schedule {path}: cannot be written: {error}") from error


def _summary(
    options: argparse.Namespace,
    site: Site,
    measured: Measured,
    comparison: Comparison,
    rule: Mapping[Strategy, AgainstRule],
    timed: Mapping[Strategy, Timed],
) -> dict[str, object]:
    data, chosen = measured.data, comparison.strategy

    def of(strategy: Strategy) -> dict[str, object]:
        bill, one = comparison.bills[strategy], timed[strategy]
        took = {"wall_s": one.wall_s, "cpu_s": one.cpu_s, "rss_mb": one.rss_mb}
        return asdict(bill) | {"cost_with_wear": bill.cost_with_wear, "took": took}

    return {
        "data": {
            "file": None if options.data is None else str(options.data),
            "start": data.start,
            "end": data.end,
            "days": data.days,
            "rows": len(data.rows),
            "step_s": data.step_s,
            "rows_missing": data.missing,
            "rows_before": len(measured.past.rows),
        },
        "site": site.name,
        "currency": site.currency,
        "strategy": str(chosen),
        "foresight": options.foresight,
        "plan_every_min": options.plan_every,
        "published_at_h": options.published_at,
        "cost": comparison.bills[chosen].cost,
        "cost_without_battery": comparison.cost_without_battery,
        "savings": {name: asdict(saving) for name, saving in comparison.savings.items()},
        "share_of_perfect_pct": comparison.share_of_perfect_pct,
        "share_of_perfect_with_wear_pct": comparison.share_of_perfect_with_wear_pct,
        "against_self_consumption": {str(name): asdict(each) for name, each in rule.items()},
        "plan": of(chosen),
        "others": {str(name): of(name) for name in comparison.bills if name is not chosen},
        "damage": sum(bill.damage for bill in comparison.bills.values()),
        "cycles_not_running": sum(b.cycles_not_running for b in comparison.bills.values()),
    }


def _print(
    site: Site,
    data: SiteData,
    comparison: Comparison,
    rule: Mapping[Strategy, AgainstRule],
    timed: Mapping[Strategy, Timed],
) -> None:
    console, chosen = Console(), comparison.strategy
    title = f"{site.name}: {data.start:%d.%m.%Y %H:%M} to {data.end:%d.%m.%Y %H:%M} UTC"
    heads = ("", "cost", "of it charges", "saved", "kWh in", "kWh out", "through", "cycles", "SOC")
    table = Table(*heads, title=f"{title}; in {site.currency}")
    without = comparison.cost_without_battery
    table.add_row(WORDS[NO_BATTERY], f"{without:.2f}")
    for strategy, bill in sorted(comparison.bills.items(), key=lambda item: -item[1].cost):
        table.add_row(
            WORDS[strategy],
            f"{bill.cost:.2f}",
            f"{sum(line.amount for line in bill.charges):.2f}",
            f"{without - bill.cost:.2f}",
            f"{bill.import_kwh:.0f}",
            f"{bill.export_kwh:.0f}",
            f"{bill.discharged_kwh:.0f}",
            f"{bill.full_cycles:.1f}",
            f"{bill.soc_end_pct:.0f} %",
            style="bold" if strategy is chosen else None,
        )
    console.print(table)
    if data.missing:
        console.print(f"{data.missing} rows are missing; that time is left out")
    console.print(_verdict(comparison, site.currency))
    if chosen in rule:
        console.print(_beside_the_rule(rule[chosen], site.currency))
    bill = comparison.bills[chosen]
    console.print(
        f"wear {bill.wear_cost:.2f} {site.currency}; plans: {_plans(bill)}; damage {bill.damage}; "
        f"cycles not RUNNING {bill.cycles_not_running}; took {timed[chosen].wall_s:.0f} s"
    )
    if bill.pv_throttled_kwh:
        console.print(f"{bill.pv_throttled_kwh:.1f} kWh of PV were throttled: an export cost more")
    if bill.first_problem:
        console.print(f"first plan that was not followed: {bill.first_problem}")


def _verdict(comparison: Comparison, currency: str) -> str:
    parts = []
    for name, saving in comparison.savings.items():
        percent = "" if saving.percent is None else f" ({saving.percent:.1f} %)"
        parts.append(f"{saving.amount:.2f} {currency}{percent} against {WORDS[name]}")
    text = f"{WORDS[comparison.strategy]} save " + ", ".join(parts)
    share = comparison.share_of_perfect_pct
    if share is not None:
        text += f"; {share:.1f} % of what perfect foresight saves"
    return text


def _beside_the_rule(found: AgainstRule, currency: str) -> str:
    parts = []
    if found.share_of_added_pct is not None:
        parts.append(f"{found.share_of_added_pct:.1f} % of what perfect foresight adds to it")
    if found.weeks_behind_pct is not None and found.worst_week is not None:
        parts.append(
            f"behind it in {found.weeks_behind_pct:.0f} % of {found.weeks} weeks, "
            f"{found.worst_week:+.2f} {currency} in the worst"
        )
    return "beside self-consumption: " + ("; ".join(parts) or "too little to tell")


def _plans(bill: Bill) -> str:
    return ", ".join(f"{count} {status}" for status, count in bill.plans.items()) or "none"
