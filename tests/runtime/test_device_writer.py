"""The device writer: the newest value, in order, and nothing that is old."""

import asyncio
import time
from collections.abc import Callable

import pytest

from holdfast.core.commands import Point, Write
from holdfast.core.errors import DeviceRefused
from holdfast.core.role import Role
from holdfast.runtime.device_writer import TRIES, DeviceWriter
from tests.builders import UNIT
from tests.runtime.bench import FakeDriver

LATER = 2**62
SETPOINT, ENABLE, REVERT = Point.SETPOINT_W, Point.ENABLE, Point.REVERT_TIMEOUT_S


def write(point: Point, value: float) -> Write:
    return Write(unit=UNIT, role=Role.INVERTER, point=point, value=value)


def done(driver: FakeDriver) -> list[tuple[Point, float]]:
    return [(w.point, w.value) for w in driver.written]


async def test_writes_go_out_in_the_order_in_which_they_were_decided() -> None:
    driver = FakeDriver()
    writer = DeviceWriter(driver)
    writer.submit([write(SETPOINT, 0.0), write(ENABLE, 1.0), write(REVERT, 5.0)], LATER)
    await writer.flush()
    assert done(driver) == [(SETPOINT, 0.0), (ENABLE, 1.0), (REVERT, 5.0)]


async def test_behind_a_slow_device_the_newest_value_wins() -> None:
    driver = FakeDriver()
    driver.gate.clear()
    writer = DeviceWriter(driver)
    writer.submit([write(SETPOINT, 100.0)], LATER)
    await asyncio.sleep(0)  # this one is on the wire now
    for value in (200.0, 300.0, 400.0):
        writer.submit([write(SETPOINT, value), write(ENABLE, 1.0)], LATER)
    driver.gate.set()
    await writer.flush()
    assert done(driver) == [(SETPOINT, 100.0), (SETPOINT, 400.0), (ENABLE, 1.0)]


async def test_what_expired_while_it_waited_is_dropped_unless_it_is_always_safe() -> None:
    driver = FakeDriver()
    driver.gate.clear()
    writer = DeviceWriter(driver)
    writer.submit([write(ENABLE, 0.0)], LATER)
    await asyncio.sleep(0)
    soon_ns = time.monotonic_ns() + 5_000_000
    wanted = [write(SETPOINT, 3000.0), write(REVERT, 5.0), write(Point.EXPORT_LIMIT_W, 0.0)]
    writer.submit(wanted, soon_ns)
    await asyncio.sleep(0.01)
    driver.gate.set()
    await writer.flush()
    assert done(driver) == [(ENABLE, 0.0), (REVERT, 5.0), (Point.EXPORT_LIMIT_W, 0.0)]


async def test_zero_replaces_a_setpoint_that_still_waits() -> None:
    driver = FakeDriver()
    driver.gate.clear()
    writer = DeviceWriter(driver)
    writer.submit([write(REVERT, 5.0)], LATER)
    await asyncio.sleep(0)
    writer.submit([write(SETPOINT, 3000.0)], LATER)
    writer.submit([write(SETPOINT, 0.0)], 0)
    driver.gate.set()
    await writer.flush()
    assert done(driver) == [(REVERT, 5.0), (SETPOINT, 0.0)]


async def test_behind_a_failed_write_only_what_is_always_safe_goes_out_none_again() -> None:
    driver = FakeDriver()
    driver.fails = 1
    writer = DeviceWriter(driver)
    writer.submit([write(SETPOINT, 100.0), write(ENABLE, 1.0), write(REVERT, 5.0)], LATER)
    await writer.flush()
    assert done(driver) == [(REVERT, 5.0)]
    writer.submit([write(SETPOINT, 200.0), write(ENABLE, 1.0)], LATER)
    await writer.flush()
    assert done(driver) == [(REVERT, 5.0), (SETPOINT, 200.0), (ENABLE, 1.0)]


@pytest.mark.parametrize("refusals", range(TRIES + 1))
async def test_what_is_refused_is_tried_again_at_once_but_not_for_ever(refusals: int) -> None:
    driver = FakeDriver()
    driver.fails, driver.fails_with = refusals, DeviceRefused
    writer = DeviceWriter(driver)
    writer.submit([write(SETPOINT, 100.0), write(ENABLE, 1.0), write(REVERT, 5.0)], LATER)
    await writer.flush()
    taken = [(SETPOINT, 100.0), (ENABLE, 1.0)] if refusals < TRIES else []
    assert done(driver) == [*taken, (REVERT, 5.0)]
    assert driver.fails == 0


class Refusing(FakeDriver):
    """Refuses once, and something happens meanwhile."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        super().__init__()
        self.fails, self.fails_with = 1, DeviceRefused
        self._meanwhile = meanwhile

    async def write(self, write: Write, is_stale: Callable[[], bool] = lambda: False) -> None:
        if self.fails:
            self._meanwhile()
        await super().write(write)


async def test_what_was_refused_is_not_tried_again_once_there_is_a_newer_value() -> None:
    driver = Refusing(lambda: writer.submit([write(SETPOINT, 0.0)], LATER))
    writer = DeviceWriter(driver)
    writer.submit([write(SETPOINT, 3000.0)], LATER)
    await writer.flush()
    assert done(driver) == [(SETPOINT, 0.0)]


@pytest.mark.parametrize("value", [3000.0, 0.0])
async def test_what_was_refused_and_is_old_by_then_is_tried_again_only_if_it_is_always_safe(
    value: float,
) -> None:
    soon_ns = time.monotonic_ns() + 1_000_000_000

    def wait() -> None:
        time.sleep(max(0, soon_ns - time.monotonic_ns()) / 1e9)

    driver = Refusing(wait)
    writer = DeviceWriter(driver)
    writer.submit([write(SETPOINT, value)], soon_ns)
    await writer.flush()
    assert done(driver) == ([] if value else [(SETPOINT, 0.0)])


async def test_nothing_to_write_is_nothing_to_wait_for() -> None:
    driver = FakeDriver()
    driver.gate.clear()  # whoever waited for this device would wait for ever
    writer = DeviceWriter(driver)
    writer.submit([], LATER)
    async with asyncio.timeout(5.0):
        await writer.flush()
    assert done(driver) == []


async def test_a_driver_that_fails_unforeseen_does_not_stop_later_writes() -> None:
    class Broken(FakeDriver):
        broken = True

        async def write(self, write: Write, is_stale: Callable[[], bool] = lambda: False) -> None:
            if self.broken:
                self.broken = False
                raise RuntimeError("a defect of the driver")
            await super().write(write)

    driver = Broken()
    writer = DeviceWriter(driver)
    writer.submit([write(SETPOINT, 100.0), write(ENABLE, 0.0)], LATER)
    await asyncio.gather(writer.flush(), return_exceptions=True)
    writer.submit([write(SETPOINT, 0.0)], LATER)
    await asyncio.gather(writer.flush(), return_exceptions=True)
    assert (SETPOINT, 0.0) in done(driver)
    assert (ENABLE, 0.0) in done(driver)


async def test_what_waits_goes_out_in_the_order_of_the_newest_decision() -> None:
    driver = FakeDriver()
    driver.gate.clear()
    writer = DeviceWriter(driver)
    writer.submit([write(REVERT, 5.0)], LATER)
    await asyncio.sleep(0)
    writer.submit([write(SETPOINT, 100.0), write(ENABLE, 1.0)], LATER)
    writer.submit([write(ENABLE, 0.0), write(SETPOINT, 0.0)], LATER)
    driver.gate.set()
    await writer.flush()
    assert done(driver) == [(REVERT, 5.0), (ENABLE, 0.0), (SETPOINT, 0.0)]
