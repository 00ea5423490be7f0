"""A change of direction passes through 0 W and dwells there.

How long depends on what is missed meanwhile: a large surplus is stored within seconds, and a house
that hovers about 0 W makes no battery flap. Below the device's minimum nothing is asked, and a wish
is never raised to it.
"""

import math
from dataclasses import dataclass

DWELL_S = 1.0
"""The least time at 0 W."""
MISSED_S = 0.8
"""At 0 W until so many seconds of the rated power have been missed: 4 kWs of a 5 kW unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZeroMemory:
    """Holds the direction in which the batteries last went, and what was missed since."""

    way: float = 0.0
    """1 charging, -1 discharging, 0 neither yet."""
    missed_ws: float = 0.0
    waited_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ZeroCrossing:
    """Knows the site's rated power and the least that its devices do."""

    rated_w: float
    min_power_w: float

    def cross(
        self, power_w: float, memory: ZeroMemory, *, dt_s: float, urgent: bool = False
    ) -> tuple[float, ZeroMemory]:
        """Returns ``power_w``, or 0 W while it waits, and the memory for the next step."""
        if not abs(power_w) >= self.min_power_w or power_w == 0.0:
            return 0.0, self._less(memory, dt_s)
        way = math.copysign(1.0, power_w)
        if urgent or memory.way in (0.0, way):
            return power_w, ZeroMemory(way=way)
        missed_ws = memory.missed_ws + abs(power_w) * dt_s
        waited_s = memory.waited_s + dt_s
        if missed_ws >= MISSED_S * self.rated_w and waited_s >= DWELL_S:
            return power_w, ZeroMemory(way=way)
        return 0.0, ZeroMemory(way=memory.way, missed_ws=missed_ws, waited_s=waited_s)

    def passed(self, power_w: float, memory: ZeroMemory) -> ZeroMemory:
        """Returns the memory beside a power that is not regulated: a plan or a person that changes
        its direction is no flapping, and what follows dwells at 0 W for the least time only."""
        way = math.copysign(1.0, power_w) if power_w else memory.way
        return ZeroMemory(way=way, missed_ws=MISSED_S * self.rated_w)

    def _less(self, memory: ZeroMemory, dt_s: float) -> ZeroMemory:
        """Waiting at 0 W for nothing counts as waiting."""
        return ZeroMemory(
            way=memory.way, missed_ws=memory.missed_ws, waited_s=memory.waited_s + dt_s
        )
