"""A SunSpec device on a serial line: found, read and commanded there as over TCP."""

import asyncio
import struct
from pathlib import Path

import pytest

from holdfast.core.commands import Point
from holdfast.core.config.device import ModbusRtu
from holdfast.core.data_store import DataStore
from holdfast.core.errors import DeviceRefused, DeviceUnreachable
from holdfast.core.reading import Good
from holdfast.core.role import Role
from holdfast.core.signals import Signal
from holdfast.devices.drivers import SyncWires, Wires, backoff, open_driver, open_sync
from tests.devices.drivers.conftest import until
from tests.devices.drivers.serial_bench import Registers, SerialBench, with_sum
from tests.devices.drivers.test_sunspec_driver import COMMAND, MODELS, UNIT, models, table


class Device(Registers):
    """Refuses what it does not have; says nothing while it is ``silent``."""

    silent = False

    def has(self, found):
        self.models, self.registers = found, found.words

    def __call__(self, frame):
        if self.silent:
            return None
        address, count = struct.unpack(">HH", frame[2:6])
        wanted = range(address, address + (1 if frame[1] == 6 else count))
        if any(place not in self.registers for place in wanted):
            return with_sum(bytes([frame[0], frame[1] | 0x80, 2]))
        return super().__call__(frame)


class Line:
    def __init__(self, folder: Path) -> None:
        self.device = Device(7)
        self.device.has(models(*MODELS))
        self.bench = SerialBench({7: self.device}).open(folder / "ttyUSB0")
        self.connection = ModbusRtu(
            port=self.bench.path, device_id=7, timeout_s=0.1, baudrate=115_200
        )


@pytest.fixture
async def line(tmp_path, monkeypatch):
    monkeypatch.setattr(backoff, "_FIRST_S", 0.02)
    line = Line(tmp_path)
    yield line
    line.bench.unplug()


@pytest.fixture
async def driver(line):
    line.store = DataStore((UNIT,))
    driver = open_driver(
        "box", {Role.INVERTER: UNIT}, table(), line.connection, line.store, Wires()
    )
    task = asyncio.create_task(driver.run())
    yield driver
    await driver.close()
    task.cancel()
    await asyncio.wait([task])


def power_w(line):
    sample = line.store.image()[UNIT].get(Signal.BATTERY_POWER_W)
    return sample.value if isinstance(sample, Good) else None


async def written(driver):
    for _ in range(2000):
        try:
            await driver.write(COMMAND)
        except (DeviceRefused, DeviceUnreachable):
            await asyncio.sleep(0.005)
        else:
            return
    pytest.fail("it takes no command")


async def test_it_is_found_read_and_commanded(line, driver):
    await until(lambda: power_w(line) == -230.0)
    await written(driver)
    assert line.device.registers[line.device.models.at(704, "WSetEna")] == 1


async def test_after_a_silence_it_may_be_another(line, driver):
    await written(driver)
    line.device.silent = True
    await until(lambda: "no answer" in driver.counters.why_silent)
    line.device.has(models(103, *MODELS))
    line.device.requests.clear()
    line.device.silent = False
    await written(driver)
    moved = line.device.models
    assert line.device.registers[moved.at(704, "WSetEna")] == 1
    (first, *_) = line.device.writes
    assert struct.unpack(">H", first[2:4])[0] >= moved.at(704, "WSetEna")


async def test_the_watchdog_finds_it_there_too(line):
    writer = open_sync(table(), line.connection, SyncWires())
    try:
        await asyncio.to_thread(writer.connect)
        assert await asyncio.to_thread(writer.read, Signal.BATTERY_POWER_W) == -230.0
        await asyncio.to_thread(writer.write, Point.SETPOINT_W, 0.0)
    finally:
        writer.close()
    assert line.device.registers[line.device.models.at(704, "WSetEna")] == 1
