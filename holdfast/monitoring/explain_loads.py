"""What a switched load does and why, in plain words."""

from dataclasses import dataclass

from holdfast.control.load_gate import IMPORT_LIMIT
from holdfast.monitoring.audit_events import LoadSwitched
from holdfast.monitoring.load_status import LoadStatus

_BLOCKED_BY = {
    "authority_observe": "the site only observes",
    "state_boot": "the self-test is not through",
    "state_stopped": "the emergency stop is latched",
    IMPORT_LIMIT: "the import limit was exceeded",
    "island": "the site is an island",
}
"""What keeps loads off; anything else is a fault that has tripped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadSituation:
    """One flexible load or heated room; None for what is not known."""

    name: str
    on: bool | None
    """As it shows; of a recorded moment, as it was told."""
    setpoint_c: float | None
    """Of a thermostat."""
    reason: str
    blocked_by: str
    temperature_c: float | None


def load_now(name: str, load: LoadStatus) -> LoadSituation:
    """What the status tells of it."""
    return LoadSituation(
        name=name,
        on=load.on,
        setpoint_c=load.setpoint_c,
        reason=load.reason,
        blocked_by=load.blocked_by,
        temperature_c=load.temperature_c,
    )


def load_recorded(event: LoadSwitched) -> LoadSituation:
    """What the audit log tells of it."""
    return LoadSituation(
        name=event.load,
        on=event.on,
        setpoint_c=event.setpoint_c,
        reason=event.reason,
        blocked_by=event.blocked_by,
        temperature_c=event.temperature_c,
    )


def load_sentence(load: LoadSituation) -> str:
    """One sentence; empty if it is not known what the load does."""
    does = [] if load.on is None else ["is on" if load.on else "is off"]
    if load.setpoint_c is not None:
        does.append(f"is to keep {load.setpoint_c:.1f} °C")
    if not does:
        return ""
    room = "" if load.temperature_c is None else f", at {load.temperature_c:.1f} °C"
    why = load.reason
    if load.blocked_by:
        why = f"it may not run, since {_BLOCKED_BY.get(load.blocked_by, load.blocked_by)}"
    return f"Load {load.name} {' and '.join(does)}{room}: {why}."
