"""This module tells an event of the audit log in one line, for people."""

from typing import assert_never

from holdfast.core.signals import BARE_UNITS
from holdfast.monitoring.audit.events import (
    AuditEvent,
    ChildEnded,
    ChildStarted,
    CommandAnswered,
    EventsLost,
    FindingCleared,
    FindingRaised,
    IncidentRecorded,
    LatchesChanged,
    LogDeleted,
    LogOpened,
    MessageRefused,
    OperatorActed,
    PlanAccepted,
    PlanNotAccepted,
    ProcessEnded,
    ProcessStarted,
    QuantityChanged,
    StateChanged,
)
from holdfast.monitoring.quantities.quantity import Quantity, amount, words


def describe(event: AuditEvent) -> str:  # noqa: C901 - one row for each kind
    """Returns one line about ``event``."""
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
        case OperatorActed():
            answer = "" if event.accepted else " refused"
            detail = f": {event.detail}" if event.detail else ""
            what = f"{event.what.replace('_', ' ')} by {event.who} ({event.how}){answer}{detail}"
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
        case QuantityChanged():
            return _quantity(event)
        case LatchesChanged():
            where = "" if event.on_disk else "; NOT ON DISK"
            return f"latched: {', '.join(_latched(event)) or 'nothing'}{where}"
        case IncidentRecorded():
            return f"{event.cycles} cycles are in incidents/{event.file}: {event.why}"
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
            why = "as somebody asked" if event.asked else "to stay within bounds"
            return f"log file {event.file} deleted {why}: {lines}"
        case _:
            assert_never(event)


def _quantity(event: QuantityChanged) -> str:
    """Tells what it was set to, who asked for what, and the layers that changed it."""
    quantity = event.quantity

    def told(word: str, value: float | None) -> str:
        return "" if value is None else f"{word} {amount(value, quantity.unit)}"

    asked = quantity.asked if quantity.asked_of_site is None else quantity.asked_of_site
    layers = (
        told(f"{words(quantity.name)} {quantity.owner}", quantity.written)
        + f": {quantity.source} {told('asks', asked) or 'asks'} ({quantity.reason})",
        _may(quantity),
        f"limited by {quantity.limited_by}" if quantity.limited_by else "",
        told("permitted", quantity.permitted) if quantity.permitted != quantity.asked else "",
        told("ramped", quantity.ramped) if quantity.ramped != quantity.permitted else "",
        told("before it measured", quantity.measured),
    )
    causes = ", ".join(cause.row for cause in event.causes)
    what = ", ".join(filter(None, layers)) + (f" [{causes}]" if causes else "")
    return what + _counted(event.left_out, "more before")


def _may(quantity: Quantity) -> str:
    low, high, unit = quantity.low, quantity.high, quantity.unit
    if unit in BARE_UNITS or (low is None and high is None):
        return ""
    return f"may {amount(low, unit)} … {amount(high, unit)}"


def _latched(event: ProcessStarted | LatchesChanged) -> tuple[str, ...]:
    return (*(["emergency stop"] if event.emergency_stop else []), *event.faults)


def _counted(count: int, what: str) -> str:
    return f" ({count} {what})" if count else ""


def _listed(word: str, texts: tuple[str, ...]) -> str:
    return f"{word} {'; '.join(texts)}" if texts else ""
