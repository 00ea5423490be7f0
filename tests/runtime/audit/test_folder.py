"""The audit log on the disk: appended, rotated, bounded; whatever happened is found and told."""

import errno
import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from holdfast.client.audit_reader import audit_files, read_head
from holdfast.monitoring.audit.events import LogDeleted, LogOpened, PlanNotAccepted
from holdfast.monitoring.audit.log_lines import decode_head, decode_line, event_of
from holdfast.monitoring.audit.verify import Verdict, Wrong, verify
from holdfast.runtime.audit import folder as audit_folder
from holdfast.runtime.audit.folder import AuditFolder, Entry

T = datetime(2026, 4, 1, 12, tzinfo=UTC)


def entry(number: int = 0) -> Entry:
    return Entry(
        utc=T + timedelta(seconds=number),
        monotonic_ns=number,
        event=PlanNotAccepted(plan_id=f"p{number}", reason="because"),
    )


def a_folder(path: Path, **changes: int) -> AuditFolder:
    return AuditFolder(path, **{"keep_free_bytes": 0, **changes})


def check(path: Path) -> Verdict:
    return verify(((file.name, file.read_bytes()) for file in audit_files(path)), read_head(path))


def wrong(path: Path) -> Wrong | None:
    problem = check(path).problem
    return None if problem is None else problem.wrong


def kinds(path: Path) -> list[str]:
    """What the log tells, line by line."""
    found = []
    for file in audit_files(path):
        for raw in file.read_bytes().split(b"\n"):
            line = decode_line(raw)
            event = None if line is None else event_of(line)
            if isinstance(event, PlanNotAccepted):
                found.append(event.plan_id)
            elif event is not None:
                found.append(event.kind)
    return found


def filled(path: Path, *counts: int, **changes: int) -> None:
    """One run of the controller for each count, with so many lines."""
    number = 0
    for count in counts:
        log = a_folder(path, **changes)
        for _ in range(count):
            log.append([entry(number)])
            log.save_head()
            number += 1
        log.close()


def test_what_was_appended_verifies_over_restarts_and_no_file_is_begun_for_them(
    tmp_path: Path,
) -> None:
    filled(tmp_path, 3, 2, 4)
    verdict = check(tmp_path)
    assert verdict.problem is None
    assert (verdict.lines, verdict.files) == (10, 1)
    assert kinds(tmp_path) == ["log_opened", *(f"p{number}" for number in range(9))]


def test_the_log_rotates_stays_bounded_and_tells_what_it_deleted(tmp_path: Path) -> None:
    filled(tmp_path, 100, file_bytes=1500, total_bytes=8000)
    files = audit_files(tmp_path)
    assert sum(path.stat().st_size for path in files) <= 8000
    assert len(files) >= 3
    verdict = check(tmp_path)
    assert verdict.problem is None
    assert any("were deleted, which is on record" in note for note in verdict.notes)
    assert kinds(tmp_path)[-1] == "p99"
    files[0].unlink()
    assert wrong(tmp_path) is Wrong.MISSING


def test_a_deletion_is_on_record_before_the_file_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever moment a crash picks, the log is whole."""

    def crash(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "unlink", crash)
    with pytest.raises(KeyboardInterrupt):
        filled(tmp_path, 100, file_bytes=1500, total_bytes=5000)
    assert check(tmp_path).problem is None
    assert "log_deleted" in kinds(tmp_path)
    monkeypatch.undo()
    audit_files(tmp_path)[0].unlink()
    assert check(tmp_path).problem is None


@pytest.mark.parametrize("keep", range(0, 201, 10))
def test_a_torn_last_line_is_left_where_it_is_and_told(tmp_path: Path, keep: int) -> None:
    filled(tmp_path, 3)
    head = (tmp_path / "audit.head").read_bytes()
    filled(tmp_path, 1)
    (path,) = audit_files(tmp_path)
    lines = path.read_bytes().splitlines(keepends=True)
    torn = lines[-1][:keep]
    path.write_bytes(b"".join(lines[:-1]) + torn)
    (tmp_path / "audit.head").write_bytes(head)  # the crash came before it
    assert wrong(tmp_path) is (Wrong.TORN if torn else None)
    filled(tmp_path, 2)
    verdict = check(tmp_path)
    assert verdict.problem is None
    assert path.read_bytes().endswith(torn)
    told = f"audit-000001.jsonl: its last {keep} bytes were torn off by a crash"
    assert [note.startswith(told) for note in verdict.notes] == ([True] if torn else [])


def test_garbage_with_line_feeds_that_a_power_cut_left_is_torn_too(tmp_path: Path) -> None:
    filled(tmp_path, 3)
    (path,) = audit_files(tmp_path)
    path.write_bytes(path.read_bytes() + b"\x00\x00\n{}\n\x00")
    filled(tmp_path, 1)
    assert check(tmp_path).problem is None
    assert len(audit_files(tmp_path)) == 2


def test_lines_that_the_head_does_not_know_yet_are_kept(tmp_path: Path) -> None:
    filled(tmp_path, 2)
    log = a_folder(tmp_path)
    log.append([entry(2), entry(3)])
    log.close()  # killed before the head was saved
    assert "behind by 2 lines" in check(tmp_path).notes[0]
    filled(tmp_path, 1)
    assert check(tmp_path).problem is None
    assert check(tmp_path).notes == ()
    assert len(audit_files(tmp_path)) == 1


def test_a_file_that_was_begun_and_has_no_line_is_removed_and_told(tmp_path: Path) -> None:
    filled(tmp_path, 2)
    (tmp_path / "audit-000002.jsonl").write_bytes(b'{"seq":4,')
    filled(tmp_path, 1)
    assert check(tmp_path).problem is None
    assert any("9 bytes of a file" in note for note in check(tmp_path).notes)
    (tmp_path / "audit-000003.jsonl").write_bytes(b"")
    filled(tmp_path, 1)
    assert check(tmp_path).problem is None
    assert len(audit_files(tmp_path)) == 2


@pytest.mark.parametrize("damage", ["cut", "altered", "head gone", "all gone", "no log", "forged"])
def test_a_controller_that_starts_again_does_not_heal_what_somebody_did(
    tmp_path: Path, damage: str
) -> None:
    filled(tmp_path, 5)
    (path,) = audit_files(tmp_path)
    lines = path.read_bytes().splitlines(keepends=True)
    match damage:
        case "cut":
            path.write_bytes(b"".join(lines[:-2]))
        case "altered":
            path.write_bytes(b"".join(lines[:-1]) + lines[-1].replace(b"p4", b"p5"))
        case "head gone":
            (tmp_path / "audit.head").unlink()
        case "all gone":
            path.unlink()
        case "no log":
            path.write_bytes(b"nothing\n")
        case "forged":
            other = tmp_path / "other"
            filled(other, 3)
            path.write_bytes(audit_files(other)[0].read_bytes())
    before = wrong(tmp_path)
    assert before is not None
    filled(tmp_path, 3)
    assert check(tmp_path).problem is not None
    assert kinds(tmp_path)[-1] == "p2"  # and goes on


def failing_write(monkeypatch: pytest.MonkeyPatch, *, after_bytes: int) -> None:
    """A disk with room for so many bytes more."""
    real = os.write
    room = [after_bytes]

    def write(descriptor: int, content: memoryview) -> int:
        if not room[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = real(descriptor, content[: room[0]])
        room[0] -= written
        return written

    monkeypatch.setattr(audit_folder.os, "write", write)


@pytest.mark.parametrize("room", [0, 1, 150, 300])
@pytest.mark.parametrize("lines_before", [0, 3])
def test_a_full_disk_leaves_no_half_of_a_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int, lines_before: int
) -> None:
    filled(tmp_path, lines_before)
    log = a_folder(tmp_path)
    log.open()
    before = {path: path.read_bytes() for path in audit_files(tmp_path)}
    failing_write(monkeypatch, after_bytes=room)
    for _ in range(3):
        with pytest.raises(OSError, match="No space"):
            log.append([entry(number) for number in range(5)])
    assert {path: path.read_bytes() for path in audit_files(tmp_path)} == before
    monkeypatch.undo()
    log.append([entry(7)])
    log.save_head()
    assert check(tmp_path).problem is None
    assert kinds(tmp_path)[-1] == "p7"


def test_a_batch_that_cannot_be_taken_back_is_found_when_the_disk_works_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(tmp_path, 3)
    log = a_folder(tmp_path)
    log.open()

    def broken(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    failing_write(monkeypatch, after_bytes=100)
    monkeypatch.setattr(audit_folder.os, "ftruncate", broken)
    with pytest.raises(OSError, match="No space"):
        log.append([entry(3)])
    monkeypatch.undo()
    log.append([entry(4)])
    log.save_head()
    verdict = check(tmp_path)
    assert verdict.problem is None
    assert "100 bytes were torn off" in verdict.notes[0]


def test_a_sync_that_fails_takes_the_batch_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(tmp_path, 2)
    log = a_folder(tmp_path)
    log.open()

    def broken(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(audit_folder.os, "fsync", broken)
    with pytest.raises(OSError, match="Input"):
        log.append([entry(2)])
    monkeypatch.undo()
    assert kinds(tmp_path) == ["log_opened", "p0", "p1"]
    log.append([entry(2)])
    log.save_head()
    assert kinds(tmp_path) == ["log_opened", "p0", "p1", "p2"]
    assert check(tmp_path).problem is None


def test_files_of_others_in_the_folder_are_none_of_the_log(tmp_path: Path) -> None:
    filled(tmp_path, 3, file_bytes=400)
    (tmp_path / "audit-copy.jsonl").write_text("x")
    (tmp_path / "audit-9.jsonl").write_text("x")
    (tmp_path / "audit-000002.jsonl").rename(tmp_path / "audit-1000000.jsonl")
    assert wrong(tmp_path) is not None  # it is read last now
    (tmp_path / "audit-1000000.jsonl").rename(tmp_path / "audit-000002.jsonl")
    filled(tmp_path, 1)
    assert check(tmp_path).problem is None


def test_room_is_left_for_the_latches(tmp_path: Path) -> None:
    log = a_folder(tmp_path, keep_free_bytes=2**62)
    with pytest.raises(OSError, match="kept for latches"):
        log.append([entry()])
    assert audit_files(tmp_path) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 kB."""
    path = tmp_path / "disk"
    path.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(path)],
        capture_output=True, check=False,
    )  # fmt: skip
    if mounted.returncode != 0:
        pytest.skip("no right to mount a file system")
    yield path
    subprocess.run(["umount", "-l", str(path)], check=True)


def test_a_real_full_disk_and_one_with_room_again(small_disk: Path) -> None:
    folder = small_disk / "audit"
    log = a_folder(folder)
    written = 0

    def fill() -> None:
        nonlocal written
        while written < 10_000:
            log.append([entry(written)])
            log.save_head()
            written += 1

    with pytest.raises(OSError, match="No space"):
        fill()
    # The head needs a page of its own; it may be what did not fit.
    assert wrong(folder) is None
    assert written > 100
    subprocess.run(["mount", "-o", "remount,size=512k", str(small_disk)], check=True)
    log.append([entry(written + 1)])
    log.save_head()
    log.close()
    assert check(folder).problem is None
    assert kinds(folder)[-1] == f"p{written + 1}"


def test_the_opening_of_each_file_carries_the_last_hash_of_the_one_before(tmp_path: Path) -> None:
    filled(tmp_path, 20, file_bytes=1000)
    last = None
    for path in audit_files(tmp_path):
        lines = [decode_line(raw) for raw in path.read_bytes().splitlines()]
        first = lines[0]
        assert first is not None
        opened = event_of(first)
        assert isinstance(opened, LogOpened)
        if last is not None:
            assert (opened.after_sequence, opened.after_hash) == (last.sequence, last.hash)
        last = lines[-1]
    assert last is not None
    assert decode_head(read_head(tmp_path) or b"") == last.place


def test_a_deleted_files_record_names_its_lines(tmp_path: Path) -> None:
    filled(tmp_path, 60, file_bytes=1500, total_bytes=6000)
    deleted = [
        event
        for path in audit_files(tmp_path)
        for raw in path.read_bytes().splitlines()
        if (line := decode_line(raw)) and isinstance(event := event_of(line), LogDeleted)
    ]
    assert deleted
    for one, other in pairwise(deleted):
        assert other.first_sequence == one.last_sequence + 1
