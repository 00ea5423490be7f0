"""The controller is lost while power flows: how long until the inverter is told 0 W.

Killed (SIGKILL), and stopped (SIGSTOP, which is what a hang looks like from outside). The
watchdog process notices by the heartbeat, and writes on a connection of its own. The time
starts before the signal is sent and ends when the inverter's Modbus server, which lives in
this process, carries out the write.
"""

import argparse
import os
import random
import signal
import sys
import time
from collections.abc import Sequence
from functools import partial

from benchmarks.background import CyclicTest
from benchmarks.report import Report, at_most, run, summarise
from benchmarks.running_site import Commander, InverterEar, SiteFolder, SiteProcesses, serve_site
from benchmarks.to_zero import LIMIT_S, any_moment, let_power_flow, parser_of, under_load
from holdfast.core.state_machine import State

TO_ZERO_MS = 500.0
WAYS = {"killed": signal.SIGKILL, "stopped": signal.SIGSTOP}
_CONTROLLER = "holdfast.runtime.controller"
_LOST_AFTER_S = 5.0

Times = dict[str, list[float]]


async def _all_tries(folder: SiteFolder, tries: int) -> Times:
    """Times in ms, by the way in which the controller was lost."""
    ear, chance = InverterEar(), random.Random(1)
    times_ms: Times = {way: [] for way in WAYS}
    async with serve_site(folder, ear), SiteProcesses(folder) as processes:
        processes.start("holdfast.runtime.watchdog")
        for way, number in tries * tuple(WAYS.items()):
            # So many crashes would lock the site out, as they should.
            folder.files.starts.unlink(missing_ok=True)
            pid = processes.start(_CONTROLLER)
            await _until_power_flows(Commander(folder, processes), ear)
            await any_moment(chance)
            ear.listen()
            began_ns = time.monotonic_ns()
            os.kill(pid, number)
            zero_ns = await ear.zero(_LOST_AFTER_S)
            processes.kill(_CONTROLLER)
            times_ms[way].append(float("inf") if zero_ns is None else (zero_ns - began_ns) / 1e6)
    return times_ms


async def _until_power_flows(commander: Commander, ear: InverterEar) -> None:
    ear.setpoint_w = None
    try:
        await commander.connect()
        await commander.reach(State.IDLE)
        await let_power_flow(commander, ear)
    finally:
        commander.close()


def measure(options: argparse.Namespace) -> Report:
    """All tries, the two ways in turn."""
    reference = CyclicTest(10_000, LIMIT_S)
    with reference:
        tries = partial(_all_tries, tries=options.tries)
        times_ms, notes = under_load("watchdog", options.hogs, tries)
    return Report(
        settings={"tries": options.tries, "hogs": options.hogs},
        results={
            **{way: summarise(values) for way, values in times_ms.items()},
            "cyclictest_us": reference.result,
        },
        unit="ms",
        budgets=[
            at_most(f"controller {way}, to 0 W, maximum", "ms", TO_ZERO_MS, max(values))
            for way, values in times_ms.items()
        ],
        notes=[*notes, *([reference.note] if reference.note else [])],
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point."""
    text = "From the loss of the controller to 0 W at the inverter."
    parser = parser_of("watchdog", text, tries=10, of_what="of each way to lose it")
    options = parser.parse_args(arguments)
    return run("watchdog", options, lambda: measure(options))


if __name__ == "__main__":
    sys.exit(main())
