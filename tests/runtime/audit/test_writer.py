"""The audit writer: nothing the disk does reaches control, and what is lost is counted."""

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from holdfast.client.audit_reader import audit_files
from holdfast.client.status_reader import StatusReader
from holdfast.core.commands import Command, Point
from holdfast.core.errors import PlanRefused
from holdfast.core.role import Role
from holdfast.core.signals import Signal
from holdfast.core.state_machine import State
from holdfast.monitoring.audit.events import (
    AuditEvent,
    CommandAnswered,
    EventsLost,
    LatchesChanged,
    PlanNotAccepted,
    ProcessEnded,
    ProcessStarted,
    QuantityChanged,
    StateChanged,
)
from holdfast.monitoring.audit.log_lines import decode_line, event_of
from holdfast.runtime.audit import folder as audit_folder
from holdfast.runtime.audit.folder import AuditFolder
from holdfast.runtime.audit.trail import AuditTrail
from holdfast.runtime.audit.writer import AuditWriter
from holdfast.site.files import SiteFiles
from holdfast.testing.waiting import Stopwatch, until
from tests.builders import UNIT
from tests.runtime.audit.test_folder import a_folder, check
from tests.runtime.bench import LoopBench, site_in
from tests.runtime.test_incoming import a_plan


def an_event(number: int = 0) -> AuditEvent:
    return PlanNotAccepted(plan_id=f"p{number}", reason="because")


def events(path: Path) -> list[AuditEvent]:
    found = []
    for file in audit_files(path):
        for raw in file.read_bytes().splitlines():
            line = decode_line(raw)
            assert line is not None
            event = event_of(line)
            assert event is not None
            found.append(event)
    return found


def eventually(holds: Callable[[], bool]) -> None:
    until(holds, "what was to come true")


class Disk:
    """A disk that can be full or slow, under every write of the audit log."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full = False
        self.turns = threading.Event()
        self.turns.set()
        self._write = os.write
        monkeypatch.setattr(audit_folder.os, "write", self.write)

    def write(self, descriptor: int, content: bytes) -> int:
        self.turns.wait(60)
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        return self._write(descriptor, content)


def test_what_was_put_is_on_the_disk_when_it_is_closed(tmp_path: Path) -> None:
    writer = AuditWriter(a_folder(tmp_path))
    writer.start()
    for number in range(100):
        writer.put(an_event(number), number)
    writer.close()
    assert events(tmp_path)[1:] == [an_event(number) for number in range(100)]
    assert (writer.status().lines, writer.status().lost) == (100, 0)
    assert check(tmp_path).problem is None
    assert check(tmp_path).notes == ()


def test_an_event_is_on_the_disk_soon_without_a_close(tmp_path: Path) -> None:
    writer = AuditWriter(a_folder(tmp_path))
    writer.start()
    writer.put(an_event(), 1)
    eventually(lambda: writer.status().lines == 1)
    assert events(tmp_path)[-1] == an_event()
    writer.close()


def test_a_disk_that_stands_still_holds_up_nobody_and_what_is_lost_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(monkeypatch)
    writer = AuditWriter(a_folder(tmp_path), queue_entries=20)
    writer.start()
    disk.turns.clear()
    with Stopwatch() as watch:
        for number in range(100):
            writer.put(an_event(number), number)
    assert watch.passed_s < 1.0
    lost = writer.status().lost
    assert 100 - 20 - 16 <= lost <= 80
    disk.turns.set()
    eventually(lambda: any(isinstance(event, EventsLost) for event in events(tmp_path)))
    writer.put(an_event(100), 100)
    writer.close()
    told = [event for event in events(tmp_path) if isinstance(event, EventsLost)]
    assert [event.count for event in told] == [lost]
    assert told[0].since <= told[0].until
    assert events(tmp_path)[-1] == an_event(100)
    assert check(tmp_path).problem is None


def test_on_a_full_disk_the_status_says_so_and_lines_come_when_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("holdfast.runtime.audit.writer.RETRY_S", 0.01)
    disk = Disk(monkeypatch)
    writer = AuditWriter(a_folder(tmp_path), queue_entries=10)
    writer.start()
    disk.full = True
    writer.put(an_event(), 0)
    eventually(lambda: "No space" in writer.status().problem)
    for number in range(40):
        writer.put(an_event(number), number)
    assert writer.status().lost > 0
    assert writer.status().lines == 0
    disk.full = False
    eventually(lambda: writer.status().problem == "" and writer.status().lines > 0)
    writer.close()
    (told,) = [event for event in events(tmp_path) if isinstance(event, EventsLost)]
    assert told.count == writer.status().lost
    assert "No space" in told.reason
    assert check(tmp_path).problem is None


def test_on_a_full_disk_the_end_does_not_wait_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(monkeypatch)
    writer = AuditWriter(a_folder(tmp_path))
    writer.start()
    disk.full = True
    writer.put(an_event(), 1)
    eventually(lambda: writer.status().problem != "")
    with Stopwatch() as watch:
        writer.close()
    assert watch.passed_s < 2.5
    assert writer.status().lost == 1


def test_a_folder_that_cannot_be_made_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    writer = AuditWriter(AuditFolder(tmp_path / "file" / "audit"))
    writer.start()
    assert writer.status().problem != ""
    writer.put(an_event(), 1)
    writer.close()
    assert writer.status().lost == 1


class AuditedBench(LoopBench):
    """A control loop with an audit trail."""

    def __init__(self, folder: Path, **changes: int) -> None:
        self.writer = AuditWriter(a_folder(SiteFiles(state_dir=folder).audit, **changes))
        self.trail = AuditTrail(site_in(folder), self.writer)
        super().__init__(folder, audit=self.trail)
        self.trail.started(self.loop.state.latches, real_time=False)

    def end(self) -> list[AuditEvent]:
        self.trail.ended("told to end")
        return events(self.files.audit)


Kind = TypeVar("Kind")


def of(kind: type[Kind], found: list[AuditEvent]) -> list[Kind]:
    return [event for event in found if isinstance(event, kind)]


async def test_a_day_of_a_site_is_on_record(tmp_path: Path) -> None:
    bench = AuditedBench(tmp_path)
    await bench.to_idle()
    bench.sample()
    await bench.loop.command(Command.RESET)
    bench.sample()
    await bench.loop.command(Command.START)
    await bench.cycle(5)
    with pytest.raises(PlanRefused):
        bench.plans.take(a_plan())  # of long ago
    await bench.loop.command(Command.EMERGENCY_STOP)
    await bench.cycle(2)
    found = bench.end()
    assert check(bench.files.audit).problem is None
    (started,) = of(ProcessStarted, found)
    assert (started.emergency_stop, started.authority) == (False, "full")
    assert [(event.command, event.accepted) for event in of(CommandAnswered, found)] == [
        ("reset", False),
        ("start", True),
        ("estop", True),
    ]
    assert [(event.source, event.target) for event in of(StateChanged, found)] == [
        ("boot", "idle"),
        ("idle", "running"),
        ("running", "stopped"),
    ]
    assert of(StateChanged, found)[-1].reasons == ("emergency stop by command",)
    assert of(LatchesChanged, found) == [LatchesChanged(emergency_stop=True, faults=())]
    assert "expired" in of(PlanNotAccepted, found)[0].reason
    assert of(QuantityChanged, found)
    assert found[-1] == ProcessEnded(reason="told to end")


async def test_the_status_tells_how_the_log_fares(tmp_path: Path) -> None:
    bench = AuditedBench(tmp_path, keep_free_bytes=2**62)
    await bench.to_idle()
    eventually(lambda: bench.writer.status().problem != "")
    bench.show_next()
    await bench.cycle()
    found = StatusReader(bench.files).latest()
    assert found is not None
    assert found[0].audit is not None
    assert "kept for latches" in found[0].audit.problem
    assert bench.state is State.IDLE
    bench.trail.ended("")
    assert bench.writer.status().lost > 0


async def test_an_observer_that_fails_costs_no_cycle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = AuditedBench(tmp_path)
    monkeypatch.setattr(bench.trail._observer, "observe", lambda *_: 1 / 0)
    await bench.to_idle()
    bench.sample()
    assert (await bench.loop.command(Command.START))[0]
    assert bench.state is State.RUNNING
    bench.end()


async def test_a_cycle_that_raised_is_on_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = AuditedBench(tmp_path)
    await bench.to_idle()
    monkeypatch.setattr(bench.loop._cycle, "step", lambda *_: 1 / 0)
    bench.loop.run_cycle()
    await bench.loop.flush()
    found = bench.end()
    assert of(LatchesChanged, found)[-1].faults == ("site/control_exception",)


async def test_a_flood_of_plans_is_counted_and_not_written(tmp_path: Path) -> None:
    bench = AuditedBench(tmp_path)
    for _ in range(50):
        with pytest.raises(PlanRefused):
            bench.plans.take(a_plan())
    assert [event.repeats for event in of(PlanNotAccepted, bench.end())] == [0, 48]


async def test_latches_of_before_are_told_at_the_start_and_not_as_a_change(tmp_path: Path) -> None:
    bench = AuditedBench(tmp_path)
    await bench.to_idle()
    await bench.loop.command(Command.EMERGENCY_STOP)
    bench.end()
    again = AuditedBench(tmp_path)
    await again.cycle(3)
    found = again.end()
    assert again.state is State.STOPPED
    assert of(ProcessStarted, found)[-1].emergency_stop
    assert len(of(LatchesChanged, found)) == 1
    assert check(again.files.audit).problem is None
    assert again.written(Role.INVERTER, Point.SETPOINT_W)[-1] == 0.0
    assert again.values[UNIT, Signal.SETPOINT_READBACK_W] == 0.0
