"""Shared memory: a reader sees a whole record or none, and never waits."""

import struct
import threading
import time
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.runtime.shared_memory import (
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
        writer._map[16:27] = b"new new new"  # the writer is stopped right here
        assert reader.latest() is None
        header = struct.pack("<QII", 2, 11, zlib.crc32(b"new new new"))
        writer._map[:16] = header
        assert reader.latest() == b"new new new"


def test_a_full_disk_shows_when_the_memory_is_made_not_when_it_is_used(tmp_path: Path) -> None:
    # A file with holes is mapped without complaint, and on a full disk the first touch of
    # a hole ends the process with SIGBUS.
    path = tmp_path / "status.shm"
    with RecordWriter(path):
        assert path.stat().st_blocks * 512 >= path.stat().st_size


def test_a_heart_that_never_beat_reads_zero(tmp_path: Path) -> None:
    path = tmp_path / "beat.shm"
    with Heartbeat(path), HeartbeatReader(path) as reader:
        assert reader.last() == (0, 0)


def test_a_beat_brings_its_time_and_flag(tmp_path: Path) -> None:
    path = tmp_path / "beat.shm"
    with Heartbeat(path) as heart, HeartbeatReader(path) as reader:
        heart.beat(123_456_789_012, 1)
        assert reader.last() == (123_456_789_012, 1)
        heart.beat(123_456_789_999, 0)
        assert reader.last() == (123_456_789_999, 0)


def test_a_torn_beat_leaves_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "beat.shm"
    with Heartbeat(path) as heart, HeartbeatReader(path) as reader:
        heart.beat(1_000, 1)
        assert reader.last() == (1_000, 1)
        heart._map[9:11] = b"\xff\xff"
        assert reader.last() == (1_000, 1)


def test_readers_keep_hearing_a_writer_that_was_started_anew(tmp_path: Path) -> None:
    path = tmp_path / "beat.shm"
    with Heartbeat(path) as first:
        first.beat(1)
        reader = HeartbeatReader(path)
    with Heartbeat(path) as second:
        assert reader.last() == (1, 1)
        second.beat(2)
        assert reader.last() == (2, 1)
    reader.close()
