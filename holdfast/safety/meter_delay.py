"""How late a meter is: declared, or learned from what the batteries' own steps do to its values.

A load may do what it likes; a step of the batteries is known. Taken away from the meter's values
at the right delay it leaves the load, at a wrong one it leaves two jumps that no load made. So each
candidate has a roughness, and those that are much rougher than the smoothest are excluded. What is
left is a window, from the least delay that may be to the most: before anything is known it is wide.
"""

from dataclasses import dataclass, replace
from itertools import pairwise

from holdfast.core.units import NS_PER_MS, ns_from_s
from holdfast.safety.power_past import PAST_NS, Past, power_at

CANDIDATES_S = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
DECLARED_NS = 100 * NS_PER_MS
"""A declared delay is right within this: meters are polled, and so are inverters."""
TELLS_W = 50.0
"""Where the candidates differ by less than this the batteries hardly moved: nothing is learned."""
FORGETS_W = 10_000.0
"""After the batteries have moved by so much half of what was learned before is left: a meter may
be replaced."""
ROUGHER = 1.5
"""So much rougher than the smoothest is excluded."""
ENOUGH_W = 200.0
"""And by so much: one small step may be a load's."""

_CANDIDATES_NS = tuple(ns_from_s(delay_s) for delay_s in CANDIDATES_S)
_EDGES_NS = (
    0,
    *((left + right) // 2 for left, right in pairwise(_CANDIDATES_NS)),
    PAST_NS,
)
"""A candidate stands for all delays from the edge before it to the one behind it."""

Window = tuple[int, int]
"""Holds the least and the most that the delay may be, in ns."""
UNKNOWN: Window = (0, PAST_NS)


def declared(delay_s: float) -> Window:
    """Returns the window of a delay that the owner has told; of none it is none.

    >>> declared(0.5)
    (400000000, 600000000)
    """
    delay_ns = ns_from_s(delay_s)
    if not delay_ns > 0:
        return 0, 0
    return max(delay_ns - DECLARED_NS, 0), delay_ns + DECLARED_NS


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayMemory:
    """Holds what the changes of the meter's value have told, by candidate."""

    rests_w: tuple[float, ...] = ()
    """The rest of the site at the last change; empty before the first."""
    roughness_w: tuple[float, ...] = (0.0,) * len(CANDIDATES_S)
    window: Window = UNKNOWN


def learned(memory: DelayMemory, past: Past, time_ns: int, grid_w: float) -> DelayMemory:
    """Returns what is known after the meter has shown a new value, ``grid_w``, at ``time_ns``."""
    rests_w = tuple([grid_w - power_at(past, time_ns - delay_ns) for delay_ns in _CANDIDATES_NS])
    if not memory.rests_w:
        return replace(memory, rests_w=rests_w)
    jumps_w = [abs(now - before) for now, before in zip(rests_w, memory.rests_w, strict=True)]
    told_w = max(jumps_w) - min(jumps_w)
    if told_w < TELLS_W:
        return replace(memory, rests_w=rests_w)
    kept = FORGETS_W / (FORGETS_W + told_w)
    roughness_w = tuple(
        [kept * rough + jump for rough, jump in zip(memory.roughness_w, jumps_w, strict=True)]
    )
    return DelayMemory(rests_w=rests_w, roughness_w=roughness_w, window=_window(roughness_w))


def _window(roughness_w: tuple[float, ...]) -> Window:
    """Returns the delays of all candidates that are not excluded."""
    smoothest_w = min(roughness_w)
    bound_w = max(ROUGHER * smoothest_w, smoothest_w + ENOUGH_W)
    left = [index for index, rough_w in enumerate(roughness_w) if rough_w <= bound_w]
    return _EDGES_NS[left[0]], _EDGES_NS[left[-1] + 1]
