"""The Modbus driver polls a device by its table, and writes what it is told to."""

import asyncio
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from holdfast.core.commands import Point, Write
from holdfast.core.config.device import Modbus
from holdfast.core.data_store import DataStore, Told
from holdfast.core.errors import DeviceError, DeviceRefused
from holdfast.core.ports import CommsCounters
from holdfast.core.role import Role
from holdfast.core.signals import SIGNALS, Signal
from holdfast.core.units import NS_PER_S, ns_from_s
from holdfast.devices.block_plan import RegisterBlock
from holdfast.devices.drivers.modbus_pdu import read_request, requests_of, words_of, write_request
from holdfast.devices.drivers.wires import Wires, where
from holdfast.devices.modbus_profile import ModbusProfile
from holdfast.devices.register_image import LastShown, Place, RawImage, WriteRequest
from holdfast.devices.taking_over import Remembers, owned_blocks, taken_over

_SHOWN = Signal.SETPOINT_READBACK_W


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
        self._unread: dict[Place, int] = {}
        """It has acknowledged these words, and a poll does not read them."""
        self._polled = {place for block in profile.blocks() for place in block.places}
        self._told: dict[Signal, float] = {}
        self._written_ns = 0
        self._pv_w = 0.0
        """PV gave this when it was commanded last."""
        self._commanding = False

    @property
    def held(self) -> LastShown:
        """Returns it."""
        return LastShown(image=self._image, told=self._told)

    def showed(self, image: dict[Place, int], asked_ns: Mapping[Place, int]) -> tuple[Told, ...]:
        """Takes a poll, whose registers count unless they may be of before the last write.

        Returns what it tells.
        """
        half_way = self._commanding or min(asked_ns.values()) <= self._written_ns
        if not half_way:
            self._image = image | self._unread
        for signal in self._rests_on:
            value = self._profile.value_of(signal, image)
            if SIGNALS[signal].is_plausible(value):
                self._told[signal] = value
        told = self._profile.told(image | self._unread, asked_ns, self._pv_w)
        if not half_way:
            return told
        # Between two writes of a command it holds no command at all.
        return tuple(one for one in told if not (one.signal is _SHOWN and math.isnan(one.value)))

    @contextmanager
    def commanding(self, point: Point) -> Iterator[None]:
        """A command goes out that rests on what is known now."""
        if point is Point.SETPOINT_W:
            self._pv_w = self._told.get(Signal.PV_POWER_W, 0.0)
        self._commanding = True
        try:
            yield
        finally:
            self._commanding = False

    def wrote(self, request: WriteRequest, *, acknowledged: bool) -> None:
        """Takes what was written; without an acknowledgement nobody knows what it holds there."""
        self._written_ns = time.monotonic_ns()
        for place, word in zip(request.places, request.words, strict=True):
            self._image.pop(place, None)
            self._unread.pop(place, None)
            if acknowledged:
                self._image[place] = word
                if place not in self._polled:
                    self._unread[place] = word


class ModbusDriver:
    """Serves one Modbus device. Counts as a read each complete poll.

    A command never waits for a poll, but where both are on one wire for no more than the request
    that is under way.
    """

    def __init__(
        self,
        name: str,
        owners: Mapping[Role, str],
        profile: ModbusProfile,
        connection: Modbus,
        store: DataStore,
        wires: Wires | None = None,
        before: Remembers | None = None,
    ) -> None:
        """Without ``wires`` it shares its wire with no other driver. ``before`` keeps what the
        device held before the first write."""
        self._before = before
        self.name = name
        self.counters = CommsCounters(where=where(connection))
        self._owners = owners
        self._device_id = connection.device_id
        self._store = store
        self._take(profile)
        links = (wires or Wires()).links(connection, profile, self.counters.failed)
        self._commands, self._readings = links
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
            await self._take_over()
            with self._belief.commanding(write.point):
                for request in requests:
                    await self._send(request, is_safe=write.is_always_safe)
                    if is_stale():
                        break
        except DeviceError as error:
            self._count(error)
            raise
        self.counters.writes += 1

    async def _take_over(self) -> None:
        """Keeps what the device holds, before the first write; one that does not tell it is
        commanded all the same."""
        if self._before is None or not self._before.is_needed:
            return
        image: dict[Place, int] = {}
        try:
            for block in owned_blocks(self._profile):
                words, _ = await self._read_block(block)
                image.update(zip(block.places, words, strict=True))
        except DeviceRefused as error:
            self._before.give_up(str(error))
            return
        if image:
            await asyncio.to_thread(self._before.keep, taken_over(self._profile, image))

    async def close(self) -> None:
        """Lets go of the device; :meth:`run` ends by itself."""
        self._closed = True
        self._readings.close()
        self._commands.close()

    async def _send(self, request: WriteRequest, *, is_safe: bool) -> None:
        device_id = self._device_id if request.device_id is None else request.device_id
        try:
            await self._commands.request(write_request(request, device_id), is_safe=is_safe)
        except BaseException:  # a cancellation leaves as much unknown as a lost answer
            self._belief.wrote(request, acknowledged=False)
            raise
        self._belief.wrote(request, acknowledged=True)

    def _requests_of(self, write: Write) -> tuple[WriteRequest, ...]:
        if write.unit != self._owners.get(write.role):
            raise DeviceRefused(f"{self.name}: {write} is for another device")
        return requests_of(self.name, self._points, write.point, write.value, self._belief.held)

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
                words, sent_ns = await self._read_block(block)
                image.update(zip(block.places, words, strict=True))
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

    async def _read_block(self, block: RegisterBlock) -> tuple[list[int], int]:
        """Returns its words, and when they were asked for."""
        device_id = self._device_id if block.device_id is None else block.device_id
        request = read_request(block.table, block.address, block.count, device_id)
        reply = await self._readings.request(request)
        return words_of(reply.pdu, block.count), reply.sent_ns

    def _is_silent(self, error: DeviceError) -> None:
        self.counters.silent(str(error))

    def _count(self, error: DeviceError) -> None:
        self.counters.failed(str(error))
