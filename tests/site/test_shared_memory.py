"""Shared memory: a reader sees a whole record or none, and never waits."""

import os
import shutil
import struct
import threading
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.site import memory_folder
from holdfast.site.shared_memory import (
    Beat,
    Heartbeat,
    HeartbeatReader,
    RecordReader,
    RecordWriter,
)


def test_there_is_nothing_to_read_before_the_first_writer(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        RecordReader(tmp_path / "status.shm")
    with pytest.raises(FileNotFoundError):
        HeartbeatReader(tmp_path / "beat.shm")


def test_a_file_that_is_still_being_made_is_not_ready(tmp_path: Path) -> None:
    (tmp_path / "status.shm").write_bytes(b"")
    (tmp_path / "beat.shm").write_bytes(b"123")
    with pytest.raises(FileNotFoundError, match="not ready"):
        RecordReader(tmp_path / "status.shm")
    with pytest.raises(FileNotFoundError, match="not ready"):
        HeartbeatReader(tmp_path / "beat.shm")


def test_nothing_published_is_no_record(tmp_path: Path) -> None:
    path = tmp_path / "status.shm"
    with RecordWriter(path), RecordReader(path) as reader:
        assert reader.latest() is None


@given(records=st.lists(st.binary(min_size=1, max_size=3000), min_size=1, max_size=5))
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_latest_record_is_read_as_it_was_written(tmp_path: Path, records: list[bytes]) -> None:
    path = tmp_path / "status.shm"
    with RecordWriter(path) as writer, RecordReader(path) as reader:
        for record in records:
            writer.publish(record)
            assert reader.latest() == record


def test_a_record_that_does_not_fit_is_refused_and_the_last_one_stays(tmp_path: Path) -> None:
    path = tmp_path / "status.shm"
    with RecordWriter(path) as writer, RecordReader(path) as reader:
        writer.publish(b"small")
        with pytest.raises(ValueError, match="does not fit"):
            writer.publish(bytes(512 * 1024))
        assert reader.latest() == b"small"
        whole = bytes(range(256)) * 2047
        writer.publish(whole)
        assert reader.latest() == whole


@given(position=st.integers(0, 39), flip=st.integers(1, 255))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_record_is_no_record(tmp_path: Path, position: int, flip: int) -> None:
    path = tmp_path / "status.shm"
    content = b"x" * 32
    with RecordWriter(path) as writer:
        writer.publish(content)
    raw = bytearray(path.read_bytes())
    raw[8 + position] ^= flip  # behind the sequence number, which says nothing
    path.write_bytes(raw)
    with RecordReader(path) as reader:
        assert reader.latest() is None


def test_a_reader_beside_a_busy_writer_never_sees_a_torn_record(tmp_path: Path) -> None:
    path = tmp_path / "status.shm"
    end = threading.Event()
    # Long enough that copying one is not a single instant; each byte tells whose it is.
    records = [bytes([number]) * (20_000 + 7_000 * number) for number in range(1, 9)]

    def write() -> None:
        with RecordWriter(path) as writer:
            while not end.is_set():
                for record in records:
                    writer.publish(record)
                    time.sleep(0.0002)

    thread = threading.Thread(target=write)
    thread.start()
    seen: set[int] = set()
    try:
        deadline_s = time.monotonic() + 1.5
        reader = None
        while time.monotonic() < deadline_s:
            if reader is None:
                try:
                    reader = RecordReader(path)
                except FileNotFoundError:
                    continue
            record = reader.latest()
            if record is not None:
                assert record in records
                seen.add(record[0])
    finally:
        end.set()
        thread.join()
    assert len(seen) > 1


def test_a_record_caught_between_content_and_header_is_not_taken(tmp_path: Path) -> None:
    path = tmp_path / "status.shm"
    with RecordWriter(path) as writer, RecordReader(path) as reader:
        writer.publish(b"old old old")
        os.pwrite(writer._descriptor, b"new new new", 16)  # the writer is stopped right here
        assert reader.latest() is None
        header = struct.pack("<QII", 2, 11, zlib.crc32(b"new new new"))
        os.pwrite(writer._descriptor, header, 0)
        assert reader.latest() == b"new new new"


def test_a_full_disk_shows_when_the_memory_is_made_not_when_it_is_used(tmp_path: Path) -> None:
    path = tmp_path / "status.shm"
    with RecordWriter(path):
        assert path.stat().st_blocks * 512 >= path.stat().st_size


def test_a_heart_that_never_beat_reads_zero(tmp_path: Path) -> None:
    path = tmp_path / "beat.shm"
    with Heartbeat(path), HeartbeatReader(path) as reader:
        assert reader.last() == Beat(0, 0)


def test_a_beat_brings_its_time_and_flag(tmp_path: Path) -> None:
    path = tmp_path / "beat.shm"
    with Heartbeat(path) as heart, HeartbeatReader(path) as reader:
        heart.beat(123_456_789_012, 1)
        assert reader.last() == Beat(123_456_789_012, 1)
        heart.beat(123_456_789_999, 0)
        assert reader.last() == Beat(123_456_789_999, 0)


def test_a_beat_tells_which_configuration_is_run(tmp_path: Path) -> None:
    path = tmp_path / "beat.shm"
    with Heartbeat(path, 2**64 - 1) as heart, HeartbeatReader(path) as reader:
        heart.beat(1, 0)
        assert reader.last() == Beat(1, 0, 2**64 - 1)


def test_a_torn_beat_leaves_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "beat.shm"
    with Heartbeat(path) as heart, HeartbeatReader(path) as reader:
        heart.beat(1_000, 1)
        assert reader.last() == Beat(1_000, 1)
        os.pwrite(heart._descriptor, b"\xff\xff", 9)
        assert reader.last() == Beat(1_000, 1)


def test_readers_keep_hearing_a_writer_that_was_started_anew(tmp_path: Path) -> None:
    path = tmp_path / "beat.shm"
    with Heartbeat(path) as first:
        first.beat(1)
        reader = HeartbeatReader(path)
    with Heartbeat(path) as second:
        assert reader.last() == Beat(1, 1)
        second.beat(2)
        assert reader.last() == Beat(2, 1)
    reader.close()


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in RAM that somebody clears while it is in use."""
    monkeypatch.setattr(memory_folder, "ROOT", tmp_path)
    folder = tmp_path / "memory"
    folder.mkdir(mode=0o700)
    return folder


def test_what_was_deleted_is_made_anew_and_found_by_who_reads_already(memory: Path) -> None:
    with (
        Heartbeat(memory / "beat.shm") as heart,
        HeartbeatReader(memory / "beat.shm") as listener,
        RecordWriter(memory / "status.shm") as writer,
        RecordReader(memory / "status.shm") as reader,
    ):
        heart.beat(1)
        writer.publish(b"before")
        shutil.rmtree(memory)
        assert listener.last() == Beat(1, 1)  # and nothing breaks until there is something new
        assert reader.latest() == b"before"
        heart.beat(2)
        writer.publish(b"after")
        assert memory.stat().st_mode & 0o777 == 0o700
        assert listener.last() == Beat(2, 1)
        assert reader.latest() == b"after"
        with RecordReader(memory / "status.shm") as newcomer:
            assert newcomer.latest() == b"after"


def test_a_controller_started_anew_is_heard_by_who_has_the_deleted_file(memory: Path) -> None:
    path = memory / "beat.shm"
    with Heartbeat(path) as first:
        first.beat(1)
        reader = HeartbeatReader(path)
    path.unlink()
    with Heartbeat(path) as second:
        second.beat(2)
        assert reader.last() == Beat(2, 1)
    reader.close()


def test_a_folder_that_became_anothers_is_not_used(
    memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = memory / "beat.shm"
    with Heartbeat(path) as heart, HeartbeatReader(path) as reader:
        heart.beat(1)
        shutil.rmtree(memory)
        memory.mkdir()
        heart._owner = reader._owner = os.getuid() + 4711
        heart.beat(2)
        assert list(memory.iterdir()) == []
        assert reader.last() == Beat(2, 1)  # they still have the old one in common


def _truncate(path: Path) -> None:
    os.truncate(path, 0)


def _cut(path: Path) -> None:
    os.truncate(path, 9)


def _delete(path: Path) -> None:
    path.unlink()


def _replace(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(b"\xff" * 100)
    other.replace(path)


def _replace_by_nothing(path: Path) -> None:
    path.with_name("other").touch()
    path.with_name("other").replace(path)


def _link(path: Path) -> None:
    path.with_name("theirs").write_bytes(b"theirs" * 100)
    path.unlink()
    path.symlink_to("theirs")


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _forbid(path: Path) -> None:
    path.chmod(0)


SPOILED = [_truncate, _cut, _delete, _replace, _replace_by_nothing, _link, _pipe, _forbid]


@pytest.mark.parametrize("spoil", SPOILED)
def test_whatever_is_done_to_a_file_the_next_that_is_written_is_read(
    memory: Path, spoil: Callable[[Path], None]
) -> None:
    beat, record = memory / "beat.shm", memory / "status.shm"
    with (
        Heartbeat(beat) as heart, HeartbeatReader(beat) as listener,
        RecordWriter(record) as writer, RecordReader(record) as reader,
    ):  # fmt: skip
        for round_ in (1, 2):
            heart.beat(round_)
            writer.publish(b"whole")
            assert (listener.last(), reader.latest()) == (Beat(round_, 1), b"whole")
            spoil(beat)
            spoil(record)
            assert listener.last() == Beat(round_, 1)
            assert reader.latest() in {None, b"whole"}
            heart.beat(round_ + 1)
            writer.publish(b"the next")
            assert (listener.last(), reader.latest()) == (Beat(round_ + 1, 1), b"the next")
            with HeartbeatReader(beat) as newcomer:
                assert newcomer.last() == Beat(round_ + 1, 1)
            with RecordReader(record) as newcomer:
                assert newcomer.latest() == b"the next"
    if (theirs := memory / "theirs").exists():
        assert theirs.read_bytes() == b"theirs" * 100


def test_a_folder_in_the_place_of_a_file_stops_nobody(memory: Path) -> None:
    path = memory / "beat.shm"
    with Heartbeat(path) as heart, HeartbeatReader(path) as listener:
        path.unlink()
        path.mkdir()
        heart.beat(1)
        assert listener.last() == Beat(1, 1)
        path.rmdir()
        heart.beat(2)
        assert listener.last() == Beat(2, 1)
        with HeartbeatReader(path) as newcomer:
            assert newcomer.last() == Beat(2, 1)


def test_a_full_disk_or_a_broken_one_stops_no_writer_and_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> bytes:
        raise OSError(28, "No space left on device")

    path = tmp_path / "beat.shm"
    with Heartbeat(path) as heart, HeartbeatReader(path) as listener:
        heart.beat(1)
        with monkeypatch.context() as full:
            full.setattr(os, "pwrite", fail)
            heart.beat(2)
            heart.beat(3)
        assert [r.message for r in caplog.records] == [
            f"{path} cannot be written: [Errno 28] No space left on device"
        ]
        assert listener.last() == Beat(1, 1)
        heart.beat(4)
        with monkeypatch.context() as broken:
            broken.setattr(os, "pread", fail)
            assert listener.last() == Beat(1, 1)
        assert listener.last() == Beat(4, 1)


def test_no_link_is_followed(tmp_path: Path, memory: Path) -> None:
    (tmp_path / "theirs").write_bytes(bytes(100))
    (memory / "beat.shm").symlink_to(tmp_path / "theirs")
    for mapped in (Heartbeat, HeartbeatReader):
        with pytest.raises(OSError, match="symbolic links"):
            mapped(memory / "beat.shm")
    (tmp_path / "link").symlink_to(memory)
    with pytest.raises(NotADirectoryError):
        Heartbeat(tmp_path / "link" / "status.shm")
