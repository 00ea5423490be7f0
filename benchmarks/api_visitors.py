"""Visitors of the API, in a process of their own: what they wait for is not what they cost others.

``python -m benchmarks.api_visitors QUESTION`` reads a question as JSON, and prints what came of it:

readers   ask one operation after the other, so many times a second altogether
watchers  keep so many live streams open, and read all that comes
guessers  try to log in with wrong passwords, as fast as they are let
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from itertools import cycle
from typing import Any

PATHS = (
    "/status", "/snapshot", "/state", "/limits", "/findings", "/devices", "/assurance", "/plan",
    "/recommendation/now", "/manual", "/forecasts", "/prices?hours=36", "/explain", "/incidents",
    "/audit?last=50", "/history/series",
)  # fmt: skip
"""What a page asks for, over and over; what it asks of the history comes with the question."""
CONNECTIONS = 6
"""So many has a browser."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is to be done."""

    kind: str
    port: int
    seconds: float
    count: int
    """Requests a second, streams, or connections."""
    token: str = ""
    more_paths: tuple[str, ...] = ()


class Talk:
    """One connection that is kept."""

    def __init__(self, question: Question) -> None:
        self._question = question
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, path: str, body: bytes = b"") -> int:
        """The status of an answer, once all of it is there."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._question.port)
        reader, writer = self._streams
        writer.write(head(self._question, method, path, len(body)) + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        fields = answer.lower().split(b"\r\n")
        length = next(int(f.split(b":")[1]) for f in fields if f.startswith(b"content-length"))
        await reader.readexactly(length)
        if b"connection: close" in fields:
            writer.close()
            self._streams = None
        return int(fields[0].split()[1])


def head(question: Question, method: str, path: str, length: int = 0) -> bytes:
    """The head of a request."""
    lines = [f"{method} /api/v1{path} HTTP/1.1", f"Host: 127.0.0.1:{question.port}"]
    if question.token:
        lines.append(f"Authorization: Bearer {question.token}")
    if length:
        lines += [f"Content-Length: {length}", "Content-Type: application/json", "X-Holdfast: 1"]
    return "\r\n".join([*lines, "", ""]).encode()


async def readers(question: Question) -> dict[str, Any]:
    """How long each answer took, in ms; a connection that is busy lets another one ask.

    Each path is asked for once before: a page that has just been opened is another question.
    """
    talks: asyncio.Queue[Talk] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        talk = Talk(question)
        await talk.ask("GET", "/status")
        talks.put_nowait(talk)
    for path in (*PATHS, *question.more_paths):
        await talk.ask("GET", path)
    times_ms: dict[str, list[float]] = {path: [] for path in (*PATHS, *question.more_paths)}
    wrong: list[str] = []

    async def ask(path: str) -> None:
        begun_s = time.monotonic()  # who has to wait for a connection waits, too
        talk = await talks.get()
        status = await talk.ask("GET", path)
        times_ms[path].append((time.monotonic() - begun_s) * 1000.0)
        talks.put_nowait(talk)
        if status not in {200, 503}:
            wrong.append(f"{path}: {status}")

    await at_rate(ask, question)
    return {"times_ms": times_ms, "wrong": wrong[:5]}


async def at_rate(ask: Callable[[str], Coroutine[Any, Any, None]], question: Question) -> None:
    """Ask so often, whether answers come or not."""
    asked = []
    begun_s = time.monotonic()
    for number, path in enumerate(cycle((*PATHS, *question.more_paths))):
        due_s = begun_s + number / question.count
        if due_s - begun_s > question.seconds:
            break
        await asyncio.sleep(max(due_s - time.monotonic(), 0.0))
        asked.append(asyncio.create_task(ask(path)))
    await asyncio.gather(*asked)


async def watchers(question: Question) -> dict[str, Any]:
    """How many events came in all."""

    async def watch() -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", question.port)
        writer.write(head(question, "GET", "/live"))
        events = 0
        try:
            async with asyncio.timeout(question.seconds):
                while line := await reader.readline():
                    events += line.startswith(b"event: snapshot")
        except TimeoutError:
            pass
        writer.close()
        return events

    return {"events": sum(await asyncio.gather(*(watch() for _ in range(question.count))))}


async def guessers(question: Question) -> dict[str, Any]:
    """How many guesses were looked at, and how many turned away."""
    end_s = time.monotonic() + question.seconds
    found: dict[int, int] = {}

    async def guess(number: int) -> None:
        talk = Talk(question)
        while time.monotonic() < end_s:
            body = json.dumps({"name": f"anna{number}", "password": "wrong"}).encode()
            status = await talk.ask("POST", "/auth/login", body)
            found[status] = found.get(status, 0) + 1

    await asyncio.gather(*(guess(number) for number in range(question.count)))
    return {"answers": found}


def main() -> None:
    """Does what is asked for, and tells."""
    question = Question(**json.loads(sys.argv[1]))
    kinds = {"readers": readers, "watchers": watchers, "guessers": guessers}
    print(json.dumps(asyncio.run(kinds[question.kind](question))))


if __name__ == "__main__":
    main()
