"""Which changes of findings get a line in the audit log: one that flaps must not flood it."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from holdfast.core.units import NS_PER_S, s_from_ns
from holdfast.monitoring.audit_events import AuditEvent, FindingCleared, FindingRaised, short
from holdfast.safety.finding import Finding, Reaction

FLAP_MIN_NS = 1 * NS_PER_S
"""After a line about a finding, the next about the same waits this long,"""
FLAP_MAX_NS = 60 * NS_PER_S
"""and twice as long each time it keeps changing, up to this."""
NEVER_NS = sys.maxsize


@dataclass(frozen=True, slots=True, kw_only=True)
class RowShown:
    """The last line about one finding, and what became of it since."""

    shown: Finding
    """As it was last recorded, or what it was before it was recorded as cleared."""
    cleared: bool
    """Recorded as cleared."""
    shown_ns: int
    wait_ns: int
    strongest: Reaction
    """Recorded since it began to flap: what is stronger does not wait."""
    last: Finding | None
    """In the last cycle that was looked at; None if it was gone."""
    changes: int = 0
    """Since the last line."""

    @property
    def due_ns(self) -> int:
        """When a change that waits gets its line."""
        return self.shown_ns + self.wait_ns if self.changes else NEVER_NS


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingMemory:
    """All findings that have a line, and those of the last cycle that was looked at."""

    last: tuple[Finding, ...] = ()
    rows: Mapping[str, RowShown] = field(default_factory=dict)
    due_ns: int = NEVER_NS


def alike(findings: tuple[Finding, ...], others: tuple[Finding, ...]) -> bool:
    """True if both are the same but for the values in their texts."""
    if findings is others:
        return True
    if len(findings) != len(others):
        return False
    for found, other in zip(findings, others, strict=True):
        if found is not other and _differs(found, other):
            return False
    return True


def finding_events(
    memory: FindingMemory, findings: tuple[Finding, ...], now_ns: int
) -> tuple[list[AuditEvent], FindingMemory]:
    """Events of what was raised, has changed its level or was cleared."""
    if now_ns < memory.due_ns and alike(findings, memory.last):
        return [], memory
    present = {found.key: found for found in reversed(findings)}
    events: list[AuditEvent] = []
    rows: dict[str, RowShown] = {}
    for key in dict.fromkeys((*memory.rows, *present)):
        event, row = _row(memory.rows.get(key), present.get(key), now_ns)
        if event is not None:
            events.append(event)
        if row is not None:
            rows[key] = row
    due_ns = min((row.due_ns for row in rows.values()), default=NEVER_NS)
    return events, FindingMemory(last=findings, rows=rows, due_ns=due_ns)


def _row(
    row: RowShown | None, found: Finding | None, now_ns: int
) -> tuple[AuditEvent | None, RowShown | None]:
    if row is None:
        if found is None:
            return None, None
        return _event(found, 0), _shown(found, found, now_ns, FLAP_MIN_NS, found.reaction)
    quiet_ns = now_ns - row.shown_ns
    changes = row.changes + (_state(found) != _state(row.last))
    differs = _state(found) != (None if row.cleared else _state(row.shown))
    stronger = found is not None and found.reaction > row.strongest
    if not changes and row.cleared and found is None and quiet_ns >= 2 * row.wait_ns:
        return None, None
    if not (stronger or (changes and quiet_ns >= row.wait_ns)):
        return None, _kept(row, found, changes)
    flaps = changes - differs
    if not (differs or flaps):
        return None, _kept(row, found, 0)
    restless = flaps > 0 or quiet_ns < 2 * row.wait_ns
    wait_ns = min(2 * row.wait_ns, FLAP_MAX_NS) if restless else FLAP_MIN_NS
    reaction = Reaction.LOG if found is None else found.reaction
    strongest = max(row.strongest, reaction) if restless else reaction
    event = _event(found, flaps) if found is not None else _cleared(row.shown, now_ns, flaps)
    return event, _shown(found or row.shown, found, now_ns, wait_ns, strongest)


def _shown(
    shown: Finding, last: Finding | None, now_ns: int, wait_ns: int, strongest: Reaction
) -> RowShown:
    return RowShown(
        shown=shown, cleared=last is None, shown_ns=now_ns, wait_ns=wait_ns,
        strongest=strongest, last=last,
    )  # fmt: skip


def _kept(row: RowShown, found: Finding | None, changes: int) -> RowShown:
    return RowShown(
        shown=row.shown, cleared=row.cleared, shown_ns=row.shown_ns, wait_ns=row.wait_ns,
        strongest=row.strongest, last=found, changes=changes,
    )  # fmt: skip


def _event(found: Finding, flaps: int) -> FindingRaised:
    return FindingRaised(
        owner=found.owner,
        row=found.row,
        level=found.level.name.lower(),
        reaction=found.reaction.name.lower(),
        text=short(found.text),
        flaps=flaps,
    )


def _cleared(found: Finding, now_ns: int, flaps: int) -> FindingCleared:
    return FindingCleared(
        owner=found.owner,
        row=found.row,
        level=found.level.name.lower(),
        reaction=found.reaction.name.lower(),
        text=short(found.text),
        lasted_s=round(s_from_ns(now_ns - found.since_ns), 3),
        flaps=flaps,
    )


def _state(found: Finding | None) -> object:
    return None if found is None else (found.level, found.reaction)


def _differs(found: Finding, other: Finding) -> bool:
    return (
        found.reaction is not other.reaction
        or found.level is not other.level
        or found.row != other.row
        or found.owner != other.owner
    )
