"""The guard in front of the state machine: conditions, authority, latches."""

import pytest

from holdfast.control.transitions import StateGuard
from holdfast.core.commands import Command
from holdfast.core.latches import Latches
from holdfast.core.signals import SITE, Signal
from holdfast.core.state_machine import State
from holdfast.safety.assessment import Assessment
from holdfast.safety.faults import Finding, Level, Reaction
from holdfast.safety.interlock_manager import Block
from holdfast.safety.interlocks import Action
from tests.builders import T0, UNIT, snapshot_of

LOOP = Signal.EMERGENCY_LOOP_CLOSED
NOT_READY = Block(owner=SITE, row="watchdog_armed", action=Action.START, text="not armed")
TRIP = Finding(
    owner=UNIT, row="cell_voltage_high", level=Level.TRIP, reaction=Reaction.TRIP, since_ns=T0,
    text="3.7 V",
)  # fmt: skip


def step(state, *commands, findings=(), blocks=(), latches=None, loop=1.0):
    assessment = Assessment(findings=tuple(findings), envelopes={}, blocks=tuple(blocks))
    return StateGuard().step(
        state, latches or Latches(), snapshot_of({LOOP: loop}), assessment, commands
    )


def found(reaction):
    return Finding(
        owner=UNIT, row="row", level=Level.ALARM, reaction=reaction, since_ns=T0, text="why"
    )


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("others", [(), (Command.START,), (Command.RESET,), tuple(Command)])
def test_an_emergency_stop_by_command_stops_and_latches_in_every_state(state, others):
    """Whatever else was pressed in the same cycle: stopping is always easier than starting."""
    moved = step(state, Command.EMERGENCY_STOP, *others)
    assert moved.state is State.STOPPED
    assert moved.latches.emergency_stop is True


@pytest.mark.parametrize("state", list(State))
def test_an_open_loop_stops_and_latches_in_every_state(state):
    moved = step(state, loop=0.0)
    assert moved.state is State.STOPPED
    assert moved.latches.emergency_stop is True


@pytest.mark.parametrize("state", [State.BOOT, State.IDLE, State.RUNNING])
def test_a_trip_leads_to_error_and_is_latched_with_its_name(state):
    moved = step(state, findings=[TRIP])
    assert moved.state is State.ERROR
    assert moved.latches.faults == ("battery/cell_voltage_high",)


@pytest.mark.parametrize("state", [State.ERROR, State.STOPPED])
def test_a_further_trip_is_latched_without_a_move(state):
    moved = step(state, findings=[TRIP], latches=Latches(faults=("site/cycle_gap",)))
    assert moved.state is state
    assert moved.latches.faults == ("site/cycle_gap", "battery/cell_voltage_high")


def test_no_weaker_reaction_trips():
    for reaction in Reaction:
        if reaction < Reaction.TRIP:
            moved = step(State.RUNNING, findings=[found(reaction)])
            assert moved.state is State.RUNNING
            assert moved.latches == Latches()


def test_boot_passes_its_self_test_once_everything_is_ready_and_not_before():
    assert step(State.BOOT).state is State.IDLE
    waiting = step(State.BOOT, blocks=[NOT_READY])
    assert waiting.state is State.BOOT
    assert waiting.waits_for == ("site: not armed (watchdog_armed)",)
    assert step(State.BOOT, findings=[found(Reaction.RAMP_TO_ZERO)]).state is State.BOOT
    assert step(State.BOOT, findings=[found(Reaction.BLOCK_CHARGE)]).state is State.IDLE


def test_boot_with_a_persisted_latch_goes_where_the_latch_belongs():
    assert step(State.BOOT, latches=Latches(faults=("a/b",))).state is State.ERROR
    assert step(State.BOOT, latches=Latches(emergency_stop=True)).state is State.STOPPED
    both = Latches(emergency_stop=True, faults=("a/b",))
    assert step(State.BOOT, latches=both).state is State.STOPPED
    assert step(State.BOOT, latches=both).latches == both


def test_a_start_is_refused_with_the_reason_while_something_is_not_ready():
    moved = step(State.IDLE, Command.START, blocks=[NOT_READY])
    assert moved.state is State.IDLE
    assert moved.refused == {Command.START: "not ready: site: not armed (watchdog_armed)"}
    assert step(State.IDLE, Command.START).state is State.RUNNING
    assert step(State.IDLE, Command.START).refused == {}


@pytest.mark.parametrize("state", [State.BOOT, State.ERROR, State.STOPPED, State.RUNNING])
def test_a_start_from_elsewhere_changes_nothing_and_is_said(state):
    moved = step(state, Command.START, blocks=[NOT_READY])
    assert moved.state is state
    assert state.name in moved.refused[Command.START]


def test_stop_is_never_refused_while_running():
    moved = step(State.RUNNING, Command.STOP, blocks=[NOT_READY], findings=[found(Reaction.HOLD)])
    assert moved.state is State.IDLE
    assert moved.refused == {}


@pytest.mark.parametrize("state", [State.IDLE, State.RUNNING])
def test_who_presses_start_and_stop_at_once_has_stopped(state):
    assert step(state, Command.START, Command.STOP).state is State.IDLE


def test_error_is_left_only_by_a_reset_once_no_cause_trips_any_more():
    latched = Latches(faults=("battery/cell_voltage_high",))
    assert step(State.ERROR, latches=latched).state is State.ERROR
    early = step(State.ERROR, Command.RESET, findings=[TRIP], latches=latched)
    assert early.state is State.ERROR
    assert early.latches == latched
    assert "clear" in early.refused[Command.RESET]
    done = step(State.ERROR, Command.RESET, latches=latched)
    assert (done.state, done.latches) == (State.BOOT, Latches())


@pytest.mark.parametrize("loop", [None, float("nan")])
def test_stopped_is_left_only_with_a_loop_that_is_known_to_be_closed(loop):
    latched = Latches(emergency_stop=True)
    kept = step(State.STOPPED, Command.RESET, latches=latched, loop=loop)
    assert (kept.state, kept.latches) == (State.STOPPED, latched)
    assert "not known to be closed" in kept.refused[Command.RESET]
    done = step(State.STOPPED, Command.RESET, latches=latched)
    assert (done.state, done.latches) == (State.BOOT, Latches())
    assert step(State.STOPPED, latches=latched).state is State.STOPPED


def test_each_reset_clears_only_what_belongs_to_its_state():
    both = Latches(emergency_stop=True, faults=("a/b",))
    moved = step(State.STOPPED, Command.RESET, latches=both)
    assert moved.latches == Latches(faults=("a/b",))
    assert step(moved.state, latches=moved.latches).state is State.ERROR
    moved = step(State.ERROR, Command.RESET, latches=both)
    assert moved.latches == Latches(emergency_stop=True)
    assert step(moved.state, latches=moved.latches).state is State.STOPPED


def test_a_stop_while_stopped_is_answered_as_done_again():
    moved = step(State.STOPPED, Command.EMERGENCY_STOP, latches=Latches(emergency_stop=True))
    assert moved.state is State.STOPPED
    assert "0 W was written again" in moved.refused[Command.EMERGENCY_STOP]
