"""What operators do is told to the controller; nobody waits for it, and nothing is told twice."""

import asyncio
import logging
import socket
from pathlib import Path

import pytest

from holdfast.client import operator_note
from holdfast.client.messages import Act, OperatorMessage
from holdfast.client.operator_note import KEPT, OperatorNotes, note, tell
from holdfast.core.texts import MAX_NAME, MAX_REASON
from holdfast.monitoring.audit.events import OperatorActed
from holdfast.runtime.control_socket import serve
from holdfast.testing.waiting import Stopwatch, until
from tests.runtime.audit.test_writer import AuditedBench, of


def a_note(detail: str, *, accepted: bool = True) -> OperatorMessage:
    return note("anna", "session", Act.CONFIG, detail, accepted=accepted)


def details(bench: AuditedBench) -> list[str]:
    return [event.detail for event in of(OperatorActed, bench.end())]


def test_whatever_it_says_it_can_be_told() -> None:
    made = note("x" * 500, "\x1b[31m", Act.LOGIN, "y\n" * 500)
    assert (len(made.who), made.how, len(made.detail)) == (MAX_NAME, " [31m", MAX_REASON)


async def test_what_is_told_once_is_on_record_or_one_knows_why_not(tmp_path: Path) -> None:
    bench = AuditedBench(tmp_path)
    why_not = tell(bench.files, a_note("nobody hears"))
    assert why_not is not None
    assert "no controller answers" in why_not
    path = bench.files.control_socket
    server = await serve(path, bench.loop, bench.plans, audit=bench.trail)
    assert await asyncio.to_thread(tell, bench.files, a_note("heard")) is None
    await server.close()
    nobody = frozenset[int]()
    server = await serve(path, bench.loop, bench.plans, audit=bench.trail, trusted=nobody)
    refused = await asyncio.to_thread(tell, bench.files, a_note("of a stranger"))
    assert refused == "only root and the owner of the controller may ask for this"
    await server.close()
    assert details(bench) == ["heard"]


async def test_what_nobody_heard_is_told_in_order_once_somebody_listens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operator_note, "TRY_EVERY_S", 0.01)
    bench = AuditedBench(tmp_path)
    notes = OperatorNotes(bench.files)
    for number in range(3):
        notes.add(a_note(str(number)))
    server = await serve(bench.files.control_socket, bench.loop, bench.plans, audit=bench.trail)
    await asyncio.to_thread(until, lambda: not notes._waiting, "all is told")
    notes.add(a_note("3"))
    await asyncio.to_thread(notes.close)
    await server.close()
    assert details(bench) == ["0", "1", "2", "3"]


def test_a_controller_that_hangs_holds_up_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operator_note, "ANSWER_S", 0.2)
    bench = AuditedBench(tmp_path)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(bench.files.control_socket))
        silent.listen()
        with Stopwatch() as watch:
            notes = OperatorNotes(bench.files)
            for number in range(KEPT):
                notes.add(a_note(str(number)))
        assert watch.passed_s < 0.2
        assert tell(bench.files, a_note("once")) is not None
        notes.close()
        assert not notes._thread.is_alive()


def test_no_more_wait_than_there_is_room_for(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    notes = OperatorNotes(AuditedBench(tmp_path).files)
    with caplog.at_level(logging.CRITICAL):
        for number in range(KEPT + 5):
            notes.add(a_note(str(number)))
    assert [message.detail for message in notes._waiting] == [str(n) for n in range(5, KEPT + 5)]
    notes.close()


def test_of_a_flood_of_refusals_one_a_second_is_told_with_the_number_of_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now_s[0])
    notes = OperatorNotes(AuditedBench(tmp_path).files)
    for number in range(50):
        notes.add(a_note(str(number), accepted=False))
    notes.add(note("eve", "no login", Act.ACCESS, "of another kind", accepted=False))
    notes.add(a_note("what was done"))
    now_s[0] += 1.0
    notes.add(a_note("later", accepted=False))
    assert [message.detail for message in notes._waiting] == [
        "0", "of another kind", "what was done", "(49 more before) later",
    ]  # fmt: skip
    monkeypatch.undo()
    notes.close()


async def test_what_the_controller_will_not_hear_stands_in_nobodys_way(tmp_path: Path) -> None:
    bench = AuditedBench(tmp_path)
    nobody = frozenset[int]()
    server = await serve(
        bench.files.control_socket, bench.loop, bench.plans, audit=bench.trail, trusted=nobody
    )
    notes = OperatorNotes(bench.files)
    notes.add(a_note("refused"))
    await asyncio.to_thread(until, lambda: not notes._waiting, "it is given up")
    await asyncio.to_thread(notes.close)
    await server.close()
    assert details(bench) == []
