"""A connection that holds its place and does nothing with it is cut.

There are only so many. Who sends the head of a request letter by letter, or does not read what he
asked for, would keep others out.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

HEAD_S: Final = 10.0
"""The head of a request has to be there so soon."""
UNREAD_S: Final = 15.0
"""Who has not read for so long has gone, or never will."""


class _Cut:
    """Cuts the connection when its time is over."""

    def __init__(self, cut: Callable[[], None]) -> None:
        self._cut = cut
        self._timer: asyncio.TimerHandle | None = None

    def within(self, seconds: float) -> None:
        """Begins to count, unless it counts already."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._cut)

    def not_now(self) -> None:
        """Counts no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Connection(H11Protocol):
    """Serves HTTP to one client."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._head, self._unread = _Cut(self._abort), _Cut(self._abort)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Takes the connection; asyncio calls this."""
        super().connection_made(transport)
        self._head.within(HEAD_S)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forgets the connection; asyncio calls this."""
        self._head.not_now()
        self._unread.not_now()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Takes what has come in; asyncio calls this."""
        super().data_received(data)
        other = self.transport.get_protocol() is not self  # it is a WebSocket from now on
        if other or self.conn.their_state is not h11.IDLE:
            self._head.not_now()
        else:
            self._head.within(HEAD_S)

    def pause_writing(self) -> None:
        """Waits for the client to read; asyncio calls this."""
        super().pause_writing()
        self._unread.within(UNREAD_S)

    def resume_writing(self) -> None:
        """Goes on; asyncio calls this."""
        self._unread.not_now()
        super().resume_writing()

    def _abort(self) -> None:
        self.transport.abort()


class SocketConnection(WebSocketsSansIOProtocol):
    """Serves one WebSocket."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._unread = _Cut(self._abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forgets the connection; asyncio calls this."""
        self._unread.not_now()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Waits for the client to read; asyncio calls this."""
        super().pause_writing()
        self._unread.within(UNREAD_S)

    def resume_writing(self) -> None:
        """Goes on; asyncio calls this."""
        self._unread.not_now()
        super().resume_writing()

    def _abort(self) -> None:
        self.transport.abort()
