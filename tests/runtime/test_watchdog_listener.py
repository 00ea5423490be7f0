"""The watchdog's heartbeat, as the control loop hears it."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from holdfast.client.status_reader import StatusReader
from holdfast.core.commands import Command
from holdfast.core.reading import Bad
from holdfast.core.signals import SITE, Signal
from holdfast.core.state_machine import State
from holdfast.monitoring.status.schema import Status
from holdfast.runtime.watchdog_listener import ANOTHER
from holdfast.site.digest import site_digest
from holdfast.site.shared_memory import Heartbeat
from tests.builders import UNIT, build_site
from tests.runtime.bench import LoopBench


async def test_the_watchdogs_beat_arrives_as_a_signal(tmp_path: Path) -> None:
    bench = LoopBench(tmp_path)
    del bench.values[SITE, Signal.WATCHDOG_ARMED]
    await bench.cycle(3)
    assert bench.state is State.BOOT
    with Heartbeat(bench.files.watchdog, site_digest(bench.site)) as watchdog:
        watchdog.beat(time.monotonic_ns(), 0)
        await bench.cycle(2)
        assert bench.state is State.BOOT  # it lives, but does not reach the inverter
        deadline_s = time.monotonic() + 60.0
        while bench.state is State.BOOT and time.monotonic() < deadline_s:
            watchdog.beat(time.monotonic_ns(), 1)
            await asyncio.sleep(0.02)
            await bench.cycle(1)
        assert bench.state is State.IDLE


async def test_a_watchdogs_beat_from_before_the_computer_was_started_anew_is_forgotten(
    tmp_path: Path,
) -> None:
    bench = LoopBench(tmp_path)
    del bench.values[SITE, Signal.WATCHDOG_ARMED]
    with Heartbeat(bench.files.watchdog, site_digest(bench.site)) as watchdog:
        watchdog.beat(time.monotonic_ns() + 30 * 86_400 * 10**9)
        await bench.cycle(3)
        assert not isinstance(bench.store.image()[SITE].get(Signal.WATCHDOG_ARMED), Bad)
        for _ in range(4):
            watchdog.beat(time.monotonic_ns())
            await bench.cycle(1)
        assert bench.state is State.IDLE


async def test_a_watchdog_of_another_configuration_lets_no_power_flow_and_the_status_says_why(
    tmp_path: Path,
) -> None:
    bench = LoopBench(tmp_path)
    del bench.values[SITE, Signal.WATCHDOG_ARMED]
    other = build_site(state_dir=str(tmp_path), name="edited")
    with (
        Heartbeat(bench.files.watchdog, site_digest(bench.site)) as watchdog,
        Heartbeat(bench.files.watchdog, site_digest(other)) as another,
    ):
        await to_running(bench, lambda: watchdog.beat(time.monotonic_ns()))
        another.beat(time.monotonic_ns())
        await bench.cycle()
        bench.show_next()
        await bench.cycle()
        (found,) = (f for f in shown(bench).findings if f.row == "watchdog_data_bad")
        assert ANOTHER in found.text
        assert found.reaction == "ramp_to_zero"
        assert bench.loop.state.units[UNIT].setpoint_w == 0.0
        await bench.loop.command(Command.STOP)
        another.beat(time.monotonic_ns())
        await bench.cycle(2)
        accepted, reason = await bench.loop.command(Command.START)
        assert not accepted
        assert f"the watchdog's state is not known: {ANOTHER}" in reason
        assert bench.state is State.IDLE


async def to_running(bench: LoopBench, beat: Callable[[], None]) -> None:
    deadline_s = time.monotonic() + 60.0
    while bench.state is not State.RUNNING:
        assert time.monotonic() < deadline_s
        beat()
        await bench.cycle()
        await bench.loop.command(Command.START)


def shown(bench: LoopBench) -> Status:
    found = StatusReader(bench.files).latest()
    assert found is not None
    return found[0]
