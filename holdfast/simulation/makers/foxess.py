"""Fox ESS: remote control by an enable, a timer and a power, which falls back to the work mode."""

from collections.abc import Mapping
from typing import ClassVar

from holdfast.simulation.makers.box import ILLEGAL_VALUE, Box, Refused, Surroundings


class FoxBox(Box):
    """Its remote power is that of the inverter's AC side, + feeding in; the PV comes on top."""

    WORK_MODE: ClassVar[int | None]
    """None: over this connection it cannot be seen, and is self-use."""
    SELF_USE: ClassVar[int] = 0
    """What the work mode is in self-use; feeding in first and back-up follow it."""
    ENABLE: ClassVar[int]
    TIMEOUT_S: ClassVar[int]
    POWER: ClassVar[tuple[int, ...]]

    def __init__(self) -> None:
        super().__init__()
        self._commanded_s = 0.0

    def check(self, written: Mapping[int, int]) -> None:
        """The work mode is one of three, the enable a flag."""
        modes = range(self.SELF_USE, self.SELF_USE + 3)
        work_mode = self.SELF_USE if self.WORK_MODE is None else written.get(self.WORK_MODE)
        if work_mode not in {None, *modes} or written.get(self.ENABLE, 0) > 1:
            raise Refused(ILLEGAL_VALUE)

    def took(self, written: Mapping[int, int]) -> None:
        """Only a power, or the enable itself, winds the timer up."""
        if written.keys() & {self.ENABLE, *self.POWER}:
            self._commanded_s = self.now_s

    def power_w(self, scene: Surroundings) -> float:
        """Remote while the timer runs, else by its work mode."""
        silence_s = scene.time_s - self._commanded_s
        if self.registers[self.ENABLE] and silence_s > self.registers[self.TIMEOUT_S]:
            self.registers[self.ENABLE] = 0
        if self.registers[self.ENABLE]:
            return scene.within(scene.pv_w - self._remote_w())
        mode = self.SELF_USE if self.WORK_MODE is None else self.registers[self.WORK_MODE]
        match mode - self.SELF_USE:
            case 1:  # feed in first: what the sun gives goes out, the battery covers the load
                return scene.within(min(0.0, scene.pv_w - scene.load_w))
            case 2:  # back-up: it is kept full
                return scene.within(max(0.0, scene.pv_w - scene.load_w))
            case _:
                return scene.own_use_w

    def _remote_w(self) -> int:
        first, *more = self.POWER
        return self.signed_long(first, *more) if more else self.signed(first)


class FoxH1(FoxBox):
    """An H1 over its LAN port has the remote control and nothing else to write."""

    WORK_MODE: ClassVar[int | None] = None
    ENABLE, TIMEOUT_S, POWER = 44000, 44001, (44002,)
    AS_DELIVERED: ClassVar[Mapping[int, int]] = {44000: 0, 44001: 0, 44002: 0}
    SINGLE_ONLY = frozenset({44000, 44001})


class FoxH1G2(FoxH1):
    """An H1-G2 shows its work mode as well."""

    WORK_MODE = 41000
    AS_DELIVERED: ClassVar[Mapping[int, int]] = {41000: 0, 44000: 0, 44001: 0, 44002: 0}
    SINGLE_ONLY = frozenset({41000, 44000, 44001})


class FoxH3(FoxBox):
    """An H3 has a power of two registers, the higher word first."""

    WORK_MODE = 41000
    ENABLE, TIMEOUT_S, POWER = 44000, 44001, (44002, 44003)
    AS_DELIVERED: ClassVar[Mapping[int, int]] = {41000: 0, 44000: 0, 44001: 0, 44002: 0, 44003: 0}
    SINGLE_ONLY = frozenset({41000, 44000, 44001})


class FoxH3Pro(FoxBox):
    """An H3-Pro has the same at other places, and counts its work modes from 1."""

    WORK_MODE, SELF_USE = 49203, 1
    ENABLE, TIMEOUT_S, POWER = 46001, 46002, (46003, 46004)
    AS_DELIVERED: ClassVar[Mapping[int, int]] = {
        49203: 1, 46001: 0, 46002: 0, 46003: 0, 46004: 0, 46616: 0, 46617: 30_000,
    }  # fmt: skip

    @property
    def export_limit_w(self) -> float:
        """It always has one."""
        return float(self.signed_long(46616, 46617))
