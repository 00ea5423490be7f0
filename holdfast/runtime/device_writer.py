"""This module carries a cycle's writes to one device: in order, the newest value, nothing old."""

import asyncio
import logging
import time
from collections.abc import Iterable

from holdfast.core.commands import Point, Write
from holdfast.core.errors import DeviceError, DeviceRefused
from holdfast.core.ports import DeviceDriver

_log = logging.getLogger(__name__)

TRIES = 3
"""A device that is busy is so for a moment; without heartbeats it goes to 0 W by its own timer."""


class DeviceWriter:
    """Writes to one driver. What is refused is tried again at once, a few times; what fails then,
    or is not answered, is dropped: the wrapper sees it by the read-back.
    """

    def __init__(self, driver: DeviceDriver) -> None:
        self._driver = driver
        self._pending: dict[Point, tuple[Write, int]] = {}
        self._task: asyncio.Task[None] | None = None
        self._failing = False

    def submit(self, writes: Iterable[Write], expires_ns: int) -> None:
        """Writes soon. A newer value replaces one that still waits behind a slow device.

        What still waits at ``expires_ns`` (monotonic) is dropped, unless it is always safe.
        """
        for write in writes:
            self._pending.pop(write.point, None)
            self._pending[write.point] = (write, expires_ns)
        if self._pending and self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._carry_out())

    async def flush(self) -> None:
        """Waits until nothing waits any more."""
        if self._task is not None:
            await self._task

    async def _carry_out(self) -> None:
        try:
            while self._pending:
                point = next(iter(self._pending))
                write, expires_ns = self._pending.pop(point)
                if self._is_wanted(write, expires_ns):
                    await self._write(write, expires_ns)
        finally:
            self._task = None

    def _is_wanted(self, write: Write, expires_ns: int) -> bool:
        return write.is_always_safe or time.monotonic_ns() < expires_ns

    async def _write(self, write: Write, expires_ns: int) -> None:
        error = await self._try(write)
        tries = 1
        while (
            isinstance(error, DeviceRefused)
            and tries < TRIES
            and write.point not in self._pending
            and self._is_wanted(write, expires_ns)
        ):
            error, tries = await self._try(write), tries + 1
        if error is not None:
            if not self._failing:
                _log.warning("%s: %s not written: %s", self._driver.name, write.point, error)
            # What was to follow may rest on what did not happen; what is always safe never does.
            self._pending = {p: w for p, w in self._pending.items() if w[0].is_always_safe}
        self._failing = error is not None

    async def _try(self, write: Write) -> DeviceError | None:
        """Writes once; returns what went wrong."""
        try:
            # A newer value ends one that takes several requests between two of them.
            await self._driver.write(write, lambda: write.point in self._pending)
        except DeviceError as error:
            return error
        return None
