"""``holdfast`` is one command; of its subcommands only the one that is asked for is loaded."""

import argparse
import sys
from collections.abc import Sequence

from holdfast import __version__
from holdfast.cli.commands import COMMANDS, load
from holdfast.core.errors import HoldfastError

_DESCRIPTION = """\
Holdfast controls a battery, PV and load behind one grid connection: it plans ahead on prices
and forecasts, and no setpoint reaches the battery or the inverter that the safety path does
not permit.

A first look, with a simulated site:   holdfast run --demo
A week in minutes:                     holdfast simulate --days 7
Your own site:                         holdfast init, then holdfast check, then holdfast run
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command. 0 all is well; 1 it did not work out; 2 wrong arguments or configuration."""
    words = sys.argv[1:] if arguments is None else arguments
    options = _parser(words).parse_args(words)
    try:
        result: int = options.function(options)
    except HoldfastError as error:
        print(f"holdfast {options.command}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 1
    return result


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """Knows all commands by name, and the one that ``words`` ask for by its arguments."""
    parser = argparse.ArgumentParser(
        prog="holdfast",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"holdfast {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    asked = next((word for word in words if not word.startswith("-")), None)
    for name, text in COMMANDS.items():
        child = commands.add_parser(
            name, help=text, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        if name == asked:
            module = load(name)
            child.description = module.DESCRIPTION
            module.add_arguments(child)
            child.set_defaults(function=module.execute)
    return parser


if __name__ == "__main__":
    sys.exit(main())
