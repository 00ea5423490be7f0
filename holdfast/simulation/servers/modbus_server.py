"""A Modbus TCP server stands in front of simulated devices, built on pymodbus.

pymodbus parses, codes and listens. Its answering is replaced: a request is carried out in
the very callback that receives it and its own time, several requests in one segment are all
answered, and the protocol faults need the connection at hand.
"""

import asyncio
import socket
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from pymodbus.constants import ExcCodes
from pymodbus.exceptions import ModbusIOException, NotImplementedException
from pymodbus.pdu import ExceptionResponse, ModbusPDU
from pymodbus.server import ModbusTcpServer
from pymodbus.server.requesthandler import ServerRequestHandler
from pymodbus.simulator import SimData, SimDevice

from holdfast.simulation.servers.protocol_faults import FaultSet, ProtocolFault
from holdfast.simulation.servers.registers import DeviceRegisters

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER is on with 0 s: closing sends a reset."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModbusDevice:
    """A device has one id on a server."""

    registers: DeviceRegisters
    faults: FaultSet
    inner_id: int | None = None
    """Which of a box's own device ids this is; None: that of its connection."""


class ModbusEndpoint:
    """An endpoint is one host and port with the devices behind it, by device id."""

    def __init__(self, host: str, port: int, devices: Mapping[int, ModbusDevice]) -> None:
        self.host, self.port, self.devices = host, port, devices
        self._server: _Server | None = None

    @property
    def _all_absent(self) -> bool:
        return all(ProtocolFault.ABSENT in device.faults for device in self.devices.values())

    async def refresh(self) -> None:
        """Listens, or stops to while every device is absent. Raises OSError if it cannot listen."""
        if self._all_absent:
            await self.close()
        elif self._server is None:
            server = _Server(self)
            try:
                await server.serve_forever(background=True)
            except RuntimeError as error:
                raise OSError(f"cannot listen on {self.host}:{self.port}") from error
            self._server = server

    async def close(self) -> None:
        """Stops listening and closes every connection."""
        if self._server is not None:
            server, self._server = self._server, None
            await server.shutdown()  # type: ignore[no-untyped-call]


class _Server(ModbusTcpServer):
    def __init__(self, endpoint: ModbusEndpoint) -> None:
        # pymodbus wants a device of its own making; ours answer before it is asked.
        unused = SimDevice(0, simdata=[SimData(0)])
        super().__init__(unused, address=(endpoint.host, endpoint.port))
        self.endpoint = endpoint

    def callback_new_connection(self) -> "_Connection":
        return _Connection(self)


class _Connection(ServerRequestHandler):
    def __init__(self, server: _Server) -> None:
        super().__init__(server, None, None, None)  # type: ignore[no-untyped-call]
        self._devices = server.endpoint.devices

    def callback_data(self, data: bytes, addr: object = None) -> int:  # noqa: ARG002
        """Answers every whole request in ``data``; returns the number of bytes used."""
        used = 0
        while used < len(data):
            try:
                length, request = self.framer.handleFrame(data[used:], 0, 0)
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
            refusal = ExceptionResponse(request.function_code, ExcCodes.GATEWAY_NO_RESPONSE)
            self._send(refusal, request, FaultSet("nobody", "modbus"))
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
            self.loop.call_later(delay_s, self._send, response, request, faults)

    def _refuse(self, error: ModbusIOException) -> None:
        response = ExceptionResponse(error.fcode or 0, ExcCodes.ILLEGAL_FUNCTION)
        response.dev_id, response.transaction_id = error.dev_id, error.transaction_id
        self._transmit(self.framer.buildFrame(response))

    def _send(self, response: ModbusPDU, request: ModbusPDU, faults: FaultSet) -> None:
        response.transaction_id, response.dev_id = request.transaction_id, request.dev_id
        if ProtocolFault.WRONG_UNIT_ID in faults:
            response.dev_id = response.dev_id % 247 + 1
        frame = self.framer.buildFrame(response)
        if ProtocolFault.RESET in faults:
            self._transmit(frame[: len(frame) // 2])
            self._reset()
        else:
            self._transmit(frame)

    def _transmit(self, frame: bytes) -> None:
        # Not pymodbus's own send: that throws away requests which came in meanwhile.
        transport = cast("asyncio.Transport | None", self.transport)
        if transport is not None and not transport.is_closing():
            transport.write(frame)

    def _reset(self) -> None:
        transport = cast("asyncio.Transport | None", self.transport)
        if transport is not None:
            connection: socket.socket = transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            transport.abort()


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
