"""``holdfast explain``: why is it doing this?"""

import argparse
import sys
from zoneinfo import ZoneInfo

from holdfast.cli.arguments import add_config, add_json, print_json
from holdfast.cli.audit import parse_time
from holdfast.cli.status import FRESH_S
from holdfast.core.config import Site
from holdfast.core.errors import ConfigError, NotRunning
from holdfast.core.site_file import load_site
from holdfast.monitoring.explain import explain
from holdfast.monitoring.situation import Situation, situation_at, situation_now
from holdfast.runtime.audit_reader import lines_backwards
from holdfast.runtime.files import SiteFiles
from holdfast.runtime.status_reader import StatusReader

NAME = "explain"
HELP = "say in plain words why the battery does what it does, now or at a recorded moment"
DESCRIPTION = """\
Say what the battery does, who asked for it and why, which layer narrowed it, what is blocked,
and what has to happen for that to change. With --at, of a moment that is in the audit log.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of this command."""
    add_config(parser)
    add_json(parser)
    parser.add_argument(
        "--at", metavar="TIME", help="a moment on record, such as 14:30 or 2026-04-10T14:30"
    )


def execute(options: argparse.Namespace) -> int:
    """Explain. 1 if nothing is on record of the moment."""
    site = load_site(options.config)
    files = SiteFiles(state_dir=site.state_dir)
    situation = _now(files, options) if options.at is None else _at(site, files, options)
    if situation is None:
        print(f"nothing is on record before {options.at}", file=sys.stderr)
        return 1
    zone = ZoneInfo(site.timezone)
    sentences = explain(situation, zone)
    if options.json:
        print_json({"sentences": sentences, "situation": situation})
        return 0
    if situation.recorded:
        print(f"On record, from {situation.time.astimezone(zone):%Y-%m-%d %H:%M:%S}:")
    print("\n".join(sentences))
    return 0


def _now(files: SiteFiles, options: argparse.Namespace) -> Situation:
    found = StatusReader(files).latest()
    if found is None or found[1] > FRESH_S:
        raise NotRunning(
            f"no controller is running for {options.config}; "
            "--at TIME explains a moment that is on record"
        )
    return situation_now(found[0])


def _at(site: Site, files: SiteFiles, options: argparse.Namespace) -> Situation | None:
    try:
        return situation_at(lines_backwards(files.audit, parse_time(options.at, site.timezone)))
    except OSError as error:
        raise ConfigError(f"the audit log cannot be read: {error}") from error
