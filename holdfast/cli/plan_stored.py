"""``holdfast plan`` shows what the planner last planned."""

import argparse
from datetime import UTC, datetime

from holdfast.cli.arguments import usual_config
from holdfast.cli.plan_view import PlannedSite, show_plan
from holdfast.client.plan_report import PlanReport, read_report
from holdfast.core.errors import NotRunning
from holdfast.site.files import SiteFiles
from holdfast.site.site_file import load_site

_OLD_S = 3600.0


def execute(options: argparse.Namespace) -> int:
    """Prints the plan; 1 if there is none, or it was refused."""
    site = load_site(options.config or usual_config())
    report = recent(read_report(SiteFiles.of(site)))
    return show_plan(report, PlannedSite.of(site), options)


def recent(report: PlanReport | None) -> PlanReport:
    """Returns ``report``. Raises NotRunning if there is none, or it is an old one."""
    if report is None or (datetime.now(UTC) - report.utc).total_seconds() > _OLD_S:
        raise NotRunning(
            "there is no recent plan: start the site with `holdfast run`, or make a plan "
            "with --soc PERCENT"
        )
    return report
