"""The Modbus driver in front of a device that is slow, wrong or malicious.

A wrong answer carries 6666 everywhere; that number must never be seen in the image.
"""

import asyncio
import random
import struct
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import DecodePDU

from holdfast.core.commands import Point, Write
from holdfast.core.data_store import DataStore
from holdfast.core.errors import DeviceRefused, DeviceUnreachable
from holdfast.core.reading import Good
from holdfast.core.role import Role
from holdfast.core.signals import SIGNALS, Signal
from holdfast.devices.drivers import modbus_link
from holdfast.devices.drivers.modbus_pdu import (
    mismatch,
    read_request,
    refusal,
    transaction_ids,
    words_of,
)
from holdfast.devices.profile import load_profile
from holdfast.testing.waiting import Stopwatch

WRONG = 6666


def setpoint(value):
    return Write(unit="battery", role=Role.INVERTER, point=Point.SETPOINT_W, value=value)


REGISTERS = 9
"""In the one block that the inverter is read in."""


def wrong_words(count):
    return bytes([2 * count]) + struct.pack(">H", WRONG) * count


def values_seen(rig):
    return {sample.value for _, sample in rig.seen if isinstance(sample, Good)}


LIES = {
    "other transaction": lambda r: r.frame(wrong_words(REGISTERS), tid=r.tid + 1),
    "former transaction": lambda r: r.frame(wrong_words(REGISTERS), tid=(r.tid - 1) % 65536),
    "transaction 0": lambda r: r.frame(wrong_words(REGISTERS), tid=0),
    "other unit": lambda r: r.frame(wrong_words(REGISTERS), unit=9),
    "unit 0": lambda r: r.frame(wrong_words(REGISTERS), unit=0),
    "other function": lambda r: r.frame(wrong_words(REGISTERS), function=4),
    "write answer": lambda r: r.frame(struct.pack(">HH", 0, WRONG), function=6),
    "unknown function": lambda r: r.frame(wrong_words(REGISTERS), function=99),
    "exception to another function": lambda r: r.frame(b"\x02", function=0x84),
    "short": lambda r: r.frame(wrong_words(REGISTERS - 1)),
    "shorter than it says": lambda r: r.frame(wrong_words(REGISTERS)[:-4]),
    "long": lambda r: r.frame(wrong_words(REGISTERS + 1)),
    "empty": lambda r: r.frame(b"\x00"),
    "no body": lambda r: r.frame(b""),
    "exception without code": lambda r: r.frame(b"", function=0x83),
    "half a frame": lambda r: r.frame(wrong_words(REGISTERS))[:9],
    "other protocol": lambda r: b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "huge": lambda r: b"\x1a\x0a" * 5000,
    "length 0": lambda r: struct.pack(">HHHBB", r.tid, 0, 0, r.unit, 3),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
async def test_wrong_answer_is_counted_and_never_believed(rig, wait_until, lie):
    inverter = await rig("generic_inverter", timeout_s=0.05)
    inverter.device.registers = {1: 10}

    async def lying(request, writer):
        return lie(request)

    inverter.device.hook = lying
    await inverter.start()
    await wait_until(lambda: inverter.driver.counters.errors)
    assert inverter.seen == []
    inverter.device.hook = None
    await wait_until(lambda: inverter.good(Signal.BATTERY_POWER_W) == 10)
    assert WRONG not in values_seen(inverter)
    assert not any(pytest.approx(value) == WRONG / 10 for value in values_seen(inverter))


async def test_device_id_0_takes_no_answer_of_another_unit(rig, wait_until):
    inverter = await rig("generic_inverter", device_id=0)

    async def lying(request, writer):
        return request.frame(wrong_words(REGISTERS), unit=9)

    inverter.device.hook = lying
    await inverter.start()
    await wait_until(lambda: inverter.driver.counters.errors)
    assert "device id 9 instead of 0" in inverter.driver.counters.last_error
    assert inverter.seen == []


async def test_connection_that_was_lost_before_the_library_noted_it(rig, wait_until, monkeypatch):
    library_connect = modbus_link.AsyncModbusTcpClient.connect

    async def too_late(client):
        await library_connect(client)
        transport = client.ctx.transport
        transport.abort()
        await asyncio.sleep(0.01)
        client.ctx.transport = transport
        return True

    inverter = await rig("generic_inverter", timeout_s=3.0)
    monkeypatch.setattr(modbus_link.AsyncModbusTcpClient, "connect", too_late)
    await inverter.start(connected=False)
    await wait_until(lambda: inverter.driver.counters.errors >= 2)
    assert not inverter.driver._commands.connected
    monkeypatch.undo()
    await wait_until(lambda: inverter.driver.counters.reads)


async def test_cancellation_in_the_moment_of_connecting_leaves_no_connection(
    rig, wait_until, monkeypatch
):
    library_connect = modbus_link.AsyncModbusTcpClient.connect

    async def cancelled_on_success(client):
        connected = await library_connect(client)
        asyncio.current_task().cancel()
        return connected

    inverter = await rig("generic_inverter")
    monkeypatch.setattr(modbus_link.AsyncModbusTcpClient, "connect", cancelled_on_success)
    link = modbus_link.ModbusLink(inverter.driver._readings._connection)
    task = asyncio.create_task(link.keep(lambda error: None))
    await asyncio.wait([task])
    assert task.cancelled()
    await wait_until(lambda: inverter.device.connections == 1)
    await wait_until(lambda: not inverter.device._writers)


async def test_late_answer_meets_nobody(rig, wait_until):
    inverter = await rig("generic_inverter", timeout_s=0.05)
    inverter.device.registers = {1: 10}
    late = []

    async def slow(request, writer):
        async def later():
            await asyncio.sleep(0.08)
            writer.write(request.frame(wrong_words(REGISTERS)))

        late.append(asyncio.create_task(later()))

    inverter.device.hook = slow
    await inverter.start()
    await wait_until(lambda: inverter.driver.counters.errors >= 3)
    assert inverter.device.connections >= 4
    inverter.device.hook = None
    await wait_until(lambda: inverter.good(Signal.BATTERY_POWER_W) == 10)
    await asyncio.gather(*late)
    await asyncio.sleep(0.05)
    assert WRONG not in values_seen(inverter)


async def test_late_answer_on_the_next_connection_is_refused(rig, wait_until):
    """A gateway with one serial line hands it to whoever is connected by then."""
    inverter = await rig("generic_inverter", timeout_s=0.05)
    inverter.device.registers = {1: 10}
    late = []

    async def one_behind(request, writer):
        late.append(request.frame(wrong_words(REGISTERS)))
        return late[-2] if len(late) > 1 else None

    inverter.device.hook = one_behind
    await inverter.start()
    await wait_until(lambda: inverter.device.connections >= 6)
    assert inverter.seen == []
    asked = [request.tid for request in inverter.device.requests]
    assert len(set(asked)) == len(asked)
    inverter.device.hook = None
    await wait_until(lambda: inverter.good(Signal.BATTERY_POWER_W) == 10)


def test_transaction_ids_begin_anywhere_and_all_of_them_come_before_one_comes_again():
    assert len({next(transaction_ids()) for _ in range(20)}) > 1
    ids = transaction_ids()
    assert sorted(next(ids) for _ in range(65_000)) == list(range(65_000))


async def test_second_answer_to_one_request_is_not_taken_for_the_next(rig, wait_until):
    inverter = await rig("generic_inverter")
    inverter.device.registers = {1: 10}

    async def twice(request, writer):
        writer.write(await inverter.device.proper(request))
        await asyncio.sleep(0.001)
        return request.frame(wrong_words(REGISTERS))

    inverter.device.hook = twice
    await inverter.start()
    await wait_until(lambda: inverter.driver.counters.reads >= 5)
    assert inverter.good(Signal.BATTERY_POWER_W) == 10
    assert WRONG not in values_seen(inverter)


async def test_dripping_answer_meets_the_total_deadline(rig, wait_until):
    inverter = await rig("generic_inverter", timeout_s=0.1)

    sent = 0

    async def dripping(request, writer):
        nonlocal sent
        for byte in request.frame(wrong_words(REGISTERS)):
            if inverter.driver.counters.errors == 0:
                sent += 1
            writer.write(bytes([byte]))
            await asyncio.sleep(0.03)

    inverter.device.hook = dripping
    await inverter.start()
    await wait_until(lambda: inverter.driver.counters.errors >= 1)
    assert sent < len(wrong_words(REGISTERS)), "it did not wait for the whole answer"
    assert inverter.seen == []


async def test_reset_in_the_middle_of_an_answer_is_survived(rig, wait_until):
    inverter = await rig("generic_inverter", timeout_s=5.0)
    inverter.device.registers = {1: 10}

    async def cutting(request, writer):
        writer.write(request.frame(wrong_words(REGISTERS))[:12])
        await asyncio.sleep(0)
        writer.transport.abort()

    inverter.device.hook = cutting
    with Stopwatch() as watch:
        await inverter.start()
        await wait_until(lambda: inverter.driver.counters.errors >= 2)
    assert watch.passed_s < 2.5, "a lost connection is noticed before the time-out"
    inverter.device.hook = None
    await wait_until(lambda: inverter.good(Signal.BATTERY_POWER_W) == 10)
    assert WRONG not in values_seen(inverter)


async def test_device_that_accepts_and_hangs_up_is_survived(rig, wait_until):
    inverter = await rig("generic_inverter", present=False)

    def hang_up(reader, writer):
        writer.transport.abort()

    server = await asyncio.start_server(hang_up, "127.0.0.1", inverter.device.port)
    await inverter.start(connected=False)
    await asyncio.sleep(0.35)
    with pytest.raises(DeviceUnreachable):
        await inverter.driver.write(setpoint(0.0))
    server.close()
    await server.wait_closed()
    await inverter.device.start()
    await wait_until(lambda: inverter.driver.counters.reads)


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        (1, "illegal function"),
        (2, "illegal data address"),
        (3, "illegal data value"),
        (4, "device failure"),
        (5, "acknowledged"),
        (6, "busy"),
        (8, "parity"),
        (10, "path unavailable"),
        (11, "no answer"),
        (77, "not in the standard"),
    ],
)
async def test_exception_answer_names_code_meaning_and_address(rig, wait_until, code, meaning):
    inverter = await rig("generic_inverter")

    async def refusing(request, writer):
        return request.frame(bytes([code]), function=request.function | 0x80)

    inverter.device.hook = refusing
    await inverter.start()
    with pytest.raises(DeviceRefused, match=rf"at 2\.\.3 .*exception {code} \(.*{meaning}"):
        await inverter.driver.write(setpoint(5.0))
    await wait_until(lambda: inverter.driver.counters.errors >= 4)
    assert inverter.seen == []
    assert inverter.device.connections == 2, "a proper answer is no reason to hang up"


WRITE_LIES = {
    "other value": lambda r: r.frame(r.body[:2] + b"\x00\x63"),
    "other address": lambda r: r.frame(b"\x00\x63" + r.body[2:4]),
    "other function": lambda r: r.frame(r.body[:4], function=3),
    "other unit": lambda r: r.frame(r.body[:4], unit=8),
    "transaction 0": lambda r: r.frame(r.body[:4], tid=0),
    "cut off": lambda r: r.frame(r.body[:3]),
}


@pytest.mark.parametrize("lie", WRITE_LIES.values(), ids=WRITE_LIES.keys())
@pytest.mark.parametrize("point", [Point.SETPOINT_W, Point.ENABLE])
async def test_write_with_a_wrong_echo_is_no_success(rig, lie, point):
    inverter = await rig("generic_inverter", timeout_s=0.05)

    async def lying(request, writer):
        return lie(request) if request.is_write else await inverter.device.proper(request)

    inverter.device.hook = lying
    await inverter.start()
    write = Write(unit="battery", role=Role.INVERTER, point=point, value=1.0)
    with pytest.raises((DeviceRefused, DeviceUnreachable)):
        await inverter.driver.write(write)
    assert inverter.driver.counters.writes == 0
    assert len(inverter.device.writes) == 1, "nothing is tried again"
    inverter.device.hook = None
    await inverter.until_connected()
    await inverter.driver.write(write)


async def hang_on_writes(inverter):
    async def hanging(request, writer):
        return None if request.is_write else await inverter.device.proper(request)

    inverter.device.hook = hanging


async def test_write_without_answer_is_dropped_with_its_connection(rig, wait_until):
    inverter = await rig("generic_inverter", timeout_s=0.1)
    await hang_on_writes(inverter)
    await inverter.start()
    began = time.perf_counter()
    with Stopwatch() as watch, pytest.raises(DeviceUnreachable, match=r"waited 0\.1 s"):
        await inverter.driver.write(setpoint(1000.0))
    assert time.perf_counter() - began > 0.09
    assert watch.passed_s < 0.4
    await wait_until(lambda: inverter.device.resets == 1)
    await inverter.until_connected()
    assert len(inverter.device.writes) == 1
    inverter.device.hook = None
    await inverter.driver.write(setpoint(0.0))
    assert inverter.device.registers[3] == 0


async def test_write_behind_one_that_gets_no_answer_is_not_sent(rig):
    inverter = await rig("generic_inverter", timeout_s=0.1)
    await hang_on_writes(inverter)
    await inverter.start()
    results = await asyncio.gather(
        inverter.driver.write(setpoint(1000.0)),
        inverter.driver.write(setpoint(2000.0)),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [DeviceUnreachable] * 2
    assert len(inverter.device.writes) == 1


async def test_two_writes_at_once_keep_their_order(rig):
    inverter = await rig("generic_inverter")
    await inverter.start()
    await asyncio.gather(*(inverter.driver.write(setpoint(float(i))) for i in range(5)))
    sent = [int.from_bytes(request.body[5:], "big") for request in inverter.device.writes]
    assert sent == [0, 1, 2, 3, 4]


async def test_answer_to_a_cancelled_write_meets_nobody(rig):
    inverter = await rig("generic_inverter", timeout_s=0.5)

    async def slow(request, writer):
        if request.is_write:
            await asyncio.sleep(0.05)
        return await inverter.device.proper(request)

    inverter.device.hook = slow
    await inverter.start()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await inverter.driver.write(setpoint(1000.0))
    inverter.device.hook = None
    with pytest.raises(DeviceUnreachable):
        await inverter.driver.write(setpoint(500.0))
    await inverter.until_connected()
    await inverter.driver.write(setpoint(0.0))
    assert inverter.device.registers[3] == 0


async def test_cancellation_in_the_moment_of_the_answer_is_not_lost(rig):
    inverter = await rig("generic_inverter")
    await inverter.start()
    task = asyncio.create_task(inverter.driver.write(setpoint(1.0)))

    def cancel_on_answer(sending, pdu):
        if not sending:
            task.cancel()
        return pdu

    inverter.driver._commands._client.ctx.trace_pdu = cancel_on_answer
    await asyncio.wait([task])
    assert task.cancelled()


async def test_loss_of_the_connection_ends_a_write_at_once(rig):
    inverter = await rig("generic_inverter", timeout_s=5.0)

    async def hang_up(request, writer):
        if request.is_write:
            writer.transport.abort()
            return None
        return await inverter.device.proper(request)

    inverter.device.hook = hang_up
    await inverter.start()
    with Stopwatch() as watch, pytest.raises(DeviceUnreachable, match="connection was lost"):
        await inverter.driver.write(setpoint(1.0))
    assert watch.passed_s < 2.5


@given(body=st.binary(max_size=260), table=st.sampled_from(["holding", "input", "discrete"]))
def test_random_answer_is_refused_or_has_all_its_values(body, table):
    request = read_request(table, 0, 8, 1)
    try:
        answer = DecodePDU(False).decode(bytes([request.function_code]) + body)
    except ModbusException:
        return
    if answer is None:
        return
    answer.dev_id, answer.transaction_id = request.dev_id, request.transaction_id
    if mismatch(request, answer) is None and refusal(answer) is None:
        words = words_of(answer, 8)
        assert len(words) == 8
        assert all(0 <= word <= 65535 for word in words)


@pytest.mark.parametrize("seed", range(6))
async def test_random_bytes_are_survived(rig, wait_until, seed):
    noise = random.Random(seed)
    inverter = await rig("generic_inverter", timeout_s=0.03)
    inverter.device.registers = {1: 10}

    async def babbling(request, writer):
        body = noise.randbytes(noise.randrange(1, 300))
        # Half of it at least looks like an answer to the question.
        return noise.choice([body, request.frame(body[:200])])

    inverter.device.hook = babbling
    await inverter.start()
    await wait_until(lambda: inverter.driver.counters.errors)
    inverter.device.hook = None
    await wait_until(lambda: inverter.good(Signal.BATTERY_POWER_W) == 10)
    assert not inverter.task.done()


@settings(max_examples=60, deadline=None)
@given(words=st.lists(st.integers(0, 65535), min_size=REGISTERS, max_size=REGISTERS))
def test_any_registers_give_plausible_good_or_bad(words):
    profile = load_profile("generic_inverter")
    store = DataStore(("battery",))
    places = [place for block in profile.blocks() for place in block.places]
    image = dict(zip(places, words, strict=False))
    for told in profile.told(image, dict.fromkeys(image, 1)):
        store.put(Role.INVERTER, "battery", told.signal, told.value, 1)
    for signal, sample in store.image()["battery"].items():
        if isinstance(sample, Good):
            assert SIGNALS[signal].low <= sample.value <= SIGNALS[signal].high
