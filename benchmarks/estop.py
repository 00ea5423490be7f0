"""Emergency stop: from the request on the control socket to 0 W at the inverter.

The real controller process, and the watchdog; the simulated site lives in this process, which
also sends the commands, so both ends of the way are read from one clock in one thread. The
time starts before the bytes are handed to the socket, and ends when the inverter's Modbus
server carries out the write of 0 W. Every state gets its share of the tries; where the setpoint
is 0 W already, it is the forced second write that counts.

With ``--flood`` another client of the same user talks without end meanwhile, in one way after the
other, at the control socket and at the one for stops; each stop comes on a connection of its own
then, and the time starts before it is opened.

Then what somebody waits for who types ``holdfast estop``: from before its process is made to the
same 0 W, in RUNNING, without the CPU hogs.
"""

import argparse
import asyncio
import gc
import math
import random
import statistics
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.background import CyclicTest
from benchmarks.flood import FLOODS, flood
from benchmarks.report import (
    US_PER_MS,
    CannotRun,
    Report,
    at_least_one,
    at_most,
    run,
    summarise,
)
from benchmarks.running_site import Commander, InverterEar, SiteFolder, SiteProcesses, serve_site
from benchmarks.to_zero import LIMIT_S, any_moment, let_power_flow, parser_of, under_load
from holdfast.client.control import ControlClient
from holdfast.client.messages import fresh
from holdfast.core.commands import Command
from holdfast.core.latches import Latches
from holdfast.core.state_machine import State
from holdfast.core.units import NS_PER_MS
from holdfast.runtime.latch_file import save_latches
from holdfast.simulation.servers.site_server import SiteServer

TYPED_MS = 300.0
"""From the start of the process of ``holdfast estop``."""
P99_MS = 2.0
MAX_MS = 20.0
"""Beyond the stalls that cyclictest sees."""
TRIES = 1000
TYPED_TRIES = 20
FLOODED_MS = 5.0
FLOODED_TRIES = 100
SHARES = {State.ERROR: 0.1, State.IDLE: 0.15, State.STOPPED: 0.15, State.BOOT: 0.1}
"""RUNNING gets the rest."""
_LOST_AFTER_S = 1.0
_TYPED_LOST_AFTER_S = 30.0
_OLD_FAULT = "battery/cell_voltage_high"


class EmergencyStops:
    """Brings the site to each state and stops it there."""

    def __init__(
        self, server: SiteServer, ear: InverterEar, commander: Commander, controller: int
    ) -> None:
        """``controller`` is its process id."""
        self._controller = controller
        self._server = server
        self._ear = ear
        self._commander = commander
        self._random = random.Random(1)
        self.to_zero_us: dict[State, list[float]] = {state: [] for state in State}
        self.to_reply_us: list[float] = []
        self.lost = 0

    @property
    def memory_mb(self) -> float:
        """What the controller has in memory now."""
        status = Path(f"/proc/{self._controller}/status").read_text(encoding="ascii")
        (line,) = [line for line in status.splitlines() if line.startswith("VmRSS:")]
        return int(line.split()[1]) / 1024

    async def in_error(self, tries: int) -> None:
        """The controller has started with a latched fault: every way leads to ERROR."""
        for _ in range(tries):
            await self._commander.reach(State.ERROR)
            await self._stop(State.ERROR)
            await self._reset()
        await self._commander.reach(State.ERROR)
        await self._reset()
        await self._commander.reach(State.IDLE)

    async def in_operation(self, running: int, idle: int, stopped: int) -> None:
        """From IDLE, round by round, so that what else happens on the machine meets each."""
        rounds = max(running, idle, stopped)
        for index in range(rounds):
            if _is_due(index, idle, rounds):
                await self._stop(State.IDLE)
                if _is_due(index, stopped, rounds):
                    await self._stop(State.STOPPED)
                await self._back_to_idle()
            if _is_due(index, running, rounds):
                await self._start()
                await self._stop(State.RUNNING)
                await self._back_to_idle()

    async def flooded(self, path: Path, tries: int) -> list[float]:
        """From before a connection to ``path`` is opened to 0 W, in RUNNING, in ms."""
        times_ms = []
        for _ in range(tries):
            await self._start()
            await any_moment(self._random)
            self._ear.listen()
            begun_ns = time.monotonic_ns()
            with ControlClient(path) as client:
                client.say(fresh(Command.EMERGENCY_STOP))
                zero_ns = await self._ear.zero(_LOST_AFTER_S)
            times_ms.append(math.inf if zero_ns is None else (zero_ns - begun_ns) / NS_PER_MS)
            await self._commander.reach(State.STOPPED)
            await self._back_to_idle()
        return times_ms

    async def in_idle(self) -> None:
        """Wait until the site can be started."""
        await self._commander.reach(State.IDLE)

    async def typed(self, folder: SiteFolder, tries: int) -> list[float]:
        """From before the process of ``holdfast estop`` is made to 0 W, in ms."""
        command = (sys.executable, "-m", "holdfast.cli.main", "estop", "--config")
        times_ms = []
        for _ in range(tries):
            await self._start()
            await any_moment(self._random)
            self._ear.listen()
            begun_ns = time.monotonic_ns()
            process = await asyncio.create_subprocess_exec(
                *command, str(folder.config), stdout=asyncio.subprocess.DEVNULL
            )
            zero_ns = await self._ear.zero(_TYPED_LOST_AFTER_S)
            if await process.wait() or zero_ns is None:
                raise CannotRun("`holdfast estop` did not stop the site")
            times_ms.append((zero_ns - begun_ns) / NS_PER_MS)
            await self._back_to_idle()
        return times_ms

    async def in_boot(self, tries: int) -> None:
        """A fault of the inverter keeps the self-test from passing."""
        await self._stop_quietly()
        for unit in self._server.plant.units.values():
            unit.inverter.trip()
        await asyncio.sleep(0.5)  # until it has been polled
        for _ in range(tries):
            await self._reset()
            await self._stop(State.BOOT)

    async def _stop(self, state: State) -> None:
        await any_moment(self._random)
        if not self._commander.is_in(state):
            raise CannotRun(f"the site left {state.name} by itself")
        self._ear.listen()
        asked = await self._commander.ask(Command.EMERGENCY_STOP)
        zero_ns = await self._ear.zero(_LOST_AFTER_S)
        if not asked.reply.accepted or asked.reply.state is not State.STOPPED:
            raise CannotRun(f"an emergency stop in {state.name} was answered with {asked.reply}")
        if zero_ns is None:
            self.lost += 1
            return
        self.to_zero_us[state].append((zero_ns - asked.sent_ns) / 1e3)
        self.to_reply_us.append((asked.answered_ns - asked.sent_ns) / 1e3)

    async def _stop_quietly(self) -> None:
        await self._commander.ask(Command.EMERGENCY_STOP)

    async def _reset(self) -> None:
        asked = await self._commander.ask(Command.RESET)
        if not asked.reply.accepted:
            raise CannotRun(f"reset was refused: {asked.reply.reason}")

    async def _back_to_idle(self) -> None:
        await self._reset()
        await self._commander.reach(State.IDLE)

    async def _start(self) -> None:
        await let_power_flow(self._commander, self._ear)


def _is_due(index: int, tries: int, rounds: int) -> bool:
    """Spreads ``tries`` evenly over ``rounds``."""
    return (index + 1) * tries // rounds > index * tries // rounds


def share(tries: int) -> dict[State, int]:
    """How many tries each state gets, at least one."""
    found = {state: max(round(part * tries), 1) for state, part in SHARES.items()}
    return found | {State.RUNNING: max(tries - sum(found.values()), 1)}


def measure(options: argparse.Namespace) -> Report:
    """All tries."""
    reference = CyclicTest(1000, LIMIT_S)
    tries = partial(_all_stops, tries=share(options.tries), reference=reference)
    stops, notes = under_load("estop", options.hogs, tries)
    typed_ms, _ = under_load("estop", 0, partial(_typed_stops, tries=options.typed))
    report = _report(options, stops, typed_ms, reference, notes)
    if options.flood:
        found, _ = under_load("estop", options.hogs, partial(_flooded_stops, tries=options.flood))
        report.results["flooded, ms"] = {name: summarise(ms) for name, ms in found.times_ms.items()}
        report.results["controller's memory after it, MB"] = found.memory_mb
        report.budgets += [
            at_most(f"emergency stop to 0 W, p99, flooded: {name}", "ms", FLOODED_MS,
                    summarise(ms)["p99"])
            for name, ms in found.times_ms.items()
        ]  # fmt: skip
    return report


@dataclass(slots=True, kw_only=True)
class Flooded:
    """What came of all floods."""

    times_ms: dict[str, list[float]] = field(default_factory=dict)
    memory_mb: float = 0.0


async def _flooded_stops(folder: SiteFolder, tries: int) -> Flooded:
    found = Flooded()
    files = folder.files
    async with _stops(folder) as stops, asyncio.timeout(LIMIT_S):
        await stops.in_idle()
        for path in (files.control_socket, files.stop_socket):
            for kind in FLOODS:
                with flood(kind, path, LIMIT_S):
                    name = f"{path.name}: {kind}"
                    found.times_ms[name] = await stops.flooded(files.stop_socket, tries)
        found.memory_mb = stops.memory_mb
    return found


async def _typed_stops(folder: SiteFolder, tries: int) -> list[float]:
    async with _stops(folder) as stops, asyncio.timeout(LIMIT_S):
        await stops.in_idle()
        return await stops.typed(folder, tries)


@asynccontextmanager
async def _stops(folder: SiteFolder) -> AsyncIterator[EmergencyStops]:
    """A site with controller and watchdog, and who stops it."""
    ear = InverterEar()
    async with serve_site(folder, ear) as server, SiteProcesses(folder) as processes:
        processes.start("holdfast.runtime.watchdog")
        pid = processes.start("holdfast.runtime.controller")
        commander = Commander(folder, processes)
        await commander.connect()
        try:
            yield EmergencyStops(server, ear, commander, pid)
        finally:
            commander.close()


async def _all_stops(
    folder: SiteFolder, tries: dict[State, int], reference: CyclicTest
) -> EmergencyStops:
    save_latches(folder.files.latches, Latches(faults=(_OLD_FAULT,)))
    async with _stops(folder) as stops:
        gc.collect()
        gc.freeze()
        gc.disable()
        try:
            async with asyncio.timeout(LIMIT_S):
                with reference:
                    await stops.in_error(tries[State.ERROR])
                    await stops.in_operation(
                        tries[State.RUNNING], tries[State.IDLE], tries[State.STOPPED]
                    )
                    await stops.in_boot(tries[State.BOOT])
        except TimeoutError:
            raise CannotRun(f"not through after {LIMIT_S:g} s") from None
        finally:
            gc.enable()
    return stops


def _report(
    options: argparse.Namespace,
    stops: EmergencyStops,
    typed_ms: list[float],
    reference: CyclicTest,
    notes: list[str],
) -> Report:
    all_us = [us for values in stops.to_zero_us.values() for us in values]
    overall = summarise(all_us)
    results: dict[str, Any] = {
        "to 0 W": {
            **overall,
            **{state.name: summarise(values) for state, values in stops.to_zero_us.items()},
        },
        "to the reply, latched on disk": summarise(stops.to_reply_us),
        "typed, ms": summarise(typed_ms),
        "cyclictest": reference.result,
        "lost": stops.lost,
    }
    stall_ms = reference.value("max") / US_PER_MS
    worst_ms = overall["max"] / US_PER_MS if not stops.lost else float("inf")
    return Report(
        settings={"tries": len(all_us) + stops.lost, "hogs": options.hogs},
        results=results,
        unit="µs",
        budgets=[
            at_most("emergency stop to 0 W, p99", "ms", P99_MS, overall["p99"] / US_PER_MS),
            at_most(
                f"emergency stop to 0 W, maximum (stalls of {stall_ms:.3g} ms were seen beside it)",
                "ms",
                MAX_MS + stall_ms,
                worst_ms,
            ),
            at_most(
                "start of the process of `holdfast estop` to 0 W, median",
                "ms",
                TYPED_MS,
                statistics.median(typed_ms),
            ),
        ],
        notes=[*notes, *([reference.note] if reference.note else [])],
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point."""
    text = "From an emergency stop's request to 0 W at the inverter."
    parser = parser_of("estop", text, tries=TRIES, of_what="over all five states")
    parser.add_argument(
        "--typed", type=at_least_one, default=TYPED_TRIES, help="tries of `holdfast estop`"
    )
    parser.add_argument(
        "--flood", type=at_least_one, nargs="?", const=FLOODED_TRIES, metavar="TRIES",
        help=f"stop it this often under each flood, too ({FLOODED_TRIES} if no number is given)",
    )  # fmt: skip
    options = parser.parse_args(arguments)
    return run("estop", options, lambda: measure(options))


if __name__ == "__main__":
    sys.exit(main())
