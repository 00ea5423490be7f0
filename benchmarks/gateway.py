"""The gateway: from a press on the plain page to 0 W at the inverter.

The real controller, watchdog and gateway; the simulated site lives in this process, which also
presses, so both ends of the way are read from one clock. The time starts before the connection is
opened, as a browser's does, and ends when the inverter's Modbus server carries out the write of
0 W, in RUNNING. Idle first; then beside CPU hogs, and beside somebody who reads pages and metrics
fifty times a second. Then the API and its visitors (:mod:`benchmarks.api_load`).
"""

import argparse
import asyncio
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.api_load import api_figures
from benchmarks.report import CannotRun, Report, at_least_one, at_most, run, summarise
from benchmarks.running_site import Commander, InverterEar, SiteFolder, SiteProcesses, serve_site
from benchmarks.to_zero import LIMIT_S, any_moment, let_power_flow, parser_of, under_load
from holdfast.core.commands import Command
from holdfast.core.state_machine import State
from holdfast.core.units import NS_PER_MS

TRIES = 200
IDLE_MS, LOADED_MS = 10.0, 50.0
"""99 of 100 presses are at 0 W within this."""
MEMORY_MB = 150.0
_LOST_AFTER_S = 5.0
_READER = """\
import http.client, os, signal, sys, time
signal.alarm(int(sys.argv[3]))
parent = os.getppid()
while os.getppid() == parent:
    for path in ("/", "/metrics"):
        begun_s = time.monotonic()
        connection = http.client.HTTPConnection(sys.argv[1], int(sys.argv[2]), timeout=5)
        try:
            connection.request("GET", path)
            connection.getresponse().read()
        except OSError:
            pass
        connection.close()
        time.sleep(max(0.02 - (time.monotonic() - begun_s), 0.0))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Presses:
    """How long presses took to 0 W, and what the gateway had in memory then."""

    times_ms: list[float]
    memory_mb: float


class Presser:
    """Presses the button of a site in RUNNING, again and again."""

    def __init__(self, folder: SiteFolder, ear: InverterEar, commander: Commander) -> None:
        self._host, self._port = folder.site.gateway.host, folder.site.gateway.port
        self._ear, self._commander = ear, commander
        self._random = random.Random(1)

    async def is_there(self) -> None:
        """Wait until the gateway answers. Raises CannotRun if it does not."""
        end_s = time.monotonic() + 30.0
        while time.monotonic() < end_s:
            try:
                if b" 200 " in await self._asked("GET", "/style.css"):
                    return
            except OSError:
                await asyncio.sleep(0.05)
        raise CannotRun("the gateway does not answer")

    async def press(self) -> float:
        """From before the connection is opened to 0 W, in ms."""
        await let_power_flow(self._commander, self._ear)
        await any_moment(self._random)
        self._ear.listen()
        begun_ns = time.monotonic_ns()
        answer = asyncio.create_task(self._asked("POST", "/estop"))
        zero_ns = await self._ear.zero(_LOST_AFTER_S)
        if zero_ns is None or b" 200 " not in await answer:
            raise CannotRun("a press on the page did not stop the site")
        await self._commander.reach(State.STOPPED)
        await self._commander.ask(Command.RESET)
        await self._commander.reach(State.IDLE)
        return (zero_ns - begun_ns) / NS_PER_MS

    async def _asked(self, method: str, path: str) -> bytes:
        """The first line of an answer."""
        reader, writer = await asyncio.open_connection(self._host, self._port)
        writer.write(
            f"{method} {path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n\r\n".encode()
        )
        try:
            return (await reader.read()).partition(b"\r\n")[0]
        finally:
            writer.close()


@contextmanager
def _reading(folder: SiteFolder, *, busy: bool) -> Iterator[None]:
    """Somebody who reads pages and metrics, if it is a ``busy`` site."""
    place = (folder.site.gateway.host, str(folder.site.gateway.port))
    command = [sys.executable, "-c", _READER, *place, str(round(LIMIT_S))]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL) if busy else None
    try:
        yield
    finally:
        if process is not None:
            process.kill()
            process.wait()


async def _presses(folder: SiteFolder, tries: int, *, busy: bool) -> Presses:
    ear = InverterEar()
    async with (
        serve_site(folder, ear),
        SiteProcesses(folder) as processes,
        asyncio.timeout(LIMIT_S),
    ):
        for name in ("watchdog", "controller"):
            processes.start(f"holdfast.runtime.{name}")
        pid = processes.start("holdfast.runtime.gateway")
        commander = Commander(folder, processes)
        await commander.connect()
        presser = Presser(folder, ear, commander)
        try:
            await presser.is_there()
            await commander.reach(State.IDLE)
            with _reading(folder, busy=busy):
                times_ms = [await presser.press() for _ in range(tries)]
        finally:
            commander.close()
        return Presses(times_ms=times_ms, memory_mb=_memory_mb(pid))


def _memory_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    (line,) = [line for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(line.split()[1]) / 1024


def measure(options: argparse.Namespace) -> Report:
    """All tries, idle and under load."""
    idle, notes = under_load("gateway", 0, partial(_presses, tries=options.tries, busy=False))
    loaded, _ = under_load(
        "gateway", options.hogs, partial(_presses, tries=options.tries, busy=True)
    )
    api, _ = under_load("api", 0, partial(api_figures, options=options))
    found = {"idle": summarise(idle.times_ms), "under load": summarise(loaded.times_ms)}
    return Report(
        settings={"tries": options.tries, "hogs": options.hogs, "seconds": options.seconds},
        results={
            "press to 0 W, ms": found,
            "gateway's memory, MB": loaded.memory_mb,
            **api.results,
        },
        unit="ms",
        budgets=[
            at_most("press on the page to 0 W, p99, idle", "ms", IDLE_MS, found["idle"]["p99"]),
            at_most(
                "press on the page to 0 W, p99, under load",
                "ms",
                LOADED_MS,
                found["under load"]["p99"],
            ),
            at_most("gateway's memory", "MB", MEMORY_MB, loaded.memory_mb),
            *api.budgets,
        ],
        notes=notes,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point."""
    text = "From a press on the gateway's plain page to 0 W at the inverter."
    parser = parser_of("gateway", text, tries=TRIES, of_what="idle, and as many under load")
    parser.add_argument(
        "--seconds", type=at_least_one, default=20, help="so long each kind of visitor stays"
    )
    options = parser.parse_args(arguments)
    return run("gateway", options, lambda: measure(options))


if __name__ == "__main__":
    sys.exit(main())
