"""The export limit in the status, in the audit log, and in words."""

from dataclasses import dataclass
from typing import Literal

from holdfast.control.cycle import CycleRecord, CycleState
from holdfast.core.commands import Point
from holdfast.core.signals import Signal
from holdfast.core.state_machine import State

GRID_CONNECTION = "the grid connection permits no more"
_SAME_W = 10.0
"""Closer to each other than this, two limits are one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportLimitStatus:
    """To what one inverter throttles PV."""

    asked_w: float
    by_plan: bool
    """False: it is the grid connection's own limit."""
    reason: str
    written_w: float
    """Last of all; what wears out is not raised beyond its budget."""
    read_back_w: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportLimited:
    """An event of the audit log: an inverter was told another export limit."""

    kind: Literal["export_limit"] = "export_limit"
    unit: str
    limit_w: float
    by_plan: bool
    """False: it is the grid connection's own limit."""
    reason: str
    changes: int = 1
    """Since the last line about this unit, this one included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportSituation:
    """Of one unit."""

    unit: str
    limit_w: float
    by_plan: bool
    reason: str
    shown_w: float | None = None
    """What its inverter shows; None: that is not known."""


def export_limits(state: CycleState, record: CycleRecord) -> dict[str, ExportLimitStatus]:
    """After a cycle, by unit; those whose inverters take no limit are absent."""
    by_plan, reason = limited_by(record)
    return {
        unit: ExportLimitStatus(
            asked_w=record.request.export_limit_w,
            by_plan=by_plan,
            reason=reason,
            written_w=memory.inverter[Point.EXPORT_LIMIT_W].value,
            read_back_w=record.snapshot.good(unit, Signal.EXPORT_LIMIT_READBACK_W),
        )
        for unit, memory in state.units.items()
        if Point.EXPORT_LIMIT_W in memory.inverter
    }


def limited_by(record: CycleRecord) -> tuple[bool, str]:
    """True if a plan limits the export, and why; else it is the grid connection."""
    plan = record.inputs.plan
    slot = None if plan is None else plan.slot_at(record.inputs.now_ns)
    running = record.moved.state is State.RUNNING
    if slot is None or slot.export_limit_w is None or not running:
        return False, GRID_CONNECTION
    return True, slot.reason


def export_now(unit: str, limit: ExportLimitStatus) -> ExportSituation:
    """What the status tells."""
    return ExportSituation(
        unit=unit, limit_w=limit.written_w, by_plan=limit.by_plan, reason=limit.reason,
        shown_w=limit.read_back_w,
    )  # fmt: skip


def export_recorded(event: ExportLimited) -> ExportSituation:
    """What the audit log tells."""
    return ExportSituation(
        unit=event.unit, limit_w=event.limit_w, by_plan=event.by_plan, reason=event.reason
    )


def export_sentence(limit: ExportSituation) -> str:
    """Empty while nobody but the grid connection limits the export, and the inverter obeys."""
    told = f"The inverter of {limit.unit} was told to let the site export {limit.limit_w:,.0f} W"
    if limit.shown_w is not None and abs(limit.shown_w - limit.limit_w) > _SAME_W:
        return f"{told} at most, and shows {limit.shown_w:,.0f} W."
    return f"{told} at most, by throttling PV: {limit.reason}." if limit.by_plan else ""
