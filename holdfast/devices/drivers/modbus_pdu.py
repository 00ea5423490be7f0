"""This module makes Modbus requests, and says what their answers are checked for."""

import random
from collections.abc import Iterator, Mapping

from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.bit_message import (
    ReadCoilsRequest,
    ReadDiscreteInputsRequest,
    WriteMultipleCoilsRequest,
    WriteSingleCoilRequest,
)
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadInputRegistersRequest,
    WriteMultipleRegistersRequest,
    WriteSingleRegisterRequest,
)

from holdfast.core.commands import Point
from holdfast.core.errors import DeviceRefused
from holdfast.devices.modbus_rows import PointWrite
from holdfast.devices.register_image import LastShown, Table, WriteRequest

_READS: dict[Table, type[ModbusPDU]] = {
    "holding": ReadHoldingRegistersRequest,
    "input": ReadInputRegistersRequest,
    "coil": ReadCoilsRequest,
    "discrete": ReadDiscreteInputsRequest,
}

READS_OF_BITS = (1, 2)
"""The answers to these function codes carry bits, in whole bytes."""
READS_OF_REGISTERS = (3, 4)
"""The answers to these carry registers, of two bytes each."""
_ONE = (5, 6)
"""These function codes write one value; the answer echoes address and value."""

_NAMES = {
    1: "read coils",
    2: "read discrete inputs",
    3: "read holding registers",
    4: "read input registers",
    5: "write coil",
    6: "write register",
    15: "write coils",
    16: "write registers",
}

_EXCEPTIONS = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "device failure",
    5: "acknowledged, still working",
    6: "device busy",
    7: "negative acknowledge",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway target gave no answer",
}


_IDS = 65_000
"""The library's transaction ids go from 1 to this."""


def transaction_ids() -> Iterator[int]:
    """Yields what the library is to count on from for each request to a device.

    A gateway may hand the late answer to a request to whoever is connected by then. So ids begin
    anywhere, and go on over connections: no two requests of half an hour have the same.
    """
    before = random.randrange(_IDS)
    while True:
        yield before
        before = (before + 1) % _IDS


def read_request(table: Table, address: int, count: int, device_id: int) -> ModbusPDU:
    """Returns a request for ``count`` registers or bits from ``address`` on."""
    return _READS[table](address=address, count=count, dev_id=device_id)


def write_request(write: WriteRequest, device_id: int) -> ModbusPDU:
    """Returns the request that ``write`` describes."""
    address = write.address
    if write.table == "coil":
        bits = [bool(word) for word in write.words]
        if write.function == "single":
            return WriteSingleCoilRequest(address=address, bits=bits, dev_id=device_id)
        return WriteMultipleCoilsRequest(address=address, bits=bits, dev_id=device_id)
    words = list(write.words)
    if write.function == "single":
        return WriteSingleRegisterRequest(address=address, registers=words, dev_id=device_id)
    return WriteMultipleRegistersRequest(address=address, registers=words, dev_id=device_id)


def describe(request: ModbusPDU) -> str:
    """Tells people what was asked: function, address, device id."""
    name = _NAMES.get(request.function_code, f"function {request.function_code}")
    last = request.address + max(request.count, len(request.bits), 1) - 1
    where = f"{request.address}" if last == request.address else f"{request.address}..{last}"
    return f"{name} at {where} of device {request.dev_id}"


def mismatch(request: ModbusPDU, answer: ModbusPDU) -> str | None:
    """Tells why ``answer`` cannot be the answer to ``request``; None if it is.

    The library takes transaction id 0 for any, ignores the function code, and hands
    over as many values as came; so each is looked at here.
    """
    if answer.transaction_id != request.transaction_id:
        return f"transaction {answer.transaction_id} instead of {request.transaction_id}"
    if answer.dev_id != request.dev_id:
        return f"device id {answer.dev_id} instead of {request.dev_id}"
    if answer.function_code & 0x7F != request.function_code:
        return f"function {answer.function_code} instead of {request.function_code}"
    if answer.isError():
        return None
    return _wrong_content(request, answer)


def _wrong_content(request: ModbusPDU, answer: ModbusPDU) -> str | None:
    code = request.function_code
    if code in READS_OF_REGISTERS:
        got, wanted = len(answer.registers), request.count
        return None if got == wanted else f"{got} registers instead of {wanted}"
    if code in READS_OF_BITS:
        got, wanted = len(answer.bits), -(-request.count // 8) * 8
        return None if got == wanted else f"{got} bits instead of {wanted}"
    if answer.address != request.address:
        return f"address {answer.address} instead of {request.address}"
    if code in _ONE:
        echo = [*answer.registers, *answer.bits]
        sent = [*request.registers, *request.bits]
        return None if echo == sent else f"echo {echo} instead of {sent}"
    if answer.count != request.count:
        return f"{answer.count} written instead of {request.count}"
    return None


def requests_of(
    name: str, points: Mapping[Point, PointWrite], point: Point, value: float, held: LastShown
) -> tuple[WriteRequest, ...]:
    """Returns what writes ``value`` to ``point`` of a device that shows what is ``held``.

    Raises DeviceRefused if its table does not have the point, or does not take the value.
    """
    row = points.get(point)
    if row is None:
        raise DeviceRefused(f"{name}: its profile has no point {point}")
    try:
        return row.requests(value, held)
    except ValueError as error:
        raise DeviceRefused(f"{name}: {point}: {error}") from error


def refusal(answer: ModbusPDU) -> str | None:
    """Returns number and meaning of an exception answer; None for any other answer."""
    if not answer.isError():
        return None
    code = answer.exception_code
    return f"exception {code} ({_EXCEPTIONS.get(code, 'not in the standard')})"


def words_of(answer: ModbusPDU, count: int) -> list[int]:
    """Returns the first ``count`` registers, or bits as 0 and 1, of a checked answer."""
    values = answer.bits if answer.function_code in READS_OF_BITS else answer.registers
    return [int(value) for value in values[:count]]
