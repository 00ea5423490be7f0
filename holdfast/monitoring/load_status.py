"""Switched loads and rooms in the status: what each is asked, what it may, what it does."""

from dataclasses import dataclass

from holdfast.control.cycle import CycleRecord
from holdfast.core.signals import Signal


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadStatus:
    """One flexible load or heated room behind a switch. What is read is None unless it is good."""

    asked_on: bool
    asked_setpoint_c: float | None
    """Of a thermostat."""
    source: str
    reason: str
    may_run: bool
    blocked_by: str
    """What keeps it off; empty if it may run."""
    on: bool | None
    setpoint_c: float | None
    temperature_c: float | None


def load_status(record: CycleRecord) -> dict[str, LoadStatus]:
    """After a cycle, by name of the load or room."""
    return {name: _load_status(name, record) for name in record.load_requests}


def _load_status(name: str, record: CycleRecord) -> LoadStatus:
    request, permit, good = (
        record.load_requests[name],
        record.load_permits[name],
        record.snapshot.good,
    )
    on = good(name, Signal.LOAD_ON)
    return LoadStatus(
        asked_on=request.on,
        asked_setpoint_c=request.setpoint_c,
        source=request.source,
        reason=request.reason,
        may_run=permit.may_run,
        blocked_by=permit.blocked_by,
        on=None if on is None else on != 0.0,
        setpoint_c=good(name, Signal.ROOM_SETPOINT_READBACK_C),
        temperature_c=good(name, Signal.ROOM_TEMPERATURE_C),
    )
