"""What the batteries may do so that the meter counts no more than a limit.

Where the meter nets the phases, that is a difference. Where it does not, import is what the
importing phases import, and export what the exporting ones export: of a power that is shared by the
phases each of them takes another part to turn round.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterPart:
    """One phase that the meter counts for itself."""

    rest_w: float
    """What it carries without the batteries, + import."""
    share: float
    """So much of the batteries' power is on it."""


def high_w(parts: Sequence[MeterPart], limit_w: float) -> float:
    """Returns the highest battery power, W, with which no more than ``limit_w`` is imported."""
    return _highest_w([(part.rest_w, part.share) for part in parts], limit_w)


def low_w(parts: Sequence[MeterPart], limit_w: float) -> float:
    """Returns the lowest battery power, W, with which no more than ``limit_w`` is exported."""
    return -_highest_w([(-part.rest_w, part.share) for part in parts], limit_w)


def import_w(parts: Sequence[MeterPart], battery_w: float) -> float:
    """Returns what the meter counts as import while the batteries do ``battery_w``."""
    return sum(max(part.rest_w + part.share * battery_w, 0.0) for part in parts)


def _highest_w(parts: Sequence[tuple[float, float]], limit_w: float) -> float:
    """Returns the highest x with sum(max(rest + share * x, 0)) <= limit.

    What the sum is grows with x, and is straight between the points where a part begins to count;
    so the answer is on the steepest of those lines that reaches the limit. Parts that no battery
    is on are a part of the load. With a limit that is overdrawn without any help, so far is helped
    that the parts with batteries on them count nothing.
    """
    room_w = limit_w - sum(max(rest_w, 0.0) for rest_w, share in parts if not share > 0.0)
    starts = sorted((-rest_w / share, share) for rest_w, share in parts if share > 0.0)
    if not starts:
        return float("inf")
    first_w = starts[0][0]
    highest_w, slope, counted_w, at_w = first_w, 0.0, 0.0, first_w
    for start_w, share in starts:
        reached_w = counted_w + slope * (start_w - at_w)
        if reached_w > room_w:
            break
        slope, counted_w, at_w = slope + share, reached_w, start_w
        highest_w = at_w
    if slope > 0.0:
        highest_w = at_w + max(room_w - counted_w, 0.0) / slope
    return highest_w
