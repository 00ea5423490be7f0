"""Which changes of an export limit get a line in the audit log."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from holdfast.control.cycle import CycleRecord
from holdfast.core.commands import Point
from holdfast.core.signals import Signal
from holdfast.core.units import NS_PER_S
from holdfast.monitoring.audit_events import short
from holdfast.monitoring.audit_findings import NEVER_NS
from holdfast.monitoring.export_limit import ExportLimited, limited_by

LINES, WITHIN_NS = 4, 3600 * NS_PER_S
"""So many lines of a unit at most in this time: prices change with the quarter hour, and below zero
they mostly stay for hours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportLimitMemory:
    """What one inverter was last told, and when it got its last lines."""

    told_w: float
    shown_ns: tuple[int, ...] = (-NEVER_NS,) * LINES
    changes: int = 0
    """Since the last line."""

    @property
    def due_ns(self) -> int:
        """When the next line may be written, if there is something to tell."""
        return self.shown_ns[0] + WITHIN_NS if self.changes else NEVER_NS


def export_limit_events(
    memory: Mapping[str, ExportLimitMemory], record: CycleRecord
) -> tuple[list[ExportLimited], Mapping[str, ExportLimitMemory]]:
    """Lines of a cycle; the memory for the next one."""
    now_ns, after = record.inputs.now_ns, dict(memory)
    for write in record.writes:
        if write.point is Point.EXPORT_LIMIT_W:
            after[write.unit] = _told(after.get(write.unit), write.unit, write.value, record)
    events = []
    for unit, last in after.items():
        if last.due_ns <= now_ns:
            by_plan, reason = limited_by(record)
            events.append(
                ExportLimited(
                    unit=unit, limit_w=round(last.told_w, 3), by_plan=by_plan,
                    reason=short(reason), changes=last.changes,
                )
            )  # fmt: skip
            after[unit] = replace(last, shown_ns=(*last.shown_ns[1:], now_ns), changes=0)
    return events, after


def _told(
    last: ExportLimitMemory | None, unit: str, told_w: float, record: CycleRecord
) -> ExportLimitMemory:
    """What an inverter is told first is a change if it did not show so before."""
    if last is None:
        shown_w = record.snapshot.good(unit, Signal.EXPORT_LIMIT_READBACK_W)
        return ExportLimitMemory(told_w=told_w, changes=int(shown_w != told_w))
    return replace(last, told_w=told_w, changes=last.changes + (told_w != last.told_w))
