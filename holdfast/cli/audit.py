"""``holdfast audit`` tells what happened at a site, and whether that record is whole."""

import argparse
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, takewhile
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo

from holdfast.cli.arguments import add_config, add_json, add_remote
from holdfast.cli.commands import load
from holdfast.cli.json_output import print_json
from holdfast.client.audit_category import Category, classify
from holdfast.client.audit_reader import (
    lines_backwards,
    verdict_content,
    verify_folder,
)
from holdfast.core.config import Site
from holdfast.core.errors import ConfigError
from holdfast.monitoring.audit.events import AuditEvent
from holdfast.monitoring.audit.log_lines import Line, Place, event_of
from holdfast.monitoring.audit.text import describe
from holdfast.monitoring.audit.verify import Verdict
from holdfast.site.files import SiteFiles
from holdfast.site.site_file import load_site

DESCRIPTION = """\
verify   check the chain of hashes: any line that was altered, taken out, put in or moved is
         found, and the first bad place is named. Exits with 1 if anything is wrong. Keep the
         number and hash that it prints somewhere else and give them to a later run with
         --contains: so a log that was forged as a whole is found as well.
show     print events: state changes, findings, commands, plans, and every setpoint with its way
         through the layers; with --category those of one kind, each with its source and result.
"""
_PLACE = re.compile(r"([1-9][0-9]*):([0-9a-f]{64})")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    parser.add_argument("what", choices=("verify", "show"))
    add_config(parser)
    add_remote(parser)
    add_json(parser)
    parser.add_argument(
        "--last", type=int, default=20, metavar="N", help="show: so many events (default: 20)"
    )
    parser.add_argument(
        "--since",
        metavar="TIME",
        help="show: all events from this time on, such as 08:00 or 2026-04-10T08:00+02:00",
    )
    parser.add_argument(
        "--category", choices=tuple(Category), help="show: only events of this kind"
    )
    parser.add_argument(
        "--contains",
        action="append",
        default=[],
        metavar="NUMBER:HASH",
        help="verify: a line that must be in the log",
    )


def execute(options: argparse.Namespace) -> int:
    """Verifies or shows; 1 if the log is not as it was written, or nothing is on record."""
    if options.url is not None:
        return int(load("remote").audit(options))
    site = load_site(options.config)
    folder = SiteFiles.of(site).audit
    try:
        if options.what == "verify":
            return _verify(folder, options)
        return _show(site, folder, options)
    except OSError as error:
        raise ConfigError(f"the audit log cannot be read: {error}") from error


def parse_time(text: str, timezone: str) -> datetime:
    """Reads a time as people write it: today's 08:00, or a date and time; local without a zone.

    Raises ConfigError.
    """
    zone = ZoneInfo(timezone)
    try:
        if re.fullmatch(r"\d\d:\d\d(:\d\d)?", text):
            text = f"{datetime.now(zone):%Y-%m-%d}T{text}"
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(f"{text!r} is no time such as 08:00 or 2026-04-10T08:00") from error
    return time if time.tzinfo is not None else time.replace(tzinfo=zone)


def _verify(folder: Path, options: argparse.Namespace) -> int:
    verdict = verify_folder(folder, map(_place, options.contains))
    if options.json:
        print_json(verdict_content(verdict))
    else:
        _tell(verdict)
    return 0 if verdict.problem is None else 1


def _place(text: str) -> Place:
    match = _PLACE.fullmatch(text)
    if match is None:
        raise ConfigError(f"--contains {text}: must be the number and the hash of a line")
    return Place(sequence=int(match[1]), hash=match[2])


def _tell(verdict: Verdict) -> None:
    for note in verdict.notes:
        print(f"note: {note}")
    first, last = verdict.first, verdict.last
    span = "" if first is None or last is None else f", from {first.utc} to {last.utc}"
    count = f"{verdict.lines} lines in {verdict.files} files{span}"
    problem = verdict.problem
    if problem is None:
        print(f"ok: {count}")
        if last is not None:
            print(f"last line: {last.sequence}:{last.hash}")
        return
    place = ", ".join(
        (
            *([problem.file] if problem.file else []),
            *([f"line {problem.line}"] * (problem.line > 0)),
        )
    )
    print(f"{problem.wrong}: {f'{place}: ' if place else ''}{problem.text}", file=sys.stderr)
    print(f"good up to there: {count}", file=sys.stderr)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldLine:
    """Holds a line of the log as it is shown."""

    sequence: int
    utc: str
    event: AuditEvent | None
    """It is None if this version does not know such an event."""
    text: str

    @classmethod
    def of(cls, line: Line) -> Self:
        """Returns how ``line`` is shown."""
        event = event_of(line)
        text = line.event.decode(errors="replace") if event is None else describe(event)
        return cls(sequence=line.sequence, utc=line.utc, event=event, text=text)


def chosen_lines(
    lines: Iterable[ToldLine], options: argparse.Namespace, timezone: str
) -> Iterator[ToldLine]:
    """Yields what is asked for of ``lines``, which come newest first. Raises ConfigError."""
    if options.since is not None:
        since = parse_time(options.since, timezone)
        lines = takewhile(lambda line: datetime.fromisoformat(line.utc) >= since, lines)
    if options.category is not None:
        lines = (line for line in lines if _category(line) == options.category)
    return iter(lines) if options.since is not None else islice(lines, max(options.last, 0))


def _category(line: ToldLine) -> Category | None:
    return None if line.event is None else classify(line.event).category


def _as_json(line: ToldLine) -> dict[str, object]:
    classified = None if line.event is None else classify(line.event)
    return {
        "sequence": line.sequence,
        "utc": line.utc,
        "category": None if classified is None else classified.category,
        "source": None if classified is None else classified.source,
        "result": None if classified is None else classified.result,
        "event": line.event,
    }


def _as_text(line: ToldLine) -> str:
    """Tells a line with its category, source and result; without them where it is not known."""
    if line.event is None:
        return line.text
    found = classify(line.event)
    return f"[{found.category}, {found.result}, {found.source}] {line.text}"


def show_lines(
    newest_first: Iterable[ToldLine], zone: ZoneInfo, options: argparse.Namespace
) -> int:
    """Prints lines, oldest first; 1 if there are none."""
    lines = list(newest_first)[::-1]
    if options.json:
        print_json([_as_json(line) for line in lines])
        return 0 if lines else 1
    for line in lines:
        time = datetime.fromisoformat(line.utc).astimezone(zone)
        text = line.text if options.category is None else _as_text(line)
        print(f"{line.sequence:6} {time:%Y-%m-%d %H:%M:%S} {text}")
    if not lines:
        print("nothing is on record of that time", file=sys.stderr)
    return 0 if lines else 1


def _show(site: Site, folder: Path, options: argparse.Namespace) -> int:
    lines = map(ToldLine.of, lines_backwards(folder))
    chosen = chosen_lines(lines, options, site.timezone)
    return show_lines(chosen, ZoneInfo(site.timezone), options)
