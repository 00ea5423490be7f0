"""GoodWe ET: twelve EMS modes share one power, which each of them means in its own way."""

from collections.abc import Mapping
from typing import ClassVar

from holdfast.simulation.makers.box import (
    ILLEGAL_VALUE,
    LIMITS_NOTHING_W,
    Box,
    Refused,
    Surroundings,
)

_LIMITED, _LIMIT_W, _MODE, _POWER = 47509, 47510, 47511, 47512
_MODES, _STOPPED = range(1, 13), 0xFF


class GoodWeEt(Box):
    """A mode and its power stay until others are written; so does the limit of what it feeds in."""

    AS_DELIVERED: ClassVar[Mapping[int, int]] = {_LIMITED: 0, _LIMIT_W: 3000, _MODE: 1, _POWER: 0}

    @property
    def export_limit_w(self) -> float:
        """The limit counts while it is switched on."""
        return float(self.registers[_LIMIT_W]) if self.registers[_LIMITED] else LIMITS_NOTHING_W

    def check(self, written: Mapping[int, int]) -> None:
        """The mode is one that there is, the switch a flag."""
        if written.get(_LIMITED, 0) > 1:
            raise Refused(ILLEGAL_VALUE)
        mode = written.get(_MODE, 1)
        if mode not in _MODES and mode != _STOPPED:
            raise Refused(ILLEGAL_VALUE)

    def power_w(self, scene: Surroundings) -> float:
        """The power is the battery's in some modes, and the grid's or the inverter's in others."""
        power_w = float(self.registers[_POWER])
        match self.registers[_MODE]:
            case 1:  # self-use
                wish_w = scene.own_use_w
            case 2 | 4:  # so much from the grid may, or shall, come on top of the sun's
                wish_w = scene.pv_w + power_w
            case 3 | 12:
                wish_w = -power_w
            case 5:  # the inverter feeds in so much, of the sun's first
                wish_w = min(0.0, scene.pv_w - power_w)
            case 6:  # kept for a failure of the grid
                wish_w = scene.pv_w
            case 9:  # so much is bought at the meter
                wish_w = scene.pv_w - scene.load_w + power_w
            case 10:  # and sold
                wish_w = scene.pv_w - scene.load_w - power_w
            case 11:
                wish_w = power_w
            case _:  # standby, off-grid without a load, stopped
                wish_w = 0.0
        return scene.within(wish_w)
