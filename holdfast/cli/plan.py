"""``holdfast plan``: the plan that is being followed, or one made now."""

import argparse
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from holdfast.cli.arguments import add_json, print_json
from holdfast.cli.data_arguments import DATA_HELP, add_data_options
from holdfast.cli.plan_data import execute_on_data
from holdfast.core.config import Site
from holdfast.core.errors import ConfigError, NotRunning
from holdfast.core.plan import Plan, PlanSlot, SlotMode
from holdfast.core.site_file import load_site
from holdfast.forecasting.history import PowerHistory
from holdfast.markets.site_prices import SitePriceBook
from holdfast.runtime.files import SiteFiles
from holdfast.runtime.planner import load_history, load_memory, model_registry, read_report
from holdfast.runtime.price_watch import read_prices
from holdfast.scheduling.planning_desk import PlanningDesk, site_forecaster
from holdfast.testing.backtest.whole_plan import Final

NAME = "plan"
HELP = "show the present plan, slot by slot, with the reasons"
DESCRIPTION = """\
Show what the planner last planned, slot by slot, each with its reason, and whether the
controller accepted it. With --soc, make a plan now instead, from the site's prices and what
the planner has learned of the house; nothing is sent to the controller.

With --data and --soc, make one plan over a whole file of measured data with everything known in
advance: the best that can be had, as one optimization problem with its objective. Without
--config it is for the demonstration's battery.
"""
_OLD_S = 3600.0
_RUNS_W = 1.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of this command."""
    parser.add_argument(
        "--config", type=Path, metavar="FILE",
        help="the site's configuration (default: site.yaml in this folder)",
    )  # fmt: skip
    add_json(parser)
    parser.add_argument("--data", type=Path, metavar="FILE.csv", help=DATA_HELP)
    add_data_options(parser)
    parser.add_argument(
        "--final", type=Final, choices=list(Final), default=Final.AT_LEAST_INITIAL,
        help="with --data: what the battery holds at the end (default: at-least-initial)",
    )  # fmt: skip
    parser.add_argument(
        "--soc", type=float, metavar="PERCENT", help="make a plan from this state of charge"
    )
    parser.add_argument(
        "--at", type=datetime.fromisoformat, metavar="TIME", help="with --soc: as if it were this "
        "time, such as 2026-04-10T08:00+02:00 (default: now)",
    )  # fmt: skip


def execute(options: argparse.Namespace) -> int:
    """Print the plan. 1 if there is none, or it was refused."""
    if options.data is not None:
        return execute_on_data(options)
    site = load_site(options.config or Path("site.yaml"))
    files = SiteFiles(state_dir=site.state_dir)
    plan: Plan | None
    if options.soc is not None:
        plan = _make(site, files, options.soc, options.at or datetime.now(UTC))
        accepted, problem = True, ""
    else:
        report = read_report(files)
        if report is None or (datetime.now(UTC) - report.utc).total_seconds() > _OLD_S:
            raise NotRunning(
                "there is no recent plan: start the site with `holdfast run`, or make a plan "
                "with --soc PERCENT"
            )
        plan, accepted, problem = report.plan, report.accepted, report.problem
    if options.json:
        print_json({"plan": plan, "accepted": accepted, "problem": problem})
    else:
        if problem:
            print(problem)
        if plan is not None:
            Console().print(_lines(plan, site))
            if any(slot.loads or slot.device_mode for slot in plan.slots):
                Console().print(_loads_table(plan, site))
            for line in _assumed(site):
                print(line)
    return 0 if plan is not None and accepted else 1


def _make(site: Site, files: SiteFiles, soc_pct: float, at: datetime) -> Plan:
    if site.prices is None:
        raise ConfigError("prices: is missing; without prices there is nothing to plan")
    if not 0.0 <= soc_pct <= 100.0:
        raise ConfigError(f"--soc {soc_pct:g}: is a percentage from 0 to 100")
    if at.tzinfo is None:
        at = at.replace(tzinfo=ZoneInfo(site.timezone))
    history: PowerHistory = load_history(files)
    now_utc = at.astimezone(UTC)
    prices = SitePriceBook(site, read_prices(site, files).read).prices(
        now_utc, now_utc + timedelta(hours=site.planner.horizon_h)
    )
    forecaster = site_forecaster(site, history, model_registry(files))
    desk = PlanningDesk(site, history, forecaster=forecaster, memory=load_memory(site, files))
    return desk.plan(now_utc, soc_pct, prices)


_LINE = "{:<17}{:<17}{:>9}{:>10}{:>7}{:>9}"


def _lines(plan: Plan, site: Site) -> Group:
    """Numbers in columns, each reason below them: beside them it would be a few letters wide."""
    zone = ZoneInfo(site.timezone)
    made = plan.created.astimezone(zone)
    cost = f"expected cost {plan.expected_cost:.2f} {site.currency}"
    lines: list[RenderableType] = [
        f"plan {plan.plan_id}, {plan.status}, made {made:%d.%m. %H:%M}; {cost}",
        _LINE.format("", "mode", "battery", "grid", "SOC", "price"),
    ]
    for run in _runs(plan.slots, lambda slot: (slot.mode, slot.reason)):
        soc_end_pct = run[-1].soc_end_pct
        numbers = _LINE.format(
            "–".join(_times(run, zone)),
            run[0].mode,
            _mean([_battery_w(slot) for slot in run]),
            _mean([slot.grid_power_w for slot in run]),
            "–" if soc_end_pct is None else f"{soc_end_pct:.0f} %",
            f"{sum(slot.import_price_per_kwh for slot in run) / len(run):.3f}",
        )
        lines += [Text(numbers), Padding(Text(run[0].reason), (0, 0, 0, 4))]
    return Group(*lines)


def _loads_table(plan: Plan, site: Site) -> Table:
    """What loads and rooms do, and the inverter's mode, one column each."""
    zone = ZoneInfo(site.timezone)
    names = [
        name
        for name in site.load_powers_w
        if any(load.name == name for slot in plan.slots for load in slot.loads)
    ]
    led = any(slot.device_mode is not None for slot in plan.slots)
    table = Table("from", "to", *(["device mode"] if led else []), *names)
    for run in _runs(plan.slots, _running):
        table.add_row(
            *_times(run, zone),
            *([run[0].device_mode or ""] if led else []),
            *(_load(run, name) for name in names),
        )
    return table


def _running(slot: PlanSlot) -> object:
    """Equal while the same ones run, in the same mode."""
    return slot.device_mode, {load.name for load in slot.loads if load.power_w >= _RUNS_W}


def _times(run: list[PlanSlot], zone: ZoneInfo) -> tuple[str, str]:
    start, end = run[0].start.astimezone(zone), run[-1].end.astimezone(zone)
    return f"{start:%a %H:%M}", f"{end:%H:%M}"


def _load(run: list[PlanSlot], name: str) -> str:
    """Mean power of a load or a room, and the room's temperature at the end."""
    found = [load for slot in run for load in slot.loads if load.name == name]
    if not found:
        return ""
    power = _mean([load.power_w for load in found])
    temperature_c = found[-1].temperature_c
    return power if temperature_c is None else f"{power}, {temperature_c:.1f} °C"


def _assumed(site: Site) -> list[str]:
    """What is not measured."""
    return [
        f"{load.name} has no switch: it is taken to run as planned"
        for load in site.loads
        if load.switch is None
    ]


def _battery_w(slot: PlanSlot) -> float | None:
    """What is commanded or expected; None where neither is."""
    expects = slot.grid_power_w is not None
    return slot.battery_power_w if expects or slot.mode is SlotMode.POWER else None


def _mean(powers_w: Sequence[float | None]) -> str:
    known = [power_w for power_w in powers_w if power_w is not None]
    return f"{sum(known) / len(known):.0f} W" if known else "–"


def _runs(slots: tuple[PlanSlot, ...], kind: Callable[[PlanSlot], object]) -> list[list[PlanSlot]]:
    """Neighbouring slots of one kind belong to one line."""
    runs: list[list[PlanSlot]] = []
    for slot in slots:
        if runs and kind(runs[-1][0]) == kind(slot):
            runs[-1].append(slot)
        else:
            runs.append([slot])
    return runs
