"""The rows of a SunSpec table name points of models where other tables have addresses."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from holdfast.core.commands import Point
from holdfast.core.signals import Signal
from holdfast.devices.registers import Finite, TableRow
from holdfast.devices.verb_step import StepValue, Verb


def _several(value: object) -> object:
    """Lets one model stand without brackets."""
    return (value,) if isinstance(value, int) else value


Models = Annotated[
    tuple[Annotated[int, Field(ge=1, lt=0xFFFF)], ...],
    BeforeValidator(_several),
    Field(min_length=1),
]


class SunSpecPoint(TableRow):
    """Names a number of a model."""

    model: Models
    """The first of these that the device has."""
    point: Annotated[str, Field(min_length=1)]
    """Its name there; in a group that comes several times ``module[3].DCW``, from 1 on."""
    scale: Finite = 1.0
    """Its power of ten is taken from the device; this is beyond it, for signs and shares."""
    not_available: tuple[int, ...] | None = None
    """None: what SunSpec says of its type."""
    device_id: Annotated[int, Field(ge=0, le=255)] | None = None
    """Another device id behind the same connection, which has models of its own."""


class SunSpecRead(SunSpecPoint):
    """Describes a signal."""

    signal: Signal
    also: tuple[SunSpecPoint, ...] = ()
    """Added to it."""
    per: SunSpecPoint | None = None
    """Divides it."""
    equals: Annotated[tuple[int, ...], Field(min_length=1)] | None = None
    mask: Annotated[int, Field(ge=1, le=0xFFFF_FFFF)] | None = None

    @property
    def parts(self) -> tuple[SunSpecPoint, ...]:
        """Returns every point that it is told in."""
        return (self, *self.also, *(() if self.per is None else (self.per,)))


class SunSpecStep(TableRow):
    """Describes one point that a verb writes."""

    model: Models
    point: Annotated[str, Field(min_length=1)]
    value: StepValue
    scale: Finite = 1.0
    share_of: str | None = None
    """The power is a share of this point of the same model, and scale is one of the share: 0.01
    where the point counts percents."""
    joined: bool = False
    stored: bool = False
    shown: bool = True


class SunSpecVerbs(TableRow):
    """Describes a setpoint that is told in points of models."""

    point: Literal[Point.SETPOINT_W]
    readback: Literal[Signal.SETPOINT_READBACK_W]
    step: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    """A device that keeps powers in longer steps, W, is refused its commands."""
    verbs: Mapping[Verb, Annotated[tuple[SunSpecStep, ...], Field(min_length=1)]]
    writes_per_day: Annotated[int, Field(ge=1)] | None = None
    refresh_s: Annotated[float, Field(gt=0, le=60)] | None = None
