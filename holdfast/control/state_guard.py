"""The state guard raises a cycle's events: conditions and authority before the state machine."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from holdfast.core.commands import Command
from holdfast.core.data_store import Snapshot
from holdfast.core.emergency_handler import emergency_cause, is_released
from holdfast.core.latches import Latches
from holdfast.core.state_machine import Event, State, StateMachine, is_listed
from holdfast.safety.assessment import Assessment
from holdfast.safety.clearing import is_for_service, why_service


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """Tells what the state machine did in a cycle."""

    state: State
    taken: Event | None
    events: tuple[Event, ...]
    """Holds all that were raised."""
    refused: dict[Command, str]
    """Holds the commands that changed nothing, each with the reason."""
    latches: Latches
    waits_for: tuple[str, ...]
    """Tells what keeps the site from starting."""
    stop_cause: str
    """Tells who or what asks for an emergency stop; empty if nobody does."""


class StateGuard:
    """Raises events and steps the machine. Holds no state."""

    def __init__(self) -> None:
        self._machine = StateMachine()

    def step(
        self,
        state: State,
        latches: Latches,
        snapshot: Snapshot,
        assessment: Assessment,
        commands: Collection[Command],
        loop_known_ns: int | None = None,
    ) -> Moved:
        """Returns the next state and latches. The emergency input was last known at
        ``loop_known_ns``."""
        cause = emergency_cause(snapshot, commands, loop_known_ns)
        emergency = cause is not None
        stop_cause = cause or ""
        trips = assessment.trips
        latches = latches.with_faults(*(found.key for found in trips))
        if emergency and not latches.emergency_stop:
            latches = replace(latches, emergency_stop=True)
        waits_for = assessment.not_ready
        if cause is None and Command.STOP in commands:
            cause = "somebody asks to stop at the same moment"
        refused = {}
        for command in commands:
            reason = (
                cause
                if command in _LET_POWER_FLOW and cause is not None
                else _refusal(command, state, latches, snapshot, assessment)
            )
            if reason is not None:
                refused[command] = reason
        events = (
            *_conditions(state, latches, waits_for, emergency=emergency, tripped=bool(trips)),
            *(_EVENTS[command] for command in commands if command not in refused),
        )
        step = self._machine.step(state, events)
        for command in commands:
            if _EVENTS[command] in step.ignored:
                refused[command] = _not_listed(command, state)
        if step.taken is Event.RESET:
            latches = (
                replace(latches, emergency_stop=False)
                if state is State.STOPPED
                else replace(latches, faults=())
            )
        return Moved(
            state=step.state,
            taken=step.taken,
            events=events,
            refused=refused,
            latches=latches,
            waits_for=waits_for,
            stop_cause=stop_cause,
        )


_LET_POWER_FLOW = frozenset({Command.START, Command.RESET, Command.SERVICE_RESET})
"""These are refused while anybody or anything asks to stop: the most restrictive wish wins."""

_EVENTS = {
    Command.START: Event.START,
    Command.STOP: Event.STOP,
    Command.EMERGENCY_STOP: Event.EMERGENCY_STOP,
    Command.RESET: Event.RESET,
    Command.SERVICE_RESET: Event.RESET,
}


def _conditions(
    state: State, latches: Latches, waits_for: tuple[str, ...], *, emergency: bool, tripped: bool
) -> list[Event]:
    """Conditions last for many cycles; they are events only where the table lists them."""
    raised = (
        (Event.EMERGENCY_STOP, emergency),
        (Event.STOP_LATCHED, latches.emergency_stop),
        (Event.TRIP, tripped),
        (Event.SELF_TEST_FAILED, bool(latches.faults)),
        (Event.SELF_TEST_PASSED, not waits_for),
    )
    return [event for event, holds in raised if holds and is_listed(state, event)]


def _refusal(
    command: Command, state: State, latches: Latches, snapshot: Snapshot, assessment: Assessment
) -> str | None:
    """Tells why ``command`` may not even become an event, or None. Stopping is never refused."""
    match command, state:
        case Command.START, State.IDLE if assessment.not_ready:
            return "not ready: " + "; ".join(assessment.not_ready)
        case ((Command.RESET | Command.SERVICE_RESET), State.STOPPED) if not is_released(snapshot):
            return "the emergency-stop loop is not known to be closed"
        case ((Command.RESET | Command.SERVICE_RESET), State.ERROR) if assessment.trips:
            return "not every cause has been clear for its hold time"
        case Command.RESET, State.ERROR:
            return _held_for_service(latches)
    return None


def _held_for_service(latches: Latches) -> str | None:
    """Tells what only service may clear, and how; None if an operator may clear it all."""
    kept = [why_service(fault) for fault in latches.faults if is_for_service(fault)]
    if not kept:
        return None
    return f"for service only: {'; '.join(kept)}; after that: holdfast reset --service"


def _not_listed(command: Command, state: State) -> str:
    if command is Command.EMERGENCY_STOP:  # which is listed for every state but STOPPED
        return "already stopped; 0 W was written again"
    return f"{command} changes nothing in {state.name}"
