"""Ports are what the control loop needs from the outside world."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from holdfast.core.commands import Write

LATELY = 100
"""So many readings and failures count as what happened lately."""


@dataclass(slots=True, kw_only=True)
class CommsCounters:
    """Holds what a driver counts, and why its device is silent if it is."""

    where: str = ""
    """Tells the address of the device, in words."""
    reads: int = 0
    writes: int = 0
    errors: int = 0
    """Counts those of reads and writes together; these three only ever go up."""
    last_error: str = ""
    why_silent: str = ""
    """Tells what keeps readings from coming, in words; empty while they come."""
    tries: int = 0
    """Counts the tries to read that failed one after the other."""
    heard_ns: int | None = None
    """Tells the monotonic time of the last complete reading. None: there was none."""
    lately: deque[bool] = field(default_factory=lambda: deque(maxlen=LATELY))
    """Tells of the last readings and failures which of them failed, the oldest first."""

    def heard(self, now_ns: int) -> None:
        """Counts a complete reading that came."""
        self.reads += 1
        self.lately.append(False)
        self.why_silent, self.tries, self.heard_ns = "", 0, now_ns

    def took(self, doubt: str | None, now_ns: int) -> None:
        """Counts a complete reading that came, and was left out if there is a ``doubt``."""
        if doubt is None:
            self.heard(now_ns)
        else:
            self.failed(f"a reading was left out, it cannot be true: {doubt}")

    def silent(self, why: str) -> None:
        """Counts a try to read, or to connect for it, that failed."""
        self.failed(why)
        self.why_silent = why
        self.tries += 1

    def failed(self, error: str) -> None:
        """Counts something else that went wrong, such as a write."""
        self.errors += 1
        self.lately.append(True)
        self.last_error = error


class DeviceDriver(Protocol):
    """Serves one device on its wire: brings samples to the data store and carries out writes."""

    name: str
    """Tells people unit and role, such as ``battery/inverter``."""
    counters: CommsCounters

    async def run(self) -> None:
        """Polls until cancelled; survives every failure of the device and reconnects."""

    async def write(self, write: Write, is_stale: Callable[[], bool] = ...) -> None:
        """Carries out one write now, never behind a poll. Raises DeviceError; never retries.

        One that takes several requests ends between two of them once it ``is_stale``.
        """

    async def close(self) -> None:
        """Lets go of the wire."""
