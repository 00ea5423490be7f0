"""Admission refuses who may not ask, and what is not fresh, before any cycle sees it.

Stopping is never refused here, whoever asks and whatever else is in the message: who could open
the socket at all may stop the site.
"""

import socket
import struct
from dataclasses import dataclass

from holdfast.client.messages import (
    CommandMessage,
    Message,
    OperatorMessage,
    PlanMessage,
    ProcessMessage,
)
from holdfast.core.commands import Command
from holdfast.core.units import NS_PER_S

COMMAND_LIFETIME_NS = 2 * NS_PER_S
STOPPING = frozenset({Command.STOP, Command.EMERGENCY_STOP})
NONCES = 1000
"""So many commands are remembered; more within their lifetime are refused."""
_CREDENTIALS = struct.Struct("iII")  # struct ucred: pid, uid, gid


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A peer is the process at the other end, as the kernel knows it; None until it was asked."""

    pid: int | None = None
    uid: int | None = None


def peer_of(connection: socket.socket) -> Peer:
    """Tells who opened a connection on a Unix socket. Raises OSError."""
    found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, _ = _CREDENTIALS.unpack(found)
    return Peer(pid=pid, uid=uid)


class Admission:
    """Admits each message once, in time, and from those who may send it."""

    def __init__(self, trusted: frozenset[int], since_ns: int) -> None:
        """``trusted`` are user ids; what was issued before ``since_ns`` (monotonic) was not for
        us."""
        self._trusted = trusted
        self._since_ns = since_ns
        self._seen_ns: dict[str, int] = {}
        """Tells when each nonce came."""

    def refusal(self, message: Message, peer: Peer, now_ns: int) -> str | None:
        """Tells why ``message`` may not be acted on; None if it may."""
        if isinstance(message, CommandMessage) and message.command in STOPPING:
            return None
        if peer.uid not in self._trusted:
            return "only root and the owner of the controller may ask for this"
        match message:
            case CommandMessage():
                return self._stale(message, now_ns) or self._replayed(message.nonce, now_ns)
            case OperatorMessage() | PlanMessage() | ProcessMessage():
                return None

    def _stale(self, message: CommandMessage, now_ns: int) -> str | None:
        if not 0 <= now_ns - message.issued_ns <= COMMAND_LIFETIME_NS:
            return f"{message.command} is too old or from another machine"
        if message.issued_ns < self._since_ns:
            return f"{message.command} was meant for the controller before this one"
        return None

    def _replayed(self, nonce: str, now_ns: int) -> str | None:
        if not nonce:
            return "carries no nonce"
        self._seen_ns = {
            seen: seen_ns
            for seen, seen_ns in self._seen_ns.items()
            if now_ns - seen_ns <= COMMAND_LIFETIME_NS
        }
        if nonce in self._seen_ns:
            return "was sent before"
        if len(self._seen_ns) >= NONCES:
            return f"more than {NONCES} commands came at once"
        self._seen_ns[nonce] = now_ns
        return None
