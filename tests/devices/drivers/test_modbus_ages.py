"""Whatever goes wrong on the wire, what a device told before grows old, and nothing else is told.

How soon that takes the power away is asserted where time is simulated
(:mod:`holdfast.testing.faults`).
"""

import asyncio

import pytest

from holdfast.core.data_store import freeze
from holdfast.core.reading import Stale
from holdfast.core.signals import SIGNALS, Signal
from holdfast.safety.data_age import DataAge
from tests.devices.drivers.test_modbus_hostile import LIES, REGISTERS, WRONG, wrong_words

BEFORE, AFTER = 10, 20
"""What the device measures before the fault, and what it does meanwhile."""
EXCEPTIONS = (1, 2, 3, 4, 5, 6, 8, 10, 11)


def lying(lie):
    async def answer(request, writer):
        return lie(request)

    return answer


async def silent(request, writer):
    return None


async def late(request, writer):
    await asyncio.sleep(0.15)
    return request.frame(wrong_words(REGISTERS))


async def dripping(request, writer):
    for byte in request.frame(wrong_words(REGISTERS)):
        writer.write(bytes([byte]))
        await asyncio.sleep(0.03)


async def cut_off(request, writer):
    writer.write(request.frame(wrong_words(REGISTERS))[:12])
    await asyncio.sleep(0)
    writer.transport.abort()


def refusing(code):
    return lying(lambda request: request.frame(bytes([code]), function=request.function | 0x80))


WIRE = {
    "silent": silent,
    "late": late,
    "dripping": dripping,
    "cut off": cut_off,
    **{f"exception {code}": refusing(code) for code in EXCEPTIONS},
    **{name: lying(lie) for name, lie in LIES.items()},
}


def findings(image, now_ns):
    age = DataAge({"battery": {Signal.BATTERY_POWER_W}})
    return [found.row for found in age.assess(freeze(image, now_ns))]


@pytest.mark.parametrize("fault", WIRE.values(), ids=WIRE.keys())
async def test_what_was_told_grows_old_and_nothing_is_told_in_its_place(rig, wait_until, fault):
    inverter = await rig("generic_inverter", timeout_s=0.05)
    inverter.device.registers = {1: BEFORE}
    await inverter.start()
    await wait_until(lambda: inverter.good(Signal.BATTERY_POWER_W) == BEFORE)
    inverter.device.hook, inverter.device.registers = fault, {1: AFTER}
    counters = inverter.driver.counters
    begun = counters.errors
    await wait_until(lambda: counters.errors > begun)
    told_ns = inverter.time_ns(Signal.BATTERY_POWER_W)
    await wait_until(lambda: counters.errors > begun + 2)
    assert inverter.time_ns(Signal.BATTERY_POWER_W) == told_ns
    assert inverter.good(Signal.BATTERY_POWER_W) == BEFORE
    assert not {AFTER, WRONG} & {getattr(one, "value", None) for _, one in inverter.seen}
    image, age_ns = inverter.store.image(), SIGNALS[Signal.BATTERY_POWER_W].max_age_ns
    lost = freeze(image, told_ns + age_ns + 1).read("battery", Signal.BATTERY_POWER_W)
    assert isinstance(lost, Stale)
    assert findings(image, told_ns + age_ns // 2) == []
    assert findings(image, told_ns + age_ns // 2 + 1) == ["inverter_data_old"]
    assert findings(image, told_ns + age_ns + 1) == ["inverter_data_lost"]
    inverter.device.hook = None
    await wait_until(lambda: inverter.good(Signal.BATTERY_POWER_W) == AFTER)


async def test_a_device_that_refuses_every_twentieth_request_is_read_on(rig, wait_until):
    inverter = await rig("generic_inverter")
    busy, asked = refusing(6), 0

    async def now_and_then(request, writer):
        nonlocal asked
        asked += 1
        return await (busy if asked % 20 == 0 else inverter.device.proper)(request, writer)

    inverter.device.hook = now_and_then
    await inverter.start()
    counters = inverter.driver.counters
    await wait_until(lambda: counters.errors >= 3)
    assert counters.reads >= 3 * 19 - 3
    assert inverter.device.connections == 2, "a refusal is no reason to hang up"
