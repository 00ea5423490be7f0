"""``holdfast rules`` checks rules, tries them on measured days, and proposes some."""

import argparse
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from holdfast.backtest.measured_days import MeasuredDays
from holdfast.backtest.rule_lessons import learn_rules
from holdfast.backtest.rule_trial import try_rules
from holdfast.backtest.run import Job
from holdfast.backtest.strategies import Strategy
from holdfast.cli.arguments import add_json, add_processes, processes_of, usual_config
from holdfast.cli.columns import print_columns
from holdfast.cli.data_arguments import (
    DATA_HELP,
    Measured,
    add_data_options,
    check_soc,
    read_measured,
    site_to_run,
)
from holdfast.cli.json_output import print_json
from holdfast.cli.rule_trial_view import print_lessons, print_report, print_trials, trial_summary
from holdfast.core.config import Site
from holdfast.core.errors import ConfigError
from holdfast.scheduling.rules.book import RuleBook, read_rules
from holdfast.scheduling.rules.doubts import RuleDoubt, find_doubts
from holdfast.scheduling.rules.fact_table import FACTS
from holdfast.scheduling.rules.report import decode_report
from holdfast.site.files import SiteFiles
from holdfast.site.site_file import load_site

DESCRIPTION = """\
check FILE  say what is wrong with a file of rules (ends with 2), or doubtful: rules that can never
            fire, that divide by zero, that contradict each other (ends with 1).
test FILE   run --history, measured days as `holdfast backtest` takes them, without the rules, with
            all that are enabled, and with each alone; say how often each would have fired, and what
            that would have saved.
learn       look for regularities in the first two thirds of --history, and try what comes of it on
            the rest: prints a file of rules with the evidence, none of them enabled.
facts       print the names that a rule may use.
status      say how each rule of a running site stands, and why (1: no rule counts).

Rules are laid over --over: self-consumption, if nothing else is said. Without --config the battery
is the demonstration's: 10 kWh, 5 kW.
"""
_UNDER = tuple(strategy for strategy in Strategy if strategy is not Strategy.PERFECT)
_FACT_KEYS = ("name", "kind", "unit", "meaning", "source")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    parser.add_argument("what", choices=tuple(_DO))
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help="a file of rules")
    parser.add_argument("--config", type=Path, metavar="FILE", help="the site of the rules")
    parser.add_argument("--history", dest="data", type=Path, metavar="FILE.csv", help=DATA_HELP)
    parser.add_argument(
        "--over",
        choices=[str(strategy) for strategy in _UNDER],
        default=str(Strategy.SELF_CONSUMPTION),
        help="test: what is done while no rule fires (default: self_consumption)",
    )
    parser.add_argument(
        "--soc", type=float, default=50.0, metavar="PERCENT", help="at the start (default: 50)"
    )
    add_processes(parser)
    add_data_options(parser)
    add_json(parser)


def execute(options: argparse.Namespace) -> int:
    """Does what is asked; 1 if there are doubts or conflicts."""
    return _DO[options.what](options)


def _check(options: argparse.Namespace) -> int:
    site = site_to_run(options.config)
    _, book = _read(options, site)
    doubts = find_doubts(book, datetime.now(ZoneInfo(site.timezone)).date())
    if options.json:
        print_json({"rules": _as_json(book), "doubts": doubts})
    else:
        enabled = len(book.enabled.rules)
        print(f"{options.file}: {len(book.rules)} rules, {enabled} of them enabled")
        _print_doubts(doubts)
    return 1 if doubts else 0


def _test(options: argparse.Namespace) -> int:
    site = site_to_run(options.config)
    text, book = _read(options, site)
    site = site.model_copy(update={"loads": (), "rooms": ()})
    measured = _measured(options, site)
    trials = try_rules(_job(options, site, measured), text, book, processes=processes_of(options))
    doubts = find_doubts(book, measured.data.start.date())
    if options.json:
        summary = trial_summary(measured.data, site.currency, trials)
        head = {"file": str(options.data), "over": options.over, "doubts": doubts}
        print_json({**head, **summary})
    else:
        print_trials(measured.data, site, book, trials)
        _print_doubts(doubts)
    return 1 if doubts or trials.together.conflicts else 0


def _learn(options: argparse.Namespace) -> int:
    site = site_to_run(options.config).model_copy(update={"loads": (), "rooms": ()})
    measured = _measured(options, site)
    lessons = learn_rules(_job(options, site, measured), processes=processes_of(options))
    if options.json:
        print_json({"currency": site.currency, **asdict(lessons)})
    else:
        print_lessons(lessons, site.currency)
    return 0


def _facts(options: argparse.Namespace) -> int:
    rows = FACTS.values()
    if options.json:
        print_json([{name: getattr(row, name) for name in _FACT_KEYS} for row in rows])
        return 0
    head = ("name", "kind", "unit", "meaning", "from")
    print_columns([head, *((r.name, r.kind, r.unit, r.meaning, r.source) for r in rows)])
    return 0


def _status(options: argparse.Namespace) -> int:
    files = SiteFiles.of(load_site(options.config or usual_config()))
    try:
        report = decode_report(files.rule_report.read_bytes())
    except FileNotFoundError:
        raise ConfigError(
            f"there is no {files.rule_report}: does the site run with rules?"
        ) from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{files.rule_report}: cannot be read: {error}") from error
    if options.json:
        print_json(report)
    else:
        print_report(report)
    return 1 if report.problem else 0


_DO = {"status": _status, "check": _check, "test": _test, "learn": _learn, "facts": _facts}


def _read(options: argparse.Namespace, site: Site) -> tuple[str, RuleBook]:
    path: Path | None = options.file
    if path is None:
        raise ConfigError(f"{options.what}: FILE is missing: which rules?")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    return text, read_rules(text, site, str(path))


def _measured(options: argparse.Namespace, site: Site) -> Measured:
    check_soc(options.soc)
    if options.data is None:
        raise ConfigError(f"{options.what}: --history FILE.csv is missing: which days?")
    return read_measured(options, site)


def _job(options: argparse.Namespace, site: Site, measured: Measured) -> Job:
    return Job(
        site=site,
        scenario=MeasuredDays(data=measured.data, before=measured.past),
        strategy=Strategy(options.over),
        soc_pct=options.soc,
    )


def _as_json(book: RuleBook) -> list[dict[str, object]]:
    return [
        {"name": one.rule.name, "enabled": one.rule.enabled, "rests_on": sorted(one.names)}
        for one in book.rules
    ]


def _print_doubts(doubts: tuple[RuleDoubt, ...]) -> None:
    for doubt in doubts:
        print(f"doubtful: {', '.join(doubt.rules)}: {doubt.text}")
    if not doubts:
        print("nothing is doubtful, and no two rules contradict each other")
