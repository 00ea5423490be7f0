"""A Modbus device made by hand, byte by byte, so that it can misbehave in every way."""

import asyncio
import struct
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from holdfast.core.config.device import ModbusTcp
from holdfast.core.data_store import DataStore
from holdfast.core.reading import Good
from holdfast.devices.drivers import backoff
from holdfast.devices.drivers.modbus import ModbusDriver
from holdfast.devices.profile import load_profile


@dataclass(frozen=True)
class Request:
    """What a client sent."""

    tid: int
    unit: int
    function: int
    body: bytes
    received_ns: int

    @property
    def address(self):
        return struct.unpack(">H", self.body[:2])[0]

    @property
    def is_write(self):
        return self.function > 4

    def frame(self, body, *, tid=None, unit=None, function=None):
        """An answer to this request, with any part of it replaced."""
        function = self.function if function is None else function
        unit = self.unit if unit is None else unit
        tid = self.tid if tid is None else tid
        return struct.pack(">HHHBB", tid, 0, len(body) + 2, unit, function) + body


Hook = Callable[[Request, asyncio.StreamWriter], Awaitable[bytes | None]]


@dataclass
class RawDevice:
    """Holding registers, coils and discrete inputs behind a socket; ``hook`` replaces answers."""

    registers: dict[int, int] = field(default_factory=dict)
    bits: dict[int, bool] = field(default_factory=dict)
    hook: Hook | None = None
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    resets: int = 0
    port: int = 0
    _server: asyncio.Server | None = None
    _writers: set = field(default_factory=set)
    _tasks: set = field(default_factory=set)

    @property
    def writes(self):
        return [request for request in self.requests if request.is_write]

    async def start(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self):
        if self._server is None:
            return
        # Python 3.11 leaks a connection that is being accepted while its server closes;
        # so first accept no more, and let those under way arrive.
        for listening in self._server.sockets:
            asyncio.get_running_loop().remove_reader(listening.fileno())
        self._abort_all()
        await asyncio.sleep(0.01)
        self._server.close()
        self._abort_all()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=1)
        await self._server.wait_closed()
        await asyncio.sleep(0.01)
        self._server = None

    def _abort_all(self):
        for writer in list(self._writers):
            writer.transport.abort()

    async def _serve(self, reader, writer):
        self.connections += 1
        self._writers.add(writer)
        task = asyncio.current_task()
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            while True:
                tid, _, length, unit, function = struct.unpack(
                    ">HHHBB", await reader.readexactly(8)
                )
                body = await reader.readexactly(length - 2)
                request = Request(tid, unit, function, body, time.monotonic_ns())
                self.requests.append(request)
                answer = await (self.hook(request, writer) if self.hook else self.proper(request))
                if answer:
                    writer.write(answer)
        except asyncio.IncompleteReadError:
            pass
        except ConnectionError:
            self.resets += 1
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    async def proper(self, request, writer=None):
        """What a good device answers."""
        address, number = struct.unpack(">HH", request.body[:4])
        if request.function in (1, 2):
            value = sum(self.bits.get(address + i, False) << i for i in range(number))
            size = -(-number // 8)
            return request.frame(bytes([size]) + value.to_bytes(size, "little"))
        if request.function in (3, 4):
            return request.frame(self.words(address, number))
        if request.function == 5:
            self.bits[address] = number == 0xFF00
            return request.frame(request.body)
        if request.function == 6:
            self.registers[address] = number
            return request.frame(request.body)
        if request.function == 15:
            for i in range(number):
                self.bits[address + i] = bool(request.body[5 + i // 8] >> (i % 8) & 1)
        if request.function == 16:
            for i, word in enumerate(struct.unpack(f">{number}H", request.body[5:])):
                self.registers[address + i] = word
        return request.frame(request.body[:4])

    def words(self, address, count, *, override=None):
        """Body of a read answer."""
        values = [
            self.registers.get(address + i, 0) if override is None else override
            for i in range(count)
        ]
        return bytes([2 * count]) + struct.pack(f">{count}H", *values)


async def until(condition, *, within_s=60.0):
    """Wait for ``condition``; the test fails if it does not come true."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        await asyncio.sleep(0.002)


@dataclass
class Rig:
    """A running driver of one profile in front of a hand-made device."""

    device: RawDevice
    driver: ModbusDriver
    store: DataStore
    seen: list
    """Every sample that ever changed the image."""
    owner: str
    task: asyncio.Task | None = None

    def good(self, signal):
        sample = self.store.image()[self.owner].get(signal)
        return sample.value if isinstance(sample, Good) else None

    def time_ns(self, signal):
        return self.store.image()[self.owner][signal].time_ns

    async def start(self, *, connected=True):
        self.task = asyncio.create_task(self.driver.run())
        if connected:
            await self.until_connected()

    async def until_connected(self):
        await until(lambda: self.driver._commands.connected and self.driver._readings.connected)

    async def end(self):
        await self.driver.close()
        if self.task is not None:
            self.task.cancel()
            await asyncio.wait([self.task])
            assert self.task.cancelled() or self.task.exception() is None
        await self.device.stop()


@pytest.fixture
async def rig(monkeypatch):
    """Build a rig: ``await rig("generic_inverter")``; ends with the test."""
    monkeypatch.setattr(backoff, "_FIRST_S", 0.02)
    rigs = []

    async def build(
        profile="generic_inverter", *, timeout_s=0.15, device_id=7, present=True, **changes
    ):
        changes = {"poll_period_s": 0.02} | changes
        table = load_profile(profile).model_copy(update=changes)
        owner = "site" if profile in {"generic_meter", "generic_emergency_input"} else "battery"
        device = RawDevice()
        await device.start()
        connection = ModbusTcp(
            host="127.0.0.1", port=device.port, device_id=device_id, timeout_s=timeout_s
        )
        if not present:
            await device.stop()
        store = DataStore(("battery",))
        seen = []
        store.on_change(lambda _, signal, sample: seen.append((signal, sample)))
        owners = dict.fromkeys(table.roles, owner)
        driver = ModbusDriver(f"{owner}/{table.roles[0]}", owners, table, connection, store)
        rigs.append(Rig(device, driver, store, seen, owner))
        return rigs[-1]

    yield build
    for one in rigs:
        await one.end()


@pytest.fixture
def wait_until():
    return until


@pytest.fixture
def raw_device():
    return RawDevice
