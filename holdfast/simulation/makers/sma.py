"""SMA's battery inverters: registers that can be written, and read as not available."""

from collections.abc import Mapping
from typing import ClassVar

from holdfast.simulation.makers.box import ILLEGAL_VALUE, Box, Refused, Surroundings

_WITHIN_S = 60.0
"""So close together its registers have to be written before they count."""

_OFF, _AUTO, _CHARGES, _DISCHARGES, _DEFAULT = 303, 1438, 2289, 2290, 2424
_MODES = frozenset({_OFF, 308, _AUTO, _CHARGES, _DISCHARGES, _DEFAULT})
_ACTIVE, _INACTIVE = 802, 803


class SunnyBoyStorage(Box):
    """Its mode and five powers count together: all of them written within a minute, or none."""

    AS_DELIVERED: ClassVar[Mapping[int, int]] = {
        40236: 0, 40237: _DEFAULT, **dict.fromkeys(range(40793, 40803), 0),
    }  # fmt: skip
    MULTIPLE_ONLY: ClassVar[frozenset[int]] = frozenset(AS_DELIVERED)
    FORGETS_LATE_S: ClassVar[float] = 300.0
    """As SMA's support has it; 60 s is what users of a Sunny Boy Storage keep to."""

    def __init__(self) -> None:
        super().__init__()
        self._written_s: dict[int, float] = {}
        self._set: Mapping[int, int] | None = None
        self._set_s = 0.0

    def check(self, written: Mapping[int, int]) -> None:
        """The mode is one of six."""
        if 40237 in written and written[40237] not in _MODES:
            raise Refused(ILLEGAL_VALUE)

    def took(self, written: Mapping[int, int]) -> None:
        """A set counts from the write that makes it whole."""
        self._written_s |= dict.fromkeys(written, self.now_s)
        oldest_s = min(self._written_s.get(place, -_WITHIN_S) for place in self.registers)
        if self.now_s - oldest_s < _WITHIN_S:
            self._set, self._set_s = dict(self.registers), self.now_s

    def shown(self) -> Mapping[int, int]:
        """What it was told, it does not tell."""
        signed = {40801: 0x8000, 40802: 0}
        return {address: signed.get(address, 0xFFFF) for address in self.registers}

    def power_w(self, scene: Surroundings) -> float:
        """By the last whole set, until that is forgotten."""
        if self._set is None or scene.time_s - self._set_s > self.FORGETS_LATE_S:
            return scene.own_use_w
        held = self._set
        least_in, most_in, least_out, most_out = (
            float(held[high] << 16 | held[high + 1]) for high in range(40793, 40801, 2)
        )
        at_meter_w = self.signed_long(40801, 40802)
        wish_w = scene.within(scene.pv_w - scene.load_w + at_meter_w)
        match held[40237]:
            case 2289:
                return scene.within(max(least_in, min(most_in, wish_w)))
            case 2290:
                return scene.within(-max(least_out, min(most_out, -wish_w)))
            case 1438 | 2424:
                low_w = least_in or -most_out
                high_w = -least_out or most_in
                return scene.within(max(low_w, min(high_w, wish_w)))
            case _:
                return 0.0


class SunnyIsland(Box):
    """It is told the power at its AC side, + feeding in, which counts while it is active."""

    AS_DELIVERED: ClassVar[Mapping[int, int]] = {40149: 0, 40150: 0, 40151: 0, 40152: _INACTIVE}
    MULTIPLE_ONLY: ClassVar[frozenset[int]] = frozenset(AS_DELIVERED)
    FORGETS_LATE_S: ClassVar[float] = 600.0
    """As delivered; a setting of the inverter between 5 s and 9 h."""

    def __init__(self) -> None:
        super().__init__()
        self._written_s = 0.0

    def check(self, written: Mapping[int, int]) -> None:
        """It is active or not."""
        if written.get(40152, _ACTIVE) not in {_ACTIVE, _INACTIVE}:
            raise Refused(ILLEGAL_VALUE)

    def took(self, written: Mapping[int, int]) -> None:
        """A power, or that it counts, winds its timer up."""
        if written.keys() & {40150, 40152}:
            self._written_s = self.now_s

    def shown(self) -> Mapping[int, int]:
        """What it was told, it does not tell."""
        return {40149: 0x8000, 40150: 0, 40151: 0xFFFF, 40152: 0xFFFF}

    def power_w(self, scene: Surroundings) -> float:
        """The power it was told, and self-consumption where none counts any more."""
        if scene.time_s - self._written_s > self.FORGETS_LATE_S:
            self.registers[40152] = _INACTIVE
        if self.registers[40152] == _ACTIVE:
            return scene.within(-float(self.signed_long(40149, 40150)))
        return scene.own_use_w
