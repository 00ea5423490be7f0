"""The command line: the processor time that each command takes which only reads.

A site runs beside, with a plan and an audit log; its devices live in this process. Processor time
of the command's process is counted, not wall time, from its start to its end: what else happens on
the machine takes turns with it. Beside it stands what a Python that does nothing takes.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.background import become_a_device
from benchmarks.report import (
    CannotRun,
    Report,
    at_least_one,
    at_most,
    new_parser,
    run,
    summarise,
)
from benchmarks.running_site import (
    Commander,
    InverterEar,
    SiteFolder,
    SiteProcesses,
    make_site,
    serve_site,
)
from benchmarks.to_zero import let_power_flow
from holdfast.client.plan_report import read_report
from holdfast.core.state_machine import State

BUDGET_S = 0.4
TRIES = 10
COMMANDS = (
    "status", "explain", "audit show", "audit verify", "plan", "prices --cached", "forecast",
    "check", "limits",
)  # fmt: skip
_NOTHING = "python, nothing"


def measure(options: argparse.Namespace) -> Report:
    """All commands, one after the other."""
    with tempfile.TemporaryDirectory(prefix="holdfast-cli-") as path:
        folder = make_site(Path(path))
        become_a_device()
        results = asyncio.run(_all(folder, options.tries))
    nothing_s = results[_NOTHING]["p50"]
    for figures in results.values():
        figures["x nothing"] = figures["p50"] / nothing_s
    budgets = [
        at_most(f"`holdfast {command}`, median", "s", BUDGET_S, results[command]["p50"])
        for command in COMMANDS
    ]
    return Report(
        settings={"tries": options.tries}, results=results, unit="s of CPU", budgets=budgets
    )


async def _all(folder: SiteFolder, tries: int) -> dict[str, Any]:
    ear = InverterEar()
    async with serve_site(folder, ear), SiteProcesses(folder) as processes:
        for name in ("watchdog", "controller", "planner"):
            processes.start(f"holdfast.runtime.{name}")
        commander = Commander(folder, processes)
        await commander.connect()
        try:
            await commander.reach(State.IDLE)
            await let_power_flow(commander, ear)
            await commander.until(lambda: read_report(folder.files) is not None, "there is no plan")
            return await asyncio.to_thread(_times, folder.config, tries)
        finally:
            commander.close()


def _times(config: Path, tries: int) -> dict[str, Any]:
    python = [sys.executable]
    lines = {_NOTHING: [*python, "-c", "pass"]}
    for command in COMMANDS:
        words = [*command.split(), "--config", str(config)]
        lines[command] = [*python, "-m", "holdfast.cli.main", *words]
    found: dict[str, list[float]] = {name: [] for name in lines}
    for _ in range(tries):  # round by round, so that what else happens meets each
        for name, line in lines.items():
            found[name].append(_cpu_s(line))
    return {name: summarise(times_s) for name, times_s in found.items()}


def _cpu_s(line: Sequence[str]) -> float:
    """Processor time of one process. Raises CannotRun if it fails."""
    with subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            assert process.stderr is not None
            raise CannotRun(f"{' '.join(line)}: {process.stderr.read().decode(errors='replace')}")
    return used.ru_utime + used.ru_stime


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point."""
    parser = new_parser("cli", "What the commands that only read take of the processor.")
    parser.add_argument("--tries", type=at_least_one, default=TRIES, help="of each command")
    options = parser.parse_args(arguments)
    return run("cli", options, lambda: measure(options))


if __name__ == "__main__":
    sys.exit(main())
