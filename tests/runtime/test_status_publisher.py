"""What others get to see of the control loop, and how often."""

import time
from pathlib import Path

import pytest

from holdfast.client.status_reader import StatusReader
from holdfast.core.commands import Command
from holdfast.core.errors import PlanRefused
from holdfast.core.state_machine import State
from holdfast.monitoring.status.schema import Status
from holdfast.runtime import status_publisher
from tests.runtime.bench import LoopBench
from tests.runtime.test_control_loop import to_running
from tests.runtime.test_incoming import a_plan


def shown(bench: LoopBench) -> Status:
    found = StatusReader(bench.files).latest()
    assert found is not None
    return found[0]


async def test_between_two_times_only_a_change_of_state_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status_publisher, "PUBLISH_EVERY_NS", 10**15)
    bench = LoopBench(tmp_path)
    await bench.to_idle()
    before = shown(bench)
    assert before.state is State.IDLE
    await bench.cycle(3)
    assert shown(bench) == before
    await bench.loop.command(Command.EMERGENCY_STOP)
    assert shown(bench).state is State.STOPPED


async def test_when_its_time_has_come_the_newest_cycle_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status_publisher, "PUBLISH_EVERY_NS", 0)
    bench = LoopBench(tmp_path)
    for _ in range(3):
        await bench.cycle()
        assert shown(bench).monotonic_ns == bench.loop.state.time_ns


async def test_why_a_plan_was_refused_is_in_the_status(tmp_path: Path) -> None:
    bench = LoopBench(tmp_path)
    await to_running(bench)
    with pytest.raises(PlanRefused):
        bench.plans.take(a_plan())  # of long ago
    bench.show_next()
    await bench.cycle()
    assert shown(bench).plan is None
    assert "expired" in shown(bench).plan_refused
    assert shown(bench).request_source == "default"


async def test_missed_deadlines_are_in_the_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status_publisher, "PUBLISH_EVERY_NS", 0)
    bench = LoopBench(tmp_path)
    await bench.cycle()
    assert shown(bench).loop.missed == 0
    bench.loop.tick(time.monotonic_ns(), 2)
    await bench.cycle()
    assert shown(bench).loop.missed == 2


async def test_a_status_that_is_too_long_becomes_a_brief_one_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(status_publisher, "PUBLISH_EVERY_NS", 0)
    bench = LoopBench(tmp_path)
    await to_running(bench)
    next(iter(bench.drivers.values())).counters.where = "x" * 600_000
    caplog.clear()
    for _ in range(3):
        await bench.cycle()
    status = shown(bench)
    assert status.state is State.RUNNING
    assert status.left_out.startswith("record too long: 6")
    assert status.monotonic_ns == bench.loop.state.time_ns
    (told,) = caplog.records  # once, and not fifty times a second
    assert told.message.startswith("record too long: 6")
    next(iter(bench.drivers.values())).counters.where = "here"
    await bench.cycle()
    assert shown(bench).left_out == ""
    assert shown(bench).quantities


async def test_a_status_that_cannot_be_made_stops_nothing_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status_publisher, "PUBLISH_EVERY_NS", 0)
    bench = LoopBench(tmp_path)
    await to_running(bench)
    monkeypatch.setattr(status_publisher, "build_status", lambda *_: 1 / 0)
    await bench.cycle()
    assert "cannot be told: ZeroDivisionError" in shown(bench).left_out
    monkeypatch.undo()
    await bench.loop.command(Command.EMERGENCY_STOP)
    assert (shown(bench).state, shown(bench).left_out) == (State.STOPPED, "")
