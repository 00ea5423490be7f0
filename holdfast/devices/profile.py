"""Device profiles: a device is a table. This module reads the tables and codes values by them.

A profile in ``profiles/`` says for each value its address, type and scale, how often it is
read, and whether writing it wears the device out. ``value = raw x scale``; a negative scale
turns the device's sign into ours.
"""

import math
import struct
from functools import cache
from importlib.resources import files
from typing import Annotated, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from holdfast.core.commands import Point
from holdfast.core.errors import ConfigError
from holdfast.core.signals import SIGNALS, Producer, Signal

RawType = Literal["uint8", "uint16", "int16", "uint32", "int32", "bool"]
Table = Literal["holding", "input", "coil", "discrete"]

_STRUCT = {"uint8": "B", "uint16": "H", "int16": "h", "uint32": "I", "int32": "i"}
_MAX_BLOCK = 100
"""Registers per request; the protocol allows 125, some gateways less."""


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RegisterRead(_Row):
    """A signal in a register, coil or discrete input."""

    signal: Signal
    table: Table = "holding"
    address: Annotated[int, Field(ge=0, le=65535)]
    """As on the wire, counted from 0."""
    type: RawType
    scale: float = 1.0

    @property
    def count(self) -> int:
        """Registers (or bits) that the value takes."""
        return 2 if self.type in {"uint32", "int32"} else 1

    def decode(self, words: list[int]) -> float:
        """Value of ``words``, high word first."""
        if self.type == "bool":
            return float(bool(words[0]))
        packed = struct.pack(f">{len(words)}H", *words)
        (raw,) = struct.unpack(f">{_STRUCT[self.type]}", packed)
        return float(raw) * self.scale

    def encode(self, value: float) -> list[int]:
        """Raw words of ``value``, for the simulators. Raises ValueError as the write does."""
        return _encode(value, self.type, self.scale)


class RegisterWrite(_Row):
    """A point that can be written."""

    point: Point
    table: Literal["holding", "coil"] = "holding"
    address: Annotated[int, Field(ge=0, le=65535)]
    type: RawType
    scale: float = 1.0
    function: Literal["single", "multiple"] = "single"
    """Function code 6/5 or 16/15."""
    readback: Signal | None = None
    """Signal that shows what the device has stored."""
    wears_out: bool = False
    """Stored in flash or EEPROM."""

    def encode(self, value: float) -> list[int]:
        """Raw words of ``value``, high word first.

        Raises ValueError for a value that is not finite or does not fit the register.
        """
        return _encode(value, self.type, self.scale)

    def decode(self, words: list[int]) -> float:
        """Value of raw ``words``, for the simulators."""
        if self.type == "bool":
            return float(bool(words[0]))
        packed = struct.pack(f">{len(words)}H", *words)
        return float(struct.unpack(f">{_STRUCT[self.type]}", packed)[0]) * self.scale


class Block(_Row):
    """Neighbouring registers that one request reads."""

    table: Table
    address: int
    count: int
    reads: tuple[RegisterRead, ...]


class ModbusProfile(_Row):
    """A device that speaks Modbus."""

    name: str
    protocol: Literal["modbus"]
    role: Producer
    source: str
    """Where the table comes from."""
    poll_period_s: Annotated[float, Field(ge=0.01, le=10)]
    reads: Annotated[tuple[RegisterRead, ...], Field(min_length=1)]
    writes: tuple[RegisterWrite, ...] = ()

    @model_validator(mode="after")
    def _fits_the_signal_table(self) -> Self:
        _check_role(self.role, [read.signal for read in self.reads])
        slowest = min(SIGNALS[read.signal].max_age_s for read in self.reads)
        if self.poll_period_s * 3 > slowest:
            raise ValueError(
                f"poll_period_s {self.poll_period_s:g} leaves fewer than three polls "
                f"in the shortest maximum age, {slowest:g} s"
            )
        points = [write.point for write in self.writes]
        if len(set(points)) != len(points):
            raise ValueError("a point is written twice")
        return self

    @property
    def signals(self) -> frozenset[Signal]:
        """What this device provides."""
        return frozenset(read.signal for read in self.reads)

    @property
    def points(self) -> dict[Point, RegisterWrite]:
        """What can be written, by point."""
        return {write.point: write for write in self.writes}

    def blocks(self) -> tuple[Block, ...]:
        """The reads, grouped into as few requests as touching addresses allow."""
        blocks: list[Block] = []
        for read in sorted(self.reads, key=lambda row: (row.table, row.address)):
            last = blocks[-1] if blocks else None
            end = read.address + read.count
            if (
                last is not None
                and last.table == read.table
                and read.address <= last.address + last.count
                and end - last.address <= _MAX_BLOCK
            ):
                count = max(last.count, end - last.address)
                update = {"count": count, "reads": (*last.reads, read)}
                blocks[-1] = last.model_copy(update=update)
            else:
                blocks.append(
                    Block(
                        table=read.table, address=read.address, count=read.count, reads=(read,)
                    )
                )
        return tuple(blocks)


class CanField(_Row):
    """A number in a CAN frame: ``value = raw x scale + plus``, little endian."""

    signal: Signal
    byte: Annotated[int, Field(ge=0, le=7)]
    type: Literal["uint8", "uint16", "int16"]
    scale: float = 1.0
    plus: float = 0.0

    @property
    def end(self) -> int:
        """First byte behind the field."""
        return self.byte + struct.calcsize(_STRUCT[self.type])


class CanFlag(_Row):
    """A signal that is 1 while any of the masked bits is set."""

    signal: Signal
    masks: dict[Annotated[int, Field(ge=0, le=7)], Annotated[int, Field(ge=1, le=255)]]
    """Bit mask by byte."""

    @property
    def end(self) -> int:
        """First byte behind the flags."""
        return max(self.masks) + 1


class CanFrame(_Row):
    """One frame of a burst."""

    id: Annotated[int, Field(ge=0, le=0x7FF)]
    fields: tuple[CanField, ...] = ()
    flags: tuple[CanFlag, ...] = ()

    def decode(self, data: bytes) -> dict[Signal, float]:
        """Values in ``data``. Raises ValueError if the frame is shorter than its table."""
        needed = max(part.end for part in (*self.fields, *self.flags))
        if len(data) < needed:
            raise ValueError(f"frame 0x{self.id:03X} has {len(data)} bytes, {needed} are needed")
        values = {
            field.signal: struct.unpack_from(f"<{_STRUCT[field.type]}", data, field.byte)[0]
            * field.scale
            + field.plus
            for field in self.fields
        }
        for flag in self.flags:
            active = any(data[byte] & mask for byte, mask in flag.masks.items())
            values[flag.signal] = float(active)
        return values


class CanProfile(_Row):
    """A BMS that broadcasts on CAN, 11-bit identifiers, little endian."""

    name: str
    protocol: Literal["can"]
    role: Producer
    source: str
    burst_period_s: Annotated[float, Field(gt=0, le=10)]
    """Time between two complete sets of frames."""
    keep_alive_id: Annotated[int, Field(ge=0, le=0x7FF)] | None = None
    """Sent with eight zero bytes once a second by whoever acts as the inverter."""
    frames: Annotated[tuple[CanFrame, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _fits_the_signal_table(self) -> Self:
        _check_role(self.role, sorted(self.signals))
        ids = [frame.id for frame in self.frames]
        if len(set(ids)) != len(ids):
            raise ValueError("a frame is listed twice")
        return self

    @property
    def signals(self) -> frozenset[Signal]:
        """What this device provides, if it sends every frame of the table."""
        return frozenset(
            part.signal for frame in self.frames for part in (*frame.fields, *frame.flags)
        )

    @property
    def points(self) -> dict[Point, RegisterWrite]:
        """Nothing is written over CAN."""
        return {}


Profile = ModbusProfile | CanProfile
_ADAPTER: TypeAdapter[Profile] = TypeAdapter(
    Annotated[ModbusProfile | CanProfile, Field(discriminator="protocol")]
)


def profile_names() -> tuple[str, ...]:
    """Names of all profiles that come with Holdfast."""
    folder = files("holdfast.devices") / "profiles"
    return tuple(
        sorted(
            entry.name.removesuffix(".yaml")
            for entry in folder.iterdir()
            if entry.name.endswith(".yaml")
        )
    )


@cache
def load_profile(name: str) -> Profile:
    """The profile called ``name``. Raises ConfigError if there is none or it is wrong."""
    if name not in profile_names():
        raise ConfigError(f"there is no profile {name!r}; known are {', '.join(profile_names())}")
    text = (files("holdfast.devices") / "profiles" / f"{name}.yaml").read_text(encoding="utf-8")
    return parse_profile(text, source=f"{name}.yaml")


def parse_profile(text: str, *, source: str) -> Profile:
    """Check the text of a profile. Raises ConfigError that names what is wrong."""
    try:
        return _ADAPTER.validate_python(yaml.safe_load(text))
    except (yaml.YAMLError, ValidationError) as error:
        raise ConfigError(f"{source}: {error}") from error


def _check_role(role: Producer, signals: list[Signal]) -> None:
    for signal in signals:
        if SIGNALS[signal].producer is not role:
            raise ValueError(f"{signal} is produced by {SIGNALS[signal].producer}, not by {role}")


def _encode(value: float, type_: RawType, scale: float) -> list[int]:
    if not math.isfinite(value):
        raise ValueError(f"{value} cannot be written")
    if type_ == "bool":
        return [int(value != 0)]
    raw = round(value / scale)
    try:
        packed = struct.pack(f">{_STRUCT[type_]}", raw)
    except struct.error as error:
        raise ValueError(f"{value:g} does not fit {type_} with scale {scale:g}") from error
    return list(struct.unpack(f">{len(packed) // 2}H", packed))
