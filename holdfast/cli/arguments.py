"""This module adds arguments that several commands share."""

import argparse
import os
from pathlib import Path

from holdfast.core.errors import ConfigError


def usual_config() -> Path:
    """Returns the site.yaml that is meant if none is named; an installed Holdfast knows which."""
    return Path(os.environ.get("HOLDFAST_CONFIG", "site.yaml"))


def add_config(parser: argparse.ArgumentParser) -> None:
    """Adds the argument that most commands share."""
    parser.add_argument(
        "--config",
        type=Path,
        default=usual_config(),
        metavar="FILE",
        help="the site's configuration (default: site.yaml in this folder)",
    )


_MOST_PROCESSES = 64


def add_processes(parser: argparse.ArgumentParser) -> None:
    """Adds the argument of a command whose runs know nothing of each other."""
    parser.add_argument(
        "--processes", type=int, metavar="N", help="runs at a time (default: one for each core)"
    )


def processes_of(options: argparse.Namespace) -> int:
    """Returns how many runs go on at a time. Raises ConfigError."""
    asked: int | None = options.processes
    processes = len(os.sched_getaffinity(0)) if asked is None else asked
    if not 1 <= processes <= _MOST_PROCESSES:
        raise ConfigError(f"--processes {processes}: from 1 to {_MOST_PROCESSES}")
    return processes


def add_remote(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of a command that can ask a site on another computer, over its API."""
    parser.add_argument(
        "--url", help="ask the site whose pages are there, such as https://energy.example.org:9480"
    )
    parser.add_argument(
        "--token-file",
        type=Path,
        metavar="FILE",
        help="with --url: a file with nothing but a token in it, which the site's pages make",
    )
    parser.add_argument(
        "--certificate",
        type=Path,
        metavar="FILE",
        help="with --url: the certificate of a site that made its own",
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
