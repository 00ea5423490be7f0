"""This module tells which changes of findings get a line: one that flaps must not flood the log."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from holdfast.core.units import NS_PER_S, s_from_ns
from holdfast.monitoring.audit.events import AuditEvent, FindingCleared, FindingRaised, short
from holdfast.monitoring.throttle import NEVER_NS, Allowance, Throttle
from holdfast.safety.finding import Finding, Reaction

ALLOWANCE = Allowance(at_once=6, every_ns=60 * NS_PER_S)
"""A finding that comes and goes three times in a row is on record each time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowShown:
    """Holds the last line about one finding, and what became of it since."""

    shown: Finding
    """Holds the finding as last recorded, or what it was before it was recorded as cleared."""
    cleared: bool
    """Tells whether it was recorded as cleared."""
    strongest: Reaction
    """Tells the strongest recorded since it began to flap: what is stronger does not wait."""
    last: Finding | None
    """Holds the finding in the last cycle that was looked at; None if it was gone."""
    throttle: Throttle


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingMemory:
    """Holds all findings that have a line, and those of the last cycle that was looked at."""

    last: tuple[Finding, ...] = ()
    rows: Mapping[str, RowShown] = field(default_factory=dict)
    due_ns: int = NEVER_NS


def alike(findings: tuple[Finding, ...], others: tuple[Finding, ...]) -> bool:
    """Says whether both are the same but for the values in their texts."""
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
    """Returns events of what was raised, has changed its level or was cleared."""
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
    due_ns = min((row.throttle.due_ns for row in rows.values()), default=NEVER_NS)
    return events, FindingMemory(last=findings, rows=rows, due_ns=due_ns)


def _row(
    row: RowShown | None, found: Finding | None, now_ns: int
) -> tuple[AuditEvent | None, RowShown | None]:
    if row is None:
        return (None, None) if found is None else _first(found, now_ns)
    throttle = row.throttle
    rested = throttle.is_rested(now_ns)
    if _state(found) != _state(row.last):
        throttle = throttle.changed()
    if rested and row.cleared and found is None:
        return None, None
    stronger = found is not None and found.reaction > row.strongest
    if not stronger and now_ns < throttle.due_ns:
        return None, replace(row, last=found, throttle=throttle)
    differs = _state(found) != (None if row.cleared else _state(row.shown))
    flaps = throttle.changes - differs
    reaction = Reaction.LOG if found is None else found.reaction
    event = _event(found, flaps) if found is not None else _cleared(row.shown, now_ns, flaps)
    return event, RowShown(
        shown=found or row.shown,
        cleared=found is None,
        strongest=reaction if rested else max(row.strongest, reaction),
        last=found,
        throttle=throttle.told(now_ns),
    )


def _first(found: Finding, now_ns: int) -> tuple[AuditEvent, RowShown]:
    return _event(found, 0), RowShown(
        shown=found,
        cleared=False,
        strongest=found.reaction,
        last=found,
        throttle=Throttle(allowance=ALLOWANCE).told(now_ns),
    )


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
