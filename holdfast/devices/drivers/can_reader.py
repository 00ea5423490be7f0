"""The CAN reader opens a bus in a thread of its own, reads it, keeps it alive, reports its end."""

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import can

from holdfast.core.config.device import CanBus
from holdfast.core.units import NS_PER_S
from holdfast.devices.drivers.causes import cause_in_words

OnFrame = Callable[[int, bytes, int], None]
"""It is called on the event loop with identifier, data, and the monotonic time of reception."""

_RECEIVE_TIMEOUT_S = 0.1
_SERIAL_TIMEOUT_S = 0.05
"""The library's 1 ms wakes its thread a thousand times a second on a quiet bus."""
_SETTLE_S = 2.0
"""Serial adapters that start anew when their port is opened take this long."""
_SILENCE_NS = 10 * NS_PER_S
"""A quiet adapter may have restarted and closed its channel: open it again."""
_KEEP_ALIVE_PERIOD_NS = NS_PER_S


class CanReader:
    """Lives one life of a bus, from opening it to its failure.

    python-can's own binding to an event loop is not used: opening slcan sleeps two
    seconds, its ``recv(0)`` waits for the rest of a line, sending can wait for the
    adapter, and a port that went away would keep the loop spinning. A thread may wait.
    """

    def __init__(
        self,
        connection: CanBus,
        *,
        ids: frozenset[int],
        keep_alive_id: int | None,
        on_frame: OnFrame,
        on_garbage: Callable[[str], None],
    ) -> None:
        self.frames = 0
        """Counts the frames handed over so far."""
        self._connection = connection
        self._ids = ids
        self._keep_alive_id = keep_alive_id
        self._on_frame = on_frame
        self._on_garbage = on_garbage
        self._stop = threading.Event()
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[str] = self._loop.create_future()

    async def run(self) -> str:
        """Reads until the bus fails, and returns why; until then, or until cancelled."""
        name = f"can {self._connection.channel}"
        thread = threading.Thread(target=self._live, name=name, daemon=True)
        thread.start()
        try:
            return await asyncio.shield(self._ended)
        finally:
            self._stop.set()
            await asyncio.wait({self._ended}, timeout=5 * _RECEIVE_TIMEOUT_S)

    def stop(self) -> None:
        """Lets go of the bus; :meth:`run` returns when that is done."""
        self._stop.set()

    def _live(self) -> None:
        reason = "stopped"
        bus: can.BusABC | None = None
        try:
            bus = self._open()
            reason = self._receive(bus)
        except (can.CanError, OSError, ValueError) as error:
            reason = cause_in_words(error)
        finally:
            if bus is not None:
                _shut(bus)
            self._hand_over(self._end, reason)

    def _open(self) -> can.BusABC:
        connection = self._connection
        options: dict[str, Any] = {}
        if connection.interface == "slcan":
            options = {"timeout": _SERIAL_TIMEOUT_S, "sleep_after_open": _SETTLE_S}
        bus = can.Bus(
            interface=connection.interface,
            channel=connection.channel,
            bitrate=connection.bitrate,
            can_filters=[
                {"can_id": id_, "can_mask": 0x7FF, "extended": False} for id_ in sorted(self._ids)
            ],
            ignore_config=True,
            **options,
        )
        flush = getattr(bus, "flush", None)
        if flush is not None:
            # What the adapter sent before its channel was opened is old.
            flush()
        return bus

    def _receive(self, bus: can.BusABC) -> str:
        heard_ns = sent_ns = time.monotonic_ns()
        sent_ns -= _KEEP_ALIVE_PERIOD_NS
        while not self._stop.is_set():
            now_ns = time.monotonic_ns()
            if self._keep_alive_id is not None and now_ns - sent_ns >= _KEEP_ALIVE_PERIOD_NS:
                sent_ns = now_ns
                bus.send(_keep_alive(self._keep_alive_id), timeout=_RECEIVE_TIMEOUT_S)
            message = self._next(bus)
            if message is not None:
                heard_ns = time.monotonic_ns()
                self._take(message, heard_ns)
            elif now_ns - heard_ns > _SILENCE_NS:
                return f"no frame for {_SILENCE_NS // NS_PER_S} s"
        return "stopped"

    def _next(self, bus: can.BusABC) -> can.Message | None:
        try:
            return bus.recv(_RECEIVE_TIMEOUT_S)
        except (ValueError, IndexError) as error:
            # A line from the serial adapter that is no frame; it is used up.
            self._hand_over(self._on_garbage, f"not a frame: {error}")
            return None

    def _take(self, message: can.Message, time_ns: int) -> None:
        if (
            message.is_extended_id
            or message.is_error_frame
            or message.is_remote_frame
            or message.is_fd
            or message.arbitration_id not in self._ids
        ):
            return
        if len(message.data) != message.dlc or message.dlc > 8:
            reason = f"frame 0x{message.arbitration_id:03X} is cut off"
            self._hand_over(self._on_garbage, reason)
            return
        self.frames += 1
        self._hand_over(self._on_frame, message.arbitration_id, bytes(message.data), time_ns)

    def _hand_over(self, callback: Callable[..., None], *arguments: object) -> None:
        # The loop is closed when the program ends before this thread does.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(callback, *arguments)

    def _end(self, reason: str) -> None:
        if not self._ended.done():
            self._ended.set_result(reason)


def _keep_alive(id_: int) -> can.Message:
    return can.Message(arbitration_id=id_, is_extended_id=False, data=bytes(8))


def _shut(bus: can.BusABC) -> None:
    with suppress(can.CanError, OSError, ValueError):
        bus.shutdown()
    # slcan leaves its port open if the adapter no longer takes the closing command.
    port = getattr(bus, "serialPortOrig", None)
    if port is not None:
        with suppress(OSError):
            port.close()
