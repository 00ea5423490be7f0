"""Modbus over a serial line: one device that behaves, goes away, and comes back."""

import asyncio
import errno
from itertools import pairwise
from pathlib import Path

import pytest

from holdfast.core.commands import Point, Write
from holdfast.core.config.device import ModbusRtu, ModbusRtuTcp
from holdfast.core.data_store import DataStore
from holdfast.core.errors import DeviceRefused, DeviceUnreachable
from holdfast.core.reading import Good
from holdfast.core.role import Role
from holdfast.core.signals import Signal
from holdfast.devices.drivers import Wires, backoff
from holdfast.devices.drivers.modbus import ModbusDriver
from holdfast.devices.drivers.serial_port import SerialPort
from holdfast.devices.profile import load_profile
from tests.devices.drivers.serial_bench import Registers, SerialBench, with_sum

INVERTER = {0: 0xFFFF, 1: (-1234) & 0xFFFF, 2: 1, 3: 2, 4: 1, 5: 5, 7: 251}
METER = {0: 0, 1: 500, 2: 2301, 3: 5000}


def setpoint(value, point=Point.SETPOINT_W):
    return Write(unit="battery", role=Role.INVERTER, point=point, value=value)


@pytest.fixture(autouse=True)
def quick_again(monkeypatch):
    monkeypatch.setattr(backoff, "_FIRST_S", 0.02)
    monkeypatch.setattr(backoff, "_LONGEST_S", 0.2)


class Bus:
    """Drivers of one process, on one line."""

    def __init__(self, bench: SerialBench) -> None:
        self.bench = bench
        self.wires = Wires()
        self.store = DataStore(("battery",))
        self.drivers: list[ModbusDriver] = []
        self.tasks: list[asyncio.Task] = []

    def add(self, profile="generic_inverter", device_id=7, timeout_s=0.1, start=True, **changes):
        table = load_profile(profile).model_copy(update={"poll_period_s": 0.02} | changes)
        owner = "site" if "meter" in profile else "battery"
        driver = ModbusDriver(
            f"{owner}/{device_id}", dict.fromkeys(table.roles, owner), table,
            ModbusRtu(
                port=self.bench.path, device_id=device_id, timeout_s=timeout_s, baudrate=115_200
            ),
            self.store, self.wires,
        )  # fmt: skip
        self.drivers.append(driver)
        if start:
            self.tasks.append(asyncio.create_task(driver.run()))
        return driver

    def good(self, signal, owner="battery"):
        sample = self.store.image()[owner].get(signal)
        return sample.value if isinstance(sample, Good) else None

    async def end(self):
        for driver in self.drivers:
            await driver.close()
        if self.tasks:
            _, pending = await asyncio.wait(self.tasks, timeout=5)
            assert not pending, "a driver that is closed does not end"
            for task in self.tasks:
                assert task.exception() is None


@pytest.fixture
async def bench(tmp_path: Path):
    bench = SerialBench().open(tmp_path / "adapter")
    yield bench
    bench.unplug()


@pytest.fixture
async def bus(bench):
    bus = Bus(bench)
    yield bus
    await bus.end()


async def test_a_device_on_a_serial_line_is_read_and_written(bench, bus, wait_until):
    device = bench.answers[7] = Registers(7, dict(INVERTER))
    driver = bus.add()
    await wait_until(lambda: driver.counters.reads)
    assert bus.good(Signal.BATTERY_POWER_W) == -1234
    assert bus.good(Signal.INVERTER_TEMPERATURE_C) == pytest.approx(25.1)
    await driver.write(setpoint(-2500.0))
    await driver.write(setpoint(1.0, Point.ENABLE))
    assert [frame[1] for frame in device.writes] == [16, 6]
    await wait_until(lambda: bus.good(Signal.SETPOINT_READBACK_W) == -2500)
    assert driver.counters.where == f"{bench.path}, device 7"
    assert driver.counters.errors == 0


async def test_between_two_frames_the_line_is_silent(bench, bus, wait_until):
    bench.answers[7] = Registers(7, dict(INVERTER))
    driver = bus.add(poll_period_s=0.001)
    await wait_until(lambda: driver.counters.reads > 20)
    times = [at for at, _ in bench.frames]
    assert min(b - a for a, b in pairwise(times)) > 0.00175


async def test_a_port_that_is_not_there_is_told_and_found_when_it_comes(bench, bus, wait_until):
    link = Path(bench.path)
    bench.unplug()
    driver = bus.add()
    await wait_until(lambda: driver.counters.tries > 2)
    assert driver.counters.why_silent == "there is no such adapter"
    with pytest.raises(DeviceUnreachable, match="not connected"):
        await driver.write(setpoint(0.0))
    bench.answers[7] = Registers(7, dict(INVERTER))
    bench.open(link)
    await wait_until(lambda: driver.counters.reads)


async def test_an_adapter_that_is_unplugged_is_told_and_used_again(
    bench, bus, wait_until, monkeypatch
):
    turns = []
    read = SerialPort.read
    monkeypatch.setattr(SerialPort, "read", lambda port: (turns.append(port), read(port))[1])
    bench.answers[7] = Registers(7, dict(INVERTER))
    driver = bus.add()
    await wait_until(lambda: driver.counters.reads)
    link = Path(bench.path)
    bench.unplug()
    await wait_until(lambda: driver.counters.why_silent)
    said = {driver.counters.last_error}
    turns.clear()
    await asyncio.sleep(0.5)
    assert len(turns) < 10, "a port that went away keeps the event loop spinning"
    said.add(driver.counters.last_error)
    assert any("unplugged" in text or "no such adapter" in text for text in said)
    reads = driver.counters.reads
    bench.open(link)
    await wait_until(lambda: driver.counters.reads > reads)


async def test_what_is_no_port_is_told(tmp_path, bus, bench, wait_until):
    plain = tmp_path / "plain"
    plain.write_text("")
    bench.path = str(plain)
    driver = bus.add()
    await wait_until(lambda: driver.counters.tries)
    assert driver.counters.why_silent == "this is no serial port"


async def test_a_port_that_may_not_be_opened_names_the_group(bench, bus, wait_until, monkeypatch):
    def forbidden(*_args, **_options):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("serial.Serial", forbidden)
    driver = bus.add()
    await wait_until(lambda: driver.counters.tries)
    assert "group dialout" in driver.counters.why_silent


async def test_another_on_the_line_is_told(bench, bus, wait_until):
    bench.answers[7] = Registers(7, dict(INVERTER))
    first = bus.add()
    await wait_until(lambda: first.counters.reads)
    other = Bus(bench)
    second = other.add()
    await wait_until(lambda: second.counters.tries)
    assert "another process" in second.counters.why_silent
    await other.end()


def lies():
    """What a device says instead of its answer, to a read of ``count`` registers."""

    def words(count, value=6666):
        return count.to_bytes(1, "big") + value.to_bytes(2, "big") * (count // 2)

    def changed(frame, body):
        return with_sum(body)

    return {
        "other id": lambda f: with_sum(bytes([9, f[1]]) + words(2 * f[5])),
        "other function": lambda f: with_sum(bytes([f[0], 4]) + words(2 * f[5])),
        "too short": lambda f: with_sum(f[:2] + words(2 * f[5] - 2)),
        "too long": lambda f: with_sum(f[:2] + words(2 * f[5] + 2)),
        "bad sum": lambda f: with_sum(f[:2] + words(2 * f[5]))[:-1] + b"\x00",
        "bad sum and too long": lambda f: with_sum(f[:2] + words(2 * f[5])) + b"\x00",
        "half": lambda f: with_sum(f[:2] + words(2 * f[5]))[:9],
        "echo": lambda f: f,
        "noise": lambda f: bytes(range(40)),
        "zeros": lambda f: bytes(40),
        "much noise": lambda f: bytes(3000),
        "exception of another function": lambda f: with_sum(bytes([f[0], 0x84, 2])),
        "a write's answer": lambda f: with_sum(bytes([f[0], 6, 0, 0, 0x1A, 0x0A])),
    }


@pytest.mark.parametrize("lie", lies().values(), ids=lies().keys())
async def test_what_is_not_the_answer_is_counted_and_never_believed(bench, bus, lie, wait_until):
    seen = []
    bus.store.on_change(lambda _, signal, sample: seen.append(sample))
    bench.answers[7] = lie
    driver = bus.add()
    await wait_until(lambda: driver.counters.tries >= 2)
    assert seen == []
    assert driver.counters.errors >= 2
    bench.answers[7] = Registers(7, dict(INVERTER))
    await wait_until(lambda: driver.counters.reads)
    values = {sample.value for sample in seen if isinstance(sample, Good)}
    assert 6666 not in values
    assert bus.good(Signal.BATTERY_POWER_W) == -1234


async def test_each_answer_that_was_not_accepted_is_told_in_words(bench, bus, wait_until):
    said = []
    driver = bus.add(start=False)
    counted = driver.counters.failed
    for station in {driver._commands.station, driver._readings.station}:
        station.on_stray = lambda text: (said.append(text), counted(text))
    bench.answers[7] = lies()["other id"]
    bus.tasks.append(asyncio.create_task(driver.run()))
    await wait_until(lambda: said)
    assert said[0].endswith("was answered with device id 9 instead of 7")
    bench.answers[7] = lies()["too short"]
    await wait_until(lambda: "8 registers instead of 9" in said[-1])
    bench.answers[7] = lies()["echo"]
    await wait_until(lambda: "its own echo" in said[-1])
    bench.answers[7] = lies()["bad sum"]
    await wait_until(lambda: "whose check sum is wrong" in driver.counters.why_silent)


async def test_a_late_answer_is_no_answer_to_the_next_request(bench, bus, wait_until):
    """It comes just after the next question, from the same device and in the same shape."""
    good = Registers(7, dict(INVERTER))
    late = []

    def comes_late(frame):
        if not late:
            late.append(with_sum(frame[:2] + bytes([18]) + (6666).to_bytes(2, "big") * 9))
            return None
        if len(late) == 1:
            late.append(b"")
            asyncio.get_running_loop().call_later(0.03, bench.say, good(frame))
            return late[0]
        return good(frame)

    seen = []
    bus.store.on_change(lambda _, signal, sample: seen.append(sample))
    bench.answers[7] = comes_late
    driver = bus.add()
    await wait_until(lambda: driver.counters.reads)
    assert len(late) == 2
    assert 6666 not in {sample.value for sample in seen if isinstance(sample, Good)}
    assert driver.counters.errors >= 2


async def test_an_answer_that_comes_while_nobody_asks_is_thrown_away(bench, bus, wait_until):
    """In the shape of the next one, which it would be taken for if the line were not drained."""
    said = []
    good = Registers(7, dict(INVERTER))
    answers = iter([None])
    bench.answers[7] = lambda frame: next(answers, good(frame))
    driver = bus.add(start=False)
    driver._readings.station.on_stray = said.append
    seen = []
    bus.store.on_change(lambda _, signal, sample: seen.append(sample))
    bus.tasks.append(asyncio.create_task(driver.run()))
    await wait_until(lambda: driver.counters.tries)
    bench.say(with_sum(bytes([7, 3, 18]) + (6666).to_bytes(2, "big") * 9))
    await wait_until(lambda: driver.counters.reads)
    # On a busy machine an answer of the device itself may come too late as well.
    assert said[0] == "23 bytes that nobody had asked for, or too late"
    assert 6666 not in {sample.value for sample in seen if isinstance(sample, Good)}


async def test_exceptions_are_told_and_are_answers(bench, bus, wait_until):
    bench.answers[7] = lambda f: with_sum(bytes([f[0], f[1] | 0x80, 6]))
    driver = bus.add()
    await wait_until(lambda: driver.counters.tries > 3)
    assert "exception 6 (device busy)" in driver.counters.why_silent
    with pytest.raises(DeviceRefused, match="exception 6"):
        await driver.write(setpoint(0.0))


async def test_a_device_that_only_observers_would_hear_is_not_asked_all_the_time(bench, bus):
    driver = bus.add(timeout_s=0.05)
    await asyncio.sleep(1.5)
    assert 4 < len(bench.frames) < 1.5 / 0.05 / 2
    assert "waited 0.05 s" in driver.counters.last_error


async def test_through_a_gateway_that_hands_bytes_on(wait_until):
    device = Registers(3, dict(INVERTER))

    async def gateway(reader, writer):
        try:
            while True:
                head = await reader.readexactly(7)
                frame = head + await reader.readexactly(2 + head[6] if head[1] > 6 else 1)
                answer = device(frame)
                writer.write(answer[:4])  # a gateway hands on in pieces
                await asyncio.sleep(0.01)
                writer.write(answer[4:])
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(gateway, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    store = DataStore(("battery",))
    driver = ModbusDriver(
        "battery/inverter", {Role.INVERTER: "battery"}, load_profile("generic_inverter"),
        ModbusRtuTcp(host="127.0.0.1", port=port, device_id=3), store,
    )  # fmt: skip
    task = asyncio.create_task(driver.run())
    await wait_until(lambda: driver.counters.reads)
    await driver.write(setpoint(-700.0))
    assert device.registers[3] == (-700) & 0xFFFF
    assert driver.counters.where == f"127.0.0.1:{port}, device 3"
    assert driver.counters.errors == 0
    server.close()
    await driver.close()
    await asyncio.wait([task])
    assert task.exception() is None
