"""Fox ESS H3: remote control by 44000 to 44003, with a timer that falls back to the work mode."""

from collections.abc import Mapping
from typing import ClassVar

from holdfast.simulation.makers.box import ILLEGAL_VALUE, Box, Refused, Surroundings

_WORK_MODE, _ENABLE, _TIMEOUT_S, _POWER = 41000, 44000, 44001, (44002, 44003)
_SELF_USE, _FEED_IN, _BACK_UP = range(3)


class FoxH3(Box):
    """Its remote power is that of the inverter's AC side, + feeding in; the PV comes on top."""

    AS_DELIVERED: ClassVar[Mapping[int, int]] = {
        _WORK_MODE: _SELF_USE, _ENABLE: 0, _TIMEOUT_S: 0, _POWER[0]: 0, _POWER[1]: 0,
    }  # fmt: skip
    SINGLE_ONLY: ClassVar[frozenset[int]] = frozenset({_WORK_MODE, _ENABLE, _TIMEOUT_S})

    def __init__(self) -> None:
        super().__init__()
        self._commanded_s = 0.0

    def check(self, written: Mapping[int, int]) -> None:
        """The work mode is one of three, the enable a flag."""
        if written.get(_WORK_MODE, 0) > _BACK_UP or written.get(_ENABLE, 0) > 1:
            raise Refused(ILLEGAL_VALUE)

    def took(self, written: Mapping[int, int]) -> None:
        """Only a power, or the enable itself, winds the timer up."""
        if written.keys() & {_ENABLE, *_POWER}:
            self._commanded_s = self.now_s

    def power_w(self, scene: Surroundings) -> float:
        """Remote while the timer runs, else by its work mode."""
        if (
            self.registers[_ENABLE]
            and scene.time_s - self._commanded_s > self.registers[_TIMEOUT_S]
        ):
            self.registers[_ENABLE] = 0
        if self.registers[_ENABLE]:
            return scene.within(scene.pv_w - self.signed_long(*_POWER))
        match self.registers[_WORK_MODE]:
            case 1:  # feed in first: what the sun gives goes out, the battery covers the load
                return scene.within(min(0.0, scene.pv_w - scene.load_w))
            case 2:  # back-up: it is kept full
                return scene.within(max(0.0, scene.pv_w - scene.load_w))
            case _:
                return scene.own_use_w
