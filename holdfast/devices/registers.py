"""Rows of the device tables that are registers: where a number is and how it is coded."""

import math
import struct
from collections.abc import Callable, Sequence
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from holdfast.core.commands import Point
from holdfast.core.signals import Signal

RawType = Literal["uint16", "int16", "uint32", "int32", "bool"]
Table = Literal["holding", "input", "coil", "discrete"]
Finite = Annotated[float, Field(allow_inf_nan=False)]

_BIT_TABLES = frozenset({"coil", "discrete"})
_STRUCT = {"uint16": "H", "int16": "h", "uint32": "I", "int32": "i"}


class Row(BaseModel):
    """Base of every table row: complete, unchangeable, without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Register(Row):
    """Where a number is and how it is coded."""

    table: Table = "holding"
    address: Annotated[int, Field(ge=0, le=65535)]
    """As on the wire, counted from 0."""
    type: RawType
    scale: Finite = 1.0

    @model_validator(mode="after")
    def _can_be_coded(self) -> Self:
        if self.scale == 0:
            raise ValueError("scale 0 makes every value 0")
        if self.table in _BIT_TABLES and self.type != "bool":
            raise ValueError(f"a {self.table} is a bool, not {self.type}")
        if self.address + self.count > 65536:
            raise ValueError(f"{self.type} at {self.address} ends behind the last register")
        return self

    @property
    def count(self) -> int:
        """Registers (or bits) that the value takes."""
        return 2 if self.type in {"uint32", "int32"} else 1

    def decode(self, words: list[int]) -> float:
        """Value of raw ``words``, high word first."""
        if self.type == "bool":
            return float(bool(words[0]))
        packed = struct.pack(f">{len(words)}H", *words)
        (raw,) = struct.unpack(f">{_STRUCT[self.type]}", packed)
        return float(raw) * self.scale

    def encode(self, value: float) -> list[int]:
        """Raw words of ``value``, high word first.

        Raises ValueError for a value that is not finite or does not fit the register.
        """
        return _encode(value, self.type, self.scale)


class RegisterRead(Register):
    """A signal in a register, coil or discrete input."""

    signal: Signal


class RegisterWrite(Register):
    """A point that can be written."""

    point: Point
    table: Literal["holding", "coil"] = "holding"
    function: Literal["single", "multiple"] = "single"
    """Function code 6/5 or 16/15."""
    readback: Signal | None = None
    """Signal that shows what the device has stored."""
    writes_per_day: Annotated[int, Field(ge=1)] | None = None
    """Stored in flash or EEPROM, which wear out: written on change only, and so often a day at
    most. None: it does not wear out, and is written anew as a heartbeat."""

    def encode(self, value: float) -> list[int]:
        """Raw words of ``value``, rounded towards zero: a register never holds more than was
        permitted.

        Raises ValueError for a value that is not finite or does not fit the register.
        """
        return _encode(value, self.type, self.scale, _towards_zero)

    @model_validator(mode="after")
    def _function_takes_it(self) -> Self:
        if self.count > 1 and self.function == "single":
            raise ValueError(f"{self.type} takes two registers: function must be multiple")
        return self


class Block(Row):
    """Neighbouring registers that one request reads."""

    table: Table
    address: int
    count: int
    reads: tuple[RegisterRead, ...]


def check_unique(what: str, names: Sequence[str]) -> None:
    """Raise ValueError that names what is in ``names`` more than once."""
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{what} listed twice: {', '.join(twice)}")


def _towards_zero(raw: float) -> int:
    # 0.3 / 0.1 is a hair below 3.
    return math.trunc(raw * (1.0 + 1e-12))


def _encode(
    value: float, type_: RawType, scale: float, rounded: Callable[[float], int] = round
) -> list[int]:
    if not math.isfinite(value):
        raise ValueError(f"{value} cannot be written")
    if type_ == "bool":
        if value not in {0.0, 1.0}:
            raise ValueError(f"{value:g} is neither 0 nor 1")
        return [int(value)]
    try:
        packed = struct.pack(f">{_STRUCT[type_]}", rounded(value / scale))
    except (struct.error, OverflowError) as error:
        raise ValueError(f"{value:g} does not fit {type_} with scale {scale:g}") from error
    return list(struct.unpack(f">{len(packed) // 2}H", packed))
