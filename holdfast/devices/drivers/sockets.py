"""What the kernel is asked of a connection: to notice its end, and not to deliver what is old."""

import fcntl
import socket
import struct
import termios
from contextlib import suppress
from typing import Protocol

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_KEEPALIVE = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 2),
)


class _HasOptions(Protocol):
    def setsockopt(self, level: int, option: int, value: int | bytes, /) -> None: ...


def notice_half_open(connection: _HasOptions) -> None:
    """Makes the kernel notice within 3 s that ``connection`` is half open, also when idle."""
    with suppress(OSError):
        for level, option, value in _KEEPALIVE:
            connection.setsockopt(level, option, value)


def forget_unsent(connection: _HasOptions) -> None:
    """Makes closing ``connection`` discard what was not delivered.

    The kernel would go on sending, and an expired command would meet a device that
    comes back a minute later.
    """
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)


def unsent(fd: int) -> int:
    """Returns how many bytes wait to leave a socket or a serial port; 0 if that is not told."""
    try:
        told = fcntl.ioctl(fd, termios.TIOCOUTQ, bytes(4))
    except OSError:
        return 0
    return int.from_bytes(told, "little", signed=True)
