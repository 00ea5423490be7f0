"""The server: bad, slow and many clients cost themselves, and nobody else."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from holdfast.testing.waiting import until
from holdfast.ui.emergency_interface import seats, server
from holdfast.ui.emergency_interface.exchange import MAX_BODY_BYTES, MAX_HEAD_BYTES
from tests.ui.bench import GatewayBench, controller_at, stopping


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[GatewayBench]:
    with GatewayBench(tmp_path) as bench:
        bench.publish()
        yield bench


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\n"


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (HEAD + b"X: " + b"x" * MAX_HEAD_BYTES + b"\r\n\r\n", 431),
        (b"GET /" + b"x" * 2 * MAX_HEAD_BYTES, 431),
        (b"\r\n\r\n", 400),
        (b"GET /\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\n\r\n", 400),
        (b"GET  / HTTP/1.1\r\n\r\n", 400),
        (b"GET http://localhost/ HTTP/1.1\r\n\r\n", 400),
        (b"GET /a b HTTP/1.1\r\n\r\n", 400),
        (b"GET /\xff HTTP/1.1\r\n\r\n", 400),
        (b"G\x00T / HTTP/1.1\r\n\r\n", 400),
        (HEAD + b"no header\r\n\r\n", 400),
        (HEAD + b": x\r\n\r\n", 400),
        (HEAD + b"A b: x\r\n\r\n", 400),
        (HEAD + b"A: x\ny: z\r\n\r\n", 400),
        (HEAD + b"A: \x1b[2J\r\n\r\n", 400),
        (HEAD + b" folded: x\r\n\r\n", 400),
        (HEAD + b"Host: other\r\n\r\n", 400),
        (b"POST /start HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", 400),
        (b"POST /start HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST /start HTTP/1.1\r\nContent-Length: +1\r\n\r\n", 400),
        (b"POST /start HTTP/1.1\r\nContent-Length: 1e3\r\n\r\n", 400),
        (b"POST /start HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411),
        (b"POST /start HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY_BYTES + 1), 413),
    ],
)
def test_what_is_no_request_is_refused_and_the_next_one_is_served(
    bench: GatewayBench, sent: bytes, code: int
) -> None:
    answer = bench.raw(sent)
    assert status_of(answer) == code
    assert b"Connection: close" in answer
    assert bench.get("/").status == 200


def test_a_second_request_on_a_connection_is_none(bench: GatewayBench) -> None:
    """There is nothing to smuggle: a connection has one request and ends."""
    with controller_at(bench.files.stop_socket, stopping(bench)) as heard:
        answer = bench.raw(HEAD + b"\r\nPOST /estop HTTP/1.1\r\n\r\n")
    assert answer.count(b"HTTP/1.1 200") == 1
    assert heard == []


def test_a_half_open_client_is_hung_up_on(
    bench: GatewayBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "REQUEST_S", 0.2)
    for sent in (b"", b"GET /", HEAD, b"POST /start HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc"):
        assert bench.raw(sent) == b""
    assert bench.get("/").status == 200


def test_a_client_that_does_not_take_its_answer_is_hung_up_on(
    bench: GatewayBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "TAKES_S", 0.2)
    with socket.create_connection(("127.0.0.1", bench.port), timeout=30.0) as connection:
        connection.sendall(HEAD + b"\r\n")
        # It is answered, and kept open by who asked: the server ends that.
        until(lambda: not bench._server._server._seats._waited_for, "the seat is free")


def held(bench: GatewayBench, stack: ExitStack, count: int) -> list[socket.socket]:
    """Connections on which a request has begun and does not come to its end."""
    found = []
    for _ in range(count):
        connection = socket.create_connection(("127.0.0.1", bench.port), timeout=30.0)
        stack.enter_context(connection)
        connection.sendall(b"GET / HTTP")
        found.append(connection)
    return found


def test_two_hundred_open_connections_hold_up_no_stop(bench: GatewayBench) -> None:
    with (
        ExitStack() as stack,
        controller_at(bench.files.stop_socket, stopping(bench)),
    ):
        held(bench, stack, 200)
        begun_s = time.monotonic()
        assert bench.post("/estop").status == 200
        assert bench.get("/").status == 200
        assert time.monotonic() - begun_s < server.REQUEST_S, "it waited until one was given up"
        assert len(bench._server._server._seats._waited_for) <= seats.MOST


def test_two_hundred_requests_at_once_are_answered_and_a_stop_among_them(
    bench: GatewayBench,
) -> None:
    with (
        controller_at(bench.files.stop_socket, stopping(bench)),
        ThreadPoolExecutor(50) as people,
    ):
        asked = [people.submit(bench.get, "/") for _ in range(200)]
        stopped = bench.post("/estop")
        assert stopped.status == 200
        assert [one.result().status for one in asked] == [200] * 200


def test_it_ends_while_clients_are_there(tmp_path: Path) -> None:
    with ExitStack() as stack:
        with GatewayBench(tmp_path) as bench:
            held(bench, stack, 5)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", bench.port), timeout=5.0)
