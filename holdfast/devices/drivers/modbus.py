"""Modbus TCP: polls a device by its table, writes on a connection of its own."""

import asyncio
import time
from collections.abc import Mapping

from pymodbus.client import ModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ModbusPDU

from holdfast.core.commands import Point, Write
from holdfast.core.data_store import DataStore
from holdfast.core.device_config import ModbusTcp
from holdfast.core.errors import DeviceError, DeviceRefused, DeviceUnreachable
from holdfast.core.ports import CommsCounters
from holdfast.core.signals import SIGNALS, Signal
from holdfast.core.units import NS_PER_S, ns_from_s
from holdfast.devices.drivers.modbus_link import ModbusLink, forget_unsent
from holdfast.devices.drivers.modbus_pdu import (
    describe,
    mismatch,
    read_request,
    refusal,
    words_of,
    write_request,
)
from holdfast.devices.profile import Block, ModbusProfile, RegisterWrite

_Values = list[tuple[Signal, float, int]]
"""Signal, value, monotonic time."""


def next_due_ns(due_ns: int, now_ns: int, period_ns: int) -> int:
    """The first instant after ``now_ns`` on the schedule that had one at ``due_ns``.

    What was missed is left out, so that a stall is not followed by a burst.

    >>> next_due_ns(100, 103, 10), next_due_ns(100, 135, 10)
    (110, 140)
    """
    return due_ns + max(1, -((due_ns - now_ns) // period_ns)) * period_ns


class ModbusDriver:
    """One Modbus TCP device. Counts as a read each complete poll.

    It keeps two connections, since a command must never wait for a poll.
    """

    def __init__(
        self, owner: str, profile: ModbusProfile, connection: ModbusTcp, store: DataStore
    ) -> None:
        self.name = f"{owner}/{profile.role}"
        self.counters = CommsCounters()
        self._owner = owner
        self._profile = profile
        self._device_id = connection.device_id
        self._store = store
        self._blocks = profile.blocks()
        self._points = profile.points
        self._commands = ModbusLink(connection)
        # After an outage no reading may show for long what could not be written yet.
        self._readings = ModbusLink(connection, on_first_answer=self._commands.retry_now)
        self._closed = False

    async def run(self) -> None:
        """Poll until cancelled or closed; survives every failure of the device."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._readings.keep(self._count))
            group.create_task(self._commands.keep(self._count))
            group.create_task(self._poll())

    async def write(self, write: Write) -> None:
        """Carry out one write now; nothing is queued and nothing tried again.

        Raises DeviceRefused if the device, or its table, does not take it, and
        DeviceUnreachable, at once, without a connection.
        """
        try:
            await self._commands.request(self._request_of(write))
        except DeviceError as error:
            self._count(error)
            raise
        self.counters.writes += 1

    async def close(self) -> None:
        """Let go of both connections; :meth:`run` ends by itself."""
        self._closed = True
        self._readings.close()
        self._commands.close()

    def _request_of(self, write: Write) -> ModbusPDU:
        if write.unit != self._owner or write.role is not self._profile.role:
            raise DeviceRefused(f"{self.name}: {write} is for another device")
        return _write_request(self.name, self._points, write.point, write.value, self._device_id)

    async def _poll(self) -> None:
        period_ns = ns_from_s(self._profile.poll_period_s)
        due_ns = time.monotonic_ns()
        while not self._closed:
            if self._readings.connected:
                await self._read_once()
            now_ns = time.monotonic_ns()
            due_ns = next_due_ns(due_ns, now_ns, period_ns)
            await asyncio.sleep((due_ns - now_ns) / NS_PER_S)

    async def _read_once(self) -> None:
        values: _Values = []
        try:
            for block in self._blocks:
                values += await self._read_block(block)
        except DeviceError as error:
            self._count(error)
            return
        for signal, value, time_ns in values:
            self._store.put(self._profile.role, self._owner, signal, value, time_ns)
        self.counters.reads += 1

    async def _read_block(self, block: Block) -> _Values:
        request = read_request(block.table, block.address, block.count, self._device_id)
        sent_ns = time.monotonic_ns()
        words = words_of(await self._readings.request(request), block.count)
        return [
            (read.signal, read.decode(words[start : start + read.count]), sent_ns)
            for read in block.reads
            for start in (read.address - block.address,)
        ]

    def _count(self, error: DeviceError) -> None:
        self.counters.errors += 1
        self.counters.last_error = str(error)


class SyncModbusWriter:
    """Blocking writes and reads on one connection, for the watchdog process."""

    def __init__(self, profile: ModbusProfile, connection: ModbusTcp) -> None:
        self._profile = profile
        self._connection = connection
        self._client: ModbusTcpClient | None = None
        self._name = f"{connection.host}:{connection.port}"

    @property
    def connected(self) -> bool:
        """False before :meth:`connect`, and after an exchange that went wrong."""
        return self._client is not None and self._client.connected

    def connect(self) -> None:
        """Connect anew. Raises DeviceUnreachable."""
        self.close()
        client = ModbusTcpClient(
            self._connection.host,
            port=self._connection.port,
            timeout=self._connection.timeout_s,
            retries=0,
        )
        try:
            connected = client.connect()  # type: ignore[no-untyped-call]  # has no annotations
        except (OSError, ValueError) as error:
            raise DeviceUnreachable(f"{self._name}: cannot be connected to: {error}") from error
        if not connected:
            raise DeviceUnreachable(f"{self._name}: cannot be connected to")
        self._client = client

    def write(self, point: Point, value: float) -> None:
        """Write ``value`` now. Raises DeviceRefused or DeviceUnreachable, as the driver does.

        After DeviceUnreachable the connection is gone: :meth:`connect` before the next try.
        """
        points = self._profile.points
        self._exchange(_write_request(self._name, points, point, value, self._connection.device_id))

    def read(self, signal: Signal) -> float:
        """Present value of ``signal``. Raises DeviceError as :meth:`write`.

        A value outside the signal's plausible range is none: DeviceRefused.
        """
        rows = [read for read in self._profile.reads if read.signal is signal]
        if not rows:
            raise DeviceRefused(f"{self._name}: profile {self._profile.name} has no {signal}")
        row = rows[0]
        request = read_request(row.table, row.address, row.count, self._connection.device_id)
        value = row.decode(words_of(self._exchange(request), row.count))
        if not SIGNALS[signal].low <= value <= SIGNALS[signal].high:
            raise DeviceRefused(f"{self._name}: {signal} of {value:g} is not plausible")
        return value

    def close(self) -> None:
        """Let go of the connection; what was not yet delivered never will be."""
        client, self._client = self._client, None
        if client is None:
            return
        if client.socket is not None:
            forget_unsent(client.socket)
        client.close()  # type: ignore[no-untyped-call]  # has no annotations

    def _exchange(self, request: ModbusPDU) -> ModbusPDU:
        client = self._client
        if client is None or not client.connected:
            raise DeviceUnreachable(f"{self._name}: not connected, {describe(request)} not sent")
        in_step = False
        try:
            answer = client.execute(False, request)  # noqa: FBT003 - positional in the library
            if reason := mismatch(request, answer):
                raise DeviceRefused(f"{self._name}: {describe(request)} answered with {reason}")
            in_step = True
        except (ModbusException, OSError) as error:
            raise DeviceUnreachable(f"{self._name}: {describe(request)}: {error}") from error
        finally:
            if not in_step:
                self.close()
        if reason := refusal(answer):
            raise DeviceRefused(f"{self._name}: {describe(request)}: {reason}")
        return answer


def _write_request(
    name: str, points: Mapping[Point, RegisterWrite], point: Point, value: float, device_id: int
) -> ModbusPDU:
    row = points.get(point)
    if row is None:
        raise DeviceRefused(f"{name}: its profile has no point {point}")
    try:
        return write_request(row, row.encode(value), device_id)
    except ValueError as error:
        raise DeviceRefused(f"{name}: {point}: {error}") from error
