"""The control socket: who asks is answered, once for each line, whatever he sends."""

import asyncio
import json
import os
import socket
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.client.control import ControlClient
from holdfast.client.messages import (
    Act,
    OperatorMessage,
    PlanMessage,
    Reply,
    decode_reply,
    encode,
)
from holdfast.core.commands import Command
from holdfast.core.state_machine import State
from holdfast.monitoring.audit.events import MessageRefused, OperatorActed
from holdfast.runtime import guests
from holdfast.runtime.admission import Admission, Peer, peer_of
from holdfast.runtime.control_socket import (
    MAX_MESSAGE_BYTES,
    MAX_STOP_BYTES,
    PENDING,
    UNREAD_BYTES,
    ControlSocket,
    serve,
)
from tests.runtime.audit.test_folder import check
from tests.runtime.audit.test_writer import AuditedBench, of
from tests.runtime.bench import LoopBench, SlowDisk, until
from tests.runtime.test_incoming import a_plan


class Talk:
    """A connection of a test, with one JSON answer a line."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, *lines: bytes) -> None:
        self.writer.write(b"".join(lines))
        await self.writer.drain()

    async def answer(self) -> dict[str, Any]:
        line = await asyncio.wait_for(self.reader.readline(), 5.0)
        assert line, "the controller hung up"
        content: dict[str, Any] = json.loads(line)
        return content

    async def ask(self, *lines: bytes) -> dict[str, Any]:
        await self.send(*lines)
        return await self.answer()

    async def is_hung_up(self) -> bool:
        try:
            return await asyncio.wait_for(self.reader.read(1), 5.0) == b""
        except ConnectionError:
            return True


def command(name: str, age_s: float = 0.0) -> bytes:
    issued_ns = time.monotonic_ns() - round(age_s * 1e9)
    content = {"kind": "command", "command": name, "issued_ns": issued_ns, "nonce": token_hex()}
    return json.dumps(content).encode() + b"\n"


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[LoopBench]:
    bench = LoopBench(tmp_path)
    await bench.to_idle()
    bench.sample()
    server = await serve(bench.files.control_socket, bench.loop, bench.plans)
    yield bench
    await server.close()


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowDisk]:
    disk = SlowDisk(monkeypatch)
    yield disk
    disk.turns.set()


@pytest.fixture
async def talk(bench: LoopBench) -> AsyncIterator[Talk]:
    reader, writer = await asyncio.open_unix_connection(str(bench.files.control_socket))
    yield Talk(reader, writer)
    writer.close()
    await asyncio.sleep(0)


async def test_a_command_that_comes_again_lets_no_power_flow(bench: LoopBench, talk: Talk) -> None:
    line = command("start")
    assert (await talk.ask(line))["accepted"]
    assert (await talk.ask(command("stop")))["state"] == "idle"
    reader, writer = await asyncio.open_unix_connection(str(bench.files.control_socket))
    for connection in (talk, Talk(reader, writer)):
        assert await connection.ask(line) == {
            "accepted": False, "reason": "was sent before", "state": "idle",
        }  # fmt: skip
    writer.close()
    assert bench.state is State.IDLE


async def test_a_stop_may_come_as_often_as_it_likes(bench: LoopBench, talk: Talk) -> None:
    line = command("estop")
    for _ in range(3):
        assert (await talk.ask(line))["accepted"]
    assert bench.state is State.STOPPED


async def test_a_start_without_a_nonce_is_refused(bench: LoopBench, talk: Talk) -> None:
    reply = await talk.ask(command("start").replace(b'"nonce"', b'"other"'))
    assert (reply["accepted"], reply["reason"]) == (False, "carries no nonce")
    assert bench.state is State.IDLE


async def test_a_stranger_who_got_at_the_socket_may_stop_and_nothing_else(tmp_path: Path) -> None:
    bench = AuditedBench(tmp_path)
    await bench.to_idle()
    bench.sample()
    path, nobody = bench.files.control_socket, frozenset({os.geteuid() + 1})
    server = await serve(path, bench.loop, bench.plans, audit=bench.trail, trusted=nobody)
    reader, writer = await asyncio.open_unix_connection(str(path))
    talk = Talk(reader, writer)
    for line in (command("start"), command("reset"), encode(PlanMessage(plan=a_plan()))):
        reply = await talk.ask(line)
        assert (reply["accepted"], reply["state"]) == (False, "idle")
        assert "only root and the owner" in reply["reason"]
    assert (await talk.ask(command("estop")))["accepted"]
    assert bench.state is State.STOPPED
    writer.close()
    await server.close()
    found = of(MessageRefused, bench.end())
    assert [event.what for event in found] == ["start", "reset", "plan"]
    assert {(event.uid, event.pid) for event in found} == {(os.geteuid(), os.getpid())}


async def test_what_operators_do_is_put_on_record_and_who_is_refused_all_the_time_is_counted(
    tmp_path: Path,
) -> None:
    bench = AuditedBench(tmp_path)
    path = bench.files.control_socket
    server = await serve(path, bench.loop, bench.plans, audit=bench.trail)
    reader, writer = await asyncio.open_unix_connection(str(path))
    talk = Talk(reader, writer)
    wrong = OperatorMessage(
        who="eve", how="password from ::1", what=Act.LOGIN, detail="wrong", accepted=False
    )
    right = OperatorMessage(who="anna", how="session from ::1", what=Act.CONFIG, detail="digest ab")
    for message in (*[wrong] * 5, right, right):
        reply = await talk.ask(encode(message))
        assert (reply["accepted"], reply["reason"]) == (True, "noted")
    writer.close()
    await server.close()
    found = of(OperatorActed, bench.end())
    acted = OperatorActed(
        who="anna", how="session from ::1", what="config", detail="digest ab", accepted=True
    )
    assert [event for event in found if event.accepted] == [acted, acted]
    refused = [event for event in found if not event.accepted]
    assert [event.repeats for event in refused] == [0, 3]


async def test_after_an_emergency_stop_nobody_resets_from_afar(tmp_path: Path) -> None:
    bench = AuditedBench(tmp_path)
    await bench.to_idle()
    bench.sample()
    path = bench.files.control_socket
    server = await serve(path, bench.loop, bench.plans, audit=bench.trail)

    def ask(name: Command, remote: bool) -> Reply:
        with ControlClient(path) as client:
            return client.command(name, remote=remote)

    assert (await asyncio.to_thread(ask, Command.START, True)).accepted
    assert (await asyncio.to_thread(ask, Command.EMERGENCY_STOP, True)).accepted
    for command in (Command.RESET, Command.SERVICE_RESET):
        reply = await asyncio.to_thread(ask, command, True)
        assert (reply.accepted, reply.state) == (False, State.STOPPED)
        assert "`holdfast reset` on the site's computer" in reply.reason
    assert bench.state is State.STOPPED
    assert (await asyncio.to_thread(ask, Command.RESET, False)).accepted
    # Of any other latch somebody elsewhere may try to get rid.
    reply = await asyncio.to_thread(ask, Command.RESET, True)
    assert "on the site's computer" not in reply.reason
    await server.close()
    found = of(MessageRefused, bench.end())
    assert [event.what for event in found] == ["reset", "service_reset"]


async def test_root_or_the_owner_is_who_the_kernel_says(tmp_path: Path) -> None:
    """Not what a message claims."""
    here, there = socket.socketpair()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_accepted_socket(asyncio.Protocol, here)
    assert peer_of(here) == Peer(pid=os.getpid(), uid=os.geteuid())
    transport.close()
    there.close()


async def test_of_a_connection_that_has_no_owner_nobody_is_told(tmp_path: Path) -> None:
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    assert peer_of(writer.get_extra_info("socket")).uid not in {0, os.geteuid()}
    writer.close()
    server.close()
    await server.wait_closed()


async def test_what_no_cycle_gets_to_see_is_on_record_and_a_flood_of_it_is_counted(
    tmp_path: Path,
) -> None:
    bench = AuditedBench(tmp_path)
    await bench.to_idle()
    bench.sample()
    server = await serve(bench.files.control_socket, bench.loop, bench.plans, audit=bench.trail)
    reader, writer = await asyncio.open_unix_connection(str(bench.files.control_socket))
    talk = Talk(reader, writer)
    for _ in range(20):
        await talk.ask(b"rubbish\n")
        await talk.ask(command("start", age_s=60.0))
    line = command("reset")
    await talk.ask(line)
    await talk.ask(line)
    await talk.ask(line)
    writer.close()
    await server.close()
    found = of(MessageRefused, bench.end())
    assert check(bench.files.audit).problem is None
    by_what = {event.what: [e for e in found if e.what == event.what] for event in found}
    assert by_what.keys() == {"", "start", "reset"}
    assert "not understood" in by_what[""][0].reason
    assert "too old" in by_what["start"][0].reason
    assert {event.reason for event in by_what["reset"]} == {"was sent before"}
    for what, times in (("", 20), ("start", 20), ("reset", 2)):
        assert sum(1 + event.repeats for event in by_what[what]) == times
    assert len(found) < 20


async def test_an_answer_tells_no_state_whose_latch_is_not_on_disk(
    bench: LoopBench, talk: Talk, disk: SlowDisk
) -> None:
    await talk.send(command("start"))
    assert (await talk.answer())["state"] == "running"
    disk.turns.clear()
    reader, writer = await asyncio.open_unix_connection(str(bench.files.control_socket))
    stopping = Talk(reader, writer)
    await stopping.send(command("estop"))
    await until(lambda: bench.state is State.STOPPED)
    assert (await talk.ask(b"what is it?\n"))["state"] == "running"
    disk.turns.set()
    assert (await stopping.answer())["state"] == "stopped"
    assert (await talk.ask(b"and now?\n"))["state"] == "stopped"
    writer.close()


async def test_only_the_owner_may_open_the_socket(bench: LoopBench) -> None:
    assert bench.files.control_socket.stat().st_mode & 0o777 == 0o600


async def test_a_command_is_done_and_the_answer_tells_the_state(
    bench: LoopBench, talk: Talk
) -> None:
    assert await talk.ask(command("start")) == {
        "accepted": True,
        "reason": "start done",
        "state": "running",
    }
    assert bench.state is State.RUNNING
    assert (await talk.ask(command("stop")))["state"] == "idle"


@pytest.mark.parametrize("age_s", [3.0, 3600.0, -1.0])
@pytest.mark.parametrize("name", ["start", "reset"])
async def test_an_old_command_or_one_from_the_future_lets_no_power_flow(
    bench: LoopBench, talk: Talk, name: str, age_s: float
) -> None:
    reply = await talk.ask(command(name, age_s))
    assert not reply["accepted"]
    assert "too old" in reply["reason"]
    assert bench.state is State.IDLE


@pytest.mark.parametrize(("name", "state"), [("stop", State.IDLE), ("estop", State.STOPPED)])
@pytest.mark.parametrize("age_s", [3600.0, -3600.0])
async def test_stopping_is_never_too_old(
    bench: LoopBench, talk: Talk, name: str, state: State, age_s: float
) -> None:
    assert (await talk.ask(command("start")))["accepted"]
    assert (await talk.ask(command(name, age_s)))["accepted"]
    assert bench.state is state


async def test_two_messages_in_one_packet_have_two_answers(bench: LoopBench, talk: Talk) -> None:
    await talk.send(command("start"), command("estop"))
    assert (await talk.answer())["reason"] == "start done"
    assert (await talk.answer())["reason"] == "estop done"
    assert bench.state is State.STOPPED


async def test_answers_come_in_the_order_of_the_questions(bench: LoopBench, talk: Talk) -> None:
    # The emergency stop waits for the disk before it is answered; the rubbish waits for nothing.
    await talk.send(command("estop"), b"rubbish\n", command("start"))
    assert (await talk.answer())["reason"] == "estop done"
    assert "not understood" in (await talk.answer())["reason"]
    assert "changes nothing" in (await talk.answer())["reason"]


async def test_a_line_may_come_in_pieces(bench: LoopBench, talk: Talk) -> None:
    line = command("start")
    for start in range(0, len(line), 7):
        await talk.send(line[start : start + 7])
        await asyncio.sleep(0.001)
    assert (await talk.answer())["accepted"]


async def test_half_a_line_is_no_command(bench: LoopBench, talk: Talk) -> None:
    await talk.send(command("estop").rstrip(b"\n"))
    talk.writer.close()
    await asyncio.sleep(0.05)
    assert bench.state is State.IDLE


@pytest.mark.parametrize(
    "line", [b"\n", b"\x00\xff\xfe\n", b"{}\n", b"[" * 5000 + b"\n", b"GET / HTTP/1.1\r\n"]
)
async def test_garbage_is_answered_and_the_connection_goes_on(
    bench: LoopBench, talk: Talk, line: bytes
) -> None:
    reply = await talk.ask(line)
    assert not reply["accepted"]
    assert reply["reason"].startswith("not understood: ")
    assert reply["state"] == "idle"
    assert (await talk.ask(command("start")))["accepted"]


async def test_a_message_without_end_is_dropped_with_its_connection(
    bench: LoopBench, talk: Talk
) -> None:
    chunk = b"x" * 65_536
    hung_up = False
    for _ in range(2 * MAX_MESSAGE_BYTES // len(chunk)):
        try:
            await talk.send(chunk)
        except ConnectionError:
            hung_up = True
            break
    assert hung_up or await talk.is_hung_up()
    # Others are served all the same.
    reader, writer = await asyncio.open_unix_connection(str(bench.files.control_socket))
    assert (await Talk(reader, writer).ask(command("estop")))["accepted"]
    writer.close()


async def test_who_hangs_up_before_his_answer_disturbs_nobody(bench: LoopBench, talk: Talk) -> None:
    for _ in range(20):
        _, writer = await asyncio.open_unix_connection(str(bench.files.control_socket))
        writer.write(command("stop"))
        writer.transport.abort()
    await asyncio.sleep(0.05)
    assert (await talk.ask(command("estop")))["accepted"]


async def test_a_plan_that_does_not_hold_is_refused_with_the_reason(
    bench: LoopBench, talk: Talk
) -> None:
    reply = await talk.ask(encode(PlanMessage(plan=a_plan())))
    assert not reply["accepted"]
    assert "expired" in reply["reason"]


async def test_a_socket_of_a_killed_controller_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    path.write_text("left over")
    bench = LoopBench(tmp_path)
    server = await serve(path, bench.loop, bench.plans)
    with await asyncio.to_thread(ControlClient, path) as client:
        reply = await asyncio.to_thread(client.command, Command.STOP)
    assert not reply.accepted
    await server.close()


# ---------------------------------------------------------------- floods


@pytest.fixture
async def stop_talk(tmp_path: Path) -> AsyncIterator[tuple[LoopBench, Talk]]:
    bench = LoopBench(tmp_path)
    await bench.to_idle()
    bench.sample()
    files = bench.files
    server = await serve(files.control_socket, bench.loop, bench.plans, stops=files.stop_socket)
    reader, writer = await asyncio.open_unix_connection(str(files.stop_socket))
    yield bench, Talk(reader, writer)
    writer.close()
    await server.close()
    await asyncio.sleep(0)


async def test_stops_have_a_socket_of_their_own_that_takes_nothing_else(
    stop_talk: tuple[LoopBench, Talk],
) -> None:
    bench, talk = stop_talk
    assert bench.files.stop_socket.stat().st_mode & 0o777 == 0o600
    for line in (command("start"), command("reset"), encode(PlanMessage(plan=a_plan()))):
        assert (await talk.ask(line))["reason"] == "this socket takes stops and nothing else"
    assert "not understood" in (await talk.ask(b"rubbish\n"))["reason"]
    assert (await talk.ask(command("estop")))["accepted"]
    assert bench.state is State.STOPPED
    await talk.send(b"x" * (MAX_STOP_BYTES + 2))
    assert await talk.is_hung_up()


async def test_who_reads_no_answers_is_not_read_and_keeps_no_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for purse in ("MESSAGES_PER_S", "ALL_MESSAGES_PER_S", "AT_ONCE"):
        monkeypatch.setattr(guests, purse, 1e9)  # only that he does not read keeps him
    bench = LoopBench(tmp_path)
    await bench.to_idle()
    bench.sample()
    path = bench.files.control_socket
    server = await serve(path, bench.loop, bench.plans)
    reader, writer = await asyncio.open_unix_connection(str(path))
    with suppress(TimeoutError):
        await asyncio.wait_for(Talk(reader, writer).send(b"\n" * 3_000_000), 1.0)
    (served,) = server._receptions[0]._open
    assert len(served._tasks) <= PENDING
    assert len(served._buffer) <= MAX_MESSAGE_BYTES + 256 * 1024
    assert served._transport is not None
    assert served._transport.get_write_buffer_size() <= 2 * UNREAD_BYTES
    other_reader, other = await asyncio.open_unix_connection(str(path))
    assert (await Talk(other_reader, other).ask(command("estop")))["accepted"]
    other.close()
    writer.transport.abort()
    await server.close()


async def test_more_connections_than_one_process_may_have_are_answered_and_closed(
    bench: LoopBench, talk: Talk
) -> None:
    path = str(bench.files.control_socket)
    others = [await asyncio.open_unix_connection(path) for _ in range(guests.CONNECTIONS_EACH)]
    reader, writer = others[-1]
    refused = Talk(reader, writer)
    assert await refused.answer() == {
        "accepted": False, "reason": "this process has 4 connections already", "state": "idle",
    }  # fmt: skip
    assert await refused.is_hung_up()
    assert (await talk.ask(command("start")))["accepted"]
    for _, writer in others:
        writer.close()


# ---------------------------------------------------------------- any bytes in any pieces


class Conversation:
    """One loop for many examples; each has a connection of its own."""

    def __init__(self, folder: Path) -> None:
        self._runner = asyncio.Runner()
        self.bench = self._runner.run(self._make(folder))

    async def _make(self, folder: Path) -> LoopBench:
        bench = LoopBench(folder)
        bench.loop._cycle._gap_ns = 10**15  # between two examples time passes
        await bench.to_idle()
        return bench

    def answers(self, chunks: Iterable[bytes], count: int) -> list[Reply]:
        """What comes back when ``chunks`` are sent and ``count`` answers are awaited."""
        return self._runner.run(self._talk(chunks, count))

    async def _talk(self, chunks: Iterable[bytes], count: int) -> list[Reply]:
        self.bench.sample()
        here, there = socket.socketpair()
        admission = Admission(frozenset({os.geteuid()}), time.monotonic_ns())
        transport, _ = await asyncio.get_running_loop().connect_accepted_socket(
            lambda: ControlSocket(self.bench.loop, self.bench.plans, admission, None), here
        )
        reader, writer = await asyncio.open_connection(sock=there)
        for chunk in chunks:
            writer.write(chunk)
            await writer.drain()
            await asyncio.sleep(0)
        lines = [await asyncio.wait_for(reader.readline(), 10.0) for _ in range(count)]
        transport.close()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        return [decode_reply(line) for line in lines]

    def close(self) -> None:
        self._runner.close()


@pytest.fixture(scope="module")
def conversation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Conversation]:
    conversation = Conversation(tmp_path_factory.mktemp("talk"))
    yield conversation
    conversation.close()


POWERLESS = st.sampled_from(
    [
        b'{"kind": "command", "command": "start", "issued_ns": 1, "nonce": "a"}',
        b'{"kind": "command", "command": "reset"}',
        b'{"kind": "command", "command": "stop"}',
        b'{"command": "stop", "kind": 7}',
        encode(PlanMessage(plan=a_plan())).rstrip(b"\n"),
        b'{"kind": "process"}',
        b"{" * 1000,
        b"",
    ]
)
LINE = POWERLESS | st.binary(max_size=60).map(lambda noise: noise.replace(b"\n", b" "))


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(lines=st.lists(LINE, max_size=8), cuts=st.lists(st.integers(0, 2000), max_size=8))
def test_each_line_has_one_answer_however_it_is_cut_and_noise_lets_no_power_flow(
    conversation: Conversation, lines: list[bytes], cuts: list[int]
) -> None:
    content = b"".join(line + b"\n" for line in lines) + b"the rest of a line"
    ends = sorted({min(cut, len(content)) for cut in cuts} | {0, len(content)})
    replies = conversation.answers((content[a:b] for a, b in pairwise(ends)), len(lines))
    assert not [reply for reply in replies if reply.accepted]
    assert {reply.state for reply in replies} <= {State.IDLE}
    assert conversation.bench.state is State.IDLE
