"""This module waits, and measures how long it took, on a computer that others keep busy."""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeVar

T = TypeVar("T")

PATIENCE_S = 30.0
"""So long is waited for what has no time of its own in the requirements."""
POLL_S = 0.01


class TooLate(AssertionError):
    """It did not happen in time."""


class FairTime:
    """Counts time that passes as long as one is woken in time.

    A sleep that ends late because the computer is busy counts as two that were on time: who is held
    up does not know how long the others had.
    """

    def __init__(self) -> None:
        self.passed_s = 0.0
        self._before_s = time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Sleeps, and counts that and what was done since the last sleep."""
        time.sleep(seconds)
        now_s = time.monotonic()
        self.passed_s += min(now_s - self._before_s, 2.0 * seconds)
        self._before_s = now_s


class Stopwatch:
    """Counts the fair time of a block, in a thread beside it."""

    def __enter__(self) -> Self:
        self._ended = threading.Event()
        self._time = FairTime()
        self._thread = threading.Thread(target=self._count)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _count(self) -> None:
        while not self._ended.is_set():
            self._time.sleep(POLL_S)

    @property
    def passed_s(self) -> float:
        """Tells how long it took, or has taken so far, in s."""
        return self._time.passed_s


def until(
    holds: Callable[[], T | None],
    what: str,
    within_s: float = PATIENCE_S,
    *,
    every_s: float = POLL_S,
) -> T:
    """Returns what ``holds`` gives as soon as it gives something; it is asked ``every_s``.

    ``within_s`` is fair time. Raises TooLate.
    """
    waited = FairTime()
    while not (found := holds()):
        if waited.passed_s > within_s:
            raise TooLate(f"not within {within_s:g} s: {what}")
        waited.sleep(every_s)
    return found
