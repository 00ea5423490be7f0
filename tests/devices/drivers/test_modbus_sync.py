"""The watchdog's blocking writer: the same checks, without an event loop of its own."""

import asyncio
import struct

import pytest

from holdfast.core.commands import Point
from holdfast.core.config.device import ModbusTcp
from holdfast.core.errors import DeviceRefused, DeviceUnreachable
from holdfast.core.signals import Signal
from holdfast.devices.drivers.modbus_sync import SyncModbusWriter
from holdfast.devices.profile import load_profile
from holdfast.testing.waiting import Stopwatch


@pytest.fixture
async def inverter(raw_device):
    device = raw_device()
    await device.start()
    yield device
    await device.stop()


@pytest.fixture
def writer(inverter):
    connection = ModbusTcp(host="127.0.0.1", port=inverter.port, device_id=7, timeout_s=0.15)
    writer = SyncModbusWriter(load_profile("generic_inverter"), connection)
    yield writer
    writer.close()


async def in_thread(function, *arguments):
    return await asyncio.to_thread(function, *arguments)


async def test_writes_and_reads(writer, inverter):
    await in_thread(writer.connect)
    await in_thread(writer.write, Point.SETPOINT_W, -70000.0)
    await in_thread(writer.write, Point.ENABLE, 0.0)
    assert [request.function for request in inverter.writes] == [16, 6]
    assert await in_thread(writer.read, Signal.SETPOINT_READBACK_W) == -70000
    inverter.registers[7] = (-55) & 0xFFFF
    assert await in_thread(writer.read, Signal.INVERTER_TEMPERATURE_C) == pytest.approx(-5.5)


async def test_without_connection_fails_at_once(writer, inverter):
    assert not writer.connected
    with Stopwatch() as watch, pytest.raises(DeviceUnreachable, match="not connected"):
        await in_thread(writer.write, Point.SETPOINT_W, 0.0)
    assert watch.passed_s < 0.1
    assert inverter.connections == 0, "it does not connect behind one's back"


async def test_absent_device(writer, inverter):
    await inverter.stop()
    with pytest.raises(DeviceUnreachable, match="cannot be connected to"):
        await in_thread(writer.connect)


@pytest.mark.parametrize(
    ("point", "value"),
    [(Point.CONTACTOR, 1.0), (Point.SETPOINT_W, float("nan")), (Point.ENABLE, -1.0)],
)
async def test_what_cannot_be_written_is_refused_and_not_sent(writer, inverter, point, value):
    await in_thread(writer.connect)
    with pytest.raises(DeviceRefused):
        await in_thread(writer.write, point, value)
    assert inverter.requests == []


async def test_unknown_or_implausible_signal_is_refused(writer, inverter):
    inverter.registers[7] = 20000
    await in_thread(writer.connect)
    with pytest.raises(DeviceRefused, match="no soc_pct"):
        await in_thread(writer.read, Signal.SOC_PCT)
    with pytest.raises(DeviceRefused, match="plausible"):
        await in_thread(writer.read, Signal.INVERTER_TEMPERATURE_C)


async def test_exception_answer_is_refused_and_the_connection_stays(writer, inverter):
    async def refusing(request, _):
        return request.frame(b"\x06", function=request.function | 0x80)

    inverter.hook = refusing
    await in_thread(writer.connect)
    with pytest.raises(DeviceRefused, match="exception 6"):
        await in_thread(writer.write, Point.SETPOINT_W, 0.0)
    inverter.hook = None
    await in_thread(writer.write, Point.SETPOINT_W, 0.0)


LIES = {
    "silence": lambda r: None,
    "other value": lambda r: r.frame(struct.pack(">HH", 4, 9)),
    "transaction 0": lambda r: r.frame(r.body, tid=0),
    "other transaction": lambda r: r.frame(r.body, tid=r.tid + 1),
    "other unit": lambda r: r.frame(r.body, unit=3),
    "other function": lambda r: r.frame(r.body, function=16),
    "unknown function": lambda r: r.frame(r.body, function=99),
    "cut off": lambda r: r.frame(r.body[:3]),
    "noise": lambda r: b"\xff" * 40,
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
async def test_wrong_answer_drops_the_connection(writer, inverter, lie):
    async def lying(request, _):
        return lie(request)

    inverter.hook = lying
    await in_thread(writer.connect)
    assert writer.connected
    with pytest.raises((DeviceRefused, DeviceUnreachable)):
        await in_thread(writer.write, Point.ENABLE, 1.0)
    assert not writer.connected
    with pytest.raises(DeviceUnreachable, match="not connected"):
        await in_thread(writer.write, Point.ENABLE, 1.0)
    assert len(inverter.writes) == 1
    inverter.hook = None
    await in_thread(writer.connect)
    await in_thread(writer.write, Point.ENABLE, 1.0)


async def test_transaction_ids_go_on_over_connections(writer, inverter):
    for _ in range(3):
        await in_thread(writer.connect)
        await in_thread(writer.write, Point.SETPOINT_W, 0.0)
    first, *others = (request.tid for request in inverter.requests)
    assert others == [first % 65_000 + 1, (first + 1) % 65_000 + 1]


async def test_device_that_hangs_up_is_unreachable(writer, inverter):
    await in_thread(writer.connect)
    await inverter.stop()
    with pytest.raises(DeviceUnreachable):
        await in_thread(writer.write, Point.SETPOINT_W, 0.0)


@pytest.fixture
def blind(inverter):
    """To a device that does not show what it was told."""
    connection = ModbusTcp(host="127.0.0.1", port=inverter.port, device_id=3, timeout_s=0.15)
    writer = SyncModbusWriter(load_profile("sma_sunny_island"), connection)
    yield writer
    writer.close()


async def test_of_what_a_device_does_not_show_counts_what_it_acknowledged(blind, inverter):
    await in_thread(blind.connect)
    with pytest.raises(DeviceRefused, match="not plausible"):
        await in_thread(blind.read, Signal.SETPOINT_READBACK_W)
    await in_thread(blind.write, Point.SETPOINT_W, -700.0)
    assert await in_thread(blind.read, Signal.SETPOINT_READBACK_W) == -700.0
    await in_thread(blind.write, Point.SETPOINT_W, 0.0)
    assert await in_thread(blind.read, Signal.SETPOINT_READBACK_W) == 0.0
    assert all(request.is_write for request in inverter.requests), "there is nothing to be read"


async def test_a_write_that_was_not_acknowledged_leaves_nothing_known(blind, inverter):
    await in_thread(blind.connect)
    await in_thread(blind.write, Point.SETPOINT_W, 0.0)

    async def refuses(request, writer):
        return request.frame(bytes([4]), function=request.function | 0x80)

    inverter.hook = refuses
    with pytest.raises(DeviceRefused):
        await in_thread(blind.write, Point.SETPOINT_W, -700.0)
    with pytest.raises(DeviceRefused, match="not plausible"):
        await in_thread(blind.read, Signal.SETPOINT_READBACK_W)
