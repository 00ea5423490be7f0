"""Which writes of a setpoint get a line in the audit log, with their way through the layers."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from holdfast.control.cycle import CycleRecord, CycleState
from holdfast.core.commands import Point, Write
from holdfast.core.config import Site
from holdfast.core.signals import SITE, Signal
from holdfast.core.units import NS_PER_S
from holdfast.monitoring.audit_events import AuditEvent, Cause, SetpointChanged, SlotFollowed, short
from holdfast.monitoring.audit_findings import NEVER_NS
from holdfast.safety.faults import Reaction
from holdfast.safety.interlocks import Action

SHARE_OF_POWER = 0.05
"""A setpoint that has moved by more than this share of the unit's power is worth a line,"""
SETPOINT_EVERY_NS = 1 * NS_PER_S
"""but not more often than this, unless it becomes 0 W."""
_ARRIVED_W = 10.0
"""Smaller changes are not written."""
_SERVED_W = 0.5
"""A request is served whole if no more than this is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetpointMemory:
    """The last line about one unit's setpoint, and what was written since."""

    shown: SetpointChanged
    shown_ns: int
    writes: int = 0
    lowest_w: float = math.inf
    highest_w: float = -math.inf
    due_ns: int = NEVER_NS
    """When a change that came too soon after the last line gets its own."""


class SetpointObserver:
    """Finds the writes of a cycle that are worth a line. Holds no state."""

    def __init__(self, site: Site) -> None:
        self._worth_w = {
            unit.name: SHARE_OF_POWER * max(unit.charge_power_max_w, unit.discharge_power_max_w)
            for unit in site.storage
        }

    def observe(
        self, memory: Mapping[str, SetpointMemory], after: CycleState, record: CycleRecord
    ) -> tuple[list[AuditEvent], Mapping[str, SetpointMemory]]:
        """Events of the cycle that led to ``after``; the memory for the next one."""
        now_ns = record.inputs.now_ns
        due = [unit for unit, last in memory.items() if last.due_ns <= now_ns]
        writes = {w.unit: w for w in record.writes if w.point is Point.SETPOINT_W}
        if not (due or writes):
            return [], memory
        events: list[AuditEvent] = []
        setpoints = dict(memory)
        for unit in dict.fromkeys((*writes, *due)):
            last = _counted(setpoints.get(unit), writes.get(unit))
            event, setpoints[unit] = self._setpoint(unit, last, after, record)
            if event is not None:
                events.append(event)
        return events, setpoints

    def _setpoint(
        self, unit: str, last: SetpointMemory | None, after: CycleState, record: CycleRecord
    ) -> tuple[SetpointChanged | None, SetpointMemory]:
        now_ns = record.inputs.now_ns
        written = after.units[unit].inverter.get(Point.SETPOINT_W)
        written_w = 0.0 if written is None else written.value
        limited_by = _limited_by(unit, written_w, record)
        if last is not None:
            shown_w = last.shown.written_w or 0.0
            to_zero = written_w == 0.0 and shown_w != 0.0
            if not (to_zero or self._is_worth_a_line(last.shown, written_w, limited_by, record)):
                return None, last if last.due_ns == NEVER_NS else replace(last, due_ns=NEVER_NS)
            due_ns = last.shown_ns + SETPOINT_EVERY_NS
            if now_ns < due_ns and not to_zero:
                return None, replace(last, due_ns=due_ns)
        event = _setpoint_event(unit, written_w, limited_by, last, record)
        return event, SetpointMemory(shown=event, shown_ns=now_ns)

    def _is_worth_a_line(
        self, shown: SetpointChanged, written_w: float, limited_by: str, record: CycleRecord
    ) -> bool:
        request, setpoint = record.request, record.setpoints[shown.unit]
        arrived = _has_arrived(written_w, setpoint.permitted_w)
        moved_w = abs(written_w - (shown.written_w or 0.0))
        return (
            moved_w > self._worth_w[shown.unit]
            or (written_w == 0.0) != (shown.written_w == 0.0)
            or limited_by != shown.limited_by
            or (arrived and not _has_arrived(shown.written_w, shown.permitted_w))
            or request.source != shown.source
            or short(request.reason) != shown.reason
        )


def _has_arrived(written_w: float | None, permitted_w: float | None) -> bool:
    """True at the end of a ramp, so that its end gets a line too."""
    return (
        written_w is not None
        and permitted_w is not None
        and abs(permitted_w - written_w) <= _ARRIVED_W
    )


def _counted(last: SetpointMemory | None, write: Write | None) -> SetpointMemory | None:
    if last is None or write is None:
        return last
    return replace(
        last,
        writes=last.writes + 1,
        lowest_w=min(last.lowest_w, write.value),
        highest_w=max(last.highest_w, write.value),
    )


def _limited_by(unit: str, written_w: float, record: CycleRecord) -> str:
    """What keeps the request from being served whole; empty if nothing does."""
    asked_w = record.request.power_w
    envelopes = [permit.envelope for permit in record.permits.values()]
    envelope = record.permits[unit].envelope
    if asked_w - sum(e.max_w for e in envelopes) > _SERVED_W:
        return envelope.max_by
    if sum(e.min_w for e in envelopes) - asked_w > _SERVED_W:
        return envelope.min_by
    if written_w == 0.0 and envelope.min_w == envelope.max_w == 0.0:
        # Nothing may be asked: in BOOT or IDLE the wish is 0 W as well.
        return envelope.max_by
    return ""


def _setpoint_event(
    unit: str, written_w: float, limited_by: str, last: SetpointMemory | None, record: CycleRecord
) -> SetpointChanged:
    setpoint, permit, snapshot = record.setpoints[unit], record.permits[unit], record.snapshot
    assessment, envelope = record.assessment, permit.envelope
    return SetpointChanged(
        unit=unit,
        source=record.request.source,
        reason=short(record.request.reason),
        slot=_slot(record),
        request_w=_rounded(record.request.power_w),
        asked_w=_rounded(setpoint.asked_w),
        min_w=_rounded(envelope.min_w),
        min_by=envelope.min_by,
        max_w=_rounded(envelope.max_w),
        max_by=envelope.max_by,
        limited_by=limited_by,
        permitted_w=_rounded(setpoint.permitted_w),
        ramped_w=_rounded(setpoint.power_w),
        may_increase=permit.may_increase,
        written_w=_rounded(written_w),
        read_back_w=_rounded(snapshot.good(unit, Signal.SETPOINT_READBACK_W)),
        measured_w=_rounded(snapshot.good(unit, Signal.BATTERY_POWER_W)),
        soc_pct=_rounded(snapshot.good(unit, Signal.SOC_PCT)),
        pack_voltage_v=_rounded(snapshot.good(unit, Signal.PACK_VOLTAGE_V)),
        charge_limit_a=_rounded(snapshot.good(unit, Signal.CHARGE_CURRENT_LIMIT_A)),
        discharge_limit_a=_rounded(snapshot.good(unit, Signal.DISCHARGE_CURRENT_LIMIT_A)),
        grid_power_w=_rounded(snapshot.good(SITE, Signal.GRID_POWER_W)),
        causes=tuple(
            Cause(
                owner=found.owner,
                row=found.row,
                level=found.level.name.lower(),
                reaction=found.reaction.name.lower(),
                text=short(found.text),
            )
            for found in assessment.findings_of(unit)
            if found.reaction > Reaction.LOG
        ),
        blocks=tuple(
            block.row
            for block in assessment.blocks
            if block.action is Action.POWER and block.owner in (unit, SITE)
        ),
        writes=1 if last is None else last.writes,
        lowest_w=_rounded(written_w if last is None else last.lowest_w),
        highest_w=_rounded(written_w if last is None else last.highest_w),
    )


def _slot(record: CycleRecord) -> SlotFollowed | None:
    plan = record.inputs.plan
    slot = None if plan is None else plan.slot_at(record.inputs.now_ns)
    if plan is None or slot is None:
        return None
    return SlotFollowed(
        plan_id=short(plan.plan.plan_id),
        mode=slot.mode,
        battery_power_w=_rounded(slot.battery_power_w),
        end=slot.end,
    )


def _rounded(value: float | None) -> float | None:
    """To a thousandth; None for what is not finite."""
    return None if value is None or not math.isfinite(value) else round(value, 3)
