"""What is answered to each command, and what is not raised again and again."""

import pytest

from holdfast.core.commands import Command
from holdfast.core.latches import Latches
from holdfast.core.state_machine import Event, State
from tests.control.test_transitions import NOT_READY, TRIP, step

LATCHED = Latches(emergency_stop=True)


@pytest.mark.parametrize("state", [state for state in State if state is not State.STOPPED])
@pytest.mark.parametrize("findings", [(), (TRIP,)])
@pytest.mark.parametrize("loop", [1.0, 0.0, None])
def test_an_emergency_stop_that_stops_is_never_answered_with_a_refusal(state, findings, loop):
    moved = step(state, Command.EMERGENCY_STOP, findings=findings, loop=loop)
    assert (moved.taken, moved.refused) == (Event.EMERGENCY_STOP, {})


def test_while_stopped_an_emergency_stop_is_raised_again_so_that_zero_is_written_again():
    moved = step(State.STOPPED, Command.EMERGENCY_STOP, latches=LATCHED)
    assert Event.EMERGENCY_STOP in moved.events
    assert moved.taken is None


@pytest.mark.parametrize("command", [Command.START, Command.RESET])
def test_who_wants_power_while_somebody_stops_is_told_the_strongest_reason(command):
    refused = step(State.ERROR, command, Command.STOP, Command.EMERGENCY_STOP).refused
    assert refused[command] == "emergency stop by command"
    refused = step(State.ERROR, command, Command.STOP, loop=0.0).refused
    assert refused[command] == "the emergency-stop loop is open"
    refused = step(State.ERROR, command, Command.STOP).refused
    assert refused[command] == "somebody asks to stop at the same moment"


@pytest.mark.parametrize("state", [State.ERROR, State.STOPPED])
def test_a_condition_that_lasts_is_no_event_where_it_changes_nothing(state):
    """Otherwise everything would be written anew in every cycle of a trip."""
    latches = Latches(emergency_stop=True, faults=("battery/cell_voltage_high",))
    assert step(state, findings=[TRIP], latches=latches).events == ()
    assert step(State.STOPPED, loop=0.0, latches=LATCHED).events == ()


@pytest.mark.parametrize(
    ("state", "command"),
    [
        (State.ERROR, Command.STOP),
        (State.STOPPED, Command.STOP),
        (State.BOOT, Command.RESET),
        (State.IDLE, Command.RESET),
        (State.RUNNING, Command.RESET),
        (State.RUNNING, Command.START),
        (State.ERROR, Command.START),
    ],
)
@pytest.mark.parametrize("findings", [(), (TRIP,)])
@pytest.mark.parametrize("loop", [1.0, None])
def test_a_command_that_fits_no_state_is_answered_so_whatever_else_is_the_matter(
    state, command, findings, loop
):
    moved = step(state, command, findings=findings, loop=loop)
    assert moved.refused == {command: f"{command} changes nothing in {state.name}"}


def test_a_start_is_told_what_it_waits_for_and_only_where_it_could_start():
    assert step(State.IDLE, Command.START, blocks=[NOT_READY]).refused == {
        Command.START: "not ready: site: not armed (watchdog_armed)"
    }
    moved = step(State.RUNNING, Command.START, blocks=[NOT_READY])
    assert moved.refused == {Command.START: "start changes nothing in RUNNING"}


def test_a_reset_of_an_error_is_told_to_wait_only_while_something_trips():
    latches = Latches(faults=("battery/cell_voltage_high",))
    assert step(State.ERROR, Command.RESET, latches=latches).refused == {}
    assert step(State.ERROR, Command.RESET, latches=latches, findings=[TRIP]).refused == {
        Command.RESET: "not every cause has been clear for its hold time"
    }


def test_latches_that_do_not_change_are_handed_on_as_they_are():
    latches = Latches(emergency_stop=True, faults=(TRIP.key,))
    assert step(State.STOPPED, findings=[TRIP], latches=latches, loop=0.0).latches is latches
