"""A serial port is opened as a device on it wants, for this process alone."""

import errno
import os
import termios
from contextlib import suppress

import serial

from holdfast.core.config.device import ModbusRtu
from holdfast.core.errors import DeviceUnreachable
from holdfast.devices.drivers.causes import cause_in_words

_PARITIES = {
    "none": serial.PARITY_NONE,
    "even": serial.PARITY_EVEN,
    "odd": serial.PARITY_ODD,
}
_AT_ONCE = 4096


class SerialPort:
    """Hands over bytes as they come, and never waits."""

    def __init__(self, connection: ModbusRtu) -> None:
        """Opens the port, which may take its time. Raises DeviceUnreachable, which says why not."""
        try:
            self._port = serial.Serial(
                connection.port,
                connection.baudrate,
                parity=_PARITIES[connection.parity],
                stopbits=connection.stop_bits,
                timeout=0,
                exclusive=True,
            )
        except termios.error as error:  # which is no OSError, though it has its number
            raise DeviceUnreachable(_cause_of(error)) from error
        except (OSError, ValueError) as error:
            if isinstance(error.__context__, termios.error):
                raise DeviceUnreachable(_cause_of(error.__context__)) from error
            raise DeviceUnreachable(cause_in_words(error)) from error
        self.fd: int = self._port.fd

    def read(self) -> bytes:
        """Returns what has come. Raises DeviceUnreachable once the adapter is gone."""
        try:
            heard = os.read(self.fd, _AT_ONCE)
        except (BlockingIOError, InterruptedError):
            return b""
        except OSError as error:
            raise DeviceUnreachable(_gone(error)) from error
        if not heard:  # it is only asked once there is something to read
            raise DeviceUnreachable("the adapter was unplugged")
        return heard

    def write(self, frame: bytes) -> None:
        """Sends ``frame``. Raises DeviceUnreachable if the adapter does not take it whole."""
        try:
            sent = os.write(self.fd, frame)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            raise DeviceUnreachable(_gone(error)) from error
        if sent < len(frame):
            raise DeviceUnreachable("the adapter takes no more bytes")

    def close(self) -> None:
        """Lets go of the port; what was not yet sent never will be."""
        with suppress(OSError, termios.error):
            termios.tcflush(self.fd, termios.TCIOFLUSH)
        with suppress(OSError, termios.error):
            self._port.close()


def _gone(error: OSError) -> str:
    if error.errno in {errno.EIO, errno.ENODEV, errno.ENXIO, errno.EBADF}:
        return "the adapter was unplugged"
    return cause_in_words(error)


def _cause_of(error: termios.error) -> str:
    number = error.args[0] if error.args else None
    if number == errno.ENOTTY:
        return "this is no serial port"
    if number == errno.EINVAL:
        return "the adapter does not take this baudrate, parity or number of stop bits"
    if isinstance(number, int):
        return cause_in_words(OSError(number, os.strerror(number)))
    return f"the adapter cannot be set up: {error}"
