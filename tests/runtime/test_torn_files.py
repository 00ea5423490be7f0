"""Any file of a site may be cut off at any byte: the site starts in a safe state all the same."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from holdfast.client import audit_reader
from holdfast.client.audit_reader import lines_backwards, verify_folder
from holdfast.client.plan_report import read_report
from holdfast.client.status_reader import StatusReader
from holdfast.core.commands import Command, Point
from holdfast.core.latches import LATCH_FILE_CORRUPT
from holdfast.core.role import Role
from holdfast.core.state_machine import State
from holdfast.runtime.crash_loop import StartRecord
from holdfast.runtime.measured import load_history
from holdfast.runtime.plan_worker import PlanWorker
from holdfast.runtime.planner import Planner
from holdfast.runtime.price_watch import PriceWatch
from holdfast.runtime.weather_watch import WeatherWatch
from holdfast.scheduling.planner_memory import PlannerMemory, encode
from holdfast.site.files import SiteFiles, write_atomically
from holdfast.site.shared_memory import Heartbeat, HeartbeatReader
from holdfast.site.site_lock import hold_lock
from tests.runtime.audit.test_writer import AuditedBench
from tests.runtime.bench import site_in
from tests.runtime.test_control_loop import to_running

SAFE = frozenset({State.BOOT, State.IDLE, State.ERROR, State.STOPPED})
TORN = {
    # file: the state in which the site starts without the rest of it
    "latches.json": State.ERROR,
    "starts.json": State.IDLE,
    "running.json": State.IDLE,
    "wear.json": State.IDLE,
    "history.packed": State.IDLE,
    "plan.json.gz": State.IDLE,
    "desk.json": State.IDLE,
    "audit/audit.head": State.IDLE,
    "audit/audit-000001.jsonl": State.IDLE,
    "heartbeat.shm": State.IDLE,
    "watchdog.shm": State.IDLE,
    "controller.lock": State.IDLE,
}
FIRST, LAST = 150, 150
"""Of a longer file only so many bytes at its beginning and end are cut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What came of a start."""

    state: State
    faults: tuple[str, ...]


TRIES = 3
"""A busy machine may not read the emergency input for a while, which rightly stops the site."""


def read(files: SiteFiles) -> None:
    """What the command line reads, also while nothing runs."""
    read_report(files)
    load_history(files)
    verify_folder(files.audit)
    list(lines_backwards(files.audit))


async def start(folder: Path) -> Start:
    """What controller, watchdog, planner and readers do with the files, as far as they do it."""
    files = SiteFiles(state_dir=folder)
    read(files)
    with hold_lock(files, "controller"):
        starts = StartRecord(files.starts)
        assert starts.begin() is False
        bench = AuditedBench(folder)
        bench.loop._cycle._gap_ns = 10**12  # so many starts meet a moment when the machine is busy
        with HeartbeatReader(files.heartbeat) as beats, Heartbeat(files.watchdog):
            # On a busy machine data may be old before they are looked at, and are held against it.
            await bench.cycle_until(lambda: bench.state is not State.BOOT)
            assert beats.last()[0] > 0
        site = site_in(folder)
        planner = Planner(
            site, files, PriceWatch(site, files), WeatherWatch(site, files), PlanWorker(site)
        )
        began = datetime.now(UTC)

        def planned() -> bool:
            planner.work()  # does nothing where the status is old before it is read
            report = read_report(files)
            return report is not None and report.utc >= began

        await bench.cycle_until(planned)
        planner.save_history()
        planner.save_memory()
        found = StatusReader(files).latest()
        await bench.loop.flush()
        bench.trail.ended("")
        starts.end()
    assert found is not None
    read(files)
    # Whatever was in the files: nothing moves before somebody asks.
    assert not any(bench.written(Role.INVERTER, Point.SETPOINT_W))
    assert not any(bench.written(Role.INVERTER, Point.ENABLE))
    assert not any(bench.written(Role.RELAYS, Point.CONTACTOR))
    return Start(state=bench.state, faults=bench.loop.state.latches.faults)


@pytest.fixture
async def whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a site that has run."""
    monkeypatch.setattr(os, "fsync", lambda _: None)  # nobody pulls the plug here
    monkeypatch.setattr(audit_reader, "_PAUSE_S", 0.0)
    folder = tmp_path / "whole"
    bench = AuditedBench(folder)
    await to_running(bench)
    await bench.loop.command(Command.STOP)
    await bench.loop.flush()
    bench.trail.ended("told to end")
    memory = PlannerMemory(peaks_w={"2026-05": 4_000.0})
    write_atomically(SiteFiles(state_dir=folder).planner_memory, encode(memory))
    assert await start(folder) == Start(state=State.IDLE, faults=())
    for name in TORN:
        assert (folder / name).stat().st_size > 0, name
    return folder


def cuts(size: int) -> Iterator[int]:
    yield from (length for length in range(size) if length < FIRST or length >= size - LAST)


@pytest.mark.parametrize("name", TORN)
async def test_a_file_torn_at_any_byte_leads_to_a_safe_start(
    whole: Path, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "torn"
    content = (whole / name).read_bytes()
    for length in cuts(len(content)):
        for _ in range(TRIES):
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(whole, folder, ignore=shutil.ignore_patterns("status.shm"))
            (folder / name).write_bytes(content[:length])
            found = await start(folder)
            assert found.state in SAFE
            if found.state is not State.STOPPED:
                break
        assert found.state is TORN[name], length
        assert found.faults == ((LATCH_FILE_CORRUPT,) if name == "latches.json" else ())
        if length % 8 == 0:  # and again, with what the first start has made of it
            assert await start(folder) == found, length


def test_no_file_of_a_site_is_forgotten(whole: Path) -> None:
    """A file that is new has to be torn here too."""
    made = {path.relative_to(whole).as_posix() for path in whole.rglob("*") if path.is_file()}
    assert made - set(TORN) == {"status.shm"}, "half a megabyte with a checksum: test_shared_memory"
