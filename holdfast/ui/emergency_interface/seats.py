"""Seats are the connections that are served at once: a flood of them shuts nobody out.

When all are taken, who has been waited for longest leaves, of the address that has the most: one
who holds a hundred connections open loses his own, and never somebody else's.
"""

import asyncio
from collections import Counter

MOST = 128
"""So many connections are open at once."""


class Seats:
    """Knows who is there, and for whom is waited."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._waited_for: dict[asyncio.Transport, str] = {}
        """Holds whose request has not come yet, or who has not taken his answer; the oldest
        first."""
        self._served: dict[asyncio.Transport, str] = {}

    def take(self, transport: asyncio.Transport, peer: str) -> bool:
        """Gives a seat to a connection of ``peer``; False if there is none."""
        if len(self._waited_for) + len(self._served) >= self._most and not self._make_room():
            return False
        self._waited_for[transport] = peer
        return True

    def serve(self, transport: asyncio.Transport) -> None:
        """Notes that the request is there: the seat is safe until it is answered."""
        peer = self._waited_for.pop(transport, None)
        if peer is not None:
            self._served[transport] = peer

    def wait(self, transport: asyncio.Transport) -> None:
        """Notes that it is answered, and waited for to be taken."""
        peer = self._served.pop(transport, None)
        if peer is not None:
            self._waited_for[transport] = peer

    def leave(self, transport: asyncio.Transport) -> None:
        """Notes that the connection has ended."""
        self._waited_for.pop(transport, None)
        self._served.pop(transport, None)

    def _make_room(self) -> bool:
        if not self._waited_for:
            return False
        counts = Counter(self._waited_for.values())
        ((greedy, _),) = counts.most_common(1)
        oldest = next(one for one, peer in self._waited_for.items() if peer == greedy)
        self.leave(oldest)
        oldest.abort()
        return True
