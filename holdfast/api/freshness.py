"""A command that lets power flow is fresh: once, in order, and of who has just seen the site.

The nonce makes a copy worthless, the sequence one that was held back, and the time of what the
person saw one that was given in to an old picture.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from holdfast.core.texts import MAX_ID

OLDEST = timedelta(seconds=30)
"""So old may be what the person saw."""
EARLY = timedelta(seconds=1)
"""So much may a clock be set while somebody looks."""
NONCES = 1000
"""So many are remembered; more within their time are refused."""
SENDERS = 1000
"""Of so many the last sequence is remembered."""


class CommandFreshness:
    """Remembers what has come; threads may share it."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._began = now()
        self._lock = threading.Lock()
        self._nonces: OrderedDict[str, datetime] = OrderedDict()
        self._sequences: OrderedDict[str, int] = OrderedDict()

    def refusal(self, sender: str, *, nonce: str, sequence: int, seen: datetime) -> str | None:
        """Tells why what ``sender``, a session or token, asks is not fresh; None if it is, and
        then never again. ``nonce`` is random, ``sequence`` grows with each command of a sender,
        and ``seen`` is the time of the status that the person saw."""
        with self._lock:
            now = self._now()
            return self._stale(seen, now) or self._repeated(sender, nonce, sequence, now)

    def _stale(self, seen: datetime, now: datetime) -> str | None:
        if seen.tzinfo is None:
            return "seen: lacks its zone"
        age = now - seen
        if age > OLDEST:
            return (
                f"seen: what you saw is {age.total_seconds():.0f} s old, and "
                f"{OLDEST.total_seconds():.0f} s are permitted: look again"
            )
        if age < -EARLY:
            return "seen: is a time that has not come yet"
        if seen < self._began:
            return "seen: is from before the API began: look again"
        return None

    def _repeated(self, sender: str, nonce: str, sequence: int, now: datetime) -> str | None:
        while self._nonces and now - next(iter(self._nonces.values())) > OLDEST + EARLY:
            self._nonces.popitem(last=False)
        if not 1 <= len(nonce) <= MAX_ID:
            return f"nonce: has {len(nonce)} characters; 1 to {MAX_ID} are permitted"
        if nonce in self._nonces:
            return "nonce: was sent before"
        if len(self._nonces) >= NONCES:
            return f"more than {NONCES} commands came at once"
        last = self._sequences.get(sender)
        if last is not None and sequence <= last:
            return f"sequence: {sequence} does not come after {last}"
        self._nonces[nonce] = now
        self._sequences[sender] = sequence
        self._sequences.move_to_end(sender)
        if len(self._sequences) > SENDERS:
            self._sequences.popitem(last=False)
        return None
