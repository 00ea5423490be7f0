"""``holdfast reset`` leaves ERROR or STOPPED."""

import argparse

from holdfast.cli.arguments import add_config, add_json, add_remote
from holdfast.cli.operate import ask
from holdfast.core.commands import Command

DESCRIPTION = """\
After a fault: possible once every cause has been gone for its hold time. After an emergency
stop: possible once the emergency-stop loop is closed again. Some faults (`holdfast limits`
shows which) are cleared by service only, once somebody who can judge it has inspected the
battery: --service.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    add_config(parser)
    add_remote(parser)
    add_json(parser)
    parser.add_argument(
        "--service",
        action="store_true",
        help="after an inspection: clear what is latched for service, too",
    )


def execute(options: argparse.Namespace) -> int:
    """Asks, and tells; 1 if it was refused."""
    return ask(Command.SERVICE_RESET if options.service else Command.RESET, options)
