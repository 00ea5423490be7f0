"""This module adds arguments that several commands share."""

import argparse
from pathlib import Path


def add_config(parser: argparse.ArgumentParser) -> None:
    """Adds the argument that most commands share."""
    parser.add_argument(
        "--config",
        type=Path,
        default=Path("site.yaml"),
        metavar="FILE",
        help="the site's configuration (default: site.yaml in this folder)",
    )


def add_json(parser: argparse.ArgumentParser) -> None:
    """Adds an argument to print for a program instead of for a person."""
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


def add_hours(parser: argparse.ArgumentParser, most: int) -> None:
    """Adds an argument for how much of a long table is shown: 1 to ``most`` hours."""

    def hours(text: str) -> int:
        if not text.isdigit() or not 1 <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text}: from 1 to {most} can be shown")
        return int(text)

    parser.add_argument(
        "--hours",
        type=hours,
        default=most,
        metavar="N",
        help=f"show no more than the next N hours (default: {most})",
    )
