"""The watchdog's blocking writer: the same checks, without an event loop of its own."""

import asyncio
import struct
from pathlib import Path

import pytest

from holdfast.core.commands import Point
from holdfast.core.config.device import ModbusRtu, ModbusRtuTcp, ModbusTcp
from holdfast.core.errors import DeviceRefused, DeviceUnreachable
from holdfast.core.signals import Signal
from holdfast.devices.drivers.modbus_sync import SyncModbusWriter
from holdfast.devices.drivers.sync_wires import SyncWires
from holdfast.devices.profile import load_profile
from holdfast.testing.waiting import Stopwatch
from tests.devices.drivers.serial_bench import Registers, SerialBench, with_sum


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


@pytest.fixture
async def line(tmp_path):
    bench = SerialBench().open(tmp_path / "adapter")
    yield bench
    bench.unplug()


@pytest.fixture
def on_line(line):
    connection = ModbusRtu(port=line.path, device_id=7, timeout_s=0.15, baudrate=115_200)
    writer = SyncModbusWriter(load_profile("generic_inverter"), connection)
    yield writer
    writer.close()


async def test_on_a_serial_line_it_writes_and_reads(on_line, line):
    line.answers[7] = Registers(7, {7: (-55) & 0xFFFF})
    with pytest.raises(DeviceUnreachable, match="not connected"):
        await in_thread(on_line.write, Point.SETPOINT_W, 0.0)
    await in_thread(on_line.connect)
    await in_thread(on_line.write, Point.SETPOINT_W, -70000.0)
    assert await in_thread(on_line.read, Signal.SETPOINT_READBACK_W) == -70000
    assert await in_thread(on_line.read, Signal.INVERTER_TEMPERATURE_C) == pytest.approx(-5.5)


RTU_LIES = {
    "silence": lambda f: None,
    "other value": lambda f: with_sum(f[:4] + b"\x00\x09"),
    "other unit": lambda f: with_sum(bytes([3]) + f[1:6]),
    "other function": lambda f: with_sum(bytes([7, 16]) + f[2:6]),
    "cut off": lambda f: f[:5],
    "bad sum": lambda f: f[:-1] + bytes([f[-1] ^ 1]),
    "noise": lambda f: b"\xff" * 40,
}


@pytest.mark.parametrize("lie", RTU_LIES.values(), ids=RTU_LIES.keys())
async def test_on_a_serial_line_a_wrong_answer_is_none(on_line, line, lie):
    line.answers[7] = lie
    await in_thread(on_line.connect)
    with pytest.raises(DeviceUnreachable):
        await in_thread(on_line.write, Point.ENABLE, 1.0)
    assert not on_line.connected
    line.answers[7] = Registers(7)
    await in_thread(on_line.connect)
    await in_thread(on_line.write, Point.ENABLE, 1.0)


async def test_a_late_answer_is_not_taken_for_the_next(on_line, line):
    good = Registers(7, {2: 0, 3: 5})
    asked = []

    def comes_late(frame):
        asked.append(frame)
        if len(asked) == 2:
            asyncio.get_running_loop().call_later(0.03, line.say, good(frame))
            return with_sum(frame[:2] + b"\x04\x00\x00\x1a\x0a")
        return good(frame) if len(asked) > 2 else None

    line.answers[7] = comes_late
    for told in ("no answer: waited 0.15 s", "answered twice: one was too late"):
        await in_thread(on_line.connect)
        with pytest.raises(DeviceUnreachable, match=told):
            await in_thread(on_line.read, Signal.SETPOINT_READBACK_W)
    await in_thread(on_line.connect)
    assert await in_thread(on_line.read, Signal.SETPOINT_READBACK_W) == 5


async def test_two_hands_take_turns_on_one_line(line):
    wires = SyncWires()
    writers = []
    for device_id in (7, 8):
        line.answers[device_id] = Registers(device_id)
        connection = ModbusRtu(port=line.path, device_id=device_id, baudrate=115_200)
        writers.append(SyncModbusWriter(load_profile("generic_inverter"), connection, wires))

    def often(writer):
        writer.connect()
        for value in range(20):
            writer.write(Point.SETPOINT_W, float(value))
            assert writer.read(Signal.SETPOINT_READBACK_W) == value

    await asyncio.gather(*(in_thread(often, writer) for writer in writers))
    first, second = writers
    first.close()
    await in_thread(second.write, Point.SETPOINT_W, 1.0)
    stranger = SyncModbusWriter(load_profile("generic_inverter"), connection)
    with pytest.raises(DeviceUnreachable, match="another process of Holdfast is on this line"):
        await in_thread(stranger.connect)
    second.close()
    await in_thread(stranger.connect)
    stranger.close()


async def test_an_adapter_that_goes_is_lost_for_all_and_found_again(on_line, line):
    line.answers[7] = Registers(7)
    await in_thread(on_line.connect)
    link = Path(line.path)
    line.unplug()
    with pytest.raises(DeviceUnreachable, match="unplugged"):
        await in_thread(on_line.write, Point.SETPOINT_W, 0.0)
    with pytest.raises(DeviceUnreachable, match="there is no such adapter"):
        await in_thread(on_line.connect)
    line.open(link)
    await in_thread(on_line.connect)
    await in_thread(on_line.write, Point.SETPOINT_W, 0.0)


async def test_through_a_gateway_that_hands_bytes_on(raw_device):
    device = Registers(7)

    async def gateway(reader, writer):
        while head := await reader.read(256):
            writer.write(device(head))
        writer.close()

    server = await asyncio.start_server(gateway, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    connection = ModbusRtuTcp(host="127.0.0.1", port=port, device_id=7, timeout_s=0.3)
    writer = SyncModbusWriter(load_profile("generic_inverter"), connection)
    await in_thread(writer.connect)
    await in_thread(writer.write, Point.SETPOINT_W, 12.0)
    assert await in_thread(writer.read, Signal.SETPOINT_READBACK_W) == 12
    writer.close()
    server.close()
    with pytest.raises(DeviceUnreachable, match="connection refused"):
        await in_thread(writer.connect)
