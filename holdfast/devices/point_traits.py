"""Traits tell what a device's table says of a point: in which steps it keeps it, how long it takes,
how often it may be written."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from holdfast.core.commands import Point
from holdfast.core.device_mode import DeviceMode
from holdfast.devices.registers import towards_zero


@dataclass(frozen=True, slots=True, kw_only=True)
class PointTraits:
    """Describes one point of one device."""

    step: float = 0.0
    """The device keeps multiples of it only. 0: it keeps what it is told."""
    settle_ns: int = 0
    """A write, its answer and the poll behind it may take so long."""
    writes_per_day: int | None = None
    """It wears out, and is written so often a day. None: it does not."""
    refresh_ns: int | None = None
    """The device forgets it unless it is written so often. None: as usual."""
    modes: frozenset[DeviceMode] = frozenset(DeviceMode)
    """Of the device's own rules it keeps these."""
    follows_pv: bool = False
    """What the device holds means another battery power once the PV power is another."""

    def kept(self, value: float) -> float:
        """Returns what the device can keep of ``value``: rounded towards zero, never more.

        >>> [PointTraits(step=50.0).kept(power_w) for power_w in (1234.0, -1234.0, 49.0)]
        [1200.0, -1200.0, 0.0]
        """
        if self.step == 0.0 or not math.isfinite(value):
            return value
        return towards_zero(value / self.step) * self.step


Traits = Mapping[Point, PointTraits]
"""Maps the points of a device to what its table says of them."""
NO_TRAITS: Traits = {}
PLAIN = PointTraits()
"""Nothing is said of a point."""
