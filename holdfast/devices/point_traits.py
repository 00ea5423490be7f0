"""Traits tell what a device's table says of a point: in which steps it keeps it, how long it takes,
how often it may be written."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from holdfast.core.commands import Point
from holdfast.core.device_mode import PLANNED, DeviceMode
from holdfast.devices.registers import towards_zero


@dataclass(frozen=True, slots=True, kw_only=True)
class PointTraits:
    """Describes one point of one device."""

    step: float = 0.0
    """The device keeps multiples of it only. 0: it keeps what it is told."""
    whole_w: tuple[float, float] | None = None
    """It charges, or discharges, with so much or not at all, in W. None: it takes a power."""
    settle_ns: int = 0
    """A write, its answer and the poll behind it may take so long."""
    writes_per_day: int | None = None
    """It wears out, and is written so often a day. None: it does not."""
    refresh_ns: int | None = None
    """The device forgets it unless it is written so often. None: as usual."""
    modes: frozenset[DeviceMode] = frozenset(PLANNED)
    """Of the device's own rules it keeps these."""
    follows_pv: bool = False
    """What the device holds means another battery power once the PV power is another."""

    def kept(self, value: float) -> float:
        """Returns what the device can keep of ``value``: rounded towards zero, never more.

        >>> [PointTraits(step=50.0).kept(power_w) for power_w in (1234.0, -1234.0, 49.0)]
        [1200.0, -1200.0, 0.0]
        """
        takes_all = self.step == 0.0 and self.whole_w is None
        if takes_all or not math.isfinite(value):
            return value
        if self.whole_w is not None:
            return _all_or_nothing(value, self.whole_w)
        return towards_zero(value / self.step) * self.step


def _all_or_nothing(power_w: float, whole_w: tuple[float, float]) -> float:
    """Returns the whole of a direction where ``power_w`` permits it, and 0 W for all between.

    >>> [_all_or_nothing(power_w, (4000.0, 5000.0)) for power_w in (4500.0, 3999.0, -5000.0)]
    [4000.0, 0.0, -5000.0]
    """
    charge_w, discharge_w = whole_w
    if power_w >= charge_w:
        return charge_w
    return -discharge_w if power_w <= -discharge_w else 0.0


Traits = Mapping[Point, PointTraits]
"""Maps the points of a device to what its table says of them."""
NO_TRAITS: Traits = {}
PLAIN = PointTraits()
"""Nothing is said of a point."""
