"""Each event of the audit log is of one of eight categories, has a source and a result.

The categories are those that IEC 62443-3-3 SR 2.8 and 62443-4-2 CR 2.8 ask for. They follow from
what stands in a line, so lines of earlier versions have them as well, and no line gets longer.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from holdfast.client.messages import Act
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


class Category(StrEnum):
    """Names the kinds of events that have to be told apart."""

    ACCESS_CONTROL = "access_control"
    """Who logged in, or was refused; accounts, tokens and factors."""
    REQUEST_ERROR = "request_error"
    """Somebody asked for what was refused."""
    OPERATING_SYSTEM = "operating_system"
    """Processes began and ended."""
    CONTROL_SYSTEM = "control_system"
    """States, findings, latches, commands, plans, and what devices were told."""
    BACKUP_RESTORE = "backup_restore"
    """A backup was made or put back, a version went on or back, the site was reset."""
    CONFIGURATION = "configuration"
    """Something that the site follows was changed."""
    RECONNAISSANCE = "reconnaissance"
    """Somebody may be trying what there is: refused again and again, or not understood at all."""
    AUDIT_LOG = "audit_log"
    """The log itself: opened, deleted to stay in its bounds, or lost."""


class Result(StrEnum):
    """Tells how it came out."""

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Classified:
    """Tells of an event what everybody asks first."""

    category: Category
    source: str
    """Names who or what brought it about: an account, a process, a device's owner."""
    result: Result


OPERATOR_ACTS: dict[str, Category] = {
    Act.LOGIN: Category.ACCESS_CONTROL,
    Act.LOGOUT: Category.ACCESS_CONTROL,
    Act.SETUP: Category.ACCESS_CONTROL,
    Act.ACCOUNT: Category.ACCESS_CONTROL,
    Act.TOKEN: Category.ACCESS_CONTROL,
    Act.SECOND_FACTOR: Category.ACCESS_CONTROL,
    Act.ACCESS: Category.ACCESS_CONTROL,
    Act.COMMAND: Category.CONTROL_SYSTEM,
    Act.OVERRIDE: Category.CONTROL_SYSTEM,
    Act.CONFIG: Category.CONFIGURATION,
    Act.PRICES: Category.CONFIGURATION,
    Act.COMMISSIONING: Category.CONFIGURATION,
    Act.NOTIFICATIONS: Category.CONFIGURATION,
    Act.BACKUP: Category.BACKUP_RESTORE,
    Act.RESTORE: Category.BACKUP_RESTORE,
    Act.UPDATE: Category.BACKUP_RESTORE,
    Act.FACTORY_RESET: Category.BACKUP_RESTORE,
    Act.PERSONAL_DATA: Category.BACKUP_RESTORE,
}
"""An act that is not in here is one of another version."""
_CONTROLLER = "controller"
_PLANNER = "planner"


def classify(event: AuditEvent) -> Classified:  # noqa: C901 - one row for each kind
    """Returns category, source and result of ``event``."""
    match event:
        case ProcessStarted():
            return _of(Category.OPERATING_SYSTEM, _CONTROLLER)
        case ProcessEnded():
            return _of(Category.OPERATING_SYSTEM, _CONTROLLER)
        case ChildStarted(process=process):
            return _of(Category.OPERATING_SYSTEM, process)
        case ChildEnded(process=process, asked=asked):
            return _of(Category.OPERATING_SYSTEM, process, Result.DONE if asked else Result.FAILED)
        case StateChanged() | LatchesChanged(on_disk=True) | IncidentRecorded():
            return _of(Category.CONTROL_SYSTEM, _CONTROLLER)
        case LatchesChanged():
            return _of(Category.CONTROL_SYSTEM, _CONTROLLER, Result.FAILED)
        case FindingRaised(owner=owner):
            return _of(Category.CONTROL_SYSTEM, owner, Result.FAILED)
        case FindingCleared(owner=owner):
            return _of(Category.CONTROL_SYSTEM, owner)
        case QuantityChanged(quantity=quantity):
            return _of(Category.CONTROL_SYSTEM, quantity.source)
        case CommandAnswered(accepted=True):
            return _of(Category.CONTROL_SYSTEM, "client")
        case CommandAnswered():
            return _of(Category.REQUEST_ERROR, "client", Result.REFUSED)
        case MessageRefused():
            return _message(event)
        case OperatorActed():
            return _operator(event)
        case PlanAccepted():
            return _of(Category.CONTROL_SYSTEM, _PLANNER)
        case PlanNotAccepted():
            return _of(Category.REQUEST_ERROR, _PLANNER, Result.REFUSED)
        case EventsLost():
            return _of(Category.AUDIT_LOG, _CONTROLLER, Result.FAILED)
        case LogOpened(found=found):
            return _of(Category.AUDIT_LOG, _CONTROLLER, Result.FAILED if found else Result.DONE)
        case LogDeleted():
            return _of(Category.AUDIT_LOG, _CONTROLLER)
        case _:
            assert_never(event)


def _of(category: Category, source: str, result: Result = Result.DONE) -> Classified:
    return Classified(category=category, source=source, result=result)


def _message(event: MessageRefused) -> Classified:
    """Who speaks no message of ours, or repeats himself, is not one of ours."""
    tries = not event.what or event.repeats > 0
    category = Category.RECONNAISSANCE if tries else Category.REQUEST_ERROR
    source = "an unknown user" if event.uid is None else f"user {event.uid}"
    return _of(category, source, Result.REFUSED)


def _operator(event: OperatorActed) -> Classified:
    source = f"{event.who} ({event.how})"
    category = OPERATOR_ACTS.get(event.what, Category.CONTROL_SYSTEM)
    if event.accepted:
        return _of(category, source)
    # What is refused once is a mistake; whoever serves people counts the tries that follow.
    again = event.repeats > 0 or " more before) " in event.detail
    tries = again and category is Category.ACCESS_CONTROL
    return _of(Category.RECONNAISSANCE if tries else category, source, Result.REFUSED)
