"""A server on this machine that answers as a source of prices does, errors included."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A request as it came in."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What to answer. ``cut``: promise so many bytes more than come."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int = 0
    hang_up: bool = False


Answering = Callable[[Seen], Reply]


class PriceServer:
    """Listens on a free port; ``answering`` may be exchanged at any time."""

    def __init__(self, answering: Answering) -> None:
        self.answering = answering
        self.seen: list[Seen] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server._answer(self)

            do_POST = do_GET  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._http.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def close(self) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        length = int(handler.headers.get("Content-Length", "0"))
        seen = Seen(
            method=handler.command,
            path=parts.path,
            query={name: values[0] for name, values in parse_qs(parts.query).items()},
            headers=dict(handler.headers.items()),
            body=handler.rfile.read(length),
        )
        self.seen.append(seen)
        reply = self.answering(seen)
        if reply.hang_up:
            handler.connection.close()
            return
        handler.send_response(reply.status)
        for name, value in reply.headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(reply.body) + reply.cut))
        handler.end_headers()
        try:
            handler.wfile.write(reply.body)
        except OSError:
            return  # who asked has seen enough


@contextmanager
def serving(answering: Answering) -> Iterator[PriceServer]:
    server = PriceServer(answering)
    try:
        yield server
    finally:
        server.close()


def always(body: bytes | str, **others: Any) -> Answering:
    content = body.encode() if isinstance(body, str) else body
    return lambda _: Reply(body=content, **others)


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> str:
    """A token that may stand nowhere but in the request; with signs that addresses encode."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("PRICE_TOKEN", "s3cr3t/t0ken+of=mine")
    return "s3cr3t/t0ken+of=mine"
