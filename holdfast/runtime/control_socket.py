"""The control socket: commands and plans come in here, each with its answer."""

import asyncio
import os
import socket
import time
from pathlib import Path

from holdfast.core.commands import Command
from holdfast.core.errors import NotRunning, PlanRefused
from holdfast.runtime.admission import Admission, Peer, peer_of
from holdfast.runtime.audit_trail import AuditTrail
from holdfast.runtime.control_loop import ControlLoop
from holdfast.runtime.messages import (
    MAX_MESSAGE_BYTES,
    CommandMessage,
    Message,
    PlanMessage,
    ProcessMessage,
    Reply,
    decode_message,
    decode_reply,
    encode,
    fresh,
)


class ControlSocket(asyncio.Protocol):
    """One connection. A line is handled when it is complete, without a hop through a stream."""

    def __init__(self, loop: ControlLoop, admission: Admission, audit: AuditTrail | None) -> None:
        self._loop = loop
        self._admission = admission
        self._audit = audit
        self._peer = Peer()
        self._buffer = b""
        self._transport: asyncio.Transport | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._last: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._peer = peer_of(transport)

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            # Nobody waits for the answer before his own to be acted on, only to be answered.
            self._last = asyncio.get_running_loop().create_task(self._answer(line, self._last))
            self._tasks.add(self._last)
            self._last.add_done_callback(self._tasks.discard)
        if len(self._buffer) > MAX_MESSAGE_BYTES:
            self._refuse("", f"a message of more than {MAX_MESSAGE_BYTES} bytes")
            if self._transport is not None:
                self._transport.abort()

    async def _answer(self, line: bytes, before: asyncio.Task[None] | None) -> None:
        try:
            message = decode_message(line)
        except ValueError as error:
            accepted, reason = self._refuse("", f"not understood: {error}")
        else:
            accepted, reason = await self._handle(message)
        if before is not None and not before.done():
            await asyncio.wait({before})
        if self._transport is not None and not self._transport.is_closing():
            reply = Reply(accepted=accepted, reason=reason, state=self._loop.shown)
            self._transport.write(encode(reply))

    async def _handle(self, message: Message) -> tuple[bool, str]:
        refusal = self._admission.refusal(message, self._peer, time.monotonic_ns())
        if refusal is not None:
            return self._refuse(_named(message), refusal)
        match message:
            case CommandMessage(command=command):
                return await self._loop.command(command)
            case PlanMessage(plan=plan):
                try:
                    self._loop.take_plan(plan)
                except PlanRefused as error:
                    return False, str(error)
                return True, f"plan {plan.plan_id} accepted"
            case ProcessMessage():
                if self._audit is not None:
                    self._audit.child_told(message)
                return True, "noted"

    def _refuse(self, what: str, reason: str) -> tuple[bool, str]:
        """Refuse what no cycle gets to see; it is on record all the same."""
        if self._audit is not None:
            self._audit.message_refused(what, reason, uid=self._peer.uid, pid=self._peer.pid)
        return False, reason


def _named(message: Message) -> str:
    return message.command if isinstance(message, CommandMessage) else message.kind


async def serve(
    path: Path, loop: ControlLoop, *, audit: AuditTrail | None = None,
    trusted: frozenset[int] | None = None,
) -> asyncio.Server:  # fmt: skip
    """Listen on ``path``, for the owner only.

    Of ``trusted`` user ids, root and our own by default, is all taken; of others only a stop.
    """
    users = frozenset({0, os.geteuid()}) if trusted is None else trusted
    admission = Admission(users, time.monotonic_ns())
    path.unlink(missing_ok=True)  # noqa: ASYNC240 - nothing runs yet
    server = await asyncio.get_running_loop().create_unix_server(
        lambda: ControlSocket(loop, admission, audit), path
    )
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
        return self.send(fresh(command))

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
