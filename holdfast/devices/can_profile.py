"""A BMS on CAN is a table of frames that it broadcasts."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from holdfast.core.commands import Point
from holdfast.core.config.storage import InverterHardware
from holdfast.core.role import Role
from holdfast.core.signals import INFORMATIVE, SIGNALS, Signal
from holdfast.devices.can_frames import CanFrame
from holdfast.devices.device_table import DeviceTable, check_roles
from holdfast.devices.modbus_profile import PointWrite
from holdfast.devices.point_traits import PointTraits
from holdfast.devices.registers import check_unique

LATE_BURSTS = 1.5
"""From so many periods on a burst is late."""


class CanProfile(DeviceTable):
    """Describes a BMS that broadcasts on CAN, 11-bit identifiers, little endian."""

    protocol: Literal["can"]
    roles: tuple[Role]
    burst_period_s: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    """Tells the time between two complete sets of frames."""
    keep_alive_id: Annotated[int, Field(ge=0, le=0x7FF)] | None = None
    """Whoever acts as the inverter sends it with eight zero bytes once a second."""
    frames: Annotated[tuple[CanFrame, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _fits_the_signal_table(self) -> Self:
        check_roles(self.roles, sorted(self.signals))
        slowest = min(SIGNALS[signal].max_age_s for signal in self.signals)
        if self.burst_period_s * LATE_BURSTS > slowest:
            raise ValueError(
                f"burst_period_s {self.burst_period_s:g}: a burst that is late by half would be "
                f"older than the shortest maximum age, {slowest:g} s"
            )
        check_unique("frame", [f"0x{frame.id:03X}" for frame in self.frames])
        return self

    def of(self, *_roles: Role) -> Self:
        """Returns the whole table: who broadcasts on CAN has one role."""
        return self

    def bound(self, _hardware: InverterHardware) -> Self:
        """Returns the table: nothing is written over CAN."""
        return self

    @property
    def signals(self) -> frozenset[Signal]:
        """Returns what this device provides, if it sends every frame of the table."""
        return frozenset(part.signal for frame in self.frames for part in frame.parts)

    @property
    def required(self) -> frozenset[Signal]:
        """Returns what must come before the site may start: all on which safety rests in the frames
        that every pack sends."""
        sent = {part.signal for frame in self.frames if not frame.optional for part in frame.parts}
        return frozenset(sent - INFORMATIVE)

    @property
    def lacks(self) -> dict[Signal, str]:
        """What a BMS does not tell is seen in its frames."""
        return {}

    @property
    def points(self) -> dict[Point, PointWrite]:
        """Nothing is written over CAN."""
        return {}

    @property
    def traits(self) -> dict[Point, PointTraits]:
        """Nothing is written over CAN."""
        return {}
