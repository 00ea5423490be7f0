"""``holdfast incident-report`` makes the reports of an incident that authorities ask for."""

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import takewhile

from holdfast import __version__
from holdfast.cli.arguments import add_config, add_json
from holdfast.cli.audit import parse_time
from holdfast.cli.json_output import print_json
from holdfast.client.audit_reader import lines_backwards, verify_folder
from holdfast.core.config import Site
from holdfast.core.errors import ConfigError
from holdfast.deployment.incident_report import (
    IncidentReport,
    LogFacts,
    ReportKind,
    Subject,
    due_of,
    questions_of,
)
from holdfast.monitoring.audit.verify import Verdict
from holdfast.site.files import SiteFiles
from holdfast.site.site_file import load_site

DESCRIPTION = """\
Make a report from the audit log: what the log tells is filled in, and what only a person can know
is marked FILL IN. In the EU a manufacturer hands them to its CSIRT and ENISA, over their platform:
within 24 hours of becoming aware an early warning, within 72 hours a notification, and a final
report 14 days after there is a measure against a vulnerability, or a month after the notification
of an incident. An owner hands what this prints to the manufacturer. docs/incident-runbook.md has
what to do before.
"""
_TITLES = {
    ReportKind.EARLY_WARNING: "Early warning",
    ReportKind.NOTIFICATION: "Notification",
    ReportKind.FINAL: "Final report",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    add_config(parser)
    add_json(parser)
    parser.add_argument(
        "--since", required=True, metavar="TIME", help="08:00 or 2026-04-10T08:00: where it begins"
    )
    parser.add_argument("--until", metavar="TIME", help="where it ends (default: now)")
    parser.add_argument("--aware", metavar="TIME", help="when somebody became aware of it")
    parser.add_argument(
        "--kind", choices=tuple(ReportKind), default=ReportKind.EARLY_WARNING, help="which report"
    )
    parser.add_argument(
        "--about",
        choices=tuple(Subject),
        default=Subject.INCIDENT,
        help="an incident, or a vulnerability that is exploited (default: incident)",
    )


def execute(options: argparse.Namespace) -> int:
    """Prints the report; 1 if nothing is on record of that time."""
    site = load_site(options.config)
    try:
        made = _report(site, options)
    except OSError as error:
        raise ConfigError(f"the audit log cannot be read: {error}") from error
    if options.json:
        print_json(made)
    else:
        print("\n".join(_text(made)))
    return 0 if made.facts.lines else 1


def _report(site: Site, options: argparse.Namespace) -> IncidentReport:
    folder = SiteFiles.of(site).audit
    since = parse_time(options.since, site.timezone)
    until = None if options.until is None else parse_time(options.until, site.timezone)
    if until is not None and until < since:
        raise ConfigError("--until is before --since")
    aware = None if options.aware is None else parse_time(options.aware, site.timezone)
    kind, subject = ReportKind(options.kind), Subject(options.about)
    newest_first = takewhile(lambda line: line.time >= since, lines_backwards(folder, until))
    due, rule = due_of(kind, subject, aware)
    verdict = verify_folder(folder)
    return IncidentReport(
        kind=kind,
        subject=subject,
        product=f"Holdfast {__version__}",
        site=site.name,
        aware=aware,
        due=due,
        due_rule=rule,
        facts=LogFacts.of(list(newest_first)[::-1]),
        log_is_whole=verdict.problem is None,
        log_end=_log_end(verdict),
        questions=questions_of(kind, subject, aware),
    )


def _log_end(verdict: Verdict) -> str:
    if verdict.problem is not None:
        return f"{verdict.problem.wrong}: {verdict.problem.text}"
    return "" if verdict.last is None else f"{verdict.last.sequence}:{verdict.last.hash}"


def _text(made: IncidentReport) -> Iterator[str]:
    yield f"# {_TITLES[made.kind]} of a{_article(made.subject)}"
    yield ""
    yield f"Made from the audit log at {_utc(datetime.now(UTC))}. A draft until no line says"
    yield "FILL IN: what is marked so only a person can know."
    yield ""
    yield f"- Product: {made.product}"
    yield f"- Site: {made.site}"
    if made.aware is not None:
        yield f"- Aware since: {_utc(made.aware)}"
    due = made.due_rule if made.due is None else f"{_utc(made.due)} ({made.due_rule})"
    yield f"- Due: {due}"
    for question in made.questions:
        yield f"- {question.topic}: **FILL IN: {question.asks}**"
    yield from _facts(made)


def _article(subject: Subject) -> str:
    is_incident = subject is Subject.INCIDENT
    return " severe incident" if is_incident else "n actively exploited vulnerability"


def _facts(made: IncidentReport) -> Iterator[str]:
    facts = made.facts
    yield from ("", "## What the audit log tells", "")
    if not facts.lines:
        yield "Nothing is on record of that time."
        return
    yield f"- Lines: {facts.lines}, from {facts.first_utc} to {facts.last_utc}"
    whole = (
        f"whole, up to line {made.log_end}" if made.log_is_whole else f"NOT WHOLE: {made.log_end}"
    )
    yield f"- The log is {whole}"
    yield f"- Versions that started: {', '.join(facts.versions) or 'none started meanwhile'}"
    digests = ", ".join(digest[:12] for digest in facts.configurations)
    yield f"- site.yaml (SHA-256): {digests or 'none was read meanwhile'}"
    yield f"- Refused: {', '.join(facts.sources_refused) or 'nobody'}"
    counts = ", ".join(f"{name} {count}" for name, count in facts.counts.items())
    yield f"- Events: {counts}"
    if facts.unknown:
        yield f"- Lines of another version, not told here: {facts.unknown}"
    yield from ("", "## What matters, in order", "")
    for told in facts.told:
        what = f"{told.category}, {told.result}, {told.source}"
        yield f"- {told.sequence} {told.utc} [{what}] {told.text}"
    if facts.left_out:
        yield f"- and {facts.left_out} more: `holdfast audit show --since`"
    if not facts.told:
        yield "Nothing beside ordinary operation."


def _utc(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
