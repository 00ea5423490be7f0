"""Rows of the device tables that are CAN frames, 11-bit identifiers, little endian."""

import struct
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from holdfast.core.signals import Signal
from holdfast.devices.registers import Finite, Row, check_unique

_STRUCT = {"uint8": "B", "uint16": "H", "int16": "h"}


class CanField(Row):
    """A number in a CAN frame: ``value = raw x scale + plus``, little endian."""

    signal: Signal
    byte: Annotated[int, Field(ge=0, le=7)]
    type: Literal["uint8", "uint16", "int16"]
    scale: Finite = 1.0
    plus: Finite = 0.0

    @property
    def end(self) -> int:
        """First byte behind the field."""
        return self.byte + struct.calcsize(_STRUCT[self.type])

    def decode(self, data: bytes) -> float:
        """Value in the frame's ``data``, which reaches to :attr:`end` at least."""
        (raw,) = struct.unpack_from(f"<{_STRUCT[self.type]}", data, self.byte)
        return float(raw) * self.scale + self.plus


class CanFlag(Row):
    """A signal that is 1 while any of the masked bits is set."""

    signal: Signal
    masks: Annotated[
        dict[Annotated[int, Field(ge=0, le=7)], Annotated[int, Field(ge=1, le=255)]],
        Field(min_length=1),
    ]
    """Bit mask by byte."""

    @property
    def end(self) -> int:
        """First byte behind the flags."""
        return max(self.masks) + 1

    def decode(self, data: bytes) -> float:
        """1 or 0, from the frame's ``data``, which reaches to :attr:`end` at least."""
        return float(any(data[byte] & mask for byte, mask in self.masks.items()))


class CanFrame(Row):
    """One frame of a burst."""

    id: Annotated[int, Field(ge=0, le=0x7FF)]
    optional: bool = False
    """Some packs never send it; a pack that has sent it once must go on."""
    fields: tuple[CanField, ...] = ()
    flags: tuple[CanFlag, ...] = ()

    @model_validator(mode="after")
    def _fits_a_frame(self) -> Self:
        if not self.parts:
            raise ValueError(f"frame 0x{self.id:03X} carries nothing")
        if self.length > 8:
            raise ValueError(
                f"frame 0x{self.id:03X} would need {self.length} bytes, 8 are possible"
            )
        check_unique("signal", [part.signal for part in self.parts])
        return self

    @property
    def parts(self) -> tuple[CanField | CanFlag, ...]:
        """Everything that the frame carries."""
        return (*self.fields, *self.flags)

    @property
    def length(self) -> int:
        """Bytes that the frame has at least."""
        return max(part.end for part in self.parts)

    def decode(self, data: bytes) -> dict[Signal, float]:
        """Values in ``data``. Raises ValueError if the frame is shorter than its table."""
        if len(data) < self.length:
            raise ValueError(
                f"frame 0x{self.id:03X} has {len(data)} bytes, {self.length} are needed"
            )
        return {part.signal: part.decode(data) for part in self.parts}
