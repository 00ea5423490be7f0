"""The observer finds what of a cycle is worth a line. It is pure; memory goes in and out.

What can come often is throttled: quantities, findings. What got no line is counted in the next one.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from holdfast.control.cycle import CycleRecord, CycleState
from holdfast.core.commands import Command
from holdfast.core.config import Site
from holdfast.core.latches import Latches
from holdfast.core.state_machine import Event, State
from holdfast.monitoring.audit.events import (
    AuditEvent,
    CommandAnswered,
    LatchesChanged,
    StateChanged,
    short,
)
from holdfast.monitoring.audit.findings import FindingMemory, alike, finding_events
from holdfast.monitoring.audit.quantities import QuantityMemories, QuantityObserver
from holdfast.monitoring.throttle import NEVER_NS


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditMemory:
    """Holds what the observer hands to itself."""

    machine: State = State.BOOT
    latches: Latches = field(default_factory=Latches)
    findings: FindingMemory = field(default_factory=FindingMemory)
    quantities: QuantityMemories = field(default_factory=dict)
    due_ns: int = NEVER_NS
    """Tells the next time at which something that was put off is to be looked at."""


class CycleObserver:
    """Finds the events of a cycle. Holds what is configured and no state."""

    def __init__(self, site: Site) -> None:
        self._quantities = QuantityObserver(site)

    def observe(
        self, memory: AuditMemory, after: CycleState, record: CycleRecord, *, on_disk: bool = True
    ) -> tuple[tuple[AuditEvent, ...], AuditMemory]:
        """Returns events of the cycle that led to ``after``, and the memory for the next one.

        ``on_disk`` tells whether its latches are.
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
        found, findings = finding_events(memory.findings, record.assessment.findings, now_ns)
        written, quantities = self._quantities.observe(memory.quantities, after, record)
        events = (
            *_commands(record),
            *_moved(memory, record),
            *_latches(memory, after, on_disk=on_disk),
            *found,
            *written,
        )
        due_ns = min((findings.due_ns, *(each.throttle.due_ns for each in quantities.values())))
        return events, AuditMemory(
            machine=after.machine,
            latches=after.latches,
            findings=findings,
            quantities=quantities,
            due_ns=due_ns,
        )


def _commands(record: CycleRecord) -> Iterator[AuditEvent]:
    for command in sorted(record.inputs.commands):
        reason = record.moved.refused.get(command, "")
        yield CommandAnswered(
            command=command,
            accepted=not reason or command is Command.EMERGENCY_STOP,
            reason=short(reason),
            state=record.moved.state,
        )


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
            return (record.moved.stop_cause,)
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
