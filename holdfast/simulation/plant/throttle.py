"""Hybrid inverters throttle PV, so that the site exports no more than they are told, or stop it."""

import math
from collections.abc import Sequence

from holdfast.simulation.plant.inverter import Inverter

_TAU_S = 1.0
"""A controller of export has to be faster than grid codes ask (5 s and more in Europe), and no
faster than its own meter tells."""


class PvThrottle:
    """All PV of a site stands behind ``inverters``, each of which measures at the grid connection:
    the lowest of their limits is the one that acts, and one that says off is enough. Without any
    it does nothing.
    """

    def __init__(self, inverters: Sequence[Inverter]) -> None:
        self._inverters = inverters
        self._cut_w = 0.0

    @property
    def is_on(self) -> bool:
        """Says whether PV is let through at all."""
        return all(inverter.pv_on for inverter in self._inverters)

    def let_through_w(self, dt_s: float, pv_w: float, taken_w: float) -> float:
        """Returns in W what becomes of ``pv_w`` in ``dt_s``.

        Load and battery take ``taken_w`` in this time.
        """
        if not self._inverters:
            return pv_w
        limit_w = min([inverter.export_limit_w for inverter in self._inverters])
        too_much_w = max(pv_w - taken_w - limit_w, 0.0) if self.is_on else pv_w
        self._cut_w += (too_much_w - self._cut_w) * -math.expm1(-dt_s / _TAU_S)
        return max(pv_w - self._cut_w, 0.0)
