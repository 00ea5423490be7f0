"""Victron GX, a Multi a phase: in ESS mode 3 an AC power at its input, forgotten in a minute."""

from collections.abc import Mapping
from typing import ClassVar

from holdfast.simulation.makers.box import ILLEGAL_VALUE, Box, Refused, Surroundings

_L1, _NO_CHARGE, _NO_FEED_IN, _L2, _L3, _ESS_MODE = 37, 38, 39, 40, 41, 2902
_MULTIS = 227
_EXTERNAL = 3
_FORGETS_S = 60.0
"""As documented; users saw ten."""


class VictronGx(Box):
    """Its solar chargers are at the battery: what they give comes on top of the Multi's power."""

    PHASES: ClassVar[tuple[int, ...]] = (_L1,)
    """The registers of the setpoints, one for each Multi."""
    AS_DELIVERED: ClassVar[Mapping[int, int]] = {
        _L1: 0, _NO_CHARGE: 0, _NO_FEED_IN: 1, _ESS_MODE: 1,
    }  # fmt: skip
    ELSEWHERE: ClassVar[Mapping[int, int]] = dict.fromkeys((_L1, _NO_CHARGE, _NO_FEED_IN), _MULTIS)

    def __init__(self) -> None:
        super().__init__()
        self._commanded_s = dict.fromkeys(self.PHASES, 0.0)

    def check(self, written: Mapping[int, int]) -> None:
        """The ESS mode is one of three."""
        if not 1 <= written.get(_ESS_MODE, 1) <= _EXTERNAL:
            raise Refused(ILLEGAL_VALUE)

    def took(self, written: Mapping[int, int]) -> None:
        """A setpoint winds the timer of its Multi up."""
        self._commanded_s |= dict.fromkeys(written.keys() & set(self.PHASES), self.now_s)

    def power_w(self, scene: Surroundings) -> float:
        """In modes 1 and 2 the GX itself writes the setpoints, whatever somebody else wrote."""
        if self.registers[_ESS_MODE] != _EXTERNAL:
            share_w = (scene.own_use_w - scene.pv_w) / len(self.PHASES)
            self.registers |= dict.fromkeys(self.PHASES, round(share_w) & 0xFFFF)
            self.registers[_NO_FEED_IN] = 1
            self._commanded_s = dict.fromkeys(self.PHASES, scene.time_s)
            return scene.own_use_w
        at_inputs_w = sum(self._at_input_w(phase, scene.time_s) for phase in self.PHASES)
        return scene.within(at_inputs_w + scene.pv_w)

    def _at_input_w(self, phase: int, time_s: float) -> float:
        """Returns what one Multi goes for; one that has forgotten passes through."""
        if time_s - self._commanded_s[phase] > _FORGETS_S:
            return 0.0  # solar chargers go on
        at_input_w = float(self.signed(phase))
        return (
            0.0 if self.registers[_NO_CHARGE if at_input_w > 0.0 else _NO_FEED_IN] else at_input_w
        )


class VictronGx3p(VictronGx):
    """Three Multis, one a phase, are told one by one; what switches them is told once."""

    PHASES = (_L1, _L2, _L3)
    AS_DELIVERED: ClassVar[Mapping[int, int]] = {**VictronGx.AS_DELIVERED, _L2: 0, _L3: 0}
    ELSEWHERE: ClassVar[Mapping[int, int]] = {**VictronGx.ELSEWHERE, _L2: _MULTIS, _L3: _MULTIS}
