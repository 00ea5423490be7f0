"""These rows of the device tables are CAN frames, and what is sent to be told them."""

import math
import struct
from collections.abc import Mapping
from typing import Annotated, Literal, Self, assert_never

from pydantic import Field, ValidationInfo, field_validator, model_validator

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

STANDARD_IDS, EXTENDED_IDS = 0x7FF, 0x1FFF_FFFF
"""These are the largest identifiers, of 11 and of 29 bits."""
ADDRESS_BITS = 0xF
"""These bits of an identifier are the address of the battery where a table is addressed."""
MOST_BYTES = 8

ByteOrder = Literal["low_first", "high_first"]
"""The order of the bytes that a number takes: little and big endian."""
Byte = Annotated[int, Field(ge=0, le=7)]
Identifier = Annotated[int, Field(ge=0, le=EXTENDED_IDS)]

_STRUCT = {"uint8": "B", "int8": "b", "uint16": "H", "int16": "h", "uint32": "I", "int32": "i"}
_PREFIX: Mapping[ByteOrder, str] = {"low_first": "<", "high_first": ">"}
_LOWER_BITS = 0x55
_A_LITTLE_MORE = 1.1


class CanNumber(TableRow):
    """Tells where a number is in a CAN frame: ``value = raw x scale + plus``."""

    byte: Byte
    type: Literal["uint8", "int8", "uint16", "int16", "uint32", "int32"]
    scale: Finite = 1.0
    plus: Finite = 0.0
    not_available: tuple[int, ...] | None = None
    """Raw numbers that stand for no value, as in a register's row."""

    @model_validator(mode="after")
    def _missing_can_be_read(self) -> Self:
        check_missing(self.type, self.not_available)
        return self

    @property
    def end(self) -> int:
        """Returns the number of the first byte behind the number."""
        return self.byte + struct.calcsize(_STRUCT[self.type])

    def value(self, data: bytes, order: ByteOrder) -> float:
        """Returns the value in the frame's ``data``, which reaches to :attr:`end` at least.

        NaN for one that is not available.
        """
        (raw,) = struct.unpack_from(f"{_PREFIX[order]}{_STRUCT[self.type]}", data, self.byte)
        missing = NOT_AVAILABLE[self.type] if self.not_available is None else self.not_available
        if is_missing(raw, self.type, missing):
            return math.nan
        return float(raw) * self.scale + self.plus


class CanField(CanNumber):
    """Describes a signal that is a number in a CAN frame."""

    signal: Signal
    magnitude: bool = False
    """The sign means nothing: some packs tell the limit of a discharge as a negative number."""
    up_to: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """A little more than this, a tenth at most, means this: some packs tell 101 % of full. What is
    beyond is no more of it but a mistake, and stays as it is."""
    finer: CanNumber | None = None
    """The same once more, with more digits, in frames of packs that have it: it counts while it is
    within one step of the coarse one."""

    def decode(self, data: bytes, order: ByteOrder) -> float:
        """Returns the signal's value in the frame's ``data``, which reaches to :attr:`end`."""
        value = self._with_all_digits(data, order)
        if self.magnitude:
            value = abs(value)
        if self.up_to is None or not value <= self.up_to * _A_LITTLE_MORE:
            return value
        return min(value, self.up_to)

    def _with_all_digits(self, data: bytes, order: ByteOrder) -> float:
        coarse = self.value(data, order)
        if self.finer is None or self.finer.end > len(data):
            return coarse
        fine = self.finer.value(data, order)
        # NaN on either side leaves the coarse one.
        return fine if abs(fine - coarse) <= abs(self.scale) else coarse


class CanFlag(TableRow):
    """Describes a signal that is 1 while any of the masked bits is set, or a byte is a number."""

    signal: Signal
    masks: (
        Annotated[dict[Byte, Annotated[int, Field(ge=1, le=255)]], Field(min_length=1)] | None
    ) = None
    """Maps each byte to its bit mask."""
    byte: Byte | None = None
    equals: (
        Annotated[tuple[Annotated[int, Field(ge=0, le=255)], ...], Field(min_length=1)] | None
    ) = None
    """It is 1 while ``byte`` is one of these, else 0."""
    paired: bool = False
    """Two bits a flag: 01 is set, 10 is not, and 11 stands for a flag that the pack does not have.
    The masks name the lower bit of each pair."""

    @model_validator(mode="after")
    def _is_told_in_one_way(self) -> Self:
        if (self.byte is None) != (self.equals is None):
            raise ValueError("a flag that equals numbers has both, byte and equals")
        if (self.masks is None) == (self.equals is None):
            raise ValueError("a flag has either masks, or byte and equals")
        if self.paired and self.masks is None:
            raise ValueError("a flag that equals numbers has no pairs")
        return self

    @model_validator(mode="after")
    def _pairs_are_named_by_their_lower_bit(self) -> Self:
        for byte, mask in self._masks.items():
            if self.paired and mask & ~_LOWER_BITS:
                raise ValueError(
                    f"mask 0x{mask:02X} of byte {byte} is not of lower bits alone: "
                    f"those of pairs are 0x{_LOWER_BITS:02X}"
                )
        return self

    @property
    def end(self) -> int:
        """Returns the number of the first byte behind the flags."""
        return max(self._masks, default=self.byte or 0) + 1

    def decode(self, data: bytes) -> float:
        """Returns 1 or 0, from the frame's ``data``, which reaches to :attr:`end` at least."""
        if self.equals is not None:
            return float(data[self.end - 1] in self.equals)
        return float(any(self._set(data[byte]) & mask for byte, mask in self._masks.items()))

    @property
    def _masks(self) -> dict[int, int]:
        return self.masks or {}

    def _set(self, bits: int) -> int:
        return bits & ~(bits >> 1) if self.paired else bits


class CanCounter(TableRow):
    """Tells where a frame has a number that its sender changes with every frame."""

    byte: Byte
    mask: Annotated[int, Field(ge=1, le=255)] = 0xFF


class _Addressee(TableRow):
    """Has an identifier, of 11 bits unless it is extended."""

    extended: bool = False
    """The identifier has 29 bits. Not given: as the table says."""
    id: Identifier

    @field_validator("id")
    @classmethod
    def _has_so_many_bits(cls, id_: int, info: ValidationInfo) -> int:
        check_identifier(id_, extended=bool(info.data.get("extended")))
        return id_


class CanAsk(_Addressee):
    """Describes a frame that is sent so that the pack tells its own."""

    data: Annotated[
        tuple[Annotated[int, Field(ge=0, le=255)], ...], Field(max_length=MOST_BYTES)
    ] = ()
    every_s: Annotated[float, Field(ge=0.1, le=60)] = 1.0


class CanFrame(_Addressee):
    """Describes one frame of a burst."""

    byte_order: ByteOrder = "low_first"
    """Not given: as the table says."""
    optional: bool = False
    """Some packs never send it; a pack that has sent it once must go on."""
    fields: tuple[CanField, ...] = ()
    flags: tuple[CanFlag, ...] = ()
    counter: CanCounter | None = None
    """A frame in which it stands still is an old one, sent again by something that has lost its
    pack: it is no news."""

    @model_validator(mode="after")
    def _fits_a_frame(self) -> Self:
        if not self.parts:
            raise ValueError(f"frame 0x{self.id:03X} carries nothing")
        longest = max(self.length, *(field.finer.end for field in self.fields if field.finer), 0)
        if longest > MOST_BYTES:
            raise ValueError(
                f"frame 0x{self.id:03X} would need {longest} bytes, {MOST_BYTES} are possible"
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
        values = {
            part.signal: self._decoded(part, data) for part in self.parts if part.end <= len(data)
        }
        if not self.optional:
            return values
        return {signal: value for signal, value in values.items() if not math.isnan(value)}

    def count_in(self, data: bytes) -> int | None:
        """Returns the counter of ``data``; None if the frame has none, or is too short for it."""
        if self.counter is None or self.counter.byte >= len(data):
            return None
        return data[self.counter.byte] & self.counter.mask

    def of_battery(self, address: int) -> Self:
        """Returns the frame as the battery with this ``address`` sends it."""
        return self.model_copy(update={"id": self.id | address})

    def _decoded(self, part: CanField | CanFlag, data: bytes) -> float:
        match part:
            case CanField():
                return part.decode(data, self.byte_order)
            case CanFlag():
                return part.decode(data)
            case _:
                assert_never(part)


def check_identifier(id_: int, *, extended: bool) -> None:
    """Raises ValueError for one of more than 11 bits, unless it is ``extended``."""
    if id_ > STANDARD_IDS and not extended:
        raise ValueError(
            f"0x{id_:X} is more than 11 bits have, which is 0x{STANDARD_IDS:X} at most; "
            "extended: true is for identifiers of 29"
        )
