"""``holdfast stop`` ends operation in order."""

import argparse

from holdfast.cli.arguments import add_config, add_json, add_remote
from holdfast.cli.operate import ask
from holdfast.core.commands import Command

DESCRIPTION = """\
Go to 0 W and open the contactors. Start again with `holdfast start`.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    add_config(parser)
    add_remote(parser)
    add_json(parser)


def execute(options: argparse.Namespace) -> int:
    """Asks, and tells; 1 if it was refused."""
    return ask(Command.STOP, options)
