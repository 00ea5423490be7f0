"""Incidents by the API, and the audit log read from where it is asked for."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from holdfast.api import audit_book
from holdfast.api.audit_book import AuditBook
from holdfast.core.signals import Signal
from holdfast.core.state_machine import State
from holdfast.monitoring.audit.events import PlanNotAccepted, StateChanged
from holdfast.monitoring.audit.log_lines import event_of
from holdfast.runtime.audit.folder import AuditFolder, Entry
from holdfast.testing.waiting import until
from tests.api.bench import API, ApiBench
from tests.builders import UNIT

T0 = datetime(2026, 11, 30, 12, tzinfo=UTC)


async def test_an_incident_tells_what_was_before_and_what_happened(bench: ApiBench) -> None:
    await bench.loop.command("start")  # type: ignore[arg-type]
    await bench.to(State.RUNNING)
    bench.values[UNIT, Signal.CELL_VOLTAGE_MAX_V] = 3.9
    await bench.to(State.ERROR)
    until(lambda: AuditBook(bench.files.audit).incidents(), "the incident on record")
    (one,) = await bench.get("/incidents")
    assert (one["state"], one["end"]) == ("error", None)
    assert one["first_finding"] == f"{UNIT}/cell_voltage_high"
    told = await bench.get(f"/incidents/{one['id']}")
    assert any("RUNNING -> ERROR" in event["text"] for event in told["events"])
    assert told["before"][0].startswith("The battery is set to")
    assert not any("ERROR" in sentence for sentence in told["before"])
    assert [quantity["name"] for quantity in told["setpoints"]] == ["battery_power"]
    assert told["left_out"] == 0
    missing = await bench.client.get(f"{API}/incidents/{one['id'] + 1}")
    assert missing.status_code == 404


async def test_the_log_is_told_page_by_page(bench: ApiBench) -> None:
    await bench.on_record()
    newest = await bench.get("/audit", last=3)
    assert [line["sequence"] for line in newest] == sorted(
        (line["sequence"] for line in newest), reverse=True
    )
    older = await bench.get("/audit", last=2, before=newest[-1]["sequence"])
    assert older[0]["sequence"] == newest[-1]["sequence"] - 1
    assert all(line["text"] for line in newest)
    verdict = await bench.get("/audit/verify")
    assert (verdict["ok"], verdict["problem"]) == (True, None)
    assert verdict["last_line"].partition(":")[0] == str(verdict["lines"])


class Log:
    """A log of several files with ten lines each, a second apart; each file has an incident."""

    def __init__(self, folder: Path, files: int) -> None:
        self.folder = folder
        self.at = T0
        self.log = AuditFolder(folder, file_bytes=100)
        for _ in range(files):
            self.add("idle", "stopped")
            self.add("stopped", "boot")

    def add(self, source: str, target: str) -> None:
        moved = StateChanged(source=source, target=target, event="", reasons=())
        events = [PlanNotAccepted(plan_id=f"p{i}", reason="x" * 50) for i in range(4)]
        entries = []
        for event in (moved, *events):
            entries.append(Entry(utc=self.at, monotonic_ns=0, event=event))
            self.at += timedelta(seconds=1)
        self.log.append(entries)


def test_one_request_looks_through_a_few_files_and_the_next_one_further(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_book, "FILES_AT_ONCE", 4)
    log = Log(tmp_path, files=6)  # of two files each: one that was begun with the second half
    book = AuditBook(tmp_path)
    assert len(book.incidents()) == 2
    assert len(book.incidents()) == 4
    assert len(book.incidents()) == 6
    log.add("idle", "error")
    newest = book.incidents()[0]
    assert (newest.state, newest.end) == (State.ERROR, None)
    assert len(book.incidents()) == 7


def test_lines_are_read_from_any_place_and_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_book, "_BLOCK_BYTES", 300)
    log = Log(tmp_path, files=3)
    log.log.save_head()
    book = AuditBook(tmp_path)
    everything = list(book.backwards())
    count = everything[0].sequence
    assert [line.sequence for line in everything] == list(range(count, 0, -1))
    for before in (1, 2, 7, count, count + 5):
        numbers = [line.sequence for line in book.backwards(before=before)]
        assert numbers == list(range(min(before - 1, count), 0, -1))
    for seconds in (-1, 0, 7, 14, 100):
        until_utc = T0 + timedelta(seconds=seconds)
        found = list(book.backwards(until_utc))
        assert found == [line for line in everything if line.time <= until_utc]
    assert all(event_of(line) is not None for line in everything)


def test_of_a_file_that_is_looked_into_from_the_middle_only_that_part_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_book, "_BLOCK_BYTES", 300)
    Log(tmp_path, files=3)
    taken = 0

    def counted(raw: bytes) -> object:
        nonlocal taken
        taken += 1
        return decode(raw)

    decode = audit_book.decode_line
    monkeypatch.setattr(audit_book, "decode_line", counted)
    next(AuditBook(tmp_path).backwards(before=12))
    assert taken < 20


def test_no_log_is_no_incident(tmp_path: Path) -> None:
    assert AuditBook(tmp_path / "nothing").incidents() == ()
