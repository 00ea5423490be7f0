"""Relays and an emergency input on lines: what they show, what is driven, who holds them.

Each test runs on a stand-in for the kernel, and on gpio-sim where there is one.
"""

import asyncio
import builtins
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from gpiod.line import Bias, Drive

from holdfast.core.commands import Point, Write
from holdfast.core.config.device import GpioChip
from holdfast.core.data_store import DataStore
from holdfast.core.errors import ConfigError, DeviceRefused, DeviceUnreachable
from holdfast.core.reading import Good
from holdfast.core.role import Role
from holdfast.core.signals import SITE, Signal
from holdfast.devices.drivers import GpioDriver, SyncGpioWriter, backoff, open_driver
from holdfast.devices.gpio_profile import GpioProfile
from holdfast.devices.profile import load_profile
from tests.devices.drivers.conftest import until
from tests.devices.drivers.gpio_bench import (
    CHIP,
    LOOP,
    Bench,
    Held,
    Simulated,
    StandIn,
    holder,
    is_output,
    put_in,
)

CONTACTOR, FEEDBACK = 5, 6
CLOSED, EMERGENCY = Signal.CONTACTOR_CLOSED, Signal.EMERGENCY_LOOP_CLOSED
RELAY_LINES = (f"contactor={CONTACTOR}", f"contactor_closed={FEEDBACK}")
LOOP_LINES = ("emergency_loop_closed=loop",)


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    chip = StandIn(tmp_path)
    put_in(monkeypatch, tmp_path, chip)
    return chip


@pytest.fixture(params=["stand-in", *(["kernel"] if CHIP in os.environ else [])])
def bench(request: pytest.FixtureRequest) -> Bench:
    if request.param == "kernel":
        return Simulated(os.environ[CHIP])
    chip: StandIn = request.getfixturevalue("stand_in")
    return chip


def table(name: str, **changes: Any) -> GpioProfile:
    profile = load_profile(name)
    assert isinstance(profile, GpioProfile)
    return profile.model_copy(update=changes)


class Rig:
    """A driver, and what it told."""

    def __init__(
        self, chip: str, profile: GpioProfile, lines: tuple[str, ...], owner: str = "battery"
    ) -> None:
        self.store = DataStore(("battery",))
        self.seen: list[float] = []
        self.store.on_change(self._note)
        self.owner = owner
        connection = GpioChip(chip=chip, lines=lines)
        owners = dict.fromkeys(profile.roles, owner)
        name = f"{owner}/{profile.roles[0]}"
        driver = open_driver(name, owners, profile, connection, self.store)
        assert isinstance(driver, GpioDriver)
        self.driver = driver
        self.task = asyncio.create_task(driver.run())

    def _note(self, _owner: str, _signal: Signal, sample: object) -> None:
        if isinstance(sample, Good):
            self.seen.append(sample.value)

    def good(self, signal: Signal) -> float | None:
        sample = self.store.image()[self.owner].get(signal)
        return sample.value if isinstance(sample, Good) else None

    async def shows(self, signal: Signal, value: float) -> None:
        await until(lambda: self.good(signal) == value)

    async def write(self, value: float, point: Point = Point.CONTACTOR, unit: str = "") -> None:
        write = Write(unit=unit or self.owner, role=Role.RELAYS, point=point, value=value)
        await self.driver.write(write)

    async def end(self) -> None:
        await self.driver.close()
        await asyncio.wait_for(self.task, 30)


@pytest.fixture
async def rigs(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[Rig]]:
    monkeypatch.setattr(backoff, "_FIRST_S", 0.02)
    rigs: list[Rig] = []
    yield rigs
    for rig in rigs:
        await rig.end()


def relays(rigs: list[Rig], chip: str, **changes: Any) -> Rig:
    rigs.append(Rig(chip, table("gpio_relays", **changes), RELAY_LINES))
    return rigs[-1]


def loop(rigs: list[Rig], chip: str, debounce_ms: int = 0, **changes: Any) -> Rig:
    (read,) = table("gpio_emergency_input").reads
    reads = (read.model_copy(update={"debounce_ms": debounce_ms}),)
    profile = table("gpio_emergency_input", reads=reads, **changes)
    rigs.append(Rig(chip, profile, LOOP_LINES, owner=SITE))
    return rigs[-1]


# ---------------------------------------------------------------------- what is read


async def test_a_feedback_contact_is_looked_at_again_and_again(
    bench: Bench, rigs: list[Rig]
) -> None:
    bench.wire(FEEDBACK, high=True)
    rig = relays(rigs, bench.path)
    await until(lambda: rig.driver.counters.reads > 0)
    bench.wire(FEEDBACK, high=True)
    await rig.shows(CLOSED, 0.0)
    bench.wire(FEEDBACK, high=False)
    await rig.shows(CLOSED, 1.0)
    reads = rig.driver.counters.reads
    await until(lambda: rig.driver.counters.reads > reads + 2)
    assert rig.driver.counters.why_silent == ""
    assert rig.driver.counters.where == f"{bench.path}: contactor_closed=6, contactor=5"


async def test_a_loop_with_a_broken_wire_is_open(bench: Bench, rigs: list[Rig]) -> None:
    rig = loop(rigs, bench.path)  # the chip's resistor is all that holds it
    await rig.shows(EMERGENCY, 0.0)


async def test_a_loop_that_opens_does_not_wait_for_the_next_look(
    bench: Bench, rigs: list[Rig]
) -> None:
    rig = loop(rigs, bench.path, debounce_ms=5, poll_period_s=1000.0)
    await rig.shows(EMERGENCY, 0.0)
    bench.wire(LOOP, high=False)
    await rig.shows(EMERGENCY, 1.0)
    bench.wire(LOOP, high=True)
    await rig.shows(EMERGENCY, 0.0)


async def test_a_loop_that_opened_for_a_moment_was_open(bench: Bench, rigs: list[Rig]) -> None:
    rig = loop(rigs, bench.path, poll_period_s=1000.0)
    await rig.shows(EMERGENCY, 0.0)
    bench.wire(LOOP, high=False)
    await rig.shows(EMERGENCY, 1.0)
    rig.seen.clear()
    bench.wire(LOOP, high=True)
    bench.wire(LOOP, high=False)  # before anybody looks
    await until(lambda: rig.seen == [0.0, 1.0])


async def test_a_chip_that_tells_no_changes_is_looked_at(
    stand_in: StandIn, rigs: list[Rig], caplog: pytest.LogCaptureFixture
) -> None:
    stand_in.interrupts = False
    stand_in.wire(LOOP, high=False)
    rig = loop(rigs, stand_in.path, debounce_ms=5)
    await rig.shows(EMERGENCY, 1.0)
    assert caplog.messages == [
        f"{stand_in.path}: the chip tells no changes; lines are looked at, not debounced"
    ]
    stand_in.wire(LOOP, high=True)
    await rig.shows(EMERGENCY, 0.0)


# ---------------------------------------------------------------------- what is driven


async def test_a_line_is_left_alone_until_it_is_commanded_and_then_held(
    bench: Bench, rigs: list[Rig]
) -> None:
    before = is_output(bench.path, CONTACTOR)
    rig = relays(rigs, bench.path)
    await until(lambda: rig.driver.counters.reads > 1)
    assert holder(bench.path, FEEDBACK) == "holdfast battery/relays"
    assert holder(bench.path, CONTACTOR) == ""
    assert is_output(bench.path, CONTACTOR) == before
    await rig.write(0.0)
    assert holder(bench.path, CONTACTOR) == "holdfast battery/relays"
    assert is_output(bench.path, CONTACTOR)
    assert not bench.is_high(CONTACTOR)
    await rig.write(1.0)
    assert bench.is_high(CONTACTOR)
    await rig.write(0.0)
    assert not bench.is_high(CONTACTOR)
    assert rig.driver.counters.writes == 3


async def test_a_relay_that_is_on_while_the_voltage_is_low(bench: Bench, rigs: list[Rig]) -> None:
    (row,) = table("gpio_relays").writes
    rig = relays(rigs, bench.path, writes=(row.model_copy(update={"active_low": True}),))
    await rig.write(0.0)
    assert bench.is_high(CONTACTOR)
    await rig.write(1.0)
    assert not bench.is_high(CONTACTOR)


@pytest.mark.parametrize(
    ("value", "point", "unit", "told"),
    [
        (0.5, Point.CONTACTOR, "", "battery/relays: contactor: 0.5 is neither 0 nor 1"),
        (1.0, Point.PRECHARGE, "", "battery/relays: its profile has no point precharge"),
        (1.0, Point.CONTACTOR, "other", "is for another device"),
    ],
)
async def test_what_the_table_does_not_take_is_refused(
    stand_in: StandIn, rigs: list[Rig], value: float, point: Point, unit: str, told: str
) -> None:
    rig = relays(rigs, stand_in.path)
    with pytest.raises(DeviceRefused, match=told):
        await rig.write(value, point, unit)
    assert told in rig.driver.counters.last_error
    assert holder(stand_in.path, CONTACTOR) == ""


async def test_a_line_that_does_not_show_what_it_is_driven_to_is_told(
    stand_in: StandIn, rigs: list[Rig]
) -> None:
    rig = relays(rigs, stand_in.path)
    stand_in.lines[CONTACTOR].short = False
    with pytest.raises(DeviceRefused, match="line 5 was set to 1 and shows 0: something else dri"):
        await rig.write(1.0)
    assert rig.driver.counters.writes == 0


async def test_lines_are_let_go_of_at_the_end(bench: Bench, rigs: list[Rig]) -> None:
    rig = relays(rigs, bench.path)
    await until(lambda: rig.driver.counters.reads > 0)
    await rig.write(0.0)
    await rig.end()
    assert [holder(bench.path, number) for number in (CONTACTOR, FEEDBACK)] == ["", ""]


# ---------------------------------------------------------------------- who holds them


async def test_a_line_that_another_has_is_told_with_who_it_is(
    bench: Bench, rigs: list[Rig]
) -> None:
    other = Held(bench.path).take(FEEDBACK)
    rig = relays(rigs, bench.path)
    await until(lambda: rig.driver.counters.why_silent == "line 6 is held by fan")
    other.release()
    await until(lambda: rig.driver.counters.reads > 0)
    assert rig.driver.counters.why_silent == ""


async def test_a_command_for_a_line_that_another_has_fails_and_later_does_not(
    bench: Bench, rigs: list[Rig]
) -> None:
    other = Held(bench.path).take(CONTACTOR)
    rig = relays(rigs, bench.path)
    with pytest.raises(DeviceUnreachable, match="line 5 is held by fan"):
        await rig.write(0.0)
    assert rig.driver.counters.last_error == "line 5 is held by fan"
    other.release()
    await rig.write(0.0)


async def test_a_chip_that_is_unplugged_is_silent_until_it_is_back_and_begins_at_zero(
    stand_in: StandIn, rigs: list[Rig]
) -> None:
    stand_in.wire(LOOP, high=False)
    rig, other = relays(rigs, stand_in.path), loop(rigs, stand_in.path)
    await other.shows(EMERGENCY, 1.0)
    await rig.write(1.0)
    os.eventfd_write(_fd_of(stand_in), 1)  # its loss makes it readable
    stand_in.unplug()
    with pytest.raises(DeviceUnreachable, match="there is no such chip, or no longer"):
        await rig.write(1.0)
    for each in (rig, other):
        await until(lambda each=each: each.driver.counters.why_silent == "there is no such chip")
    stand_in.plug_in()
    stand_in.lines[LOOP].name = "loop"
    reads = rig.driver.counters.reads
    await until(lambda: rig.driver.counters.reads > reads)
    assert not is_output(stand_in.path, CONTACTOR)
    await other.shows(EMERGENCY, 0.0)


def _fd_of(stand_in: StandIn) -> int:
    return stand_in.requests[-1].fd


# ---------------------------------------------------------------------- which chip, which line


@pytest.mark.parametrize("name", ["gpiochip0", "stand-in"])
async def test_a_chip_is_found_by_its_name_and_label(
    stand_in: StandIn, rigs: list[Rig], name: str
) -> None:
    rig = relays(rigs, name)
    await until(lambda: rig.driver.counters.reads > 0)


async def test_a_chip_of_the_kernel_is_found_by_its_name(bench: Bench, rigs: list[Rig]) -> None:
    rig = relays(rigs, Path(bench.path).name)
    await until(lambda: rig.driver.counters.reads > 0)


@pytest.mark.parametrize(
    ("chip", "told"),
    [
        ("other", "no GPIO chip is called other; there is gpiochip0 (stand-in)"),
        ("/dev/nowhere", "there is no such chip"),
        ("/dev/null", "this is no GPIO chip"),
    ],
)
async def test_a_chip_that_is_not_there_is_told(
    stand_in: StandIn, rigs: list[Rig], chip: str, told: str
) -> None:
    rig = relays(rigs, chip)
    await until(lambda: rig.driver.counters.why_silent == told)


async def test_the_library_itself_says_the_same_of_what_is_no_chip(rigs: list[Rig]) -> None:
    for chip, told in [
        ("/dev/nowhere", "there is no such chip"),
        ("/dev/null", "there is no such chip, or no longer"),
        (__file__, "this is no GPIO chip"),
    ]:
        rig = relays(rigs, chip)
        await until(lambda rig=rig, told=told: rig.driver.counters.why_silent == told)


async def test_a_label_of_two_chips_names_neither(
    stand_in: StandIn, tmp_path: Path, rigs: list[Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    twin = StandIn(tmp_path, 1)
    put_in(monkeypatch, tmp_path, stand_in, twin)
    rig = relays(rigs, "stand-in")
    await until(lambda: "are all called stand-in" in rig.driver.counters.why_silent)
    assert stand_in.path in rig.driver.counters.why_silent
    assert twin.path in rig.driver.counters.why_silent


@pytest.mark.parametrize("line", ["99", "nowhere"])
async def test_a_line_that_the_chip_has_not_is_told(
    bench: Bench, rigs: list[Rig], line: str
) -> None:
    lines = (f"emergency_loop_closed={line}",)
    rigs.append(Rig(bench.path, table("gpio_emergency_input"), lines, owner=SITE))
    told = f"has 8 lines, and no line {line}"
    await until(lambda: rigs[-1].driver.counters.why_silent.endswith(told))


async def test_each_line_is_set_up_as_the_table_has_it(stand_in: StandIn, rigs: list[Rig]) -> None:
    (read,), (write,) = table("gpio_relays").reads, table("gpio_relays").writes
    for bias, drive, set_bias, set_drive in [
        ("external", "open_drain", Bias.DISABLED, Drive.OPEN_DRAIN),
        ("pull_down", "open_source", Bias.PULL_DOWN, Drive.OPEN_SOURCE),
        ("pull_up", "push_pull", Bias.PULL_UP, Drive.PUSH_PULL),
    ]:
        changed = {
            "reads": (read.model_copy(update={"bias": bias}),),
            "writes": (write.model_copy(update={"drive": drive}),),
        }
        rig = relays(rigs, stand_in.path, **changed)
        await rig.write(0.0)
        await until(lambda rig=rig: rig.driver.counters.reads > 0)
        assert stand_in.lines[FEEDBACK].settings.bias is set_bias
        assert stand_in.lines[CONTACTOR].settings.drive is set_drive
        assert stand_in.lines[FEEDBACK].settings.debounce_period.total_seconds() == 0.005
        await rig.end()


def test_a_line_that_nobody_names_is_refused_before_anything_is_opened() -> None:
    connection = GpioChip(chip="/dev/nowhere", lines=("contactor=1",))
    with pytest.raises(ConfigError, match=r"relays: lines: contactor_closed is missing; write \["):
        open_driver(
            "relays", {Role.RELAYS: "battery"}, table("gpio_relays"), connection,
            DataStore(("battery",)),
        )  # fmt: skip


@pytest.mark.parametrize("found", [None, "libgpiod 1"])
def test_without_the_library_it_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch, found: str | None
) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any) -> Any:
        if name == "gpiod":
            if found is None:
                raise ImportError
            return builtins
        return real(name, *args)

    monkeypatch.setattr(builtins, "__import__", without)
    connection = GpioChip(chip="/dev/nowhere", lines=RELAY_LINES)
    with pytest.raises(ConfigError, match=r"pip install 'holdfast\[gpio\]'"):
        open_driver(
            "relays", {Role.RELAYS: "battery"}, table("gpio_relays"), connection,
            DataStore(("battery",)),
        )  # fmt: skip


# ---------------------------------------------------------------------- without an event loop


def writer(chip: str) -> SyncGpioWriter:
    connection = GpioChip(chip=chip, lines=RELAY_LINES)
    return SyncGpioWriter(table("gpio_relays"), connection, "watchdog")


def test_the_watchdog_holds_each_line_from_its_first_use_on(bench: Bench) -> None:
    watchdog = writer(bench.path)
    assert not watchdog.connected
    watchdog.connect()
    assert watchdog.connected
    bench.wire(FEEDBACK, high=True)
    assert watchdog.read(CLOSED) == 0.0
    assert holder(bench.path, FEEDBACK) == "holdfast watchdog"
    assert holder(bench.path, CONTACTOR) == "", "holding it would open it"
    watchdog.write(Point.CONTACTOR, 1.0)
    assert bench.is_high(CONTACTOR)
    watchdog.write(Point.CONTACTOR, 0.0)
    assert not bench.is_high(CONTACTOR)
    assert holder(bench.path, CONTACTOR) == "holdfast watchdog"
    with pytest.raises(DeviceRefused, match="contactor: 2 is neither 0 nor 1"):
        watchdog.write(Point.CONTACTOR, 2.0)
    assert watchdog.connected
    watchdog.close()
    assert not watchdog.connected
    assert [holder(bench.path, number) for number in (CONTACTOR, FEEDBACK)] == ["", ""]


def test_the_watchdog_lets_go_of_all_lines_after_one_was_not_to_be_had(bench: Bench) -> None:
    watchdog = writer(bench.path)
    watchdog.connect()
    other = Held(bench.path, "holdfast battery/relays").take(CONTACTOR)
    watchdog.read(CLOSED)
    with pytest.raises(DeviceUnreachable, match="line 5 is held by holdfast battery/relays"):
        watchdog.write(Point.CONTACTOR, 0.0)
    assert not watchdog.connected
    assert holder(bench.path, FEEDBACK) == ""
    other.release()
    other = Held(bench.path).take(FEEDBACK)
    watchdog.connect()
    with pytest.raises(DeviceUnreachable, match="line 6 is held by fan"):
        watchdog.read(CLOSED)
    assert not watchdog.connected
    other.release()
