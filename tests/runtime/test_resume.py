"""A site that was running when its controller ended: it starts again, or says that it waits."""

import asyncio
import logging
import time
from pathlib import Path

import pytest

from holdfast.client.status_reader import StatusReader
from holdfast.core.commands import Command
from holdfast.core.latches import Latches
from holdfast.core.sealed import seal
from holdfast.core.signals import SITE, Signal
from holdfast.core.state_machine import State
from holdfast.runtime import resume as module
from holdfast.runtime.latch_file import save_latches
from tests.runtime.bench import LoopBench, site_in
from tests.runtime.test_control_loop import to_running


async def killed_while_running(folder: Path) -> None:
    bench = LoopBench(folder)
    await to_running(bench)
    await bench.loop.resume.flush()  # and that is all that was done


def started(folder: Path, resume: str = "automatic") -> LoopBench:
    return LoopBench(folder, site_in(folder, resume=resume))


async def ticks(bench: LoopBench, count: int = 8) -> None:
    """What the timer does, each time with all devices read before."""
    for _ in range(count):
        bench.sample()
        bench.loop.tick(time.monotonic_ns(), 0)
        await asyncio.sleep(0)
        await asyncio.gather(*(w.flush() for w in bench.loop._writers.values()))
        await bench.loop.save_latches()


def waits(bench: LoopBench) -> bool:
    found = StatusReader(bench.files).latest()
    assert found is not None
    return found[0].waits_for_start


async def test_by_default_it_waits_for_a_start_and_says_so_until_there_is_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    await killed_while_running(tmp_path)
    for _ in range(2):  # another power cut changes nothing
        caplog.clear()
        bench = started(tmp_path, "manual")
        assert "was RUNNING when its controller ended; it waits for a start" in caplog.text
        await ticks(bench)
        assert (bench.state, waits(bench)) == (State.IDLE, True)
    assert (await bench.loop.command(Command.START))[0]
    bench.show_next()
    await ticks(bench, 1)
    assert (bench.state, waits(bench)) == (State.RUNNING, False)


async def test_where_that_is_configured_it_starts_by_itself_once_it_is_ready(
    tmp_path: Path,
) -> None:
    await killed_while_running(tmp_path)
    bench = started(tmp_path)
    del bench.values[SITE, Signal.WATCHDOG_ARMED]
    await ticks(bench)
    assert bench.state is State.BOOT
    bench.values[SITE, Signal.WATCHDOG_ARMED] = 1.0
    await ticks(bench)
    assert bench.state is State.RUNNING
    bench.show_next()
    await ticks(bench, 1)
    assert not waits(bench)
    assert (await bench.loop.command(Command.STOP))[0]
    await ticks(bench)
    assert bench.state is State.IDLE  # once, and not again


async def test_a_controller_that_is_told_to_end_leaves_it_running_for_the_next(
    tmp_path: Path,
) -> None:
    bench = LoopBench(tmp_path)
    await to_running(bench)
    bench.loop.resume.hold()
    await bench.loop.command(Command.STOP)
    await bench.cycle(3)
    await bench.loop.flush()
    after = started(tmp_path)
    await ticks(after)
    assert after.state is State.RUNNING


@pytest.mark.parametrize("command", [Command.STOP, Command.EMERGENCY_STOP])
async def test_what_somebody_stopped_stays_so(tmp_path: Path, command: Command) -> None:
    bench = LoopBench(tmp_path)
    await to_running(bench)
    await bench.loop.command(command)
    await bench.cycle(2)
    await bench.loop.flush()
    save_latches(bench.files.latches, Latches())
    after = started(tmp_path)
    await ticks(after)
    assert (after.state, waits(after)) == (State.IDLE, False)


async def test_a_stop_while_it_waits_ends_the_waiting(tmp_path: Path) -> None:
    await killed_while_running(tmp_path)
    bench = started(tmp_path, "manual")
    await ticks(bench)
    await bench.loop.command(Command.STOP)
    bench.show_next()
    await ticks(bench, 1)
    assert not waits(bench)


async def test_with_anything_latched_nothing_starts(tmp_path: Path) -> None:
    await killed_while_running(tmp_path)
    save_latches(tmp_path / "latches.json", Latches(faults=("site/crash_loop",)))
    bench = started(tmp_path)
    await ticks(bench)
    assert bench.state is State.ERROR
    assert (await bench.loop.command(Command.RESET))[0]
    await ticks(bench)
    assert (bench.state, waits(bench)) == (State.IDLE, False)


@pytest.mark.parametrize("content", [b"", b"rubbish", b"{}\n", b"[]\n0\n", seal("[" * 5000)])
async def test_a_mark_that_cannot_be_trusted_starts_nothing_and_is_told_of(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "running.json").write_bytes(content)
    bench = started(tmp_path)
    assert "whether the site was RUNNING is not known" in caplog.text
    await ticks(bench)
    assert (bench.state, waits(bench)) == (State.IDLE, False)


async def test_a_disk_that_fails_is_told_of_and_tried_again_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tries = 0

    def fail(*_: object) -> None:
        nonlocal tries
        tries += 1
        raise OSError(28, "No space left on device")

    bench = LoopBench(tmp_path)
    monkeypatch.setattr(module, "write_atomically", fail)
    await to_running(bench)
    await bench.loop.resume.flush()
    assert tries == 1
    assert "whether the site runs is not on disk" in caplog.text
    monkeypatch.undo()
    bench.loop.resume._again_ns = 0
    await bench.cycle(1)
    await bench.loop.resume.flush()
    assert started(tmp_path).loop.resume.waits
