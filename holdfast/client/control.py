"""This module asks the controller of a site over its control socket."""

import socket
import struct
from pathlib import Path
from typing import Self

from holdfast.client.messages import Message, Reply, decode_reply, encode, fresh
from holdfast.core.commands import Command
from holdfast.core.errors import NotRunning
from holdfast.site.files import SiteFiles


class ControlClient:
    """Sends messages and waits for the answers. Command line, planner and tests use it.

    Raises NotRunning if no controller answers.
    """

    def __init__(self, path: Path, timeout_s: float = 3.0) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # A socket with a time-out of Python's does not wait where many others wait to be let in.
        wait = struct.pack("@ll", int(timeout_s), int(timeout_s % 1 * 1e6))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, wait)
        try:
            self._socket.connect(str(path))
        except OSError as error:
            self._socket.close()
            raise NotRunning(f"no controller answers at {path}: {error}") from error
        self._socket.settimeout(timeout_s)
        self._file = self._socket.makefile("rb")

    def command(self, command: Command, *, remote: bool = False) -> Reply:
        """Asks for ``command``, ``remote`` for somebody elsewhere. Raises as :meth:`send` does."""
        return self.send(fresh(command, remote=remote))

    def say(self, message: Message) -> None:
        """Sends ``message``, and waits for nothing. Raises NotRunning."""
        try:
            self._socket.sendall(encode(message))
        except OSError as error:
            raise NotRunning(f"the controller at {self._path} does not answer: {error}") from error

    def send(self, message: Message) -> Reply:
        """Sends ``message`` and waits for the answer. Raises NotRunning, ValueError."""
        self.say(message)
        try:
            line = self._file.readline()
        except OSError as error:
            raise NotRunning(f"the controller at {self._path} does not answer: {error}") from error
        if not line:
            raise NotRunning(f"the controller at {self._path} closed the connection")
        return decode_reply(line)

    @classmethod
    def for_stops(cls, files: SiteFiles, timeout_s: float = 3.0) -> Self:
        """Connects where stops alone are taken; where all is, if there is no such place. Raises
        NotRunning."""
        try:
            return cls(files.stop_socket, timeout_s)
        except NotRunning as error:
            if not isinstance(error.__cause__, FileNotFoundError | ConnectionRefusedError):
                raise
            return cls(files.control_socket, timeout_s)

    def close(self) -> None:
        """Hangs up."""
        self._file.close()
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
