"""``holdfast simulate`` runs days in minutes, with the same cycle and safety as live."""

import argparse
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table

from holdfast.backtest.bill import NO_BATTERY, Comparison, cheapest_per_kwh, compare
from holdfast.backtest.one_mode import ModeAsked, plan_of_mode
from holdfast.backtest.run import Job, RunResult
from holdfast.backtest.simulated_days import SimulatedDays, simulated_days
from holdfast.backtest.strategies import Strategy
from holdfast.cli.arguments import add_json
from holdfast.cli.json_output import print_json
from holdfast.cli.picture import draw_days
from holdfast.cli.progress import run_shown
from holdfast.control.plan_gate import accept_plan
from holdfast.core.asked_slot import SlotTerms
from holdfast.core.config import Site
from holdfast.core.errors import ConfigError, PlanRefused
from holdfast.core.quarter_hours import QUARTER, quarter_start
from holdfast.core.slot_mode import PLANNED_ONLY, SlotMode
from holdfast.markets.site_prices import SitePrices, SiteTariffs
from holdfast.runtime.price_watch import read_prices
from holdfast.simulation.demo_site import sample_site_prices, simulated_site
from holdfast.site.files import SiteFiles
from holdfast.site.site_file import load_site

DESCRIPTION = """\
Run the site's own control cycle, safety path included, against a simulated battery, house and
PV, faster than real time: once following plans and once on self-consumption alone. Ends with
energy, cost against no battery and against self-consumption, how often the battery would
have been damaged (it should be never), and a picture of the days.

Without --config it simulates the demonstration's house with the sample prices. With it, the
prices come from the prices section of that site, from the first known price on; where they
hold by the clock alone, from now on.

With --mode one mode is kept through the days in the place of plans, beside self-consumption: see
docs/modes.md for what each does and needs.
"""
MAX_STEP_S = 2.0


WORDS: Mapping[Strategy, str] = {
    Strategy.FORECAST: "following plans",
    Strategy.SELF_CONSUMPTION: "self-consumption",
}
OF_A_MODE: Mapping[Strategy, str] = {
    Strategy.MODE: "in this mode",
    Strategy.SELF_CONSUMPTION: "self-consumption",
}
_TERMS = {
    "grid_target_w": "what the meter is to show, + import, in W",
    "soc_target_pct": "state of charge to reach or to refill to, in %%",
    "soc_ceiling_pct": "state of charge above which room is kept for the sun, in %%",
    "reserve_pct": "state of charge below which nothing is discharged, in %%",
    "import_max_w": "the battery helps to import no more, in W",
    "export_max_w": "the battery helps to export no more, in W",
}
"""Each is an argument beside --mode, and a term of its slot."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    parser.add_argument("--config", type=Path, metavar="FILE", help="simulate this site")
    parser.add_argument("--days", type=float, default=7.0, help="how many (default: 7)")
    parser.add_argument(
        "--step", type=float, default=1.0, metavar="SECONDS", help="cycle period (default: 1)"
    )
    parser.add_argument("--seed", type=int, default=1, help="another seed, another week")
    parser.add_argument(
        "--mode",
        choices=tuple(str(mode) for mode in SlotMode if mode not in PLANNED_ONLY),
        help="keep this mode all the time",
    )
    parser.add_argument(
        "--power-w", type=float, default=0.0, metavar="W", help="of --mode, + charging, in W"
    )
    for name, text in _TERMS.items():
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            type=float,
            metavar=name[-3:].strip("_").upper(),
            help=text,
        )
    parser.add_argument(
        "--picture",
        type=Path,
        default=Path("simulation.png"),
        metavar="FILE",
        help="where to draw the days (default: simulation.png)",
    )
    add_json(parser)


def execute(options: argparse.Namespace) -> int:
    """Simulates, and tells; 1 if the battery was damaged or the site left RUNNING."""
    if not 0.01 <= options.days <= 366:
        raise ConfigError(f"--days {options.days:g}: from 0.01 to 366 can be simulated")
    if not 0.1 <= options.step <= MAX_STEP_S:
        raise ConfigError(
            f"--step {options.step:g}: from 0.1 to {MAX_STEP_S:g} s; the inverter's revert timer "
            "would expire between longer ones"
        )
    site, prices = site_and_prices(options.config, timedelta(days=options.days))
    days = simulated_days(prices, days=options.days, step_s=options.step, seed=options.seed)
    asked = _asked(options, site)
    words = WORDS if asked is None else OF_A_MODE
    (strategy, _), *_ = words.items()
    job = Job(site=site, scenario=days, strategy=strategy, seed=options.seed, asked=asked)
    began_s = time.monotonic()
    timed = run_shown(job, words, processes=len(words), quiet=options.json)
    took_s = time.monotonic() - began_s
    results = {strategy: one.result for strategy, one in timed.items()}
    compared = compare(site, days.data, job.strategy, results, cheapest_per_kwh(days.data))
    what = "plan" if asked is None else str(asked.mode)
    picture = draw_days(days.data, results[job.strategy], compared, site, what, options.picture)
    summary = _summary(days, results, compared, took_s, what, picture)
    if asked is not None:
        summary |= {"mode": asked.mode, "first_problem": results[strategy].first_problem}
    if options.json:
        print_json(summary)
    else:
        _print(summary, site.currency, tuple(words.values()))
    return 0 if summary["damage"] == 0 == summary["cycles_not_running"] else 1


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _asked(options: argparse.Namespace, site: Site) -> ModeAsked | None:
    """Returns the mode that is asked for; None if plans are. Raises ConfigError."""
    terms = {name: getattr(options, name) for name in _TERMS if getattr(options, name) is not None}
    if options.mode is None:
        if terms or options.power_w:
            named = ", ".join(map(_option, terms)) or "--power-w"
            raise ConfigError(f"{named}: goes with --mode")
        return None
    asked = ModeAsked(
        mode=SlotMode(options.mode), power_w=options.power_w, terms=SlotTerms(**terms)
    )
    now_utc = datetime.now(UTC)
    try:
        accept_plan(plan_of_mode(asked, now_utc, 0.0), now_ns=0, utc=now_utc, site=site)
    except PlanRefused as error:
        raise ConfigError(f"--mode {asked.mode}: {error}") from error
    return asked


def site_and_prices(config: Path | None, length: timedelta) -> tuple[Site, SitePrices]:
    """Returns the site of ``config``, or the demonstration's, and prices for ``length`` at least.

    Raises ConfigError, PriceDataError.
    """
    if config is None:
        site = simulated_site()
        return site, sample_site_prices(site)
    site = load_site(config)
    if site.prices is None:
        raise ConfigError(f"{config}: prices: is missing; there is nothing to optimize against")
    collector = read_prices(site, SiteFiles.of(site))
    tariffs = SiteTariffs(site, collector.read)
    now_utc = quarter_start(datetime.now(UTC))
    start_utc, end_utc = tariffs.span_utc() or (now_utc, now_utc + length)
    return site, tariffs.prices(start_utc, end_utc)


def _summary(
    days: SimulatedDays,
    results: Mapping[Strategy, RunResult],
    compared: Comparison,
    took_s: float,
    what: str,
    picture: Path,
) -> dict[str, object]:
    planned, local = (compared.bills[strategy] for strategy in results)
    without = compared.cost_without_battery
    simulated_s = len(results) * days.data.days * 86400

    def of(name: str, strategy: Strategy) -> dict[str, object]:
        bill, result = compared.bills[strategy], results[strategy]
        return {
            "strategy": name,
            "days": days.data.days,
            "step_s": days.step_s,
            "cost": bill.cost,
            "cost_at_meter": bill.cost_at_meter,
            "cost_without_battery": without,
            "soc_start_pct": bill.soc_start_pct,
            "soc_end_pct": bill.soc_end_pct,
            "energies_wh": _energies_wh(result),
            "full_cycles": bill.full_cycles,
            "damage": result.damage,
            "cycles": bill.cycles,
            "cycles_not_running": bill.cycles_not_running,
            "plans": sum(bill.plans.values()),
            "plans_refused": bill.plans.get("refused", 0) + bill.plans.get("failed", 0),
        }

    return {
        "days": days.data.days,
        "cost": planned.cost,
        "cost_self_consumption": local.cost,
        "cost_without_battery": without,
        "saved_against_self_consumption": compared.savings[Strategy.SELF_CONSUMPTION].amount,
        "saved_against_no_battery": compared.savings[NO_BATTERY].amount,
        "damage": planned.damage + local.damage,
        "cycles_not_running": planned.cycles_not_running + local.cycles_not_running,
        "plan": of(what, compared.strategy),
        "self_consumption": of("self_consumption", Strategy.SELF_CONSUMPTION),
        "took_s": took_s,
        "times_real_time": simulated_s / took_s,
        "picture": str(picture),
    }


def _energies_wh(result: RunResult) -> dict[str, float]:
    hours = QUARTER / timedelta(hours=1)
    return {
        "grid_import_wh": float(result.import_wh.sum()),
        "grid_export_wh": float(result.export_wh.sum()),
        "pv_wh": float(result.pv_w.sum()) * hours,
        "pv_throttled_wh": result.pv_throttled_wh,
        "load_wh": float(result.load_w.sum()) * hours,
        "battery_charge_wh": result.charged_wh,
        "battery_discharge_wh": result.discharged_wh,
    }


def _days(summary: dict[str, object]) -> str:
    days = summary["days"]
    return f"{days:g} day" if days == 1 else f"{days:g} days"


def _print(summary: dict[str, object], currency: str, words: Sequence[str]) -> None:
    console = Console()
    table = Table("", *words, title=_days(summary))
    planned, local = summary["plan"], summary["self_consumption"]
    assert isinstance(planned, dict)
    assert isinstance(local, dict)
    for label, key in (("cost", "cost"), ("  at the meter", "cost_at_meter")):
        table.add_row(label, *(f"{run[key]:.2f} {currency}" for run in (planned, local)))
    for label, key in (
        ("imported", "grid_import_wh"),
        ("exported", "grid_export_wh"),
        ("PV", "pv_wh"),
        ("load", "load_wh"),
        ("charged", "battery_charge_wh"),
        ("discharged", "battery_discharge_wh"),
    ):
        values = (run["energies_wh"][key] / 1000 for run in (planned, local))
        table.add_row(label, *(f"{value:.1f} kWh" for value in values))
    table.add_row("full cycles", *(f"{run['full_cycles']:.1f}" for run in (planned, local)))
    table.add_row("SOC at the end", *(f"{run['soc_end_pct']:.0f} %" for run in (planned, local)))
    damage = (sum(run["damage"].values()) for run in (planned, local))
    table.add_row("damage", *(str(count) for count in damage))
    console.print(table)
    console.print(
        f"without a battery: {summary['cost_without_battery']:.2f} {currency}; {words[0]} saves "
        f"{summary['saved_against_no_battery']:.2f} against that and "
        f"{summary['saved_against_self_consumption']:.2f} against self-consumption"
    )
    console.print(
        f"{summary['times_real_time']:.0f} times real time; picture: {summary['picture']}"
    )
