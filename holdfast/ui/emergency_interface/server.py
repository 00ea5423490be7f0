"""A small HTTP server, of the standard library alone, in a thread of its own.

One request a connection, in bounded time and size. It waits for slow clients without a thread for
each; the answers are made elsewhere.
"""

import asyncio
import logging
import socket
import threading
from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace
from http import HTTPStatus

from holdfast.ui.emergency_interface.exchange import (
    MAX_HEAD_BYTES,
    BadExchange,
    PageAnswer,
    PageRequest,
    read_head,
)
from holdfast.ui.emergency_interface.seats import Seats

_log = logging.getLogger(__name__)

REQUEST_S = 5.0
"""Within this time a whole request has to come."""
TAKES_S = 5.0
"""Within this time the answer has to be taken."""
BACKLOG = 128
_RESTS_S = 0.1
"""So long nobody is let in after that failed."""
_LEAVING_S = 0.01
"""A socket is closed a moment after it is left."""
_LEFT_BYTES = 64 * 1024
"""So much of what was sent and not asked for is passed over, so that the answer arrives."""

Answering = Callable[[PageRequest], Awaitable[PageAnswer]]
Refusing = Callable[[PageRequest, BadExchange], PageAnswer]
_NO_REQUEST = PageRequest(method="GET", path="/")


class PageServer:
    """Serves until it is closed."""

    def __init__(
        self,
        host: str,
        port: int,
        answering: Answering,
        refusing: Refusing,
        at_once: Collection[str] = (),
    ) -> None:
        """Listens; requests wait until :meth:`start`. Raises OSError if it cannot be there.

        What comes with a request for a path ``at_once`` is not waited for.
        """
        self._answering, self._refusing, self._at_once = answering, refusing, at_once
        self._listening = _listen(host, port)
        self._seats = Seats()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._begun, self._end = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="pages", daemon=True)

    @property
    def port(self) -> int:
        """Returns the port on which it listens."""
        port: int = self._listening.getsockname()[1]
        return port

    def start(self) -> None:
        """Begins to serve."""
        self._thread.start()
        self._begun.wait()

    def close(self) -> None:
        """Ends the thread, and hangs up."""
        if self._loop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._end.set)
            self._thread.join()
        self._listening.close()

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = loop = asyncio.get_running_loop()
        loop.add_reader(self._listening, self._look_out, loop)
        self._begun.set()
        await self._end.wait()
        loop.remove_reader(self._listening)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(_LEAVING_S)

    def _look_out(self, loop: asyncio.AbstractEventLoop) -> None:
        """Lets one in; the loop looks again at once, and between two at all else."""
        try:
            connection, address = self._listening.accept()
        except BlockingIOError:
            return
        except OSError as error:  # no descriptor is left, or the client has gone
            _log.warning("nobody can be let in: %s", error)
            loop.remove_reader(self._listening)
            loop.call_later(_RESTS_S, loop.add_reader, self._listening, self._look_out, loop)
            return
        task = loop.create_task(self._serve_one(connection, str(address[0])))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        # Also of one that had no time to begin.
        task.add_done_callback(lambda _: connection.close())

    async def _serve_one(self, connection: socket.socket, address: str) -> None:
        connection.setblocking(False)  # noqa: FBT003 - the library's signature
        try:
            reader, writer = await asyncio.open_connection(sock=connection, limit=MAX_HEAD_BYTES)
        except OSError:
            return
        transport = writer.transport
        assert isinstance(transport, asyncio.Transport)
        if not self._seats.take(transport, address):
            transport.abort()
            return
        try:
            answer = await self._exchange(reader, transport, address)
            self._seats.wait(transport)
            await _hand_over(answer, reader, writer)
        except (TimeoutError, OSError, EOFError):
            pass  # it has gone, or is too slow
        except Exception:  # noqa: BLE001 - one connection takes no other down
            _log.exception("a request of %s failed", address)
        finally:
            self._seats.leave(transport)
            transport.abort()

    async def _exchange(
        self, reader: asyncio.StreamReader, transport: asyncio.Transport, address: str
    ) -> bytes:
        request = _NO_REQUEST
        try:
            async with asyncio.timeout(REQUEST_S):
                request = read_head(await _head(reader), address)
                if request.path not in self._at_once:
                    body = await reader.readexactly(request.body_length)
                    request = replace(request, body=body)
            self._seats.serve(transport)
            answer = await self._answering(request)
        except BadExchange as error:
            answer = self._refusing(request, error)
        return answer.encode(head_only=request.method == "HEAD")


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError as error:
        raise BadExchange(
            HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"more than {MAX_HEAD_BYTES} bytes"
        ) from error


async def _hand_over(
    answer: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Sends ``answer`` and waits until it is taken; to hang up on unread bytes would destroy it."""
    async with asyncio.timeout(TAKES_S):
        writer.write(answer)
        writer.write_eof()
        await writer.drain()
        left = _LEFT_BYTES
        while left > 0 and (unread := await reader.read(left)):
            left -= len(unread)


def _listen(host: str, port: int) -> socket.socket:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, address = found[0]
    listening = socket.create_server(address[:2], family=family, backlog=BACKLOG)
    listening.setblocking(False)  # noqa: FBT003 - the library's signature
    return listening
