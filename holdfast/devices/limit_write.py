"""A limit that a device keeps is told in a list of writes: what it is, and that it is in force."""

import math
from collections.abc import Iterable
from typing import Literal, Self

from pydantic import model_validator

from holdfast.core.commands import Point
from holdfast.core.signals import Signal
from holdfast.devices.point_traits import PointTraits
from holdfast.devices.register_image import LastShown, RawImage, WriteRequest
from holdfast.devices.stepped_write import SteppedWrite, Steps, check_joined, shows
from holdfast.devices.verb_step import VerbStep

NO_LIMIT_W = float(0xFFFF_FFFF)
"""A device on which no limit is in force shows this one."""


class LimitWrite(SteppedWrite):
    """Describes an export limit that takes more than one register."""

    point: Literal[Point.EXPORT_LIMIT_W]
    readback: Literal[Signal.EXPORT_LIMIT_READBACK_W]
    limit: Steps

    @model_validator(mode="after")
    def _can_be_told(self) -> Self:
        check_joined("limit", self.limit)
        told = [step.value for step in self.limit if isinstance(step.value, str)]
        if told != ["power"]:
            has = " and ".join(told) or "no power"
            raise ValueError(f"limit: it has {has}; one power, and numbers beside, would be right")
        if self._of_power.of_rated:
            raise ValueError("limit: of_rated is of a battery, and no share of what is exported")
        return self

    @property
    def lists(self) -> Iterable[tuple[VerbStep, ...]]:
        """Returns what a limit writes."""
        return (self.limit,)

    @property
    def signal(self) -> Signal:
        """Returns the signal that shows the limit in force."""
        return self.readback

    @property
    def resolution(self) -> float:
        """Returns the step between two limits, in W."""
        return self._of_power.resolution

    @property
    def step(self) -> float:
        """Returns 0: it keeps every limit that it can be told."""
        return 0.0

    def kept(self, value: float) -> float:
        """Returns what the device keeps of a limit in W: of its steps, never more."""
        return PointTraits(step=self.resolution).kept(value)

    def requests(self, value: float, held: LastShown) -> tuple[WriteRequest, ...]:
        """Returns what is to be sent for a limit in W, as :meth:`requests_of`."""
        if not 0.0 <= value < math.inf:
            raise ValueError(f"{value} W is no limit of what is exported")
        return self.requests_of(self.limit, value, held)

    def value(self, image: RawImage) -> float:
        """Returns the limit in W that is in force on a device which shows ``image``."""
        return self._of_power.value_in(image) if shows(self.limit, image) else NO_LIMIT_W

    @property
    def _of_power(self) -> VerbStep:
        return next(step for step in self.limit if step.value == "power")
