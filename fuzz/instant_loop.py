"""An event loop in which nobody waits: its time moves on at once to what comes next.

So minutes of a line, with its time-outs and silences, take a millisecond.
"""

import asyncio
import selectors
import socket
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

_Result = TypeVar("_Result")
Device = Callable[[bytes, Callable[[bytes, float], None]], None]
"""Is given what is sent to it, and what takes an answer (bytes, after so many seconds)."""
_LONGEST_S = 3600.0


class _Selector(selectors.SelectSelector):
    """Waits for nothing, and tells for how long it would have."""

    def __init__(self) -> None:
        super().__init__()
        self.waited_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "it waits for what never comes"
            self.waited_s += timeout
        return ready


class InstantLoop(asyncio.SelectorEventLoop):
    """Connects everybody to one device."""

    def __init__(self, device: Device) -> None:
        self._instant = _Selector()
        super().__init__(self._instant)
        self._device = device
        self._wires: list[_Wire] = []

    def time(self) -> float:
        """Tells for how long anybody has waited."""
        return self._instant.waited_s

    async def create_connection(
        self, protocol_factory: Callable[[], Any], *_: object, **__: object
    ) -> tuple[asyncio.Transport, Any]:
        """Connects to the device, which is always there."""
        protocol = protocol_factory()
        wire = _Wire(self, protocol, self._device)
        self._wires.append(wire)
        protocol.connection_made(wire)
        return wire, protocol

    def run_to_end(self, main: Coroutine[Any, Any, _Result]) -> _Result:
        """Runs ``main``, and ends all that it leaves behind."""
        try:
            return self.run_until_complete(asyncio.wait_for(main, _LONGEST_S))
        finally:
            self.run_until_complete(_end_all(asyncio.all_tasks(self)))
            for wire in self._wires:
                wire.socket.close()
            self.close()


async def _end_all(tasks: set[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class _Wire(asyncio.Transport):
    """Hands over what is sent, and what comes back, as asyncio's own does."""

    def __init__(self, loop: InstantLoop, protocol: Any, device: Device) -> None:
        super().__init__()
        self.socket = socket.socket()
        self._loop, self._protocol, self._device = loop, protocol, device
        self._closing = False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self.socket if name == "socket" else default

    def get_write_buffer_size(self) -> int:
        return 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._device(bytes(data), self._answer)

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        self._end(None)

    abort = close

    def _answer(self, data: bytes, after_s: float) -> None:
        self._loop.call_later(after_s, self._deliver, data)

    def _deliver(self, data: bytes) -> None:
        if self._closing:
            return
        try:
            self._protocol.data_received(data)
        except Exception as error:  # noqa: BLE001 - as asyncio does
            self._end(error)

    def _end(self, error: Exception | None) -> None:
        if not self._closing:
            self._closing = True
            self._loop.call_soon(self._protocol.connection_lost, error)
