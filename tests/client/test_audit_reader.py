"""The audit log is read from the newest line back, and verified, beside whoever writes it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from holdfast.client.audit_reader import (
    line_content,
    lines_backwards,
    verdict_content,
    verify_folder,
)
from holdfast.monitoring.audit.events import StateChanged
from holdfast.runtime.audit.folder import AuditFolder, Entry

START = datetime(2026, 5, 8, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Ten events in files of one or two lines each."""
    log = AuditFolder(tmp_path / "audit", file_bytes=300)
    for number in range(10):
        event = StateChanged(source="BOOT", target="IDLE", event="ready", reasons=())
        log.append([Entry(utc=START + timedelta(minutes=number), monotonic_ns=0, event=event)])
    log.close()
    return tmp_path / "audit"


def test_the_newest_comes_first(folder: Path) -> None:
    sequences = [line.sequence for line in lines_backwards(folder)]
    assert sequences == list(range(len(sequences), 0, -1))
    assert len(sequences) > 10


def test_a_page_goes_on_where_the_one_before_ended(folder: Path) -> None:
    every = [line.sequence for line in lines_backwards(folder)]
    assert [line.sequence for line in lines_backwards(folder, before=every[4])] == every[5:]
    assert list(lines_backwards(folder, before=1)) == []


def test_none_is_later_than_asked_for(folder: Path) -> None:
    until = START + timedelta(minutes=4)
    times = [line.time for line in lines_backwards(folder, until)]
    assert times[0] == until
    assert max(times) == until


def test_verdict_and_lines_are_told_to_programs(folder: Path) -> None:
    newest = next(lines_backwards(folder))
    verdict = verdict_content(verify_folder(folder))
    assert verdict["ok"] is True
    assert verdict["last_line"] == f"{newest.sequence}:{newest.hash}"
    assert line_content(newest) == {
        "sequence": newest.sequence,
        "utc": newest.utc,
        "event": StateChanged(source="BOOT", target="IDLE", event="ready", reasons=()),
    }
