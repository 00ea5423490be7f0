"""A line has a place, by whatever name it is called, and one process of ours on it at a time.

A serial port can be opened twice, and a gateway may serve two: each would then take the answers of
the other for its own.
"""

import hashlib
import socket
from pathlib import Path

from holdfast.core.config.device import ModbusRtu, RtuLine
from holdfast.core.errors import DeviceUnreachable


def place_of(connection: RtuLine) -> str:
    """Returns where the line is; equal for two devices that are on the same one."""
    if isinstance(connection, ModbusRtu):
        return str(Path(connection.port).resolve())
    return f"{connection.host.lower().rstrip('.')}:{connection.port}"


def line_name(connection: RtuLine) -> str:
    """Returns the line's name as site.yaml has it."""
    if isinstance(connection, ModbusRtu):
        return connection.port
    return f"{connection.host}:{connection.port}"


class LineLock:
    """Keeps other processes of ours off a line. It ends with the process that holds it."""

    def __init__(self, connection: RtuLine) -> None:
        """Takes it. Raises DeviceUnreachable if another has it."""
        key = hashlib.sha256(place_of(connection).encode()).hexdigest()[:32]
        self._holder = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._holder.bind(f"\0holdfast/line/{key}")
        except OSError as error:
            self._holder.close()
            raise DeviceUnreachable("another process of Holdfast is on this line") from error

    def release(self) -> None:
        """Lets others on the line."""
        self._holder.close()
