"""``holdfast estop`` is the emergency stop.

It waits for nothing that it does not need: no library, no check of the configuration.
"""

import argparse
import sys

from holdfast.cli.arguments import add_config, add_json, add_remote
from holdfast.cli.commands import load
from holdfast.cli.reply import print_plain_json, tell
from holdfast.client.control import ControlClient
from holdfast.core.commands import Command
from holdfast.core.errors import NotRunning
from holdfast.site.files import SiteFiles
from holdfast.site.state_dir import state_dir_of

DESCRIPTION = """\
0 W at once, inverters off, contactors open, latched: the site stays in STOPPED, over restarts
too, until somebody on site runs `holdfast reset`.
"""
WITHIN_S = 1.0
"""Whoever needs a stop has no time for a controller that hangs."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    add_config(parser)
    add_remote(parser)
    add_json(parser)


def execute(options: argparse.Namespace) -> int:
    """Asks, and tells; 1 if it was refused, or nobody answers."""
    if options.url is not None:
        return int(load("remote").emergency_stop(options))
    files = SiteFiles(state_dir=state_dir_of(options.config))
    try:
        with ControlClient.for_stops(files, WITHIN_S) as client:
            reply = client.command(Command.EMERGENCY_STOP)
    except NotRunning as error:
        from holdfast.cli.no_answer import no_answer  # the stop is out, or cannot be sent

        text = no_answer(options.config, files, error)
        if options.json:
            print_plain_json({"accepted": False, "reason": text, "state": None})
        else:
            print(text, file=sys.stderr)
        return 1
    return tell(reply, as_json=options.json)
