"""Sungrow SH: forced by hand without a timer, or by an external EMS that has to keep it awake."""

import math
from collections.abc import Mapping
from typing import ClassVar

from holdfast.simulation.makers.box import ILLEGAL_VALUE, Box, Refused, Surroundings

_EMS_MODE, _COMMAND, _POWER_W, _HEARTBEAT_S = 13049, 13050, 13051, 13079
_SELF_CONSUMPTION, _FORCED, _EXTERNAL, _VPP = 0, 2, 3, 4
_CHARGE, _DISCHARGE, _STOP = 0xAA, 0xBB, 0xCC
_GRACE_S = 20.0
"""So long it stays in external mode without ever having seen a heartbeat."""


class SungrowSh(Box):
    """Its power is one of the battery, without a sign, for charging and discharging alike."""

    AS_DELIVERED: ClassVar[Mapping[int, int]] = {
        _EMS_MODE: _SELF_CONSUMPTION, _COMMAND: _STOP, _POWER_W: 0, _HEARTBEAT_S: 0,
    }  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._awake_until_s = 0.0

    def check(self, written: Mapping[int, int]) -> None:
        """Modes and commands are those of its document."""
        modes = {_SELF_CONSUMPTION, _FORCED, _EXTERNAL, _VPP}
        if written.get(_EMS_MODE, _SELF_CONSUMPTION) not in modes:
            raise Refused(ILLEGAL_VALUE)
        if written.get(_COMMAND, _STOP) not in {_CHARGE, _DISCHARGE, _STOP}:
            raise Refused(ILLEGAL_VALUE)

    def took(self, written: Mapping[int, int]) -> None:
        """A heartbeat is counted down from; a command does not keep it awake."""
        if _HEARTBEAT_S in written:
            self._awake_until_s = self.now_s + written[_HEARTBEAT_S]
        elif written.get(_EMS_MODE) == _EXTERNAL and self._awake_until_s <= self.now_s:
            self._awake_until_s = self.now_s + _GRACE_S

    def power_w(self, scene: Surroundings) -> float:
        """Forced for as long as anybody likes, external while the heartbeat is counted down."""
        left_s = max(0.0, self._awake_until_s - scene.time_s)
        self.registers[_HEARTBEAT_S] = math.ceil(left_s)
        if self.registers[_EMS_MODE] == _EXTERNAL and left_s == 0.0:
            self.registers[_EMS_MODE] = _SELF_CONSUMPTION
        if self.registers[_EMS_MODE] not in {_FORCED, _EXTERNAL}:
            return scene.own_use_w
        match self.registers[_COMMAND]:
            case 0xAA:
                return scene.within(self.registers[_POWER_W])
            case 0xBB:
                return scene.within(-self.registers[_POWER_W])
            case _:
                return 0.0
