"""Two batteries that send the same frames on one bus are seen: what they tell jumps to and fro.

A mean of both would be true of neither, and the limits of one are not those of the other.
"""

from collections import deque
from collections.abc import Mapping
from itertools import pairwise

from holdfast.core.signals import SIGNALS, Signal

_STEPS: Mapping[Signal, float] = {Signal.SOC_PCT: 2.0, Signal.SOH_PCT: 2.0}
"""No battery goes up and down by so much within seconds."""
_BURSTS = 12
"""So many bursts are looked back, and so long nothing is believed afterwards."""
_TURNS = 4
"""So many jumps, each against the one before, are no accident."""


class TwinWatch:
    """Looks at each burst of one bus."""

    def __init__(self) -> None:
        self._of = {signal: _Jumps(step) for signal, step in _STEPS.items()}

    def saw(self, values: Mapping[Signal, float]) -> str | None:
        """Returns why a burst with these ``values`` is not to be believed; None if it is."""
        for signal, jumps in self._of.items():
            value = values.get(signal)
            if value is not None and SIGNALS[signal].is_plausible(value):
                jumps.add(value)
        for signal, jumps in self._of.items():
            if jumps.to_and_fro:
                low, high = jumps.between
                unit = SIGNALS[signal].unit
                return (
                    f"{signal} jumps between {low:g} and {high:g} {unit}: do two batteries send "
                    "the same frames on this bus? Each needs its own bus, or one speaks for both"
                )
        return None


class _Jumps:
    """Holds the last jumps of one signal."""

    def __init__(self, step: float) -> None:
        self.between = (0.0, 0.0)
        """It jumped between these last."""
        self._step = step
        self._burst = 0
        self._anchor: float | None = None
        self._last: deque[tuple[int, bool]] = deque(maxlen=_BURSTS)
        """Holds burst and direction (up) of the last jumps."""
        self._doubted_until = 0

    def add(self, value: float) -> None:
        """Looks at the value of one more burst."""
        self._burst += 1
        before = self._anchor
        if before is None or abs(value - before) >= self._step:
            self._anchor = value
            if before is not None:
                self.between = (min(before, value), max(before, value))
                self._last.append((self._burst, value > before))
        ups = [up for burst, up in self._last if self._burst - burst < _BURSTS]
        if sum(up != after for up, after in pairwise(ups)) >= _TURNS:
            self._doubted_until = self._burst + _BURSTS

    @property
    def to_and_fro(self) -> bool:
        """Says whether it jumps again and again, each time against the last, or did lately."""
        return self._burst < self._doubted_until
