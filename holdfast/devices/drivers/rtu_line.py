"""An RTU line is bytes to and fro: a serial port, or a gateway that hands them on over TCP."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol, assert_never

from holdfast.core.config.device import ModbusRtu, ModbusRtuTcp, RtuLine
from holdfast.core.errors import DeviceUnreachable
from holdfast.devices.drivers.causes import cause_in_words
from holdfast.devices.drivers.line_place import LineLock
from holdfast.devices.drivers.serial_port import SerialPort
from holdfast.devices.drivers.sockets import forget_unsent, notice_half_open, unsent

OnBytes = Callable[[bytes], None]
OnLost = Callable[[str], None]
"""It is told why."""


class OpenLine(Protocol):
    """Is open until it is closed, or tells that it was lost."""

    @property
    def is_closed(self) -> bool:
        """Says whether it was closed, or lost."""

    def send(self, frame: bytes) -> None:
        """Sends ``frame``. Raises DeviceUnreachable if that is not possible."""

    def has_unsent(self) -> bool:
        """Says whether something that was sent has not left this computer, or not arrived."""

    def close(self) -> None:
        """Lets go of it; what was not yet sent never will be."""


async def open_line(connection: RtuLine, on_bytes: OnBytes, on_lost: OnLost) -> OpenLine:
    """Opens the line on which a device is. Raises DeviceUnreachable, which says why not."""
    lock = LineLock(connection)
    try:
        match connection:
            case ModbusRtu():
                return _SerialLine(await _opened(connection), lock, on_bytes, on_lost)
            case ModbusRtuTcp():
                return await _connected(connection, lock, on_bytes, on_lost)
            case _:
                assert_never(connection)
    except BaseException:
        lock.release()
        raise


# ---------------------------------------------------------------------- serial


async def _opened(connection: ModbusRtu) -> SerialPort:
    """Opens the port in a thread: an adapter that hangs would stop the control cycle."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[SerialPort] = loop.create_future()

    def hand_over(port: SerialPort | None, error: Exception | None) -> None:
        if result.done():
            if port is not None:
                port.close()
        elif port is not None:
            result.set_result(port)
        elif error is not None:
            result.set_exception(error)

    def open_port() -> None:
        port, failed = None, None
        try:
            port = SerialPort(connection)
        except Exception as error:  # noqa: BLE001 - it is raised where it is waited for
            failed = error
        with suppress(RuntimeError):  # nobody is there any more
            loop.call_soon_threadsafe(hand_over, port, failed)

    threading.Thread(target=open_port, name=f"open {connection.port}", daemon=True).start()
    try:
        return await result
    except asyncio.CancelledError:
        if result.done() and not result.cancelled() and result.exception() is None:
            result.result().close()
        raise


class _SerialLine:
    """Reads a port whenever the event loop sees that something has come."""

    def __init__(
        self, port: SerialPort, lock: LineLock, on_bytes: OnBytes, on_lost: OnLost
    ) -> None:
        self._port, self._lock = port, lock
        self._on_bytes, self._on_lost = on_bytes, on_lost
        self._loop = asyncio.get_running_loop()
        self._closed = False
        self._loop.add_reader(port.fd, self._read)

    @property
    def is_closed(self) -> bool:
        return self._closed

    def send(self, frame: bytes) -> None:
        self._port.write(frame)

    def has_unsent(self) -> bool:
        return unsent(self._port.fd) > 0

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._loop.remove_reader(self._port.fd)
            self._port.close()
            self._lock.release()

    def _read(self) -> None:
        try:
            heard = self._port.read()
        except DeviceUnreachable as error:
            self.close()  # a port that went away would keep the event loop spinning
            self._on_lost(str(error))
        else:
            self._on_bytes(heard)


# ---------------------------------------------------------------------- gateway


async def _connected(
    connection: ModbusRtuTcp, lock: LineLock, on_bytes: OnBytes, on_lost: OnLost
) -> OpenLine:
    loop = asyncio.get_running_loop()
    line = _TcpLine(lock, on_bytes, on_lost)
    try:
        async with asyncio.timeout(connection.timeout_s):
            await loop.create_connection(lambda: line, connection.host, connection.port)
    except asyncio.CancelledError:
        line.close()
        raise
    except TimeoutError as error:
        line.close()
        waited = f"no answer from this address within {connection.timeout_s:g} s"
        raise DeviceUnreachable(waited) from error
    except (OSError, ValueError) as error:
        raise DeviceUnreachable(cause_in_words(error)) from error
    return line


class _TcpLine(asyncio.Protocol):
    """Sends frames to a gateway as they are, and hands over what comes back."""

    def __init__(self, lock: LineLock, on_bytes: OnBytes, on_lost: OnLost) -> None:
        self._lock = lock
        self._on_bytes, self._on_lost = on_bytes, on_lost
        self._transport: asyncio.Transport | None = None
        self._closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        if self._closed:
            transport.abort()
            return
        notice_half_open(transport.get_extra_info("socket"))
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._on_bytes(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._closed:
            self.close()
            self._on_lost(cause_in_words(exc) if exc else "the gateway closed the connection")

    @property
    def is_closed(self) -> bool:
        return self._closed

    def send(self, frame: bytes) -> None:
        if self._transport is None:
            raise DeviceUnreachable("the connection was lost")
        self._transport.write(frame)

    def has_unsent(self) -> bool:
        if self._transport is None:
            return False
        waits_here = self._transport.get_write_buffer_size() > 0
        return waits_here or unsent(self._transport.get_extra_info("socket").fileno()) > 0

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        transport, self._transport = self._transport, None
        if transport is not None:
            with suppress(OSError):
                forget_unsent(transport.get_extra_info("socket"))
            transport.abort()
        self._lock.release()
