"""Notices: what the supervisor saw gets on record, now or when the controller is there again."""

import asyncio
from pathlib import Path

from holdfast.client.messages import ProcessMessage
from holdfast.monitoring.audit.events import ChildEnded, ChildStarted
from holdfast.runtime.control_socket import serve
from holdfast.runtime.notices import KEPT, TRY_EVERY_S, Notices
from tests.runtime.audit.test_writer import AuditedBench, of
from tests.runtime.test_incoming import UTC_NOW


def started(starts: int) -> ProcessMessage:
    return ProcessMessage(process="planner", pid=7, utc=UTC_NOW, starts=starts)


def ended(code: int, note: str = "") -> ProcessMessage:
    return ProcessMessage(process="planner", pid=7, utc=UTC_NOW, starts=1, code=code, note=note)


async def test_what_happened_before_the_controller_listened_is_told_in_order(
    tmp_path: Path,
) -> None:
    bench = AuditedBench(tmp_path)
    notices = Notices(bench.files.control_socket)
    notices.add(started(1))
    notices.add(ended(-9, "again in 0.5 s"))
    notices.deliver(100.0)
    assert len(notices._waiting) == 2
    server = await serve(bench.files.control_socket, bench.loop, bench.plans, audit=bench.trail)
    notices.deliver(100.0 + TRY_EVERY_S - 0.1)  # it was tried just now
    assert len(notices._waiting) == 2
    notices.add(started(2))
    await asyncio.to_thread(notices.deliver, 100.0 + TRY_EVERY_S)
    assert not notices._waiting
    await server.close()
    found = bench.end()
    at = UTC_NOW
    assert [event for event in found if isinstance(event, ChildStarted | ChildEnded)] == [
        ChildStarted(process="planner", pid=7, starts=1, at=at),
        ChildEnded(process="planner", pid=7, code=-9, asked=False, note="again in 0.5 s", at=at),
        ChildStarted(process="planner", pid=7, starts=2, at=at),
    ]


async def test_a_controller_that_hangs_holds_up_nobody_and_hears_it_later(tmp_path: Path) -> None:
    bench = AuditedBench(tmp_path)
    notices = Notices(bench.files.control_socket)
    notices.add(started(1))
    server = await serve(bench.files.control_socket, bench.loop, bench.plans, audit=bench.trail)
    notices.deliver(1.0)  # in this very thread: nobody answers meanwhile
    assert len(notices._waiting) == 1
    await asyncio.to_thread(notices.deliver, 1.0 + TRY_EVERY_S)
    assert not notices._waiting
    await server.close()
    # At least once: the controller that hung has heard the first try too.
    assert len(of(ChildStarted, bench.end())) in {1, 2}


def test_no_more_are_kept_than_there_is_room_for(tmp_path: Path) -> None:
    notices = Notices(tmp_path / "control.sock")
    for number in range(KEPT + 5):
        notices.add(started(number))
    assert [message.starts for message in notices._waiting] == list(range(5, KEPT + 5))


def test_with_nothing_to_tell_nobody_is_called(tmp_path: Path) -> None:
    notices = Notices(tmp_path / "control.sock")
    notices.deliver(1.0)
    assert notices._try_s == 0.0
