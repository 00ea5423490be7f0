"""A SunSpec device is a table of points of models; where they are the device tells itself."""

from typing import Literal, Self

from pydantic import Field, PrivateAttr, ValidationError, model_validator

from holdfast.core.commands import Point
from holdfast.core.config.storage import InverterHardware
from holdfast.core.role import Role
from holdfast.core.signals import SIGNALS, Signal
from holdfast.devices.device_table import DeviceTable, Reason
from holdfast.devices.modbus_profile import ModbusProfile
from holdfast.devices.modbus_rows import PointWrite
from holdfast.devices.point_traits import PointTraits
from holdfast.devices.sunspec.binding import (
    Definitions,
    DevicePoints,
    Locator,
    Maps,
    NotBound,
    Outline,
    bound_read,
    bound_verbs,
    check_named,
    named_in,
)
from holdfast.devices.sunspec.rows import SunSpecRead, SunSpecVerbs


class SunSpecProfile(DeviceTable):
    """Describes a device that speaks SunSpec over Modbus."""

    protocol: Literal["sunspec"]
    # What these may be says ModbusProfile, which is made of it.
    poll_period_s: float
    max_age_s: float | None = None
    reads: tuple[SunSpecRead, ...]
    writes: tuple[SunSpecVerbs, ...] = ()
    constants: dict[Signal, float] = Field(default_factory=dict)
    lacks: dict[Signal, Reason] = Field(default_factory=dict)
    longest_read: int = 125
    read_gap: int = 60
    """What is between two points may be read with them: the models have no holes."""
    pause_s: float = 0.0
    connect_pause_s: float = 0.0
    single_client: bool = False

    _outline: ModbusProfile = PrivateAttr()
    _beside: tuple[Role, ...] = PrivateAttr(())
    """What its commands rest on is told in these roles, which are served by another device."""
    _hardware: InverterHardware | None = PrivateAttr(None)

    @model_validator(mode="after")
    def _could_be_bound(self) -> Self:
        self._outline = self._with_places(Outline())
        return self

    @property
    def outline(self) -> ModbusProfile:
        """Returns what it tells and takes, at places where no device has it: for everything that
        does not ask a device."""
        return self._outline

    @property
    def signals(self) -> frozenset[Signal]:
        """Returns what this device provides."""
        return self._outline.signals

    @property
    def required(self) -> frozenset[Signal]:
        """Returns what must come before the site may start."""
        return self._outline.required

    @property
    def traits(self) -> dict[Point, PointTraits]:
        """Returns what the table says of each point that can be written."""
        return self._outline.traits

    @property
    def points(self) -> dict[Point, PointWrite]:
        """Returns what can be written, by point, as the outline has it."""
        return self._outline.points

    @property
    def device_ids(self) -> tuple[int | None, ...]:
        """Returns behind which device ids it has models."""
        found: dict[int | None, None] = {None: None} if self.writes else {}
        found |= {part.device_id: None for row in self.reads for part in row.parts}
        return tuple(found)

    @property
    def model_ids(self) -> frozenset[int]:
        """Returns the numbers of all models that it names."""
        named = named_in((*self.reads, *self.writes))
        return frozenset(number for models, _ in named for number in models)

    def of(self, *roles: Role) -> Self:
        """Returns the part of the table that concerns ``roles``, which must be among its own."""
        outline = self._outline.of(*roles)
        named = {row.signal for row in (*outline.reads, *outline.aside)}
        asked = tuple(role for role in self.roles if role in roles)
        update = {
            "roles": asked,
            "reads": tuple(row for row in self.reads if row.signal in named),
            "writes": tuple(row for row in self.writes if row.point in outline.points),
            "constants": outline.constants,
            "lacks": outline.lacks,
        }
        part = self.model_copy(update=update)
        part._outline = outline  # noqa: SLF001 - a copy of this
        told_by = {SIGNALS[row.signal].producer for row in outline.aside}
        beside = tuple(role for role in self.roles if role in told_by)
        part._beside = beside  # noqa: SLF001
        return part

    def bound(self, hardware: InverterHardware) -> Self:
        """Returns it for one unit: its verbs know the revert timer."""
        part = self.model_copy()
        part._hardware = hardware  # noqa: SLF001 - a copy of this
        part._outline = self._outline.bound(hardware)  # noqa: SLF001
        return part

    def check(self, definitions: Definitions) -> None:
        """Raises NotBound if a model never has what the table names."""
        check_named((*self.reads, *self.writes), definitions)

    def at(self, maps: Maps, definitions: Definitions) -> ModbusProfile:
        """Returns the register table for a device with these models. Raises NotBound, which names
        all that is lacking."""
        locator = DevicePoints(maps, definitions)
        try:
            self._check_there(locator)
            whole = self._with_places(locator)
        except ValidationError as error:
            why = "; ".join(each["msg"].removeprefix("Value error, ") for each in error.errors())
            raise NotBound(f"the table does not go with these models: {why}") from error
        part = whole.of(*self.roles)
        part = part if self._hardware is None else part.bound(self._hardware)
        return part.marked(locator.marks)

    def _check_there(self, locator: Locator) -> None:
        lacking: dict[str, list[str]] = {}
        rows: tuple[SunSpecRead | SunSpecVerbs, ...] = (*self.reads, *self.writes)
        for row in rows:
            try:
                _bound(row, locator)
            except NotBound as error:
                what = row.signal if isinstance(row, SunSpecRead) else row.point
                lacking.setdefault(str(error), []).append(what)
        if lacking:
            raise NotBound(
                "; ".join(f"{why}: no {', '.join(what)}" for why, what in lacking.items())
            )

    def _with_places(self, locator: Locator) -> ModbusProfile:
        return ModbusProfile(
            protocol="modbus",
            name=self.name,
            roles=(*self.roles, *self._beside),
            source=self.source,
            confirmed=self.confirmed,
            guards=self.guards,
            poll_period_s=self.poll_period_s,
            max_age_s=self.max_age_s,
            reads=tuple(bound_read(row, locator) for row in self.reads),
            writes=tuple(bound_verbs(row, locator) for row in self.writes),
            constants=self.constants,
            lacks=self.lacks,
            longest_read=self.longest_read,
            read_gap=self.read_gap,
            pause_s=self.pause_s,
            connect_pause_s=self.connect_pause_s,
            single_client=self.single_client,
        )


def _bound(row: SunSpecRead | SunSpecVerbs, locator: Locator) -> object:
    return bound_read(row, locator) if isinstance(row, SunSpecRead) else bound_verbs(row, locator)
