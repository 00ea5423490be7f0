"""Victron GX with a Multi: in ESS mode 3 an AC power at its input, which it forgets in a minute."""

from collections.abc import Mapping
from typing import ClassVar

from holdfast.simulation.makers.box import ILLEGAL_VALUE, Box, Refused, Surroundings

_SETPOINT, _NO_CHARGE, _NO_FEED_IN, _ESS_MODE = 37, 38, 39, 2902
_EXTERNAL = 3
_FORGETS_S = 60.0
"""As documented; users saw ten."""


class VictronGx(Box):
    """Its solar chargers are at the battery: what they give comes on top of the Multi's power."""

    AS_DELIVERED: ClassVar[Mapping[int, int]] = {
        _SETPOINT: 0, _NO_CHARGE: 0, _NO_FEED_IN: 1, _ESS_MODE: 1,
    }  # fmt: skip
    ELSEWHERE: ClassVar[Mapping[int, int]] = dict.fromkeys(
        (_SETPOINT, _NO_CHARGE, _NO_FEED_IN), 227
    )

    def __init__(self) -> None:
        super().__init__()
        self._commanded_s = 0.0

    def check(self, written: Mapping[int, int]) -> None:
        """The ESS mode is one of three."""
        if not 1 <= written.get(_ESS_MODE, 1) <= _EXTERNAL:
            raise Refused(ILLEGAL_VALUE)

    def took(self, written: Mapping[int, int]) -> None:
        """A setpoint winds the Multi's timer up."""
        if _SETPOINT in written:
            self._commanded_s = self.now_s

    def power_w(self, scene: Surroundings) -> float:
        """In modes 1 and 2 the GX itself writes the setpoint, whatever somebody else wrote."""
        if self.registers[_ESS_MODE] != _EXTERNAL:
            self.registers[_SETPOINT] = round(scene.own_use_w - scene.pv_w) & 0xFFFF
            self.registers[_NO_FEED_IN] = 1
            self._commanded_s = scene.time_s
            return scene.own_use_w
        if scene.time_s - self._commanded_s > _FORGETS_S:
            return scene.within(scene.pv_w)  # it passes through; the solar chargers go on
        at_input_w = float(self.signed(_SETPOINT))
        if self.registers[_NO_CHARGE if at_input_w > 0.0 else _NO_FEED_IN]:
            at_input_w = 0.0
        return scene.within(at_input_w + scene.pv_w)
