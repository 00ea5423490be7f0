"""Some loads are never served from the battery, whoever starts them and however: a car, mostly.

The battery follows the load without them. While one cannot be seen nothing is discharged: what it
takes would come out of the battery.
"""

import math

from holdfast.core.config import Site
from holdfast.core.data_store import Snapshot
from holdfast.core.signals import Signal

KEPT_OUT = "kept_from_battery"
"""Names this bound."""
ON_FROM_W = 50.0
"""With less such a load stands by, and counts as any other."""


class KeptOut:
    """Says how much the batteries may discharge beside such loads. Holds no state."""

    def __init__(self, site: Site) -> None:
        self._names = tuple(load.name for load in site.metered_loads if not load.from_battery)

    def low_w(self, snapshot: Snapshot, rest_w: float) -> float:
        """Returns the strongest discharge, W, <= 0, where the site's rest is ``rest_w``."""
        kept_w = 0.0
        for name in self._names:
            power_w = snapshot.good(name, Signal.LOAD_POWER_W)
            if power_w is None:
                return 0.0
            kept_w += power_w if power_w >= ON_FROM_W else 0.0
        return -max(rest_w - kept_w, 0.0) if kept_w > 0.0 else -math.inf
