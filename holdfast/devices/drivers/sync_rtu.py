"""An RTU line for threads that may wait: they take turns on it, as devices do on a bus."""

import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from pymodbus.pdu import ModbusPDU

from holdfast.core.config.device import ModbusRtu, ModbusRtuTcp, RtuLine
from holdfast.core.errors import DeviceUnreachable
from holdfast.devices.drivers.causes import cause_in_words
from holdfast.devices.drivers.line_place import LineLock, line_name
from holdfast.devices.drivers.link import PLAIN
from holdfast.devices.drivers.modbus_pdu import describe
from holdfast.devices.drivers.rtu_frame import (
    LONGEST,
    LULL_S,
    answer_in,
    frame_of,
    is_beginning,
    silence_of,
    stray,
)
from holdfast.devices.drivers.serial_port import SerialPort
from holdfast.devices.drivers.sockets import forget_unsent
from holdfast.devices.drivers.station import Station


class _Port(Protocol):
    """Hands over bytes; :class:`SerialPort` is one."""

    fd: int

    def read(self) -> bytes: ...
    def write(self, frame: bytes) -> None: ...
    def close(self) -> None: ...


class _GatewayPort:
    """Reaches a gateway that hands bytes on as they are."""

    def __init__(self, connection: ModbusRtuTcp) -> None:
        address = (connection.host, connection.port)
        try:
            self._socket = socket.create_connection(address, timeout=connection.timeout_s)
        except (OSError, ValueError) as error:
            raise DeviceUnreachable(cause_in_words(error)) from error
        self.fd = self._socket.fileno()

    def read(self) -> bytes:
        try:
            heard = self._socket.recv(4096)
        except OSError as error:
            raise DeviceUnreachable(cause_in_words(error)) from error
        if not heard:
            raise DeviceUnreachable("the gateway closed the connection")
        return heard

    def write(self, frame: bytes) -> None:
        try:
            self._socket.sendall(frame)
        except OSError as error:
            raise DeviceUnreachable(cause_in_words(error)) from error

    def close(self) -> None:
        forget_unsent(self._socket)
        self._socket.close()


class SharedLine:
    """Is open while one of its wires is connected."""

    def __init__(self, connection: RtuLine) -> None:
        self._connection = connection
        self._silence_s = silence_of(connection)
        self._turn = threading.Lock()
        self._lock: LineLock | None = None
        self._port: _Port | None = None
        self._users: set[RtuWire] = set()
        self._quiet_from_s = 0.0

    def join(self, user: "RtuWire") -> None:
        """Opens the line, if nobody has, for one more. Raises DeviceUnreachable."""
        with self._turn:
            if self._port is None:
                self._open()
            self._users.add(user)

    def leave(self, user: "RtuWire") -> None:
        """Closes the line after the last one."""
        with self._turn:
            self._users.discard(user)
            if not self._users:
                self._close()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Lends the line to one at a time."""
        with self._turn:
            whole = False
            try:
                yield
                whole = True
            finally:
                self._quiet_from_s = time.monotonic() + (self._silence_s if whole else LULL_S)

    def send(self, frame: bytes, within_s: float) -> bytes:
        """Sends ``frame`` once the line is silent. Returns what had come unasked."""
        unasked = b""
        end_s = time.monotonic() + within_s
        while (pause_s := self._quiet_from_s - time.monotonic()) > 0.0:
            if heard := self.hear(pause_s):
                unasked += heard[:LONGEST]
                self._quiet_from_s = time.monotonic() + LULL_S
            if time.monotonic() >= end_s:
                raise DeviceUnreachable("the line is never silent")
        unasked += self.hear(0.0)
        with self._lost_on_failure() as port:
            port.write(frame)
        return unasked

    def hear(self, within_s: float) -> bytes:
        """Returns what comes first; nothing if nothing comes in time. Raises DeviceUnreachable."""
        with self._lost_on_failure() as port:
            ready, _, _ = select.select([port.fd], [], [], max(0.0, within_s))
            return port.read() if ready else b""

    @contextmanager
    def _lost_on_failure(self) -> Iterator[_Port]:
        """Closes the line for all its users once its port fails."""
        port = self._port
        if port is None:
            raise DeviceUnreachable("the line was lost")
        try:
            yield port
        except DeviceUnreachable:
            self._close()
            raise

    def _open(self) -> None:
        lock = LineLock(self._connection)
        try:
            if isinstance(self._connection, ModbusRtu):
                self._port = SerialPort(self._connection)
            else:
                self._port = _GatewayPort(self._connection)
        except BaseException:
            lock.release()
            raise
        self._lock = lock
        self._quiet_from_s = time.monotonic() + LULL_S

    def _close(self) -> None:
        port, self._port = self._port, None
        lock, self._lock = self._lock, None
        if port is not None:
            port.close()
        if lock is not None:
            lock.release()


class RtuWire:
    """Reaches one device on a line."""

    def __init__(self, connection: RtuLine, line: SharedLine) -> None:
        self.name = line_name(connection)
        self.connected = False
        self._line = line
        self._timeout_s = connection.timeout_s
        self._station = Station(connection.timeout_s, PLAIN, lambda _: None)

    def connect(self) -> None:
        """Connects anew. Raises DeviceUnreachable."""
        self.close()
        try:
            self._line.join(self)
        except DeviceUnreachable as error:
            raise DeviceUnreachable(f"{self.name}: cannot be connected to: {error}") from error
        self.connected = True

    def close(self) -> None:
        """Lets go of the line."""
        if self.connected:
            self.connected = False
            self._line.leave(self)

    def exchange(self, request: ModbusPDU) -> ModbusPDU:
        """Returns the answer, and no other; it may be an exception. Raises DeviceUnreachable."""
        if not self.connected:
            raise DeviceUnreachable(f"{self.name}: not connected, {describe(request)} not sent")
        try:
            with self._line.turn():
                return self._exchange(request)
        except DeviceUnreachable as error:
            self._station.failed(time.monotonic())
            self.close()
            raise DeviceUnreachable(f"{self.name}: {describe(request)}: {error}") from error

    def _exchange(self, request: ModbusPDU) -> ModbusPDU:
        self._line.send(frame_of(request), self._timeout_s)
        sent_s = time.monotonic()
        answer = self._answer(request, sent_s + self._timeout_s)
        now_s = time.monotonic()
        if self._station.in_doubt and self._line.hear(self._station.doubt_s):
            raise DeviceUnreachable("answered twice: one was too late")
        self._station.answered(now_s - sent_s, now_s)
        return answer

    def _answer(self, request: ModbusPDU, end_s: float) -> ModbusPDU:
        heard, strays = b"", ""
        while (left_s := end_s - time.monotonic()) > 0.0:
            lost = bool(heard) and not is_beginning(request, heard)
            came = self._line.hear(min(left_s, LULL_S) if lost else left_s)
            heard = (heard + came)[: LONGEST + 1]
            if (answer := answer_in(request, heard)) is not None:
                return answer
            if lost and not came:
                found = stray(request, heard)
                if not found.is_frame:
                    raise DeviceUnreachable(found.reason)
                heard, strays = b"", f", and answered with {found.reason}"
        raise DeviceUnreachable(f"no answer: waited {self._timeout_s:g} s{strays}")
