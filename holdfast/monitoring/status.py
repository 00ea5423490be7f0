"""The status: what the controller tells the world, layer by layer, five times a second.

Gateway, planner and command line read it from shared memory; none of them can hold up the
controller.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import TypeAdapter
from pydantic_core import to_json

from holdfast.control.cycle import CycleRecord, CycleState
from holdfast.control.plan_gate import AcceptedPlan
from holdfast.core.commands import Point
from holdfast.core.plan import PlanSlot
from holdfast.core.ports import CommsCounters
from holdfast.core.reading import Bad, Good, Missing, Reading, Stale
from holdfast.core.signals import SIGNALS, Signal
from holdfast.core.state_machine import State
from holdfast.core.units import s_from_ns
from holdfast.devices.contactor import Wear
from holdfast.devices.contactor_life import cycles_used
from holdfast.monitoring.blocks import BlockStatus, present_blocks
from holdfast.monitoring.export_limit import ExportLimitStatus, export_limits
from holdfast.monitoring.histogram import HistogramStatus
from holdfast.monitoring.limit_status import LimitStatus, limit_status
from holdfast.monitoring.load_status import LoadStatus, load_status
from holdfast.safety.finding import Finding
from holdfast.safety.limit_monitor import LimitMonitor


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingStatus:
    """One signal. ``value`` is None unless the quality is good or stale."""

    value: float | None
    unit: str
    quality: str
    age_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingStatus:
    """Something that is not as it should be."""

    owner: str
    row: str
    level: str
    reaction: str
    for_s: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetpointStatus:
    """The way of one unit's setpoint through the layers, in W, + charging."""

    asked_w: float
    permitted_min_w: float
    permitted_min_by: str
    permitted_max_w: float
    permitted_max_by: str
    permitted_w: float
    ramped_w: float
    written_w: float | None
    read_back_w: float | None
    measured_w: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WearStatus:
    """How much of a main contactor's rated life is gone."""

    closings: int
    openings_under_load: int
    cycles_used: int
    """Both together, as the data sheet counts."""
    cycles_rated: int
    complete: bool
    """False: the count was lost once, and this is what came since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanStatusNow:
    """The plan that the controller holds."""

    plan_id: str
    status: str
    age_s: float
    expires_in_s: float
    expected_cost: float
    slot: PlanSlot | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommsStatus:
    """Counters of one device's driver."""

    reads: int
    writes: int
    errors: int
    last_error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopStatus:
    """How the loop runs."""

    period_s: float
    cycles: int
    missed: int
    real_time: bool
    cycle: HistogramStatus
    lateness: HistogramStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditStatus:
    """How the audit log fares."""

    lines: int
    """Events that this controller has brought to the disk."""
    lost: int
    """Events that found no room, or could not be written."""
    problem: str
    """Why it cannot be written now; empty if it can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Everything."""

    site: str
    currency: str
    authority: str
    utc: datetime
    monotonic_ns: int
    state: State
    waits_for: tuple[str, ...]
    """In BOOT and IDLE: what keeps the site from starting."""
    emergency_stop_latched: bool
    latched_faults: tuple[str, ...]
    latches_on_disk: bool
    """False: they could not be saved, and would not survive a restart."""
    ignored_events: int
    request_w: float
    request_source: str
    request_reason: str
    plan: PlanStatusNow | None
    plan_refused: str
    """Why the last plan that came was refused; empty if it was not."""
    setpoints: dict[str, SetpointStatus]
    readings: dict[str, dict[Signal, ReadingStatus]]
    findings: tuple[FindingStatus, ...]
    limits: tuple[LimitStatus, ...]
    contactors: dict[str, WearStatus]
    """By unit."""
    comms: dict[str, CommsStatus]
    loop: LoopStatus
    audit: AuditStatus | None = None
    blocks: tuple[BlockStatus, ...] = ()
    loads: dict[str, LoadStatus] = field(default_factory=dict)
    """Behind a switch, by name of the load or room."""
    export_limits: dict[str, ExportLimitStatus] = field(default_factory=dict)
    """By unit; those whose inverters take none are absent."""

    def value(self, owner: str, signal: Signal) -> float | None:
        """Value of a good reading."""
        reading = self.readings.get(owner, {}).get(signal)
        return reading.value if reading is not None and reading.quality == "good" else None


_ADAPTER = TypeAdapter(Status)


def encode_status(status: Status) -> bytes:
    """JSON. What is not finite becomes null."""
    return to_json(status, inf_nan_mode="null")


def decode_status(content: bytes) -> Status:
    """The reverse. Raises pydantic's ValidationError, a ValueError, if it is no status."""
    return _ADAPTER.validate_json(content)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What the shell around the cycle adds to a status."""

    site: str
    currency: str
    authority: str
    utc: datetime
    plan: AcceptedPlan | None
    plan_refused: str
    latches_on_disk: bool
    contactor_cycles_rated: Mapping[str, int]
    """By unit."""
    comms: Mapping[str, CommsCounters]
    loop: LoopStatus
    audit: AuditStatus | None = None


def build_status(
    state: CycleState, record: CycleRecord, monitor: LimitMonitor, outside: Outside
) -> Status:
    """The status after a cycle."""
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
        setpoints={unit: _setpoint_status(unit, state, record) for unit in record.setpoints},
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
        comms={name: _comms_status(counters) for name, counters in outside.comms.items()},
        loop=outside.loop,
        audit=outside.audit,
        blocks=tuple(present_blocks(state, record)),
        loads=load_status(record),
        export_limits=export_limits(state, record),
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


def _comms_status(counters: CommsCounters) -> CommsStatus:
    return CommsStatus(
        reads=counters.reads,
        writes=counters.writes,
        errors=counters.errors,
        last_error=counters.last_error,
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


def _setpoint_status(unit: str, state: CycleState, record: CycleRecord) -> SetpointStatus:
    setpoint, envelope = record.setpoints[unit], record.permits[unit].envelope
    written = state.units[unit].inverter.get(Point.SETPOINT_W)
    return SetpointStatus(
        asked_w=setpoint.asked_w,
        permitted_min_w=envelope.min_w,
        permitted_min_by=envelope.min_by,
        permitted_max_w=envelope.max_w,
        permitted_max_by=envelope.max_by,
        permitted_w=setpoint.permitted_w,
        ramped_w=setpoint.power_w,
        written_w=None if written is None else written.value,
        read_back_w=record.snapshot.good(unit, Signal.SETPOINT_READBACK_W),
        measured_w=record.snapshot.good(unit, Signal.BATTERY_POWER_W),
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
