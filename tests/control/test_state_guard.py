"""The guard in front of the state machine: conditions, authority, latches."""

from dataclasses import replace

import pytest

from holdfast.control.state_guard import StateGuard
from holdfast.core.commands import Command
from holdfast.core.emergency_handler import LOST_NS
from holdfast.core.latches import Latches
from holdfast.core.signals import SITE, Signal
from holdfast.core.state_machine import Event, State
from holdfast.safety.assessment import Assessment
from holdfast.safety.finding import Finding, Level, Reaction
from holdfast.safety.interlock_manager import Block
from holdfast.safety.interlocks import Action
from tests.builders import T0, UNIT, snapshot_of

LOOP = Signal.EMERGENCY_LOOP_CLOSED
NOT_READY = Block(owner=SITE, row="watchdog_armed", action=Action.START, text="not armed")
TRIP = Finding(
    owner=UNIT,
    row="cell_voltage_high",
    level=Level.TRIP,
    reaction=Reaction.TRIP,
    since_ns=T0,
    text="3.7 V",
)


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


@pytest.mark.parametrize("state", list(State))
def test_a_loop_that_is_lost_for_long_stops_and_latches_in_every_state_and_says_why(state):
    assessment = Assessment(findings=(), envelopes={}, blocks=())
    lost = snapshot_of({LOOP: None})
    for known_ns, stops in ((None, False), (T0 - LOST_NS, False), (T0 - LOST_NS - 1, True)):
        moved = StateGuard().step(state, Latches(), lost, assessment, (), known_ns)
        assert (moved.state is State.STOPPED) is (stops or state is State.STOPPED)
        assert moved.latches.emergency_stop is stops
        assert moved.stop_cause == ("the emergency-stop loop is not known for 3 s" if stops else "")


def test_who_asked_for_the_stop_is_told():
    assert step(State.IDLE, Command.EMERGENCY_STOP).stop_cause == "emergency stop by command"
    assert step(State.IDLE, loop=0.0).stop_cause == "the emergency-stop loop is open"
    assert step(State.IDLE, Command.STOP).stop_cause == ""


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
    both = Latches(emergency_stop=True, faults=("a/cycle_gap",))
    moved = step(State.STOPPED, Command.RESET, latches=both)
    assert moved.latches == Latches(faults=("a/cycle_gap",))
    assert step(moved.state, latches=moved.latches).state is State.ERROR
    moved = step(State.ERROR, Command.RESET, latches=both)
    assert moved.latches == Latches(emergency_stop=True)
    assert step(moved.state, latches=moved.latches).state is State.STOPPED


RESETS = [Command.RESET, Command.SERVICE_RESET]
WELD = f"{UNIT}/relays_contactor_welded"
DEEP = f"{UNIT}/cell_voltage_low"


@pytest.mark.parametrize("command", RESETS)
def test_either_reset_leaves_stopped_and_only_with_a_loop_that_is_known_to_be_closed(command):
    latched = Latches(emergency_stop=True, faults=(WELD,))
    kept = step(State.STOPPED, command, latches=latched, loop=None)
    assert (kept.state, kept.latches) == (State.STOPPED, latched)
    assert kept.refused == {command: "the emergency-stop loop is not known to be closed"}
    done = step(State.STOPPED, command, latches=latched)
    assert (done.state, done.latches, done.refused) == (State.BOOT, Latches(faults=(WELD,)), {})


@pytest.mark.parametrize("command", RESETS)
def test_either_reset_leaves_error_once_no_cause_trips_any_more(command):
    latched = Latches(faults=("site/cycle_gap", "battery/cell_voltage_high"))
    early = step(State.ERROR, command, findings=[TRIP], latches=latched)
    assert (early.state, early.latches) == (State.ERROR, latched)
    assert early.refused == {command: "not every cause has been clear for its hold time"}
    done = step(State.ERROR, command, latches=latched)
    assert (done.state, done.latches, done.refused) == (State.BOOT, Latches(), {})


@pytest.mark.parametrize("fault", [WELD, DEEP, "site/nobody_knows", "site/latch_file_corrupt"])
@pytest.mark.parametrize("others", [(), ("site/cycle_gap",)])
def test_what_is_for_service_an_operator_cannot_clear_and_service_can(fault, others):
    latched = Latches(faults=(*others, fault))
    kept = step(State.ERROR, Command.RESET, latches=latched)
    assert (kept.state, kept.latches, kept.taken) == (State.ERROR, latched, None)
    reason = kept.refused[Command.RESET]
    assert reason.startswith(f"for service only: {fault} (")
    assert reason.endswith("); after that: holdfast reset --service")
    assert "cycle_gap" not in reason
    done = step(State.ERROR, Command.SERVICE_RESET, latches=latched)
    assert (done.state, done.latches, done.refused) == (State.BOOT, Latches(), {})


def test_all_that_is_for_service_is_named_in_the_order_in_which_it_came():
    kept = step(State.ERROR, Command.RESET, latches=Latches(faults=(DEEP, "site/cycle_gap", WELD)))
    reason = kept.refused[Command.RESET]
    assert reason.index(DEEP) < reason.index("; " + WELD)


def test_who_asks_both_ways_at_once_is_refused_one_and_granted_the_other():
    for commands in (RESETS, RESETS[::-1]):
        moved = step(State.ERROR, *commands, latches=Latches(faults=(WELD,)))
        assert (moved.state, moved.latches) == (State.BOOT, Latches())
        assert moved.refused.keys() == {Command.RESET}


def test_a_fault_for_service_that_still_trips_must_clear_first():
    deep = replace(TRIP, row="cell_voltage_low")
    for command in RESETS:
        moved = step(State.ERROR, command, findings=[deep], latches=Latches(faults=(DEEP,)))
        assert moved.refused == {command: "not every cause has been clear for its hold time"}


@pytest.mark.parametrize("state", [State.BOOT, State.IDLE, State.RUNNING])
def test_a_service_reset_changes_nothing_elsewhere(state):
    moved = step(state, Command.SERVICE_RESET, blocks=[NOT_READY])
    assert moved.state is state
    assert moved.refused == {
        Command.SERVICE_RESET: f"service_reset changes nothing in {state.name}"
    }


@pytest.mark.parametrize("state", [State.ERROR, State.STOPPED])
def test_a_service_reset_is_refused_while_somebody_stops(state):
    latched = Latches(faults=(WELD,), emergency_stop=state is State.STOPPED)
    moved = step(state, Command.SERVICE_RESET, Command.STOP, latches=latched)
    assert (moved.state, moved.latches) == (state, latched)
    assert moved.refused[Command.SERVICE_RESET] == "somebody asks to stop at the same moment"


def test_a_stop_while_stopped_is_answered_as_done_again():
    moved = step(State.STOPPED, Command.EMERGENCY_STOP, latches=Latches(emergency_stop=True))
    assert moved.state is State.STOPPED
    assert "0 W was written again" in moved.refused[Command.EMERGENCY_STOP]


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
