"""A station is one device on a line: whether it answers, and what its next answer is worth."""

from collections.abc import Callable

from holdfast.devices.drivers.backoff import Backoff
from holdfast.devices.drivers.link import Manners

_SHORTEST_DOUBT_S = 0.05
"""Adapters hand over what has come up to a few 10 ms later."""


class Station:
    """Holds what a line has to know of one device. Times are those of the caller's clock, in s."""

    def __init__(self, timeout_s: float, manners: Manners, on_stray: Callable[[str], None]) -> None:
        """``on_stray`` is told of each answer that was not accepted, in words."""
        self.timeout_s = timeout_s
        self.on_stray = on_stray
        self.in_doubt = False
        """An answer may still be under way that was no longer waited for."""
        self.connections = 0
        """Counts how often it was there anew; on a line it may be another after each silence."""
        self._manners = manners
        self._backoff = Backoff()
        self._silent_until_s = self._free_s = 0.0
        self._longest_s: float | None = None

    def pause_s(self, now_s: float) -> float:
        """Returns for how long it is still to be left alone."""
        return max(0.0, self._free_s - now_s)

    def silent_s(self, now_s: float) -> float:
        """Returns for how long it is not asked, since it did not answer; 0 if it is."""
        return max(0.0, self._silent_until_s - now_s)

    def connected(self, now_s: float) -> None:
        """The line was opened."""
        self.connections += 1
        self._free_s = now_s + self._manners.connect_pause_s

    def answered(self, took_s: float, now_s: float) -> None:
        """It has answered, after ``took_s``."""
        self._longest_s = max(took_s, self._longest_s or 0.0)
        self.in_doubt = False
        self._backoff.reset()
        self._free_s = now_s + self._manners.pause_s

    def failed(self, now_s: float) -> None:
        """It has not answered, or not so that it can be understood."""
        self.in_doubt = True
        self.connections += 1
        self._silent_until_s = now_s + self._backoff.next_s()
        self._free_s = now_s + self._manners.pause_s

    @property
    def doubt_s(self) -> float:
        """Tells how long to listen whether a second answer comes: one of two would be the late one.

        It answers in order, and no later than it ever did.
        """
        longest_s = self.timeout_s if self._longest_s is None else self._longest_s
        return min(self.timeout_s, max(2.0 * longest_s, _SHORTEST_DOUBT_S))
