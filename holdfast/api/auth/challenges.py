"""Challenges are what we have asked a browser and wait to hear an answer to: once, and not for
ever."""

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

LASTS_S = 300.0
KEPT, EACH = 500, 20
"""So many are waited for, and so many of each who asks; then the oldest are given up."""
_T = TypeVar("_T")


class Challenges(Generic[_T]):
    """Keeps what belongs to each question until its answer comes; threads may share it."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._open: OrderedDict[str, tuple[float, str, _T]] = OrderedDict()
        self._lock = threading.Lock()

    def ask(self, whose: str, content: _T) -> str:
        """Returns a random id under which ``content`` is kept; ``whose`` account or address it is
        says whose others have to make room."""
        name = secrets.token_urlsafe(24)
        with self._lock:
            own = [other for other, (_, asker, _) in self._open.items() if asker == whose]
            for other in own[: max(0, len(own) + 1 - EACH)]:
                del self._open[other]
            self._open[name] = self._clock_s(), whose, content
            while len(self._open) > KEPT:
                self._open.popitem(last=False)
        return name

    def answered(self, name: str) -> _T | None:
        """Returns what was kept, and forgets it; None if that was never asked, or too long ago."""
        with self._lock:
            found = self._open.pop(name, None)
        if found is None or self._clock_s() - found[0] > LASTS_S:
            return None
        return found[2]
