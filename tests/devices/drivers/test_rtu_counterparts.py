"""Modbus over a serial line, with what others have written on its other end."""

import asyncio
import ctypes
import shutil
import subprocess
from pathlib import Path

import pytest
from pymodbus.server import ModbusSerialServer
from pymodbus.simulator import DataType, SimData, SimDevice

from holdfast.core.commands import Point, Write
from holdfast.core.config.device import ModbusRtu
from holdfast.core.data_store import DataStore
from holdfast.core.role import Role
from holdfast.core.signals import Signal
from holdfast.devices.drivers.modbus import ModbusDriver
from holdfast.devices.drivers.modbus_pdu import read_request, write_request
from holdfast.devices.drivers.modbus_sync import SyncModbusWriter
from holdfast.devices.drivers.rtu_frame import frame_of
from holdfast.devices.profile import load_profile
from holdfast.devices.registers import WriteRequest
from holdfast.testing.processes import Process
from tests.devices.drivers.serial_bench import Registers, SerialBench, SerialPair

REGISTERS = [0, 4000, 0, 0, 1, 5, 0, 251, 0]
BAUD = 38_400
LIBMODBUS = "libmodbus.so.5"

SERVE = """
import ctypes, sys
lib = ctypes.CDLL("libmodbus.so.5", use_errno=True)
lib.modbus_new_rtu.restype = lib.modbus_mapping_new.restype = ctypes.c_void_p
port, device_id, registers = sys.argv[1], int(sys.argv[2]), eval(sys.argv[3])
context = ctypes.c_void_p(lib.modbus_new_rtu(port.encode(), 38400, ctypes.c_char(b"N"), 8, 1))
lib.modbus_set_slave(context, device_id)
assert lib.modbus_connect(context) == 0

class Mapping(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int) for name in (
        "nb_bits", "start_bits", "nb_input_bits", "start_input_bits", "nb_input_registers",
        "start_input_registers", "nb_registers", "start_registers")] + [
        ("tab_bits", ctypes.c_void_p), ("tab_input_bits", ctypes.c_void_p),
        ("tab_input_registers", ctypes.c_void_p),
        ("tab_registers", ctypes.POINTER(ctypes.c_uint16))]

mapping = ctypes.c_void_p(lib.modbus_mapping_new(8, 8, 100, 100))
held = ctypes.cast(mapping, ctypes.POINTER(Mapping)).contents
for address, value in enumerate(registers):
    held.tab_registers[address] = value
print("serves", flush=True)
query = (ctypes.c_uint8 * 256)()
while True:
    length = lib.modbus_receive(context, query)
    if length > 0:
        lib.modbus_reply(context, query, length, mapping)
"""


def has_libmodbus():
    try:
        ctypes.CDLL(LIBMODBUS)
    except OSError:
        return False
    return True


@pytest.fixture
def pair(tmp_path: Path):
    pair = SerialPair(tmp_path)
    yield pair
    pair.close()


async def lives_with(port: str, device_id: int, wait_until) -> None:
    """The driver reads its values, writes, reads back, and meets no error."""
    store = DataStore(("battery",))
    driver = ModbusDriver(
        "battery/inverter",
        {Role.INVERTER: "battery"},
        load_profile("generic_inverter"),
        ModbusRtu(port=port, baudrate=BAUD, device_id=device_id),
        store,
    )
    task = asyncio.create_task(driver.run())
    try:
        await wait_until(lambda: driver.counters.reads, within_s=20)
        for point, value in ((Point.SETPOINT_W, -4321.0), (Point.ENABLE, 0.0)):
            write = Write(unit="battery", role=Role.INVERTER, point=point, value=value)
            await driver.write(write)
        reads = driver.counters.reads
        await wait_until(lambda: driver.counters.reads >= reads + 3, within_s=20)
    finally:
        await driver.close()
        await asyncio.wait([task])
    image = store.image()["battery"]
    assert image[Signal.BATTERY_POWER_W].value == 4000
    assert image[Signal.SETPOINT_READBACK_W].value == -4321
    assert image[Signal.INVERTER_ENABLED].value == 0
    assert driver.counters.errors == 0, driver.counters.last_error


async def test_pymodbus_as_the_device(pair, wait_until):
    ours, theirs = pair.paths
    device = SimDevice(id=7, simdata=[SimData(0, values=REGISTERS, datatype=DataType.REGISTERS)])
    server = ModbusSerialServer(device, port=theirs, baudrate=BAUD)
    await server.serve_forever(background=True)
    try:
        await lives_with(ours, 7, wait_until)
    finally:
        await server.shutdown()


@pytest.mark.skipif(not has_libmodbus(), reason="libmodbus is not installed (apt: mbpoll)")
async def test_libmodbus_as_the_device(pair, tmp_path, wait_until):
    ours, theirs = pair.paths
    device = Process(tmp_path / "log", "-c", SERVE, theirs, "9", repr(REGISTERS))
    try:
        await wait_until(lambda: "serves" in device.output)
        await lives_with(ours, 9, wait_until)
        writer = SyncModbusWriter(
            load_profile("generic_inverter"), ModbusRtu(port=ours, baudrate=BAUD, device_id=9)
        )
        await asyncio.to_thread(writer.connect)
        await asyncio.to_thread(writer.write, Point.SETPOINT_W, 77.0)
        assert await asyncio.to_thread(writer.read, Signal.SETPOINT_READBACK_W) == 77
        writer.close()
    finally:
        device.end()


MBPOLL = {
    "holding registers": (["-t", "4", "-r", "1", "-c", "9"], read_request("holding", 0, 9, 7)),
    "input registers": (["-t", "3", "-r", "5", "-c", "2"], read_request("input", 4, 2, 7)),
    "a register": (
        ["-t", "4", "-r", "5", "--", "1"],
        write_request(
            WriteRequest(
                device_id=None, table="holding", address=4, words=(1,), function="single"
            ),
            7,
        ),
    ),
}  # fmt: skip


@pytest.mark.skipif(shutil.which("mbpoll") is None, reason="mbpoll is not installed (apt: mbpoll)")
@pytest.mark.parametrize(("asked", "request_"), MBPOLL.values(), ids=MBPOLL.keys())
async def test_mbpoll_asks_in_the_same_bytes(tmp_path, asked, request_):
    bench = SerialBench().open(tmp_path / "port")
    bench.answers[7] = Registers(7, dict(enumerate(REGISTERS)))
    head, _, values = " ".join(asked).partition(" -- ")
    command = [
        "mbpoll", "-m", "rtu", "-a", "7", "-b", str(BAUD), "-P", "none", "-1",
        *head.split(), bench.path, *values.split(),
    ]  # fmt: skip
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, timeout=20)
    bench.unplug()
    assert done.returncode == 0, done
    assert [frame for _, frame in bench.frames] == [frame_of(request_)]
