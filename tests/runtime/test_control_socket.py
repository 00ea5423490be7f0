"""The control socket: who asks is answered, once for each line, whatever he sends."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.core.commands import Command
from holdfast.core.errors import NotRunning
from holdfast.core.state_machine import State
from holdfast.runtime.control_socket import ControlClient, serve
from holdfast.runtime.messages import MAX_MESSAGE_BYTES, PlanMessage, encode
from tests.runtime.bench import LoopBench
from tests.runtime.test_messages import a_plan


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
    content = {"kind": "command", "command": name, "issued_ns": issued_ns}
    return json.dumps(content).encode() + b"\n"


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[LoopBench]:
    bench = LoopBench(tmp_path)
    await bench.to_idle()
    bench.sample()
    server = await serve(bench.files.control_socket, bench.loop)
    yield bench
    server.close()
    await server.wait_closed()


@pytest.fixture
async def talk(bench: LoopBench) -> AsyncIterator[Talk]:
    reader, writer = await asyncio.open_unix_connection(str(bench.files.control_socket))
    yield Talk(reader, writer)
    writer.close()
    await asyncio.sleep(0)


async def test_only_the_owner_may_open_the_socket(bench: LoopBench) -> None:
    assert bench.files.control_socket.stat().st_mode & 0o777 == 0o600


async def test_a_command_is_done_and_the_answer_tells_the_state(
    bench: LoopBench, talk: Talk
) -> None:
    assert await talk.ask(command("start")) == {
        "accepted": True, "reason": "start done", "state": "running",
    }  # fmt: skip
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
    server = await serve(path, bench.loop)
    with await asyncio.to_thread(ControlClient, path) as client:
        reply = await asyncio.to_thread(client.command, Command.STOP)
    assert not reply.accepted
    server.close()
    await server.wait_closed()


async def test_a_client_learns_that_nobody_answers(tmp_path: Path) -> None:
    with pytest.raises(NotRunning, match="no controller answers"):
        ControlClient(tmp_path / "control.sock")


async def test_a_client_learns_that_a_controller_hangs(tmp_path: Path) -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_unix_server(say_nothing, path=str(tmp_path / "control.sock"))

    def ask() -> None:
        with ControlClient(tmp_path / "control.sock", timeout_s=0.1) as client:
            client.command(Command.STOP)

    with pytest.raises(NotRunning, match="does not answer"):
        await asyncio.to_thread(ask)
    server.close()
    await server.wait_closed()
