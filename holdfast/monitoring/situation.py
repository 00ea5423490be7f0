"""A moment of a site as far as it is known: from the status now, or from the audit log."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from holdfast.core.signals import Signal
from holdfast.core.state_machine import State
from holdfast.monitoring.audit_events import (
    AuditEvent,
    Cause,
    ChildEnded,
    ChildStarted,
    CommandAnswered,
    FindingCleared,
    FindingRaised,
    LatchesChanged,
    LoadSwitched,
    MessageRefused,
    PlanAccepted,
    PlanNotAccepted,
    ProcessEnded,
    ProcessStarted,
    SetpointChanged,
    SlotFollowed,
    StateChanged,
)
from holdfast.monitoring.blocks import BlockStatus
from holdfast.monitoring.explain_loads import LoadSituation, load_now, load_recorded
from holdfast.monitoring.safety_audit_log import Line, event_of
from holdfast.monitoring.status import SetpointStatus, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitSituation:
    """One storage unit. + charging; None for what is not known."""

    name: str
    min_w: float | None
    min_by: str
    max_w: float | None
    max_by: str
    permitted_w: float | None
    ramped_w: float | None
    written_w: float | None
    read_back_w: float | None
    measured_w: float | None
    soc_pct: float | None
    pack_voltage_v: float | None
    charge_limit_a: float | None
    discharge_limit_a: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the site asked of its batteries together."""

    power_w: float | None
    source: str
    reason: str
    slot: SlotFollowed | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Everything that an explanation rests on."""

    time: datetime
    """Of the status, or of the last line of the log that tells of this moment."""
    recorded: bool
    """From the log: power is what was set, for what was measured comes later."""
    ended: str = ""
    """Why there was no controller; empty if there was one."""
    authority: str = ""
    state: State | None = None
    reasons: tuple[str, ...] = ()
    """Why it came into its state."""
    request: Request | None = None
    units: tuple[UnitSituation, ...] = ()
    loads: tuple[LoadSituation, ...] = ()
    """Behind a switch."""
    causes: tuple[Cause, ...] = ()
    """All findings."""
    waits_for: tuple[str, ...] = ()
    blocks: tuple[BlockStatus, ...] = ()
    """Actions that an interlock blocks now; not recorded."""
    emergency_stop: bool = False
    faults: tuple[str, ...] = ()
    plan_refused: str = ""
    refused: MessageRefused | None = None
    """What was asked for last, if no cycle got to see it."""
    children: tuple[ChildStarted | ChildEnded, ...] = ()
    """What became last of each process that its supervisor told of."""


def situation_now(status: Status) -> Situation:
    """What the status tells."""
    plan = status.plan
    slot = None if plan is None else plan.slot
    followed = None
    if plan is not None and slot is not None:
        followed = SlotFollowed(
            plan_id=plan.plan_id, mode=slot.mode, battery_power_w=slot.battery_power_w, end=slot.end
        )
    return Situation(
        time=status.utc,
        recorded=False,
        authority=status.authority,
        state=status.state,
        request=Request(
            power_w=status.request_w,
            source=status.request_source,
            reason=status.request_reason,
            slot=followed,
        ),
        units=tuple(_unit_now(status, name, unit) for name, unit in status.setpoints.items()),
        loads=tuple(load_now(name, load) for name, load in status.loads.items()),
        causes=tuple(
            Cause(
                owner=found.owner,
                row=found.row,
                level=found.level,
                reaction=found.reaction,
                text=found.text,
            )
            for found in status.findings
        ),
        waits_for=status.waits_for,
        blocks=status.blocks,
        emergency_stop=status.emergency_stop_latched,
        faults=status.latched_faults,
        plan_refused=status.plan_refused,
    )


def _unit_now(status: Status, name: str, unit: SetpointStatus) -> UnitSituation:
    return UnitSituation(
        name=name,
        min_w=unit.permitted_min_w,
        min_by=unit.permitted_min_by,
        max_w=unit.permitted_max_w,
        max_by=unit.permitted_max_by,
        permitted_w=unit.permitted_w,
        ramped_w=unit.ramped_w,
        written_w=unit.written_w,
        read_back_w=unit.read_back_w,
        measured_w=unit.measured_w,
        soc_pct=status.value(name, Signal.SOC_PCT),
        pack_voltage_v=status.value(name, Signal.PACK_VOLTAGE_V),
        charge_limit_a=status.value(name, Signal.CHARGE_CURRENT_LIMIT_A),
        discharge_limit_a=status.value(name, Signal.DISCHARGE_CURRENT_LIMIT_A),
    )


def situation_at(lines: Iterable[Line]) -> Situation | None:
    """What ``lines`` of the log tell of the moment of the first; the newest comes first.

    Reads back to the start of the controller that ran then. None if there is nothing.
    """
    found = _Found()
    for line in lines:
        event = event_of(line)
        if event is None or not found.take(line, event):
            continue
        if isinstance(event, ProcessStarted | ProcessEnded):
            break
    return found.situation()


class _Found:
    """What was found so far, walking backwards: the first of a kind is the one that counts."""

    def __init__(self) -> None:
        self._time: datetime | None = None
        self._started: ProcessStarted | None = None
        self._ended: ProcessEnded | None = None
        self._state: StateChanged | None = None
        self._latches: LatchesChanged | None = None
        self._plan: PlanAccepted | PlanNotAccepted | None = None
        self._asked: CommandAnswered | MessageRefused | None = None
        self._children: dict[str, ChildStarted | ChildEnded] = {}
        self._setpoints: dict[str, SetpointChanged] = {}
        self._loads: dict[str, LoadSwitched] = {}
        self._findings: dict[str, FindingRaised | FindingCleared] = {}

    def take(self, line: Line, event: AuditEvent) -> bool:
        """True if ``event`` tells of the site, and not of the log."""
        match event:
            case ProcessStarted():
                self._started = event
            case ProcessEnded():
                # Of the controller before the one that is told of, if anything was found.
                self._ended = event if self._time is None else None
            case StateChanged():
                self._state = self._state or event
            case LatchesChanged():
                self._latches = self._latches or event
            case PlanAccepted() | PlanNotAccepted():
                self._plan = self._plan or event
            case CommandAnswered() | MessageRefused():
                self._asked = self._asked or event
            case _:
                if not self._take_named(event):
                    return False
        self._time = self._time or line.time
        return True

    def _take_named(self, event: AuditEvent) -> bool:
        """True if ``event`` tells of one process, unit, load or finding of several."""
        match event:
            case ChildStarted() | ChildEnded():
                self._children.setdefault(event.process, event)
            case SetpointChanged():
                self._setpoints.setdefault(event.unit, event)
            case LoadSwitched():
                self._loads.setdefault(event.load, event)
            case FindingRaised() | FindingCleared():
                self._findings.setdefault(event.key, event)
            case _:
                return False
        return True

    def situation(self) -> Situation | None:
        if self._time is None:
            return None
        if self._ended is not None:
            return Situation(time=self._time, recorded=True, ended=self._ended.reason)
        latest = next(iter(self._setpoints.values()), None)
        latches = self._latches or self._started
        refused = self._plan if isinstance(self._plan, PlanNotAccepted) else None
        return Situation(
            time=self._time,
            recorded=True,
            authority="" if self._started is None else self._started.authority,
            state=self._machine(),
            reasons=() if self._state is None else self._state.reasons,
            request=None if latest is None else _request(latest),
            units=tuple(_unit(event) for _, event in sorted(self._setpoints.items())),
            loads=tuple(load_recorded(event) for _, event in sorted(self._loads.items())),
            causes=tuple(
                Cause(owner=f.owner, row=f.row, level=f.level, reaction=f.reaction, text=f.text)
                for f in self._findings.values()
                if isinstance(f, FindingRaised)
            ),
            emergency_stop=latches is not None and latches.emergency_stop,
            faults=() if latches is None else latches.faults,
            plan_refused="" if refused is None else refused.reason,
            refused=self._asked if isinstance(self._asked, MessageRefused) else None,
            children=tuple(self._children.values()),
        )

    def _machine(self) -> State | None:
        if self._state is not None:
            try:
                return State(self._state.target)
            except ValueError:
                return None
        return None if self._started is None else State.BOOT


def _request(event: SetpointChanged) -> Request:
    return Request(
        power_w=event.request_w, source=event.source, reason=event.reason, slot=event.slot
    )


def _unit(event: SetpointChanged) -> UnitSituation:
    return UnitSituation(
        name=event.unit,
        min_w=event.min_w,
        min_by=event.min_by,
        max_w=event.max_w,
        max_by=event.max_by,
        permitted_w=event.permitted_w,
        ramped_w=event.ramped_w,
        written_w=event.written_w,
        read_back_w=event.read_back_w,
        measured_w=event.measured_w,
        soc_pct=event.soc_pct,
        pack_voltage_v=event.pack_voltage_v,
        charge_limit_a=event.charge_limit_a,
        discharge_limit_a=event.discharge_limit_a,
    )
