"""Following decides how much of a new wish is taken at once.

A load that steps is followed at once, whatever its size. A wish that turns back before what it
caused can have come round through device and meter answers to itself: then only a part is taken,
half as much with each such turn. A loop that swings is so calmed, and a washing machine is not.
Nor is a step whose echo is small beside it, as of a meter and a battery that are not read at the
same instant: that dies away by itself.
"""

import math
from dataclasses import dataclass, replace

from holdfast.core.units import ns_from_s, s_from_ns

QUICK = 1.25
"""A turn within so many times round the loop is its own."""
CALMER = 0.5
LEAST_GAIN = 0.1
RECOVERS_S = 30.0
"""Without such turns the gain is whole again after some times this."""
ECHO = 0.5
"""A way back of a smaller share of the way before it, soon after it, is an echo and no turn."""
ECHO_FADES = 2.0
"""So many times round the loop an echo takes to fade: what still swings then is no echo."""
FREE_TURNS = 1
"""So many of them may be chance, or a load that goes on and off again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowMemory:
    """Holds what was taken of the wish, and how it moved."""

    taken_w: float = 0.0
    extreme_w: float = 0.0
    """The furthest that the wish got on its present way."""
    began_w: float = 0.0
    """The furthest that it got on the way before."""
    way: float = 0.0
    """1 up, -1 down, 0 before it has moved."""
    turned_ns: int = 0
    quick_turns: int = 0
    """In a row, the last of them quick enough to be the loop's own."""
    gain: float = 1.0


class Following:
    """Takes new wishes. Holds no state."""

    def __init__(self, *, dead_band_w: float, turn_w: float) -> None:
        """``turn_w`` is the least way back that counts as a turn."""
        self._dead_band_w = dead_band_w
        self._turn_w = turn_w

    def follow(
        self,
        wish_w: float,
        memory: FollowMemory,
        *,
        now_ns: int,
        dt_s: float,
        loop_s: float,
        urgent: bool = False,
    ) -> FollowMemory:
        """Returns the memory with what is taken of ``wish_w``.

        ``loop_s`` is how long it takes until the meter shows what a wish has done. What is
        ``urgent`` is taken whole.
        """
        memory = self._turned(wish_w, memory, now_ns, dt_s, loop_s)
        missing_w = wish_w - memory.taken_w
        if urgent:
            return replace(memory, taken_w=wish_w)
        if abs(missing_w) <= self._dead_band_w:
            return memory
        if memory.gain >= 1.0:
            return replace(memory, taken_w=wish_w)
        slow_s = loop_s * (1.0 / memory.gain - 1.0)
        part = 1.0 - math.exp(-dt_s / slow_s)
        return replace(memory, taken_w=memory.taken_w + part * missing_w)

    def _turned(
        self, wish_w: float, memory: FollowMemory, now_ns: int, dt_s: float, loop_s: float
    ) -> FollowMemory:
        gain = memory.gain
        if gain < 1.0:
            gain = min(gain * math.exp(dt_s / RECOVERS_S), 1.0)
        moved_w = wish_w - memory.extreme_w
        if moved_w * memory.way > 0.0:
            return replace(memory, extreme_w=wish_w, gain=gain)
        since_ns = now_ns - memory.turned_ns
        if not abs(moved_w) >= max(self._turn_w, _echo_w(memory, s_from_ns(since_ns), loop_s)):
            return memory if gain == memory.gain else replace(memory, gain=gain)
        is_quick = memory.way != 0.0 and since_ns <= ns_from_s(QUICK * loop_s)
        quick_turns = memory.quick_turns + 1 if is_quick else 0
        if quick_turns > FREE_TURNS:
            gain = max(gain * CALMER, LEAST_GAIN)
        return replace(
            memory,
            extreme_w=wish_w,
            began_w=memory.extreme_w,
            way=math.copysign(1.0, moved_w),
            turned_ns=now_ns,
            quick_turns=quick_turns,
            gain=gain,
        )


def _echo_w(memory: FollowMemory, since_s: float, loop_s: float) -> float:
    """Returns how far a wish may come back, ``since_s`` after its last turn, and be an echo, W."""
    way_w = abs(memory.extreme_w - memory.began_w)
    return ECHO * way_w * math.exp(-since_s / (ECHO_FADES * loop_s))
