"""SolarEdge StorEdge: a command mode with two limits, and a default mode after a timeout."""

import math
import struct
from collections.abc import Mapping
from typing import ClassVar

from holdfast.simulation.makers.box import (
    DEVICE_FAILURE,
    ILLEGAL_VALUE,
    Box,
    Refused,
    Surroundings,
)

_CONTROL, _AC_CHARGE, _DEFAULT_MODE, _TIMEOUT_S, _MODE = 0xE004, 0xE005, 0xE00A, 0xE00B, 0xE00D
_CHARGE_W, _DISCHARGE_W = 0xE00E, 0xE010
_SELF_CONSUMPTION, _REMOTE = 1, 4
_LOW, _HIGH = 0x4000, 0x459C
"""5000 W, the lower word first."""


class StorEdge(Box):
    """Its limits are of the battery; what the command mode is decides which of them counts."""

    AS_DELIVERED: ClassVar[Mapping[int, int]] = {
        _CONTROL: _SELF_CONSUMPTION, _AC_CHARGE: 1, _DEFAULT_MODE: 0, _MODE: 0,
        _TIMEOUT_S: 3600, _TIMEOUT_S + 1: 0,
        _CHARGE_W: _LOW, _CHARGE_W + 1: _HIGH, _DISCHARGE_W: _LOW, _DISCHARGE_W + 1: _HIGH,
    }  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._commanded_s = 0.0

    def check(self, written: Mapping[int, int]) -> None:
        """It has modes 0 to 5 and 7, and fails at a limit that is no number."""
        for place in (_MODE, _DEFAULT_MODE):
            if written.get(place, 0) not in {0, 1, 2, 3, 4, 5, 7}:
                raise Refused(ILLEGAL_VALUE)
        after = {**self.registers, **written}
        if not all(math.isfinite(_float(after, place)) for place in (_CHARGE_W, _DISCHARGE_W)):
            raise Refused(DEVICE_FAILURE)

    def took(self, written: Mapping[int, int]) -> None:
        """The command mode, and the timeout itself, begin the time anew; a limit does not."""
        if written.keys() & {_MODE, _TIMEOUT_S}:
            self._commanded_s = self.now_s

    def power_w(self, scene: Surroundings) -> float:
        """By the command mode until the timeout, then by the default one; the registers stay."""
        if self.registers[_CONTROL] != _REMOTE:
            return scene.own_use_w if self.registers[_CONTROL] == _SELF_CONSUMPTION else 0.0
        over = scene.time_s - self._commanded_s > self.signed_long(_TIMEOUT_S + 1, _TIMEOUT_S)
        charge_w, discharge_w = (_float(self.registers, at) for at in (_CHARGE_W, _DISCHARGE_W))
        match self.registers[_DEFAULT_MODE if over else _MODE]:
            case 3 if self.registers[_AC_CHARGE]:
                return scene.within(charge_w)
            case 2 | 3:  # from the sun, before the house gets any of it
                return scene.within(min(charge_w, scene.pv_w))
            case 4:
                return scene.within(-discharge_w)
            case 5:
                return max(min(0.0, scene.own_use_w), -discharge_w)
            case 7:
                return max(min(scene.own_use_w, charge_w), -discharge_w)
            case _:
                return 0.0


def _float(registers: Mapping[int, int], address: int) -> float:
    packed = struct.pack(">HH", registers[address + 1], registers[address])
    return float(struct.unpack(">f", packed)[0])
