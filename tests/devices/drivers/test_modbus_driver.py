"""The Modbus driver in front of a device that behaves, goes away, and comes back."""

import asyncio
import struct
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from holdfast.core.commands import Point, Write
from holdfast.core.config.device import ModbusTcp
from holdfast.core.data_store import DataStore
from holdfast.core.errors import DeviceRefused, DeviceUnreachable
from holdfast.core.reading import Bad, Good
from holdfast.core.role import Role
from holdfast.core.signals import Signal
from holdfast.devices.drivers.backoff import Backoff
from holdfast.devices.drivers.link import Manners
from holdfast.devices.drivers.modbus import ModbusDriver, next_due_ns
from holdfast.devices.drivers.modbus_link import ModbusLink
from holdfast.devices.drivers.modbus_pdu import read_request
from holdfast.devices.profile import load_profile
from holdfast.devices.registers import RegisterWrite
from holdfast.testing.waiting import Stopwatch


def setpoint(value, *, unit="battery", role=Role.INVERTER, point=Point.SETPOINT_W):
    return Write(unit=unit, role=role, point=point, value=value)


async def test_values_arrive_with_sign_and_scale(rig, wait_until):
    inverter = await rig("generic_inverter")
    minus_1234 = (-1234) & 0xFFFFFFFF
    inverter.device.registers = {
        0: minus_1234 >> 16, 1: minus_1234 & 0xFFFF, 2: 1, 3: 2, 4: 1, 5: 5, 6: 0, 7: (-55) & 0xFFFF
    }  # fmt: skip
    await inverter.start()
    await wait_until(lambda: inverter.driver.counters.reads)
    assert inverter.good(Signal.BATTERY_POWER_W) == -1234
    assert inverter.good(Signal.SETPOINT_READBACK_W) == 65538
    assert inverter.good(Signal.INVERTER_ENABLED) == 1
    assert inverter.good(Signal.INVERTER_TEMPERATURE_C) == pytest.approx(-5.5)
    assert {request.unit for request in inverter.device.requests} == {7}


async def test_site_device_writes_signals_of_the_site(rig, wait_until):
    meter = await rig("generic_meter")
    meter.device.registers = {0: 0, 1: 500, 2: 2301, 3: 5000}
    await meter.start()
    await wait_until(lambda: meter.driver.counters.reads)
    assert meter.good(Signal.GRID_VOLTAGE_V) == pytest.approx(230.1)
    assert meter.driver.name == "site/meter"


async def test_sample_is_no_younger_than_its_request(rig, wait_until):
    inverter = await rig("generic_inverter")

    async def hesitating(request, writer):
        await asyncio.sleep(0.05)
        return await inverter.device.proper(request)

    inverter.device.hook = hesitating
    await inverter.start()
    await wait_until(lambda: inverter.driver.counters.reads)
    received_ns = inverter.device.requests[0].received_ns
    first_ns = inverter.seen[0][1].time_ns
    assert received_ns - 40_000_000 < first_ns <= received_ns


async def test_implausible_value_is_bad_not_good(rig, wait_until):
    meter = await rig("generic_meter")
    meter.device.registers = {3: 65535}
    await meter.start()
    await wait_until(lambda: meter.driver.counters.reads)
    assert isinstance(meter.store.image()["site"][Signal.GRID_FREQUENCY_HZ], Bad)


async def test_a_frame_now_and_then_that_begins_one_register_late_is_no_reading(rig, wait_until):
    meter = await rig("generic_meter", poll_period_s=0.01)
    words = [0, 600, 2300, 5000, 0, 77]
    meter.device.registers = dict(enumerate(words))
    reads = []

    async def now_and_then(request, writer):
        reads.append(request)
        if len(reads) % 5:
            return await meter.device.proper(request)
        late = [meter.device.registers.get(i + 1, 0) for i in range(request.body[3])]
        return request.frame(bytes([2 * len(late)]) + struct.pack(f">{len(late)}H", *late))

    meter.device.hook = now_and_then
    await meter.start()
    await wait_until(lambda: len(reads) > 30)
    assert {sample for _, sample in meter.seen if isinstance(sample, Bad)} == set()
    assert meter.good(Signal.GRID_POWER_W) == 600
    assert {s.value for signal, s in meter.seen if signal is Signal.GRID_POWER_W} == {600.0}
    counters = meter.driver.counters
    assert counters.errors >= 5
    assert "left out, it cannot be true: " in counters.last_error
    assert not counters.why_silent


async def test_a_value_that_would_be_true_the_other_way_round_is_told_so(rig, wait_until):
    meter = await rig("generic_meter")
    meter.device.registers = {0: 600, 1: 0, 2: 2300, 3: 5000}
    await meter.start()
    await wait_until(lambda: meter.driver.counters.reads)
    sample = meter.store.image()["site"][Signal.GRID_POWER_W]
    assert isinstance(sample, Bad)
    assert "it would be 600 with its two words the other way round (words)" in sample.reason
    meter.device.registers |= {0: 32000, 1: 32000}
    await wait_until(
        lambda: meter.store.image()["site"][Signal.GRID_POWER_W].reason != sample.reason
    )
    assert "low word" not in meter.store.image()["site"][Signal.GRID_POWER_W].reason


async def test_no_half_image_when_the_second_block_fails(rig, wait_until):
    bms = await rig("generic_bms")
    bms.device.registers = {100: 50, 101: 520}

    async def second_block_refused(request, writer):
        if request.address == 200:
            return request.frame(b"\x02", function=request.function | 0x80)
        return await bms.device.proper(request)

    bms.device.hook = second_block_refused
    await bms.start()
    await wait_until(lambda: bms.driver.counters.errors >= 3)
    assert bms.seen == []
    assert bms.driver.counters.reads == 0
    bms.device.hook = None
    await wait_until(lambda: bms.good(Signal.SOC_PCT) == 50)


async def test_poll_keeps_its_period(rig, wait_until):
    inverter = await rig("generic_inverter")
    await inverter.start()
    await wait_until(lambda: inverter.driver.counters.reads)
    before = inverter.driver.counters.reads
    await asyncio.sleep(0.6)
    assert 20 <= inverter.driver.counters.reads - before <= 31


@given(due=st.integers(0, 10**6), late=st.integers(0, 10**6), period=st.integers(1, 10**4))
def test_schedule_never_drifts_and_never_catches_up(due, late, period):
    now = due + late
    following = next_due_ns(due, now, period)
    assert following > due
    assert (following - due) % period == 0
    assert now <= following <= now + period


async def test_write_reaches_the_device_by_the_function_of_its_table(rig):
    inverter = await rig("generic_inverter")
    await inverter.start()
    await inverter.driver.write(setpoint(-2500.0))
    await inverter.driver.write(setpoint(1.0, point=Point.ENABLE))
    multiple, single = inverter.device.writes
    assert (multiple.function, multiple.address) == (16, 2)
    assert multiple.body[5:] == (-2500).to_bytes(4, "big", signed=True)
    assert (single.function, single.body) == (6, b"\x00\x04\x00\x01")
    assert inverter.driver.counters.writes == 2


@pytest.mark.parametrize(("function", "code"), [("single", 5), ("multiple", 15)])
async def test_coils(rig, function, code):
    row = RegisterWrite(
        point=Point.CONTACTOR, table="coil", address=3, type="bool", function=function
    )
    relays = await rig("generic_relays", writes=(row,))
    await relays.start()
    closing = Write(unit="battery", role=Role.RELAYS, point=Point.CONTACTOR, value=1.0)
    await relays.driver.write(closing)
    assert relays.device.writes[0].function == code
    assert relays.device.bits[3] is True


async def test_discrete_input_is_read(rig, wait_until):
    relays = await rig("generic_relays")
    relays.device.bits = {1: True}
    await relays.start()
    await wait_until(lambda: relays.good(Signal.CONTACTOR_CLOSED) is not None)
    assert relays.good(Signal.CONTACTOR_CLOSED) == 1.0
    relays.device.bits = {0: True}
    await wait_until(lambda: relays.good(Signal.CONTACTOR_CLOSED) != 1.0)
    assert relays.good(Signal.CONTACTOR_CLOSED) == 0.0


@pytest.mark.parametrize(
    "write",
    [
        setpoint(1.0, point=Point.CONTACTOR),
        setpoint(float("nan")),
        setpoint(float("inf")),
        setpoint(3e9),
        setpoint(-1.0, point=Point.ENABLE),
        setpoint(1.0, unit="other"),
        setpoint(1.0, role=Role.BMS),
    ],
    ids=lambda write: f"{write.unit}-{write.role}-{write.point}-{write.value}",
)
async def test_what_cannot_be_written_is_refused_and_not_sent(rig, write):
    inverter = await rig("generic_inverter")
    await inverter.start()
    with pytest.raises(DeviceRefused):
        await inverter.driver.write(write)
    assert inverter.device.writes == []
    assert inverter.driver.counters.errors == 1
    assert inverter.driver.counters.writes == 0


async def test_absent_device_is_found_when_it_comes(rig, wait_until):
    inverter = await rig("generic_inverter", present=False)
    await inverter.start(connected=False)
    counters = inverter.driver.counters
    await wait_until(lambda: counters.errors >= 4 and counters.why_silent == "connection refused")
    assert inverter.seen == []
    assert counters.why_silent == counters.last_error
    assert counters.where == f"127.0.0.1:{inverter.device.port}, device 7"
    assert counters.tries >= 2
    await inverter.device.start()
    await wait_until(lambda: counters.reads)
    assert (counters.why_silent, counters.tries) == ("", 0)
    assert counters.heard_ns is not None


async def test_samples_stop_while_the_device_is_away(rig, wait_until):
    inverter = await rig("generic_inverter")
    inverter.device.registers = {1: 100}
    await inverter.start()
    await wait_until(lambda: inverter.driver.counters.reads)
    await inverter.device.stop()
    gone_ns = time.monotonic_ns()
    await asyncio.sleep(0.25)
    assert inverter.time_ns(Signal.BATTERY_POWER_W) <= gone_ns
    assert inverter.good(Signal.BATTERY_POWER_W) == 100
    assert inverter.driver.counters.errors > 0
    await inverter.device.start()
    await wait_until(lambda: inverter.time_ns(Signal.BATTERY_POWER_W) > gone_ns)


async def test_write_without_connection_fails_at_once_and_is_never_sent(rig, wait_until):
    inverter = await rig("generic_inverter", timeout_s=5.0)
    await inverter.start()
    await inverter.device.stop()
    await wait_until(lambda: not inverter.driver._commands.connected)
    for value in (1000.0, 2000.0, 3000.0):
        with Stopwatch() as watch, pytest.raises(DeviceUnreachable, match="not connected"):
            await inverter.driver.write(setpoint(value))
        assert watch.passed_s < 0.1
    inverter.device.requests.clear()
    await inverter.device.start()
    await inverter.until_connected()
    await asyncio.sleep(0.1)
    assert inverter.device.writes == []
    await inverter.driver.write(setpoint(0.0))
    assert len(inverter.device.writes) == 1


class Patient(Backoff):
    """Waits until it is told not to, as far as a test is concerned."""

    def __init__(self):
        super().__init__()
        self.waits = self.resets = 0

    def next_s(self):
        self.waits += 1
        return 1000.0

    def reset(self):
        self.resets += 1


async def test_a_device_that_answers_a_poll_is_tried_for_commands_at_once(rig, wait_until):
    """Else its readings show for two seconds what cannot be written yet."""
    inverter = await rig("generic_inverter", present=False)
    patient = inverter.driver._commands._backoff = Patient()
    await inverter.start(connected=False)
    await wait_until(lambda: patient.waits == 1)
    await inverter.device.start()
    await inverter.until_connected()
    await inverter.driver.write(setpoint(0.0))
    assert patient.resets == 1


async def test_only_the_first_answer_on_a_connection_speaks_for_the_commands(rig, wait_until):
    """A device that takes one connection only must not be asked for another at each poll."""
    inverter = await rig("generic_inverter", present=False)
    patient = inverter.driver._commands._backoff = Patient()
    inverter.driver._commands._connect = refuse
    await inverter.start(connected=False)
    await wait_until(lambda: patient.waits == 1)
    await inverter.device.start()
    await wait_until(lambda: inverter.driver.counters.reads >= 5)
    assert (patient.waits, patient.resets) == (2, 1)
    await inverter.device.stop()
    await inverter.device.start()
    reads = inverter.driver.counters.reads
    await wait_until(lambda: inverter.driver.counters.reads >= reads + 5)
    assert (patient.waits, patient.resets) == (3, 2)


async def refuse():
    raise DeviceUnreachable("it has one connection already")


async def test_a_try_under_way_that_fails_is_followed_by_another_at_once(raw_device, wait_until):
    device = raw_device()
    await device.start()
    await device.stop()
    link = ModbusLink(ModbusTcp(host="127.0.0.1", port=device.port))
    patient = link._backoff = Patient()

    def heard_meanwhile(error):
        if patient.waits < 3:
            link.retry_now()

    task = asyncio.create_task(link.keep(heard_meanwhile))
    await wait_until(lambda: patient.waits == 4)
    assert patient.resets == 3
    task.cancel()
    await asyncio.wait([task])


async def test_what_is_heard_by_a_connection_that_stands_shortens_no_later_wait(
    raw_device, wait_until
):
    device = raw_device()
    await device.start()
    link = ModbusLink(ModbusTcp(host="127.0.0.1", port=device.port))
    patient = link._backoff = Patient()
    link.retry_now()
    task = asyncio.create_task(link.keep(lambda error: None))
    await wait_until(lambda: link.connected)
    assert not link._retry.is_set()
    link.retry_now()
    assert not link._retry.is_set()
    assert (patient.waits, patient.resets) == (0, 1)
    task.cancel()
    await asyncio.wait([task])
    await device.stop()


async def test_a_device_that_needs_a_while_after_a_connection_is_not_said_to_be_silent(
    raw_device, wait_until
):
    """Its first answer was always missed where it needs longer than a request may take."""
    device = raw_device()
    await device.start()
    connection = ModbusTcp(host="127.0.0.1", port=device.port, timeout_s=1.0)
    link = ModbusLink(connection, Manners(connect_pause_s=1.5))
    told = []
    task = asyncio.create_task(link.keep(told.append))
    await wait_until(lambda: link.connected)
    assert device.requests == []
    await link.request(read_request("holding", 0, 2, 7))
    assert told == []
    task.cancel()
    await asyncio.wait([task])
    await device.stop()


async def test_a_device_that_hangs_up_before_it_may_be_asked_was_never_connected(
    raw_device, wait_until
):
    device = raw_device()
    await device.start()
    connection = ModbusTcp(host="127.0.0.1", port=device.port)
    link = ModbusLink(connection, Manners(connect_pause_s=5.0))
    told = []
    task = asyncio.create_task(link.keep(told.append))
    await wait_until(lambda: device.connections)
    await device.stop()
    await wait_until(lambda: told)
    assert "closed the connection as soon as it was made" in str(told[0])
    assert not link.connected
    task.cancel()
    await asyncio.wait([task])


async def test_write_before_run_fails_at_once(rig):
    inverter = await rig("generic_inverter")
    with pytest.raises(DeviceUnreachable):
        await inverter.driver.write(setpoint(0.0))


async def test_write_does_not_wait_for_a_poll_that_hangs(rig, wait_until):
    inverter = await rig("generic_inverter", timeout_s=5.0)

    async def reads_hang(request, writer):
        return await inverter.device.proper(request) if request.is_write else None

    inverter.device.hook = reads_hang
    await inverter.start()
    await wait_until(lambda: inverter.device.requests)
    with Stopwatch() as watch:
        await inverter.driver.write(setpoint(0.0))
    assert watch.passed_s < 0.5
    assert inverter.driver.counters.reads == 0


async def test_cancelled_run_ends_and_lets_go(rig, wait_until):
    inverter = await rig("generic_inverter")
    await inverter.start()
    inverter.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await inverter.task
    assert not inverter.driver._commands.connected
    assert not inverter.driver._readings.connected


async def test_close_ends_run(rig):
    inverter = await rig("generic_inverter")
    await inverter.start()
    await inverter.driver.close()
    await asyncio.wait_for(inverter.task, 60)
    with pytest.raises(DeviceUnreachable):
        await inverter.driver.write(setpoint(0.0))


async def test_against_the_librarys_own_server():
    registers = [0, 4000, 0, 0, 1, 5, 0, 251, 0]
    device = SimDevice(id=1, simdata=[SimData(0, values=registers, datatype=DataType.REGISTERS)])
    server = ModbusTcpServer(device, address=("127.0.0.1", 0))
    await server.serve_forever(background=True)
    port = server.transport.sockets[0].getsockname()[1]
    store = DataStore(("battery",))
    connection = ModbusTcp(host="127.0.0.1", port=port)
    driver = ModbusDriver(
        "battery/inverter",
        {Role.INVERTER: "battery"},
        load_profile("generic_inverter"),
        connection,
        store,
    )
    task = asyncio.create_task(driver.run())
    try:
        await asyncio.sleep(0.25)
        await driver.write(setpoint(-4321.0))
        await asyncio.sleep(0.25)
    finally:
        task.cancel()
        await asyncio.wait([task])
        await server.shutdown()
    image = store.image()["battery"]
    assert isinstance(image[Signal.SETPOINT_READBACK_W], Good)
    assert image[Signal.SETPOINT_READBACK_W].value == -4321
    assert image[Signal.BATTERY_POWER_W].value == 4000
    assert image[Signal.INVERTER_TEMPERATURE_C].value == pytest.approx(25.1)
    assert driver.counters.errors == 0


async def test_of_what_a_device_does_not_show_counts_what_it_acknowledged(rig, wait_until):
    island = await rig("sma_sunny_island")
    await island.start()
    await wait_until(lambda: island.driver.counters.reads)
    assert island.good(Signal.SETPOINT_READBACK_W) is None, "nobody knows"
    await island.driver.write(setpoint(-700.0))
    await wait_until(lambda: island.good(Signal.SETPOINT_READBACK_W) == -700.0)
    polls = island.driver.counters.reads
    await wait_until(lambda: island.driver.counters.reads > polls + 3)
    assert island.good(Signal.SETPOINT_READBACK_W) == -700.0, "a poll does not forget it"

    async def refuses_writes(request, writer):
        if request.is_write:
            return request.frame(bytes([4]), function=request.function | 0x80)
        return await island.device.proper(request)

    island.device.hook = refuses_writes
    with pytest.raises(DeviceRefused):
        await island.driver.write(setpoint(500.0))
    await wait_until(lambda: island.good(Signal.SETPOINT_READBACK_W) is None)
