"""Boxes that speak SunSpec: what their models say, and nothing of a maker's own."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from holdfast.devices.register_image import RawImage
from holdfast.simulation.makers.box import ILLEGAL_VALUE, Box, Refused, Surroundings
from holdfast.simulation.makers.sunspec_map import SimulatedModels

Point = tuple[int, str]
"""A model and the name of a point in it."""


class SunSpecBox(Box):
    """Holds a box whose registers are where its models say."""

    AS_DELIVERED: ClassVar[Mapping[int, int]] = {}
    TAKES: ClassVar[Mapping[Point, int]]
    """Its points that can be written, and what they hold at first."""

    def __init__(self) -> None:
        super().__init__()
        self.models = self.map()
        for (model, name), value in self.TAKES.items():
            self._put(model, name, value)

    @classmethod
    @abstractmethod
    def map(cls) -> SimulatedModels:
        """Returns the models behind the device id of its connection."""

    @property
    def beside(self) -> RawImage:
        """Returns its models, and those behind other device ids."""
        return self.models.registers

    def places(self, *points: Point) -> frozenset[int]:
        """Returns the registers of these points."""
        return frozenset(
            self.models.at(*point) + index
            for point in points
            for index in range(self.models.size(*point))
        )

    def held(self, model: int, name: str) -> int:
        """Returns the raw number that a point holds, with a sign."""
        first = self.models.at(model, name)
        if self.models.size(model, name) == 1:
            return self.signed(first)
        return self.signed_long(first, first + 1)

    def _put(self, model: int, name: str, value: int) -> None:
        first, size = self.models.at(model, name), self.models.size(model, name)
        raw = value & ((1 << 16 * size) - 1)
        for index in range(size):
            self.registers[first + index] = raw >> 16 * (size - 1 - index) & 0xFFFF


class Der704(SunSpecBox):
    """A battery inverter with model 704: without a command it covers the house by itself."""

    TAKES: ClassVar[Mapping[Point, int]] = {
        (704, "WSetEna"): 0, (704, "WSetMod"): 0, (704, "WSet"): 0, (704, "WSetRvrt"): 0,
        (704, "WSetPct"): 0, (704, "WSetEnaRvrt"): 0, (704, "WSetRvrtTms"): 0,
    }  # fmt: skip
    FLAGS: ClassVar[tuple[str, ...]] = ("WSetEna", "WSetMod", "WSetEnaRvrt")

    def __init__(self) -> None:
        super().__init__()
        self._since_s: float | None = None
        """The timer runs since then."""

    @classmethod
    def map(cls) -> SimulatedModels:
        """Its powers are kept in W, and shown in tens of W."""
        return SimulatedModels(
            (701, 702, 703, 704, 713, 714),
            {"W_SF": 1, "WSet_SF": 0, "V_SF": -1, "Hz_SF": -2, "Tmp_SF": -1, "Pct_SF": -1},
        )

    def check(self, written: Mapping[int, int]) -> None:
        """A flag is 0 or 1."""
        flags = self.places(*((704, name) for name in self.FLAGS))
        if any(written[place] > 1 for place in flags.intersection(written)):
            raise Refused(ILLEGAL_VALUE)

    def took(self, written: Mapping[int, int]) -> None:
        """Only enabling winds the timer up."""
        if self.places((704, "WSetEna")).intersection(written):
            self._since_s = self.now_s if self.held(704, "WSetEna") else None

    def power_w(self, scene: Surroundings) -> float:
        """What was set, or what it reverts to."""
        timer_s = self.held(704, "WSetRvrtTms")
        if self._since_s is not None and 0 < timer_s < scene.time_s - self._since_s:
            self._since_s = None
            self._put(704, "WSetEna", self.held(704, "WSetEnaRvrt"))
            self._put(704, "WSet", self.held(704, "WSetRvrt"))
        if not self.held(704, "WSetEna"):
            return scene.own_use_w
        if self.held(704, "WSetMod"):
            return scene.within(-self.held(704, "WSet"))
        return scene.within(-self.held(704, "WSetPct") * scene.discharge_max_w / 100.0)
