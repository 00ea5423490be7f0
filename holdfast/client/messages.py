"""Messages go through the control socket: one JSON object a line, one answer a line.

Whoever may open the socket (mode 0600, in a folder of mode 0700) may ask. Commands that let
power flow are refused when they are old or come again; stopping is never refused. A client
needs json alone: an emergency stop waits for no library.
"""

import json
import os
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from holdfast.core.commands import Command
from holdfast.core.plan import Plan
from holdfast.core.state_machine import State
from holdfast.core.texts import MAX_ID, MAX_NAME, MAX_REASON, shown, wrong_with

_STRICT = {"extra": "forbid", "allow_inf_nan": True}
"""Whoever decodes takes an unknown key for an error; numbers the plan gate judges."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandMessage:
    """A person asks for something."""

    command: Command
    issued_ns: int = 0
    """Tells the monotonic time at the sender, on this same machine. Who only wants to stop may
    leave it out, and whatever else is in the message is passed over: stopping is never refused."""
    nonce: str = ""
    """It is random: the same one is accepted once."""
    remote: bool = False
    """Says whether who asks is elsewhere: then it is no reset of an emergency stop."""
    kind: Literal["command"] = "command"

    def __post_init__(self) -> None:
        _check_texts(MAX_ID, nonce=self.nonce)


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

    process: str
    pid: int
    utc: datetime
    """Tells when, with a time zone."""
    starts: int
    """Counts how often it was started, this time included."""
    code: int | None = None
    """Tells the exit code, negative for a signal; None: it has begun."""
    asked: bool = False
    """It was told to end."""
    note: str = ""
    """Tells what becomes of it."""
    kind: Literal["process"] = "process"

    def __post_init__(self) -> None:
        _check_texts(MAX_ID, process=self.process)
        _check_texts(MAX_REASON, note=self.note)
        if self.utc.tzinfo is None:
            raise ValueError("utc: lacks its zone")


class Act(StrEnum):
    """Names what people do at a site beside asking the controller."""

    LOGIN = "login"
    LOGOUT = "logout"
    SETUP = "setup"
    """The first admin is made, with the code on the console."""
    ACCOUNT = "account"
    """An account, its role or its password."""
    TOKEN = "token"
    SECOND_FACTOR = "second_factor"
    COMMAND = "command"
    """One that was refused before the controller was asked, or whose sender he cannot know."""
    OVERRIDE = "override"
    """A mode or power of an operator's own in the place of the plan."""
    CONFIG = "config"
    PRICES = "prices"
    COMMISSIONING = "commissioning"
    """An item of the checklist was signed, or the site was released for more authority."""
    ACCESS = "access"
    """Somebody asked for what he may not do."""
    BACKUP = "backup"
    RESTORE = "restore"
    UPDATE = "update"
    """Another version of Holdfast was put in place, or an earlier one back."""
    NOTIFICATIONS = "notifications"
    """A browser is told of notices from now on, or no more, or was told a test."""
    FACTORY_RESET = "factory_reset"
    PERSONAL_DATA = "personal_data"
    """What is about persons was taken along or deleted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorMessage:
    """Whoever serves people tells what one of them did, or tried to."""

    __pydantic_config__ = _STRICT

    who: str
    """Names the account; nobody's where there was no login."""
    how: str
    """Tells by what he was known, and from where he came."""
    what: Act
    detail: str = ""
    accepted: bool = True
    """False: he was refused, and ``detail`` tells why."""
    kind: Literal["operator"] = "operator"

    def __post_init__(self) -> None:
        _check_texts(MAX_NAME, who=self.who, how=self.how)
        _check_texts(MAX_REASON, detail=self.detail)


Message = CommandMessage | OperatorMessage | PlanMessage | ProcessMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Tells what became of a message."""

    accepted: bool
    reason: str
    """Tells why not, or what was done."""
    state: State


def fresh(command: Command, *, remote: bool = False) -> CommandMessage:
    """Returns ``command``, asked for now; ``remote`` by somebody elsewhere."""
    return CommandMessage(
        command=command,
        issued_ns=time.monotonic_ns(),
        nonce=os.urandom(16).hex(),
        remote=remote,
    )


def encode(message: Message | Reply) -> bytes:
    """Returns one line."""
    return json.dumps(asdict(message), default=datetime.isoformat).encode() + b"\n"


def decode_reply(line: bytes) -> Reply:
    """Reads an answer. Raises ValueError if it is none."""
    with suppress(RecursionError):
        match json.loads(line):
            case {"accepted": bool(accepted), "reason": str(reason), "state": str(state)}:
                return Reply(accepted=accepted, reason=reason, state=State(state))
    raise ValueError(f"not an answer: {shown(repr(line), MAX_REASON)}")


def _check_texts(most: int, **texts: str) -> None:
    for name, text in texts.items():
        wrong = wrong_with(text, most)
        if wrong is not None:
            raise ValueError(f"{name}: {wrong}")
