"""A stick with OpenInverterGateway takes Modbus requests as commands in JSON, and answers so.

It reads one register, or two as one number, and writes one. The time slots of a Growatt, which the
inverter takes only whole, have commands of their own.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersResponse,
    ReadInputRegistersResponse,
    WriteMultipleRegistersResponse,
    WriteSingleRegisterResponse,
)

from holdfast.core.config.device import ModbusMqtt
from holdfast.core.errors import DeviceRefused
from holdfast.core.texts import MAX_REASON, shown
from holdfast.devices.drivers.modbus_pdu import describe
from holdfast.devices.json_path import Document, Unreadable, parse_document, parse_path, value_at

_READS = {3: "H", 4: "I"}
_RESPONSES: Mapping[int, type[ModbusPDU]] = {
    3: ReadHoldingRegistersResponse,
    4: ReadInputRegistersResponse,
    6: WriteSingleRegisterResponse,
    16: WriteMultipleRegistersResponse,
}
_SIZES = {1: "16b", 2: "32b"}
_WRITES = (6, 16)
_SLOTS = {
    first + 3 * slot: (f"{mode}/set/timeslot", slot + 1)
    for mode, first in (("gridfirst", 1080), ("batteryfirst", 1100))
    for slot in range(3)
}
"""The commands for the slots of an SPH, by their first register: start, end and switch."""
_FIRST_SLOT = 3038
_PRIORITIES = {(0, 0): 0, (40960, 5947): 1, (49152, 5947): 2}
"""What a MOD can be told of its first slot: off, battery first or grid first, all day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StickCommand:
    """Holds what a stick is told: the last part of a topic, and what stands in the message."""

    name: str
    content: Mapping[str, object]

    def message(self, correlation: str) -> str:
        """Returns the message whose answer carries ``correlation``."""
        return json.dumps({**self.content, "correlationId": correlation})


@dataclass(frozen=True, slots=True, kw_only=True)
class StickAnswer:
    """Holds an answer as it came."""

    correlation: str
    is_success: bool
    message: str
    value: int | None
    """None: it tells none, or none that is a number of 32 bits."""


def command_of(request: ModbusPDU) -> StickCommand:
    """Returns the command that does what ``request`` asks. Raises DeviceRefused if none does."""
    code = request.function_code
    if request.dev_id != ModbusMqtt.device_id:
        raise DeviceRefused(f"{describe(request)}: the stick asks device 1 alone")
    if code in _READS and request.count in _SIZES:
        size = _SIZES[request.count]
        return _modbus("get", request.address, size, registerType=_READS[code])
    words = tuple(request.registers)
    if code in _WRITES and len(words) == 1:
        return _modbus("set", request.address, "16b", registerType="H", value=words[0])
    if code in _WRITES and request.address in _SLOTS and len(words) == 3:
        return _slot_command(request.address, words)
    if code in _WRITES and request.address == _FIRST_SLOT and words in _PRIORITIES:
        return StickCommand(name="priority/set", content={"mode": _PRIORITIES[words]})
    raise DeviceRefused(f"{describe(request)}: the stick has no command for that")


def answer_in(payload: bytes) -> StickAnswer | None:
    """Returns the answer in ``payload``; None if it is none."""
    document = parse_document(payload)
    if isinstance(document, Unreadable):
        return None
    correlation, success = _at(document, "correlationId"), _at(document, "success")
    if not isinstance(correlation, str) or not isinstance(success, bool):
        return None
    message, value = _at(document, "message"), _at(document, "value")
    return StickAnswer(
        correlation=correlation,
        is_success=success,
        message=shown(message, MAX_REASON) if isinstance(message, str) else "",
        value=_whole(value),
    )


def response_to(request: ModbusPDU, answer: StickAnswer) -> ModbusPDU:
    """Returns what a Modbus device would have answered. Raises DeviceRefused for a failure."""
    if not answer.is_success:
        why = answer.message or "no reason"
        raise DeviceRefused(f"{describe(request)} was answered with a failure: {why}")
    kind = _RESPONSES[request.function_code]
    response = kind(dev_id=request.dev_id, address=request.address, count=request.count)
    is_read = request.function_code in _READS
    response.registers = _words(request, answer) if is_read else request.registers
    return response


def _modbus(verb: str, address: int, size: str, **content: object) -> StickCommand:
    return StickCommand(name=f"modbus/{verb}", content={"id": address, "type": size, **content})


def _slot_command(address: int, words: Sequence[int]) -> StickCommand:
    name, slot = _SLOTS[address]
    start, stop, switch = words
    content = {
        "slot": slot,
        "start": _clock(start),
        "stop": _clock(stop),
        "enabled": switch != 0,
    }
    return StickCommand(name=name, content=content)


def _clock(word: int) -> str:
    """Returns the time of day of a register: the hour is in its upper byte.

    >>> _clock(0), _clock(5947)
    ('00:00', '23:59')
    """
    return f"{word >> 8:02d}:{word & 0xFF:02d}"


def _at(document: Document, name: str) -> object:
    return value_at(parse_path(name), document)


def _whole(value: object) -> int | None:
    if isinstance(value, float) and value.is_integer() and 0.0 <= value < 1 << 32:
        return int(value)
    return None


def _words(request: ModbusPDU, answer: StickAnswer) -> list[int]:
    if answer.value is None or answer.value >= 1 << 16 * request.count:
        raise DeviceRefused(f"{describe(request)} was answered without its value")
    shifts = range(16 * (request.count - 1), -1, -16)
    return [answer.value >> shift & 0xFFFF for shift in shifts]
