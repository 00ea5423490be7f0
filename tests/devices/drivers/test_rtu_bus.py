"""Several devices on one line: who is next, and what one that is silent costs the others."""

import asyncio
import time
from itertools import pairwise
from pathlib import Path

import pytest

from holdfast.core.commands import Point, Write
from holdfast.core.errors import DeviceUnreachable
from holdfast.core.role import Role
from holdfast.core.signals import Signal
from holdfast.devices.drivers.turns import Turns, Urgency
from tests.devices.drivers.serial_bench import Registers, SerialBench
from tests.devices.drivers.test_rtu_driver import INVERTER, METER, Bus


def to(device_id, value, point=Point.SETPOINT_W):
    """The driver of each device serves a unit that is named alike."""
    return Write(unit="battery", role=Role.INVERTER, point=point, value=value)


class Slow(Registers):
    """Takes its time, and notices if somebody speaks meanwhile."""

    def __init__(self, bench, device_id, delay_s, registers=None):
        super().__init__(device_id, registers)
        self._bench, self._delay_s = bench, delay_s
        self.overlaps = 0
        bench.busy = getattr(bench, "busy", False)

    def __call__(self, frame):
        self.overlaps += self._bench.busy
        self._bench.busy = True
        answer = super().__call__(frame)
        asyncio.get_running_loop().call_later(self._delay_s, self._say, answer)

    def _say(self, answer):
        self._bench.busy = False
        self._bench.say(answer)


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


async def test_devices_of_one_line_take_turns(bench, bus, wait_until):
    devices = [Slow(bench, number, 0.005, dict(INVERTER)) for number in (1, 2, 3)]
    bench.answers = {device.device_id: device for device in devices}
    drivers = [bus.add(device_id=number, poll_period_s=0.001) for number in (1, 2, 3)]
    await wait_until(lambda: min(driver.counters.reads for driver in drivers) > 20)
    counts = [driver.counters.reads for driver in drivers]
    assert max(counts) - min(counts) <= 2
    assert sum(device.overlaps for device in devices) == 0
    assert sum(driver.counters.errors for driver in drivers) == 0


async def test_a_command_goes_before_the_polls_of_all(bench, bus, wait_until):
    bench.answers = {n: Slow(bench, n, 0.02, dict(INVERTER)) for n in (1, 2, 3, 4)}
    drivers = [bus.add(device_id=n, timeout_s=0.5, poll_period_s=0.001) for n in (1, 2, 3, 4)]
    await wait_until(lambda: min(driver.counters.reads for driver in drivers) > 3)
    for value in (100.0, 0.0, 300.0):
        before = len(bench.frames)
        await drivers[2].write(to(3, value))
        since = [frame for _, frame in bench.frames[before:]]
        assert [frame[1] for frame in since].index(16) <= 1, "it waits for who has the turn alone"
        await asyncio.sleep(0.05)


async def test_commands_without_an_end_leave_room_for_polls(bench, bus, wait_until):
    bench.answers = {n: Slow(bench, n, 0.002, dict(INVERTER)) for n in (1, 2, 3)}
    drivers = [bus.add(device_id=n, poll_period_s=0.001) for n in (1, 2, 3)]
    await wait_until(lambda: min(driver.counters.reads for driver in drivers) > 3)

    async def ramp(driver, step):
        while True:
            await driver.write(to(0, step))

    ramps = [asyncio.create_task(ramp(drivers[n], n * 100.0)) for n in (0, 1)]
    before = [driver.counters.reads for driver in drivers]
    await asyncio.sleep(0.6)
    for task in ramps:
        task.cancel()
    await asyncio.wait(ramps)
    assert all(d.counters.reads > b + 5 for d, b in zip(drivers, before, strict=True))


async def test_who_is_silent_costs_the_others_its_time_out_at_most(bench, bus, wait_until):
    bench.answers = {n: Registers(n, dict(INVERTER)) for n in (1, 2)}
    alive = [bus.add(device_id=n, timeout_s=0.3) for n in (1, 2)]
    silent = bus.add(device_id=9, timeout_s=0.3)
    await wait_until(lambda: min(driver.counters.reads for driver in alive) > 3)
    start = time.monotonic()
    await asyncio.sleep(3.0)
    for device_id in (1, 2):
        times = [at for at, frame in bench.frames if frame[0] == device_id and at > start]
        assert max(b - a for a, b in pairwise(times)) < 0.3 + 0.15
    assert all(driver.counters.errors == 0 for driver in alive)
    asked = sum(1 for at, frame in bench.frames if frame[0] == 9 and at > start)
    assert asked <= 3.0 / (0.3 + 0.1)
    assert "waited 0.3 s" in silent.counters.why_silent
    with pytest.raises(DeviceUnreachable, match=r"asked again in|waited"):
        await silent.write(to(9, 100.0))


async def test_writes_of_one_device_are_never_reordered(bench, bus, wait_until):
    devices = [Slow(bench, number, 0.003, dict(INVERTER)) for number in (1, 2)]
    bench.answers = {device.device_id: device for device in devices}
    drivers = [bus.add(device_id=n, poll_period_s=0.001) for n in (1, 2)]
    await wait_until(lambda: min(driver.counters.reads for driver in drivers) > 2)
    for value in range(30):
        await drivers[0].write(to(1, float(value)))
    sent = [int.from_bytes(frame[7:11], "big") for frame in devices[0].writes]
    assert sent == list(range(30))
    polls_between = [frame for _, frame in bench.frames if frame[0] == 2]
    assert len(polls_between) > 10


async def test_a_command_that_had_no_turn_is_never_sent(bench, bus, wait_until):
    bench.answers[1] = Registers(1, dict(INVERTER))
    quick = bus.add(device_id=1, timeout_s=0.1)
    await wait_until(lambda: quick.counters.reads)
    slow = bus.add(device_id=2, timeout_s=0.6)
    await wait_until(lambda: bench.frames[-1][1][0] == 2)
    with pytest.raises(DeviceUnreachable, match=r"was not sent: others were on the line for 0.1 s"):
        await quick.write(to(1, 500.0))
    await quick.write(to(1, 0.0))  # takes power away: however late
    assert [int.from_bytes(frame[7:11], "big") for frame in bench.answers[1].writes] == [0]
    assert slow.counters.reads == 0


async def test_the_line_is_closed_with_the_last_driver(bench, bus, wait_until):
    bench.answers = {n: Registers(n, dict(INVERTER)) for n in (1, 2)}
    first, second = (bus.add(device_id=n) for n in (1, 2))
    await wait_until(lambda: first.counters.reads and second.counters.reads)
    await first.close()
    await asyncio.wait([bus.tasks[0]], timeout=1)
    assert bus.tasks[0].done()
    reads = second.counters.reads
    await wait_until(lambda: second.counters.reads > reads + 2)
    await second.close()
    await asyncio.wait([bus.tasks[1]], timeout=1)
    other = Bus(bench)
    third = other.add(device_id=1)
    await wait_until(lambda: third.counters.reads)
    await other.end()


async def test_a_cancelled_driver_leaves_the_line_to_the_others(bench, bus, wait_until):
    bench.answers = {1: Registers(1, dict(INVERTER))}
    first, second = (bus.add(device_id=n, timeout_s=1.0) for n in (1, 2))
    await wait_until(lambda: first.counters.reads)
    await wait_until(lambda: bench.frames[-1][1][0] == 2)
    bus.tasks.pop().cancel()  # while it waits for its answer
    reads = first.counters.reads
    await wait_until(lambda: first.counters.reads > reads + 3, within_s=1.0)
    await second.close()


async def test_the_pause_of_a_table_is_kept_and_costs_nobody_else(bench, bus, wait_until):
    bench.answers = {n: Registers(n, dict(INVERTER)) for n in (1, 2)}
    shy = bus.add(device_id=1, pause_s=0.2)
    quick = bus.add(device_id=2)
    await wait_until(lambda: shy.counters.reads > 3)
    times = [at for at, frame in bench.frames if frame[0] == 1]
    assert min(b - a for a, b in pairwise(times)) > 0.19
    assert quick.counters.reads > 3 * shy.counters.reads


async def test_a_meter_and_an_inverter_tell_each_its_own(bench, bus, wait_until):
    bench.answers = {1: Registers(1, dict(METER)), 2: Registers(2, dict(INVERTER))}
    meter, inverter = bus.add("generic_meter", 1), bus.add("generic_inverter", 2)
    await wait_until(lambda: meter.counters.reads and inverter.counters.reads)
    assert bus.good(Signal.GRID_POWER_W, "site") == 500
    assert bus.good(Signal.BATTERY_POWER_W) == -1234


# ---------------------------------------------------------------------- turns


async def order_of(*waiting):
    """Who has the turn after whom, of those who come while somebody else has it."""
    turns, order = Turns(), []
    await turns.take("somebody", Urgency.POLL)

    async def one(device, urgency):
        await turns.take(device, urgency)
        order.append((device, urgency))
        await asyncio.sleep(0)
        turns.give_back()

    tasks = []
    for device, urgency in waiting:
        tasks.append(asyncio.create_task(one(device, urgency)))
        await asyncio.sleep(0)
    turns.give_back()
    await asyncio.gather(*tasks)
    return order


async def test_what_is_safe_goes_first_then_commands_then_polls():
    polls = [("a", Urgency.POLL), ("b", Urgency.POLL)]
    commands = [("c", Urgency.COMMAND), ("a", Urgency.COMMAND)]
    safe = [("d", Urgency.SAFE)]
    assert await order_of(*polls, *commands, *safe) == [*safe, *commands, *polls]


async def test_no_device_has_two_commands_before_a_poll_that_waits():
    first, second = ("a", Urgency.COMMAND), ("a", Urgency.COMMAND)
    poll = ("b", Urgency.POLL)
    assert await order_of(poll, first, second) == [first, poll, second]
    assert await order_of(poll, first, ("a", Urgency.SAFE)) == [("a", Urgency.SAFE), first, poll]


async def test_who_gives_up_waiting_does_not_keep_the_turn():
    turns = Turns()
    await turns.take("a", Urgency.POLL)
    waiting = [asyncio.create_task(turns.take(name, Urgency.POLL)) for name in "bc"]
    await asyncio.sleep(0)
    turns.give_back()
    waiting[0].cancel()  # in the very moment in which it was its turn
    await asyncio.wait(waiting, timeout=1)
    assert waiting[0].cancelled()
    assert waiting[1].done()
    late = asyncio.create_task(turns.take("d", Urgency.POLL))
    await asyncio.sleep(0)
    late.cancel()
    await asyncio.wait([late])
    turns.give_back()
    await asyncio.wait_for(turns.take("e", Urgency.POLL), 1)
