"""A Modbus server listens on TCP in front of simulated devices, built on pymodbus.

With the frames of a serial line it stands for a gateway that hands bytes on as they are.
"""

import asyncio
import socket
import struct
from typing import cast

from pymodbus.framer import FramerType
from pymodbus.server import ModbusTcpServer
from pymodbus.server.requesthandler import ServerRequestHandler
from pymodbus.simulator import SimData, SimDevice

from holdfast.simulation.servers.modbus_desk import Devices, ModbusDesk, all_absent

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER is on with 0 s: closing sends a reset."""


class ModbusEndpoint:
    """An endpoint is one host and port with the devices behind it, by device id."""

    def __init__(
        self, host: str, port: int, devices: Devices, framer: FramerType = FramerType.SOCKET
    ) -> None:
        self.host, self.port, self.devices, self.framer = host, port, devices, framer
        self._server: _Server | None = None

    async def refresh(self) -> None:
        """Listens, or stops to while every device is absent. Raises OSError if it cannot listen."""
        if all_absent(self.devices):
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
        address = (endpoint.host, endpoint.port)
        super().__init__(unused, framer=endpoint.framer, address=address)
        self.endpoint = endpoint

    def callback_new_connection(self) -> "_Connection":
        return _Connection(self)


class _Connection(ServerRequestHandler):
    def __init__(self, server: _Server) -> None:
        super().__init__(server, None, None, None)  # type: ignore[no-untyped-call]
        endpoint = server.endpoint
        translates = endpoint.framer is FramerType.SOCKET
        self._desk = ModbusDesk(endpoint.devices, self.framer, self, knows_absent=translates)

    def callback_data(self, data: bytes, addr: object = None) -> int:  # noqa: ARG002
        """Answers every whole request in ``data``; returns the number of bytes used."""
        return self._desk.take(data)

    def transmit(self, frame: bytes) -> None:
        """Sends a frame while it is connected."""
        # Not pymodbus's own send: that throws away requests which came in meanwhile.
        transport = cast("asyncio.Transport | None", self.transport)
        if transport is not None and not transport.is_closing():
            transport.write(frame)

    def reset(self) -> None:
        """Breaks the connection off."""
        transport = cast("asyncio.Transport | None", self.transport)
        if transport is not None:
            connection: socket.socket = transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            transport.abort()
