"""``holdfast explain`` tells why the site is doing this."""

import argparse
import sys
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from holdfast.cli.arguments import add_config, add_json, add_remote
from holdfast.cli.audit import parse_time
from holdfast.cli.commands import load
from holdfast.cli.json_output import print_json
from holdfast.client.audit_reader import lines_backwards
from holdfast.client.status_reader import StatusReader
from holdfast.core.errors import ConfigError, NotRunning
from holdfast.monitoring.explain.situation import Situation, situation_at, situation_now
from holdfast.monitoring.explain.text import explain
from holdfast.site.files import SiteFiles
from holdfast.site.site_file import load_site

DESCRIPTION = """\
Say what the battery does, who asked for it and why, which layer narrowed it, what is blocked,
and what has to happen for that to change. With --at, of a moment that is in the audit log.
"""
TOLD_FROM_S = 10.0
"""From here on the age of what is told is told too."""
HOUR_S = 3600


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    add_config(parser)
    add_remote(parser)
    add_json(parser)
    parser.add_argument(
        "--at", metavar="TIME", help="a moment on record, such as 14:30 or 2026-04-10T14:30"
    )


def execute(options: argparse.Namespace) -> int:
    """Explains; 1 if nothing is on record of the moment."""
    if options.url is not None:
        return int(load("remote").explain(options))
    site = load_site(options.config)
    files = SiteFiles.of(site)
    at = None if options.at is None else parse_time(options.at, site.timezone)
    situation = _now(files, options) if at is None else _at(files, at)
    if situation is None:
        print(f"nothing is on record before {options.at}", file=sys.stderr)
        return 1
    zone = ZoneInfo(site.timezone)
    show_explanation(explain(situation, zone), situation, at, zone, as_json=options.json)
    return 0


def show_explanation(
    sentences: Sequence[str],
    situation: Situation,
    at: datetime | None,
    zone: ZoneInfo,
    *,
    as_json: bool,
) -> None:
    """Prints an explanation; ``at`` is the moment that was asked for, None for now."""
    if as_json:
        print_json({"sentences": sentences, "situation": situation})
        return
    if at is not None:
        print(_heading(situation.time, at, zone))
    print("\n".join(sentences))


def _now(files: SiteFiles, options: argparse.Namespace) -> Situation:
    status = StatusReader(files).fresh()
    if status is None:
        raise NotRunning(
            f"no controller is running for {options.config}; "
            "--at TIME explains a moment that is on record"
        )
    return situation_now(status)


def _heading(time: datetime, at: datetime, zone: ZoneInfo) -> str:
    """Tells how old what is told is: a log holds changes, and between two of them nothing."""
    told = f"On record, from {time.astimezone(zone):%Y-%m-%d %H:%M:%S}"
    age_s = round((at - time).total_seconds())
    if age_s < TOLD_FROM_S:
        return f"{told}:"
    age = f"{age_s // 60} min {age_s % 60} s" if age_s < HOUR_S else f"{age_s / HOUR_S:.1f} h"
    return f"{told}, the last change before {at.astimezone(zone):%H:%M:%S} ({age} older):"


def _at(files: SiteFiles, at: datetime) -> Situation | None:
    try:
        return situation_at(lines_backwards(files.audit, at))
    except OSError as error:
        raise ConfigError(f"the audit log cannot be read: {error}") from error
