"""Wires to Modbus devices for who may wait: a connection, or a line that threads take turns on."""

import socket
from typing import Protocol, assert_never

from pymodbus.client import ModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ModbusPDU

from holdfast.core.config.device import Modbus, ModbusMqtt, ModbusRtu, ModbusRtuTcp, ModbusTcp
from holdfast.core.errors import DeviceRefused, DeviceUnreachable
from holdfast.devices.drivers.causes import cause_in_words
from holdfast.devices.drivers.line_place import place_of
from holdfast.devices.drivers.modbus_pdu import describe, mismatch, transaction_ids
from holdfast.devices.drivers.sockets import forget_unsent
from holdfast.devices.drivers.stick import StickWire
from holdfast.devices.drivers.sync_rtu import RtuWire, SharedLine


class SyncWire(Protocol):
    """Reaches one device. After a failed exchange it has to connect before the next."""

    name: str

    @property
    def connected(self) -> bool:
        """Says whether it can be used."""

    def connect(self) -> None:
        """Connects anew. Raises DeviceUnreachable."""

    def exchange(self, request: ModbusPDU) -> ModbusPDU:
        """Returns the checked answer, which may be an exception. Raises DeviceError."""

    def close(self) -> None:
        """Lets go of it; what was not yet delivered never will be."""


class SyncWires:
    """Hands out wires. Those of one line share it."""

    def __init__(self) -> None:
        self._lines: dict[str, SharedLine] = {}

    def wire(self, connection: Modbus) -> SyncWire:
        """Returns a wire to the device; nothing is opened yet."""
        match connection:
            case ModbusTcp():
                return _TcpWire(connection)
            case ModbusRtu() | ModbusRtuTcp():
                place = place_of(connection)
                return RtuWire(connection, self._lines.setdefault(place, SharedLine(connection)))
            case ModbusMqtt():
                return StickWire(connection)
            case _:
                assert_never(connection)


class _TcpWire:
    def __init__(self, connection: ModbusTcp) -> None:
        self.name = f"{connection.host}:{connection.port}"
        self._connection = connection
        self._client: ModbusTcpClient | None = None
        self._ids = transaction_ids()

    @property
    def connected(self) -> bool:
        return self._client is not None and self._client.connected

    def connect(self) -> None:
        self.close()
        client = ModbusTcpClient(
            self._connection.host,
            port=self._connection.port,
            timeout=self._connection.timeout_s,
            retries=0,
        )
        address = (self._connection.host, self._connection.port)
        try:
            # The library's own connect() tells nobody why it could not.
            client.socket = socket.create_connection(address, timeout=self._connection.timeout_s)
        except (OSError, ValueError) as error:
            reason = cause_in_words(error)
            raise DeviceUnreachable(f"{self.name}: cannot be connected to: {reason}") from error
        self._client = client

    def close(self) -> None:
        client, self._client = self._client, None
        if client is None:
            return
        if client.socket is not None:
            forget_unsent(client.socket)
        client.close()  # type: ignore[no-untyped-call]  # has no annotations

    def exchange(self, request: ModbusPDU) -> ModbusPDU:
        client = self._client
        if client is None or not client.connected:
            raise DeviceUnreachable(f"{self.name}: not connected, {describe(request)} not sent")
        client.transaction.next_tid = next(self._ids)
        in_step = False
        try:
            answer = client.execute(False, request)  # noqa: FBT003 - positional in the library
            if reason := mismatch(request, answer):
                raise DeviceRefused(f"{self.name}: {describe(request)} answered with {reason}")
            in_step = True
        except (ModbusException, OSError) as error:
            raise DeviceUnreachable(f"{self.name}: {describe(request)}: {error}") from error
        finally:
            if not in_step:
                self.close()
        return answer
