"""The watchdog feeds others in turn: systemd, and the computer's hardware watchdog.

They are fed only while cycles complete. If this process hangs too, they restart the service or the
computer, and the inverter's own timer has long gone to 0 W.
"""

import logging
import os
import socket

_log = logging.getLogger(__name__)

_MAGIC_CLOSE = b"V"
"""Written last, it tells the driver that stopping is meant (Linux watchdog API)."""


class SystemdFeeder:
    """Speaks sd_notify; does nothing where systemd did not ask for it."""

    def __init__(self) -> None:
        self._address = os.environ.get("NOTIFY_SOCKET", "")
        if self._address.startswith("@"):
            self._address = "\0" + self._address[1:]

    def tell(self, state: str) -> None:
        """Sends ``READY=1`` once cycles complete, ``WATCHDOG=1`` while they do, or ``STOPPING=1``.

        The last is for the supervisor to say: systemd kills the service if a child says it that is
        only started anew. A systemd that reads nothing holds nobody up: it misses what is told.
        """
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.setblocking(False)  # noqa: FBT003 - the library's signature
            try:
                sender.sendto(state.encode(), self._address)
            except OSError as error:
                _log.error("systemd is not told: %s", error)


class HardwareFeeder:
    """Feeds a ``/dev/watchdog``. Opening it arms it."""

    def __init__(self, device: str | None) -> None:
        self._descriptor: int | None = None
        if device is None:
            return
        try:
            self._descriptor = os.open(device, os.O_WRONLY | os.O_CLOEXEC)
        except OSError as error:
            _log.error("no hardware watchdog: %s", error)

    def feed(self) -> None:
        """Puts off the restart."""
        self._write(b"\0")

    def close(self) -> None:
        """Disarms the watchdog, and closes the device."""
        if self._descriptor is not None:
            self._write(_MAGIC_CLOSE)
            os.close(self._descriptor)
            self._descriptor = None

    def _write(self, content: bytes) -> None:
        if self._descriptor is None:
            return
        try:
            os.write(self._descriptor, content)
        except OSError as error:
            _log.error("the hardware watchdog is not fed: %s", error)
