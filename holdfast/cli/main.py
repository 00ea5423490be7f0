"""``holdfast``: one command, one table of subcommands."""

import argparse
import sys
from collections.abc import Sequence

from holdfast import __version__
from holdfast.cli import (
    audit,
    backtest,
    check,
    explain,
    forecast,
    init,
    limits,
    operate,
    plan,
    prices,
    run,
    simulate,
    status,
)
from holdfast.core.errors import HoldfastError

_DESCRIPTION = """\
Holdfast controls a battery, PV and load behind one grid connection: it plans ahead on prices
and forecasts, and no setpoint reaches the battery or the inverter that the safety path does
not permit.

A first look, with a simulated site:   holdfast run --demo
A week in minutes:                     holdfast simulate --days 7
Your own site:                         holdfast init, then holdfast check, then holdfast run
"""

_COMMANDS = (
    init,
    check,
    limits,
    run,
    status,
    *operate.COMMANDS,
    simulate,
    plan,
    prices,
    backtest,
    forecast,
    explain,
    audit,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point. 0 all is well; 1 it did not work out; 2 wrong arguments or configuration."""
    options = _parser().parse_args(arguments)
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="holdfast",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"holdfast {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in _COMMANDS:
        child = commands.add_parser(
            command.NAME,
            help=command.HELP,
            description=command.DESCRIPTION,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add_arguments(child)
        child.set_defaults(function=command.execute)
    return parser


if __name__ == "__main__":
    sys.exit(main())
