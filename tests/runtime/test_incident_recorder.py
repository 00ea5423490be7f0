"""The recorder in the control loop: what stops a site is on the disk, and nothing waits for it."""

import asyncio
import logging
import time
from pathlib import Path

import pytest

from holdfast.core.commands import Command
from holdfast.core.signals import Signal
from holdfast.core.state_machine import State
from holdfast.monitoring.audit.events import IncidentRecorded
from holdfast.monitoring.replay.reading import IncidentRecording, read_recording
from holdfast.runtime import incident_recorder
from holdfast.runtime.audit.trail import open_trail
from holdfast.runtime.incident_folder import IncidentFolder
from holdfast.site.files import SiteFiles
from tests.builders import UNIT, load_content
from tests.monitoring.replay.recordings import first_difference
from tests.runtime.bench import LoopBench, site_in
from tests.runtime.test_control_loop import to_running

TOO_HIGH_V = 3.8


def files_of(bench: LoopBench) -> list[Path]:
    return sorted(bench.files.incidents.glob("*")) if bench.files.incidents.exists() else []


async def recorded(bench: LoopBench, count: int = 1) -> IncidentRecording:
    """Cycles on until a recording is on the disk; the newest."""
    await bench.cycle_until(lambda: len(files_of(bench)) >= count)
    return read_recording(max(files_of(bench), key=lambda path: path.stat().st_mtime_ns))


async def trip(bench: LoopBench) -> None:
    bench.values[UNIT, Signal.CELL_VOLTAGE_MAX_V] = TOO_HIGH_V
    await bench.cycle_until(lambda: bench.state is State.ERROR)


async def test_a_trip_is_recorded_with_what_was_before_and_after_and_replays(tmp_path: Path):
    bench = LoopBench(tmp_path, site_in(tmp_path, loads=[load_content()]))
    await to_running(bench)
    await trip(bench)
    assert files_of(bench) == []
    recording = await recorded(bench)
    assert first_difference(recording) is None
    assert recording.end is not None
    (why, *_) = recording.end.causes
    assert why.row == "cell_voltage_high"
    assert why.text.startswith("RUNNING to ERROR: battery: ")
    tripped = [cycle.inputs.now_ns for cycle in recording.cycles].index(why.now_ns)
    assert tripped >= 15
    assert len(recording.cycles) - tripped == 10
    assert recording.end.cycles == len(recording.cycles)


async def test_what_is_normal_is_not_recorded(tmp_path: Path):
    bench = LoopBench(tmp_path)
    await to_running(bench)
    bench.sample()
    await bench.loop.command(Command.STOP)
    await bench.cycle(60)
    assert bench.state is State.IDLE
    assert files_of(bench) == []


async def test_nor_is_what_was_latched_before_the_start(tmp_path: Path):
    bench = LoopBench(tmp_path)
    await to_running(bench)
    await trip(bench)
    await recorded(bench)
    again = LoopBench(tmp_path)
    again.values = bench.values
    await again.cycle_until(lambda: again.state is State.ERROR)
    await again.cycle(60)
    await again.loop.flush()
    assert len(files_of(again)) == 1


async def test_an_emergency_stop_is_recorded_with_who_asked(tmp_path: Path):
    bench = LoopBench(tmp_path)
    await to_running(bench)
    await bench.loop.command(Command.EMERGENCY_STOP)
    recording = await recorded(bench)
    assert recording.end is not None
    assert recording.end.causes[0].row == "emergency_stop"
    assert "RUNNING to STOPPED" in recording.end.causes[0].text
    assert first_difference(recording) is None


async def test_what_takes_power_away_in_running_is_recorded_once(tmp_path: Path):
    bench = LoopBench(tmp_path)
    await to_running(bench)
    del bench.values["site", Signal.GRID_POWER_W]
    await asyncio.sleep(3.1)  # older than the meter's values may be
    recording = await recorded(bench)
    assert bench.state is State.RUNNING
    assert recording.end is not None
    assert len(recording.end.causes) == 1
    assert recording.end.causes[0].text.startswith("site: ")
    await bench.cycle(60)
    assert len(files_of(bench)) == 1


async def test_what_follows_within_an_incident_is_in_its_recording(tmp_path: Path):
    bench = LoopBench(tmp_path)
    await to_running(bench)
    await trip(bench)
    await bench.cycle(2)
    await bench.loop.command(Command.EMERGENCY_STOP)
    recording = await recorded(bench)
    assert recording.end is not None
    assert [cause.row for cause in recording.end.causes] == ["cell_voltage_high", "emergency_stop"]
    last_ns = recording.end.causes[-1].now_ns
    assert [cycle.inputs.now_ns for cycle in recording.cycles].index(last_ns) == (
        len(recording.cycles) - 10
    )


async def test_so_many_an_hour_and_the_rest_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(incident_recorder, "AN_HOUR", {True: 2, False: 1})
    bench = LoopBench(tmp_path)
    await to_running(bench)

    async def stop_and_reset() -> None:
        await bench.loop.command(Command.EMERGENCY_STOP)
        await bench.cycle(30)
        bench.sample()
        await bench.loop.command(Command.RESET)
        await bench.cycle_until(lambda: bench.state is State.IDLE)

    for _ in range(2):
        await stop_and_reset()
        await asyncio.sleep(1.0)  # another second, another name
    assert len(files_of(bench)) == 2
    await stop_and_reset()
    await stop_and_reset()
    assert len(files_of(bench)) == 2
    monkeypatch.setattr(incident_recorder, "HOUR_NS", 0)
    await bench.loop.command(Command.EMERGENCY_STOP)
    recording = await recorded(bench, 3)
    assert recording.end is not None
    assert recording.end.left_out == 2


async def test_a_cycle_that_raises_is_recorded_before_the_process_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    bench = LoopBench(tmp_path)
    await to_running(bench)

    def raises(*_: object) -> None:
        raise ZeroDivisionError("by nothing")

    bench.sample()
    monkeypatch.setattr(bench.loop._cycle, "step", raises)
    assert bench.loop.run_cycle() is None
    await asyncio.sleep(0)
    await bench.loop.flush()
    recording = read_recording(files_of(bench)[0])
    assert "cycle_failed" in files_of(bench)[0].name
    assert recording.cycles[-1].raised == "ZeroDivisionError: by nothing"
    assert len(recording.cycles) > 15
    found = first_difference(recording)
    assert found is not None
    assert (found.cycle, found.stage) == (len(recording.cycles), "raised")


async def test_a_controller_that_is_told_to_end_writes_what_it_has(tmp_path: Path):
    bench = LoopBench(tmp_path)
    await to_running(bench)
    await trip(bench)
    await bench.loop.flush()
    recording = read_recording(files_of(bench)[0])
    assert recording.end is not None
    assert first_difference(recording) is None


async def test_the_audit_log_names_it(tmp_path: Path):
    site = site_in(tmp_path)
    trail = open_trail(site, SiteFiles.of(site))
    told: list[IncidentRecorded] = []
    trail._put = told.append  # type: ignore[method-assign, assignment]
    bench = LoopBench(tmp_path, site, audit=trail)
    await to_running(bench)
    await trip(bench)
    recording = await recorded(bench)
    await bench.cycle_until(lambda: bool(told))
    (event,) = told
    assert (event.file, event.cycles) == (files_of(bench)[0].name, len(recording.cycles))
    assert event.why.startswith("RUNNING to ERROR")


async def test_a_disk_that_refuses_costs_the_recording_and_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def refuses(*_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(IncidentFolder, "save", refuses)
    bench = LoopBench(tmp_path)
    await to_running(bench)
    with caplog.at_level(logging.ERROR):
        for _ in range(2):
            await bench.loop.command(Command.EMERGENCY_STOP)
            await bench.cycle(30)
            bench.sample()
            await bench.loop.command(Command.RESET)
            await bench.cycle_until(lambda: bench.state is State.IDLE)
    told = [record for record in caplog.records if "recording" in record.message]
    assert len(told) == 1
    assert bench.state is State.IDLE


async def test_whatever_fails_in_it_control_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def fails(*_: object) -> bytes:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr(incident_recorder.CycleEncoder, "lines", fails)
    bench = LoopBench(tmp_path)
    await to_running(bench)
    await trip(bench)
    await bench.cycle(30)
    await bench.loop.flush()
    assert bench.state is State.ERROR
    assert [record.message for record in caplog.records if record.levelno == logging.CRITICAL] == [
        "incidents are not recorded any more"
    ]
    assert files_of(bench) == []


async def test_no_slice_is_long_and_one_cycle_at_least_is_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Counted in cycles: with no time at all one is encoded behind each that runs."""
    monkeypatch.setattr(incident_recorder, "SLICE_NS", 0)
    bench = LoopBench(tmp_path)
    await to_running(bench)
    await trip(bench)
    incident = bench.loop._incidents._open
    assert incident is not None
    waiting, cycles = len(incident.waiting), incident.cycles
    await bench.step()
    assert (len(incident.waiting), incident.cycles) == (waiting, cycles + 1)


async def test_a_disk_that_stands_still_holds_up_no_cycle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    stands = True

    def save(*_: object) -> str:
        while stands:
            time.sleep(0.01)
        return "late"

    monkeypatch.setattr(IncidentFolder, "save", save)
    bench = LoopBench(tmp_path)
    await to_running(bench)
    await trip(bench)
    await bench.cycle_until(lambda: bench.loop._incidents._saving is not None)
    await bench.cycle(5)
    await bench.loop.command(Command.EMERGENCY_STOP)
    assert bench.state is State.STOPPED
    stands = False
    await bench.cycle_until(lambda: bench.loop._incidents._saving is None)


async def test_a_disk_that_stands_still_holds_up_the_end_for_no_longer_than_it_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    stands = True

    def save(*_: object) -> str:
        while stands:
            time.sleep(0.01)
        return "late"

    monkeypatch.setattr(IncidentFolder, "save", save)
    monkeypatch.setattr(incident_recorder, "CLOSE_NS", 50_000_000)
    bench = LoopBench(tmp_path)
    await to_running(bench)
    await trip(bench)
    await bench.loop.flush()
    assert bench.loop._incidents._saving is not None
    stands = False
    await bench.cycle_until(lambda: bench.loop._incidents._saving is None)
