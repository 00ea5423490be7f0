"""The Modbus TCP driver polls a device by its table, and writes on a connection of its own."""

import asyncio
import socket
import time
from collections.abc import Mapping
from dataclasses import replace

from pymodbus.client import ModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ModbusPDU

from holdfast.core.commands import Point, Write
from holdfast.core.config.device import ModbusTcp
from holdfast.core.data_store import DataStore, Told
from holdfast.core.errors import DeviceError, DeviceRefused, DeviceUnreachable
from holdfast.core.ports import CommsCounters
from holdfast.core.role import Role
from holdfast.core.signals import SIGNALS, Signal
from holdfast.core.units import NS_PER_S, ns_from_s
from holdfast.devices.drivers.causes import cause_in_words
from holdfast.devices.drivers.modbus_link import ModbusLink, forget_unsent
from holdfast.devices.drivers.modbus_pdu import (
    describe,
    mismatch,
    read_request,
    refusal,
    transaction_ids,
    words_of,
    write_request,
)
from holdfast.devices.profile import (
    ModbusProfile,
    RegisterBlock,
    RegisterRead,
    RegisterWrite,
    Table,
)


def next_due_ns(due_ns: int, now_ns: int, period_ns: int) -> int:
    """Returns the first instant after ``now_ns`` on the schedule that had one at ``due_ns``.

    What was missed is left out, so that a stall is not followed by a burst.

    >>> next_due_ns(100, 103, 10), next_due_ns(100, 135, 10)
    (110, 140)
    """
    return due_ns + max(1, -((due_ns - now_ns) // period_ns)) * period_ns


class ModbusDriver:
    """Serves one Modbus TCP device. Counts as a read each complete poll.

    It keeps two connections, since a command must never wait for a poll.
    """

    def __init__(
        self,
        name: str,
        owners: Mapping[Role, str],
        profile: ModbusProfile,
        connection: ModbusTcp,
        store: DataStore,
    ) -> None:
        self.name = name
        self.counters = CommsCounters(
            where=f"{connection.host}:{connection.port}, device {connection.device_id}"
        )
        self._owners = owners
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
        """Polls until cancelled or closed; survives every failure of the device."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._readings.keep(self._is_silent))
            group.create_task(self._commands.keep(self._count))
            group.create_task(self._poll())

    async def write(self, write: Write) -> None:
        """Carries out one write now; nothing is queued and nothing tried again.

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
        """Lets go of both connections; :meth:`run` ends by itself."""
        self._closed = True
        self._readings.close()
        self._commands.close()

    def _request_of(self, write: Write) -> ModbusPDU:
        if write.unit != self._owners.get(write.role):
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
        poll: list[Told] = []
        try:
            for block in self._blocks:
                poll += await self._read_block(block)
        except DeviceError as error:
            self._is_silent(error)
            return
        doubt = self._store.put_poll(self._owners, poll)
        self.counters.took(doubt, time.monotonic_ns())

    async def _read_block(self, block: RegisterBlock) -> list[Told]:
        request = read_request(block.table, block.address, block.count, self._device_id)
        sent_ns = time.monotonic_ns()
        words = words_of(await self._readings.request(request), block.count)
        return [
            _told(read, words[start : start + read.count], sent_ns)
            for read in block.reads
            for start in (read.address - block.address,)
        ]

    def _is_silent(self, error: DeviceError) -> None:
        self.counters.silent(str(error))

    def _count(self, error: DeviceError) -> None:
        self.counters.failed(str(error))


class SyncModbusWriter:
    """Writes and reads on one connection, blocking, for the watchdog process."""

    def __init__(self, profile: ModbusProfile, connection: ModbusTcp) -> None:
        self._profile = profile
        self._connection = connection
        self._client: ModbusTcpClient | None = None
        self._ids = transaction_ids()
        self._name = f"{connection.host}:{connection.port}"

    @property
    def connected(self) -> bool:
        """Says whether it can be used: not before :meth:`connect`, nor after a failed exchange."""
        return self._client is not None and self._client.connected

    def connect(self) -> None:
        """Connects anew. Raises DeviceUnreachable."""
        self.close()
        client = ModbusTcpClient(
            self._connection.host,
            port=self._connection.port,
            timeout=self._connection.timeout_s,
            retries=0,
        )
        address = (self._connection.host, self._connection.port)
        try:
            # The library's own connect() tells nobody why it could not.
            client.socket = socket.create_connection(address, timeout=self._connection.timeout_s)
        except (OSError, ValueError) as error:
            reason = cause_in_words(error)
            raise DeviceUnreachable(f"{self._name}: cannot be connected to: {reason}") from error
        self._client = client

    def write(self, point: Point, value: float) -> None:
        """Writes ``value`` now. Raises DeviceRefused or DeviceUnreachable, as the driver does.

        After DeviceUnreachable the connection is gone: :meth:`connect` must come before the next
        try.
        """
        points = self._profile.points
        self._exchange(_write_request(self._name, points, point, value, self._connection.device_id))

    def read(self, signal: Signal) -> float:
        """Returns the present value of ``signal``. Raises DeviceError as :meth:`write`.

        A value outside the signal's plausible range is none: DeviceRefused.
        """
        rows = [read for read in self._profile.reads if read.signal is signal]
        if not rows:
            raise DeviceRefused(f"{self._name}: profile {self._profile.name} has no {signal}")
        row = rows[0]
        value = row.decode(self.words(row.table, row.address, row.count))
        if not SIGNALS[signal].is_plausible(value):
            raise DeviceRefused(f"{self._name}: {signal} of {value:g} is not plausible")
        return value

    def words(self, table: Table, address: int, count: int) -> list[int]:
        """Returns ``count`` raw registers, or bits. Raises DeviceError as :meth:`write`."""
        request = read_request(table, address, count, self._connection.device_id)
        return words_of(self._exchange(request), count)

    def close(self) -> None:
        """Lets go of the connection; what was not yet delivered never will be."""
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
        client.transaction.next_tid = next(self._ids)
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


def _told(read: RegisterRead, words: list[int], time_ns: int) -> Told:
    told = Told(signal=read.signal, value=read.decode(words), time_ns=time_ns)
    if told.is_plausible or len(words) == 1:
        return told
    swapped = read.decode(words[::-1])
    if not SIGNALS[read.signal].is_plausible(swapped):
        return told
    return replace(
        told, hint=f"it would be {swapped:g} with its two words the other way round (words)"
    )


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
