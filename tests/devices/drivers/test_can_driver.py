"""The CAN driver on a virtual bus, and on slcan over a pseudo-terminal."""

import asyncio
import os
import random
import time
import tty
import uuid
from contextlib import suppress

import can
import pytest
from can.interfaces.virtual import channels

from holdfast.core.commands import Point, Write
from holdfast.core.config.device import CanBus
from holdfast.core.data_store import DataStore
from holdfast.core.errors import DeviceRefused
from holdfast.core.reading import Bad, Good
from holdfast.core.role import Role
from holdfast.core.signals import SIGNALS, Signal
from holdfast.devices.drivers import can_reader
from holdfast.devices.drivers.canbus import CanBmsDriver
from holdfast.devices.profile import load_profile
from holdfast.testing.waiting import Stopwatch

FIELD_BURST = {
    0x351: "1402C012C012C201",
    0x355: "58005E00",
    0x356: "7A13F2FE6B01",
    0x359: "0000000006504E",
    0x35C: "C000",
}


class Pack:
    """A BMS on a virtual bus, and the driver that listens to it."""

    def __init__(self, *, acts_as_inverter=False):
        self.channel = channel = f"test-{uuid.uuid4()}"
        self.bus = can.Bus(interface="virtual", channel=channel, ignore_config=True)
        self.store = DataStore(("battery",))
        connection = CanBus(interface="virtual", channel=channel, acts_as_inverter=acts_as_inverter)
        self.driver = CanBmsDriver(
            "battery/bms",
            {Role.BMS: "battery"},
            load_profile("pylontech_lv_can"),
            connection,
            self.store,
        )
        self.task = asyncio.create_task(self.driver.run())

    @property
    def is_heard(self):
        """True while the driver has the bus open, too."""
        return len(channels[self.channel]) == 2

    def send(self, frames, **options):
        for id_, data in frames.items():
            self.bus.send(
                can.Message(
                    arbitration_id=id_,
                    data=bytes.fromhex(data),
                    **({"is_extended_id": False} | options),
                )
            )

    def sample(self, signal):
        return self.store.image()["battery"].get(signal)

    def good(self, signal):
        sample = self.sample(signal)
        return sample.value if isinstance(sample, Good) else None

    async def end(self):
        await self.driver.close()
        await asyncio.wait_for(self.task, 60)
        self.bus.shutdown()


@pytest.fixture
async def pack(wait_until):
    packs = []

    async def build(**options):
        packs.append(Pack(**options))
        await wait_until(lambda: packs[-1].is_heard)
        return packs[-1]

    yield build
    for one in packs:
        await one.end()


async def test_field_example_decodes_to_the_stated_values(pack, wait_until):
    bms = await pack()
    sent_ns = time.monotonic_ns()
    bms.send(FIELD_BURST)
    await wait_until(lambda: bms.driver.counters.reads)
    expected = {
        Signal.CHARGE_VOLTAGE_LIMIT_V: 53.2,
        Signal.CHARGE_CURRENT_LIMIT_A: 480.0,
        Signal.DISCHARGE_CURRENT_LIMIT_A: 480.0,
        Signal.SOC_PCT: 88,
        Signal.SOH_PCT: 94,
        Signal.PACK_VOLTAGE_V: 49.86,
        Signal.BATTERY_CURRENT_A: -27.0,
        Signal.CELL_TEMPERATURE_MIN_C: 36.3,
        Signal.CELL_TEMPERATURE_MAX_C: 36.3,
        Signal.BMS_PROTECTION: 0,
        Signal.BMS_ALARM: 0,
        Signal.CHARGE_ALLOWED: 1,
        Signal.DISCHARGE_ALLOWED: 1,
    }
    assert {signal: bms.good(signal) for signal in expected} == pytest.approx(expected)
    times = {sample.time_ns for sample in bms.store.image()["battery"].values()}
    assert len(times) == 1, "a burst has one time"
    assert sent_ns <= times.pop() <= time.monotonic_ns()
    assert bms.driver.counters.reads == 1


async def test_second_field_example(pack, wait_until):
    bms = await pack()
    bms.send({0x351: "1002C800E803C201", 0x355: "5D0064000900 0F00", 0x356: "7213F5FFB600"})
    await wait_until(lambda: bms.driver.counters.reads)
    assert bms.good(Signal.CHARGE_CURRENT_LIMIT_A) == pytest.approx(20.0)
    assert bms.good(Signal.BATTERY_CURRENT_A) == pytest.approx(-1.1)
    assert bms.good(Signal.CELL_TEMPERATURE_MAX_C) == pytest.approx(18.2)
    assert bms.sample(Signal.CHARGE_ALLOWED) is None, "absent flags permit nothing"


async def test_nothing_lands_before_the_burst_is_complete(pack, wait_until):
    bms = await pack()
    bms.send({0x351: FIELD_BURST[0x351]})
    await asyncio.sleep(0.02)
    assert bms.store.image()["battery"] == {}
    bms.send({0x355: FIELD_BURST[0x355]})
    await wait_until(lambda: bms.driver.counters.reads)
    assert bms.good(Signal.SOC_PCT) == 88
    assert bms.driver.counters.reads == 1


async def test_one_burst_that_cannot_be_true_is_left_out_and_told(pack, wait_until):
    bms = await pack()
    bms.send(FIELD_BURST)
    await wait_until(lambda: bms.driver.counters.reads)
    bms.send(FIELD_BURST | {0x356: "0000000000000000"})
    await wait_until(lambda: bms.driver.counters.errors)
    assert bms.good(Signal.SOC_PCT) == 88
    assert "pack_voltage_v: 0 V is not within 1 to 1500" in bms.driver.counters.last_error
    assert bms.driver.counters.reads == 1


async def test_negative_limit_is_no_permission_to_charge_and_one_to_discharge(pack, wait_until):
    """Some packs count what they may discharge with as negative."""
    bms = await pack()
    bms.send({0x351: "14029CFF9CFFC201"})
    await wait_until(lambda: bms.driver.counters.reads)
    assert isinstance(bms.sample(Signal.CHARGE_CURRENT_LIMIT_A), Bad)
    assert bms.good(Signal.DISCHARGE_CURRENT_LIMIT_A) == pytest.approx(10.0)


async def test_an_alarm_that_comes_in_0x35a_alone_raises_its_flag(pack, wait_until):
    bms = await pack()
    bms.send({0x35A: "A6AAAAAAAAAAAAAA"})
    await wait_until(lambda: bms.driver.counters.reads)
    assert (bms.good(Signal.BMS_PROTECTION), bms.good(Signal.BMS_ALARM)) == (1, 0)


@pytest.mark.parametrize(
    ("byte", "signal"),
    [(0, Signal.BMS_PROTECTION), (1, Signal.BMS_PROTECTION), (2, Signal.BMS_ALARM)],
)
async def test_each_documented_bit_raises_its_flag(pack, wait_until, byte, signal):
    bms = await pack()
    data = bytearray(7)
    data[byte] = 0x08
    bms.send({0x359: data.hex()})
    await wait_until(lambda: bms.driver.counters.reads)
    assert bms.good(signal) == 1


async def test_short_frame_is_an_error_and_the_rest_lands(pack, wait_until):
    bms = await pack()
    bms.send(FIELD_BURST | {0x356: "7A13F2FE"})
    await wait_until(lambda: bms.driver.counters.reads)
    assert bms.sample(Signal.PACK_VOLTAGE_V) is None
    assert bms.good(Signal.SOC_PCT) == 88
    assert bms.driver.counters.errors == 1
    assert "0x356 has 4 bytes" in bms.driver.counters.last_error


@pytest.mark.parametrize(
    "options",
    [{"is_extended_id": True}, {"is_remote_frame": True}],
    ids=str,
)
async def test_frames_of_other_kinds_are_dropped(pack, wait_until, options):
    bms = await pack()
    bms.send({0x355: "58005E00"}, **options)
    bms.send({0x123: "58005E00"})
    bms.send({0x351: FIELD_BURST[0x351]})
    await wait_until(lambda: bms.driver.counters.reads)
    assert bms.sample(Signal.SOC_PCT) is None
    assert bms.driver.counters.errors == 0


async def test_an_error_frame_is_told_and_carries_no_value(pack, wait_until):
    bms = await pack()
    for _ in range(20):
        bms.send({0x355: "58005E00"}, is_error_frame=True)
    bms.send({0x351: FIELD_BURST[0x351]})
    await wait_until(lambda: bms.driver.counters.reads)
    assert bms.sample(Signal.SOC_PCT) is None
    assert bms.driver.counters.errors == 1, "they come as fast as frames do"
    assert bms.driver.counters.last_error == "the adapter tells of an error on the bus"


# A bus that is not well. ------------------------------------------------------------------------


def burst_of(soc, voltage="7A13"):
    return FIELD_BURST | {0x355: f"{soc:02X}005E00", 0x356: f"{voltage}F2FE6B01"}


async def test_two_batteries_with_the_same_frames_are_found_and_not_mixed(pack, wait_until):
    bms = await pack()
    bms.send(burst_of(80))
    await wait_until(lambda: bms.good(Signal.SOC_PCT) == 80)
    for _ in range(10):
        bms.send(burst_of(40))
        bms.send(burst_of(80))
        await asyncio.sleep(0.06)
    counters = bms.driver.counters
    await wait_until(lambda: counters.why_silent)
    assert "soc_pct jumps between 40 and 80 %: do two batteries send" in counters.why_silent
    told_ns, reads = bms.sample(Signal.SOC_PCT).time_ns, counters.reads
    bms.send(burst_of(60))
    bms.send(burst_of(40))
    bms.send(burst_of(80))
    await asyncio.sleep(0.2)
    assert bms.sample(Signal.SOC_PCT).time_ns == told_ns, "what it told last becomes old"
    assert counters.reads == reads
    for _ in range(40):
        bms.send(burst_of(80))
    await wait_until(lambda: counters.reads > reads)
    assert counters.why_silent == ""


async def test_a_node_that_floods_the_bus_costs_little_and_is_told(pack, wait_until):
    bms = await pack()
    longest_s, before = 0.0, time.perf_counter()
    for _ in range(60):
        for _ in range(100):
            bms.send({0x355: "58005E00"})
        await asyncio.sleep(0.01)
        now = time.perf_counter()
        longest_s, before = max(longest_s, now - before), now
    counters = bms.driver.counters
    await wait_until(lambda: "floods the bus: frame 0x355" in counters.last_error)
    assert counters.reads <= 200, "6000 were sent"
    assert counters.errors <= 4, "told once a second"
    assert longest_s < 1.0


async def test_frames_of_others_in_great_number_do_not_hide_those_of_the_pack(pack, wait_until):
    bms = await pack()
    for _ in range(20):
        for id_ in range(0x400, 0x40A):
            bms.send({id_: "58005E00"})
    bms.send(FIELD_BURST)
    await wait_until(lambda: bms.good(Signal.SOC_PCT) == 88)
    assert bms.driver.counters.errors == 0


class Kernel:
    """Opens a virtual bus where the driver asks for one of the kernel's."""

    def __init__(self, monkeypatch):
        self.opened = []
        self.real, self.options = can.Bus, []
        monkeypatch.setattr(can_reader.can, "Bus", self)

    def __call__(self, **options):
        self.options.append(options)
        filters = options.pop("can_filters", None)
        assert filters
        bus = self.real(**options | {"interface": "virtual"})
        self.opened.append(bus)
        return bus


@pytest.fixture
async def kernel(monkeypatch, wait_until):
    kernel = Kernel(monkeypatch)
    kernel.channel = f"test-{uuid.uuid4()}"
    kernel.bus = kernel.real(interface="virtual", channel=kernel.channel, ignore_config=True)
    connection = CanBus(interface="socketcan", channel=kernel.channel)
    kernel.driver = CanBmsDriver(
        "battery/bms",
        {Role.BMS: "battery"},
        load_profile("pylontech_lv_can"),
        connection,
        DataStore(("battery",)),
    )
    task = asyncio.create_task(kernel.driver.run())
    await wait_until(lambda: kernel.opened and len(channels[kernel.channel]) == 2)
    yield kernel
    await kernel.driver.close()
    await asyncio.wait_for(task, 60)
    kernel.bus.shutdown()


def error_frame(id_, status=0):
    data = bytes([0, status, 0, 0, 0, 0, 0, 0])
    return can.Message(arbitration_id=id_, is_extended_id=False, is_error_frame=True, data=data)


async def test_a_bus_that_is_off_is_told_in_words_and_opened_again(kernel, wait_until):
    kernel.bus.send(error_frame(0x40))
    counters = kernel.driver.counters
    await wait_until(lambda: len(kernel.opened) >= 2)
    assert "has left the bus (bus-off)" in counters.why_silent
    assert "are bitrate, wiring and terminators right?" in counters.why_silent


async def test_silence_is_told_with_what_the_adapter_said_of_the_bus(
    kernel, wait_until, monkeypatch
):
    monkeypatch.setattr(can_reader, "_SILENCE_NS", 300_000_000)
    kernel.bus.send(error_frame(0x20))
    counters = kernel.driver.counters
    await wait_until(lambda: counters.why_silent)
    assert "nobody acknowledges what is sent" in counters.why_silent
    assert counters.why_silent.startswith("no frame for ")


async def test_options_reach_the_interface_as_numbers_where_they_are(monkeypatch, wait_until):
    kernel = Kernel(monkeypatch)
    options = ("local_loopback=false", "tries=3", "share=0.5", "host=a.b")
    driver = CanBmsDriver(
        "battery/bms",
        {Role.BMS: "battery"},
        load_profile("pylontech_lv_can"),
        CanBus(interface="pcan", channel=f"test-{uuid.uuid4()}", options=options),
        DataStore(("battery",)),
    )
    task = asyncio.create_task(driver.run())
    await wait_until(lambda: kernel.opened)
    await driver.close()
    await asyncio.wait_for(task, 60)
    taken = kernel.options[0]
    assert taken["interface"] == "pcan"
    names = ("local_loopback", "tries", "share", "host")
    assert [taken[name] for name in names] == [False, 3, 0.5, "a.b"]


async def test_the_kernel_lets_only_the_frames_of_the_table_through(kernel):
    filters = kernel.driver._reader._filters()
    assert {"can_id": 0x355, "can_mask": 0x7FF, "extended": False} in filters
    assert len(filters) == len(load_profile("pylontech_lv_can").frames)


async def test_the_kernel_lets_every_address_of_an_addressed_battery_through():
    reader = can_reader.CanReader(
        CanBus(interface="socketcan", channel="can0", address=1),
        load_profile("pylontech_hv_can").at(1),
        on_frame=lambda *_: None,
        on_garbage=lambda _: None,
    )
    assert reader._filters()[0] == {
        "can_id": 0x4211,
        "can_mask": 0x1FFF_FFF0,
        "extended": True,
    }


async def test_writing_is_refused(pack):
    bms = await pack()
    write = Write(unit="battery", role=Role.BMS, point=Point.CHARGE_POWER_W, value=0.0)
    with pytest.raises(DeviceRefused):
        await bms.driver.write(write)
    assert bms.driver.counters.writes == 0


def heard_by(bms):
    heard = []
    while (message := bms.bus.recv(0)) is not None:
        heard.append((message.arbitration_id, bytes(message.data), message.is_extended_id))
    return heard


@pytest.mark.parametrize("acts_as_inverter", [True, False])
async def test_keep_alive_only_when_acting_as_the_inverter(pack, acts_as_inverter):
    bms = await pack(acts_as_inverter=acts_as_inverter)
    for _ in range(13):
        bms.send({0x355: "58005E00"})
        await asyncio.sleep(0.1)
    assert heard_by(bms) == ([(0x305, bytes(8), False)] * 2 if acts_as_inverter else [])


async def test_keep_alive_is_not_sent_to_a_bus_on_which_nobody_speaks(pack, wait_until):
    """A frame that nobody acknowledges is repeated until the adapter leaves the bus."""
    bms = await pack(acts_as_inverter=True)
    await asyncio.sleep(0.5)
    assert heard_by(bms) == []
    bms.send({0x355: "58005E00"})
    await wait_until(lambda: heard_by(bms) == [(0x305, bytes(8), False)])
    await asyncio.sleep(1.2)
    assert heard_by(bms) == [], "the pack has said nothing since"


async def test_silent_bus_is_opened_again(pack, wait_until, monkeypatch):
    monkeypatch.setattr(can_reader, "_SILENCE_NS", 100_000_000)
    bms = await pack()
    await wait_until(lambda: bms.driver.counters.errors)
    assert "no frame" in bms.driver.counters.last_error
    await wait_until(lambda: bms.driver.counters.errors >= 2)
    monkeypatch.undo()
    await wait_until(lambda: bms.is_heard)
    bms.send(FIELD_BURST)
    await wait_until(lambda: bms.good(Signal.SOC_PCT) == 88)


async def test_cancelled_run_lets_go_of_the_bus(pack):
    bms = await pack()
    bms.task.cancel()
    with Stopwatch() as watch, pytest.raises(asyncio.CancelledError):
        await bms.task
    assert watch.passed_s < 1.0
    bms.task = asyncio.create_task(asyncio.sleep(0))


class Adapter:
    """The far end of an slcan adapter: a pseudo-terminal behind a stable path."""

    def __init__(self, path):
        self.path = path
        self.heard = b""
        self.master = -1

    def plug_in(self):
        self.master, slave = os.openpty()
        tty.setraw(slave)
        os.set_blocking(self.master, False)
        with suppress(FileNotFoundError):
            self.path.unlink()
        self.path.symlink_to(os.ttyname(slave))
        os.close(slave)
        asyncio.get_running_loop().add_reader(self.master, self._drain)

    def unplug(self):
        if self.master >= 0:
            asyncio.get_running_loop().remove_reader(self.master)
            os.close(self.master)
            self.path.unlink()
            self.master = -1

    def _drain(self):
        # EIO while nobody has the other end open.
        with suppress(BlockingIOError, OSError):
            self.heard += os.read(self.master, 4096)

    def line(self, text):
        os.write(self.master, text if isinstance(text, bytes) else text.encode() + b"\r")

    def burst(self, frames=FIELD_BURST):
        for id_, data in frames.items():
            self.line(f"t{id_:03X}{len(data) // 2}{data}")

    @property
    def is_heard(self):
        """True once the channel is open and settled."""
        opening, opened, _ = self.heard.rpartition(b"O\r")
        reader = self.driver._reader
        return opened and b"S6\r" in opening and reader is not None and reader.listens


@pytest.fixture
async def slcan(tmp_path, monkeypatch):
    monkeypatch.setattr(can_reader, "_SETTLE_S", 0.02)
    adapter = Adapter(tmp_path / "can0")
    store = DataStore(("battery",))
    connection = CanBus(interface="slcan", channel=str(adapter.path), acts_as_inverter=True)
    driver = CanBmsDriver(
        "battery/bms", {Role.BMS: "battery"}, load_profile("pylontech_lv_can"), connection, store
    )
    adapter.store, adapter.driver = store, driver
    adapter.good = lambda signal: getattr(store.image()["battery"].get(signal), "value", None)
    task = asyncio.create_task(driver.run())
    yield adapter
    await driver.close()
    await asyncio.wait_for(task, 60)
    adapter.unplug()


async def test_slcan_absent_plugged_in_pulled_and_back(slcan, wait_until):
    await wait_until(lambda: slcan.driver.counters.errors >= 2)
    slcan.plug_in()
    await wait_until(lambda: slcan.is_heard)
    slcan.burst()
    await wait_until(lambda: slcan.good(Signal.SOC_PCT) == 88)
    assert slcan.good(Signal.BATTERY_CURRENT_A) == pytest.approx(-27.0)

    errors = slcan.driver.counters.errors
    slcan.unplug()
    await wait_until(lambda: slcan.driver.counters.errors >= errors + 2)
    slcan.heard = b""
    slcan.plug_in()
    await wait_until(lambda: slcan.is_heard)
    slcan.burst(FIELD_BURST | {0x355: "40005E00"})
    await wait_until(lambda: slcan.good(Signal.SOC_PCT) == 64)


@pytest.mark.parametrize(
    "noise",
    [b"\r", b"\a", b"t3\r", b"tXYZ8\r", b"t3559\r", b"t355858005\r", b"t35585800\r", b"zzz\r"],
    ids=repr,
)
async def test_slcan_garbage_is_survived(slcan, wait_until, noise):
    slcan.plug_in()
    await wait_until(lambda: slcan.is_heard)
    slcan.line(noise)
    slcan.burst()
    await wait_until(lambda: slcan.good(Signal.SOC_PCT) == 88)
    assert slcan.good(Signal.SOH_PCT) == 94


async def test_slcan_line_that_was_cut_off_is_not_believed(slcan, wait_until):
    slcan.plug_in()
    await wait_until(lambda: slcan.is_heard)
    slcan.line("t355840005E00")
    await wait_until(lambda: slcan.driver.counters.errors)
    await asyncio.sleep(0.1)
    assert slcan.good(Signal.SOC_PCT) is None
    assert "cut off" in slcan.driver.counters.last_error


async def test_slcan_noise_that_is_no_text_costs_its_line_and_not_the_connection(slcan, wait_until):
    slcan.plug_in()
    await wait_until(lambda: slcan.is_heard)
    slcan.heard = b""
    slcan.line(b"\xff\xfe\xff\r")
    await wait_until(lambda: "not a frame" in slcan.driver.counters.last_error)
    slcan.burst()
    await wait_until(lambda: slcan.good(Signal.SOC_PCT) == 88)
    assert b"O\r" not in slcan.heard, "the adapter was opened again"


async def test_event_loop_is_not_held_up_by_opening_the_adapter(slcan, wait_until, monkeypatch):
    settle_s = 2.0
    monkeypatch.setattr(can_reader, "_SETTLE_S", settle_s)
    slcan.plug_in()
    longest_s, before = 0.0, time.perf_counter()
    while not slcan.is_heard:
        await asyncio.sleep(0.005)
        now = time.perf_counter()
        longest_s, before = max(longest_s, now - before), now
    assert longest_s < settle_s / 2


async def test_random_frames_never_give_an_implausible_good_sample(pack, wait_until):
    bms = await pack()
    noise = random.Random(7)
    ids = [0x351, 0x355, 0x356, 0x359, 0x35C, 0x373, 0x305, 0x000]
    for _ in range(400):
        bms.send({noise.choice(ids): noise.randbytes(noise.randrange(9)).hex()})
    await wait_until(lambda: bms.driver.counters.reads > 20)
    await asyncio.sleep(0.1)
    for signal, sample in bms.store.image()["battery"].items():
        if isinstance(sample, Good):
            assert SIGNALS[signal].low <= sample.value <= SIGNALS[signal].high
    assert not bms.task.done()
