"""A pseudo-terminal takes the place of a serial adapter: its slave is linked to where site.yaml
expects the port."""

import asyncio
import os
import termios
import tty
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from holdfast.core.errors import ConfigError

_AT_ONCE = 4096


class PseudoTerminal:
    """Is plugged in between :meth:`open` and :meth:`close`."""

    def __init__(self, link: Path, on_bytes: Callable[[bytes], None]) -> None:
        self.link = link
        self._on_bytes = on_bytes
        self._master = self._slave = -1

    @property
    def is_open(self) -> bool:
        """Says whether it is there."""
        return self._master >= 0

    def open(self) -> None:
        """Creates it and the link. Raises ConfigError if a file is in the way."""
        if self.link.exists() and not self.link.is_symlink():
            raise ConfigError(f"{self.link} exists and is no link; the simulator would replace it")
        # It keeps the slave open: else the other end is gone whenever nobody has it open.
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.link.parent.mkdir(parents=True, exist_ok=True)
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(os.ttyname(self._slave))
        asyncio.get_running_loop().add_reader(self._master, self._readable)

    def close(self) -> None:
        """Takes it away, link included."""
        if not self.is_open:
            return
        asyncio.get_running_loop().remove_reader(self._master)
        if self.link.is_symlink() and self.link.readlink() == Path(os.ttyname(self._slave)):
            self.link.unlink()
        os.close(self._master)
        os.close(self._slave)
        self._master = self._slave = -1

    def write(self, data: bytes) -> int:
        """Returns how many bytes of ``data`` fit; a terminal that nobody reads takes none."""
        with suppress(BlockingIOError):
            return os.write(self._master, data)
        return 0

    def forget_unread(self) -> None:
        """Throws away what the other side has not read."""
        termios.tcflush(self._slave, termios.TCIFLUSH)

    def _readable(self) -> None:
        with suppress(OSError):
            self._on_bytes(os.read(self._master, _AT_ONCE))
