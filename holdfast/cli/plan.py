"""``holdfast plan`` shows the plan that is being followed, or one made now."""

import argparse
from datetime import datetime
from pathlib import Path

from holdfast.backtest.final import Final
from holdfast.cli.arguments import add_json, add_remote
from holdfast.cli.commands import load
from holdfast.cli.data_arguments import DATA_HELP, add_data_options

DESCRIPTION = """\
Show what the planner last planned, slot by slot, each with its reason, and whether the
controller accepted it. With --soc, make a plan now instead, from the site's prices and what
the planner has learned of the house; nothing is sent to the controller.

With --data and --soc, make one plan over a whole file of measured data with everything known in
advance: the best that can be had, as one optimization problem with its objective. Without
--config it is for the demonstration's battery.

With --batch, make a plan for each site that has a folder in DIR, in one process, from what lies in
that folder: site.yaml, soc_pct.txt, prices as they are known, and what was measured, in the site's
state_dir or in measured.csv. Each plan is written beside its site, as plan.json; nobody is asked,
and nothing is sent to a controller.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="the site's configuration (default: site.yaml in this folder)",
    )
    add_remote(parser)
    add_json(parser)
    parser.add_argument(
        "--batch", type=Path, metavar="DIR", help="plan for each site that has a folder in DIR"
    )
    parser.add_argument("--data", type=Path, metavar="FILE.csv", help=DATA_HELP)
    add_data_options(parser)
    parser.add_argument(
        "--final",
        type=Final,
        choices=list(Final),
        default=Final.AT_LEAST_INITIAL,
        help="with --data: what the battery holds at the end (default: at-least-initial)",
    )
    parser.add_argument(
        "--soc",
        type=float,
        metavar="PERCENT",
        help="make a plan from this state of charge; with --batch: of sites without soc_pct.txt",
    )
    parser.add_argument(
        "--at",
        type=datetime.fromisoformat,
        metavar="TIME",
        help="with --soc or --batch: as if it were this time, such as 2026-04-10T08:00+02:00 "
        "(default: now)",
    )


def execute(options: argparse.Namespace) -> int:
    """Shows what was planned, or plans: only that loads an optimizer."""
    if options.batch is not None:
        way = "plan_batch"
    elif options.data is not None:
        way = "plan_data"
    elif options.soc is not None:
        way = "plan_now"
    elif options.url is not None:
        return int(load("remote").plan(options))
    else:
        way = "plan_stored"
    result: int = load(way).execute(options)
    return result
