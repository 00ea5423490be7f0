"""This module checks each message that comes in at the control socket: it is a stranger's.

What it costs is bounded: of a long list that is wrong, or of many keys that nobody knows, only the
first mistake is looked for, and told.
"""

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError
from pydantic_core import from_json

from holdfast.client.messages import (
    CommandMessage,
    Message,
    OperatorMessage,
    PlanMessage,
    ProcessMessage,
)
from holdfast.core.commands import Command
from holdfast.core.plan import PlanSlot
from holdfast.core.texts import MAX_REASON, shown

MAX_KEYS = 32
"""No section of a message has as many keys."""
MAX_OBJECTS, MAX_COMMAS = 20_000, 100_000
"""No plan has as many; they are counted before anything is made of them."""
MAX_LOADS = 200
"""No slot of a plan tells of as many loads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stop:
    """Holds what is left of a message in which only the wish to stop can be understood."""

    command: Literal[Command.STOP, Command.EMERGENCY_STOP]


_MESSAGES: TypeAdapter[Message] = TypeAdapter(
    Annotated[
        CommandMessage | OperatorMessage | PlanMessage | ProcessMessage,
        Field(discriminator="kind"),
    ]
)
_SLOT = TypeAdapter(PlanSlot)
_STOP = TypeAdapter(_Stop)
_SLOTS = "slots"


def decode_message(line: bytes) -> Message:
    """Reads a message. Raises ValueError that names what is wrong with it.

    Of an object whose ``command`` is to stop nothing else has to be right.
    """
    if line.count(b"{") > MAX_OBJECTS or line.count(b",") > MAX_COMMAS:
        raise ValueError(f"more than {MAX_OBJECTS} objects or {MAX_COMMAS} commas are no message")
    try:
        content = from_json(line)
    except ValueError as error:
        raise ValueError(shown(f"Invalid JSON: {error}", MAX_REASON)) from None
    try:
        return _checked(content)
    except ValueError:
        stop = {"command": content.get("command")} if isinstance(content, dict) else content
        with suppress(ValidationError):
            return CommandMessage(command=_STOP.validate_python(stop).command)
        raise


def _checked(content: object) -> Message:
    slots = _checked_slots(content)
    try:
        message = _MESSAGES.validate_python(content)
    except ValidationError as error:
        raise ValueError(_words(error)) from None
    if isinstance(message, PlanMessage) and slots is not None:
        return replace(message, plan=replace(message.plan, slots=slots))
    return message


def _checked_slots(content: object) -> tuple[PlanSlot, ...] | None:
    """Returns the slots of a plan, and leaves an empty list in their place; None if there are
    none. Raises ValueError at the first one that is wrong."""
    _check_keys(content, "")
    plan = content.get("plan") if isinstance(content, dict) else None
    _check_keys(plan, "plan")
    slots = plan.get(_SLOTS) if isinstance(plan, dict) else None
    if not isinstance(plan, dict) or not isinstance(slots, list):
        return None
    plan[_SLOTS] = []
    return tuple(_checked_slot(index, slot) for index, slot in enumerate(slots))


def _checked_slot(index: int, slot: Any) -> PlanSlot:
    where = f"plan.{_SLOTS}.{index}"
    _check_keys(slot, where)
    loads = slot.get("loads") if isinstance(slot, dict) else None
    for load in loads if isinstance(loads, list) else ():
        _check_keys(load, f"{where}.loads")
    if isinstance(loads, list) and len(loads) > MAX_LOADS:
        raise ValueError(f"{where}.loads: {len(loads)} are more than {MAX_LOADS}")
    try:
        return _SLOT.validate_python(slot)
    except ValidationError as error:
        raise ValueError(_words(error, where)) from None


def _check_keys(section: object, where: str) -> None:
    if isinstance(section, dict) and len(section) > MAX_KEYS:
        place = f"{where}: " if where else ""
        raise ValueError(f"{place}{len(section)} keys are more than {MAX_KEYS}")


def _words(error: ValidationError, *before: str) -> str:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    if first["type"] == "union_tag_invalid":
        return "kind: must be command, operator, plan or process"
    where = ".".join([*before, *map(str, first["loc"])])
    what = first["msg"].removeprefix("Value error, ")
    return shown(f"{where}: {what}" if where else what, MAX_REASON)
