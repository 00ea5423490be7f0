"""Huawei SUN2000 with LUNA2000: forcible charge and discharge, for minutes or up to a charge."""

from collections.abc import Mapping
from typing import ClassVar

from holdfast.simulation.makers.box import ILLEGAL_VALUE, Box, Refused, Surroundings

_MINUTES, _FROM_GRID, _FORCIBLE, _TARGET_SOC, _TARGET_MODE = 47083, 47087, 47100, 47101, 47246
_CHARGE_W, _DISCHARGE_W = (47247, 47248), (47249, 47250)
_STOP, _CHARGE, _DISCHARGE = range(3)
_MOST = {_MINUTES: 1440, _FROM_GRID: 1, _FORCIBLE: _DISCHARGE, _TARGET_SOC: 1000, _TARGET_MODE: 1}


class HuaweiSun2000(Box):
    """Its forcible power is that of the battery; stopped it is left to its working mode."""

    AS_DELIVERED: ClassVar[Mapping[int, int]] = {
        **dict.fromkeys((*_MOST, *_CHARGE_W, *_DISCHARGE_W), 0), _TARGET_SOC: 1000,
    }  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._started_s = 0.0

    def check(self, written: Mapping[int, int]) -> None:
        """Modes are few, a day is the longest period."""
        if any(word > _MOST.get(address, 0xFFFF) for address, word in written.items()):
            raise Refused(ILLEGAL_VALUE)

    def took(self, written: Mapping[int, int]) -> None:
        """Only the command itself starts the period, not a power or the minutes."""
        if _FORCIBLE in written:
            self._started_s = self.now_s

    def power_w(self, scene: Surroundings) -> float:
        """By the command while it lasts, else it keeps the house off the grid."""
        if self._is_over(scene):
            self.registers[_FORCIBLE] = _STOP
        match self.registers[_FORCIBLE]:
            case 1:
                wanted_w = float(self.signed_long(*_CHARGE_W))
                # Without permission it takes what the sun gives, and nothing of the grid.
                free = self.registers[_FROM_GRID]
                return scene.within(wanted_w if free else min(wanted_w, scene.pv_w))
            case 2:
                return scene.within(-float(self.signed_long(*_DISCHARGE_W)))
            case _:
                return scene.own_use_w

    def _is_over(self, scene: Surroundings) -> bool:
        """One that has a state of charge as its target knows no time."""
        if not self.registers[_TARGET_MODE]:
            return scene.time_s - self._started_s > 60.0 * self.registers[_MINUTES]
        beyond = scene.soc_pct - self.registers[_TARGET_SOC] / 10.0
        return (beyond >= 0.0) == (self.registers[_FORCIBLE] == _CHARGE)
