"""An incident begins where the site has to stop: with what it was by, and told once.

A site that boots finds much that is not there yet, and what was latched before its start was
recorded before, too: neither is one.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from holdfast.control.cycle import CycleRecord, Inputs
from holdfast.core.state_machine import Event, State
from holdfast.core.texts import MAX_REASON, shown
from holdfast.monitoring.replay.recording import RecordingCause
from holdfast.safety.finding import Finding, Reaction

FAILED: Final = "cycle_failed"
"""Stands for a row where the cycle raised."""
_STOP: Final = "emergency_stop"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundCause:
    """Tells why a cycle is to be kept with those around it."""

    cause: RecordingCause
    latches: bool
    """Says whether the site stays off; False: it goes on by itself when that is over."""


class CauseFinder:
    """Looks at each cycle for what makes an incident of it."""

    def __init__(self) -> None:
        self._known: frozenset[str] = frozenset()
        """Names what stopped power in the cycle before."""

    def find(self, before: State, record: CycleRecord) -> FoundCause | None:
        """Returns why this cycle is one to keep, after the state ``before``; None for others."""
        findings = [
            found for found in record.assessment.findings if found.reaction >= Reaction.RAMP_TO_ZERO
        ]
        known, self._known = self._known, frozenset(found.key for found in findings)
        match record.moved.taken:
            case Event.EMERGENCY_STOP:
                told = f"{_moved(before, record)}: {record.moved.stop_cause}"
                return FoundCause(cause=cause(record.inputs, _STOP, told), latches=True)
            case Event.TRIP:
                trips = record.assessment.trips
                told = f"{_moved(before, record)}: {'; '.join(map(_told, trips))}"
                return FoundCause(cause=cause(record.inputs, trips[0].row, told), latches=True)
        new = [found for found in findings if found.key not in known]
        if not new or before is not State.RUNNING or record.moved.state is not State.RUNNING:
            return None
        told = "; ".join(map(_told, new))
        return FoundCause(cause=cause(record.inputs, new[0].row, told), latches=False)


def cause(inputs: Inputs, row: str, text: str) -> RecordingCause:
    """Returns a cause that lies in the cycle with these inputs."""
    return RecordingCause(
        utc=_EPOCH + timedelta(microseconds=(inputs.utc_ns or 0) // 1000),
        now_ns=inputs.now_ns,
        row=row,
        text=shown(text, MAX_REASON),
    )


def _moved(before: State, record: CycleRecord) -> str:
    return f"{before.name} to {record.moved.state.name}"


def _told(found: Finding) -> str:
    return f"{found.owner}: {found.text} ({found.row})"
