"""Registers are rows of the device tables: they tell where a number is and how it is coded."""

import math
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from holdfast.core.commands import Point
from holdfast.core.signals import Signal

RawType = Literal["uint16", "int16", "uint32", "int32", "float32", "bool"]
Table = Literal["holding", "input", "coil", "discrete"]
Finite = Annotated[float, Field(allow_inf_nan=False)]

_BIT_TABLES = frozenset({"coil", "discrete"})
_STRUCT = {"uint16": "H", "int16": "h", "uint32": "I", "int32": "i", "float32": "f"}

_BITS = {"bool": 1, "uint8": 8, "uint16": 16, "int16": 16, "uint32": 32, "int32": 32}
NOT_AVAILABLE: Mapping[str, tuple[int, ...]] = {
    "bool": (),
    "uint8": (0xFF,),
    "uint16": (0xFFFF,),
    "int16": (0x8000,),
    "uint32": (0xFFFF_FFFF,),
    "int32": (0x8000_0000,),
    "float32": (),
}
"""Raw numbers that stand for no value at all, as SunSpec, SMA and most others have them."""
_ANY_NUMBER = frozenset({Signal.EXPORT_LIMIT_READBACK_W})
"""Of these every raw number is a value, unless a table says otherwise: all ones are some devices'
word for no limit."""


class TableRow(BaseModel):
    """Every table row derives from it: complete, unchangeable, without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Register(TableRow):
    """Tells where a number is and how it is coded."""

    table: Table = "holding"
    address: Annotated[int, Field(ge=0, le=65535)]
    """Counts from 0, as on the wire."""
    type: RawType
    words: Literal["high_first", "low_first"] = "high_first"
    """The order of the two registers that a number of 32 bits takes."""
    scale: Finite = 1.0

    @model_validator(mode="after")
    def _can_be_coded(self) -> Self:
        if self.scale == 0:
            raise ValueError("scale 0 makes every value 0")
        if self.table in _BIT_TABLES and self.type != "bool":
            raise ValueError(f"a {self.table} is a bool, not {self.type}")
        if self.words == "low_first" and self.count == 1:
            raise ValueError(f"a {self.type} has one word: there is no order of words")
        if self.address + self.count > 65536:
            raise ValueError(f"{self.type} at {self.address} ends behind the last register")
        return self

    @property
    def count(self) -> int:
        """Returns how many registers (or bits) the value takes."""
        return 2 if self.type in {"uint32", "int32", "float32"} else 1

    @property
    def resolution(self) -> float:
        """Returns the smallest step between two values; 0 where every number can be told."""
        return 0.0 if self.type == "float32" else abs(self.scale)

    def decode(self, words: list[int]) -> float:
        """Returns the value of raw ``words``, as they came. It may be NaN or infinite."""
        return float(self._raw(words)) * self.scale

    def _raw(self, words: list[int]) -> float:
        if self.type == "bool":
            return int(bool(words[0]))
        packed = struct.pack(f">{len(words)}H", *self._ordered(words))
        (raw,) = struct.unpack(f">{_STRUCT[self.type]}", packed)
        return float(raw) if self.type == "float32" else int(raw)

    def encode(self, value: float) -> list[int]:
        """Returns the raw words of ``value``, as they are sent.

        Raises ValueError for a value that is not finite or does not fit the register.
        """
        return self._ordered(_encode(value, self.type, self.scale, round))

    def _ordered(self, words: list[int]) -> list[int]:
        return words[::-1] if self.words == "low_first" else words


class RegisterRead(Register):
    """Describes a signal in a register, coil or discrete input."""

    signal: Signal
    not_available: tuple[int, ...] | None = None
    """Raw numbers that stand for no value, with their sign or as bits: 0x8000 and -32768 are one
    int16. None: those that are usual for the type; a list of its own where a device has others, an
    empty one where every number is a value."""

    @model_validator(mode="after")
    def _missing_can_be_read(self) -> Self:
        check_missing(self.type, self.not_available)
        return self

    def decode(self, words: list[int]) -> float:
        """Returns the value of raw ``words``, as they came; NaN if it is not available."""
        usual = () if self.signal in _ANY_NUMBER else NOT_AVAILABLE[self.type]
        missing = usual if self.not_available is None else self.not_available
        if is_missing(self._raw(words), self.type, missing):
            return math.nan
        return super().decode(words)


class RegisterWrite(Register):
    """Describes a point that can be written."""

    point: Point
    table: Literal["holding", "coil"] = "holding"
    function: Literal["single", "multiple"] = "single"
    """Tells whether the function code is 6/5 or 16/15."""
    readback: Signal | None = None
    """Names the signal that shows what the device has stored."""
    step: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    """The device keeps multiples of it only, in the point's unit; to be told where that is coarser
    than the scale, such as 100 where a power is stored in W but kept in hundreds of them."""
    writes_per_day: Annotated[int, Field(ge=1)] | None = None
    """It is stored in flash or EEPROM, which wear out: written on change only, and so often a day
    at most. None: it does not wear out, and is written anew as a heartbeat."""

    def encode(self, value: float) -> list[int]:
        """Returns the raw words of ``value``, rounded towards zero: never more than was permitted.

        Raises ValueError for a value that is not finite or does not fit the register.
        """
        return self._ordered(_encode(value, self.type, self.scale, towards_zero))

    @model_validator(mode="after")
    def _function_takes_it(self) -> Self:
        if self.count > 1 and self.function == "single":
            raise ValueError(f"{self.type} takes two registers: function must be multiple")
        return self


class RegisterBlock(TableRow):
    """Holds neighbouring registers that one request reads."""

    table: Table
    address: int
    count: int
    reads: tuple[RegisterRead, ...]


def check_unique(what: str, names: Sequence[str]) -> None:
    """Raises ValueError that names what is in ``names`` more than once."""
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{what} listed twice: {', '.join(twice)}")


def check_missing(type_: str, missing: Sequence[int] | None) -> None:
    """Raises ValueError that names the first of ``missing`` that a raw number cannot be."""
    if not missing:
        return
    if type_ == "float32":
        raise ValueError("not_available: what is no number is not available in a float32 anyway")
    size = 1 << _BITS[type_]
    low, high = -(size >> 1) if type_.startswith("int") else 0, size - 1
    for number in missing:
        if not low <= number <= high:
            raise ValueError(f"not_available {number} is no {type_}: those are {low} to {high}")


def is_missing(raw: float, type_: str, missing: Sequence[int]) -> bool:
    """Says whether ``raw`` is one of ``missing``, each with its sign or as bits."""
    return any((raw - number) % (1 << _BITS[type_]) == 0 for number in missing)


def towards_zero(raw: float) -> int:
    """Returns ``raw`` as the whole number that a register holds: never more than was permitted."""
    # 0.3 / 0.1 is a hair below 3.
    return math.trunc(raw * (1.0 + 1e-12))


def _encode(
    value: float, type_: RawType, scale: float, rounded: Callable[[float], int]
) -> list[int]:
    if not math.isfinite(value):
        raise ValueError(f"{value} cannot be written")
    if type_ == "bool":
        if value not in {0.0, 1.0}:
            raise ValueError(f"{value:g} is neither 0 nor 1")
        return [int(value)]
    raw = value / scale
    try:
        packed = (
            _packed_float(raw, rounded)
            if type_ == "float32"
            else struct.pack(f">{_STRUCT[type_]}", rounded(raw))
        )
    except (struct.error, OverflowError) as error:
        raise ValueError(f"{value:g} does not fit {type_} with scale {scale:g}") from error
    return list(struct.unpack(f">{len(packed) // 2}H", packed))


def _packed_float(raw: float, rounded: Callable[[float], int]) -> bytes:
    """Returns the nearest number of 32 bits, or the next one towards zero where that is asked."""
    packed = struct.pack(">f", raw)
    (nearest,) = struct.unpack(">f", packed)
    if rounded is towards_zero and abs(nearest) > abs(raw):
        packed = struct.pack(">I", int.from_bytes(packed, "big") - 1)
    return packed
