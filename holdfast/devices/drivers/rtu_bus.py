"""An RTU bus is one line with several devices on it: one open port, one request at a time.

An answer does not tell to which request it belongs. So before each request what has come unasked is
thrown away, and the line has to be silent; what is not exactly the answer that was asked for is
counted in words and never accepted; and the first answer after one that did not come in time is
believed only if no second one follows it.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from pymodbus.pdu import ModbusPDU

from holdfast.core.config.device import RtuLine
from holdfast.core.errors import DeviceRefused, DeviceUnreachable
from holdfast.devices.drivers.backoff import Backoff
from holdfast.devices.drivers.link import CheckedAnswer
from holdfast.devices.drivers.modbus_pdu import describe, refusal
from holdfast.devices.drivers.rtu_frame import (
    LONGEST,
    LULL_S,
    answer_in,
    frame_of,
    is_beginning,
    silence_of,
    stray,
)
from holdfast.devices.drivers.rtu_line import OpenLine, open_line
from holdfast.devices.drivers.station import Station
from holdfast.devices.drivers.turns import Turns, Urgency

OnError = Callable[[DeviceUnreachable], None]


class RtuBus:
    """Keeps one line open while somebody sits on it, and carries their requests."""

    def __init__(self, connection: RtuLine) -> None:
        self._connection = connection
        self._silence_s = silence_of(connection)
        self._turns = Turns()
        self._line: OpenLine | None = None
        self._lost = asyncio.Event()
        self._why_lost = ""
        self._heard = bytearray()
        self._news = asyncio.Event()
        self._quiet_from_s = 0.0
        """Nothing may be sent before this time, unless more is heard until then."""
        self._quiet_after_s = self._silence_s
        """So long is the line to be silent after a byte."""
        self._seats: dict[Seat, OnError] = {}
        self._keeper: asyncio.Task[None] | None = None

    @property
    def is_open(self) -> bool:
        """Says whether something can be sent."""
        return self._line is not None

    async def keep(self, seat: "Seat", on_error: OnError) -> None:
        """Keeps the line open until ``seat`` is closed, and no longer than anybody sits here."""
        self._seats[seat] = on_error
        if self._keeper is None:
            self._keeper = asyncio.create_task(self._keep_open(), name="rtu line")
        closed = asyncio.ensure_future(seat.closed.wait())
        try:
            await asyncio.wait((closed, self._keeper), return_when=asyncio.FIRST_COMPLETED)
            if self._keeper is not None and self._keeper.done():
                self._keeper.result()
        finally:
            closed.cancel()
            self.leave(seat)

    def leave(self, seat: "Seat") -> None:
        """Takes a seat away; with the last one the line is closed."""
        self._seats.pop(seat, None)
        if not self._seats and self._keeper is not None:
            self._keeper.cancel()
            self._keeper = None
            self._drop("it is closed")

    async def ask(self, station: Station, request: ModbusPDU, urgency: Urgency) -> CheckedAnswer:
        """Sends ``request`` in its turn, and returns its checked answer. Raises DeviceError.

        A command that has not had its turn within the time-out of its device is not sent at all.
        """
        while True:
            await asyncio.sleep(station.pause_s(self.now_s()))
            async with self._turn(station, request, urgency):
                if station.pause_s(self.now_s()) > 0.0:  # another request came before
                    continue
                return await self._exchange(station, request)

    @asynccontextmanager
    async def _turn(
        self, station: Station, request: ModbusPDU, urgency: Urgency
    ) -> AsyncIterator[None]:
        limit_s = station.timeout_s if urgency is Urgency.COMMAND else None
        try:
            async with asyncio.timeout(limit_s):
                await self._turns.take(station, urgency)
        except TimeoutError as error:
            why = f"others were on the line for {limit_s:g} s"
            raise DeviceUnreachable(f"{describe(request)} was not sent: {why}") from error
        try:
            yield
        finally:
            self._turns.give_back()

    # ------------------------------------------------------------------ one request

    async def _exchange(self, station: Station, request: ModbusPDU) -> CheckedAnswer:
        line, silent_s = self._line, station.silent_s(self.now_s())
        if line is None:
            raise DeviceUnreachable(f"not connected, {describe(request)} was not sent")
        if silent_s > 0.0:
            why = f"it does not answer, and is asked again in {silent_s:.1f} s"
            raise DeviceUnreachable(f"{describe(request)} was not sent: {why}")
        in_step = False
        try:
            await self._until_quiet(station, request)
            sent_ns, sent_s = time.monotonic_ns(), self.now_s()
            answer = await self._answer(line, station, request)
            took_s = self.now_s() - sent_s
            if station.in_doubt:
                await self._hear_no_second(station, request)
            in_step = True
        except TimeoutError as error:
            station.failed(self.now_s())
            if line.has_unsent():  # it would meet a device that comes back later
                self._drop("what was sent does not leave this computer")
            raise DeviceUnreachable(
                f"no answer to {describe(request)}: {self._what_came(station)}"
            ) from error
        except DeviceUnreachable:
            station.failed(self.now_s())
            raise
        except asyncio.CancelledError:
            station.in_doubt = True
            raise
        finally:
            self._quiet_after_s = self._silence_s if in_step else LULL_S
            self._quiet_from_s = self.now_s() + self._quiet_after_s
        station.answered(took_s, self.now_s())
        if reason := refusal(answer):
            raise DeviceRefused(f"{describe(request)} was answered with {reason}")
        return CheckedAnswer(pdu=answer, sent_ns=sent_ns)

    async def _until_quiet(self, station: Station, request: ModbusPDU) -> None:
        """Waits until the line is silent, and throws away what has come."""
        end_s = self.now_s() + station.timeout_s
        while (pause_s := self._quiet_from_s - self.now_s()) > 0.0:
            if self.now_s() >= end_s:
                raise DeviceUnreachable(
                    f"{describe(request)} was not sent: the line is never silent"
                )
            await asyncio.sleep(pause_s)
        if self._heard:
            station.on_stray(f"{len(self._heard)} bytes that nobody had asked for, or too late")
            self._heard.clear()

    async def _answer(self, line: OpenLine, station: Station, request: ModbusPDU) -> ModbusPDU:
        """Returns what is exactly the answer. Frames of others are counted and passed over."""
        async with asyncio.timeout(station.timeout_s):
            self._news.clear()
            self._send(line, frame_of(request))
            while True:
                await self._news.wait()
                self._news.clear()
                if self._line is not line:
                    raise DeviceUnreachable(f"no answer to {describe(request)}: {self._why_lost}")
                heard = bytes(self._heard)
                answer = answer_in(request, heard)
                if answer is not None:
                    self._heard.clear()
                    return answer
                if heard and not is_beginning(request, heard):
                    await self._judge_stray(station, request)

    def _send(self, line: OpenLine, frame: bytes) -> None:
        try:
            line.send(frame)
        except DeviceUnreachable as error:
            self._drop(str(error))
            raise

    async def _judge_stray(self, station: Station, request: ModbusPDU) -> None:
        """Counts what is not the answer. Raises DeviceUnreachable if it may have been, garbled."""
        self._quiet_after_s = LULL_S
        self._quiet_from_s = self.now_s() + LULL_S
        while (pause_s := self._quiet_from_s - self.now_s()) > 0.0:  # noqa: ASYNC110 - it moves
            await asyncio.sleep(pause_s)
        found = stray(request, bytes(self._heard))
        self._heard.clear()
        if not found.is_frame:
            raise DeviceUnreachable(f"no answer to {describe(request)}: {found.reason}")
        station.on_stray(f"{describe(request)} was answered with {found.reason}")

    async def _hear_no_second(self, station: Station, request: ModbusPDU) -> None:
        """Listens whether another answer follows: then the first was a late one."""
        await asyncio.sleep(station.doubt_s)
        if self._heard:
            self._heard.clear()
            raise DeviceUnreachable(f"{describe(request)} was answered twice: one was too late")

    def _what_came(self, station: Station) -> str:
        came, waited = len(self._heard), f"waited {station.timeout_s:g} s"
        self._heard.clear()
        return f"{waited}, and only {came} bytes came" if came else waited

    # ------------------------------------------------------------------ the line

    async def _keep_open(self) -> None:
        backoff = Backoff()
        while True:
            try:
                line = await open_line(self._connection, self._on_bytes, self._drop)
            except DeviceUnreachable as error:
                self._tell(error)
            else:
                opened_s = self._opened(line)
                await self._lost.wait()
                if self.now_s() - opened_s > Backoff.LONGEST_S:
                    backoff.reset()
                self._tell(DeviceUnreachable(self._why_lost))
            await asyncio.sleep(backoff.next_s())

    def _opened(self, line: OpenLine) -> float:
        now_s = self.now_s()
        self._lost.clear()
        self._heard.clear()
        self._quiet_from_s = now_s + LULL_S
        for seat in self._seats:
            seat.station.connected(now_s)
        self._line = line
        if line.is_closed:  # already, before anybody has noted that it was open
            self._drop("the connection was closed as soon as it was made")
        return now_s

    def _tell(self, error: DeviceUnreachable) -> None:
        for on_error in tuple(self._seats.values()):
            on_error(error)

    def _on_bytes(self, data: bytes) -> None:
        # Nothing that is longer can be an answer, and a line that babbles fills no memory.
        self._heard += data[: LONGEST + 1 - len(self._heard)]
        self._quiet_from_s = self.now_s() + self._quiet_after_s
        self._news.set()

    def _drop(self, why: str) -> None:
        line, self._line = self._line, None
        self._why_lost = why
        self._lost.set()
        self._news.set()
        if line is not None:
            line.close()

    def now_s(self) -> float:
        """Tells the time of the event loop."""
        return asyncio.get_running_loop().time()


class Seat:
    """Is one device's link on a bus, for its commands or for its polls."""

    def __init__(self, bus: RtuBus, station: Station, urgency: Urgency) -> None:
        self.station = station
        self.closed = asyncio.Event()
        self._bus = bus
        self._urgency = urgency

    @property
    def connected(self) -> bool:
        """Says whether a request would be sent: not before the device is to be asked again."""
        return self._bus.is_open and not self.station.silent_s(self._bus.now_s())

    @property
    def connections(self) -> int:
        """Counts the connections, and the silences of the device, after which it may be another."""
        return self.station.connections

    async def keep(self, on_error: OnError) -> None:
        """Keeps the line open until closed."""
        if not self.closed.is_set():
            await self._bus.keep(self, on_error)

    async def request(self, request: ModbusPDU, *, is_safe: bool = False) -> CheckedAnswer:
        """Sends ``request`` in its turn and returns its checked answer. Raises DeviceError."""
        urgency = Urgency.SAFE if is_safe else self._urgency
        return await self._bus.ask(self.station, request, urgency)

    def close(self) -> None:
        """Lets go of the line, for good."""
        self.closed.set()
        self._bus.leave(self)
