"""Messages on the control socket: one JSON object a line, one answer a line.

Whoever may open the socket (mode 0600, in a folder of mode 0700) may ask. Commands that let
power flow are refused when they are old or come again; stopping is never refused.
"""

import secrets
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AwareDatetime, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import to_json

from holdfast.core.commands import Command
from holdfast.core.plan import Plan
from holdfast.core.state_machine import State
from holdfast.core.units import NS_PER_S

MAX_MESSAGE_BYTES = 2 * 1024 * 1024
COMMAND_LIFETIME_NS = 2 * NS_PER_S
STOPPING = frozenset({Command.STOP, Command.EMERGENCY_STOP})
MAX_NONCE, MAX_NOTE = 64, 300
"""Characters."""

_STRICT = ConfigDict(extra="forbid", allow_inf_nan=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandMessage:
    """A person asks for something."""

    command: Command
    issued_ns: int = 0
    """Monotonic time at the sender, on this same machine. Who only wants to stop may leave it
    out, and whatever else is in the message is passed over: stopping is never refused."""
    nonce: Annotated[str, Field(max_length=MAX_NONCE)] = ""
    """Random: the same one is accepted once."""
    kind: Literal["command"] = "command"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanMessage:
    """The planner proposes."""

    __pydantic_config__ = _STRICT

    plan: Plan
    kind: Literal["plan"] = "plan"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessMessage:
    """The supervisor tells of a process that it has started, or seen end."""

    __pydantic_config__ = _STRICT

    process: Annotated[str, Field(max_length=MAX_NONCE)]
    pid: int
    utc: AwareDatetime
    starts: int
    """How often it was started, this time included."""
    code: int | None = None
    """None: it has begun. Else the exit code; negative for a signal."""
    asked: bool = False
    """It was told to end."""
    note: Annotated[str, Field(max_length=MAX_NOTE)] = ""
    """What becomes of it."""
    kind: Literal["process"] = "process"


Message = CommandMessage | PlanMessage | ProcessMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stop:
    """What is left of a message in which nothing but the wish to stop can be understood."""

    command: Literal[Command.STOP, Command.EMERGENCY_STOP]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What became of a message."""

    accepted: bool
    reason: str
    """Why not, or what was done."""
    state: State


_MESSAGES: TypeAdapter[Message] = TypeAdapter(
    Annotated[CommandMessage | PlanMessage | ProcessMessage, Field(discriminator="kind")]
)
_STOP = TypeAdapter(_Stop)
_REPLY = TypeAdapter(Reply)


def fresh(command: Command) -> CommandMessage:
    """``command``, asked for now."""
    return CommandMessage(
        command=command, issued_ns=time.monotonic_ns(), nonce=secrets.token_hex(16)
    )


def encode(message: Message | Reply) -> bytes:
    """One line."""
    return to_json(message, inf_nan_mode="constants") + b"\n"


def decode_message(line: bytes) -> Message:
    """Read a message. Raises ValueError that names what is wrong with it.

    Of an object whose ``command`` is to stop nothing else has to be right.
    """
    try:
        return _MESSAGES.validate_json(line)
    except ValidationError as error:
        with suppress(ValidationError):
            return CommandMessage(command=_STOP.validate_json(line).command)
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"{where}: {first['msg']}" if where else first["msg"]) from None


def decode_reply(line: bytes) -> Reply:
    """Read an answer. Raises ValueError if it is none."""
    return _REPLY.validate_json(line)
