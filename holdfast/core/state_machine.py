"""The state machine has five states and every way between them."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from transitions import Machine


class State(StrEnum):
    """Tells what the site as a whole is doing."""

    BOOT = "boot"
    """The site tests itself: power off, contactors open."""
    IDLE = "idle"
    """The site is ready; power off, contactors open."""
    RUNNING = "running"
    """The contactors are closed, requests are served."""
    ERROR = "error"
    """A fault tripped; the site stays until it is gone and somebody resets."""
    STOPPED = "stopped"
    """An emergency stop holds until the input is released and somebody resets on site."""


class Event(IntEnum):
    """Tells what can move the machine, the most urgent first: one transition in a cycle."""

    EMERGENCY_STOP = 0
    STOP_LATCHED = 1
    TRIP = 2
    SELF_TEST_FAILED = 3
    STOP = 4
    SELF_TEST_PASSED = 5
    RESET = 6
    START = 7


_S, _E = State, Event

TRANSITIONS: tuple[tuple[State, Event, State], ...] = (
    (_S.BOOT, _E.SELF_TEST_PASSED, _S.IDLE),
    (_S.BOOT, _E.SELF_TEST_FAILED, _S.ERROR),
    (_S.BOOT, _E.STOP_LATCHED, _S.STOPPED),
    (_S.IDLE, _E.START, _S.RUNNING),
    (_S.RUNNING, _E.STOP, _S.IDLE),
    (_S.BOOT, _E.TRIP, _S.ERROR),
    (_S.IDLE, _E.TRIP, _S.ERROR),
    (_S.RUNNING, _E.TRIP, _S.ERROR),
    (_S.BOOT, _E.EMERGENCY_STOP, _S.STOPPED),
    (_S.IDLE, _E.EMERGENCY_STOP, _S.STOPPED),
    (_S.RUNNING, _E.EMERGENCY_STOP, _S.STOPPED),
    (_S.ERROR, _E.EMERGENCY_STOP, _S.STOPPED),
    (_S.ERROR, _E.RESET, _S.BOOT),
    (_S.STOPPED, _E.RESET, _S.BOOT),
)

_LISTED = frozenset((source, event) for source, event, _ in TRANSITIONS)
assert len(_LISTED) == len(TRANSITIONS), "one row for each state and event"


def is_listed(state: State, event: Event) -> bool:
    """Says whether the table has a row."""
    return (state, event) in _LISTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Tells what became of the events of one cycle."""

    state: State
    taken: Event | None
    """Tells which event moved the machine."""
    ignored: tuple[Event, ...]
    """Lists the events that changed nothing: not in the table, or weaker than the one taken."""


class _Model:
    """Bears the state while a transition runs."""

    state: State


class StateMachine:
    """Runs the table. Holds no state of its own: state goes in, state comes out."""

    def __init__(self) -> None:
        self._model = _Model()
        self._machine = Machine(
            model=self._model,
            states=State,
            transitions=[[event.name, source, target] for source, event, target in TRANSITIONS],
            initial=State.BOOT,
            auto_transitions=False,
            ignore_invalid_triggers=True,
        )

    def step(self, state: State, events: Sequence[Event]) -> Step:
        """Takes the most urgent of ``events`` that the table lists for ``state``."""
        if not events:
            return Step(state=state, taken=None, ignored=())
        ordered = sorted(set(events))
        taken = next((event for event in ordered if is_listed(state, event)), None)
        if taken is None:
            return Step(state=state, taken=None, ignored=tuple(ordered))
        self._machine.set_state(state, self._model)
        self._machine.dispatch(taken.name)
        ignored = tuple(event for event in ordered if event is not taken)
        return Step(state=self._model.state, taken=taken, ignored=ignored)
