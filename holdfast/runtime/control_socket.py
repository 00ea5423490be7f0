"""The control socket: commands and plans come in here, each with its answer."""

import asyncio
import logging
import socket
import time
from pathlib import Path

from holdfast.core.commands import Command
from holdfast.core.errors import NotRunning, PlanRefused
from holdfast.runtime.control_loop import ControlLoop
from holdfast.runtime.messages import (
    COMMAND_LIFETIME_NS,
    MAX_MESSAGE_BYTES,
    CommandMessage,
    Message,
    PlanMessage,
    Reply,
    decode_message,
    decode_reply,
    encode,
)

_log = logging.getLogger(__name__)

_ALWAYS_TAKEN = frozenset({Command.STOP, Command.EMERGENCY_STOP})


class ControlSocket(asyncio.Protocol):
    """One connection. A line is handled when it is complete, without a hop through a stream."""

    def __init__(self, loop: ControlLoop) -> None:
        self._loop = loop
        self._buffer = b""
        self._transport: asyncio.Transport | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._last: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            # Nobody waits for the answer before his own to be acted on, only to be answered.
            self._last = asyncio.get_running_loop().create_task(self._answer(line, self._last))
            self._tasks.add(self._last)
            self._last.add_done_callback(self._tasks.discard)
        if len(self._buffer) > MAX_MESSAGE_BYTES:
            _log.warning("a message of more than %d bytes was dropped", MAX_MESSAGE_BYTES)
            if self._transport is not None:
                self._transport.abort()

    async def _answer(self, line: bytes, before: asyncio.Task[None] | None) -> None:
        try:
            accepted, reason = await self._handle(decode_message(line))
        except ValueError as error:
            accepted, reason = False, f"not understood: {error}"
        if before is not None and not before.done():
            await asyncio.wait({before})
        if self._transport is not None and not self._transport.is_closing():
            reply = Reply(accepted=accepted, reason=reason, state=self._loop.shown)
            self._transport.write(encode(reply))

    async def _handle(self, message: Message) -> tuple[bool, str]:
        match message:
            case CommandMessage(command=command, issued_ns=issued_ns):
                age_ns = time.monotonic_ns() - issued_ns
                if command not in _ALWAYS_TAKEN and not 0 <= age_ns <= COMMAND_LIFETIME_NS:
                    return False, f"{command} is too old or from another machine"
                return await self._loop.command(command)
            case PlanMessage(plan=plan):
                try:
                    self._loop.take_plan(plan)
                except PlanRefused as error:
                    return False, str(error)
                return True, f"plan {plan.plan_id} accepted"


async def serve(path: Path, loop: ControlLoop) -> asyncio.Server:
    """Listen on ``path``, for the owner only."""
    path.unlink(missing_ok=True)  # noqa: ASYNC240 - nothing runs yet
    server = await asyncio.get_running_loop().create_unix_server(lambda: ControlSocket(loop), path)
    path.chmod(0o600)  # noqa: ASYNC240 - nothing runs yet
    return server


class ControlClient:
    """Sends messages and waits for the answers. For command line, planner and tests.

    Raises NotRunning if no controller answers.
    """

    def __init__(self, path: Path, timeout_s: float = 3.0) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout_s)
        try:
            self._socket.connect(str(path))
        except OSError as error:
            self._socket.close()
            raise NotRunning(f"no controller answers at {path}: {error}") from error
        self._file = self._socket.makefile("rb")

    def command(self, command: Command) -> Reply:
        """Ask for ``command``."""
        return self.send(CommandMessage(command=command, issued_ns=time.monotonic_ns()))

    def send(self, message: Message) -> Reply:
        """Send ``message`` and wait for the answer."""
        try:
            self._socket.sendall(encode(message))
            line = self._file.readline()
        except OSError as error:
            raise NotRunning(f"the controller at {self._path} does not answer: {error}") from error
        if not line:
            raise NotRunning(f"the controller at {self._path} closed the connection")
        return decode_reply(line)

    def close(self) -> None:
        """Hang up."""
        self._file.close()
        self._socket.close()

    def __enter__(self) -> "ControlClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
