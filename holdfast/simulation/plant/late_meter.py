"""A late meter shows what was, and has a new value only now and then."""

from collections import deque


class LateMeter:
    """Shows a power ``delay_s`` late, with a new value each ``period_s``."""

    def __init__(self, *, delay_s: float, period_s: float = 0.0, resolution_w: float = 1.0) -> None:
        self._delay_s = delay_s
        self._period_s = period_s
        self._resolution_w = resolution_w
        self._past: deque[tuple[float, float]] = deque()
        self._taken: int | None = None
        """Counts the period of the value that is shown."""
        self._shown_w = 0.0

    def read(self, time_s: float, power_w: float) -> float:
        """Takes the power of ``time_s`` and returns what the meter shows then, in W."""
        self._past.append((time_s, power_w))
        while len(self._past) > 1 and self._past[1][0] <= time_s - self._delay_s + 1e-9:
            self._past.popleft()
        if self._period_s:
            taken = int((time_s + 1e-9) // self._period_s)
            if taken == self._taken:
                return self._shown_w
            self._taken = taken
        self._shown_w = round(self._past[0][1] / self._resolution_w) * self._resolution_w
        return self._shown_w
