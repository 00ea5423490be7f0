"""Device profiles: a device is a table. This module reads the tables and codes values by them.

A profile in ``profiles/`` says for each value its address, type and scale, how often it is
read, and whether writing it wears the device out. ``value = raw x scale``; a negative scale
turns the device's sign into ours.
"""

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from holdfast.core.commands import Point
from holdfast.core.config.device import is_file
from holdfast.core.errors import ConfigError
from holdfast.core.mistakes import in_words
from holdfast.core.role import Role
from holdfast.core.signals import INFORMATIVE, SIGNALS, Signal
from holdfast.core.strict_yaml import parse_yaml
from holdfast.core.texts import MAX_REASON
from holdfast.devices.can_frames import CanField, CanFlag, CanFrame
from holdfast.devices.point_traits import PointTraits
from holdfast.devices.registers import (
    RegisterBlock,
    RegisterRead,
    RegisterWrite,
    Table,
    TableRow,
    check_unique,
)
from holdfast.devices.roles import ROLE_OF
from holdfast.safety.goals import Goal

__all__ = [
    "CanField",
    "CanFlag",
    "CanFrame",
    "CanProfile",
    "ModbusProfile",
    "Profile",
    "RegisterBlock",
    "RegisterRead",
    "RegisterWrite",
    "Table",
    "load_profile",
    "parse_profile",
    "profile_names",
]

Guards = dict[Goal, Annotated[str, Field(min_length=3, max_length=MAX_REASON)]]
"""What a device guards by itself, each with where that is written."""
Roles = Annotated[tuple[Role, ...], Field(min_length=1)]
"""What a device does for a site: an integrated hybrid is inverter, BMS and meter at once."""
MAY_BE_SLOW = frozenset({Role.INVERTER})
"""What it tells may be older, at less power. A contactor or an emergency input cannot wait, a BMS
has five seconds anyway, and with an old value of the meter the site would swing."""
LATE_BURSTS = 1.5
"""From so many periods on a burst is late."""
_UNLIMITED = {
    Point.SETPOINT_W: "it is written anew all the time, or the inverter reverts to 0 W",
    Point.LOAD_ON: "it is written anew all the time, or the switch goes off",
    Point.CONTACTOR: "whether it opens must not depend on how often it did",
    Point.PRECHARGE: "whether it opens must not depend on how often it did",
}
"""These points take no write budget; each has its reason."""
_MAX_BLOCK = 100
"""A request reads so many registers at most; the protocol allows 125, some gateways less."""


class ModbusProfile(TableRow):
    """Describes a device that speaks Modbus."""

    name: str
    protocol: Literal["modbus"]
    roles: Roles
    source: str
    """Tells where the table comes from."""
    guards: Guards = Field(default_factory=dict)
    """What it guards by itself."""
    poll_period_s: Annotated[float, Field(ge=0.01, le=10)]
    max_age_s: Annotated[float, Field(gt=0, le=60)] | None = None
    """So old may the values of a slow inverter be; beyond the usual age the power is
    derated. None: they are lost at the usual age."""
    reads: Annotated[tuple[RegisterRead, ...], Field(min_length=1)]
    writes: tuple[RegisterWrite, ...] = ()

    @model_validator(mode="after")
    def _fits_the_signal_table(self) -> Self:
        _check_roles(self.roles, [read.signal for read in self.reads])
        if self.max_age_s is not None and not MAY_BE_SLOW.intersection(self.roles):
            raise ValueError(f"max_age_s: the usual age holds for a {self.roles[0]}, slow or not")
        slowest = min(SIGNALS[read.signal].max_age_s for read in self.reads)
        if self.max_age_s is not None:
            slowest = max(slowest, self.max_age_s)
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
            role = ROLE_OF[write.point]
            if role not in self.roles:
                raise ValueError(f"{write.point} is taken by {role}, not by {_listed(self.roles)}")
        return self

    def of(self, *roles: Role) -> Self:
        """Returns the part of the table that concerns ``roles``, which must be among its own."""
        update = {
            "roles": tuple(role for role in self.roles if role in roles),
            "reads": tuple(read for read in self.reads if SIGNALS[read.signal].producer in roles),
            "writes": tuple(write for write in self.writes if ROLE_OF[write.point] in roles),
        }
        return self.model_copy(update=update)

    @property
    def signals(self) -> frozenset[Signal]:
        """Returns what this device provides."""
        return frozenset(read.signal for read in self.reads)

    @property
    def required(self) -> frozenset[Signal]:
        """Returns what must come before the site may start: all on which safety rests."""
        return self.signals - INFORMATIVE

    @property
    def traits(self) -> dict[Point, PointTraits]:
        """Returns what the table says of each point that can be written."""
        return {
            write.point: PointTraits(
                step=self._step(write),
                writes_per_day=write.writes_per_day,
            )
            for write in self.writes
        }

    def _step(self, write: RegisterWrite) -> float:
        """Returns the coarsest of what a point is written in, kept in, and shown in."""
        shown = [read.resolution for read in self.reads if read.signal is write.readback]
        return max(write.resolution, write.step, *shown)

    @property
    def points(self) -> dict[Point, RegisterWrite]:
        """Returns what can be written, by point."""
        return {write.point: write for write in self.writes}

    def blocks(self) -> tuple[RegisterBlock, ...]:
        """Returns the reads, grouped into as few requests as touching addresses allow."""
        blocks: list[RegisterBlock] = []
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
                    RegisterBlock(
                        table=read.table, address=read.address, count=read.count, reads=(read,)
                    )
                )
        return tuple(blocks)


class CanProfile(TableRow):
    """Describes a BMS that broadcasts on CAN, 11-bit identifiers, little endian."""

    name: str
    protocol: Literal["can"]
    roles: tuple[Role]
    source: str
    guards: Guards = Field(default_factory=dict)
    """What it guards by itself."""
    burst_period_s: Annotated[float, Field(gt=0, le=10)]
    """Tells the time between two complete sets of frames."""
    keep_alive_id: Annotated[int, Field(ge=0, le=0x7FF)] | None = None
    """Whoever acts as the inverter sends it with eight zero bytes once a second."""
    frames: Annotated[tuple[CanFrame, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _fits_the_signal_table(self) -> Self:
        _check_roles(self.roles, sorted(self.signals))
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
    def points(self) -> dict[Point, RegisterWrite]:
        """Nothing is written over CAN."""
        return {}

    @property
    def traits(self) -> dict[Point, PointTraits]:
        """Nothing is written over CAN."""
        return {}


Profile = ModbusProfile | CanProfile
_ADAPTER: TypeAdapter[Profile] = TypeAdapter(
    Annotated[ModbusProfile | CanProfile, Field(discriminator="protocol")]
)


def profile_names() -> tuple[str, ...]:
    """Returns the names of all profiles that come with Holdfast."""
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
    """Returns the profile called ``name``, or that in a file of the owner's.

    Raises ConfigError if there is none or it is wrong.
    """
    if is_file(name):
        return parse_profile(_text_of(name), source=name)
    if name not in profile_names():
        raise ConfigError(
            f"there is no profile {name!r}; known are {', '.join(profile_names())}, and a table of "
            "your own is named as a file, ./my_table.yaml"
        )
    text = (files("holdfast.devices") / "profiles" / f"{name}.yaml").read_text(encoding="utf-8")
    return parse_profile(text, source=f"{name}.yaml")


def _text_of(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"profile {path}: cannot be read: {error}") from error


def parse_profile(text: str, *, source: str) -> Profile:
    """Checks the text of a profile. Raises ConfigError that names what is wrong, and its line."""
    try:
        return _ADAPTER.validate_python(parse_yaml(text))
    except ConfigError as error:
        raise ConfigError(f"{source}: {error}") from error
    except ValidationError as error:
        raise ConfigError(in_words(error, source, text)) from error


def _check_roles(roles: tuple[Role, ...], signals: list[Signal]) -> None:
    check_unique("role", list(roles))
    for signal in signals:
        producer = SIGNALS[signal].producer
        if producer not in roles:
            raise ValueError(f"{signal} is produced by {producer}, not by {_listed(roles)}")
    for role in roles:
        if not any(SIGNALS[signal].producer is role for signal in signals):
            raise ValueError(f"roles: nothing that it reads is produced by {role}")


def _listed(roles: tuple[Role, ...]) -> str:
    return " or ".join(roles)
