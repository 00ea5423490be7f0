"""A site on one serial line: tried, read, and taken to 0 W by a watchdog that waits its turn."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.cli.main import main
from holdfast.core.config.device import ModbusRtu
from holdfast.devices.drivers import SyncWires
from holdfast.devices.drivers.line_place import LineLock
from holdfast.runtime.device_check import try_devices
from holdfast.runtime.watchdog import Hand
from holdfast.runtime.watchdog_link import Link
from tests.builders import build_site, unit_content
from tests.devices.drivers.serial_bench import Registers, SerialBench

METER = {0: 0, 1: 500, 2: 2301, 3: 5000}
INVERTER = {0: 0, 1: 0, 2: 0, 3: 2000, 4: 1, 5: 5, 7: 251}


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[SerialBench]:
    bench = SerialBench().open(tmp_path / "adapter")
    yield bench
    bench.unplug()


async def until(condition: Any, within_s: float = 10.0) -> None:
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - what is awaited is in another thread
            await asyncio.sleep(0.01)


def at(bench: SerialBench, role: str, device_id: int) -> dict[str, Any]:
    connection = {
        "kind": "modbus_rtu", "port": bench.path, "device_id": device_id, "baudrate": 115_200,
        "timeout_s": 0.2,
    }  # fmt: skip
    return {"profile": f"generic_{role}", "connection": connection}


async def test_all_devices_of_a_line_are_tried_at_a_time(bench: SerialBench) -> None:
    bench.answers = {1: Registers(1, METER), 2: Registers(2, INVERTER), 4: Registers(4)}
    unit = unit_content(inverter=at(bench, "inverter", 2), relays=at(bench, "relays", 3))
    site = build_site(unit, meter=at(bench, "meter", 1))
    tried = {one.path: one for one in await try_devices(site, within_s=2.0)}
    assert tried["meter"].answers
    assert tried["storage[0].inverter"].answers
    assert not tried["storage[0].relays"].answers
    assert "no answer to read" in tried["storage[0].relays"].comms.why_silent


async def read(*arguments: str) -> int:
    return await asyncio.to_thread(main, ["devices", "read", *arguments])


async def test_a_device_is_read_without_a_site(
    bench: SerialBench, capsys: pytest.CaptureFixture[str]
) -> None:
    device = bench.answers[5] = Registers(5, METER)
    where = ("--serial", bench.path, "--baud", "19200", "--id", "5")
    assert await read("--table", "generic_meter", *where) == 0
    told = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "grid_power_w 0000 01F4 500 W" in told
    assert device.writes == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--serial", "/dev/x"], "--serial needs --table"),
        (["--serial", "ttyUSB0", "--table", "generic_meter"], "write its whole path"),
        (["--serial", "/dev/x", "--host", "h", "--table", "generic_meter"], "either --host or"),
        (["--serial", "/dev/nowhere", "--table", "generic_meter"], "there is no such adapter"),
    ],
)
async def test_what_cannot_be_read_is_told(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await read(*arguments) != 0
    shown = capsys.readouterr()
    assert told in shown.err + shown.out


async def test_a_watchdog_waits_until_the_controller_is_off_the_line(bench: SerialBench) -> None:
    inverters = {number: Registers(number, dict(INVERTER)) for number in (2, 3)}
    bench.answers = dict(inverters)
    units = [unit_content(f"unit{n}", inverter=at(bench, "inverter", n)) for n in inverters]
    for unit in units:
        unit["relays"] = {"none": "a test"}
    site = build_site(*units)
    wires = SyncWires()
    controller = LineLock(ModbusRtu(port=bench.path))
    hands = [Hand(unit, wires) for unit in site.storage]
    try:
        await until(lambda: all(hand.reaches_inverter for hand in hands))
        await asyncio.sleep(0.3)
        assert bench.frames == [], "the controller is on the line"
        for hand in hands:
            hand.take_to_zero()
        await asyncio.sleep(0.3)
        assert bench.frames == [], "it hangs, and still has the port"
        controller.release()
        for device in inverters.values():
            await until(lambda device=device: device.registers[3] == device.registers[4] == 0)
        for hand in hands:
            hand.release()
        await until(lambda: _is_free(bench))
    finally:
        controller.release()
        for hand in hands:
            await asyncio.to_thread(hand.close)


async def test_a_watchdog_gives_back_the_line_of_relays_whose_inverter_is_not_on_it(
    bench: SerialBench,
) -> None:
    relays = Registers(4, {0: 1})
    bench.answers = {4: relays}
    (unit,) = build_site(unit_content(relays=at(bench, "relays", 4))).storage
    hand = Hand(unit)
    try:
        hand.take_to_zero()  # the inverter does not answer
        await until(lambda: relays.registers[0] == 0)
        assert not _is_free(bench)
        hand.release()
        await until(lambda: _is_free(bench))
    finally:
        await asyncio.to_thread(hand.close)


def _is_free(bench: SerialBench) -> bool:
    try:
        LineLock(ModbusRtu(port=bench.path)).release()
    except Exception:  # noqa: BLE001 - it is asked again
        return False
    return True


def test_who_waits_its_turn(tmp_path: Path) -> None:
    serial = {
        "profile": "generic_inverter",
        "connection": {"kind": "modbus_rtu_tcp", "host": "192.168.1.9", "timeout_s": 0.7},
    }
    (unit,) = build_site(unit_content(inverter=serial)).storage
    link = Link("inverter", unit.inverter, unit)
    assert link.waits_its_turn
    assert link.timeout_s == 0.7
    (unit,) = build_site(unit_content(inverter=serial | {"profile": "sunspec_704"})).storage
    assert Link("inverter", unit.inverter, unit).waits_its_turn
    (other,) = build_site().storage
    assert not Link("inverter", other.inverter, other).waits_its_turn
