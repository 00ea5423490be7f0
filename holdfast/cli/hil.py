"""``holdfast hil`` runs the fault campaign: what can go wrong, against the site's own cycle."""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from holdfast import __version__
from holdfast.cli.arguments import add_json, add_processes, processes_of
from holdfast.cli.hil_report import write_run_report, write_soak_report
from holdfast.cli.hil_view import print_run, print_soak, soak_content, suite_content
from holdfast.cli.json_output import json_bytes, print_json
from holdfast.core.errors import ConfigError
from holdfast.testing.campaign.evidence import layers_named
from holdfast.testing.campaign.pool import side_by_side
from holdfast.testing.campaign.soak import SoakDay, run_day
from holdfast.testing.campaign.suites import (
    SUITES,
    CampaignAsked,
    SuiteResult,
    faults_named,
    is_passed,
)

DESCRIPTION = """\
Run the fault campaign: a battery, an inverter, a meter and relays in simulated time, with the very
control cycle and safety path that run live, and something wrong with them. Nothing of your site
is read, and no device is touched. docs/fault-campaign.md says what is asserted.

  holdfast hil run   [--suite NAME] [--only FAULT] [--days N]
  holdfast hil soak  [--days N] [--faults N] [--only DAY]
  of both:           [--seed N] [--without LAYER] [--processes N] [--report FILE] [--json]
"""
_RUN = """\
Run suites of the campaign. 1 if a fault did not end in its reaction in time, something was damaged,
a command left what was permitted, or the site did not go on as it should.

"""
_SOAK = """\
Run days with faults that are drawn by the seed. Each day is drawn from the seed and its number
alone: --only 17 runs day 17 of the same soak again. 1 as of run.
"""
_USUAL = ("faults", "pairs")
_MOST_DAYS, _MOST_FAULTS = 10_000, 200


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listed = "\n".join(f"  {suite.name:<8} {suite.text}" for suite in SUITES.values())
    run = actions.add_parser(
        "run",
        help="run suites: each fault, pairs, quiet days, each layer taken out",
        description=f"{_RUN}{listed}\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    run.add_argument(
        "--suite",
        action="append",
        metavar="NAME",
        help=f"one of {', '.join(SUITES)}; may be given again (default: {' and '.join(_USUAL)})",
    )
    run.add_argument(
        "--only", action="append", default=[], metavar="FAULT", help="no other fault than this"
    )
    run.add_argument(
        "--days", type=int, default=30, metavar="N", help="of the suite quiet (default: 30)"
    )
    run.set_defaults(action_function=_run)
    soak = actions.add_parser("soak", help="run days with faults that are drawn", description=_SOAK)
    soak.add_argument("--days", type=int, default=30, metavar="N", help="how many (default: 30)")
    soak.add_argument(
        "--faults", type=int, default=24, metavar="N", help="how many a day (default: 24)"
    )
    soak.add_argument(
        "--only", type=int, metavar="DAY", help="run this day of it alone; the first is 0"
    )
    soak.set_defaults(action_function=_soak)
    for action in (run, soak):
        action.add_argument("--seed", type=int, default=1, help="another seed, other days")
        action.add_argument(
            "--without",
            action="append",
            default=[],
            metavar="LAYER",
            help="take out a layer of the safety path, to see what follows; may be given again",
        )
        add_processes(action)
        action.add_argument(
            "--report", type=Path, metavar="FILE", help="write a page here, and JSON beside it"
        )
        add_json(action)


def execute(options: argparse.Namespace) -> int:
    """Runs what is asked for; 1 if something was not as it has to be."""
    result: int = options.action_function(options)
    return result


def _run(options: argparse.Namespace) -> int:
    names = _suites(options.suite or _USUAL)
    asked = CampaignAsked(
        only=tuple(fault.name for fault in faults_named(options.only)) if options.only else (),
        without=layers_named(options.without),
        seed=options.seed,
        days=_within("--days", options.days, _MOST_DAYS),
    )
    processes, began_s = processes_of(options), time.monotonic()
    results: dict[str, list[SuiteResult]] = {
        name: list(SUITES[name].run(asked, processes=processes)) for name in names
    }
    passed = all(is_passed(one) for suite in results.values() for one in suite)
    content: dict[str, object] = {
        "version": __version__,
        "without": asked.without,
        "seed": asked.seed,
        "passed": passed,
        "suites": {name: suite_content(suite) for name, suite in results.items()},
        "took_s": time.monotonic() - began_s,
    }
    if options.report is not None:
        write_run_report(options.report, content, results)
        _beside(options.report, content)
    if options.json:
        print_json(content)
    else:
        print_run(content, results)
    return 0 if passed else 1


def _soak(options: argparse.Namespace) -> int:
    days = _within("--days", options.days, _MOST_DAYS)
    faults = _within("--faults", options.faults, _MOST_FAULTS)
    if options.only is not None and not 0 <= options.only < days:
        raise ConfigError(f"--only {options.only}: the days are 0 to {days - 1}")
    chosen = range(days) if options.only is None else (options.only,)
    without = layers_named(options.without)
    began_s = time.monotonic()
    jobs = [(options.seed, day, faults, without) for day in chosen]
    done = tuple(side_by_side(_day, jobs, processes=processes_of(options)))
    content = soak_content(done, options.seed, faults, without)
    content["took_s"] = time.monotonic() - began_s
    if options.report is not None:
        write_soak_report(options.report, content, done)
        _beside(options.report, content)
    if options.json:
        print_json(content)
    else:
        print_soak(content, done)
    return 0 if content["passed"] else 1


def _day(job: tuple[int, int, int, tuple[str, ...]]) -> SoakDay:
    return run_day(*job)


def _suites(names: Sequence[str]) -> tuple[str, ...]:
    for name in names:
        if name not in SUITES:
            raise ConfigError(f"--suite {name}: there are {', '.join(SUITES)}")
    return tuple(dict.fromkeys(names))


def _within(name: str, value: int, most: int) -> int:
    if not 1 <= value <= most:
        raise ConfigError(f"{name} {value}: is 1 to {most}")
    return value


def _beside(report: Path, content: dict[str, object]) -> None:
    path = report.with_suffix(".json")
    try:
        path.write_bytes(json_bytes(content) + b"\n")
    except OSError as error:
        raise ConfigError(f"--report {path}: cannot be written: {error}") from error
