"""A situation is a moment of a site as far as it is known: from the status now, or from the log."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from holdfast.core.signals import Signal
from holdfast.core.state_machine import State
from holdfast.monitoring.audit.events import (
    AuditEvent,
    Cause,
    ChildEnded,
    ChildStarted,
    CommandAnswered,
    FindingCleared,
    FindingRaised,
    LatchesChanged,
    MessageRefused,
    PlanAccepted,
    PlanNotAccepted,
    ProcessEnded,
    ProcessStarted,
    QuantityChanged,
    SlotFollowed,
    StateChanged,
)
from holdfast.monitoring.audit.log_lines import Line, event_of
from holdfast.monitoring.quantities.quantity import Quantity, QuantityName, by_owner
from holdfast.monitoring.status.comms import silent_devices, troubled_devices
from holdfast.monitoring.status.schema import BlockStatus, ModeStatus, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSituation:
    """Tells what the site asked of its batteries together."""

    power_w: float | None
    source: str
    reason: str
    slot: SlotFollowed | None
    mode: ModeStatus | None = None
    """It is not recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Holds everything that an explanation rests on."""

    time: datetime
    """Tells the time of the status, or of the last line of the log that tells of this moment."""
    recorded: bool
    """Tells whether it is from the log: power is then what was set; it is measured only later."""
    ended: str = ""
    """Tells why there was no controller; empty if there was one."""
    authority: str = ""
    state: State | None = None
    reasons: tuple[str, ...] = ()
    """Tells why it came into its state."""
    request: RequestSituation | None = None
    quantities: tuple[Quantity, ...] = ()
    readings: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Holds all good ones by owner and signal; if recorded, those that stand by a quantity."""
    causes: tuple[Cause, ...] = ()
    """Holds all findings."""
    silent: tuple[str, ...] = ()
    """Tells which devices do not answer, where they are and why; it is not recorded."""
    troubled: tuple[str, ...] = ()
    """Tells which devices answer and fail again and again, and why; it is not recorded."""
    waits_for: tuple[str, ...] = ()
    waits_for_start: bool = False
    """It was RUNNING when its controller ended; it is not recorded."""
    blocks: tuple[BlockStatus, ...] = ()
    """Holds the actions that an interlock blocks now; they are not recorded."""
    emergency_stop: bool = False
    faults: tuple[str, ...] = ()
    plan_refused: str = ""
    refused: MessageRefused | None = None
    """Holds what was asked for last, if no cycle got to see it."""
    children: tuple[ChildStarted | ChildEnded, ...] = ()
    """Tells what became last of each process that its supervisor told of."""

    @property
    def batteries(self) -> tuple[Quantity, ...]:
        """Returns the power of each storage unit."""
        return tuple(by_owner(self.quantities, QuantityName.BATTERY_POWER).values())

    def reading(self, owner: str, signal: Signal) -> float | None:
        """Returns a reading; None if it is not known."""
        return self.readings.get(owner, {}).get(signal)


def situation_now(status: Status) -> Situation:
    """Returns what the status tells."""
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
        request=RequestSituation(
            power_w=status.request_w,
            source=status.request_source,
            reason=status.request_reason,
            slot=followed,
            mode=status.mode,
        ),
        quantities=status.quantities,
        readings={
            owner: {
                signal: reading.value
                for signal, reading in readings.items()
                if reading.quality == "good" and reading.value is not None
            }
            for owner, readings in status.readings.items()
        },
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
        silent=silent_devices(status),
        troubled=troubled_devices(status),
        waits_for=status.waits_for,
        waits_for_start=status.waits_for_start,
        blocks=status.blocks,
        emergency_stop=status.emergency_stop_latched,
        faults=status.latched_faults,
        plan_refused=status.plan_refused,
    )


def situation_at(lines: Iterable[Line]) -> Situation | None:
    """Returns what ``lines`` of the log tell of the moment of the first; the newest comes first.

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
    """Holds what was found, walking backwards: the first of a kind is the one that counts."""

    def __init__(self) -> None:
        self._time: datetime | None = None
        self._started: ProcessStarted | None = None
        self._ended: ProcessEnded | None = None
        self._state: StateChanged | None = None
        self._latches: LatchesChanged | None = None
        self._plan: PlanAccepted | PlanNotAccepted | None = None
        self._asked: CommandAnswered | MessageRefused | None = None
        self._children: dict[str, ChildStarted | ChildEnded] = {}
        self._quantities: dict[tuple[str, str], QuantityChanged] = {}
        self._findings: dict[str, FindingRaised | FindingCleared] = {}

    def take(self, line: Line, event: AuditEvent) -> bool:
        """Takes ``event`` in; True if it tells of the site, and not of the log."""
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
        """Takes ``event`` in; True if it tells of one process, quantity or finding of several."""
        match event:
            case ChildStarted() | ChildEnded():
                self._children.setdefault(event.process, event)
            case QuantityChanged(quantity=quantity):
                self._quantities.setdefault((quantity.name, quantity.owner), event)
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
        told = [event for _, event in sorted(self._quantities.items())]
        latches = self._latches or self._started
        refused = self._plan if isinstance(self._plan, PlanNotAccepted) else None
        return Situation(
            time=self._time,
            recorded=True,
            authority="" if self._started is None else self._started.authority,
            state=self._machine(),
            reasons=() if self._state is None else self._state.reasons,
            request=self._request(),
            quantities=tuple(event.quantity for event in told),
            readings=_readings(told),
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

    def _request(self) -> RequestSituation | None:
        """Returns the request as the newest line about a battery tells it."""
        for event in self._quantities.values():
            quantity = event.quantity
            if quantity.name == QuantityName.BATTERY_POWER:
                return RequestSituation(
                    power_w=quantity.asked_of_site,
                    source=quantity.source,
                    reason=quantity.reason,
                    slot=event.slot,
                )
        return None

    def _machine(self) -> State | None:
        if self._state is not None:
            try:
                return State(self._state.target)
            except ValueError:
                return None
        return None if self._started is None else State.BOOT


def _readings(told: Iterable[QuantityChanged]) -> dict[str, dict[str, float]]:
    readings: dict[str, dict[str, float]] = {}
    for event in told:
        readings.setdefault(event.quantity.owner, {}).update(event.beside)
    return readings
