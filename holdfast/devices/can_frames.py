"""These rows of the device tables are CAN frames, 11-bit identifiers, little endian."""

import math
import struct
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from holdfast.core.signals import Signal
from holdfast.core.units import NS_PER_MS
from holdfast.devices.registers import (
    NOT_AVAILABLE,
    Finite,
    TableRow,
    check_missing,
    check_unique,
    is_missing,
)

GAP_NS = 50 * NS_PER_MS
"""A silence of this length ends a burst."""

_STRUCT = {"uint8": "B", "uint16": "H", "int16": "h"}
_LOWER_BITS = 0x55
_A_LITTLE_MORE = 1.1


class CanField(TableRow):
    """Describes a number in a CAN frame: ``value = raw x scale + plus``, little endian."""

    signal: Signal
    byte: Annotated[int, Field(ge=0, le=7)]
    type: Literal["uint8", "uint16", "int16"]
    scale: Finite = 1.0
    plus: Finite = 0.0
    magnitude: bool = False
    """The sign means nothing: some packs tell the limit of a discharge as a negative number."""
    up_to: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """A little more than this, a tenth at most, means this: some packs tell 101 % of full. What is
    beyond is no more of it but a mistake, and stays as it is."""
    not_available: tuple[int, ...] | None = None
    """Raw numbers that stand for no value, as in a register's row."""

    @model_validator(mode="after")
    def _missing_can_be_read(self) -> Self:
        check_missing(self.type, self.not_available)
        return self

    @property
    def end(self) -> int:
        """Returns the number of the first byte behind the field."""
        return self.byte + struct.calcsize(_STRUCT[self.type])

    def decode(self, data: bytes) -> float:
        """Returns the value in the frame's ``data``, which reaches to :attr:`end` at least.

        NaN for one that is not available.
        """
        (raw,) = struct.unpack_from(f"<{_STRUCT[self.type]}", data, self.byte)
        missing = NOT_AVAILABLE[self.type] if self.not_available is None else self.not_available
        if is_missing(raw, self.type, missing):
            return math.nan
        value = float(raw) * self.scale + self.plus
        if self.magnitude:
            value = abs(value)
        if self.up_to is None or value > self.up_to * _A_LITTLE_MORE:
            return value
        return min(value, self.up_to)


class CanFlag(TableRow):
    """Describes a signal that is 1 while any of the masked bits is set."""

    signal: Signal
    masks: Annotated[
        dict[Annotated[int, Field(ge=0, le=7)], Annotated[int, Field(ge=1, le=255)]],
        Field(min_length=1),
    ]
    """Maps each byte to its bit mask."""
    paired: bool = False
    """Two bits a flag: 01 is set, 10 is not, and 11 stands for a flag that the pack does not have.
    The masks name the lower bit of each pair."""

    @model_validator(mode="after")
    def _pairs_are_named_by_their_lower_bit(self) -> Self:
        for byte, mask in self.masks.items():
            if self.paired and mask & ~_LOWER_BITS:
                raise ValueError(
                    f"mask 0x{mask:02X} of byte {byte} is not of lower bits alone: "
                    f"those of pairs are 0x{_LOWER_BITS:02X}"
                )
        return self

    @property
    def end(self) -> int:
        """Returns the number of the first byte behind the flags."""
        return max(self.masks) + 1

    def decode(self, data: bytes) -> float:
        """Returns 1 or 0, from the frame's ``data``, which reaches to :attr:`end` at least."""
        return float(any(self._set(data[byte]) & mask for byte, mask in self.masks.items()))

    def _set(self, bits: int) -> int:
        return bits & ~(bits >> 1) if self.paired else bits


class CanFrame(TableRow):
    """Describes one frame of a burst."""

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
        """Returns everything that the frame carries."""
        return (*self.fields, *self.flags)

    @property
    def length(self) -> int:
        """Returns how many bytes the frame has at least."""
        return max(part.end for part in self.parts)

    def decode(self, data: bytes) -> dict[Signal, float]:
        """Returns ``data``'s values; NaN where one is not available.

        An optional frame carries what it has: what does not fit or is not available is absent.
        Raises ValueError if a frame is shorter than all of it, or one that is not optional than
        its table.
        """
        shortest = min(part.end for part in self.parts) if self.optional else self.length
        if len(data) < shortest:
            raise ValueError(f"frame 0x{self.id:03X} has {len(data)} bytes, {shortest} are needed")
        values = {part.signal: part.decode(data) for part in self.parts if part.end <= len(data)}
        if not self.optional:
            return values
        return {signal: value for signal, value in values.items() if not math.isnan(value)}
