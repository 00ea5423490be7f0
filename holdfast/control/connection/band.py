"""The band is what the limits at the meter leave to all batteries together. It may exclude 0 W:
then the batteries are asked to help. It is a wish as any other: the permit comes after it."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

SLACK_W = 20.0
"""So far outside is no matter of urgency: any ramp is there at once."""
NOBODY = "nobody"
"""It stands for an end of the band that no row has set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """What one row leaves to the batteries, + charging."""

    low_w: float = -math.inf
    high_w: float = math.inf
    by: str
    """Names the row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Keeps ``low_w <= high_w``, both finite: the power of the whole site's batteries, + charging.

    Raises ValueError for all else.
    """

    low_w: float
    high_w: float
    low_by: str = NOBODY
    high_by: str = NOBODY
    export_max_w: float = math.inf
    """PV is to be throttled to export no more, whoever asks."""

    def __post_init__(self) -> None:
        # Written so that NaN fails: every comparison with it is false.
        if not (-math.inf < self.low_w <= self.high_w < math.inf):
            raise ValueError(f"not a band: {self.low_w} to {self.high_w} W")

    def exporting(self, export_max_w: float) -> "Band":
        """Returns it with what may be exported."""
        return Band(
            low_w=self.low_w,
            high_w=self.high_w,
            low_by=self.low_by,
            high_by=self.high_by,
            export_max_w=export_max_w,
        )

    def clamp(self, power_w: float) -> float:
        """Returns the nearest power inside; what is no number becomes what is nearest to 0 W."""
        if not math.isfinite(power_w):
            power_w = 0.0
        return min(max(power_w, self.low_w), self.high_w)

    def by(self, power_w: float) -> str | None:
        """Returns the row that changes ``power_w``; None if it is inside."""
        if power_w > self.high_w:
            return self.high_by
        return self.low_by if power_w < self.low_w else None

    def covers(self, low_w: float, high_w: float) -> bool:
        """Says whether nothing between both powers is taken away, as from a device that decides
        for itself what it does."""
        return self.low_w <= low_w and high_w <= self.high_w

    def is_urgent(self, power_w: float) -> bool:
        """Says whether batteries at ``power_w`` have to move at once: no ramp, dwell, dead band or
        debounce is waited for."""
        return not self.low_w - SLACK_W <= power_w <= self.high_w + SLACK_W


def intersect(bounds: Iterable[Bound], *, least_w: float, most_w: float) -> Band:
    """Returns what all ``bounds`` leave between ``least_w`` and ``most_w``.

    The first is the strongest. Where two contradict each other the weaker one is kept as far as
    the stronger lets it. One that is no number leaves nothing but rest.
    """
    low_w, low_by, high_w, high_by = least_w, NOBODY, most_w, NOBODY
    for bound in bounds:
        bottom_w, top_w = _ordered(bound)
        if top_w < high_w:
            high_w, high_by = max(top_w, low_w), bound.by
        if bottom_w > low_w:
            low_w, low_by = min(bottom_w, high_w), bound.by
    return Band(low_w=low_w, high_w=high_w, low_by=low_by, high_by=high_by)


def _ordered(bound: Bound) -> tuple[float, float]:
    """Returns both ends of ``bound``. Where they cross, as on unlike phases, nobody can keep both:
    what is too much is shared."""
    if bound.low_w <= bound.high_w:
        return bound.low_w, bound.high_w
    middle_w = (bound.low_w + bound.high_w) / 2.0
    return (middle_w, middle_w) if math.isfinite(middle_w) else (0.0, 0.0)
