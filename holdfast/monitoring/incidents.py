"""An incident is what took the site to ERROR or STOPPED, or latched; it ends when that is over.

It is pure: lines of the audit log in, incidents out.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from holdfast.core.state_machine import State
from holdfast.monitoring.audit.events import (
    AuditEvent,
    FindingRaised,
    LatchesChanged,
    ProcessEnded,
    ProcessStarted,
    StateChanged,
)
from holdfast.monitoring.audit.log_lines import decode_line, event_of
from holdfast.monitoring.audit.text import describe

_TELLS: Final = re.compile(
    rb'"event":\{"kind":"(?:state|latches|process_started|process_ended|'
    rb'finding_raised"[^\n]*"reaction":"trip)"'
)
"""Only such lines are taken apart: of all others there are a hundred times as many."""
_OFF: Final = (State.ERROR, State.STOPPED)
"""The more serious one is last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Holds a line that may begin or end an incident."""

    sequence: int
    time: datetime
    event: AuditEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """Tells of one incident."""

    id: int
    """Is the number of the line of the audit log with which it began."""
    start: datetime
    end: datetime | None
    """None: it lasts."""
    state: State | None
    """Tells the most serious state that it led to; None: it led to none yet."""
    first_finding: str
    """Names what tripped first, as ``owner/row``; empty for a stop that somebody asked for."""
    text: str
    """Tells what happened, in a line."""


def mark_of(raw: bytes) -> Mark | None:
    """Returns what a line of the log marks; None for nearly all lines."""
    if _TELLS.search(raw) is None:
        return None
    line = decode_line(raw)
    event = None if line is None else event_of(line)
    if line is None or event is None:
        return None
    return Mark(sequence=line.sequence, time=line.time, event=event)


def incidents_of(marks: Iterable[Mark]) -> tuple[Incident, ...]:
    """Returns the incidents that ``marks`` tell of, which come in their order, oldest first."""
    walk = _Walk()
    for mark in marks:
        walk.take(mark)
    return (*walk.done, *([walk.lasting] if walk.lasting is not None else []))


class _Walk:
    """Goes along the marks. What was before the first is not known, and taken for well."""

    def __init__(self) -> None:
        self.done: list[Incident] = []
        self.lasting: Incident | None = None
        self._state: State | None = None
        self._latched = False

    def take(self, mark: Mark) -> None:
        """Takes one step."""
        tripped = self._follow(mark.event)
        if self._state in _OFF or self._latched or tripped:
            self._goes_on(mark)
        elif self.lasting is not None and self._state is not None:
            self.done.append(replace(self.lasting, end=mark.time))
            self.lasting = None

    def _follow(self, event: AuditEvent) -> bool:
        """Notes where the site is; True if something trips it now."""
        match event:
            case StateChanged():
                self._state = _state(event.target)
            case LatchesChanged():
                self._latched = event.emergency_stop or bool(event.faults)
            case ProcessStarted():
                self._state = State.BOOT
                self._latched = event.emergency_stop or bool(event.faults)
            case ProcessEnded():
                self._state = None
            case FindingRaised():
                return True
            case _:
                pass
        return False

    def _goes_on(self, mark: Mark) -> None:
        before = self.lasting or Incident(
            id=mark.sequence,
            start=mark.time,
            end=None,
            state=None,
            first_finding="",
            text=describe(mark.event),
        )
        worst = max((before.state, self._state), key=_seriousness)
        self.lasting = replace(
            before,
            state=worst if worst in _OFF else None,
            first_finding=before.first_finding or _tripped_by(mark.event),
            text=describe(mark.event)
            if worst is not before.state and worst in _OFF
            else before.text,
        )


def _state(name: str) -> State | None:
    try:
        return State(name)
    except ValueError:
        return None


def _seriousness(state: State | None) -> int:
    return -1 if state not in _OFF else _OFF.index(state)


def _tripped_by(event: AuditEvent) -> str:
    match event:
        case FindingRaised():
            return event.key
        case LatchesChanged(faults=faults) | ProcessStarted(faults=faults) if faults:
            return faults[0]
        case _:
            return ""
