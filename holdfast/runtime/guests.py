"""Guests are the processes that talk to the controller; each has so much of its time, and no more.

What is done for a client is paid with tokens, which come back with time. Who has none left is read
again when he has: he waits, and nobody else does.
"""

import time
from collections import OrderedDict
from collections.abc import Hashable

MESSAGES_PER_S = 50.0
"""So many one process may send for long; a person, a script and a planner need far less."""
AT_ONCE = 20.0
"""So many may come at once after a pause."""
ALL_MESSAGES_PER_S = 200.0
"""So many may all together send for long."""
BYTES_PER_S, BYTES_AT_ONCE = 128 * 1024.0, 1536 * 1024.0
"""So many bytes one process may send for long, and after a pause: one plan, however long it is."""
COST_OF_A_PIECE = 0.1
"""What comes in pieces costs a part of a message for each of them."""
CONNECTIONS_PER_S = 20.0
CONNECTIONS_EACH, CONNECTIONS_IN_ALL = 4, 32
"""So many connections one process may have, and all together."""
REMEMBERED = 256


class Purse:
    """Holds tokens that come back with time. Who takes what is not there owes it."""

    def __init__(self, per_s: float, most: float) -> None:
        self._per_s, self._most = per_s, most
        self._tokens, self._then_s = most, time.monotonic()

    def take(self, tokens: float) -> None:
        """Takes ``tokens``, also those that are not there yet."""
        self._fill()
        self._tokens -= tokens

    @property
    def wait_s(self) -> float:
        """Tells how long it takes until nothing is owed, and there is a token, in s; 0 if so."""
        self._fill()
        return max(1.0 - self._tokens, 0.0) / self._per_s

    def _fill(self) -> None:
        now_s = time.monotonic()
        self._tokens = min(self._tokens + (now_s - self._then_s) * self._per_s, self._most)
        self._then_s = now_s


class Guest:
    """Holds what one process has left; all of them share ``everybody``."""

    def __init__(self, everybody: Purse) -> None:
        self._everybody = everybody
        self._messages = Purse(MESSAGES_PER_S, AT_ONCE)
        self._bytes = Purse(BYTES_PER_S, BYTES_AT_ONCE)
        self.entries = Purse(CONNECTIONS_PER_S, AT_ONCE)
        self.connections = 0

    def pays_piece(self, size: int) -> None:
        """Pays for so many bytes that have come."""
        self._messages.take(COST_OF_A_PIECE)
        self._bytes.take(size)

    def pays_message(self) -> None:
        """Pays for one message, whose bytes have been paid for as they came."""
        self._messages.take(1.0)
        self._everybody.take(1.0)

    @property
    def wait_s(self) -> float:
        """Tells how long it waits until more is done for it, in s; 0 if it need not."""
        return max(self._messages.wait_s, self._bytes.wait_s, self._everybody.wait_s)


class Guests:
    """Knows who is there, by process."""

    def __init__(self) -> None:
        self._everybody = Purse(ALL_MESSAGES_PER_S, AT_ONCE)
        self._known: OrderedDict[Hashable, Guest] = OrderedDict()
        self._connections = 0

    def enter(self, who: Hashable) -> Guest | str:
        """Lets one connection of ``who`` in, or says why not."""
        guest = self._known.setdefault(who, Guest(self._everybody))
        self._known.move_to_end(who)
        self._forget()
        if guest.entries.wait_s > 0.0:
            return f"more than {CONNECTIONS_PER_S:g} connections in a second"
        guest.entries.take(1.0)
        if guest.connections >= CONNECTIONS_EACH:
            return f"this process has {CONNECTIONS_EACH} connections already"
        if self._connections >= CONNECTIONS_IN_ALL:
            return f"there are {CONNECTIONS_IN_ALL} connections already"
        guest.connections += 1
        self._connections += 1
        return guest

    def leave(self, guest: Guest) -> None:
        """Notes that one connection of ``guest`` has ended."""
        guest.connections -= 1
        self._connections -= 1

    def _forget(self) -> None:
        """Forgets those who have not come for longest, and have no connection."""
        for who in list(self._known)[: max(len(self._known) - REMEMBERED, 0)]:
            if not self._known[who].connections:
                del self._known[who]
