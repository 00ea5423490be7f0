"""The state machine with its latches, restarts and resets: every state it can get into.

What runs is the real :class:`StateGuard` on real snapshots and assessments, and the real coding
of the latch file. What is modelled around it: the world (commands, emergency loop, trips,
readiness), the disk, and the end and new start of the process at any moment.

The disk: a cycle changes the latches in memory; later they are on disk, all at once; later
still somebody is told (``ControlLoop.command`` answers after ``save_latches``). Between any two
of these the process may die. A file that is corrupt at a start is a latched fault.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations, product

from holdfast.control.state_guard import Moved, StateGuard
from holdfast.core.commands import Command
from holdfast.core.data_store import Snapshot
from holdfast.core.errors import LatchCorrupt
from holdfast.core.latches import LATCH_FILE_CORRUPT, Latches, decode, encode
from holdfast.core.reading import Good, Reading
from holdfast.core.signals import SITE, Signal
from holdfast.core.state_machine import Event, State
from holdfast.safety.assessment import Assessment
from holdfast.safety.finding import Finding, Level, Reaction
from holdfast.safety.interlock_manager import Block
from holdfast.safety.interlocks import Action

_LOOPS: Mapping[str, dict[Signal, Reading]] = {
    "closed": {Signal.EMERGENCY_LOOP_CLOSED: Good(value=1.0, time_ns=0)},
    "open": {Signal.EMERGENCY_LOOP_CLOSED: Good(value=0.0, time_ns=0)},
    "unreadable": {},
}
_NO_LATCH = Latches()
_PLAIN, _GRAVE = "cycle_gap", "relays_contactor_welded"
"""A trip that an operator may clear, and one that only service may."""
_TRIPS = ((), (_PLAIN,), (_GRAVE,), (_PLAIN, _GRAVE))
_FOR_SERVICE = frozenset({f"{SITE}/{_GRAVE}", LATCH_FILE_CORRUPT})
"""As the rules here see it, whatever the tables say: after a corrupt file it may have been any."""
_RESETS = (Command.RESET, Command.SERVICE_RESET)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What one cycle sees."""

    commands: tuple[Command, ...]
    loop: str
    trips: tuple[str, ...]
    ready: bool

    def __str__(self) -> str:
        words = [*(command.name for command in self.commands), f"loop {self.loop}"]
        words += [f"trip {name}" for name in self.trips]
        return ", ".join(words) + ("" if self.ready else ", not ready")

    @property
    def stops(self) -> bool:
        """An emergency stop, by command or by the loop."""
        return Command.EMERGENCY_STOP in self.commands or self.loop == "open"

    @property
    def helps(self) -> bool:
        """What a site does that wants to run again."""
        return (
            self.loop == "closed"
            and not self.trips
            and self.ready
            and self.commands in ((), (Command.START,), *((reset,) for reset in _RESETS))
        )


ALL_INPUTS = tuple(
    Inputs(commands=commands, loop=loop, trips=trips, ready=ready)
    for count in range(len(Command) + 1)
    for commands in combinations(Command, count)
    for loop, trips, ready in product(_LOOPS, _TRIPS, (True, False))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """Where everything is between two steps."""

    machine: State = State.BOOT
    memory: Latches = _NO_LATCH
    disk: Latches = _NO_LATCH
    """What the file holds."""
    reported: Latches = _NO_LATCH
    """Latches that somebody was told of, and that nobody has reset since."""
    halted: bool = False
    """It was in ERROR or STOPPED, and not in BOOT since."""

    def __str__(self) -> str:
        def names(latches: Latches) -> str:
            all_names = (*latches.faults, *(("stop",) if latches.emergency_stop else ()))
            return "+".join(all_names) or "none"

        return (
            f"{self.machine.name:8} memory {names(self.memory)}, disk {names(self.disk)}, "
            f"reported {names(self.reported)}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One way on from a system."""

    action: str
    after: System
    inputs: Inputs | None = None
    moved: Moved | None = None

    @property
    def helps(self) -> bool:
        """A step of a site that wants to run again."""
        return self.action in ("write", "report") or (self.inputs is not None and self.inputs.helps)


class Model:
    """The steps from each system. ``report_first`` is a fault to be found: told, then written."""

    def __init__(self, *, report_first: bool = False) -> None:
        self._guard = StateGuard()
        self._report_first = report_first
        self._known: dict[tuple[State, Latches], list[tuple[Inputs, Moved]]] = {}

    def steps(self, system: System) -> Iterator[Step]:
        """Everything that may happen next."""
        for inputs, moved in self._cycles(system.machine, system.memory):
            after = _after_cycle(system, moved)
            yield Step(action=f"cycle: {inputs}", after=after, inputs=inputs, moved=moved)
        if system.disk != system.memory:
            yield Step(action="write", after=replace(system, disk=system.memory))
        told = system.reported != system.memory
        if told and (self._report_first or system.disk == system.memory):
            yield Step(action="report", after=replace(system, reported=system.memory))
        yield Step(action="restart", after=_restarted(system, encode(system.disk)))
        yield Step(action="restart, file corrupt", after=_restarted(system, b"corrupt"))

    def _cycles(self, state: State, latches: Latches) -> list[tuple[Inputs, Moved]]:
        key = (state, latches)
        if key not in self._known:
            self._known[key] = [
                (inputs, self._moved(state, latches, inputs)) for inputs in ALL_INPUTS
            ]
        return self._known[key]

    def _moved(self, state: State, latches: Latches, inputs: Inputs) -> Moved:
        snapshot = Snapshot(time_ns=0, readings={SITE: _LOOPS[inputs.loop]})
        assessment = Assessment(
            findings=tuple(_trip(name) for name in inputs.trips),
            envelopes={},
            blocks=() if inputs.ready else (_NOT_READY,),
        )
        moved = self._guard.step(state, latches, snapshot, assessment, inputs.commands)
        again = self._guard.step(state, latches, snapshot, assessment, inputs.commands[::-1])
        if (again.state, again.latches) != (moved.state, moved.latches):
            raise AssertionError(f"the order of commands matters in {state.name}: {inputs}")
        # Latched faults are a set; which came first changes nothing but the text.
        return replace(moved, latches=_sorted(moved.latches))


_NOT_READY = Block(owner=SITE, row="", action=Action.START, text="not ready")


def _trip(name: str) -> Finding:
    return Finding(
        owner=SITE, row=name, level=Level.TRIP, reaction=Reaction.TRIP, since_ns=0, text=name
    )


def _sorted(latches: Latches) -> Latches:
    return replace(latches, faults=tuple(sorted(latches.faults)))


def _after_cycle(system: System, moved: Moved) -> System:
    reset = Latches(
        emergency_stop=system.reported.emergency_stop and moved.latches.emergency_stop,
        faults=tuple(f for f in system.reported.faults if f in moved.latches.faults),
    )
    halted = (system.halted or system.machine in _HALTS) and moved.state is not State.BOOT
    return replace(system, machine=moved.state, memory=moved.latches, reported=reset, halted=halted)


def _restarted(system: System, content: bytes) -> System:
    """As ``load_latches`` reads the file; what is loaded differs from it only if it is corrupt."""
    try:
        loaded = decode(content)
    except LatchCorrupt:
        loaded = Latches(faults=(LATCH_FILE_CORRUPT,))
        # What was reported is lost with the file; the fault of the file stands in its place.
        system = replace(system, reported=loaded, disk=loaded)
    return replace(system, machine=State.BOOT, memory=loaded, halted=False)


_HALTS = (State.ERROR, State.STOPPED)
_TRIPPABLE = (State.BOOT, State.IDLE, State.RUNNING)

Rule = Callable[[System, Step], bool]


def _cycle(step: Step) -> tuple[Inputs, Moved] | None:
    return None if step.inputs is None or step.moved is None else (step.inputs, step.moved)


def _accepted_reset(step: Step, resets: tuple[Command, ...] = _RESETS) -> bool:
    cycle = _cycle(step)
    return cycle is not None and any(
        reset in cycle[0].commands and reset not in cycle[1].refused for reset in resets
    )


def _running_only_from_idle(before: System, step: Step) -> bool:
    return step.after.machine is not State.RUNNING or before.machine in (State.IDLE, State.RUNNING)


def _running_only_through_boot(_: System, step: Step) -> bool:
    return not (step.after.machine is State.RUNNING and step.after.halted)


def _running_holds_no_latch(_: System, step: Step) -> bool:
    return step.after.machine is not State.RUNNING or step.after.memory == _NO_LATCH


def _ready_before_idle_and_running(before: System, step: Step) -> bool:
    entered = step.after.machine is not before.machine
    leads_up = before.machine is State.BOOT or step.after.machine is State.RUNNING
    up = step.after.machine in (State.IDLE, State.RUNNING)
    return not (entered and up and leads_up) or (step.inputs is not None and step.inputs.ready)


def _stop_latch_needs_reset(before: System, step: Step) -> bool:
    if step.inputs is None or not before.memory.emergency_stop or step.after.memory.emergency_stop:
        return True
    return (
        before.machine is State.STOPPED
        and _accepted_reset(step)
        and step.inputs.loop == "closed"
        and Command.EMERGENCY_STOP not in step.inputs.commands
        and Command.STOP not in step.inputs.commands
    )


def _fault_latch_needs_reset(before: System, step: Step) -> bool:
    if step.inputs is None or set(before.memory.faults) <= set(step.after.memory.faults):
        return True
    return before.machine is State.ERROR and _accepted_reset(step) and not step.inputs.trips


def _service_latch_needs_service(before: System, step: Step) -> bool:
    cleared = set(before.memory.faults) - set(step.after.memory.faults)
    if step.inputs is None or not cleared & _FOR_SERVICE:
        return True
    return before.machine is State.ERROR and _accepted_reset(step, (Command.SERVICE_RESET,))


def _operator_clears_the_rest(before: System, step: Step) -> bool:
    asked = step.inputs is not None and step.inputs.commands == (Command.RESET,)
    if not asked or before.machine is not State.ERROR or _FOR_SERVICE & set(before.memory.faults):
        return True
    assert step.inputs is not None
    if step.inputs.stops or step.inputs.trips:
        return True
    return step.after.machine is State.BOOT and step.after.memory.faults == ()


def _reported_is_never_lost(_: System, step: Step) -> bool:
    told, held = step.after.reported, step.after.memory
    return set(told.faults) <= set(held.faults) and told.emergency_stop <= held.emergency_stop


def _stop_stops_at_once(_: System, step: Step) -> bool:
    if step.inputs is None or not step.inputs.stops:
        return True
    return step.after.machine is State.STOPPED and step.after.memory.emergency_stop


def _stop_forces_the_writes(before: System, step: Step) -> bool:
    """The cycle writes 0 W anew when it sees the event, so the event has to be raised."""
    cycle = _cycle(step)
    if cycle is None or not cycle[0].stops or before.machine is State.STOPPED:
        return True
    return Event.EMERGENCY_STOP in cycle[1].events


def _trip_forces_the_writes(before: System, step: Step) -> bool:
    cycle = _cycle(step)
    if cycle is None or not cycle[0].trips or before.machine not in _TRIPPABLE:
        return True
    return Event.TRIP in cycle[1].events


def _trip_trips_at_once(before: System, step: Step) -> bool:
    if step.inputs is None or not step.inputs.trips or before.machine not in _TRIPPABLE:
        return True
    latched = {f"{SITE}/{name}" for name in step.inputs.trips} <= set(step.after.memory.faults)
    return step.after.machine in _HALTS and latched


def _stop_command_ends_running(_: System, step: Step) -> bool:
    asked = step.inputs is not None and Command.STOP in step.inputs.commands
    return not (asked and step.after.machine is State.RUNNING)


def _corrupt_means_error(_: System, step: Step) -> bool:
    corrupt = LATCH_FILE_CORRUPT in step.after.memory.faults
    return not (corrupt and step.after.machine in (State.IDLE, State.RUNNING))


RULES: Mapping[str, Rule] = {
    "RUNNING is entered only from IDLE": _running_only_from_idle,
    "from ERROR and STOPPED to RUNNING only through BOOT": _running_only_through_boot,
    "no latch is set in RUNNING": _running_holds_no_latch,
    "only a site that is ready leaves BOOT for IDLE, and IDLE for RUNNING": (
        _ready_before_idle_and_running
    ),
    "the stop latch is cleared only by a reset in STOPPED, loop closed, nobody stopping": (
        _stop_latch_needs_reset
    ),
    "fault latches are cleared only by a reset in ERROR without a trip": _fault_latch_needs_reset,
    "a fault latch for service is cleared only by a service reset": _service_latch_needs_service,
    "an operator's reset clears the others, once nothing trips or stops": _operator_clears_the_rest,
    "a reported latch is never lost": _reported_is_never_lost,
    "an emergency stop leads to STOPPED in that cycle, from every state": _stop_stops_at_once,
    "a trip leads to ERROR in that cycle, or to STOPPED": _trip_trips_at_once,
    "an emergency stop forces the writes of 0 W": _stop_forces_the_writes,
    "a trip forces the writes of 0 W": _trip_forces_the_writes,
    "a stop ends RUNNING, and beats a start": _stop_command_ends_running,
    "a corrupt latch file keeps the site out of IDLE and RUNNING": _corrupt_means_error,
}
NO_DEADLOCK = "from every state RUNNING can be reached again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What the search has found."""

    states: int
    transitions: int
    seconds: float
    violations: Mapping[str, tuple[str, ...]]
    """By rule, the shortest way there."""

    @property
    def proven(self) -> bool:
        """No rule was broken, and something was searched."""
        return not self.violations and self.states > 1


def check(model: Model | None = None, *, first_only: bool = False) -> Check:
    """Search everything that can be reached, breadth first; or only as far as the first
    violation, which is then one with the shortest way there."""
    model = model or Model()
    started = time.process_time()
    first = System()
    came: dict[System, tuple[System, str] | None] = {first: None}
    helped: dict[System, list[System]] = {}
    violations: dict[str, tuple[str, ...]] = {}
    waiting = deque([first])
    transitions = 0
    while waiting and not (first_only and violations):
        before = waiting.popleft()
        for step in model.steps(before):
            transitions += 1
            for name, rule in RULES.items():
                if name not in violations and not rule(before, step):
                    violations[name] = (*_trace(came, before), f"{step.action} -> {step.after}")
            if step.helps:
                helped.setdefault(step.after, []).append(before)
            if step.after not in came:
                came[step.after] = (before, step.action)
                waiting.append(step.after)
    stuck = set() if waiting else came.keys() - _leads_to_running(helped)
    if stuck:
        nearest = next(system for system in came if system in stuck)
        violations[NO_DEADLOCK] = _trace(came, nearest)
    return Check(
        states=len(came),
        transitions=transitions,
        violations=violations,
        seconds=time.process_time() - started,
    )


def _leads_to_running(helped: Mapping[System, list[System]]) -> set[System]:
    found = {system for system in helped if system.machine is State.RUNNING}
    waiting = deque(found)
    while waiting:
        for before in helped.get(waiting.popleft(), ()):
            if before not in found:
                found.add(before)
                waiting.append(before)
    return found


def _trace(came: Mapping[System, tuple[System, str] | None], system: System) -> tuple[str, ...]:
    lines: list[str] = []
    at: System | None = system
    while at is not None:
        origin = came[at]
        lines.append(f"start: {at}" if origin is None else f"{origin[1]} -> {at}")
        at = None if origin is None else origin[0]
    return tuple(reversed(lines))
