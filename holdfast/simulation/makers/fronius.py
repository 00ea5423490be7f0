"""Fronius GEN24: a window for the battery's power by model 124, whose timer ends it."""

from collections.abc import Mapping
from typing import ClassVar

from holdfast.devices.register_image import RawImage
from holdfast.simulation.makers.box import Surroundings
from holdfast.simulation.makers.sunspec import Point, SunSpecBox
from holdfast.simulation.makers.sunspec_map import SimulatedModels

_CHARGE_MAX_W = 6000
"""What it takes for 100 % in both directions."""
_CHARGE, _DISCHARGE = 1, 2
"""Bits of StorCtl_Mod: which end of the window counts."""
_METER_ID = 200


class FroniusGen24(SunSpecBox):
    """Its battery is within OutWRte and InWRte; what it does not take it takes without a word."""

    TAKES: ClassVar[Mapping[Point, int]] = {
        (124, "StorCtl_Mod"): 0, (124, "OutWRte"): 10_000, (124, "InWRte"): 10_000,
        (124, "InOutWRte_RvrtTms"): 0, (124, "ChaGriSet"): 0, (124, "MinRsvPct"): 500,
    }  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._meter = SimulatedModels(
            (203,), {"W_SF": 0, "V_SF": -1, "Hz_SF": -2}, device_id=_METER_ID
        )
        self._commanded_s = 0.0

    @classmethod
    def map(cls) -> SimulatedModels:
        """In the setting int + SF; 0.01 % are the steps of the window."""
        models = SimulatedModels(
            (103, 120, 121, 122, 123, 160, 124),
            {"W_SF": 1, "InOutWRte_SF": -2, "MinRsvPct_SF": -2, "DCW_SF": 0, "DCA_SF": -2,
             "DCV_SF": -1, "ChaState_SF": -2},
            groups=4,
        )  # fmt: skip
        models.put(124, "WChaMax", _CHARGE_MAX_W)
        return models

    @property
    def beside(self) -> RawImage:
        """Returns the models of the inverter, and those of its meter."""
        return self.models.registers | self._meter.registers

    def took(self, written: Mapping[int, int]) -> None:
        """A window, or that it counts, winds the timer up."""
        window = self.places((124, "OutWRte"), (124, "InWRte"), (124, "StorCtl_Mod"))
        if window.intersection(written):
            self._commanded_s = self.now_s

    def power_w(self, scene: Surroundings) -> float:
        """As near to covering the house as the window lets it."""
        timer_s, mode = self.held(124, "InOutWRte_RvrtTms"), self.held(124, "StorCtl_Mod")
        if mode and 0 < timer_s < scene.time_s - self._commanded_s:
            self._put(124, "StorCtl_Mod", 0)
            mode = 0
        power_w = scene.own_use_w
        if mode & _CHARGE:
            power_w = min(power_w, self._share_w("InWRte"))
        if mode & _DISCHARGE:
            power_w = max(power_w, -self._share_w("OutWRte"))
        if not self.held(124, "ChaGriSet"):  # no more than the sun gives
            power_w = min(power_w, scene.pv_w)
        return scene.within(power_w)

    def _share_w(self, name: str) -> float:
        return self.held(124, name) / 10_000 * _CHARGE_MAX_W
