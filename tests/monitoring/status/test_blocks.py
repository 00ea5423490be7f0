"""What status and explanation name: only what the state of the site asks for."""

import pytest

from holdfast.core.commands import Command, Point
from holdfast.core.signals import SITE, Signal
from holdfast.core.state_machine import State
from holdfast.monitoring.status.blocks import present_blocks
from tests.builders import UNIT, Bench, build_site, unit_content


def rows(bench: Bench) -> set[tuple[str, str, str]]:
    return {
        (block.owner, block.action, block.row)
        for block in present_blocks(bench.state, bench.records[-1])
    }


def test_before_it_runs_only_what_keeps_it_from_starting() -> None:
    bench = Bench()
    bench.run(0.1)
    assert bench.state.machine is State.IDLE
    assert rows(bench) == set()  # though no contactor is closed: nobody asks for power
    bench.set(Signal.WATCHDOG_ARMED, 0.0)
    bench.set(Signal.CHARGE_ALLOWED, 0.0)
    bench.step()
    assert rows(bench) == {(SITE, "start", "watchdog_armed")}


def test_in_running_what_keeps_the_contactor_from_closing_and_the_power_from_flowing() -> None:
    bench = Bench()
    bench.deaf.add(Point.ENABLE)
    bench.set(Signal.INVERTER_ENABLED, 1.0)
    bench.run(0.1)
    bench.step(Command.START)
    assert rows(bench) == {
        (UNIT, "connect", "connect_power_stage_off"),
        (UNIT, "power", "contactor_confirmed"),
    }


@pytest.mark.parametrize("lost", [Signal.EMERGENCY_LOOP_CLOSED, Signal.PACK_VOLTAGE_V])
def test_a_contactor_that_is_closed_is_not_kept_from_closing(lost: Signal) -> None:
    bench = Bench()
    bench.start()
    assert rows(bench) == set()
    bench.set(lost, None)
    bench.run(5.1)
    assert not any(action == "connect" for _, action, _ in rows(bench))


def test_what_keeps_contactors_from_closing_is_named_while_one_is_open() -> None:
    bench = Bench(build_site(unit_content("left"), unit_content("right")))
    bench.start()
    bench.set(Signal.EMERGENCY_LOOP_CLOSED, None)
    bench.run(0.6)
    assert not any(action == "connect" for _, action, _ in rows(bench))
    bench.set(Signal.CONTACTOR_CLOSED, 0.0, "right")
    bench.step()
    connects = {(owner, row) for owner, action, row in rows(bench) if action == "connect"}
    assert (SITE, "connect_emergency_loop") in connects
    assert not any(owner == "left" for owner, _ in connects)


@pytest.mark.parametrize("command", [Command.EMERGENCY_STOP, Command.STOP])
def test_a_contactor_that_waits_to_open_is_named_in_whatever_state(command: Command) -> None:
    bench = Bench()
    bench.start()
    bench.step(command)
    assert (UNIT, "open", "contactor_under_load") in rows(bench)
    bench.run(0.1)
    assert (UNIT, "open", "contactor_under_load") not in rows(bench)
