"""The events of the audit log say what happened, who asked, and why, in the words of the moment.

They are a closed union; ``kind`` comes first, so that a line can be told by its beginning. Numbers
are finite or absent and texts bounded, so that an event fits its line whatever a plan or a device
says.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter
from pydantic_core import to_json

from holdfast.core.texts import MAX_REASON, shown
from holdfast.monitoring.audit.old_lines import present_event
from holdfast.monitoring.quantities.quantity import Quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessStarted:
    """The controller began."""

    kind: Literal["process_started"] = "process_started"
    version: str
    config_sha256: str
    """Gives the SHA-256 of what site.yaml says, with its defaults."""
    authority: str
    period_ms: int
    real_time: bool
    emergency_stop: bool
    """Tells whether it was latched before the start."""
    faults: tuple[str, ...]
    """Names those that were latched before the start."""
    hardware_sha256: str = ""
    """Gives the SHA-256 of the devices, their data and the grid connection; empty of old lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessEnded:
    """The controller ended by itself. Where this is missing before a start, it was killed."""

    kind: Literal["process_ended"] = "process_ended"
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChanged:
    """The state machine moved."""

    kind: Literal["state"] = "state"
    source: str
    target: str
    event: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingRaised:
    """Something is not as it should be, or has become better or worse without going away."""

    kind: Literal["finding_raised"] = "finding_raised"
    owner: str
    row: str
    level: str
    reaction: str
    text: str
    flaps: int = 0
    """Counts changes since the last line about this row that got no line of their own."""

    @property
    def key(self) -> str:
        """Returns ``owner/row``."""
        return f"{self.owner}/{self.row}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingCleared:
    """It is as it should be again."""

    kind: Literal["finding_cleared"] = "finding_cleared"
    owner: str
    row: str
    level: str
    """Tells the last level that was recorded."""
    reaction: str
    text: str
    lasted_s: float
    flaps: int = 0

    @property
    def key(self) -> str:
        """Returns ``owner/row``."""
        return f"{self.owner}/{self.row}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandAnswered:
    """A person asked for something."""

    kind: Literal["command"] = "command"
    command: str
    accepted: bool
    reason: str
    state: str
    """Tells the state after it."""
    repeats: int = 0
    """Counts how often it was refused since the last line about that, without a line of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRefused:
    """Somebody asked for something that no cycle got to see."""

    kind: Literal["message_refused"] = "message_refused"
    what: str
    """Names the command, or the kind of message; empty if it was not understood."""
    reason: str
    uid: int | None
    """Tells whose process it was; None if the kernel did not tell."""
    pid: int | None
    repeats: int = 0
    """Counts how often it happened since the last line about it, without a line of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorActed:
    """A person did something, or was refused it, at whoever serves people."""

    kind: Literal["operator"] = "operator"
    who: str
    """Names the account, as whoever served him told it."""
    how: str
    """Tells by what he was known, and from where he came."""
    what: str
    """Names the kind of act, such as login or config."""
    detail: str
    accepted: bool
    repeats: int = 0
    """Counts how often that kind was refused since the last line about it, without a line of its
    own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildStarted:
    """The supervisor started a process."""

    kind: Literal["child_started"] = "child_started"
    process: str
    pid: int
    starts: int
    """Counts how often it was started, this time included."""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildEnded:
    """The supervisor saw a process end."""

    kind: Literal["child_ended"] = "child_ended"
    process: str
    pid: int
    code: int
    """Tells the exit code; negative for a signal."""
    asked: bool
    """It was told to end."""
    note: str
    """Tells what becomes of it."""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanAccepted:
    """The planner proposed, and the plan gate let it pass."""

    kind: Literal["plan_accepted"] = "plan_accepted"
    plan_id: str
    status: str
    expires: datetime
    slots: int
    repeats: int = 0
    """Counts plans since the last line about a plan that got no line of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanNotAccepted:
    """The plan gate refused a plan; the one before stays until it expires."""

    kind: Literal["plan_refused"] = "plan_refused"
    plan_id: str
    reason: str
    repeats: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LatchesChanged:
    """What must hold after a restart has changed."""

    kind: Literal["latches"] = "latches"
    emergency_stop: bool
    faults: tuple[str, ...]
    on_disk: bool = True
    """Tells whether they are on the disk; False: they could not be saved by then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentRecorded:
    """The cycles around an incident are in a file: ``holdfast replay`` runs them again."""

    kind: Literal["incident_recorded"] = "incident_recorded"
    file: str
    """Names it, in the folder ``incidents`` of ``state_dir``."""
    why: str
    cycles: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """A cause is a finding that narrows a quantity."""

    owner: str
    row: str
    level: str
    reaction: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotFollowed:
    """Holds the slot of the plan that is followed."""

    plan_id: str
    mode: str
    battery_power_w: float | None
    """Tells what the plan expects, in W, before the grid connection narrows it."""
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantityChanged:
    """A device was told another value, or for another reason; with its way through the layers."""

    kind: Literal["quantity"] = "quantity"
    quantity: Quantity
    """What was read back and measured is in the process image of this cycle: from before it."""
    slot: SlotFollowed | None = None
    grid_power_w: float | None = None
    beside: dict[str, float] = field(default_factory=dict)
    """Holds readings of the owner that explain it, by signal."""
    causes: tuple[Cause, ...] = ()
    """Holds findings that limit it, or keep it from rising."""
    left_out: int = 0
    """Counts changes since the last line about this quantity that got no line of their own."""
    lowest: float | None = None
    """Tells the lowest value that was written since then, this time included."""
    highest: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsLost:
    """The log could not keep up, or could not be written: so many events are not in it."""

    kind: Literal["events_lost"] = "events_lost"
    count: int
    since: datetime
    until: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogOpened:
    """Begins each file: it tells where the chain comes from, and what was found there."""

    kind: Literal["log_opened"] = "log_opened"
    after_sequence: int
    after_hash: str
    torn_bytes: int = 0
    """Counts bytes that end the file before and are no whole lines: left there, not counted."""
    torn_sha256: str = ""
    removed_bytes: int = 0
    """Counts bytes of a file that was begun and never had a whole line: it was removed."""
    found: str = ""
    """Tells what was wrong with the log before; empty if all was well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogDeleted:
    """The oldest file is deleted."""

    kind: Literal["log_deleted"] = "log_deleted"
    file: str
    first_sequence: int
    last_sequence: int
    last_hash: str
    asked: bool = False
    """Tells whether somebody wanted that; False: the log stays within its bounds."""


AuditEvent = (
    ProcessStarted
    | ProcessEnded
    | StateChanged
    | FindingRaised
    | FindingCleared
    | CommandAnswered
    | MessageRefused
    | OperatorActed
    | ChildStarted
    | ChildEnded
    | PlanAccepted
    | PlanNotAccepted
    | LatchesChanged
    | IncidentRecorded
    | QuantityChanged
    | EventsLost
    | LogOpened
    | LogDeleted
)

_ADAPTER: TypeAdapter[AuditEvent] = TypeAdapter(Annotated[AuditEvent, Field(discriminator="kind")])


def encode_event(event: AuditEvent) -> bytes:
    """Returns the event as JSON in one line."""
    return to_json(event, inf_nan_mode="null")


def decode_event(content: bytes) -> AuditEvent:
    """Returns the event, also one of an earlier version. Raises ValueError for anything else."""
    return _ADAPTER.validate_json(present_event(content))


def short(text: str) -> str:
    """Returns ``text``, or its beginning if it is too long for the log."""
    return shown(text, MAX_REASON)
