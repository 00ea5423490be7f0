"""Commands and plans come in at the control socket, stops also at one of their own.

Each line has its answer. What is done for one client is bounded (:mod:`holdfast.runtime.guests`):
who sends more than that is read later, and the kernel holds what he sends meanwhile.
"""

import asyncio
import os
import socket
import time
from contextlib import suppress
from pathlib import Path

from holdfast.client.messages import (
    CommandMessage,
    Message,
    OperatorMessage,
    PlanMessage,
    ProcessMessage,
    Reply,
    encode,
)
from holdfast.core.commands import Command
from holdfast.core.errors import PlanRefused
from holdfast.runtime.admission import STOPPING, Admission, Peer, peer_of
from holdfast.runtime.audit.trail import AuditTrail
from holdfast.runtime.control_loop import ControlLoop
from holdfast.runtime.door import Door
from holdfast.runtime.guests import Guest, Guests, Purse
from holdfast.runtime.incoming import decode_message
from holdfast.runtime.plan_holder import PlanHolder

MAX_MESSAGE_BYTES = 1024 * 1024
MAX_STOP_BYTES = 4096
"""A message at the socket for stops has so many bytes at most."""
PENDING = 4
"""So many messages of a connection are acted on while the first waits for its answer."""
UNREAD_BYTES = 16 * 1024
"""Who leaves more answers than that unread is not read either."""


_RESETS = frozenset({Command.RESET, Command.SERVICE_RESET})
_ON_SITE = "after an emergency stop somebody has to look: `holdfast reset` on the site's computer"


class ControlSocket(asyncio.Protocol):
    """Serves one connection. A line is handled once complete, without a hop through a stream."""

    def __init__(
        self,
        loop: ControlLoop,
        plans: PlanHolder,
        admission: Admission,
        audit: AuditTrail | None,
        reception: "Reception | None" = None,
        guest: Guest | None = None,
    ) -> None:
        """``reception`` is told when the connection of ``guest`` has ended."""
        self._loop = loop
        self._plans = plans
        self._admission = admission
        self._audit = audit
        self._reception = reception
        self._guest = guest or Guest(Purse(1e6, 1e6))
        self._only_stops = reception is not None and reception.only_stops
        self._most_bytes = MAX_STOP_BYTES if self._only_stops else MAX_MESSAGE_BYTES
        self._peer = Peer()
        self._buffer = bytearray()
        self._searched = 0
        """Counts the bytes at the beginning of the buffer in which there is no end of a line."""
        self._transport: asyncio.Transport | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._last: asyncio.Task[None] | None = None
        self._later: asyncio.TimerHandle | None = None
        self._answers_unread = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Takes the connection; asyncio calls this."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(high=UNREAD_BYTES)
        self._peer = peer_of(transport.get_extra_info("socket"))

    def connection_lost(self, _: Exception | None) -> None:
        """Forgets the connection; asyncio calls this."""
        if self._later is not None:
            self._later.cancel()
            self._later = None
        self._buffer.clear()
        self._searched = 0
        if self._reception is not None:
            self._reception.ended(self, self._guest)

    def close(self) -> None:
        """Hangs up, once what was answered is out."""
        if self._transport is not None:
            self._transport.close()

    def pause_writing(self) -> None:
        """Waits for the client to read his answers; asyncio calls this."""
        self._answers_unread = True

    def resume_writing(self) -> None:
        """Goes on; asyncio calls this."""
        self._answers_unread = False
        self._go_on()

    def data_received(self, data: bytes) -> None:
        """Takes what has come in; asyncio calls this."""
        self._guest.pays_piece(len(data))
        self._buffer += data
        self._go_on()

    def _go_on(self) -> None:
        """Begins with lines that are whole, as long as there is time for this client."""
        while not self._has_to_wait() and (line := self._next_line()) is not None:
            # Nobody waits for the answer before his own to be acted on, only to be answered.
            self._guest.pays_message()
            self._last = asyncio.get_running_loop().create_task(self._answer(line, self._last))
            self._tasks.add(self._last)
            self._last.add_done_callback(self._has_answered)
        self._read_or_not()

    def _has_to_wait(self) -> bool:
        if self._later is not None or self._answers_unread or len(self._tasks) >= PENDING:
            return True  # what changes that goes on
        wait_s = self._guest.wait_s
        if wait_s > 0.0:
            self._later = asyncio.get_running_loop().call_later(wait_s, self._has_waited)
        return wait_s > 0.0

    def _has_waited(self) -> None:
        self._later = None
        self._go_on()

    def _has_answered(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._go_on()

    def _next_line(self) -> bytes | None:
        """Takes the next whole line; None if there is none, or it is too long for one."""
        end = self._buffer.find(b"\n", self._searched)
        if (len(self._buffer) if end < 0 else end) > self._most_bytes:
            self._refuse("", f"a message of more than {self._most_bytes} bytes")
            self._hang_up()
            return None
        if end < 0:
            self._searched = len(self._buffer)
            return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        self._searched = 0
        return line

    def _read_or_not(self) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if self._answers_unread or self._later is not None or len(self._tasks) >= PENDING:
            transport.pause_reading()
        else:
            transport.resume_reading()

    def _hang_up(self) -> None:
        self._buffer.clear()
        self._searched = 0
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

    def _has_to_be_on_site(self, command: Command) -> bool:
        return command in _RESETS and self._loop.state.latches.emergency_stop

    async def _handle(self, message: Message) -> tuple[bool, str]:
        if self._only_stops and not _stops(message):
            return self._refuse(_named(message), "this socket takes stops and nothing else")
        refusal = self._admission.refusal(message, self._peer, time.monotonic_ns())
        if refusal is not None:
            return self._refuse(_named(message), refusal)
        match message:
            case CommandMessage(command=command):
                if message.remote and self._has_to_be_on_site(command):
                    return self._refuse(command, _ON_SITE)
                return await self._loop.command(command)
            case PlanMessage(plan=plan):
                try:
                    self._plans.take(plan)
                except PlanRefused as error:
                    return False, str(error)
                return True, f"plan {plan.plan_id} accepted"
            case OperatorMessage() | ProcessMessage():
                if self._audit is not None:
                    self._audit.told(message)
                return True, "noted"

    def _refuse(self, what: str, reason: str) -> tuple[bool, str]:
        """Refuses what no cycle gets to see; it is on record all the same."""
        if self._audit is not None:
            self._audit.message_refused(what, reason, uid=self._peer.uid, pid=self._peer.pid)
        return False, reason


def _stops(message: Message) -> bool:
    return isinstance(message, CommandMessage) and message.command in STOPPING


def _named(message: Message) -> str:
    return message.command if isinstance(message, CommandMessage) else message.kind


class Reception:
    """Lets clients in at one socket, as many as there is room for, and serves them."""

    def __init__(
        self,
        path: Path,
        loop: ControlLoop,
        plans: PlanHolder,
        admission: Admission,
        audit: AuditTrail | None,
        *,
        only_stops: bool,
    ) -> None:
        self.only_stops = only_stops
        self._loop = loop
        self._plans = plans
        self._admission = admission
        self._audit = audit
        self._guests = Guests()
        self._tasks: set[asyncio.Task[None]] = set()
        self._open: set[ControlSocket] = set()
        self._door = Door(path, self._let_in)

    def _let_in(self, connection: socket.socket) -> None:
        try:
            peer = peer_of(connection)
        except OSError:
            connection.close()
            return
        guest = self._guests.enter(peer.pid)
        if isinstance(guest, str):
            self._turn_away(connection, guest)
            return
        task = asyncio.get_running_loop().create_task(self._serve(connection, guest))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _turn_away(self, connection: socket.socket, reason: str) -> None:
        reply = Reply(accepted=False, reason=reason, state=self._loop.shown)
        with connection, suppress(OSError):  # he may have gone
            connection.send(encode(reply))

    async def _serve(self, connection: socket.socket, guest: Guest) -> None:
        _, served = await asyncio.get_running_loop().connect_accepted_socket(
            lambda: ControlSocket(
                self._loop, self._plans, self._admission, self._audit, self, guest
            ),
            connection,
        )
        self._open.add(served)

    def ended(self, served: ControlSocket, guest: Guest) -> None:
        """Notes that a connection of ``guest`` has ended."""
        self._guests.leave(guest)
        self._open.discard(served)

    async def close(self) -> None:
        """Lets nobody in any more, and hangs up once what was answered is out."""
        self._door.close()
        await asyncio.gather(*self._tasks)
        for served in self._open:
            served.close()


class ControlServer:
    """Listens at both sockets of a site."""

    def __init__(self, *receptions: Reception) -> None:
        self._receptions = receptions

    async def close(self) -> None:
        """Lets nobody in any more, and hangs up."""
        for reception in self._receptions:
            await reception.close()
        await asyncio.sleep(0)


async def serve(
    path: Path,
    loop: ControlLoop,
    plans: PlanHolder,
    *,
    stops: Path | None = None,
    audit: AuditTrail | None = None,
    trusted: frozenset[int] | None = None,
) -> ControlServer:
    """Listens on ``path``, and for stops alone on ``stops``, for the owner only.

    Of ``trusted`` user ids, root and our own by default, is all taken; of others only a stop.
    """
    users = frozenset({0, os.geteuid()}) if trusted is None else trusted
    admission = Admission(users, time.monotonic_ns())
    return ControlServer(
        *(
            Reception(at, loop, plans, admission, audit, only_stops=at is stops)
            for at in (path, stops)
            if at is not None
        )
    )
