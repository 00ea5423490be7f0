"""From cycles to audit events: what of a cycle is worth a line. Pure; memory goes in and out.

The log is bounded, so nothing may flood it: a setpoint that follows the load gets a line only
when it has moved far enough, and at most one a second; a finding that flaps gets one at first,
then fewer and fewer. What got no line is counted in the next one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from holdfast.control.cycle import CycleRecord, CycleState
from holdfast.core.commands import Command
from holdfast.core.config import Site
from holdfast.core.emergency_handler import emergency_cause
from holdfast.core.latches import Latches
from holdfast.core.state_machine import Event, State
from holdfast.core.units import NS_PER_S
from holdfast.monitoring.audit_events import (
    AuditEvent,
    CommandAnswered,
    LatchesChanged,
    StateChanged,
    short,
)
from holdfast.monitoring.audit_findings import NEVER_NS, FindingMemory, alike, finding_events
from holdfast.monitoring.audit_loads import LoadMemory, load_events
from holdfast.monitoring.audit_setpoints import SetpointMemory, SetpointObserver

REFUSAL_EVERY_NS = 1 * NS_PER_S
"""A command that is refused again within this time is only counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditMemory:
    """What the observer hands to itself."""

    machine: State = State.BOOT
    latches: Latches = field(default_factory=Latches)
    findings: FindingMemory = field(default_factory=FindingMemory)
    setpoints: Mapping[str, SetpointMemory] = field(default_factory=dict)
    loads: Mapping[str, LoadMemory] = field(default_factory=dict)
    refusals: Mapping[Command, tuple[int, int]] = field(default_factory=dict)
    """When a command was last recorded as refused, and how often it was since."""
    due_ns: int = NEVER_NS
    """The next time at which something that was put off is to be looked at."""


class CycleObserver:
    """Finds the events of a cycle. Holds what is configured and no state."""

    def __init__(self, site: Site) -> None:
        self._setpoints = SetpointObserver(site)

    def observe(
        self, memory: AuditMemory, after: CycleState, record: CycleRecord, *, on_disk: bool = True
    ) -> tuple[tuple[AuditEvent, ...], AuditMemory]:
        """Events of the cycle that led to ``after``; the memory for the next one.

        ``on_disk``: its latches are.
        """
        if (
            not record.writes
            and record.inputs.now_ns < memory.due_ns
            and after.machine is memory.machine
            and after.latches is memory.latches
            and not record.inputs.commands
            and alike(record.assessment.findings, memory.findings.last)
        ):
            return (), memory
        return self._look(memory, after, record, on_disk=on_disk)

    def _look(
        self, memory: AuditMemory, after: CycleState, record: CycleRecord, *, on_disk: bool
    ) -> tuple[tuple[AuditEvent, ...], AuditMemory]:
        now_ns = record.inputs.now_ns
        answered, refusals = _commands(memory, record)
        found, findings = finding_events(memory.findings, record.assessment.findings, now_ns)
        written, setpoints = self._setpoints.observe(memory.setpoints, after, record)
        switched, loads = load_events(memory.loads, record)
        events = (
            *answered,
            *_moved(memory, record),
            *_latches(memory, after, on_disk=on_disk),
            *found,
            *written,
            *switched,
        )
        due_ns = min(
            findings.due_ns,
            *(unit.due_ns for unit in setpoints.values()),
            *(load.due_ns for load in loads.values()),
            NEVER_NS,
        )
        return events, AuditMemory(
            machine=after.machine, latches=after.latches, findings=findings,
            setpoints=setpoints, loads=loads, refusals=refusals, due_ns=due_ns,
        )  # fmt: skip


def _commands(
    memory: AuditMemory, record: CycleRecord
) -> tuple[list[AuditEvent], Mapping[Command, tuple[int, int]]]:
    commands = record.inputs.commands
    if not commands:
        return [], memory.refusals
    now_ns, refusals, events = record.inputs.now_ns, dict(memory.refusals), list[AuditEvent]()
    for command in sorted(commands):
        reason = record.moved.refused.get(command, "")
        shown_ns, repeats = refusals.get(command, (-NEVER_NS, 0))
        if reason and now_ns - shown_ns < REFUSAL_EVERY_NS:
            refusals[command] = (shown_ns, repeats + 1)
            continue
        refusals[command] = (now_ns if reason else shown_ns, 0)
        events.append(
            CommandAnswered(
                command=command,
                accepted=not reason or command is Command.EMERGENCY_STOP,
                reason=short(reason),
                state=record.moved.state,
                repeats=repeats,
            )
        )
    return events, refusals


def _moved(memory: AuditMemory, record: CycleRecord) -> list[AuditEvent]:
    moved = record.moved
    if moved.state is memory.machine:
        return []
    return [
        StateChanged(
            source=memory.machine,
            target=moved.state,
            event="" if moved.taken is None else moved.taken.name.lower(),
            reasons=tuple(short(reason) for reason in _reasons(record)),
        )
    ]


def _reasons(record: CycleRecord) -> tuple[str, ...]:
    match record.moved.taken:
        case Event.TRIP:
            return tuple(f"{found.key}: {found.text}" for found in record.assessment.trips)
        case Event.EMERGENCY_STOP:
            return (emergency_cause(record.snapshot, record.inputs.commands) or "",)
        case Event.SELF_TEST_FAILED:
            return tuple(f"latched: {fault}" for fault in record.moved.latches.faults)
        case Event.STOP_LATCHED:
            return ("the emergency stop is latched",)
        case Event.START | Event.STOP | Event.RESET:
            return ("by command",)
        case Event.SELF_TEST_PASSED | None:
            return ()


def _latches(memory: AuditMemory, after: CycleState, *, on_disk: bool) -> list[AuditEvent]:
    latches = after.latches
    if latches is memory.latches or latches == memory.latches:
        return []
    return [
        LatchesChanged(
            emergency_stop=latches.emergency_stop, faults=latches.faults, on_disk=on_disk
        )
    ]
