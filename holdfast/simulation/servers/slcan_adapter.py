"""A CAN adapter on a pseudo-terminal speaks slcan (Lawicel ASCII), as USB sticks do.

Frames to the other side go out only while its channel is open, and are dropped when nobody reads,
as on a real stick.
"""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from holdfast.simulation.servers.pseudo_terminal import PseudoTerminal
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
        self._terminal = PseudoTerminal(Path(channel.partition("@")[0]), self._hear)
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

    def open_port(self) -> None:
        """Creates the pseudo-terminal and the link. Raises ConfigError if a file is in the way."""
        self._terminal.open()

    def close_port(self) -> None:
        """Takes the port away, link included."""
        self._terminal.close()

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
        if self._rest:
            self._rest = self._rest[self._terminal.write(self._rest) :]
        if self._rest:
            return False
        written = self._terminal.write(data)
        self._rest = data[written:] if written else b""
        return written > 0

    def _hear(self, data: bytes) -> None:
        self._buffer += data
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
            self._terminal.forget_unread()
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
