"""Latched on disk before it is reported: whatever shows a latch waits for the disk, and nothing
else does."""

import asyncio
import logging
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from holdfast.client.status_reader import StatusReader
from holdfast.core.commands import Command, Point
from holdfast.core.latches import Latches
from holdfast.core.role import Role
from holdfast.core.signals import SITE, Signal
from holdfast.core.state_machine import State
from holdfast.monitoring.audit.events import LatchesChanged, StateChanged
from holdfast.monitoring.status.schema import Status
from holdfast.runtime import latch_keeper
from holdfast.runtime.latch_file import load_latches, save_latches
from holdfast.runtime.latch_keeper import HELD_REPORTS, HOLD_NS, SAVE_AGAIN_NS, LatchKeeper
from holdfast.site.shared_memory import HeartbeatReader
from tests.runtime.audit.test_writer import AuditedBench, events, eventually, of
from tests.runtime.bench import LoopBench, SlowDisk, until
from tests.runtime.test_control_loop import to_running

_NOT_ON_DISK = "; NOT ON DISK: it will not survive a restart"
TRIPPED = Latches(faults=("battery/cell_voltage_high",))
STOPPED = Latches(emergency_stop=True)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowDisk]:
    disk = SlowDisk(monkeypatch)
    yield disk
    disk.turns.set()  # whatever a test leaves behind, its thread ends


# ---------------------------------------------------------------- in the running loop


def shown(bench: LoopBench) -> Status:
    found = StatusReader(bench.files).latest()
    assert found is not None
    return found[0]


def open_the_emergency_loop(bench: LoopBench) -> None:
    bench.values[SITE, Signal.EMERGENCY_LOOP_CLOSED] = 0.0


async def test_nothing_shows_a_latch_before_it_is_on_disk_and_nothing_else_waits(
    tmp_path: Path, disk: SlowDisk, caplog: pytest.LogCaptureFixture
) -> None:
    bench = AuditedBench(tmp_path)
    await to_running(bench)
    eventually(lambda: len(of(StateChanged, events(bench.files.audit))) == 2)
    bench.show_next()
    await bench.cycle()
    caplog.clear()
    caplog.set_level(logging.INFO, "holdfast")
    disk.turns.clear()
    open_the_emergency_loop(bench)
    with HeartbeatReader(bench.files.heartbeat) as beats:
        for _ in range(30):  # longer than a status waits for its turn
            before = beats.last()
            await bench.step()
            assert beats.last() > before
            bench.show_next()
    # Done, at once ...
    assert bench.state is State.STOPPED
    assert bench.written(Role.INVERTER, Point.SETPOINT_W)[-1] == 0.0
    assert bench.written(Role.INVERTER, Point.ENABLE)[-1] == 0.0
    # ... and told by nobody: not in the status, not in the log, not in the audit log.
    assert not load_latches(bench.files.latches).emergency_stop
    assert bench.loop.shown is State.RUNNING
    assert shown(bench).state is State.RUNNING
    assert not shown(bench).emergency_stop_latched
    assert "STOPPED" not in caplog.text
    assert [event.target for event in of(StateChanged, events(bench.files.audit))] == [
        "idle",
        "running",
    ]
    disk.turns.set()
    await until(lambda: bench.loop.shown is State.STOPPED)
    assert load_latches(bench.files.latches).emergency_stop
    assert shown(bench).emergency_stop_latched
    assert shown(bench).latches_on_disk
    assert shown(bench).monotonic_ns == bench.loop.state.time_ns, "the newest is shown"
    assert "RUNNING -> STOPPED" in caplog.text
    found = bench.end()
    assert of(StateChanged, found)[-1].target == "stopped"
    assert of(LatchesChanged, found) == [LatchesChanged(emergency_stop=True, faults=())]


async def test_a_command_is_answered_after_its_latch_is_on_disk(
    tmp_path: Path, disk: SlowDisk
) -> None:
    bench = LoopBench(tmp_path)
    await to_running(bench)
    disk.turns.clear()
    asked = asyncio.create_task(bench.loop.command(Command.EMERGENCY_STOP))
    await until(lambda: disk.begun[-1].emergency_stop)
    for _ in range(10):
        await bench.step()
    assert not asked.done()
    disk.turns.set()
    assert await asked == (True, "estop done")
    assert bench.loop.shown is State.STOPPED
    assert load_latches(bench.files.latches).emergency_stop


def something_in(pipe: int) -> bool:
    with suppress(BlockingIOError):
        return os.read(pipe, 1000) != b""
    return False


async def test_a_save_that_hangs_in_the_file_system_and_fails_is_told_as_not_on_disk(
    tmp_path: Path,
) -> None:
    bench = AuditedBench(tmp_path)
    await to_running(bench)
    blocked = bench.files.latches.with_name("latches.json.new")
    os.mkfifo(blocked)  # the save waits in open(2) until somebody reads
    open_the_emergency_loop(bench)
    for _ in range(5):
        await bench.step()
    assert (bench.state, bench.loop.shown) == (State.STOPPED, State.RUNNING)
    reader = os.open(blocked, os.O_RDONLY | os.O_NONBLOCK)
    await until(lambda: something_in(reader))
    blocked.unlink()
    # A pipe cannot be synced: this save fails, and says so.
    await until(lambda: bench.loop.shown is State.STOPPED)
    os.close(reader)
    assert not shown(bench).latches_on_disk
    assert shown(bench).emergency_stop_latched
    assert not load_latches(bench.files.latches).emergency_stop
    assert await bench.loop.save_latches()
    assert load_latches(bench.files.latches).emergency_stop
    bench.show_next()
    await bench.cycle()
    assert shown(bench).latches_on_disk
    assert of(LatchesChanged, bench.end()) == [
        LatchesChanged(emergency_stop=True, faults=(), on_disk=False)
    ]


async def test_a_reset_on_a_disk_that_never_worked_is_not_said_to_be_saved(
    tmp_path: Path, disk: SlowDisk
) -> None:
    bench = LoopBench(tmp_path)
    save_latches(bench.files.latches, STOPPED)
    disk.fails = True
    bench = LoopBench(tmp_path)
    await bench.cycle(3)
    assert bench.state is State.STOPPED
    bench.sample()
    assert await bench.loop.command(Command.RESET) == (
        True,
        f"reset done{_NOT_ON_DISK}",
    )
    assert LoopBench(tmp_path).loop.state.latches == STOPPED


async def test_a_failed_cycle_is_answered_and_recorded_after_its_latch_is_on_disk(
    tmp_path: Path, disk: SlowDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = AuditedBench(tmp_path)
    await bench.to_idle()
    disk.turns.clear()
    monkeypatch.setattr(bench.loop._cycle, "step", lambda *_: 1 / 0)
    asked = asyncio.create_task(bench.loop.command(Command.STOP))
    await until(lambda: len(disk.begun) == 2)
    assert bench.written(Role.INVERTER, Point.SETPOINT_W)[-1] == 0.0
    assert not asked.done()
    disk.fails = True
    disk.turns.set()
    assert await asked == (
        False,
        f"the control cycle failed; the site was taken to 0 W{_NOT_ON_DISK}",
    )
    (latched,) = of(LatchesChanged, bench.end())
    assert latched.faults == ("site/control_exception",)
    assert not latched.on_disk


# ---------------------------------------------------------------- the keeper by itself


class Keeping:
    """A keeper, and what has come out of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.told: list[tuple[str, bool]] = []
        self.drained = 0
        self.keeper = LatchKeeper(path, self._drained)

    def _drained(self) -> None:
        self.drained += 1

    def tell(self, latches: Latches, name: str, now_ns: int = 0) -> None:
        self.keeper.tell(latches, now_ns, lambda on_disk: self.told.append((name, on_disk)))


@pytest.fixture
def keeping(tmp_path: Path) -> Keeping:
    return Keeping(tmp_path / "latches.json")


async def test_before_the_first_save_nothing_is_known_to_be_on_disk(
    keeping: Keeping, disk: SlowDisk
) -> None:
    disk.turns.clear()
    keeping.tell(Latches(), "none latched")
    assert keeping.told == []
    disk.turns.set()
    assert await keeping.keeper.save(Latches())
    assert disk.begun == [Latches()]
    assert keeping.told == [("none latched", True)]


async def test_what_is_on_disk_is_told_at_once_and_not_saved_again(
    keeping: Keeping, disk: SlowDisk
) -> None:
    await keeping.keeper.save(TRIPPED)
    keeping.tell(TRIPPED, "a")
    keeping.tell(Latches(faults=TRIPPED.faults), "b")
    assert keeping.told == [("a", True), ("b", True)]
    assert await keeping.keeper.save(TRIPPED)
    assert disk.begun == [TRIPPED]


async def test_all_comes_out_in_order_each_with_its_own_save_and_what_is_newest_is_saved_last(
    keeping: Keeping, disk: SlowDisk
) -> None:
    await keeping.keeper.save(Latches())
    disk.turns.clear()
    keeping.tell(TRIPPED, "trip")
    keeping.tell(TRIPPED, "tripped")
    await until(lambda: len(disk.begun) == 2)
    keeping.tell(Latches(), "reset")
    keeping.tell(STOPPED, "stop")
    assert keeping.told == []
    assert keeping.drained == 0
    disk.turns.set()
    assert await keeping.keeper.save(STOPPED)
    assert keeping.told == [("trip", True), ("tripped", True), ("reset", True), ("stop", True)]
    assert keeping.drained == 2, "once for all that came out together"
    assert disk.begun == [Latches(), TRIPPED, STOPPED]
    assert load_latches(keeping.path) == STOPPED


async def test_while_a_save_runs_nobody_knows_what_is_on_disk(
    keeping: Keeping, disk: SlowDisk
) -> None:
    await keeping.keeper.save(Latches())
    disk.turns.clear()
    keeping.tell(TRIPPED, "trip")
    await until(lambda: len(disk.begun) == 2)
    # Back to what was there before; but what is being written now comes out on top of it.
    keeping.tell(Latches(), "reset")
    assert keeping.told == []
    disk.turns.set()
    assert await keeping.keeper.save(Latches())
    assert load_latches(keeping.path) == Latches()
    assert disk.begun == [Latches(), TRIPPED, Latches()]


async def test_what_failed_is_told_and_tried_again_a_second_later(
    keeping: Keeping, disk: SlowDisk
) -> None:
    disk.fails = True
    keeping.tell(TRIPPED, "trip")
    await until(lambda: keeping.told == [("trip", False)])
    again_ns = keeping.keeper._again_ns
    assert 0 <= time.monotonic_ns() + SAVE_AGAIN_NS - again_ns < 10 * SAVE_AGAIN_NS
    keeping.tell(TRIPPED, "too soon", again_ns - 1)
    assert keeping.told[1:] == [("too soon", False)]
    assert keeping.keeper._saving is None
    disk.fails = False
    keeping.tell(TRIPPED, "again", again_ns)
    assert keeping.told[2:] == [("again", False)], "it was shown before: it does not wait"
    await until(lambda: keeping.keeper._saving is None)
    keeping.tell(TRIPPED, "after", again_ns + 1)
    assert keeping.told[3:] == [("after", True)]
    assert disk.begun == [TRIPPED, TRIPPED]


async def test_what_changes_after_a_failure_is_saved_at_once(
    keeping: Keeping, disk: SlowDisk
) -> None:
    disk.fails = True
    assert not await keeping.keeper.save(TRIPPED)
    disk.fails = False
    keeping.tell(STOPPED, "stop", now_ns=1)
    assert keeping.told == []
    await until(lambda: keeping.told == [("stop", True)])


async def test_a_disk_that_stands_still_hides_the_site_for_two_seconds_at_most(
    keeping: Keeping, disk: SlowDisk, caplog: pytest.LogCaptureFixture
) -> None:
    disk.turns.clear()
    keeping.tell(TRIPPED, "trip", now_ns=5)
    keeping.tell(TRIPPED, "waits", now_ns=5 + HOLD_NS - 1)
    assert keeping.told == []
    keeping.tell(TRIPPED, "late", now_ns=5 + HOLD_NS)
    assert keeping.told == [("trip", False), ("waits", False), ("late", False)]
    keeping.tell(TRIPPED, "later", now_ns=5 + HOLD_NS + 1)
    assert keeping.told[3:] == [("later", False)]
    assert caplog.text.count("not on disk within 2 s") == 1
    # When it moves again, all is well.
    disk.turns.set()
    assert await keeping.keeper.save(TRIPPED)
    keeping.tell(TRIPPED, "saved", now_ns=5 + HOLD_NS + 2)
    assert keeping.told[4:] == [("saved", True)]


async def test_no_more_wait_than_there_is_room_for(keeping: Keeping, disk: SlowDisk) -> None:
    disk.turns.clear()
    for number in range(HELD_REPORTS):
        keeping.tell(TRIPPED, str(number))
    assert keeping.told == []
    keeping.tell(TRIPPED, "one more")
    assert len(keeping.told) == HELD_REPORTS + 1
    assert not any(on_disk for _, on_disk in keeping.told)
    disk.turns.set()


async def test_who_asks_for_a_save_gets_his_answer_from_a_disk_that_stands_still(
    keeping: Keeping, disk: SlowDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(latch_keeper, "HOLD_NS", 20_000_000)
    disk.turns.clear()
    keeping.tell(TRIPPED, "trip")
    assert not await keeping.keeper.save(TRIPPED)
    assert keeping.told == [("trip", False)]
    disk.turns.set()
    assert await keeping.keeper.save(TRIPPED)


async def test_what_was_told_as_failed_is_not_told_again_when_the_disk_hangs_the_next_time(
    keeping: Keeping,
    disk: SlowDisk,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    disk.fails = True
    assert not await keeping.keeper.save(TRIPPED)
    monkeypatch.setattr(latch_keeper, "HOLD_NS", 20_000_000)
    disk.turns.clear()
    caplog.clear()
    assert not await keeping.keeper.save(TRIPPED)
    assert caplog.text == ""
    disk.turns.set()


async def test_a_failure_of_any_kind_is_one(
    keeping: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(latch_keeper, "save_latches", fail)
    assert not await keeping.keeper.save(TRIPPED)
    monkeypatch.undo()
    assert await keeping.keeper.save(TRIPPED)
