"""Live streams over a real connection: at once, for all, and nobody waits for one who sleeps."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
import pytest
import uvicorn
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from holdfast.api import connections
from holdfast.api.access import UserRole
from holdfast.api.auth.auth import COOKIE
from holdfast.api.live import Live
from holdfast.core.commands import Command
from holdfast.core.state_machine import State
from holdfast.monitoring.language import Language
from holdfast.runtime.api import listen, server_of
from tests.api.bench import API, ApiBench


class Served:
    """A bench behind a real server."""

    def __init__(self, bench: ApiBench, server: uvicorn.Server, port: int) -> None:
        self.bench, self.server, self.port = bench, server, port
        self.url = f"http://127.0.0.1:{port}"
        self.secret = bench.secret_of(UserRole.VIEWER)
        self.login = {"Cookie": f"{COOKIE}={self.secret}"}

    def talk(self, **more: str) -> connect:
        """Connects a WebSocket of somebody who has logged in."""
        return connect(f"ws://127.0.0.1:{self.port}{API}/ws", additional_headers=self.login | more)

    async def nobody_watches(self) -> None:
        live: Live = self.bench.app.state.live[Language.EN]
        while live._watchers:  # noqa: ASYNC110 - it is not ours
            await asyncio.sleep(0.01)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)


@pytest.fixture
async def served(bench: ApiBench) -> AsyncIterator[Served]:
    address = bench.site.api.model_copy(update={"port": 0})
    with listen(address) as listening:
        server = server_of(bench.app)
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        while not server.started:  # noqa: ASYNC110 - it is not ours
            await asyncio.sleep(0.01)
        yield Served(bench, server, listening.getsockname()[1])
        server.should_exit = True
        await serving


@asynccontextmanager
async def events(served: Served) -> AsyncIterator[AsyncIterator[tuple[str, Any]]]:
    """Gives the events of a stream, each with what its JSON says; pings have no name."""
    async with (
        httpx.AsyncClient(base_url=served.url, headers=served.login, timeout=10.0) as client,
        client.stream("GET", f"{API}/live") as answer,
    ):
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield _events(answer)


async def _events(answer: httpx.Response) -> AsyncIterator[tuple[str, Any]]:
    name = ""
    async for line in answer.aiter_lines():
        if line.startswith(":"):
            yield "", None
        elif line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


async def test_a_page_sees_how_it_is_and_each_change_at_once(served: Served) -> None:
    async with events(served) as stream:
        name, data = await anext(stream)
        assert (name, data["state"]) == ("snapshot", "idle")
        assert data["glance"]["headline"]
        await served.bench.loop.command(Command.EMERGENCY_STOP)
        await served.bench.show()
        async with asyncio.timeout(0.9):  # not with the next second's, but at once
            while (await anext(stream))[1]["state"] != State.STOPPED:
                pass


async def test_that_the_controller_has_gone_is_told_and_that_it_is_back(served: Served) -> None:
    async with events(served) as stream:
        seen = [(await anext(stream))[0]]
        served.bench.files.status.unlink()
        while "gone" not in seen:
            seen.append((await anext(stream))[0])
        await served.bench.show()
        while seen[-1] != "snapshot":
            seen.append((await anext(stream))[0])
    assert (seen[0], seen[-1]) == ("snapshot", "snapshot")


async def test_something_comes_in_less_than_3_s_whatever_happens(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("holdfast.api.live.SHOW_EVERY_S", 3600.0)
    monkeypatch.setattr("holdfast.api.routes.live.PING_EVERY_S", 0.1)
    async with events(served) as stream:
        names = [(await anext(stream))[0] for _ in range(3)]
    assert names == ["snapshot", "", ""]


async def test_only_so_many_watch_and_a_place_is_free_once_one_has_gone(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    live: Live = served.bench.app.state.live[Language.EN]
    monkeypatch.setattr(live, "_most", 2)
    async with httpx.AsyncClient(base_url=served.url, headers=served.login) as client:
        async with events(served) as first, events(served) as second:
            await anext(first)
            await anext(second)
            answer = await client.get(f"{API}/live")
            assert answer.status_code == 503
            assert answer.headers["retry-after"]
            async with served.talk() as refused:
                with suppress(Exception):
                    await refused.recv()
                assert refused.close_code == 1013
        await served.nobody_watches()
        async with events(served) as third:
            await anext(third)


async def test_a_program_gets_the_same_over_a_websocket(served: Served) -> None:
    async with served.talk() as talk:
        message = json.loads(await talk.recv())
        assert (message["event"], message["data"]["state"]) == ("snapshot", "idle")
        await talk.send("what is said is passed over")
        await served.bench.loop.command(Command.EMERGENCY_STOP)
        await served.bench.show()
        while json.loads(await talk.recv())["data"]["state"] != State.STOPPED:
            pass
    await served.nobody_watches()


@pytest.mark.parametrize(
    "headers", [{"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}]
)
async def test_a_page_of_somebody_else_cannot_listen(
    served: Served, headers: dict[str, str]
) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        await served.talk(**headers)


async def test_who_has_not_logged_in_sees_nothing(served: Served) -> None:
    async with httpx.AsyncClient(base_url=served.url) as client:
        assert (await client.get(f"{API}/live")).status_code == 401
    with pytest.raises(InvalidStatus, match="401"):
        await connect(f"ws://127.0.0.1:{served.port}{API}/ws")


async def test_who_has_logged_out_sees_nothing_more(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("holdfast.api.routes.live.ASK_AGAIN_S", 0.0)
    async with events(served) as stream, served.talk() as talk:
        await anext(stream)
        await talk.recv()
        session = served.bench.auth.sessions.find(served.secret)
        assert session is not None
        served.bench.auth.sessions.end(session.account, session.id)
        async with asyncio.timeout(5.0):
            async for _ in stream:
                pass
            with suppress(ConnectionClosed):
                while True:
                    await talk.recv()
        assert talk.close_code == 1008


async def test_who_does_not_read_is_cut_and_others_see_all(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "UNREAD_S", 0.2)
    live: Live = served.bench.app.state.live[Language.EN]
    monkeypatch.setattr(live, "_as_json", lambda *_: json.dumps({"state": "x" * 500_000}))
    monkeypatch.setattr("holdfast.api.live.SHOW_EVERY_S", 0.01)
    monkeypatch.setattr("holdfast.api.live.LOOK_EVERY_S", 0.01)
    sleeper = socket.socket()
    sleeper.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sleeper.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sleeper, ("127.0.0.1", served.port))
    request = (
        f"GET {API}/live HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {served.login['Cookie']}\r\n\r\n"
    ).encode()
    await asyncio.get_running_loop().sock_sendall(sleeper, request)
    async with events(served) as stream:
        while len(live._watchers) < 2:
            await anext(stream)
        while len(live._watchers) > 1:  # the sleeper is gone, and this one sees on
            await anext(stream)
        assert (await anext(stream))[0] == "snapshot"
    sleeper.close()


@pytest.mark.parametrize("before", [0, 1])
@pytest.mark.parametrize("begun", [b"", b"GET /health HT"])
async def test_a_request_that_does_not_come_does_not_keep_its_place(
    served: Served, monkeypatch: pytest.MonkeyPatch, before: int, begun: bytes
) -> None:
    monkeypatch.setattr(connections, "HEAD_S", 0.2)
    served.server.config.timeout_keep_alive = 0.2  # type: ignore[assignment]
    reader, writer = await served.connect()
    for _ in range(before):
        writer.write(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        await reader.readuntil(b"}")
    writer.write(begun)
    async with asyncio.timeout(5.0):
        assert await reader.read() == b""
    writer.close()


async def test_a_stream_of_an_hour_is_not_cut(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEAD_S", 0.1)
    monkeypatch.setattr("holdfast.api.live.SHOW_EVERY_S", 0.1)
    async with events(served) as stream:
        names = [(await anext(stream))[0] for _ in range(4)]
    async with served.talk() as talk:
        heard = [json.loads(await talk.recv())["event"] for _ in range(4)]
    assert names == heard == ["snapshot"] * 4


async def test_a_head_that_is_too_long_is_refused(served: Served) -> None:
    reader, writer = await served.connect()
    writer.write(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Long: " + b"x" * 400_000)
    answer = b""
    with suppress(ConnectionError):  # it hangs up while we still send
        answer = await reader.read()
    assert b"200 OK" not in answer
    writer.close()
