"""Arguments that several commands share, and how they print for programs."""

import argparse
from pathlib import Path

from pydantic_core import to_json


def add_config(parser: argparse.ArgumentParser) -> None:
    """The argument that most commands share."""
    parser.add_argument(
        "--config",
        type=Path,
        default=Path("site.yaml"),
        metavar="FILE",
        help="the site's configuration (default: site.yaml in this folder)",
    )


def add_json(parser: argparse.ArgumentParser) -> None:
    """Print for a program instead of for a person."""
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


def print_json(value: object) -> None:
    """Print ``value`` as JSON; what is not finite becomes null."""
    print(to_json(value, indent=2, inf_nan_mode="null").decode())
