"""The events of the audit log: what happened, who asked, and why, in the words of that moment.

A closed union; ``kind`` comes first, so that a line can be told by its beginning.
Numbers are finite or absent and texts bounded, so that an event fits its line whatever a plan
or a device says.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter
from pydantic_core import to_json

MAX_TEXT = 300
"""Characters of a reason or a text that are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessStarted:
    """The controller began."""

    kind: Literal["process_started"] = "process_started"
    version: str
    config_sha256: str
    """Of what site.yaml says, with its defaults."""
    authority: str
    period_ms: int
    real_time: bool
    emergency_stop: bool
    """Latched before the start."""
    faults: tuple[str, ...]
    """Latched before the start."""


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
    """Changes since the last line about this row that got no line of their own."""

    @property
    def key(self) -> str:
        """``owner/row``."""
        return f"{self.owner}/{self.row}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingCleared:
    """It is as it should be again."""

    kind: Literal["finding_cleared"] = "finding_cleared"
    owner: str
    row: str
    level: str
    """The last that was recorded."""
    reaction: str
    text: str
    lasted_s: float
    flaps: int = 0

    @property
    def key(self) -> str:
        """``owner/row``."""
        return f"{self.owner}/{self.row}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandAnswered:
    """A person asked for something."""

    kind: Literal["command"] = "command"
    command: str
    accepted: bool
    reason: str
    state: str
    """After it."""
    repeats: int = 0
    """As often it was refused since the last line about it, without a line of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRefused:
    """Somebody asked for something that no cycle got to see."""

    kind: Literal["message_refused"] = "message_refused"
    what: str
    """The command, or the kind of message; empty if it was not understood."""
    reason: str
    uid: int | None
    """Whose process it was; None if the kernel did not tell."""
    pid: int | None
    repeats: int = 0
    """As often it happened since the last line about it, without a line of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildStarted:
    """The supervisor started a process."""

    kind: Literal["child_started"] = "child_started"
    process: str
    pid: int
    starts: int
    """How often, this time included."""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildEnded:
    """The supervisor saw a process end."""

    kind: Literal["child_ended"] = "child_ended"
    process: str
    pid: int
    code: int
    """Exit code; negative for a signal."""
    asked: bool
    """It was told to end."""
    note: str
    """What becomes of it."""
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
    """Plans since the last line about a plan that got no line of their own."""


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
    """False: they could not be saved by then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """A finding that narrows a setpoint."""

    owner: str
    row: str
    level: str
    reaction: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotFollowed:
    """The slot of the plan that is followed."""

    plan_id: str
    mode: str
    battery_power_w: float | None
    """What the plan expects, before the grid connection narrows it."""
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SetpointChanged:
    """A setpoint was written, with its way through the layers. + charging."""

    kind: Literal["setpoint"] = "setpoint"
    unit: str
    source: str
    reason: str
    slot: SlotFollowed | None
    request_w: float | None
    """Asked of all units together."""
    asked_w: float | None
    """This unit's share."""
    min_w: float | None
    min_by: str
    max_w: float | None
    max_by: str
    limited_by: str
    """What keeps the request from being served whole; empty if it is."""
    permitted_w: float | None
    ramped_w: float | None
    may_increase: bool
    written_w: float | None
    read_back_w: float | None
    """In the process image of this cycle: what was written before."""
    measured_w: float | None
    soc_pct: float | None
    pack_voltage_v: float | None
    charge_limit_a: float | None
    discharge_limit_a: float | None
    grid_power_w: float | None
    causes: tuple[Cause, ...]
    blocks: tuple[str, ...]
    """Rows of the interlocks that keep the setpoint at 0 W."""
    writes: int
    """Since the last line about this unit, this one included."""
    lowest_w: float | None
    """Of these writes."""
    highest_w: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadSwitched:
    """A flexible load or a heated room was switched, or its thermostat set."""

    kind: Literal["load"] = "load"
    load: str
    on: bool | None
    """What its switch was told; None if it is a thermostat."""
    setpoint_c: float | None
    source: str
    reason: str
    blocked_by: str
    """What keeps it off; empty if it may run."""
    temperature_c: float | None
    """In the room."""
    switches: int = 1
    """Since the last line about this load, this one included."""


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
    """First line of each file: where the chain comes from, and what was found there."""

    kind: Literal["log_opened"] = "log_opened"
    after_sequence: int
    after_hash: str
    torn_bytes: int = 0
    """Bytes at the end of the file before that are no whole lines: left there, not counted."""
    torn_sha256: str = ""
    removed_bytes: int = 0
    """Bytes of a file that was begun and never had a whole line: it was removed."""
    found: str = ""
    """What was wrong with the log before; empty if all was well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogDeleted:
    """The oldest file is deleted, so that the log stays within its bounds."""

    kind: Literal["log_deleted"] = "log_deleted"
    file: str
    first_sequence: int
    last_sequence: int
    last_hash: str


AuditEvent = (
    ProcessStarted
    | ProcessEnded
    | StateChanged
    | FindingRaised
    | FindingCleared
    | CommandAnswered
    | MessageRefused
    | ChildStarted
    | ChildEnded
    | PlanAccepted
    | PlanNotAccepted
    | LatchesChanged
    | SetpointChanged
    | LoadSwitched
    | EventsLost
    | LogOpened
    | LogDeleted
)

_ADAPTER: TypeAdapter[AuditEvent] = TypeAdapter(Annotated[AuditEvent, Field(discriminator="kind")])


def encode_event(event: AuditEvent) -> bytes:
    """JSON in one line."""
    return to_json(event, inf_nan_mode="null")


def decode_event(content: bytes) -> AuditEvent:
    """The reverse. Raises ValueError for anything that is no event of this version."""
    return _ADAPTER.validate_json(content)


def short(text: str) -> str:
    """``text``, or its beginning if it is too long for the log."""
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"
