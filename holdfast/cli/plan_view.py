"""A plan is shown in a terminal slot by slot, with the reasons."""

import argparse
import shutil
import textwrap
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from zoneinfo import ZoneInfo

from holdfast.cli.columns import print_columns
from holdfast.cli.json_output import print_json
from holdfast.client.plan_report import PlanReport
from holdfast.core.asked_slot import PRECEDENCE, AskedBy, marks_text
from holdfast.core.config import Site
from holdfast.core.plan import Plan, PlanSlot
from holdfast.core.slot_mode import SlotMode

_RUNS_W = 1.0
_INDENT = " " * 4


_FIXED = "*: fixed, and planned around; the line below tells who asks for it"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSite:
    """Holds what of a site it takes to show a plan."""

    timezone: str
    currency: str
    loads: tuple[str, ...]
    """Names loads and rooms, in the order of their columns."""
    unswitched: tuple[str, ...] = ()
    """Names those that nothing switches."""

    @classmethod
    def of(cls, site: Site) -> Self:
        """Returns it for ``site``."""
        return cls(
            timezone=site.timezone,
            currency=site.currency,
            loads=tuple(site.load_powers_w),
            unswitched=tuple(load.name for load in site.loads if load.switch is None),
        )


def report_content(report: PlanReport) -> dict[str, object]:
    """Returns what programs are told of a plan."""
    return {
        "plan": report.plan,
        "accepted": report.accepted,
        "problem": report.problem,
        "manual": report.manual,
        "manual_problem": report.manual_problem,
        "asked": report.asked,
        "asked_problem": report.asked_problem,
        "alternatives": report.alternatives,
        "slot_costs": report.slot_costs,
    }


def show_plan(report: PlanReport, site: PlannedSite, options: argparse.Namespace) -> int:
    """Prints the plan; 1 if there is none, or it was refused."""
    plan = report.plan
    if options.json:
        print_json(report_content(report))
    else:
        problems = (report.problem, report.manual_problem, report.asked_problem)
        for problem in filter(None, problems):
            print(problem)
        if plan is not None:
            _print(plan, report, site)
    return 0 if plan is not None and report.accepted else 1


def _print(plan: Plan, report: PlanReport, site: PlannedSite) -> None:
    if plan.note:
        print(plan.note)
    fixed = {slot.start for slot in plan.slots if PRECEDENCE[slot.by] < PRECEDENCE[AskedBy.PLAN]}
    print("\n".join(_lines(plan, site, fixed)))
    if fixed:
        print(_FIXED)
    if any(slot.loads or slot.device_mode for slot in plan.slots):
        print_columns(_loads_table(plan, site))
    for each in report.alternatives:
        print(f"instead: {each.why}")
    for line in _assumed(site):
        print(line)


_LINE = "{:<17}{:<17}{:>9}{:>10}{:>7}{:>9}"


def _lines(plan: Plan, site: PlannedSite, fixed: Container[datetime]) -> Iterator[str]:
    """Yields numbers in columns, each reason below: beside them it would be a few letters wide."""
    zone = ZoneInfo(site.timezone)
    made = plan.created.astimezone(zone)
    cost = f"expected cost {plan.expected_cost:.2f} {site.currency}"
    width = shutil.get_terminal_size().columns
    yield f"plan {plan.plan_id}, {plan.status}, made {made:%d.%m. %H:%M}; {cost}"
    yield _LINE.format("", "mode", "battery", "grid", "SOC", "price")
    for run in _runs(plan.slots, lambda slot: (slot.mode, slot.reason)):
        reason = "; ".join(filter(None, (run[0].reason, _marks(run))))
        soc_end_pct = run[-1].soc_end_pct
        yield _LINE.format(
            "–".join(_times(run, zone)),
            f"{run[0].mode}{'*' if run[0].start in fixed else ''}",
            _mean([_battery_w(slot) for slot in run]),
            _mean([slot.grid_power_w for slot in run]),
            "–" if soc_end_pct is None else f"{soc_end_pct:.0f} %",
            f"{sum(slot.import_price_per_kwh for slot in run) / len(run):.3f}",
        )
        yield textwrap.fill(reason, width, initial_indent=_INDENT, subsequent_indent=_INDENT)


def _marks(run: list[PlanSlot]) -> str:
    """Returns by which marks the battery is led, from the lowest to the highest of each."""
    led = run[0].mode is SlotMode.STORED_VALUE
    return marks_text(*(slot.terms for slot in run)) if led else ""


def _loads_table(plan: Plan, site: PlannedSite) -> Iterator[tuple[str, ...]]:
    """Yields what loads and rooms do, and the inverter's mode, one column each."""
    zone = ZoneInfo(site.timezone)
    names = [
        name
        for name in site.loads
        if any(load.name == name for slot in plan.slots for load in slot.loads)
    ]
    led = any(slot.device_mode is not None for slot in plan.slots)
    yield "from", "to", *(["device mode"] if led else []), *names
    for run in _runs(plan.slots, _running):
        yield (
            *_times(run, zone),
            *([run[0].device_mode or ""] if led else []),
            *(_load(run, name) for name in names),
        )


def _running(slot: PlanSlot) -> object:
    """Returns what is equal while the same ones run, in the same mode."""
    return slot.device_mode, {load.name for load in slot.loads if load.power_w >= _RUNS_W}


def _times(run: list[PlanSlot], zone: ZoneInfo) -> tuple[str, str]:
    start, end = run[0].start.astimezone(zone), run[-1].end.astimezone(zone)
    return f"{start:%a %H:%M}", f"{end:%H:%M}"


def _load(run: list[PlanSlot], name: str) -> str:
    """Returns the mean power of a load or a room, and the room's temperature at the end."""
    found = [load for slot in run for load in slot.loads if load.name == name]
    if not found:
        return ""
    power = _mean([load.power_w for load in found])
    temperature_c = found[-1].temperature_c
    return power if temperature_c is None else f"{power}, {temperature_c:.1f} °C"


def _assumed(site: PlannedSite) -> list[str]:
    """Tells what is not measured."""
    return [f"{name} has no switch: it is taken to run as planned" for name in site.unswitched]


def _battery_w(slot: PlanSlot) -> float | None:
    """Returns what is commanded or expected, in W; None where neither is."""
    expects = slot.grid_power_w is not None
    return slot.battery_power_w if expects or slot.mode is SlotMode.POWER else None


def _mean(powers_w: Sequence[float | None]) -> str:
    known = [power_w for power_w in powers_w if power_w is not None]
    # Adding zero after rounding turns -0 into 0.
    return f"{round(sum(known) / len(known)) + 0} W" if known else "–"


def _runs(slots: tuple[PlanSlot, ...], kind: Callable[[PlanSlot], object]) -> list[list[PlanSlot]]:
    """Neighbouring slots of one kind belong to one line."""
    runs: list[list[PlanSlot]] = []
    for slot in slots:
        if runs and kind(runs[-1][0]) == kind(slot):
            runs[-1].append(slot)
        else:
            runs.append([slot])
    return runs
