"""The plan report holds what the planner of a site last did: it writes, others read."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import TypeAdapter

from holdfast.core.plan import Plan
from holdfast.site.files import SiteFiles


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanReport:
    """Holds what the planner last did; it is the content of ``plan.json``."""

    utc: datetime
    plan: Plan | None
    accepted: bool
    problem: str
    """Tells why there is no plan, or why it was refused; empty if all is well."""


_REPORT = TypeAdapter(PlanReport)


def read_report(files: SiteFiles) -> PlanReport | None:
    """Returns what the planner last did; None if there is no readable report."""
    try:
        report = _REPORT.validate_json(files.plan.read_bytes())
    except (OSError, ValueError):
        return None
    return None if report.utc.tzinfo is None else report
