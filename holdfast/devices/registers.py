"""Registers are rows of the device tables: they tell where a number is and how it is coded."""

import math
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from holdfast.core.commands import Point
from holdfast.core.signals import Signal
from holdfast.devices.register_image import LastShown, Place, RawImage, Table, WriteRequest

RawType = Literal["uint16", "int16", "uint32", "int32", "float32", "bool"]
Finite = Annotated[float, Field(allow_inf_nan=False)]

_BIT_TABLES = frozenset({"coil", "discrete"})
_STRUCT = {"uint16": "H", "int16": "h", "uint32": "I", "int32": "i", "float32": "f"}

_BITS = {"bool": 1, "uint8": 8, "int8": 8, "uint16": 16, "int16": 16, "uint32": 32, "int32": 32}
NOT_AVAILABLE: Mapping[str, tuple[int, ...]] = {
    "bool": (),
    "uint8": (0xFF,),
    "int8": (0x80,),
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
    device_id: Annotated[int, Field(ge=0, le=255)] | None = None
    """Another device id behind the same connection, as gateways have them. None: its own."""

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
    def places(self) -> tuple[Place, ...]:
        """Returns where its words are, in the order of their addresses."""
        addresses = range(self.address, self.address + self.count)
        return tuple((self.device_id, self.table, address) for address in addresses)

    @property
    def run(self) -> tuple[Place, ...]:
        """Returns neighbouring places that have to be read at once to know its value."""
        return self.places

    def power_of_ten(self, _image: RawImage) -> float:
        """Returns what the device itself multiplies it by, beyond ``scale``: here nothing."""
        return 1.0

    def value_in(self, image: RawImage) -> float:
        """Returns the value that ``image`` shows; NaN if it is not available. Raises KeyError."""
        return self.decode(self.words_in(image)) * self.power_of_ten(image)

    def words_in(self, image: RawImage) -> list[int]:
        """Returns its words of ``image``, as they came. Raises KeyError if they are not in it."""
        return [image[place] for place in self.places]

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

    def encode_towards_zero(self, value: float) -> list[int]:
        """Returns the raw words of ``value``, rounded towards zero: never more than was permitted.

        Raises ValueError for a value that is not finite or does not fit the register.
        """
        return self._ordered(_encode(value, self.type, self.scale, towards_zero))

    def _ordered(self, words: list[int]) -> list[int]:
        return words[::-1] if self.words == "low_first" else words


class Part(Register):
    """Describes a number in registers that may stand for no value."""

    not_available: tuple[int, ...] | None = None
    """Raw numbers that stand for no value, with their sign or as bits: 0x8000 and -32768 are one
    int16. None: those that are usual for the type; a list of its own where a device has others, an
    empty one where every number is a value."""
    plus: Finite = 0.0
    """Added to it after scaling: a temperature that is told from -100 °C on has -100."""

    @model_validator(mode="after")
    def _missing_can_be_read(self) -> Self:
        check_missing(self.type, self.not_available)
        return self

    def decode(self, words: list[int]) -> float:
        """Returns the value of raw ``words``, as they came; NaN if it is not available."""
        missing = self._usual() if self.not_available is None else self.not_available
        if is_missing(self._raw(words), self.type, missing):
            return math.nan
        return super().decode(words) + self.plus

    def encode(self, value: float) -> list[int]:
        """Returns the raw words of ``value``, as :meth:`Register.encode`."""
        return super().encode(value - self.plus)

    def _usual(self) -> tuple[int, ...]:
        return NOT_AVAILABLE[self.type]


class RegisterRead(Part):
    """Describes a signal in a register, coil or discrete input, or in several registers."""

    signal: Signal
    also: tuple[Part, ...] = ()
    """Added to it: a device that tells charging and discharging apart has the second with a
    negative scale."""
    per: Part | None = None
    """Divides it: a device that tells power and voltage, and no current."""
    equals: Annotated[tuple[int, ...], Field(min_length=1)] | None = None
    """It is a flag: 1 while the raw number is one of these, else 0."""
    mask: Annotated[int, Field(ge=1, le=0xFFFF_FFFF)] | None = None
    """It is a flag: 1 while one of these bits is set, else 0."""

    @model_validator(mode="after")
    def _is_a_number_or_a_flag(self) -> Self:
        told = [name for name in ("equals", "mask") if getattr(self, name) is not None]
        scaled = self.scale != 1.0 or self.plus != 0.0
        if told and (len(told) > 1 or self.also or self.per or scaled):
            raise ValueError(f"{told[0]} makes a flag of it, which has no other number to it")
        return self

    @property
    def parts(self) -> tuple[Part, ...]:
        """Returns every register that it is told in, its own first."""
        return (self, *self.also, *(() if self.per is None else (self.per,)))

    @property
    def runs(self) -> tuple[tuple[Place, ...], ...]:
        """Returns the registers that have to be read for it."""
        return tuple(part.run for part in self.parts)

    def value(self, image: RawImage) -> float:
        """Returns what ``image`` tells of it; NaN if any of it is not available.

        Raises KeyError if the image has not all of it.
        """
        number = sum(part.value_in(image) for part in (self, *self.also))
        if self.per is None:
            return number
        divisor = self.per.value_in(image)
        return number / divisor if divisor != 0.0 else math.nan

    def decode(self, words: list[int]) -> float:
        """Returns the value, or the flag, of the raw ``words`` of its own register."""
        value = super().decode(words)
        if math.isnan(value):
            return value
        if self.equals is not None:
            return float(self._raw(words) in self.equals)
        return value if self.mask is None else float(bool(int(value) & self.mask))

    def _usual(self) -> tuple[int, ...]:
        return () if self.signal in _ANY_NUMBER else super()._usual()


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
    refresh_s: Annotated[float, Field(gt=0, le=60)] | None = None
    """The device forgets it after a while: it is written anew so often. None: as usual."""

    def encode(self, value: float) -> list[int]:
        """Returns the raw words of ``value``, as :meth:`encode_towards_zero`."""
        return self.encode_towards_zero(value)

    def kept(self, value: float) -> float:
        """Returns what the device keeps of ``value``. Raises ValueError if it cannot be coded."""
        return self.decode(self.encode(value))

    def requests(self, value: float, _held: LastShown) -> tuple[WriteRequest, ...]:
        """Returns what is to be sent for ``value``. Raises ValueError if it cannot be coded."""
        return (
            WriteRequest(
                device_id=self.device_id,
                table=self.table,
                address=self.address,
                words=tuple(self.encode(value)),
                function=self.function,
            ),
        )

    @model_validator(mode="after")
    def _function_takes_it(self) -> Self:
        if self.count > 1 and self.function == "single":
            raise ValueError(f"{self.type} takes two registers: function must be multiple")
        return self


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
