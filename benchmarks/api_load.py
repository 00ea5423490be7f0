"""The API beside a running site: what its visitors wait for, and what they cost.

A site on the real processes is in RUNNING, all devices simulated on real protocols in this process.
Visitors are processes of their own (:mod:`benchmarks.api_visitors`): readers alone, readers while
others guess passwords, and a hundred who watch. The controller must not miss a cycle that it does
not miss without them, and a press on the emergency stop of the API has to be at 0 W in time.
"""

import argparse
import asyncio
import json
import os
import random
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from benchmarks.api_visitors import Question
from benchmarks.history import START_S, a_day, write_days
from benchmarks.report import Budget, CannotRun, at_most, summarise
from benchmarks.running_site import Commander, InverterEar, SiteFolder, SiteProcesses, serve_site
from benchmarks.to_zero import any_moment, let_power_flow
from holdfast.api.access import UserRole
from holdfast.api.auth.account_edits import with_token
from holdfast.api.auth.account_store import AccountStore
from holdfast.api.auth.accounts import Account
from holdfast.api.auth.tokens import make_token
from holdfast.backtest.data import utc_of
from holdfast.client.status_reader import StatusReader
from holdfast.core.commands import Command
from holdfast.core.state_machine import State
from holdfast.core.units import NS_PER_MS
from holdfast.monitoring.history.levels import DAY_S
from holdfast.monitoring.history.place import HistoryPlace
from holdfast.monitoring.history.store import HistoryStore

READS_PER_S, WATCHERS, GUESSERS = 50, 100, 20
READ_MS, BESIDE_GUESSERS_MS, WATCHERS_PCT = 50.0, 250.0, 10.0
"""Who guesses takes a core, of two perhaps, for as long as one guess is looked at."""
STOP_IDLE_MS, STOP_LOADED_MS = 10.0, 50.0
READY_S = 60.0
SERIES = 20
_DAY = f"start={utc_of(START_S):%FT%TZ}&end={utc_of(START_S + DAY_S):%FT%TZ}"
OF_HISTORY = (
    f"/history?series={next(iter(a_day(SERIES, 0)[0]))}&{_DAY}",
    f"/energy?step=hour&{_DAY}",
)
"""A day of it, as a page draws it."""
_LOST_AFTER_S = 5.0
_ENDS_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiFigures:
    """What was measured."""

    reads_ms: list[float]
    slowest_ms: dict[str, float]
    """The longest answer of each path."""
    reads_beside_guessers_ms: list[float]
    guesses: dict[str, int]
    watchers_pct: float
    """Share of a core that the API takes while so many watch."""
    events: int
    missed: dict[str, int]
    """Cycles that were missed: alone, and beside whom."""
    stops_idle_ms: list[float]
    stops_loaded_ms: list[float]
    memory_mb: dict[str, float]

    @property
    def results(self) -> dict[str, Any]:
        """By name, for the report."""
        return {
            "API, 50 requests/s, ms": summarise(self.reads_ms),
            "API, beside guessers, ms": summarise(self.reads_beside_guessers_ms),
            "stop over the API, idle, ms": summarise(self.stops_idle_ms),
            "stop over the API, under load, ms": summarise(self.stops_loaded_ms),
            "100 watchers, % of a core": self.watchers_pct,
            "events to watchers": self.events,
            "guesses, by answer": self.guesses,
            "missed cycles": self.missed,
            "memory, MB": self.memory_mb,
            "slowest answer by path, ms": self.slowest_ms,
        }

    @property
    def budgets(self) -> list[Budget]:
        """What has to be met."""
        found = self.results
        more = max(self.missed.values()) - self.missed["alone"]
        return [
            at_most("API, p99", "ms", READ_MS, found["API, 50 requests/s, ms"]["p99"]),
            at_most(
                "API beside guessers, p99",
                "ms",
                BESIDE_GUESSERS_MS,
                found["API, beside guessers, ms"]["p99"],
            ),
            at_most(
                "stop over the API to 0 W, p99, idle",
                "ms",
                STOP_IDLE_MS,
                found["stop over the API, idle, ms"]["p99"],
            ),
            at_most(
                "stop over the API to 0 W, p99, under load",
                "ms",
                STOP_LOADED_MS,
                found["stop over the API, under load, ms"]["p99"],
            ),
            at_most("100 watchers", "% of a core", WATCHERS_PCT, self.watchers_pct),
            at_most("cycles missed beside visitors, and not alone", "", 0, more),
        ]


class _Site:
    """A running site with its API."""

    def __init__(
        self, folder: SiteFolder, ear: InverterEar, commander: Commander, pids: dict[str, int]
    ) -> None:
        self.folder, self.ear, self.commander, self.pids = folder, ear, commander, pids
        self.port = folder.site.api.port
        self.token = _token(folder)
        self._random = random.Random(1)

    @property
    def missed(self) -> int:
        found = StatusReader(self.folder.files).latest()
        if found is None:
            raise CannotRun("no controller publishes")
        return found[0].loop.missed

    async def is_there(self) -> None:
        end_s = time.monotonic() + READY_S
        while time.monotonic() < end_s:
            try:
                if await self.asked("GET", "/api/v1/status") == 200:
                    return
            except OSError:
                await asyncio.sleep(0.1)
        raise CannotRun("the API does not answer")

    async def run(self) -> None:
        """Has power flow. Raises CannotRun."""
        await self.commander.reach(State.IDLE)
        await let_power_flow(self.commander, self.ear)

    async def asked(self, method: str, path: str) -> int:
        """The status of an answer, over a connection of its own, as a page's first press has."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
            f"Authorization: Bearer {self.token}\r\nConnection: close\r\n\r\n".encode()
        )
        try:
            return int((await reader.read()).split(b" ", 2)[1])
        finally:
            writer.close()

    async def visited(self, kind: str, count: int, seconds: float) -> dict[str, Any]:
        """What visitors found."""
        question = Question(
            kind=kind,
            port=self.port,
            seconds=seconds,
            count=count,
            token=self.token,
            more_paths=OF_HISTORY,
        )
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "benchmarks.api_visitors",
            json.dumps(asdict(question)),
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(seconds + _ENDS_S):
                output, _ = await process.communicate()
        except TimeoutError:
            process.kill()
            raise CannotRun(f"{kind} do not end") from None
        if process.returncode != 0:
            raise CannotRun(f"{kind} failed")
        found: dict[str, Any] = json.loads(output)
        if found.get("wrong"):
            raise CannotRun(f"{kind} were told {found['wrong']}")
        return found

    async def press(self) -> float:
        """From before the connection is opened to 0 W, in ms; then it is back in RUNNING."""
        await any_moment(self._random)
        self.ear.listen()
        begun_ns = time.monotonic_ns()
        answer = asyncio.create_task(self.asked("POST", "/api/v1/commands/estop"))
        zero_ns = await self.ear.zero(_LOST_AFTER_S)
        if zero_ns is None or await answer != 200:
            raise CannotRun("a press did not stop the site")
        await self.commander.reach(State.STOPPED)
        await self.commander.ask(Command.RESET)
        await self.run()
        return (zero_ns - begun_ns) / NS_PER_MS


def _token(folder: SiteFolder) -> str:
    now = datetime.now(UTC)
    account = Account(name="bench", role=UserRole.ADMIN, made=now, password_hash="none")
    secret, token = make_token(
        account,
        name="bench",
        role=UserRole.ADMIN,
        rights=None,
        now=now,
        expires=now + timedelta(hours=1),
    )
    store = AccountStore(folder.files.accounts)
    store.change(lambda accounts: accounts.having(account))
    store.change(lambda accounts: with_token(accounts, account.name, token))
    return secret


@asynccontextmanager
async def _running(folder: SiteFolder) -> AsyncIterator[_Site]:
    ear = InverterEar()
    # No planner: what it plans may be 0 W, which a press would be taken for.
    names = ("watchdog", "controller", "gateway", "api")
    async with serve_site(folder, ear), SiteProcesses(folder) as processes:
        pids = {name: processes.start(f"holdfast.runtime.{name}") for name in names}
        commander = Commander(folder, processes)
        await commander.connect()
        try:
            site = _Site(folder, ear, commander, pids)
            await site.is_there()
            await site.run()
            yield site
        finally:
            commander.close()


async def api_figures(folder: SiteFolder, options: argparse.Namespace) -> ApiFigures:
    """Measures everything beside one running site."""
    _open_to_many(folder)
    store = HistoryStore(HistoryPlace.in_file(folder.files.history_db), "benchmark", START_S)
    write_days(store, SERIES, 1)
    store.close()
    async with _running(folder) as site:
        missed: dict[str, int] = {}
        before = site.missed
        await asyncio.sleep(options.seconds)
        missed["alone"], before = site.missed - before, site.missed
        read = await site.visited("readers", READS_PER_S, options.seconds)
        missed["readers"], before = site.missed - before, site.missed
        beside, guessed = await asyncio.gather(
            site.visited("readers", READS_PER_S, options.seconds),
            site.visited("guessers", GUESSERS, options.seconds),
        )
        missed["guessers"], before = site.missed - before, site.missed
        cpu_s = _cpu_s(site.pids["api"])
        watched = await site.visited("watchers", WATCHERS, options.seconds)
        watchers_pct = 100.0 * (_cpu_s(site.pids["api"]) - cpu_s) / options.seconds
        missed["watchers"] = site.missed - before
        idle_ms = [await site.press() for _ in range(options.tries)]
        loaded_ms: list[float] = []
        while len(loaded_ms) < options.tries:
            visit = site.visited("readers", READS_PER_S, options.seconds)
            readers = asyncio.create_task(visit)
            while len(loaded_ms) < options.tries and not readers.done():
                loaded_ms.append(await site.press())
            await readers
        memory_mb = {name: _memory_mb(site.pids[name]) for name in ("gateway", "api")}
    return ApiFigures(
        reads_ms=_all(read),
        slowest_ms={path: max(times) for path, times in read["times_ms"].items() if times},
        reads_beside_guessers_ms=_all(beside),
        guesses=guessed["answers"],
        watchers_pct=watchers_pct,
        events=watched["events"],
        missed=missed,
        stops_idle_ms=idle_ms,
        stops_loaded_ms=loaded_ms,
        memory_mb=memory_mb | {"together": sum(memory_mb.values())},
    )


def _all(read: dict[str, Any]) -> list[float]:
    return [time_ms for times in read["times_ms"].values() for time_ms in times]


def _open_to_many(folder: SiteFolder) -> None:
    content = yaml.safe_load(folder.config.read_text(encoding="utf-8"))
    content["api"]["open_to_view"] = True
    folder.config.write_text(yaml.safe_dump(content), encoding="utf-8")


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    (line,) = [line for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(line.split()[1]) / 1024
