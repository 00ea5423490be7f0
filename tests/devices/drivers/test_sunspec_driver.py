"""The SunSpec driver: it finds the models before it believes or commands anything."""

import asyncio
import struct

import pytest

from holdfast.core.commands import Point, Write
from holdfast.core.config.device import ModbusTcp
from holdfast.core.config.storage import InverterHardware
from holdfast.core.data_store import DataStore
from holdfast.core.errors import DeviceRefused, DeviceUnreachable
from holdfast.core.reading import Good
from holdfast.core.role import Role
from holdfast.core.signals import Signal
from holdfast.devices.drivers import (
    SunSpecDriver,
    SyncSunSpecWriter,
    backoff,
    open_driver,
    open_sync,
)
from holdfast.devices.drivers.modbus import MOVED
from holdfast.devices.drivers.modbus_sync import SyncModbusWriter
from holdfast.devices.profile import load_profile
from holdfast.simulation.makers.sunspec_map import SimulatedModels
from tests.devices.drivers.conftest import until

HARDWARE = InverterHardware(
    charge_power_max_w=5000, discharge_power_max_w=5000, revert_timeout_s=60
)
UNIT = "battery"
MODELS = (701, 704)
COMMAND = Write(unit=UNIT, role=Role.INVERTER, point=Point.SETPOINT_W, value=1500.0)


def table():
    changed = load_profile("sunspec_704").model_copy(update={"poll_period_s": 0.02})
    return changed.bound(HARDWARE)


def models(*numbers, base=40000, w_power=0):
    """A device's models; 701 tells 230 W, 704 a timer."""
    found = SimulatedModels(numbers, {"W_SF": w_power, "Tmp_SF": -1}, base=base)
    if 701 in numbers:
        found.put(701, "W", 230)
        found.put(701, "InvSt", 3)
        found.put(701, "TmpSnk", 312)
    if 704 in numbers:
        for name in ("WSetEna", "WSetMod", "WSetEnaRvrt"):
            found.put(704, name, 0)
        for name in ("WSet", "WSetRvrt", "WSetRvrtTms"):
            found.put(704, name, 0, 0)
    return found


class Bench:
    """A driver in front of a hand-made device, which refuses what it does not have."""

    def __init__(self, device):
        self.device = device
        self.has(models(*MODELS))
        device.hook = self.answer
        self.store = DataStore((UNIT,))
        self.driver: SunSpecDriver
        self.task = None

    def has(self, found):
        self.models = found
        self.device.registers = found.words

    async def answer(self, request, _writer):
        address, count = struct.unpack(">HH", request.body[:4])
        places = range(address, address + count)
        if any(place not in self.device.registers for place in places):
            return request.frame(b"\x02", function=request.function | 0x80)
        return await self.device.proper(request)

    @property
    def connection(self):
        return ModbusTcp(host="127.0.0.1", port=self.device.port, timeout_s=0.3)

    async def start(self):
        await self.device.start()
        self.driver = open_driver(
            "box", {Role.INVERTER: UNIT}, table(), self.connection, self.store
        )
        self.task = asyncio.create_task(self.driver.run())

    def told(self, signal):
        sample = self.store.image()[UNIT].get(signal)
        return sample.value if isinstance(sample, Good) else None

    async def write(self):
        """Once it may be written to."""
        for _ in range(2000):
            try:
                await self.driver.write(COMMAND)
            except (DeviceRefused, DeviceUnreachable):
                await asyncio.sleep(0.005)
            else:
                return
        pytest.fail("it takes no command")

    def at(self, name, number=704):
        return self.models.at(number, name)

    async def end(self):
        if self.task is not None:
            await self.driver.close()
            self.task.cancel()
            await asyncio.wait([self.task])
        await self.device.stop()


@pytest.fixture
async def bench(raw_device, monkeypatch):
    monkeypatch.setattr(backoff, "_FIRST_S", 0.02)
    bench = Bench(raw_device())
    yield bench
    await bench.end()


async def test_it_finds_the_models_and_tells_what_they_tell(bench):
    await bench.start()
    await until(lambda: bench.told(Signal.BATTERY_POWER_W) == -230.0)
    assert bench.told(Signal.INVERTER_TEMPERATURE_C) == pytest.approx(31.2)
    assert bench.told(Signal.INVERTER_FAULT) == 0.0


@pytest.mark.parametrize("base", [0, 50000])
async def test_it_finds_them_at_another_base(bench, base):
    bench.has(models(*MODELS, base=base))
    await bench.start()
    await until(lambda: bench.told(Signal.BATTERY_POWER_W) == -230.0)


async def test_a_power_of_ten_that_changes_is_believed_at_once(bench):
    await bench.start()
    await until(lambda: bench.told(Signal.BATTERY_POWER_W) == -230.0)
    bench.models.put(701, "W_SF", 1)
    bench.has(bench.models)
    await until(lambda: bench.told(Signal.BATTERY_POWER_W) == -2300.0)


async def test_a_command_goes_where_the_models_are(bench):
    await bench.start()
    await bench.write()
    words = bench.device.registers
    assert [words[bench.at("WSet") + index] for index in (0, 1)] == [0xFFFF, 0x10000 - 1500]
    assert (words[bench.at("WSetMod")], words[bench.at("WSetEna")]) == (1, 1)
    assert words[bench.at("WSetRvrtTms") + 1] == 60
    await until(lambda: bench.told(Signal.SETPOINT_READBACK_W) == 1500.0)


async def test_nothing_is_written_before_the_models_are_known(bench):
    bench.has(models(701))
    await bench.start()
    await until(lambda: bench.driver.counters.tries > 0)
    with pytest.raises(DeviceRefused, match="box: it has not told yet where its models are"):
        await bench.driver.write(COMMAND)
    assert bench.device.writes == []
    assert "model 704 is not there" in bench.driver.counters.why_silent


@pytest.mark.parametrize(
    ("numbers", "why"),
    [
        ((701,), "model 704 is not there: no revert_timeout_readback_s, setpoint_w"),
        ((704,), "model 701 is not there: no battery_power_w, inverter_fault"),
    ],
)
async def test_a_device_that_lacks_a_model_is_silent_for_that_reason(bench, numbers, why):
    bench.has(models(*numbers))
    await bench.start()
    await until(lambda: bench.driver.counters.why_silent.startswith(why))
    assert bench.driver.counters.reads == 0
    bench.has(models(*MODELS))
    await until(lambda: bench.told(Signal.BATTERY_POWER_W) is not None)


async def test_a_device_that_speaks_no_sunspec_is_silent_for_that_reason(bench):
    bench.device.registers = {}
    await bench.start()
    await until(lambda: "does not speak SunSpec" in bench.driver.counters.why_silent)


async def test_models_that_move_are_found_again_and_nothing_wrong_is_believed(bench):
    await bench.start()
    await until(lambda: bench.told(Signal.BATTERY_POWER_W) == -230.0)
    values = set()
    bench.store.on_change(
        lambda _, signal, sample: (
            values.add(sample.value)
            if signal is Signal.BATTERY_POWER_W and isinstance(sample, Good)
            else None
        )
    )
    moved = models(103, *MODELS)
    moved.put(701, "W", 777)
    bench.has(moved)
    await until(lambda: bench.told(Signal.BATTERY_POWER_W) == -777.0)
    assert values == {-777.0}
    await bench.write()
    assert bench.device.registers[bench.at("WSetEna")] == 1


async def test_between_two_requests_of_a_command_it_may_move(bench):
    await bench.start()
    await bench.write()
    seen = len(bench.device.writes)

    async def moving(request, writer):
        if request.is_write:
            bench.driver._known_on = None
        return await bench.answer(request, writer)

    bench.device.hook = moving
    with pytest.raises(DeviceRefused, match="where its models are"):
        await bench.driver.write(COMMAND)
    assert len(bench.device.writes) == seen + 1


async def test_after_a_lost_connection_it_looks_whether_they_are_still_there(bench):
    await bench.start()
    await bench.write()
    bench.device.requests.clear()
    bench.device._abort_all()
    await until(lambda: bench.device.requests)
    await bench.write()
    first = bench.device.requests[0]
    assert first.address == 40004, "who it is"
    assert 40000 not in {request.address for request in bench.device.requests}, "it is the same"


async def test_another_device_at_the_same_place_is_found_out(bench):
    await bench.start()
    await bench.write()
    await bench.device.stop()
    other = models(120, *MODELS)
    other.put(1, "SN", 0x4142)
    bench.has(other)
    bench.device.requests.clear()
    await bench.device.start()
    await bench.write()
    assert bench.device.writes[-1].address == bench.at("WSetEna")
    assert bench.device.registers[bench.at("WSetEna")] == 1


async def test_coarser_steps_than_the_table_says_are_refused(bench):
    bench.models.put(704, "WSet_SF", 2)
    bench.has(bench.models)
    await bench.start()
    await until(lambda: bench.driver.counters.reads > 1)
    with pytest.raises(DeviceRefused, match=r"in steps of 100 W.* no longer than 10 W"):
        await bench.driver.write(COMMAND)
    assert bench.device.writes == []


# --------------------------------------------------------- the watchdog's


@pytest.fixture
async def writer(bench):
    await bench.device.start()
    writer = open_sync(table(), bench.connection)
    assert isinstance(writer, SyncSunSpecWriter)
    yield writer
    writer.close()


async def in_thread(function, *arguments):
    return await asyncio.to_thread(function, *arguments)


async def test_the_watchdog_reads_and_writes_by_the_models_too(bench, writer):
    await in_thread(writer.connect)
    await in_thread(writer.write, Point.SETPOINT_W, -1230.0)
    words = bench.device.registers
    assert [words[bench.at("WSet") + index] for index in (0, 1)] == [0, 1230]
    assert await in_thread(writer.read, Signal.SETPOINT_READBACK_W) == -1230.0
    assert await in_thread(writer.read, Signal.BATTERY_POWER_W) == -230.0


async def test_without_a_connection_the_watchdog_sends_nothing(bench, writer):
    with pytest.raises(DeviceUnreachable, match="not connected"):
        await in_thread(writer.write, Point.SETPOINT_W, 0.0)
    assert bench.device.requests == []


async def test_the_watchdog_is_told_what_is_lacking(bench, writer):
    bench.has(models(701))
    with pytest.raises(DeviceRefused, match="model 704 is not there"):
        await in_thread(writer.connect)
    assert not writer.connected
    bench.has(models(*MODELS))
    await in_thread(writer.connect)
    assert writer.connected


async def test_the_watchdog_writes_to_no_model_that_has_moved(bench, writer):
    await in_thread(writer.connect)
    bench.has(models(103, *MODELS))
    with pytest.raises(DeviceRefused, match=MOVED):
        await in_thread(writer.write, Point.SETPOINT_W, 0.0)
    assert bench.device.writes == []
    assert not writer.connected
    await in_thread(writer.connect)
    await in_thread(writer.write, Point.SETPOINT_W, 0.0)
    assert bench.device.registers[bench.at("WSetEna")] == 1


async def test_the_watchdog_finds_them_once(bench, writer):
    await in_thread(writer.connect)
    bench.device.requests.clear()
    await in_thread(writer.connect)
    assert bench.device.requests[0].address == 40004
    assert len(bench.device.requests) == 3


async def test_a_device_that_falls_silent_while_it_is_asked_is_unreachable(bench, writer):
    async def silent(request, writer):
        return None if request.address == 40002 else await bench.answer(request, writer)

    bench.device.hook = silent
    with pytest.raises(DeviceUnreachable):
        await in_thread(writer.connect)
    assert not writer.connected


def test_a_plain_table_has_the_plain_writer():
    connection = ModbusTcp(host="127.0.0.1", port=1)
    assert type(open_sync(load_profile("generic_inverter"), connection)) is SyncModbusWriter
