"""Recordings on the disk: whole, bounded, and never what fills it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from holdfast.monitoring.replay.recording import RecordingCause
from holdfast.runtime import incident_folder
from holdfast.runtime.incident_folder import IncidentFolder


def cause(minute: int = 0, row: str = "bms_lost") -> RecordingCause:
    utc = datetime(2026, 6, 1, 12, tzinfo=UTC) + timedelta(minutes=minute)
    return RecordingCause(utc=utc, now_ns=minute, row=row, text="why")


def test_a_recording_is_named_by_its_time_and_cause_and_is_its_owners_alone(tmp_path: Path):
    name = IncidentFolder(tmp_path / "incidents").save(cause(), b"content")
    assert name == "20260601T120000Z-bms_lost.json.gz"
    path = tmp_path / "incidents" / name
    assert path.read_bytes() == b"content"
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0


def test_the_newest_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(incident_folder, "KEPT", 3)
    folder = IncidentFolder(tmp_path)
    names = [folder.save(cause(minute), b"x") for minute in range(5)]
    assert sorted(path.name for path in tmp_path.iterdir()) == names[-3:]


def test_and_no_more_than_so_many_bytes_but_the_new_one_always(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(incident_folder, "KEPT_BYTES", 100)
    folder = IncidentFolder(tmp_path)
    names = [folder.save(cause(minute), b"x" * 45) for minute in range(4)]
    assert sorted(path.name for path in tmp_path.iterdir()) == names[-2:]
    large = folder.save(cause(9), b"x" * 1000)
    assert [path.name for path in tmp_path.iterdir()] == [large]


def test_a_clock_that_went_back_deletes_others_and_not_what_is_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(incident_folder, "KEPT", 2)
    folder = IncidentFolder(tmp_path)
    for minute in (10, 11, 0):
        last = folder.save(cause(minute), b"x")
    assert last in {path.name for path in tmp_path.iterdir()}
    assert len([*tmp_path.iterdir()]) == 2


def test_a_disk_with_little_room_is_left_to_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(incident_folder, "KEEP_FREE_BYTES", 2**60)
    with pytest.raises(OSError, match="would be free"):
        IncidentFolder(tmp_path).save(cause(), b"x")
    assert [*tmp_path.iterdir()] == []


def test_what_a_kill_left_half_written_goes_with_the_next(tmp_path: Path):
    (tmp_path / "20260601T110000Z-bms_lost.json.gz.new").write_bytes(b"half")
    name = IncidentFolder(tmp_path).save(cause(), b"x")
    assert [path.name for path in tmp_path.iterdir()] == [name]
