"""Device profiles: a device is a table. This module reads the tables and codes values by them.

A profile in ``profiles/`` says for each value its address, type and scale, how often it is
read, and whether writing it wears the device out. ``value = raw x scale``; a negative scale
turns the device's sign into ours.
"""

from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import Field, TypeAdapter, model_validator

from holdfast.core.commands import Point
from holdfast.core.errors import ConfigError
from holdfast.core.signals import SIGNALS, Producer, Signal
from holdfast.devices.can_frames import CanField, CanFlag, CanFrame
from holdfast.devices.registers import (
    Block,
    RegisterRead,
    RegisterWrite,
    Row,
    Table,
    check_unique,
)

__all__ = [
    "Block",
    "CanField",
    "CanFlag",
    "CanFrame",
    "CanProfile",
    "ModbusProfile",
    "Profile",
    "RegisterRead",
    "RegisterWrite",
    "Table",
    "load_profile",
    "parse_profile",
    "profile_names",
]

_UNLIMITED = {
    Point.SETPOINT_W: "it is written anew all the time, or the inverter reverts to 0 W",
    Point.LOAD_ON: "it is written anew all the time, or the switch goes off",
    Point.CONTACTOR: "whether it opens must not depend on how often it did",
    Point.PRECHARGE: "whether it opens must not depend on how often it did",
}
"""Points that take no write budget, and why."""
_MAX_BLOCK = 100
"""Registers per request; the protocol allows 125, some gateways less."""


class ModbusProfile(Row):
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
        check_unique("signal", [read.signal for read in self.reads])
        check_unique("point", [write.point for write in self.writes])
        for write in self.writes:
            if write.writes_per_day is not None and write.point in _UNLIMITED:
                raise ValueError(f"{write.point} cannot wear out: {_UNLIMITED[write.point]}")
            if write.readback is not None and write.readback not in self.signals:
                raise ValueError(f"readback {write.readback} of {write.point} is not read")
        return self

    @property
    def signals(self) -> frozenset[Signal]:
        """What this device provides."""
        return frozenset(read.signal for read in self.reads)

    @property
    def required(self) -> frozenset[Signal]:
        """What must come before the site may start: all of it."""
        return self.signals

    @property
    def budgets(self) -> dict[Point, int]:
        """Writes a day, by the points that wear out."""
        budgets = {write.point: write.writes_per_day for write in self.writes}
        return {point: budget for point, budget in budgets.items() if budget is not None}

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
                    Block(table=read.table, address=read.address, count=read.count, reads=(read,))
                )
        return tuple(blocks)


class CanProfile(Row):
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
        check_unique("frame", [f"0x{frame.id:03X}" for frame in self.frames])
        return self

    @property
    def signals(self) -> frozenset[Signal]:
        """What this device provides, if it sends every frame of the table."""
        return frozenset(part.signal for frame in self.frames for part in frame.parts)

    @property
    def required(self) -> frozenset[Signal]:
        """What must come before the site may start: the frames that every pack sends."""
        return frozenset(
            part.signal for frame in self.frames if not frame.optional for part in frame.parts
        )

    @property
    def points(self) -> dict[Point, RegisterWrite]:
        """Nothing is written over CAN."""
        return {}

    @property
    def budgets(self) -> dict[Point, int]:
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
        return _ADAPTER.validate_python(yaml.load(text, Loader=_Loader))
    except (yaml.YAMLError, ValueError) as error:  # a ValidationError is a ValueError
        raise ConfigError(f"{source}: {error}") from error


def _check_role(role: Producer, signals: list[Signal]) -> None:
    for signal in signals:
        if SIGNALS[signal].producer is not role:
            raise ValueError(f"{signal} is produced by {SIGNALS[signal].producer}, not by {role}")


class _Loader(yaml.SafeLoader):
    """A second key of the same name would silently win otherwise."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - the library's signature
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        if len(set(keys)) != len(keys):
            raise yaml.YAMLError(f"line {node.start_mark.line + 1}: a key is written twice")
        return super().construct_mapping(node, deep)
