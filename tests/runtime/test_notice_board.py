"""What people are told stands in the log and in a file, once."""

import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from holdfast.core.state_machine import State
from holdfast.core.units import NS_PER_S
from holdfast.runtime.notice_board import BOOT_S, KEPT, NoticeBoard, read_notices
from holdfast.site.files import SiteFiles
from tests.builders import UNIT
from tests.monitoring.statuses import found, status

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.s = 1000

    def __call__(self) -> int:
        return self.s * NS_PER_S


def test_a_finding_is_told_once_and_stands_in_the_file(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock, files = Clock(), SiteFiles(state_dir=tmp_path)
    board = NoticeBoard(files, clock)
    there = status(findings=(found("cell_voltage_high", "derate"), found("soc_high", "derate")))
    with caplog.at_level(logging.WARNING):
        for _ in range(100):
            board.tell(there, NOW)
            clock.s += 5
    assert len(caplog.records) == 1
    assert caplog.records[0].getMessage() == f"{UNIT}: cell_voltage_high: text"
    (told,) = read_notices(files)
    assert (told.utc, told.notice.row, told.notice.kind) == (NOW, "cell_voltage_high", "new")


def test_that_it_is_over_is_told_and_what_was_told_before_a_restart_stays(tmp_path: Path) -> None:
    clock, files = Clock(), SiteFiles(state_dir=tmp_path)
    for _ in range(2):
        board = NoticeBoard(files, clock)
        board.tell(status(findings=(found("cell_voltage_high", "derate"),)), NOW)
        clock.s += 1200
        board.tell(status(findings=()), NOW + timedelta(minutes=20))
    assert [told.notice.kind for told in read_notices(files)] == ["new", "over", "new", "over"]


def test_the_file_is_bounded_and_one_that_cannot_be_read_is_begun_anew(tmp_path: Path) -> None:
    clock, files = Clock(), SiteFiles(state_dir=tmp_path)
    files.notices.write_text("nonsense")
    board = NoticeBoard(files, clock)
    for index in range(KEPT + 10):
        board.tell(status(findings=(found(f"row_{index}", "derate"),)), NOW)
        clock.s += 1300
    assert len(read_notices(files)) == KEPT


def test_while_nobody_sees_the_site_nothing_is_told(tmp_path: Path) -> None:
    files = SiteFiles(state_dir=tmp_path)
    NoticeBoard(files, Clock()).look(NOW)
    assert read_notices(files) == ()


def test_while_the_site_starts_only_what_keeps_it_from_starting_is_told(tmp_path: Path) -> None:
    clock, files = Clock(), SiteFiles(state_dir=tmp_path)
    board = NoticeBoard(files, clock)
    missing = found("bms_data_missing", "ramp_to_zero")
    board.tell(status(state=State.BOOT, findings=(replace(missing, for_s=BOOT_S / 2),)), NOW)
    assert read_notices(files) == ()
    board.tell(status(state=State.BOOT, findings=(replace(missing, for_s=BOOT_S),)), NOW)
    assert len(read_notices(files)) == 1


def test_a_status_that_cannot_be_told_does_not_end_telling(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    board = NoticeBoard(SiteFiles(state_dir=tmp_path), Clock())
    monkeypatch.setattr(board, "tell", lambda *_: 1 / 0)
    board.look(NOW)
    assert "told nothing" in caplog.text


def kinds(files: SiteFiles) -> list[tuple[str, str]]:
    return [(str(one.notice.kind), one.notice.row) for one in read_notices(files)]


def test_after_a_restart_nothing_is_told_again_and_what_has_ended_meanwhile_is_over(
    tmp_path: Path,
) -> None:
    files, clock = SiteFiles(state_dir=tmp_path), Clock()
    trouble = status(findings=(found("cell_voltage_high", "derate"), found("a", "derate")))
    NoticeBoard(files, clock).tell(trouble, NOW)
    clock.s = 5  # the computer was started anew, and its monotonic clock with it
    board, later = NoticeBoard(files, clock), NOW + timedelta(minutes=20)
    board.tell(status(findings=(found("a", "derate"),)), later)
    assert kinds(files) == [
        ("new", "cell_voltage_high"),
        ("new", "a"),
        ("over", "cell_voltage_high"),
    ]


def test_a_memory_that_cannot_be_read_is_begun_anew(tmp_path: Path) -> None:
    files = SiteFiles(state_dir=tmp_path)
    files.notice_memory.write_text("nonsense")
    NoticeBoard(files, Clock()).tell(status(findings=(found("a", "derate"),)), NOW)
    assert kinds(files) == [("new", "a")]


def test_a_controller_that_is_silent_for_a_minute_is_told_and_nothing_is_over_meanwhile(
    tmp_path: Path,
) -> None:
    files, clock = SiteFiles(state_dir=tmp_path), Clock()
    board = NoticeBoard(files, clock)
    board.tell(status(findings=(found("a", "derate"),)), NOW)
    for second in range(0, 1200, 5):
        board.tell(None, NOW + timedelta(seconds=second))
        assert len(kinds(files)) == (1 if second < 60 else 2)
        clock.s += 5
    for _ in range(200):
        board.tell(status(), NOW + timedelta(minutes=40))
        clock.s += 5
    assert kinds(files) == [
        ("new", "a"), ("new", "controller_silent"), ("over", "a"), ("over", "controller_silent"),
    ]  # fmt: skip


def test_what_is_latched_is_there_until_it_is_reset(tmp_path: Path) -> None:
    files, clock = SiteFiles(state_dir=tmp_path), Clock()
    board = NoticeBoard(files, clock)
    key = f"{UNIT}/cell_voltage_high"
    board.tell(status(findings=(found("cell_voltage_high", "trip"),), latched_faults=(key,)), NOW)
    for minute in range(50):
        clock.s += 60
        less = (found("cell_voltage_high", "block_charge"),) if minute < 10 else ()
        board.tell(status(state=State.ERROR, findings=less, latched_faults=(key,)), NOW)
    assert kinds(files) == [("new", "cell_voltage_high")]
    for _ in range(10):
        clock.s += 60
        board.tell(status(), NOW)
    assert kinds(files) == [("new", "cell_voltage_high"), ("over", "cell_voltage_high")]


def test_an_emergency_stop_is_told_though_nothing_else_is_wrong(tmp_path: Path) -> None:
    files = SiteFiles(state_dir=tmp_path)
    stopped = status(state=State.STOPPED, emergency_stop_latched=True)
    NoticeBoard(files, Clock()).tell(stopped, NOW)
    assert kinds(files) == [("new", "emergency_stop")]


def test_a_site_that_idles_though_it_was_running_is_told_after_a_minute(tmp_path: Path) -> None:
    files, clock = SiteFiles(state_dir=tmp_path), Clock()
    board = NoticeBoard(files, clock)
    for _ in range(20):
        board.tell(status(state=State.IDLE, waits_for_start=True), NOW)
        clock.s += 5
    assert kinds(files) == [("new", "waits_for_start")]
