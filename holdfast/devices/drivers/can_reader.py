"""The CAN reader opens a bus in a thread of its own, reads it, keeps it alive, reports its end."""

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import can
from can.util import cast_from_string

from holdfast.core.config.device import CanBus
from holdfast.core.units import NS_PER_S, s_from_ns
from holdfast.devices.can_frames import ADDRESS_BITS, EXTENDED_IDS, STANDARD_IDS
from holdfast.devices.can_profile import CanProfile
from holdfast.devices.drivers.can_errors import error_in_words, is_bus_off
from holdfast.devices.drivers.can_flood import FloodGuard
from holdfast.devices.drivers.can_sender import CanSender
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
_FILTERS_IN_SOFTWARE = frozenset({"slcan", "virtual"})
"""There the library would filter without ever resting, however many frames come."""


class CanReader:
    """Lives one life of a bus, from opening it to its failure.

    python-can's own binding to an event loop is not used: opening slcan sleeps two
    seconds, its ``recv(0)`` waits for the rest of a line, sending can wait for the
    adapter, and a port that went away would keep the loop spinning. A thread may wait.
    """

    def __init__(
        self,
        connection: CanBus,
        profile: CanProfile,
        *,
        on_frame: OnFrame,
        on_garbage: Callable[[str], None],
    ) -> None:
        self.frames = 0
        """Counts the frames handed over so far."""
        self.listens = False
        """The bus is open, and what was in it from before is gone."""
        self._connection = connection
        self._profile = profile
        self._ids = {frame.id: frame.extended for frame in profile.frames}
        self._sender = CanSender(profile, acts_as_inverter=connection.acts_as_inverter)
        self._flood = FloodGuard()
        self._error = ""
        self._error_told_ns = -NS_PER_S
        self._others: set[int] = set()
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
        except (can.CanError, OSError, ValueError, TypeError, ImportError) as error:
            # The last two are an option that the interface does not take, and a library it lacks.
            reason = cause_in_words(error)
        finally:
            if bus is not None:
                _shut(bus)
            self._hand_over(self._end, reason)

    def _open(self) -> can.BusABC:
        connection = self._connection
        options: dict[str, Any] = {
            name: cast_from_string(value)
            for name, _, value in (option.partition("=") for option in connection.options)
        }
        if connection.interface == "slcan":
            options = {"timeout": _SERIAL_TIMEOUT_S, "sleep_after_open": _SETTLE_S} | options
        if connection.interface not in _FILTERS_IN_SOFTWARE:
            options["can_filters"] = self._filters()
        bus = can.Bus(
            interface=connection.interface,
            channel=connection.channel,
            bitrate=connection.bitrate,
            ignore_config=True,
            **options,
        )
        flush = getattr(bus, "flush", None)
        if flush is not None:
            # What the adapter sent before its channel was opened is old.
            flush()
        return bus

    def _filters(self) -> list[dict[str, Any]]:
        """Returns what the driver or the adapter lets through: whatever address a battery has."""
        beside = ADDRESS_BITS if self._profile.addressed else 0
        return [
            {
                "can_id": id_,
                "can_mask": (EXTENDED_IDS if extended else STANDARD_IDS) & ~beside,
                "extended": extended,
            }
            for id_, extended in sorted(self._ids.items())
        ]

    def _receive(self, bus: can.BusABC) -> str:
        heard_ns = time.monotonic_ns()
        self.listens = True
        while not self._stop.is_set():
            now_ns = time.monotonic_ns()
            for due in self._sender.due(now_ns, self.frames):
                bus.send(due, timeout=_RECEIVE_TIMEOUT_S)
            if (flood := self._flood.told(now_ns)) is not None:
                self._hand_over(self._on_garbage, flood)
            message = self._next(bus)
            now_ns = time.monotonic_ns()
            if message is not None:
                if message.is_error_frame:
                    self._tell_error(message, now_ns)
                    if is_bus_off(message, self._connection.interface):
                        return self._error
                elif self._take(message, now_ns):
                    heard_ns = now_ns
                if (rest_ns := self._flood.rest_ns(now_ns)) > 0:
                    self._stop.wait(s_from_ns(rest_ns))
            if now_ns - heard_ns > _SILENCE_NS:
                return self._silence()
        return "stopped"

    def _silence(self) -> str:
        profile = self._profile
        reason = f"no frame for {_SILENCE_NS // NS_PER_S} s"
        if self._others:
            others = ", ".join(str(address) for address in sorted(self._others))
            reason += f" of battery {self._connection.address}; on this bus is battery {others}"
        elif self._error:
            reason += f"; {self._error}"
        elif profile.asks and not self._connection.acts_as_inverter and not self.frames:
            reason += "; this battery speaks when an inverter asks it (acts_as_inverter)"
        return reason

    def _next(self, bus: can.BusABC) -> can.Message | None:
        try:
            return bus.recv(_RECEIVE_TIMEOUT_S)
        except (ValueError, IndexError) as error:
            # A line from the serial adapter that is no frame; it is used up.
            self._hand_over(self._on_garbage, f"not a frame: {error}")
        except can.CanOperationError as error:
            if not isinstance(error.__cause__, UnicodeDecodeError):
                raise
            # The library keeps such a line, and would fail with each that follows.
            bus.flush()  # type: ignore[attr-defined]
            self._hand_over(self._on_garbage, f"not a frame: {error.__cause__}")
        return None

    def _tell_error(self, message: can.Message, now_ns: int) -> None:
        """Tells an error of the bus once a second at most: they come as fast as frames do."""
        self._error = error_in_words(message, self._connection.interface)
        if now_ns - self._error_told_ns >= NS_PER_S:
            self._error_told_ns = now_ns
            self._hand_over(self._on_garbage, self._error)

    def _take(self, message: can.Message, time_ns: int) -> bool:
        """Hands over a frame of the table's. Says whether it is one."""
        id_ = message.arbitration_id
        if message.is_remote_frame or message.is_fd:
            return False
        if self._ids.get(id_) != message.is_extended_id:
            self._see_another(id_, extended=message.is_extended_id)
            return False
        if not self._flood.takes(id_):
            return True
        if len(message.data) != message.dlc or message.dlc > 8:
            self._hand_over(self._on_garbage, f"frame 0x{id_:03X} is cut off")
            return True
        self.frames += 1
        self._hand_over(self._on_frame, id_, bytes(message.data), time_ns)
        return True

    def _see_another(self, id_: int, *, extended: bool) -> None:
        """Remembers which other batteries of this kind are on the bus."""
        if self._profile.addressed and extended:
            own = id_ & ~ADDRESS_BITS | self._connection.address
            if own in self._ids:
                self._others.add(id_ & ADDRESS_BITS)

    def _hand_over(self, callback: Callable[..., None], *arguments: object) -> None:
        # The loop is closed when the program ends before this thread does.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(callback, *arguments)

    def _end(self, reason: str) -> None:
        if not self._ended.done():
            self._ended.set_result(reason)


def _shut(bus: can.BusABC) -> None:
    with suppress(can.CanError, OSError, ValueError):
        bus.shutdown()
    # slcan leaves its port open if the adapter no longer takes the closing command.
    port = getattr(bus, "serialPortOrig", None)
    if port is not None:
        with suppress(OSError):
            port.close()
