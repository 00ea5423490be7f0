"""Before the first write a driver reads what the device holds, and keeps it."""

import asyncio
from dataclasses import dataclass, field

import pytest

from holdfast.core.commands import Point, Write
from holdfast.core.config.device import ModbusTcp
from holdfast.core.data_store import DataStore
from holdfast.core.errors import DeviceUnreachable
from holdfast.core.role import Role
from holdfast.devices.drivers.modbus import ModbusDriver
from holdfast.devices.drivers.modbus_sync import SyncModbusWriter
from holdfast.devices.profile import load_profile
from holdfast.devices.taking_over import TakenOver
from tests.devices.drivers.conftest import until

OWNERS = {47511: 1, 47512: 0, 47510: 5000, 47509: 1}
PROFILE = load_profile("goodwe_et").of(Role.INVERTER)


@dataclass
class Kept:
    """Keeps in memory, and how many writes had reached the device by then."""

    device: object
    is_needed: bool = True
    found: list[TakenOver] = field(default_factory=list)
    writes_before: list[int] = field(default_factory=list)
    given_up: str = ""

    def keep(self, found):
        self.is_needed = False
        self.found.append(found)
        self.writes_before.append(len(self.device.writes))

    def give_up(self, why):
        self.is_needed = False
        self.given_up = why


@pytest.fixture
async def device(raw_device):
    device = raw_device()
    device.registers |= OWNERS
    await device.start()
    yield device
    await device.stop()


@pytest.fixture(params=["watchdog", "controller"])
async def write(request, device):
    """Writes a setpoint as one of the two processes does, and keeps what was there before."""
    kept = Kept(device)
    connection = ModbusTcp(host="127.0.0.1", port=device.port, device_id=7, timeout_s=0.3)
    if request.param == "watchdog":
        writer = SyncModbusWriter(PROFILE, connection, before=kept)
        await asyncio.to_thread(writer.connect)

        async def write(power_w):
            await asyncio.to_thread(writer.write, Point.SETPOINT_W, power_w)

        yield write, kept
        writer.close()
        return
    driver = ModbusDriver(
        "x", {Role.INVERTER: "battery"}, PROFILE, connection, DataStore(["battery"]), before=kept
    )
    task = asyncio.create_task(driver.run())
    await until(lambda: driver._commands.connected and driver._readings.connected)

    async def send(power_w):
        await driver.write(
            Write(unit="battery", role=Role.INVERTER, point=Point.SETPOINT_W, value=power_w)
        )

    yield send, kept
    await driver.close()
    task.cancel()
    await asyncio.wait([task])


async def test_what_was_there_is_kept_before_the_first_write_and_once(write, device):
    send, kept = write
    await send(-1500.0)
    await send(0.0)
    (found,) = kept.found
    assert kept.writes_before == [0]
    assert not found.commanded
    assert {place[2]: word for place, word in found.words.items()} == OWNERS
    assert device.registers[47511] == 8


async def test_a_command_that_was_there_is_known_as_one(write, device):
    send, kept = write
    device.registers |= {47511: 11, 47512: 3000}
    await send(0.0)
    assert kept.found[0].commanded


async def test_a_device_that_does_not_tell_it_is_commanded_all_the_same(write, device):
    send, kept = write

    async def refuses(request, writer):
        if request.function == 3 and 47509 <= request.address <= 47512:
            return request.frame(b"\x02", function=0x83)
        return await device.proper(request, writer)

    device.hook = refuses
    await send(0.0)
    assert kept.found == []
    assert "exception 2" in kept.given_up
    assert device.registers[47511] == 8


async def test_one_that_does_not_answer_is_written_nothing_and_asked_again(write, device):
    send, kept = write

    async def silent(request, writer):
        return None if request.function == 3 else await device.proper(request, writer)

    device.hook = silent
    with pytest.raises(DeviceUnreachable):
        await send(0.0)
    assert kept.is_needed
    assert device.writes == []


async def test_where_it_is_known_already_nothing_is_read_for_it(write, device):
    send, kept = write
    kept.is_needed = False
    await send(0.0)
    assert kept.found == []
    assert device.registers[47511] == 8


async def test_one_that_cannot_be_given_back_is_not_read_for_it(raw_device):
    device = raw_device()
    await device.start()
    kept = Kept(device)
    connection = ModbusTcp(host="127.0.0.1", port=device.port, device_id=7, timeout_s=0.3)
    writer = SyncModbusWriter(load_profile("generic_inverter"), connection, before=kept)
    await asyncio.to_thread(writer.connect)
    await asyncio.to_thread(writer.write, Point.SETPOINT_W, 0.0)
    writer.close()
    await device.stop()
    assert kept.found == []
    assert all(request.is_write for request in device.requests)
