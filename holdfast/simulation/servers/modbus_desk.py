"""A desk answers the Modbus requests that come over one connection, or one serial line.

pymodbus parses and codes. Its answering is replaced: a request is carried out in the very callback
that receives it and its own time, several requests in one segment are all answered, and the
protocol faults need the connection at hand.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

from pymodbus.constants import ExcCodes
from pymodbus.exceptions import ModbusIOException, NotImplementedException
from pymodbus.framer import FramerBase
from pymodbus.pdu import ExceptionResponse, ModbusPDU

from holdfast.simulation.servers.protocol_faults import FaultSet, ProtocolFault
from holdfast.simulation.servers.registers import DeviceRegisters


@dataclass(frozen=True, slots=True, kw_only=True)
class ModbusDevice:
    """A device has one id on a server."""

    registers: DeviceRegisters
    faults: FaultSet
    inner_id: int | None = None
    """Which of a box's own device ids this is; None: that of its connection."""


Devices = Mapping[int, ModbusDevice]


def all_absent(devices: Devices) -> bool:
    """Says whether nobody is there at all."""
    return all(ProtocolFault.ABSENT in device.faults for device in devices.values())


class Wire(Protocol):
    """Carries answers back."""

    def transmit(self, frame: bytes) -> None:
        """Sends ``frame``, if there is still somebody to send it to."""

    def reset(self) -> None:
        """Breaks off."""


class ModbusDesk:
    """Answers for ``devices``, by their ids."""

    def __init__(
        self, devices: Devices, framer: FramerBase, wire: Wire, *, knows_absent: bool
    ) -> None:
        """``knows_absent``: a gateway says that a device is not there. On a line nobody does."""
        self._devices, self._framer, self._wire = devices, framer, wire
        self._knows_absent = knows_absent

    def take(self, data: bytes) -> int:
        """Answers every whole request in ``data``; returns the number of bytes used."""
        used = 0
        while used < len(data):
            try:
                length, request = self._framer.handleFrame(data[used:], 0, 0)
            except ModbusIOException as error:
                self._refuse(error)
                return len(data)
            used += length
            if request is None:
                break
            self._answer(request)
        return used

    def _answer(self, request: ModbusPDU) -> None:
        device = self._devices.get(request.dev_id)
        if device is None:
            self._tell_absent(request)
            return
        faults = device.faults
        if ProtocolFault.ABSENT in faults:
            return
        code = faults.exception
        if code is not None:
            response: ModbusPDU = ExceptionResponse(request.function_code, code)
        else:
            response = _carry_out(request, device)
        delay_s = faults.get(ProtocolFault.SLOW)
        if delay_s is None:
            self._send(response, request, faults)
        else:
            loop = asyncio.get_running_loop()
            loop.call_later(delay_s, self._send, response, request, faults)

    def _tell_absent(self, request: ModbusPDU) -> None:
        if self._knows_absent:
            refusal = ExceptionResponse(request.function_code, ExcCodes.GATEWAY_NO_RESPONSE)
            self._send(refusal, request, FaultSet("nobody", "modbus"))

    def _refuse(self, error: ModbusIOException) -> None:
        response = ExceptionResponse(error.fcode or 0, ExcCodes.ILLEGAL_FUNCTION)
        response.dev_id, response.transaction_id = error.dev_id, error.transaction_id
        self._wire.transmit(self._framer.buildFrame(response))

    def _send(self, response: ModbusPDU, request: ModbusPDU, faults: FaultSet) -> None:
        response.transaction_id, response.dev_id = request.transaction_id, request.dev_id
        if ProtocolFault.WRONG_UNIT_ID in faults:
            response.dev_id = response.dev_id % 247 + 1
        frame = self._framer.buildFrame(response)
        if ProtocolFault.RESET in faults:
            self._wire.transmit(frame[: len(frame) // 2])
            self._wire.reset()
        else:
            self._wire.transmit(frame)


class _Context:
    """Shows the registers as pymodbus's requests expect to see them; nothing here ever waits."""

    __slots__ = ("_id", "_registers")

    def __init__(self, device: ModbusDevice) -> None:
        self._registers, self._id = device.registers, device.inner_id

    async def async_getValues(  # noqa: N802 - the library's name
        self, _device_id: int, function: int, address: int, count: int = 1
    ) -> list[int] | ExcCodes:
        return self._registers.read(function, address, count, self._id)

    async def async_setValues(  # noqa: N802 - the library's name
        self, _device_id: int, function: int, address: int, values: Sequence[int]
    ) -> ExcCodes | None:
        return self._registers.write(function, address, values, self._id)


def _carry_out(request: ModbusPDU, device: ModbusDevice) -> ModbusPDU:
    """Runs ``request`` to its end now: with registers that never wait, it never suspends."""
    work = request.datastore_update(cast("Any", _Context(device)), request.dev_id)
    try:
        work.send(None)
    except StopIteration as finished:
        return cast("ModbusPDU", finished.value)
    except ValueError:
        return ExceptionResponse(request.function_code, ExcCodes.ILLEGAL_VALUE)
    except NotImplementedException:
        return ExceptionResponse(request.function_code, ExcCodes.ILLEGAL_FUNCTION)
    work.close()
    raise RuntimeError(f"{request} waited")
