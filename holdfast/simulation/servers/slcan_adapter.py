"""A CAN adapter on a pseudo-terminal speaks slcan (Lawicel ASCII), as USB sticks do.

The slave side is linked to where site.yaml expects the serial port. Frames to the other side
go out only while its channel is open, and are dropped when nobody reads, as on a real stick.
"""

import asyncio
import os
import termios
import tty
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from holdfast.core.errors import ConfigError
from holdfast.simulation.servers.pylontech import Frame

_OK, _BELL = b"\r", b"\a"
_LONGEST_LINE = 64
_STANDARD, _EXTENDED = 0x7FF, 0x1FFF_FFFF
"""These are the largest identifiers of 11 and of 29 bits."""
_SETTINGS = frozenset("SsMmXYZ")
"""These commands change the bus's settings or what is shown; they are taken while closed."""


class SlcanAdapter:
    """Serves as the adapter, with its pseudo-terminal."""

    def __init__(
        self, channel: str, *, on_frame: Callable[[int, bytes], None] | None = None
    ) -> None:
        """Calls ``on_frame`` with identifier and data of each frame from the other side."""
        self.link = Path(channel.partition("@")[0])
        self.is_open = False
        self.received: Counter[int] = Counter()
        """They are the frames from the other side, by identifier."""
        self.last_data: dict[int, bytes] = {}
        self.refused = 0
        """These lines made no sense, or came at the wrong time."""
        self.dropped = 0
        """These frames did not fit because nobody read."""
        self._on_frame = on_frame
        self._buffer = self._rest = b""
        self._master = self._slave = -1

    def open_port(self) -> None:
        """Creates the pseudo-terminal and the link. Raises ConfigError if a file is in the way."""
        if self.link.exists() and not self.link.is_symlink():
            raise ConfigError(f"{self.link} exists and is no link; the simulator would replace it")
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.link.parent.mkdir(parents=True, exist_ok=True)
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(os.ttyname(self._slave))
        asyncio.get_running_loop().add_reader(self._master, self._readable)

    def close_port(self) -> None:
        """Takes the port away, link included."""
        if self._master < 0:
            return
        asyncio.get_running_loop().remove_reader(self._master)
        if self.link.is_symlink() and self.link.readlink() == Path(os.ttyname(self._slave)):
            self.link.unlink()
        os.close(self._master)
        os.close(self._slave)
        self._master = self._slave = -1

    def send(self, frames: list[Frame]) -> None:
        """Puts ``frames`` on the bus's other side."""
        if not self.is_open:
            return
        for identifier, data in frames:
            name = f"t{identifier:03X}" if identifier <= _STANDARD else f"T{identifier:08X}"
            line = f"{name}{len(data):d}{data.hex().upper()}\r".encode("ascii")
            if not self._write(line):
                self.dropped += 1

    def _write(self, data: bytes) -> bool:
        """Hands over whole lines only: what is left of one goes out before the next."""
        try:
            if self._rest:
                self._rest = self._rest[os.write(self._master, self._rest) :]
            if self._rest:
                return False
            self._rest = data[os.write(self._master, data) :]
        except BlockingIOError:
            return False
        return True

    def _readable(self) -> None:
        try:
            self._buffer += os.read(self._master, 4096)
        except (BlockingIOError, OSError):
            return
        *lines, self._buffer = self._buffer.split(b"\r")
        if len(self._buffer) > _LONGEST_LINE:
            self._buffer = b""
            self.refused += 1
        for line in lines:
            answer = self._obey(line.decode("ascii", errors="replace"))
            if answer == _BELL:
                self.refused += 1
            self._write(answer)

    def _obey(self, line: str) -> bytes:
        """Returns the adapter's answer to one command."""
        command = line[:1]
        if command in _SETTINGS:
            return _BELL if self.is_open else _OK
        match command:
            case "":
                return _OK
            case "V":
                return b"V1013\r"
            case "N":
                return b"N0001\r"
            case "F":
                return b"F00\r" if self.is_open else _BELL
            case "O" | "L":
                self.is_open = True
                return _OK
            case "C":
                self._close_channel()
                return _OK
            case "t":
                return self._frame(line, digits=3, most=_STANDARD, done=b"z\r")
            case "T":
                return self._frame(line, digits=8, most=_EXTENDED, done=b"Z\r")
            case _:
                return _BELL

    def _close_channel(self) -> None:
        if self.is_open:
            # A client that died left frames unread; its successor begins with a close.
            termios.tcflush(self._slave, termios.TCIFLUSH)
            self._rest = b""
        self.is_open = False

    def _frame(self, line: str, *, digits: int, most: int, done: bytes) -> bytes:
        head = line[1 : 1 + digits]
        try:
            identifier, length = int(head, 16), int(line[1 + digits])
            data = bytes.fromhex(line[2 + digits :])
        except (ValueError, IndexError):
            return _BELL
        if not self.is_open or len(data) != length or identifier > most or length > 8:
            return _BELL
        self.received[identifier] += 1
        self.last_data[identifier] = data
        if self._on_frame is not None:
            self._on_frame(identifier, data)
        return done
