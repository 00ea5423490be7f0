"""The powers of a whole site are what its energies and its money are counted from."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Self

from holdfast.core.signals import SITE, Signal
from holdfast.monitoring.status.schema import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class SitePower:
    """Holds what a status tells of the site, in W. None: it is not known."""

    grid_w: float | None
    """Tells the power at the grid connection, + import."""
    pv_w: float | None
    battery_w: tuple[float, ...] | None
    """Holds the power of each storage unit, + charging; None if one of them is not known."""

    @classmethod
    def of(cls, status: Status, units: Collection[str]) -> Self:
        """Reads it from ``status`` of a site with these storage units."""
        pv_w = status.value(SITE, Signal.PV_POWER_W)
        found = [status.value(unit, Signal.BATTERY_POWER_W) for unit in units]
        known = tuple(power_w for power_w in found if power_w is not None)
        return cls(
            grid_w=status.value(SITE, Signal.GRID_POWER_W),
            pv_w=None if pv_w is None else max(pv_w, 0.0),
            battery_w=known if len(known) == len(found) else None,
        )

    @property
    def load_w(self) -> float | None:
        """Returns what the house takes; never less than 0 W, for devices are not read at one
        instant."""
        if self.grid_w is None or self.pv_w is None or self.battery_w is None:
            return None
        return max(self.grid_w + self.pv_w - sum(self.battery_w), 0.0)

    @property
    def without_battery_w(self) -> float | None:
        """Returns what would be at the grid connection without a battery, + import."""
        if self.grid_w is None or self.battery_w is None:
            return None
        return self.grid_w - sum(self.battery_w)
