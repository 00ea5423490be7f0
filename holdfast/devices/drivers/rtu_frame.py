"""Modbus RTU frames have no transaction ids: only the whole shape of an answer says whose it is.

What came is judged twice: as it grows, whether it can still become the answer; and, once it cannot
and the line is silent, what it is in words.
"""

import struct
from dataclasses import dataclass

from pymodbus.exceptions import ModbusException
from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU, ModbusPDU

from holdfast.core.config.device import ModbusRtu, RtuLine
from holdfast.devices.drivers.modbus_pdu import READS_OF_BITS, READS_OF_REGISTERS, mismatch

LULL_S = 0.05
"""A line on which something went wrong has to be silent for so long: adapters deliver in pieces."""
LONGEST = 256
"""No frame has more bytes."""
_SHORTEST = 4
_EXCEPTION_LENGTH = 5
_REFUSED = 0x80
"""An exception has this bit in its function code."""
_ECHOED = 6
"""The answer to a write repeats so much of it: address and value, or address and count."""
_BITS_PER_CHARACTER = 11
_SILENT_CHARACTERS = 3.5
_SHORTEST_SILENCE_S = 0.00175
"""From 19,200 baud on the silence between frames is no shorter than this."""
_QUICK_BAUD = 19_200

_ANSWERS = DecodePDU(is_server=False)


def silence_s(baudrate: int) -> float:
    """Returns for how long a line has to be silent between two frames.

    >>> round(silence_s(9600), 5), silence_s(115_200)
    (0.00401, 0.00175)
    """
    if baudrate > _QUICK_BAUD:
        return _SHORTEST_SILENCE_S
    return _SILENT_CHARACTERS * _BITS_PER_CHARACTER / baudrate


def silence_of(connection: RtuLine) -> float:
    """Returns the silence between frames; behind a gateway that is the gateway's own business."""
    return silence_s(connection.baudrate) if isinstance(connection, ModbusRtu) else 0.0


def frame_of(request: ModbusPDU) -> bytes:
    """Returns ``request`` as it goes out on the line."""
    body = bytes([request.dev_id, request.function_code]) + request.encode()
    return body + _sum_of(body)


def answer_length(request: ModbusPDU) -> int:
    """Returns how many bytes the answer has, unless it is an exception."""
    if request.function_code in READS_OF_REGISTERS:
        return 5 + 2 * request.count
    if request.function_code in READS_OF_BITS:
        return 5 + -(-request.count // 8)
    return _ECHOED + 2


def is_beginning(request: ModbusPDU, heard: bytes) -> bool:
    """Says whether what was ``heard`` may be the beginning of the answer to ``request``."""
    if len(heard) > 1 and heard[1] & _REFUSED:
        wanted = bytes([request.dev_id, request.function_code | _REFUSED])
        return heard.startswith(wanted) and len(heard) < _EXCEPTION_LENGTH
    whole = answer_length(request)
    if request.function_code in READS_OF_REGISTERS + READS_OF_BITS:
        wanted = bytes([request.dev_id, request.function_code, whole - 5])
    else:  # the answer to a write is the beginning of the request
        wanted = frame_of(request)[:_ECHOED]
    return wanted.startswith(heard[: len(wanted)]) and len(heard) < whole


def answer_in(request: ModbusPDU, heard: bytes) -> ModbusPDU | None:
    """Returns the answer to ``request`` if ``heard`` is exactly that: nothing lacks or is too much.

    An exception is an answer.
    """
    if not _is_whole(heard):
        return None
    whole = _EXCEPTION_LENGTH if heard[1] & _REFUSED else answer_length(request)
    if len(heard) != whole or not is_beginning(request, heard[:-1]):
        return None
    answer = _decoded(heard)
    if answer is None:
        return None
    answer.transaction_id = request.transaction_id
    return answer if mismatch(request, answer) is None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stray:
    """Tells of bytes that are not the answer that was waited for."""

    reason: str
    is_frame: bool
    """It is a whole frame, of somebody else or late, and the answer may still come."""


def stray(request: ModbusPDU, heard: bytes) -> Stray:
    """Tells what is ``heard`` instead of the answer to ``request``."""
    if heard.startswith(frame_of(request)):
        return Stray(
            reason="its own echo; an adapter that echoes has to be told not to", is_frame=True
        )
    if not _is_whole(heard):
        return Stray(reason=f"{len(heard)} bytes whose check sum is wrong", is_frame=False)
    answer = _decoded(heard)
    if answer is None:
        function = heard[1] & ~_REFUSED
        reason = f"a frame of device {heard[0]}, function {function}, that is no answer"
        return Stray(reason=reason, is_frame=True)
    answer.transaction_id = request.transaction_id
    why = mismatch(request, answer) or "another value, or another length"
    return Stray(reason=why, is_frame=True)


def _is_whole(heard: bytes) -> bool:
    return _SHORTEST <= len(heard) <= LONGEST and _sum_of(heard[:-2]) == heard[-2:]


def _sum_of(body: bytes) -> bytes:
    return FramerRTU.compute_CRC(body).to_bytes(2, "big")


def _decoded(frame: bytes) -> ModbusPDU | None:
    try:
        answer = _ANSWERS.decode(frame[1:-2])
    except (ModbusException, struct.error, IndexError, ValueError):
        return None
    if answer is not None:
        answer.dev_id = frame[0]
    return answer
