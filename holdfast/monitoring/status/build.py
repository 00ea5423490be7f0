"""This module makes of a cycle the status that tells of it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from holdfast.control.cycle import CycleRecord, CycleState
from holdfast.control.plan_gate import AcceptedPlan
from holdfast.core.ports import CommsCounters
from holdfast.core.reading import Bad, Good, Missing, Reading, Stale
from holdfast.core.signals import SIGNALS, Signal
from holdfast.core.state_machine import State
from holdfast.core.texts import MAX_NAME, MAX_REASON, shown
from holdfast.core.units import s_from_ns
from holdfast.devices.contactor.life import cycles_used
from holdfast.devices.contactor.memory import Wear
from holdfast.monitoring.quantities.table import quantities
from holdfast.monitoring.status.blocks import present_blocks
from holdfast.monitoring.status.comms import comms_status
from holdfast.monitoring.status.connection import connection_status
from holdfast.monitoring.status.limits import limit_status
from holdfast.monitoring.status.schema import (
    AuditStatus,
    FindingStatus,
    LoopStatus,
    ModeStatus,
    PlanStatusNow,
    ReadingStatus,
    Status,
    WearStatus,
)
from holdfast.safety.finding import Finding
from holdfast.safety.limit_monitor import LimitMonitor

BRIEFLY = 20
"""So many findings and latched faults are told where not all can be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """Holds what the shell around the cycle adds to a status."""

    site: str
    currency: str
    authority: str
    utc: datetime
    plan: AcceptedPlan | None
    plan_refused: str
    latches_on_disk: bool
    contactor_cycles_rated: Mapping[str, int]
    """Holds the rated cycles by unit."""
    comms: Mapping[str, CommsCounters]
    loop: LoopStatus
    audit: AuditStatus | None = None
    waits_for_start: bool = False
    """Tells whether it was RUNNING when its controller ended, and waits for somebody."""


def build_status(
    state: CycleState, record: CycleRecord, monitor: LimitMonitor, outside: Outside
) -> Status:
    """Returns the status after a cycle."""
    snapshot = record.snapshot
    starting = record.moved.state in {State.BOOT, State.IDLE}
    return Status(
        site=outside.site,
        currency=outside.currency,
        authority=outside.authority,
        utc=outside.utc,
        monotonic_ns=snapshot.time_ns,
        state=record.moved.state,
        waits_for=record.moved.waits_for if starting else (),
        emergency_stop_latched=state.latches.emergency_stop,
        latched_faults=state.latches.faults,
        latches_on_disk=outside.latches_on_disk,
        ignored_events=state.ignored_events,
        request_w=record.request.power_w,
        request_source=record.request.source,
        request_reason=record.request.reason,
        plan=_plan_status(outside.plan, snapshot.time_ns),
        plan_refused=outside.plan_refused,
        quantities=quantities(state, record),
        readings={
            owner: {
                signal: _reading_status(signal, reading, snapshot.time_ns)
                for signal, reading in readings.items()
            }
            for owner, readings in snapshot.readings.items()
        },
        findings=tuple(
            _finding_status(found, snapshot.time_ns) for found in record.assessment.findings
        ),
        limits=limit_status(monitor, snapshot),
        contactors={
            unit: _wear_status(state.units[unit].relays.wear, rated)
            for unit, rated in outside.contactor_cycles_rated.items()
        },
        comms={
            name: comms_status(counters, snapshot.time_ns)
            for name, counters in outside.comms.items()
        },
        loop=outside.loop,
        audit=outside.audit,
        waits_for_start=outside.waits_for_start,
        blocks=tuple(present_blocks(state, record)),
        mode=_mode_status(state, record),
        connection=connection_status(state, record),
    )


def brief_status(state: CycleState, record: CycleRecord, outside: Outside, why: str) -> Status:
    """Returns what is most important of a status that cannot be told whole; always short."""
    return Status(
        site=shown(outside.site, MAX_NAME),
        currency=outside.currency,
        authority=outside.authority,
        utc=outside.utc,
        monotonic_ns=record.snapshot.time_ns,
        state=record.moved.state,
        waits_for=(),
        emergency_stop_latched=state.latches.emergency_stop,
        latched_faults=tuple(shown(fault, MAX_NAME) for fault in state.latches.faults[:BRIEFLY]),
        latches_on_disk=outside.latches_on_disk,
        ignored_events=state.ignored_events,
        request_w=record.request.power_w,
        request_source=record.request.source,
        request_reason=why,
        plan=None,
        plan_refused="",
        quantities=(),
        readings={},
        findings=tuple(
            _finding_status(
                replace(found, text=shown(found.text, MAX_REASON)), record.inputs.now_ns
            )
            for found in record.assessment.findings[:BRIEFLY]
        ),
        limits=(),
        contactors={},
        comms={},
        loop=outside.loop,
        audit=outside.audit,
        waits_for_start=outside.waits_for_start,
        left_out=why,
    )


def _finding_status(found: Finding, now_ns: int) -> FindingStatus:
    return FindingStatus(
        owner=found.owner,
        row=found.row,
        level=found.level.name.lower(),
        reaction=found.reaction.name.lower(),
        for_s=s_from_ns(now_ns - found.since_ns),
        text=found.text,
    )


def _plan_status(plan: AcceptedPlan | None, now_ns: int) -> PlanStatusNow | None:
    if plan is None:
        return None
    return PlanStatusNow(
        plan_id=plan.plan.plan_id,
        status=plan.plan.status,
        age_s=s_from_ns(now_ns - plan.accepted_ns),
        expires_in_s=s_from_ns(plan.expires_ns - now_ns),
        expected_cost=plan.plan.expected_cost,
        slot=plan.slot_at(now_ns),
    )


def _mode_status(state: CycleState, record: CycleRecord) -> ModeStatus | None:
    request, transfer = record.request, state.modes.transfer
    if transfer is None:
        return None
    instead, quality = request.instead, record.quality
    return ModeStatus(
        by=request.source,
        mode=request.mode,
        for_s=s_from_ns(record.snapshot.time_ns - transfer.since_ns),
        kept_by=request.kept_by,
        urgent=request.urgent,
        instead_by="" if instead is None else instead.by,
        instead_mode="" if instead is None else instead.mode,
        instead_w=None if instead is None else instead.power_w,
        verdict="" if quality is None else quality.verdict,
        meter_rms_w=None if quality is None else quality.rms_w,
        reversals_a_minute=None if quality is None else quality.reversals_a_minute,
    )


def _wear_status(wear: Wear, rated: int) -> WearStatus:
    return WearStatus(
        closings=wear.closings,
        openings_under_load=wear.openings_under_load,
        cycles_used=cycles_used(wear),
        cycles_rated=rated,
        complete=wear.complete,
    )


def _reading_status(signal: Signal, reading: Reading, now_ns: int) -> ReadingStatus:
    value: float | None = None
    age_s: float | None = None
    match reading:
        case Good(value=value, time_ns=time_ns) | Stale(value=value, time_ns=time_ns):
            age_s = s_from_ns(now_ns - time_ns)
        case Bad(time_ns=time_ns):
            age_s = s_from_ns(now_ns - time_ns)
        case Missing():
            pass
    return ReadingStatus(
        value=value,
        unit=SIGNALS[signal].unit,
        quality=type(reading).__name__.lower(),
        age_s=age_s,
    )
