"""``holdfast simulate``: days in minutes, with the same cycle and safety as live."""

import argparse
import multiprocessing
import time
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.sharedctypes import SynchronizedArray
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from holdfast.cli.arguments import add_json, print_json
from holdfast.cli.picture import draw_week
from holdfast.core.config import Site
from holdfast.core.errors import ConfigError
from holdfast.core.site_file import load_site
from holdfast.markets.site_prices import SitePriceBook, SitePrices
from holdfast.runtime.files import SiteFiles
from holdfast.runtime.price_watch import read_prices
from holdfast.testing.demo_site import sample_site_prices, simulated_site
from holdfast.testing.week import Strategy, Week, WeekResult

NAME = "simulate"
HELP = "simulate days in minutes: cost, savings, damage, and a picture"
DESCRIPTION = """\
Run the site's own control cycle, safety path included, against a simulated battery, house and
PV, faster than real time: once following plans and once on self-consumption alone. Ends with
energy, cost against no battery and against self-consumption, how often the battery would
have been damaged (it should be never), and a picture of the days.

Without --config it simulates the demonstration's house with the sample prices. With it, the
prices come from the prices section of that site, from the first known price on; where they
hold by the clock alone, from now on.
"""
MAX_STEP_S = 2.0
_LOOK_EVERY_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What one process is to simulate."""

    site: Site
    prices: SitePrices
    strategy: Strategy
    days: float
    step_s: float
    seed: int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of this command."""
    parser.add_argument("--config", type=Path, metavar="FILE", help="simulate this site")
    parser.add_argument("--days", type=float, default=7.0, help="how many (default: 7)")
    parser.add_argument(
        "--step", type=float, default=1.0, metavar="SECONDS", help="cycle period (default: 1)"
    )
    parser.add_argument("--seed", type=int, default=1, help="another seed, another week")
    parser.add_argument(
        "--picture",
        type=Path,
        default=Path("simulation.png"),
        metavar="FILE",
        help="where to draw the days (default: simulation.png)",
    )
    add_json(parser)


def execute(options: argparse.Namespace) -> int:
    """Simulate, and tell. 1 if the battery was damaged or the site left RUNNING."""
    if not 0.01 <= options.days <= 366:
        raise ConfigError(f"--days {options.days:g}: from 0.01 to 366 can be simulated")
    if not 0.1 <= options.step <= MAX_STEP_S:
        raise ConfigError(
            f"--step {options.step:g}: from 0.1 to {MAX_STEP_S:g} s; the inverter's revert timer "
            "would expire between longer ones"
        )
    site, prices = _site_and_prices(options.config, timedelta(days=options.days))
    jobs = [
        Job(
            site=site,
            prices=prices,
            strategy=strategy,
            days=options.days,
            step_s=options.step,
            seed=options.seed,
        )
        for strategy in Strategy
    ]
    began_s = time.monotonic()
    planned, local = _simulate(jobs, quiet=options.json)
    took_s = time.monotonic() - began_s
    picture = draw_week(planned, site, options.picture)
    summary = _summary(planned, local, took_s, picture)
    if options.json:
        print_json(summary)
    else:
        _print(summary, site.currency)
    whole = not planned.damage and not local.damage
    return 0 if whole and summary["cycles_not_running"] == 0 else 1


def _site_and_prices(config: Path | None, length: timedelta) -> tuple[Site, SitePrices]:
    if config is None:
        site = simulated_site()
        return site, sample_site_prices(site)
    site = load_site(config)
    if site.prices is None:
        raise ConfigError(f"{config}: prices: is missing; there is nothing to optimize against")
    desk = read_prices(site, SiteFiles(state_dir=site.state_dir))
    book = SitePriceBook(site, desk.read)
    now_utc = datetime.now(UTC)
    start_utc, end_utc = book.span_utc() or (now_utc, now_utc + length)
    return site, book.prices(start_utc, end_utc)


_progress: "SynchronizedArray[float] | None" = None


def _share_progress(shared: "SynchronizedArray[float]") -> None:
    global _progress
    _progress = shared


def _run(index: int, job: Job) -> WeekResult:
    week = Week(job.site, job.prices, job.strategy, days=job.days, step_s=job.step_s, seed=job.seed)

    def tell(share: float) -> None:
        if _progress is not None:
            _progress[index] = share

    return week.run(tell)


def _simulate(jobs: list[Job], *, quiet: bool) -> tuple[WeekResult, WeekResult]:
    """Each job in a process of its own."""
    context = multiprocessing.get_context("spawn")
    shared = context.Array("d", len(jobs))
    with ProcessPoolExecutor(
        len(jobs), mp_context=context, initializer=_share_progress, initargs=(shared,)
    ) as pool:
        futures = [pool.submit(_run, index, job) for index, job in enumerate(jobs)]
        _show_progress(futures, jobs, shared, quiet=quiet)
        planned, local = (future.result() for future in futures)
    return planned, local


def _show_progress(
    futures: list[Future[WeekResult]],
    jobs: list[Job],
    shared: "SynchronizedArray[float]",
    *,
    quiet: bool,
) -> None:
    columns = (TextColumn("{task.description:>16}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=quiet) as progress:
        tasks = [progress.add_task(job.strategy, total=1.0) for job in jobs]
        while not all(future.done() for future in futures):
            for index, task in enumerate(tasks):
                progress.update(task, completed=shared[index])
            time.sleep(_LOOK_EVERY_S)
        for task in tasks:
            progress.update(task, completed=1.0)


def _summary(
    planned: WeekResult, local: WeekResult, took_s: float, picture: Path
) -> dict[str, object]:
    def of(result: WeekResult) -> dict[str, object]:
        content = asdict(result)
        del content["quarters"]
        return content

    without = planned.cost_without_battery
    simulated_s = (planned.days + local.days) * 86400
    return {
        "days": planned.days,
        "cost": planned.cost,
        "cost_self_consumption": local.cost,
        "cost_without_battery": without,
        "saved_against_self_consumption": local.cost - planned.cost,
        "saved_against_no_battery": without - planned.cost,
        "damage": sum(planned.damage.values()) + sum(local.damage.values()),
        # The start through BOOT and IDLE takes two cycles of each run.
        "cycles_not_running": max(planned.cycles_not_running - _START_CYCLES, 0)
        + max(local.cycles_not_running - _START_CYCLES, 0),
        "plan": of(planned),
        "self_consumption": of(local),
        "took_s": took_s,
        "times_real_time": simulated_s / took_s,
        "picture": str(picture),
    }


_START_CYCLES = 5


def _print(summary: dict[str, object], currency: str) -> None:
    console = Console()
    table = Table("", "following plans", "self-consumption", title=f"{summary['days']:g} days")
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
        f"without a battery: {summary['cost_without_battery']:.2f} {currency}; plans save "
        f"{summary['saved_against_no_battery']:.2f} against that and "
        f"{summary['saved_against_self_consumption']:.2f} against self-consumption"
    )
    console.print(
        f"{summary['times_real_time']:.0f} times real time; picture: {summary['picture']}"
    )
