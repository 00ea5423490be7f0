"""Random bytes on a serial line: nothing is raised, and nothing is taken for an answer."""

import asyncio
import random
from pathlib import Path

import pytest

from holdfast.core.reading import Good
from holdfast.core.signals import Signal
from tests.devices.drivers.serial_bench import Registers, SerialBench
from tests.devices.drivers.test_rtu_driver import INVERTER, Bus

TRUE = {Signal.BATTERY_POWER_W: -1234.0, Signal.SETPOINT_READBACK_W: 65538.0}


@pytest.fixture
async def bench(tmp_path: Path):
    bench = SerialBench().open(tmp_path / "adapter")
    yield bench
    bench.unplug()


def spoilt(answer: bytes, chance: random.Random) -> bytes | None:
    """The answer as it may come over a bad line."""
    match chance.randrange(6):
        case 0:
            return None
        case 1:
            return chance.randbytes(chance.randrange(1, 60))
        case 2:
            changed = bytearray(answer)
            changed[chance.randrange(len(answer))] ^= 1 << chance.randrange(8)
            return bytes(changed)
        case 3:
            return answer[: chance.randrange(len(answer))]
        case 4:
            return answer + chance.randbytes(3)
    return answer


@pytest.mark.parametrize("seed", range(2))
async def test_a_line_that_babbles_tells_nothing_that_is_not_so(bench, wait_until, seed):
    chance = random.Random(seed)
    bus = Bus(bench)
    seen = []
    bus.store.on_change(lambda _, signal, sample: seen.append((signal, sample)))
    good = Registers(7, dict(INVERTER))

    async def babble():
        while True:
            await asyncio.sleep(chance.random() * 0.2)
            bench.say(chance.randbytes(chance.randrange(1, 12)))

    bench.answers[7] = lambda frame: spoilt(good(frame), chance)
    driver = bus.add(timeout_s=0.05)
    noise = asyncio.create_task(babble())
    await wait_until(lambda: driver.counters.errors > 8)
    noise.cancel()
    bench.answers[7] = good
    reads = driver.counters.reads
    await wait_until(lambda: driver.counters.reads > reads + 2)
    for signal, sample in seen:
        if signal in TRUE and isinstance(sample, Good):
            assert sample.value == TRUE[signal]
    assert not bus.tasks[0].done()
    await bus.end()
