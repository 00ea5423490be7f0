"""The control loop: inputs to the cycle, writes to the devices, latches to the disk."""

import asyncio
import math
import shutil
import time
from pathlib import Path

import pytest

from holdfast.core.commands import Command, Point
from holdfast.core.latches import CONTROL_EXCEPTION
from holdfast.core.reading import Good
from holdfast.core.role import Role
from holdfast.core.signals import SITE, Signal
from holdfast.core.state_machine import State
from holdfast.devices.load_safety_wrapper import REVERT_S
from holdfast.runtime import control_loop
from holdfast.runtime.latch_file import load_latches
from holdfast.site.shared_memory import Beat, HeartbeatReader
from tests.builders import LOAD, UNIT, device, load_content, put, room_content
from tests.runtime.bench import LoopBench, site_in, until


async def to_running(bench: LoopBench) -> None:
    await bench.to_idle()
    bench.sample()
    accepted, reason = await bench.loop.command(Command.START)
    assert accepted, reason
    for _ in range(20):  # moves away from zero wait for each other
        await asyncio.sleep(0.02)
        await bench.cycle()
    assert bench.state is State.RUNNING
    assert bench.values[UNIT, Signal.CONTACTOR_CLOSED] == 1.0


async def test_a_healthy_site_boots_and_starts_when_told_and_not_before(tmp_path: Path) -> None:
    bench = LoopBench(tmp_path)
    await bench.to_idle()
    await bench.cycle(5)
    assert bench.state is State.IDLE
    assert set(bench.written(Role.RELAYS, Point.CONTACTOR)) == {0.0}
    await to_running(bench)
    assert bench.written(Role.RELAYS, Point.CONTACTOR)[-1] == 1.0


async def test_the_heartbeat_tells_the_end_of_a_completed_cycle(tmp_path: Path) -> None:
    bench = LoopBench(tmp_path)
    with HeartbeatReader(bench.files.heartbeat) as beats:
        assert beats.last() == Beat()
        before_ns = time.monotonic_ns()
        await bench.cycle()
        assert before_ns <= beats.last()[0] <= time.monotonic_ns()


async def test_a_cycle_that_raises_writes_zero_latches_and_beats_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = LoopBench(tmp_path)
    await to_running(bench)
    with HeartbeatReader(bench.files.heartbeat) as beats:
        last_beat = beats.last()

        def fail(*_: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(bench.loop._cycle, "step", fail)
        for driver in bench.drivers.values():
            driver.written.clear()
        bench.sample()
        assert bench.loop.run_cycle() is None
        await bench.loop.flush()
        assert beats.last() == last_beat
    assert bench.loop.failed.is_set()
    assert bench.written(Role.INVERTER, Point.SETPOINT_W) == [0.0]
    assert bench.written(Role.INVERTER, Point.ENABLE) == [0.0]
    assert bench.written(Role.BMS, Point.CHARGE_POWER_W) == [0.0]
    assert bench.written(Role.BMS, Point.DISCHARGE_POWER_W) == [0.0]
    assert load_latches(bench.files.latches).faults == (CONTROL_EXCEPTION,)
    # From here on nothing is decided any more, and who asks is told so.
    assert await bench.loop.command(Command.STOP) == (
        False,
        "the control cycle failed; the site was taken to 0 W",
    )
    again = LoopBench(tmp_path)
    await again.cycle(3)
    assert again.state is State.ERROR


async def test_a_site_that_observes_writes_nothing_not_even_when_the_cycle_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = LoopBench(tmp_path, site_in(tmp_path, authority="observe"))
    await bench.cycle(3)
    monkeypatch.setattr(bench.loop._cycle, "step", lambda *_: 1 / 0)
    bench.sample()
    bench.loop.run_cycle()
    await bench.loop.flush()
    assert all(not driver.written for driver in bench.drivers.values())
    assert bench.loop.at_rest()


def with_loads(folder: Path, *, without_plan: str = "off", **changes: object) -> LoopBench:
    """A site with a boiler, and a room with a thermostat."""
    boiler = load_content(without_plan=without_plan)
    bath = room_content(switch=device("generic_thermostat"))
    site = site_in(folder, loads=[boiler], rooms=[bath], **changes)
    return LoopBench(folder, site)


def switched(bench: LoopBench) -> list[float]:
    """What reached the boiler's switch."""
    return bench.written(Role.LOAD_SWITCH, Point.LOAD_ON, LOAD)


def loads_told(bench: LoopBench) -> float:
    """What the cycle last decided for the boiler."""
    memory = bench.loop.state.loads.get(LOAD, {}).get(Point.LOAD_ON)
    return math.nan if memory is None else memory.value


async def test_a_load_is_switched_as_the_cycle_decides(tmp_path: Path) -> None:
    bench = with_loads(tmp_path, without_plan="on")
    await bench.cycle()
    assert switched(bench) == [0.0], "BOOT permits nothing"
    await bench.cycle_until(lambda: len(switched(bench)) > 1)
    assert switched(bench) == [0.0, 1.0]
    timer = bench.written(Role.LOAD_SWITCH, Point.LOAD_REVERT_S, LOAD)
    assert timer[0] == REVERT_S, "armed before anything is switched on"
    await bench.loop.command(Command.EMERGENCY_STOP)
    await bench.cycle()
    assert switched(bench) == [0.0, 1.0, 0.0]


async def test_a_load_that_waited_too_long_behind_a_slow_switch_is_not_switched_on(
    tmp_path: Path,
) -> None:
    """Its permit lives for three cycles; off never waits for one."""
    bench = with_loads(tmp_path, without_plan="on")
    bench.loop._cycle._loads._gate._lifetime_ns = 1
    await bench.cycle_until(lambda: loads_told(bench) == 1.0)
    await bench.cycle_until(lambda: switched(bench))
    assert switched(bench) == [0.0]


async def test_a_cycle_that_raises_switches_the_loads_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = with_loads(tmp_path)
    await bench.to_idle()
    for driver in bench.drivers.values():
        driver.written.clear()
    monkeypatch.setattr(bench.loop._cycle, "step", lambda *_: 1 / 0)
    bench.sample()
    bench.loop.run_cycle()
    await bench.loop.flush()
    assert switched(bench) == [0.0]
    assert bench.written(Role.INVERTER, Point.SETPOINT_W) == [0.0]
    # A thermostat has nothing that switches; it keeps a temperature that is comfortable.
    assert not bench.drivers["parlour", Role.LOAD_SWITCH].written


async def test_at_the_end_loads_are_switched_off_and_stay_off(tmp_path: Path) -> None:
    bench = with_loads(tmp_path, without_plan="on")
    await bench.cycle_until(lambda: len(switched(bench)) > 1)
    bench.drivers[LOAD, Role.LOAD_SWITCH].written.clear()
    bench.loop.release_loads()
    await bench.loop.flush()
    assert switched(bench) == [0.0]
    await bench.loop.command(Command.EMERGENCY_STOP)
    await bench.loop.command(Command.RESET)
    await bench.cycle_until(lambda: loads_told(bench) == 1.0)
    assert switched(bench) == [0.0], "what still starts a cycle commands no loads"


async def test_a_site_that_observes_leaves_its_loads_alone_in_the_end(tmp_path: Path) -> None:
    bench = with_loads(tmp_path, authority="observe")
    await bench.cycle(3)
    bench.loop.release_loads()
    await bench.loop.flush()
    assert not bench.drivers[LOAD, Role.LOAD_SWITCH].written


async def test_a_dead_load_switch_holds_up_neither_the_battery_nor_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(control_loop, "LOADS_WAIT_S", 0.01)
    bench = with_loads(tmp_path)
    bench.drivers[LOAD, Role.LOAD_SWITCH].gate.clear()
    for signal in (Signal.LOAD_ON, Signal.LOAD_REVERT_READBACK_S):
        del bench.values[LOAD, signal]
    for _ in range(4):
        bench.sample()
        bench.loop.run_cycle()
        await until(lambda: bench.drivers[UNIT, Role.INVERTER].written != [])
    assert bench.state is State.IDLE
    assert bench.loop.run_cycle((Command.EMERGENCY_STOP,)) is not None
    bench.loop.release_loads()
    await bench.loop.flush()
    assert load_latches(bench.files.latches).emergency_stop
    assert bench.written(Role.INVERTER, Point.SETPOINT_W)[-1] == 0.0
    bench.sample()
    assert bench.loop.at_rest()
    assert not switched(bench)
    assert "not every load switch has answered" in caplog.text


async def test_latches_are_on_disk_before_the_emergency_stop_is_answered(tmp_path: Path) -> None:
    bench = LoopBench(tmp_path)
    await to_running(bench)
    accepted, _ = await bench.loop.command(Command.EMERGENCY_STOP)
    assert accepted
    assert load_latches(bench.files.latches).emergency_stop
    again = LoopBench(tmp_path)
    await again.cycle(3)
    assert again.state is State.STOPPED


async def test_a_state_folder_that_is_gone_does_not_stop_control(tmp_path: Path) -> None:
    bench = LoopBench(tmp_path / "state")
    await to_running(bench)
    shutil.rmtree(tmp_path / "state")
    accepted, _ = await bench.loop.command(Command.EMERGENCY_STOP)
    assert accepted
    assert bench.state is State.STOPPED
    await bench.cycle(3)
    await bench.loop.flush()
    assert bench.written(Role.INVERTER, Point.SETPOINT_W)[-1] == 0.0
    # When it is back, what is latched gets there.
    (tmp_path / "state").mkdir()
    await bench.cycle(1)
    await bench.loop.flush()
    assert load_latches(bench.files.latches).emergency_stop


async def test_the_emergency_input_does_not_wait_for_the_next_cycle(tmp_path: Path) -> None:
    bench = LoopBench(tmp_path)
    await to_running(bench)
    put(bench.store, SITE, Signal.EMERGENCY_LOOP_CLOSED, 0.0, time.monotonic_ns())
    assert bench.state is State.STOPPED


async def test_a_repeated_emergency_stop_is_accepted_and_writes_zero_again(
    tmp_path: Path,
) -> None:
    bench = LoopBench(tmp_path)
    await to_running(bench)
    await bench.loop.command(Command.EMERGENCY_STOP)
    await bench.cycle(3)
    before = len(bench.written(Role.INVERTER, Point.SETPOINT_W))
    bench.sample()
    accepted, reason = await bench.loop.command(Command.EMERGENCY_STOP)
    await bench.loop.flush()
    assert accepted
    assert "already stopped" in reason
    assert bench.written(Role.INVERTER, Point.SETPOINT_W)[before:] == [0.0]


async def test_at_rest_is_what_was_seen_after_the_last_writes(tmp_path: Path) -> None:
    bench = LoopBench(tmp_path)
    assert not bench.loop.at_rest()
    await bench.to_idle()
    bench.sample()
    assert bench.loop.at_rest()
    await asyncio.sleep(0.15)
    bench.sample()
    # Started and stopped again before any device was read: what was read before says nothing.
    assert (await bench.loop.command(Command.START))[0]
    assert (await bench.loop.command(Command.STOP))[0]
    assert not bench.loop.at_rest()
    for _ in range(5):
        await bench.cycle()
        bench.sample()
    assert bench.loop.at_rest()
    assert bench.written(Role.RELAYS, Point.CONTACTOR)[-1] == 0.0


async def test_the_power_of_one_unit_reaches_only_its_own_devices(tmp_path: Path) -> None:
    bench = LoopBench(tmp_path)
    await to_running(bench)
    for (owner, role), driver in bench.drivers.items():
        assert {(w.unit, w.role) for w in driver.written} <= {(owner, role)}
    assert not bench.drivers[SITE, Role.METER].written
    assert bench.drivers[UNIT, Role.RELAYS].written


async def test_what_was_read_before_the_last_write_proves_no_rest(tmp_path: Path) -> None:
    bench = LoopBench(tmp_path)
    await to_running(bench)
    bench.sample()
    assert (await bench.loop.command(Command.STOP))[0]
    deadline_s = time.monotonic() + 5.0
    while bench.written(Role.RELAYS, Point.CONTACTOR)[-1] == 1.0:
        assert time.monotonic() < deadline_s
        await bench.cycle()
    # 0 was written just now; that the contactor read open long before says nothing.
    now_ns = time.monotonic_ns()
    image = bench.store._image[UNIT]
    for signal in (Signal.CONTACTOR_CLOSED, Signal.SETPOINT_READBACK_W):
        image[signal] = Good(value=0.0, time_ns=now_ns - 900_000_000)
    assert not bench.loop.at_rest()
    bench.sample()
    assert bench.loop.at_rest()
