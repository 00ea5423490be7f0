"""What every measurement of a way to 0 W needs: a site under load, its power, its options."""

import argparse
import asyncio
import gc
import random
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TypeVar

from benchmarks.background import become_a_device, cpu_hogs
from benchmarks.report import CannotRun, at_least_one, new_parser
from benchmarks.running_site import Commander, InverterEar, SiteFolder, make_site
from holdfast.core.commands import Command

LIMIT_S = 1200.0
_LONGEST_PAUSE_S = 0.02
"""A try comes at any moment of a cycle."""

Result = TypeVar("Result")


def parser_of(name: str, text: str, *, tries: int, of_what: str) -> argparse.ArgumentParser:
    """What one of these benchmarks understands."""
    parser = new_parser(name, text)
    parser.add_argument("--tries", type=at_least_one, default=tries, help=of_what)
    parser.add_argument("--hogs", type=int, default=2, help="processes that take CPU meanwhile")
    return parser


def under_load(
    name: str,
    hogs: int,
    tries: Callable[[SiteFolder], Coroutine[None, None, Result]],
) -> tuple[Result, list[str]]:
    """Run ``tries`` on a site of their own beside CPU hogs; its result, and notes on it."""
    with tempfile.TemporaryDirectory(prefix=f"holdfast-{name}-") as path:
        folder = make_site(Path(path), operation={"ramp_w_per_s": 20_000.0})
        with cpu_hogs(hogs, LIMIT_S):
            real_time = become_a_device()
            result = asyncio.run(tries(folder))
    slow = "SCHED_FIFO is not permitted here: the inverter's server is slow too"
    return result, [] if real_time else [slow]


async def any_moment(chance: random.Random) -> None:
    """Wait for a moment anywhere in a cycle, with nothing left to collect."""
    await asyncio.sleep(chance.uniform(0.0, _LONGEST_PAUSE_S))
    gc.collect(1)


async def let_power_flow(commander: Commander, ear: InverterEar) -> None:
    """Start the site. Raises CannotRun if no power flows."""
    asked = await commander.ask(Command.START)
    if not asked.reply.accepted:
        raise CannotRun(f"start was refused: {asked.reply.reason}")
    await commander.until(lambda: ear.setpoint_w not in (None, 0.0), "no power flows in RUNNING")
