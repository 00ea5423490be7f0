"""What a command does with ``--url``: it asks a site on another computer, and shows the same."""

import argparse
import sys
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from holdfast.cli import audit as audit_command
from holdfast.cli.explain import show_explanation
from holdfast.cli.plan_stored import recent
from holdfast.cli.plan_view import PlannedSite, show_plan
from holdfast.cli.reply import print_plain_json, tell
from holdfast.cli.status import show_status
from holdfast.core.commands import Command
from holdfast.core.errors import ConfigError, HoldfastError
from holdfast.remote.remote_site import RemoteSite

_NOT_KNOWN: Final = """\
NOT KNOWN TO BE STOPPED. If power still flows, or if you do not know: press the emergency button, or
open the main switch."""
STOP_WITHIN_S: Final = 3.0
"""Whoever needs a stop has no time for a network that hangs."""


def status(options: argparse.Namespace) -> int:
    """Prints the latest status. Raises NotRunning, SiteRefused, as all of these do."""
    with _site(options) as site:
        show_status(site.status(), site.about().timezone, as_json=options.json)
    return 0


def command(asked: Command, options: argparse.Namespace) -> int:
    """Asks, and tells the answer; 1 if it was refused."""
    with _site(options) as site:
        return tell(site.command(asked), as_json=options.json)


def emergency_stop(options: argparse.Namespace) -> int:
    """Stops, and tells; 1 if it was refused, or nobody answers."""
    try:
        with _site(options, STOP_WITHIN_S) as site:
            reply = site.command(Command.EMERGENCY_STOP)
    except HoldfastError as error:
        text = f"{_NOT_KNOWN}\n({error})"
        if options.json:
            print_plain_json({"accepted": False, "reason": text, "state": None})
        else:
            print(text, file=sys.stderr)
        return 1
    return tell(reply, as_json=options.json)


def plan(options: argparse.Namespace) -> int:
    """Prints what was last planned; 1 if there is none, or it was refused."""
    with _site(options) as site:
        about, report = site.about(), recent(site.plan().report)
    planned = PlannedSite(
        timezone=about.timezone,
        currency=about.currency,
        loads=tuple(load.name for load in about.loads),
        unswitched=tuple(load.name for load in about.loads if not load.switched),
    )
    return show_plan(report, planned, options)


def explain(options: argparse.Namespace) -> int:
    """Prints why the site does this."""
    with _site(options) as site:
        timezone = site.about().timezone
        at = None if options.at is None else audit_command.parse_time(options.at, timezone)
        found = site.explain(at)
    zone = ZoneInfo(timezone)
    show_explanation(found.sentences, found.situation, at, zone, as_json=options.json)
    return 0


def audit(options: argparse.Namespace) -> int:
    """Prints lines of the audit log; 1 if nothing is on record."""
    if options.what != "show":
        raise ConfigError("--url: a log is verified where it is; the site's pages do that, too")
    with _site(options) as site:
        timezone = site.about().timezone
        lines = (
            audit_command.ToldLine(
                sequence=line.sequence, utc=line.utc, event=line.event, text=line.text
            )
            for line in site.audit_backwards()
        )
        chosen = audit_command.chosen_lines(lines, options, timezone)
        return audit_command.show_lines(chosen, ZoneInfo(timezone), options)


def _site(options: argparse.Namespace, timeout_s: float = 10.0) -> RemoteSite:
    token = None if options.token_file is None else _token(options.token_file)
    return RemoteSite(options.url, token, certificate=options.certificate, timeout_s=timeout_s)


def _token(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--token-file {path}: cannot be read: {error}") from error
