"""The Modbus TCP driver polls a device by its table, and writes on a connection of its own."""

import asyncio
import socket
import time
from collections.abc import Callable, Mapping

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
from holdfast.devices.block_plan import RegisterBlock
from holdfast.devices.drivers.causes import cause_in_words
from holdfast.devices.drivers.modbus_link import Manners, ModbusLink, forget_unsent
from holdfast.devices.drivers.modbus_pdu import (
    describe,
    mismatch,
    read_request,
    refusal,
    transaction_ids,
    words_of,
    write_request,
)
from holdfast.devices.modbus_profile import ModbusProfile, PointWrite
from holdfast.devices.registers import LastShown, Place, RawImage, WriteRequest


def next_due_ns(due_ns: int, now_ns: int, period_ns: int) -> int:
    """Returns the first instant after ``now_ns`` on the schedule that had one at ``due_ns``.

    What was missed is left out, so that a stall is not followed by a burst.

    >>> next_due_ns(100, 103, 10), next_due_ns(100, 135, 10)
    (110, 140)
    """
    return due_ns + max(1, -((due_ns - now_ns) // period_ns)) * period_ns


MOVED = "its registers stand for something else than before"


class _Belief:
    """Holds what a device showed last, and what it has acknowledged since."""

    def __init__(self, profile: ModbusProfile) -> None:
        self._profile = profile
        self._rests_on = profile.rests_on(Point.SETPOINT_W)
        self._image: dict[Place, int] = {}
        self._told: dict[Signal, float] = {}
        self._written_ns = 0
        self._pv_w = 0.0
        """PV gave this when it was commanded last."""

    @property
    def held(self) -> LastShown:
        """Returns it."""
        return LastShown(image=self._image, told=self._told)

    def showed(self, image: dict[Place, int], asked_ns: Mapping[Place, int]) -> tuple[Told, ...]:
        """Takes a poll, whose registers count unless they may be of before the last write.

        Returns what it tells.
        """
        if min(asked_ns.values()) > self._written_ns:
            self._image = image
        for signal in self._rests_on:
            value = self._profile.value_of(signal, image)
            if SIGNALS[signal].is_plausible(value):
                self._told[signal] = value
        return self._profile.told(image, asked_ns, self._pv_w)

    def commands(self, point: Point) -> None:
        """A command goes out that rests on what is known now."""
        if point is Point.SETPOINT_W:
            self._pv_w = self._told.get(Signal.PV_POWER_W, 0.0)

    def wrote(self, request: WriteRequest, *, acknowledged: bool) -> None:
        """Takes what was written; without an acknowledgement nobody knows what it holds there."""
        self._written_ns = time.monotonic_ns()
        for place, word in zip(request.places, request.words, strict=True):
            self._image.pop(place, None)
            if acknowledged:
                self._image[place] = word


class ModbusDriver:
    """Serves one Modbus TCP device. Counts as a read each complete poll.

    It keeps two connections, since a command must never wait for a poll; with a device that takes
    one client only, a command waits for no more than the request that is under way.
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
        self._device_id = connection.device_id
        self._store = store
        self._take(profile)
        manners = Manners(pause_s=profile.pause_s, connect_pause_s=profile.connect_pause_s)
        self._commands = ModbusLink(connection, manners)
        # After an outage no reading may show for long what could not be written yet.
        self._readings = (
            self._commands
            if profile.single_client
            else ModbusLink(connection, manners, on_first_answer=self._commands.retry_now)
        )
        self._closed = False

    def _take(self, profile: ModbusProfile) -> None:
        """Goes by this table from now on, and knows nothing of the device yet."""
        self._profile = profile
        self._blocks = profile.blocks()
        self._points = profile.points
        self._belief = _Belief(profile)

    async def run(self) -> None:
        """Polls until cancelled or closed; survives every failure of the device."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._readings.keep(self._is_silent))
            if self._commands is not self._readings:
                group.create_task(self._commands.keep(self._count))
            group.create_task(self._poll())

    async def write(self, write: Write, is_stale: Callable[[], bool] = lambda: False) -> None:
        """Carries out one write now; nothing is queued and nothing tried again.

        What takes several requests ends between two of them once it ``is_stale``. Raises
        DeviceRefused if the device, or its table, does not take it, and DeviceUnreachable, at
        once, without a connection.
        """
        try:
            requests = self._requests_of(write)
            self._belief.commands(write.point)
            for request in requests:
                await self._send(request)
                if is_stale():
                    break
        except DeviceError as error:
            self._count(error)
            raise
        self.counters.writes += 1

    async def close(self) -> None:
        """Lets go of both connections; :meth:`run` ends by itself."""
        self._closed = True
        self._readings.close()
        self._commands.close()

    async def _send(self, request: WriteRequest) -> None:
        device_id = self._device_id if request.device_id is None else request.device_id
        try:
            await self._commands.request(write_request(request, device_id))
        except BaseException:  # a cancellation leaves as much unknown as a lost answer
            self._belief.wrote(request, acknowledged=False)
            raise
        self._belief.wrote(request, acknowledged=True)

    def _requests_of(self, write: Write) -> tuple[WriteRequest, ...]:
        if write.unit != self._owners.get(write.role):
            raise DeviceRefused(f"{self.name}: {write} is for another device")
        return _requests_of(self.name, self._points, write.point, write.value, self._belief.held)

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
        image: dict[Place, int] = {}
        asked_ns: dict[Place, int] = {}
        try:
            for block in self._blocks:
                sent_ns = time.monotonic_ns()
                image.update(zip(block.places, await self._read_block(block), strict=True))
                asked_ns.update(dict.fromkeys(block.places, sent_ns))
            self._check(image)
        except DeviceError as error:
            self._is_silent(error)
            return
        told = self._belief.showed(image, asked_ns)
        doubt = self._store.put_poll(self._owners, told)
        self.counters.took(doubt, time.monotonic_ns())

    def _check(self, image: RawImage) -> None:
        """Raises DeviceRefused if this poll is of no use."""
        if self._profile.moved(image):
            raise DeviceRefused(MOVED)

    async def _read_block(self, block: RegisterBlock) -> list[int]:
        device_id = self._device_id if block.device_id is None else block.device_id
        request = read_request(block.table, block.address, block.count, device_id)
        return words_of(await self._readings.request(request), block.count)

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
        self._pv_w = 0.0
        """PV gave this when it was commanded last."""

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
        told = {signal: self.read(signal) for signal in self._profile.rests_on(point)}
        held = LastShown(image=self._image_of(self._profile.basis_of(point)), told=told)
        self._pv_w = told.get(Signal.PV_POWER_W, 0.0)
        for request in _requests_of(self._name, points, point, value, held):
            self._exchange(write_request(request, self._id_of(request.device_id)))

    def read(self, signal: Signal) -> float:
        """Returns the present value of ``signal``. Raises DeviceError as :meth:`write`.

        A value outside the signal's plausible range is none: DeviceRefused.
        """
        if not (signal in self._profile.signals or self._profile.blocks_of(signal)):
            raise DeviceRefused(f"{self._name}: profile {self._profile.name} has no {signal}")
        image = self._image_of(self._profile.blocks_of(signal))
        value = self._profile.value_of(signal, image, self._pv_w)
        if not SIGNALS[signal].is_plausible(value):
            raise DeviceRefused(f"{self._name}: {signal} of {value:g} is not plausible")
        return value

    def _image_of(self, blocks: tuple[RegisterBlock, ...]) -> RawImage:
        """Returns what is there. Raises DeviceError as :meth:`write`."""
        image: dict[Place, int] = {}
        for block in blocks:
            image.update(zip(block.places, self.words(block), strict=True))
        if self._profile.moved(image):
            self.close()
            raise DeviceRefused(f"{self._name}: {MOVED}")
        return image

    def words(self, block: RegisterBlock) -> list[int]:
        """Returns the raw registers, or bits, of ``block``. Raises DeviceError as :meth:`write`."""
        device_id = self._id_of(block.device_id)
        request = read_request(block.table, block.address, block.count, device_id)
        return words_of(self._exchange(request), block.count)

    def _id_of(self, device_id: int | None) -> int:
        return self._connection.device_id if device_id is None else device_id

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


def _requests_of(
    name: str, points: Mapping[Point, PointWrite], point: Point, value: float, held: LastShown
) -> tuple[WriteRequest, ...]:
    row = points.get(point)
    if row is None:
        raise DeviceRefused(f"{name}: its profile has no point {point}")
    try:
        return row.requests(value, held)
    except ValueError as error:
        raise DeviceRefused(f"{name}: {point}: {error}") from error
