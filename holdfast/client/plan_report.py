"""The plan report holds what the planner of a site last did: it writes, others read."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import TypeAdapter

from holdfast.client.report_file import read_packed
from holdfast.core.plan import Plan
from holdfast.site.files import SiteFiles


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """Tells what was not taken, and what it would have cost at the same forecast and prices."""

    name: str
    """It is ``no_battery``, ``self_consumption``, ``previous_plan`` or ``without_override``."""
    expected_cost: float
    """It is at the grid connection over the plan's horizon, in the site's currency."""
    costs_more: float
    """So much more than the plan it costs, with wear and ageing, and less what is stored at the
    end; below 0 where it costs less."""
    soc_end_pct: float
    """It is what would be stored at the end."""
    why: str
    """Tells in words what it is, and how it compares."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotCost:
    """Tells what a slot of the plan costs at the grid connection, in the site's currency."""

    cost: float
    cost_at_rest: float
    """It would be this if the battery did nothing in this slot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanReport:
    """Holds what the planner last did; it is the content of ``plan.json.gz``."""

    utc: datetime
    plan: Plan | None
    accepted: bool
    problem: str
    """Tells why there is no plan, or why it was refused; empty if all is well."""
    manual: tuple[str | None, ...] = ()
    """It is the id of the manual slot that each slot of the plan comes from; None: planned."""
    manual_problem: str = ""
    """Tells why nothing of what was asked by hand counts; empty if it does."""
    asked: tuple[tuple[str, ...], ...] = ()
    """It names who asks for something in each slot of the plan, such as ``schedule night``, the
    strongest first; none: it is planned."""
    asked_problem: str = ""
    """Tells why something of what schedule or rules ask for does not count; empty if all does."""
    alternatives: tuple[Alternative, ...] = ()
    """They are what was not taken; none where the plan was made without a forecast."""
    slot_costs: tuple[SlotCost, ...] = ()
    """There is one for each slot of the plan, as far as prices and forecast reach."""


_REPORT = TypeAdapter(PlanReport)


def read_report(files: SiteFiles) -> PlanReport | None:
    """Returns what the planner last did; None if there is no readable report."""
    try:
        report = _REPORT.validate_json(read_packed(files.plan))
    except (OSError, ValueError):
        return None
    return None if report.utc.tzinfo is None else report
