"""``holdfast plan --soc`` makes a plan now, from prices and what the planner has learned."""

import argparse
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from holdfast.cli.arguments import usual_config
from holdfast.cli.plan_view import PlannedSite, show_plan
from holdfast.client.judgement_reader import rule_leads
from holdfast.client.plan_report import PlanReport
from holdfast.core.config import Site
from holdfast.core.errors import ConfigError
from holdfast.core.plan import Plan
from holdfast.markets.site_prices import SiteTariffs
from holdfast.runtime.planner import planner_of
from holdfast.runtime.price_watch import read_prices
from holdfast.site.files import SiteFiles
from holdfast.site.site_file import load_site


def execute(options: argparse.Namespace) -> int:
    """Makes the plan, and prints it."""
    site = load_site(options.config or usual_config())
    plan = _make(site, SiteFiles.of(site), options.soc, options.at or datetime.now(UTC))
    report = PlanReport(utc=plan.created, plan=plan, accepted=True, problem="")
    return show_plan(report, PlannedSite.of(site), options)


def _make(site: Site, files: SiteFiles, soc_pct: float, at: datetime) -> Plan:
    if site.prices is None:
        raise ConfigError("prices: is missing; without prices there is nothing to plan")
    if not 0.0 <= soc_pct <= 100.0:
        raise ConfigError(f"--soc {soc_pct:g}: is a percentage from 0 to 100")
    if at.tzinfo is None:
        at = at.replace(tzinfo=ZoneInfo(site.timezone))
    now_utc = at.astimezone(UTC)
    prices = SiteTariffs(site, read_prices(site, files).read).prices(
        now_utc, now_utc + timedelta(hours=site.planner.horizon_h)
    )
    leads = rule_leads(site, files, datetime.now(UTC))
    return planner_of(site, files).plan(now_utc, soc_pct, prices, rule_leads=leads)
