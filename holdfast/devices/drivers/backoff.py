"""Backoff says how long to wait before a lost device is tried again."""

_FIRST_S = 0.1
_LONGEST_S = 2.0


class Backoff:
    """Doubles the waiting time from 0.1 s to 2 s.

    >>> backoff = Backoff()
    >>> [backoff.next_s() for _ in range(6)]
    [0.1, 0.2, 0.4, 0.8, 1.6, 2.0]
    """

    LONGEST_S = _LONGEST_S

    def __init__(self) -> None:
        self._delay_s = _FIRST_S

    def next_s(self) -> float:
        """Returns the seconds to wait before the next attempt."""
        delay_s = self._delay_s
        self._delay_s = min(2 * delay_s, _LONGEST_S)
        return delay_s

    def reset(self) -> None:
        """Starts again from the shortest wait: the device has answered."""
        self._delay_s = _FIRST_S
