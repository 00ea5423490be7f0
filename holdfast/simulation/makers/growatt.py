"""Growatt's hybrids: SPH with modes and slots, MOD and TL-XH with time slots, VPP protocol."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from holdfast.simulation.makers.box import ILLEGAL_VALUE, Box, Refused, Surroundings

_GRID_RATE, _GRID_STOP, _GRID_SLOT = 1070, 1071, (1080, 1081, 1082)
_BATTERY_RATE, _BATTERY_STOP, _FROM_GRID, _BATTERY_SLOT = 1090, 1091, 1092, (1100, 1101, 1102)
_SWITCHES = frozenset({_FROM_GRID, _GRID_SLOT[2], _BATTERY_SLOT[2]})
_PERCENTS = frozenset({_GRID_RATE, _GRID_STOP, _BATTERY_RATE, _BATTERY_STOP})


class GrowattSph(Box):
    """It is battery first or grid first within a slot, load first else. No time of day is kept: a
    slot that is on and not empty is now."""

    AS_DELIVERED: ClassVar[Mapping[int, int]] = {
        _GRID_RATE: 100, _GRID_STOP: 10, **dict.fromkeys(_GRID_SLOT, 0),
        _BATTERY_RATE: 100, _BATTERY_STOP: 100, _FROM_GRID: 0, **dict.fromkeys(_BATTERY_SLOT, 0),
    }  # fmt: skip

    def check(self, written: Mapping[int, int]) -> None:
        """A switch is a flag, a rate or a state of charge a percentage."""
        if any(
            word > (1 if place in _SWITCHES else 100)
            for place, word in written.items()
            if place in _SWITCHES | _PERCENTS
        ):
            raise Refused(ILLEGAL_VALUE)

    def write(self, address: int, words: Sequence[int], *, multiple: bool) -> None:
        """It forgets, without a word, what is written to a slot one by one, and a slot of one mode
        while the other has one."""
        held = dict(self.registers)
        super().write(address, words, multiple=multiple)
        places = set(range(address, address + len(words)))
        for slot in (_GRID_SLOT, _BATTERY_SLOT):
            touched = places.intersection(slot)
            alone = bool(touched) and not (multiple and (len(touched) == 3 or slot[2] in touched))
            if alone or (touched and self._is_on(_GRID_SLOT) and self._is_on(_BATTERY_SLOT)):
                self.registers |= {place: held[place] for place in slot}

    def _is_on(self, slot: tuple[int, int, int]) -> bool:
        start, end, switch = (self.registers[place] for place in slot)
        return bool(switch) and start < end

    def power_w(self, scene: Surroundings) -> float:
        """Battery first charges up to its stop, from the grid whatever its switch says, and does
        not discharge; grid first goes to its stop from either side; load first knows none."""
        charge_w = scene.charge_max_w * self.registers[_BATTERY_RATE] / 100.0
        soc_pct = round(scene.soc_pct)
        if self._is_on(_BATTERY_SLOT):
            return charge_w if soc_pct < self.registers[_BATTERY_STOP] else 0.0
        if self._is_on(_GRID_SLOT):
            if soc_pct > self.registers[_GRID_STOP]:
                return -scene.discharge_max_w * self.registers[_GRID_RATE] / 100.0
            return charge_w if soc_pct < self.registers[_GRID_STOP] else 0.0
        return scene.own_use_w


_DISCHARGE_RATE, _SLOT, _CHARGE_RATE, _STOP, _LEAVE = 3036, (3038, 3039), 3047, 3048, 3049
_FLOOR, _STOP_FROM_GRID, _DEAD = 3067, 3312, (1071, 1091)
_ON, _BATTERY_FIRST, _GRID_FIRST = 0x8000, 0x2000, 0x4000


class GrowattMod(Box):
    """Its first time slot says what it is first, by the bits of its start; the others are off. No
    time of day is kept: a slot that is on and not empty is now."""

    AS_DELIVERED: ClassVar[Mapping[int, int]] = {
        _DISCHARGE_RATE: 100, _SLOT[0]: 0, _SLOT[1]: 0, _CHARGE_RATE: 100, _STOP: 100, _LEAVE: 0,
        _FLOOR: 10, _STOP_FROM_GRID: 100, **dict.fromkeys(_DEAD, 0),
    }  # fmt: skip

    def check(self, written: Mapping[int, int]) -> None:
        """A slot comes whole; rates go from 1 on."""
        in_slot = written.keys() & set(_SLOT)
        rates = [written[place] for place in (_DISCHARGE_RATE, _CHARGE_RATE) if place in written]
        stops = [written[place] for place in (_STOP, _FLOOR, _STOP_FROM_GRID) if place in written]
        if (
            len(in_slot) == 1
            or any(not 1 <= rate <= 100 for rate in rates)
            or max(stops, default=0) > 100
        ):
            raise Refused(ILLEGAL_VALUE)

    def write(self, address: int, words: Sequence[int], *, multiple: bool) -> None:
        """It forgets, without a word, what is written to its slots while it has no leave to charge
        from the grid, and to the SPH's stops at any time."""
        held = dict(self.registers)
        super().write(address, words, multiple=multiple)
        forgotten = _DEAD if self.registers[_LEAVE] else (*_DEAD, *_SLOT)
        self.registers |= {place: held[place] for place in forgotten}

    def power_w(self, scene: Surroundings) -> float:
        """Its floor holds in every mode but battery first: below it, it charges up to it."""
        held, soc_pct = self.registers, round(scene.soc_pct)
        charge_w = scene.charge_max_w * held[_CHARGE_RATE] / 100.0
        start, end = held[_SLOT[0]], held[_SLOT[1]]
        is_now = bool(start & _ON) and start & 0x1FFF < end
        if is_now and start & _BATTERY_FIRST:
            if soc_pct >= held[_STOP]:
                return 0.0
            from_grid = soc_pct < held[_STOP_FROM_GRID]
            return charge_w if from_grid else min(charge_w, max(0.0, scene.pv_w - scene.load_w))
        if soc_pct < held[_FLOOR]:
            return charge_w
        lowest_w = -scene.discharge_max_w if soc_pct > held[_FLOOR] else 0.0
        if is_now and start & _GRID_FIRST:
            return lowest_w * held[_DISCHARGE_RATE] / 100.0
        highest_w = scene.charge_max_w if soc_pct < held[_STOP] else 0.0
        return max(lowest_w, min(highest_w, scene.own_use_w))


_AUTHORITY, _REMOTE, _MINUTES, _PERCENT, _AC_CHARGE = 30100, 30407, 30408, 30409, 30410
_HIGHEST = {_AUTHORITY: 1, _REMOTE: 1, _MINUTES: 1440, _AC_CHARGE: 2}


class GrowattVpp(Box):
    """It takes a percentage of the battery's rated power, if it is remote and has authority."""

    AS_DELIVERED: ClassVar[Mapping[int, int]] = {
        _AUTHORITY: 0, _REMOTE: 0, _MINUTES: 0, _PERCENT: 0, _AC_CHARGE: 0,
    }  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self.ends = False
        """Its minutes end the command; of real ones some did, and some did not."""
        self._commanded_s = 0.0

    def check(self, written: Mapping[int, int]) -> None:
        """Flags, minutes and percents have their ranges."""
        percent = written.get(_PERCENT, 0)
        too_high = any(written.get(place, 0) > high for place, high in _HIGHEST.items())
        if too_high or 100 < percent < 0x10000 - 100:
            raise Refused(ILLEGAL_VALUE)

    def took(self, written: Mapping[int, int]) -> None:
        """Its minutes begin as it is set remote."""
        if written.get(_REMOTE):
            self._commanded_s = self.now_s

    def power_w(self, scene: Surroundings) -> float:
        """What ended still stands in its registers."""
        percent, minutes = self.signed(_PERCENT), self.registers[_MINUTES]
        if not self.registers[_AUTHORITY]:
            return scene.own_use_w
        if not self.registers[_REMOTE]:
            return 0.0
        is_over = bool(minutes) and scene.time_s - self._commanded_s > minutes * 60.0
        if percent == 0 or (self.ends and is_over):
            return scene.own_use_w
        if abs(percent) == 1:
            return 0.0
        if percent < 0:
            return scene.discharge_max_w * percent / 100.0
        charge_w = scene.charge_max_w * percent / 100.0
        return charge_w if self.registers[_AC_CHARGE] else min(charge_w, scene.pv_w)
