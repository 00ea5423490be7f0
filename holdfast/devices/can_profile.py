"""A BMS on CAN is a table of frames that it broadcasts."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from holdfast.core.commands import Point
from holdfast.core.config.storage import InverterHardware
from holdfast.core.role import Role
from holdfast.core.signals import INFORMATIVE, SIGNALS, Signal
from holdfast.devices.can_frames import (
    ADDRESS_BITS,
    ByteOrder,
    CanAsk,
    CanFrame,
    Identifier,
    check_identifier,
)
from holdfast.devices.device_table import DeviceTable, check_roles
from holdfast.devices.modbus_rows import PointWrite
from holdfast.devices.point_traits import PointTraits
from holdfast.devices.registers import check_unique

LATE_BURSTS = 1.5
"""From so many periods on a burst is late."""


class CanProfile(DeviceTable):
    """Describes a BMS that tells of itself on CAN, by itself or when it is asked."""

    protocol: Literal["can"]
    extended: bool = False
    """Identifiers have 29 bits; a frame may say otherwise."""
    byte_order: ByteOrder = "low_first"
    """The order of the bytes of a number: low_first is little endian. A frame may say otherwise."""
    addressed: bool = False
    """The last four bits of the identifiers are the battery's address. The rows have 0 there."""
    roles: tuple[Role]
    burst_period_s: Annotated[float, Field(gt=0)]
    """Tells the time between two complete sets of frames."""
    keep_alive_id: Identifier | None = None
    """Whoever acts as the inverter sends it with eight zero bytes once a second."""
    asks: tuple[CanAsk, ...] = ()
    """Whoever acts as the inverter sends these, so that the battery tells its frames."""
    frames: Annotated[tuple[CanFrame, ...], Field(min_length=1)]

    @model_validator(mode="before")
    @classmethod
    def _rows_follow_the_table(cls, content: object) -> object:
        if not isinstance(content, dict):
            return content
        frames = _following(content.get("frames"), _said(content, "extended", "byte_order"))
        asks = _following(content.get("asks"), _said(content, "extended"))
        rows = {"frames": frames, "asks": asks}
        return content | {key: value for key, value in rows.items() if key in content}

    @field_validator("keep_alive_id")
    @classmethod
    def _has_so_many_bits(cls, id_: int | None, info: ValidationInfo) -> int | None:
        if id_ is not None:
            check_identifier(id_, extended=bool(info.data.get("extended")))
        return id_

    @field_validator("frames")
    @classmethod
    def _leave_room_for_the_address(
        cls, frames: tuple[CanFrame, ...], info: ValidationInfo
    ) -> tuple[CanFrame, ...]:
        for frame in frames:
            if info.data.get("addressed") and frame.id & ADDRESS_BITS:
                raise ValueError(
                    f"frame 0x{frame.id:X}: in a table that is addressed its last digit is 0"
                )
        return frames

    @model_validator(mode="after")
    def _fits_the_signal_table(self) -> Self:
        check_roles(self.roles, self.signals)
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

    def at(self, address: int) -> Self:
        """Returns the table of the battery with this ``address``.

        Raises ValueError if batteries of this table have none and it is not 0.
        """
        if not self.addressed:
            if address:
                raise ValueError(f"address {address}: its batteries have none")
            return self
        frames = tuple(frame.of_battery(address) for frame in self.frames)
        return self.model_copy(update={"frames": frames})

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


def _said(content: Mapping[str, Any], *keys: str) -> dict[str, object]:
    return {key: content[key] for key in keys if key in content}


def _following(rows: object, said: dict[str, object]) -> object:
    """Hands what the table says to those of its ``rows`` that say nothing else."""
    if not isinstance(rows, list | tuple):
        return rows
    return [said | row if isinstance(row, dict) else row for row in rows]
