"""This module carries a cycle's writes to one device: in order, the newest value, nothing old."""

import asyncio
import logging
import time
from collections.abc import Iterable

from holdfast.core.commands import Point, Write
from holdfast.core.errors import DeviceError
from holdfast.core.ports import DeviceDriver

_log = logging.getLogger(__name__)


class DeviceWriter:
    """Writes to one driver. A write that fails is dropped: the wrapper sees it by the read-back."""

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
                if write.is_always_safe or time.monotonic_ns() < expires_ns:
                    await self._write(write)
        finally:
            self._task = None

    async def _write(self, write: Write) -> None:
        try:
            # A newer value ends one that takes several requests between two of them.
            await self._driver.write(write, lambda: write.point in self._pending)
        except DeviceError as error:
            if not self._failing:
                _log.warning("%s: %s not written: %s", self._driver.name, write.point, error)
            self._failing = True
            # What was to follow may rest on what did not happen; what is always safe never does.
            self._pending = {p: w for p, w in self._pending.items() if w[0].is_always_safe}
        else:
            self._failing = False
