"""Messages on the control socket: one JSON object a line, one answer a line.

Whoever may open the socket (mode 0600, in a folder of mode 0700) may ask. Commands that let
power flow are refused when they are old; stopping is never refused.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import to_json

from holdfast.core.commands import Command
from holdfast.core.plan import Plan
from holdfast.core.state_machine import State
from holdfast.core.units import NS_PER_S

MAX_MESSAGE_BYTES = 2 * 1024 * 1024
COMMAND_LIFETIME_NS = 2 * NS_PER_S

_STRICT = ConfigDict(extra="forbid", allow_inf_nan=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandMessage:
    """A person asks for something."""

    command: Command
    issued_ns: int = 0
    """Monotonic time at the sender, on this same machine. Who only wants to stop may leave it
    out, and whatever else is in the message is passed over: stopping is never refused."""
    kind: Literal["command"] = "command"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanMessage:
    """The planner proposes."""

    __pydantic_config__ = _STRICT

    plan: Plan
    kind: Literal["plan"] = "plan"


Message = CommandMessage | PlanMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What became of a message."""

    accepted: bool
    reason: str
    """Why not, or what was done."""
    state: State


_MESSAGES: TypeAdapter[Message] = TypeAdapter(
    Annotated[CommandMessage | PlanMessage, Field(discriminator="kind")]
)
_REPLY = TypeAdapter(Reply)


def encode(message: Message | Reply) -> bytes:
    """One line."""
    return to_json(message, inf_nan_mode="constants") + b"\n"


def decode_message(line: bytes) -> Message:
    """Read a message. Raises ValueError that names what is wrong with it."""
    try:
        return _MESSAGES.validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"{where}: {first['msg']}" if where else first["msg"]) from None


def decode_reply(line: bytes) -> Reply:
    """Read an answer. Raises ValueError if it is none."""
    return _REPLY.validate_json(line)
