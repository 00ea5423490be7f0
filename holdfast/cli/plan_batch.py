"""``holdfast plan --batch`` makes a plan for each site that has a folder in one folder."""

import argparse
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from holdfast.cli.data_arguments import check_soc
from holdfast.cli.json_output import json_bytes, print_json
from holdfast.cli.plan_view import report_content
from holdfast.client.plan_report import PlanReport
from holdfast.core.errors import ConfigError, HoldfastError
from holdfast.core.plan import PlanStatus
from holdfast.runtime.site_folder import SiteFolder, folders_in
from holdfast.scheduling.batch_planner import BatchPlanner


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLine:
    """Tells what came of one site."""

    folder: Path
    site: str | None
    """It is None where site.yaml cannot be read."""
    status: PlanStatus | None
    """It is None if there is no plan."""
    expected_cost: float | None
    currency: str | None
    took_ms: float
    problem: str
    """It tells why there is no plan; empty if there is one."""


def execute(options: argparse.Namespace) -> int:
    """Plans for all, and tells; 1 if a site could not be planned for. Raises ConfigError."""
    for name in ("data", "config", "url"):
        if getattr(options, name) is not None:
            raise ConfigError(f"--batch plans for the sites in its folder; leave out --{name}")
    if options.soc is not None:
        check_soc(options.soc)
    at: datetime = options.at or datetime.now(UTC)
    if at.tzinfo is None:
        raise ConfigError(f"--at {at:%FT%R}: sites have zones of their own; write {at:%FT%R}Z")
    began_s = time.perf_counter()
    folders = folders_in(options.batch)
    lines = []
    for line in _plan_all(folders, at.astimezone(UTC), options.soc):
        lines.append(line)
        if not options.json:
            print(_told(line), flush=True)
    took_s = time.perf_counter() - began_s
    failed = sum(line.status is None for line in lines)
    costs = _costs(lines)
    if options.json:
        print_json(
            {
                "sites": [asdict(line) for line in lines],
                "planned": len(lines) - failed,
                "failed": failed,
                "expected_costs": costs,
                "took_s": took_s,
            }
        )
    else:
        print(_sum(len(lines), failed, costs, took_s))
    return 1 if failed else 0


def _plan_all(
    folders: Iterable[SiteFolder], now_utc: datetime, soc_pct: float | None
) -> Iterator[BatchLine]:
    """Yields what came of each; a site that cannot be planned for costs itself alone."""
    planner = BatchPlanner()
    for folder in folders:
        began_s, site = time.perf_counter(), None
        try:
            asked = folder.ask(now_utc, soc_pct)
            site = asked.site
            plan = planner.plan(asked)
            report = PlanReport(utc=plan.created, plan=plan, accepted=True, problem="")
            folder.keep(json_bytes(report_content(report)))
        except (HoldfastError, OSError) as error:
            plan, problem = None, str(error)
        else:
            problem = ""
        yield BatchLine(
            folder=folder.path,
            site=None if site is None else site.name,
            status=None if plan is None else plan.status,
            expected_cost=None if plan is None else plan.expected_cost,
            currency=None if site is None else site.currency,
            took_ms=(time.perf_counter() - began_s) * 1e3,
            problem=problem,
        )


def _told(line: BatchLine) -> str:
    if line.status is None:
        path, problem = str(line.folder), " ".join(line.problem.split())
        return problem if path in problem else f"{path}: {problem}"
    cost = f"{line.expected_cost:.2f} {line.currency}"
    return f"{line.folder.name}: {line.status}, {cost}, {line.took_ms:.0f} ms"


def _costs(lines: Iterable[BatchLine]) -> dict[str, float]:
    """Returns the sums of what is expected, by currency."""
    costs: dict[str, float] = {}
    for line in lines:
        if line.currency is not None and line.expected_cost is not None:
            costs[line.currency] = costs.get(line.currency, 0.0) + line.expected_cost
    return costs


def _sum(sites: int, failed: int, costs: dict[str, float], took_s: float) -> str:
    cost = " and ".join(f"{amount:.2f} {currency}" for currency, amount in costs.items())
    text = f"{sites - failed} of {sites} sites planned in {took_s:.1f} s"
    return f"{text}, expected cost {cost}" if cost else text
