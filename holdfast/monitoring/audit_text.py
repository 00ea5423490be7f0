"""An event of the audit log in one line, for people."""

from typing import assert_never

from holdfast.monitoring.audit_events import (
    AuditEvent,
    ChildEnded,
    ChildStarted,
    CommandAnswered,
    EventsLost,
    FindingCleared,
    FindingRaised,
    LatchesChanged,
    LoadSwitched,
    LogDeleted,
    LogOpened,
    MessageRefused,
    PlanAccepted,
    PlanNotAccepted,
    ProcessEnded,
    ProcessStarted,
    SetpointChanged,
    StateChanged,
)


def describe(event: AuditEvent) -> str:  # noqa: C901 - one row for each kind
    """One line."""
    match event:
        case ProcessStarted():
            return (
                f"controller {event.version} started, authority {event.authority}, every "
                f"{event.period_ms} ms, site.yaml {event.config_sha256[:12]}"
                f"{_listed('; latched', _latched(event))}"
            )
        case ProcessEnded():
            return f"controller ended: {event.reason}"
        case StateChanged():
            way = f"{event.source.upper()} -> {event.target.upper()}"
            return f"{way} by {event.event}{_listed(': because', event.reasons)}"
        case FindingRaised():
            what = f"{event.level} {event.key}: {event.text} ({event.reaction})"
            return what + _counted(event.flaps, "changes before")
        case FindingCleared():
            what = f"cleared {event.key} after {event.lasted_s:.1f} s: {event.text}"
            return what + _counted(event.flaps, "changes before")
        case CommandAnswered():
            answer = "accepted" if event.accepted else "refused"
            reason = f": {event.reason}" if event.reason else ""
            what = f"command {event.command} {answer}{reason}; {event.state.upper()}"
            return what + _counted(event.repeats, "more before")
        case MessageRefused():
            who = "an unknown user" if event.uid is None else f"user {event.uid}"
            what = f"{event.what or 'message'} of {who} refused: {event.reason}"
            return what + _counted(event.repeats, "more before")
        case ChildStarted():
            again = f" again, start {event.starts}" if event.starts > 1 else ""
            return f"{event.process} started{again}, process {event.pid}, at {event.at:%H:%M:%S}Z"
        case ChildEnded():
            how = "as told" if event.asked else "BY ITSELF"
            note = f"; {event.note}" if event.note else ""
            return f"{event.process} ended {how} with {event.code} at {event.at:%H:%M:%S}Z{note}"
        case PlanAccepted():
            what = (
                f"plan {event.plan_id} accepted: {event.status}, {event.slots} slots, "
                f"expires {event.expires:%H:%M:%S}Z"
            )
            return what + _counted(event.repeats, "more plans before")
        case PlanNotAccepted():
            what = f"plan {event.plan_id} refused: {event.reason}"
            return what + _counted(event.repeats, "more plans before")
        case SetpointChanged():
            return _setpoint(event)
        case LoadSwitched():
            return _load(event)
        case LatchesChanged():
            where = "" if event.on_disk else "; NOT ON DISK"
            return f"latched: {', '.join(_latched(event)) or 'nothing'}{where}"
        case EventsLost():
            return (
                f"{event.count} events lost from {event.since:%H:%M:%S} to "
                f"{event.until:%H:%M:%S}Z: {event.reason}"
            )
        case LogOpened():
            torn = f"; {event.torn_bytes} torn bytes before it" if event.torn_bytes else ""
            found = f"; FOUND: {event.found}" if event.found else ""
            return f"log file opened after line {event.after_sequence}{torn}{found}"
        case LogDeleted():
            lines = f"lines {event.first_sequence} to {event.last_sequence}"
            return f"log file {event.file} deleted to stay within bounds: {lines}"
        case _:
            assert_never(event)


def _setpoint(event: SetpointChanged) -> str:
    limits = ", ".join((*(cause.row for cause in event.causes), *event.blocks))
    limited = f", limited by {event.limited_by}" if event.limited_by else ""
    return (
        f"setpoint {event.unit} {_w(event.written_w)}: {event.source} asks {_w(event.request_w)}"
        f" ({event.reason}), may {_w(event.min_w)} … {_w(event.max_w)}{limited}, "
        f"permitted {_w(event.permitted_w)}, ramped {_w(event.ramped_w)}, before it measured "
        f"{_w(event.measured_w)}{f' [{limits}]' if limits else ''}"
    )


def _load(event: LoadSwitched) -> str:
    told = "" if event.on is None else " on" if event.on else " off"
    to = "" if event.setpoint_c is None else f" to {event.setpoint_c:.1f} °C"
    blocked = f", kept off by {event.blocked_by}" if event.blocked_by else ""
    room = "" if event.temperature_c is None else f", at {event.temperature_c:.1f} °C"
    what = f"load {event.load}{told}{to}: {event.source} asks ({event.reason}){blocked}{room}"
    return what + _counted(event.switches - 1, "more before")


def _latched(event: ProcessStarted | LatchesChanged) -> tuple[str, ...]:
    return (*(["emergency stop"] if event.emergency_stop else []), *event.faults)


def _w(power_w: float | None) -> str:
    return "–" if power_w is None else f"{power_w:.0f} W"


def _counted(count: int, what: str) -> str:
    return f" ({count} {what})" if count else ""


def _listed(word: str, texts: tuple[str, ...]) -> str:
    return f"{word} {'; '.join(texts)}" if texts else ""
