"""This module says what a storage unit loses, and where PV stands, as plans reckon with it.

Nothing that keeps the site safe rests on it: that goes by ``inverter_hardware``.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Self

from pydantic import Field, model_validator

from holdfast.core.config.section import NotNegative, Positive, Section

MOST_POINTS = 20


class EfficiencyPoint(Section):
    """A point of the curve in a data sheet or test report."""

    power_pct: Annotated[float, Field(gt=0, le=100)]
    """AC power, of the most in that direction (``inverter_hardware``)."""
    efficiency_pct: Annotated[float, Field(ge=20, le=100)]
    """One way, at that power."""


EfficiencyCurve = Annotated[tuple[EfficiencyPoint, ...], Field(max_length=MOST_POINTS)]


class Losses(Section):
    """How much is lost, where that is known better than by one efficiency."""

    charge: EfficiencyCurve = ()
    """From AC to the battery, by power, the lowest first. Empty: ``efficiency_pct`` at full power.
    Below the first point the loss falls to ``standby_w``, above the last its efficiency holds."""
    discharge: EfficiencyCurve = ()
    """From the battery to AC, likewise."""
    standby_w: NotNegative = 0.0
    """The inverter takes it from the battery while it is on and delivers nothing."""
    taper_from_pct: Annotated[float, Field(ge=50, lt=100)] | None = None
    """From this state of charge on the battery takes less and less. None: it takes all."""
    taper_to_pct: Annotated[float, Field(gt=0, lt=100)] = 10.0
    """When full it takes so much of ``charge_power_max_w``; a straight line leads there."""

    @model_validator(mode="after")
    def _curves_rise(self) -> Self:
        for name, points in (("charge", self.charge), ("discharge", self.discharge)):
            for low, high in pairwise(points):
                if not low.power_pct < high.power_pct:
                    raise ValueError(
                        f"{name}: power_pct must rise from point to point, and {high.power_pct:g} "
                        f"comes after {low.power_pct:g}"
                    )
        for low, high in pairwise(self.charge):
            if not _charged(low) < _charged(high):
                raise ValueError(f"charge: {_no_gain(low, high)} puts no more into the battery")
        for low, high in pairwise(self.discharge):
            if not _drawn(low) < _drawn(high):
                raise ValueError(f"discharge: {_no_gain(low, high)} takes no more from the battery")
        return self

    @property
    def are_known(self) -> bool:
        """Says whether the inverter's loss is known better than by one efficiency."""
        return bool(self.charge or self.discharge or self.standby_w > 0.0)


def points_of(points: Sequence[EfficiencyPoint], rated_pct: float) -> list[EfficiencyPoint]:
    """Returns ``points`` up to full power; without any, ``rated_pct`` at full power."""
    last_pct = points[-1].efficiency_pct if points else rated_pct
    if points and points[-1].power_pct == 100.0:
        return list(points)
    return [*points, EfficiencyPoint(power_pct=100.0, efficiency_pct=last_pct)]


def _charged(point: EfficiencyPoint) -> float:
    return point.power_pct * point.efficiency_pct


def _drawn(point: EfficiencyPoint) -> float:
    return point.power_pct / point.efficiency_pct


def _no_gain(low: EfficiencyPoint, high: EfficiencyPoint) -> str:
    return (
        f"{high.efficiency_pct:g} % at {high.power_pct:g} % of the power, after "
        f"{low.efficiency_pct:g} % at {low.power_pct:g} %,"
    )


class Hybrid(Section):
    """PV and battery stand behind one inverter."""

    ac_max_w: Positive
    """Most that this inverter gives to AC, or takes from it, PV and battery together."""
    pv_to_battery_pct: Annotated[float, Field(gt=50, le=100)] | None = None
    """What of the modules' power reaches the battery without passing AC. None: as from AC."""
