"""A door lets clients in at a Unix socket: no more at once than can be looked at in a moment.

A flood of connections is the kernel's to hold: between two looks there is time for all else. The
path is looked after, too: whoever deletes or replaces the socket's file takes no control away.
"""

import asyncio
import logging
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_log = logging.getLogger(__name__)

AT_ONCE = 16
"""So many are let in or turned away at once."""
REST_S = 0.0005
"""After that the door rests for so long; an event loop makes a millisecond of it."""
BACKLOG = 16
"""So many wait in front of it; who comes then waits to be one of them."""
LOOK_EVERY_S = 1.0


class Door:
    """Listens, for the owner only, and hands each connection to ``let_in``, which may close it."""

    def __init__(self, path: Path, let_in: Callable[[socket.socket], None]) -> None:
        """Raises OSError if nobody can listen there."""
        self._path = path
        self._let_in = let_in
        self._loop = asyncio.get_running_loop()
        self._socket, self._place = _listen(path)
        self._loop.add_reader(self._socket, self._look_out)
        self._rest: asyncio.TimerHandle | None = None
        self._watch = self._loop.call_later(LOOK_EVERY_S, self._look_after_path)

    def close(self) -> None:
        """Lets nobody in any more."""
        for timer in (self._rest, self._watch):
            if timer is not None:
                timer.cancel()
        self._loop.remove_reader(self._socket)
        self._socket.close()

    def _look_out(self) -> None:
        for _ in range(AT_ONCE):
            try:
                connection, _ = self._socket.accept()
            except BlockingIOError:
                return
            except OSError as error:  # no descriptor is left, or the client has gone
                _log.error("%s: nobody can be let in: %s", self._path, error)
                break
            connection.setblocking(False)  # noqa: FBT003 - the library's signature
            self._let_in(connection)
        self._loop.remove_reader(self._socket)
        self._rest = self._loop.call_later(REST_S, self._end_rest)

    def _end_rest(self) -> None:
        self._rest = None
        self._loop.add_reader(self._socket, self._look_out)

    def _look_after_path(self) -> None:
        """Puts a new socket there if the path leads to this one no more."""
        self._watch = self._loop.call_later(LOOK_EVERY_S, self._look_after_path)
        with suppress(OSError):
            if _place_of(self._path) == self._place:
                return
        try:
            new, place = _listen(self._path)
        except OSError as error:
            _log.error("%s: nobody finds it any more: %s", self._path, error)
            return
        _log.warning("%s was taken away, and is there again", self._path)
        if self._rest is None:
            self._loop.remove_reader(self._socket)
            self._loop.add_reader(new, self._look_out)
        self._socket.close()
        self._socket, self._place = new, place


def _listen(path: Path) -> tuple[socket.socket, tuple[int, int]]:
    """Listens at ``path``, in the place of whatever stands there. Raises OSError."""
    new = path.with_name(path.name + ".new")
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        new.unlink(missing_ok=True)
        before = os.umask(0o177)  # nobody else can open it, not for a moment
        try:
            listening.bind(str(new))
        finally:
            os.umask(before)
        listening.listen(BACKLOG)
        place = _place_of(new)
        new.replace(path)
    except OSError:
        listening.close()
        raise
    return listening, place


def _place_of(path: Path) -> tuple[int, int]:
    found = path.lstat()
    return found.st_dev, found.st_ino
