"""The latch file: whatever happens while it is written, the site knows what was latched."""

import os
from pathlib import Path

import pytest

from holdfast.core.commands import Command
from holdfast.core.latches import LATCH_FILE_CORRUPT, Latches, encode
from holdfast.core.state_machine import State
from holdfast.runtime.latch_file import load_latches, make_first, save_latches
from holdfast.site.files import SiteFiles, write_atomically
from tests.runtime.bench import LoopBench

OLD = Latches(faults=("battery/cell_voltage_high",))
NEW = Latches(emergency_stop=True, faults=("battery/cell_voltage_high", "site/cycle_gap"))


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "latches.json"
    assert load_latches(path) == Latches()
    save_latches(path, NEW)
    assert load_latches(path) == NEW
    assert path.stat().st_mode & 0o077 == 0


def test_a_kill_at_any_byte_of_writing_leaves_the_old_latches(tmp_path: Path) -> None:
    path = tmp_path / "latches.json"
    content = encode(NEW)
    for length in range(len(content) + 1):
        save_latches(path, OLD)
        path.with_name("latches.json.new").write_bytes(content[:length])
        assert load_latches(path) == OLD
    # What was left over does not hinder the next one.
    save_latches(path, NEW)
    assert load_latches(path) == NEW


@pytest.mark.parametrize("call", ["write", "fsync", "close", "replace"])
def test_a_failure_of_any_step_leaves_the_old_latches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    path = tmp_path / "latches.json"
    save_latches(path, OLD)

    def fail(*_: object) -> int:
        raise OSError(28, "No space left on device")

    if call == "replace":
        monkeypatch.setattr(Path, "replace", fail)
    else:
        monkeypatch.setattr(os, call, fail)
    with pytest.raises(OSError, match="No space"):
        save_latches(path, NEW)
    monkeypatch.undo()
    assert load_latches(path) == OLD


def test_a_write_that_takes_a_few_bytes_at_a_time_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # On a disk that is nearly full a write stores what fits, and reports no error.
    path = tmp_path / "latches.json"
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, bytes(data)[:7]))
    write_atomically(path, encode(NEW))
    assert path.read_bytes() == encode(NEW)


def test_any_shorter_file_is_corrupt_and_means_error(tmp_path: Path) -> None:
    path = tmp_path / "latches.json"
    content = encode(NEW)
    for length in range(len(content)):
        path.write_bytes(content[:length])
        assert load_latches(path) == Latches(faults=(LATCH_FILE_CORRUPT,)), length


def test_any_changed_byte_is_corrupt_and_means_error(tmp_path: Path) -> None:
    path = tmp_path / "latches.json"
    content = encode(OLD)
    for position in range(len(content)):
        damaged = bytearray(content)
        damaged[position] ^= 0x01
        path.write_bytes(damaged)
        assert load_latches(path).faults == (LATCH_FILE_CORRUPT,), position


def test_a_corrupt_file_is_kept_for_whoever_looks_into_it(tmp_path: Path) -> None:
    path = tmp_path / "latches.json"
    path.write_bytes(b"\x00\xffrubbish")
    load_latches(path)
    assert path.with_suffix(".corrupt").read_bytes() == b"\x00\xffrubbish"


def test_a_latch_file_that_cannot_be_opened_means_error(tmp_path: Path) -> None:
    path = tmp_path / "latches.json"
    path.mkdir()
    assert load_latches(path).faults == (LATCH_FILE_CORRUPT,)


async def test_corrupt_latches_are_not_forgotten_by_a_second_restart(tmp_path: Path) -> None:
    files = SiteFiles(state_dir=tmp_path)
    files.latches.write_bytes(encode(NEW)[:-20])
    first = LoopBench(tmp_path)
    await first.loop.save_latches()
    await first.cycle(2)
    assert first.state is State.ERROR
    second = LoopBench(tmp_path)
    await second.cycle(2)
    assert second.state is State.ERROR
    assert second.loop.state.latches.faults == (LATCH_FILE_CORRUPT,)


async def test_a_kill_right_after_corrupt_latches_were_found_forgets_nothing(
    tmp_path: Path,
) -> None:
    files = SiteFiles(state_dir=tmp_path)
    files.latches.write_bytes(b"rubbish")
    load_latches(files.latches)  # and the power is gone before anything else happened
    assert load_latches(files.latches).faults == (LATCH_FILE_CORRUPT,)


@pytest.mark.parametrize("trace", range(3))
def test_a_latch_file_that_is_gone_where_a_site_has_run_means_error(
    tmp_path: Path, trace: int
) -> None:
    files = SiteFiles(state_dir=tmp_path)
    assert load_latches(files.latches, files.traces) == Latches()
    found = files.traces[trace]
    found.parent.mkdir(exist_ok=True)
    found.touch()
    assert load_latches(files.latches, files.traces).faults == (LATCH_FILE_CORRUPT,)
    make_first(files.latches, files.traces)
    assert load_latches(files.latches, files.traces).faults == (LATCH_FILE_CORRUPT,)
    save_latches(files.latches, OLD)
    assert load_latches(files.latches, files.traces) == OLD


def test_a_first_start_that_ends_at_once_is_no_error_at_the_second(tmp_path: Path) -> None:
    files = SiteFiles(state_dir=tmp_path)
    make_first(files.latches, files.traces)
    files.starts.touch()  # and the power is gone
    assert load_latches(files.latches, files.traces) == Latches()
    save_latches(files.latches, OLD)
    make_first(files.latches, files.traces)
    assert load_latches(files.latches, files.traces) == OLD


def test_a_disk_that_takes_no_first_latches_stops_nobody(tmp_path: Path) -> None:
    files = SiteFiles(state_dir=tmp_path / "missing")
    make_first(files.latches, files.traces)
    assert load_latches(files.latches, files.traces) == Latches()


async def test_a_site_whose_latches_were_deleted_starts_in_error_until_service_resets_it(
    tmp_path: Path,
) -> None:
    first = LoopBench(tmp_path)
    await first.to_idle()
    first.files.starts.touch()
    first.files.latches.unlink()
    second = LoopBench(tmp_path)
    await second.cycle(2)
    assert second.state is State.ERROR
    assert (await second.loop.command(Command.RESET))[0] is False
    assert (await second.loop.command(Command.SERVICE_RESET))[0] is True
    await second.cycle(2)
    assert second.state is State.IDLE
