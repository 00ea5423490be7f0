"""The envelope is the interval of battery power that is permitted now. Zero is always inside."""

import math
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """Keeps ``min_w <= 0 <= max_w``, both finite, + charging. Raises ValueError for all else."""

    min_w: float
    """Tells the strongest discharge, <= 0."""
    max_w: float
    """Tells the strongest charge, >= 0."""
    min_by: str
    """Tells what set ``min_w``."""
    max_by: str
    """Tells what set ``max_w``."""

    def __post_init__(self) -> None:
        # Written so that NaN fails: every comparison with it is false.
        if not (-math.inf < self.min_w <= 0.0 <= self.max_w < math.inf):
            raise ValueError(f"not an envelope around zero: {self.min_w} to {self.max_w} W")

    def intersect(self, other: "Envelope") -> "Envelope":
        """Returns what both permit; on a tie the end keeps the name it had."""
        min_w, min_by = self.min_w, self.min_by
        max_w, max_by = self.max_w, self.max_by
        if other.min_w > min_w:
            min_w, min_by = other.min_w, other.min_by
        if other.max_w < max_w:
            max_w, max_by = other.max_w, other.max_by
        return Envelope(min_w=min_w, max_w=max_w, min_by=min_by, max_by=max_by)

    def intersect_charge(self, other: "Envelope") -> "Envelope":
        """Works as :meth:`intersect` for charging; the end for discharge stays as it is."""
        return self.intersect(replace(other, min_w=self.min_w))

    def clamp(self, power_w: float) -> float:
        """Returns the nearest power inside, in W; 0 W for NaN."""
        if power_w >= 0.0:
            return min(power_w, self.max_w)
        if power_w < 0.0:
            return max(power_w, self.min_w)
        return 0.0

    def contains(self, power_w: float) -> bool:
        """Says whether ``power_w`` is inside; False for NaN."""
        return self.min_w <= power_w <= self.max_w


def up_to(*, charge_w: float, discharge_w: float, by: str) -> Envelope:
    """Returns the envelope of two magnitudes. One that is not a finite number >= 0 permits nothing.

    >>> up_to(charge_w=500.0, discharge_w=float("nan"), by="bms").min_w
    0.0
    """
    return Envelope(
        min_w=0.0 - _magnitude(discharge_w), max_w=_magnitude(charge_w), min_by=by, max_by=by
    )


def zero(by: str) -> Envelope:
    """Permits nothing but 0 W."""
    return Envelope(min_w=0.0, max_w=0.0, min_by=by, max_by=by)


def _magnitude(power_w: float) -> float:
    return power_w if 0.0 <= power_w < math.inf else 0.0
