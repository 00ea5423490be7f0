"""What passes the inverter is not what is stored: losses follow a curve, and to be on takes power.

Power at the AC side and power at the battery are joined by straight lines, so that a slot's cost
stays piecewise linear, and is planned with exactly. Both rise together, so each tells the other.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from holdfast.core.errors import PlanFailed

_FARTHEST_W = 1e12


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """Joins AC power and battery power, both + charging, by their corners in rising order."""

    ac_w: tuple[float, ...]
    battery_w: tuple[float, ...]
    """At 0 W AC it is what the inverter draws from the battery to be on: 0 or less."""

    def __post_init__(self) -> None:
        """Refuses a curve that does not rise, or gives more than it takes. Raises PlanFailed."""
        if len(self.ac_w) != len(self.battery_w) or len(self.ac_w) < 2 or 0.0 not in self.ac_w:
            raise PlanFailed("conversion: needs as many powers on both sides, one at 0 W AC")
        for powers_w in (self.ac_w, self.battery_w):
            if not all(-_FARTHEST_W < low < high < _FARTHEST_W for low, high in pairwise(powers_w)):
                raise PlanFailed("conversion: powers must be finite, and rise on both sides")
        if not all(w <= ac_w for ac_w, w in zip(self.ac_w, self.battery_w, strict=True)):
            raise PlanFailed("conversion: an inverter gives no more than it takes")

    @property
    def idle_w(self) -> float:
        """Returns what is drawn from the battery at 0 W AC, >= 0."""
        return -self.battery_w[self.ac_w.index(0.0)]

    def to_battery(self, ac_w: NDArray[np.float64]) -> NDArray[np.float64]:
        """Returns the battery power for an AC power; beyond the ends that of the end."""
        return np.asarray(np.interp(ac_w, self.ac_w, self.battery_w))

    def to_ac(self, battery_w: NDArray[np.float64]) -> NDArray[np.float64]:
        """Returns the AC power for a battery power; beyond the ends that of the end."""
        return np.asarray(np.interp(battery_w, self.battery_w, self.ac_w))
