"""A Modbus device is a table of registers: what it tells and takes, and how it is to be asked.

``value = raw x scale``; a negative scale turns the device's sign into ours.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PrivateAttr, field_validator, model_validator

from holdfast.core.commands import Point
from holdfast.core.config.storage import InverterHardware
from holdfast.core.data_store import Told
from holdfast.core.device_mode import NO_MODE, PLANNED
from holdfast.core.role import Role
from holdfast.core.signals import INFORMATIVE, SIGNALS, Signal
from holdfast.core.units import ns_from_s
from holdfast.devices.block_plan import RegisterBlock, plan_blocks
from holdfast.devices.device_table import DeviceTable, Reason, check_roles, listed
from holdfast.devices.modbus_rows import (
    ListWrite,
    PointWrite,
    ReadRow,
    Teller,
    WriteRow,
    hint_of,
)
from holdfast.devices.mode_write import ModeWrite
from holdfast.devices.own_rule import with_own_rule
from holdfast.devices.point_traits import PointTraits
from holdfast.devices.register_image import Place, RawImage
from holdfast.devices.registers import RegisterRead, RegisterWrite, check_unique
from holdfast.devices.roles import MAY_LACK, ROLE_OF
from holdfast.devices.stepped_write import SteppedWrite
from holdfast.devices.verbs import VerbWrite

MAY_BE_SLOW = frozenset({Role.INVERTER})
"""What it tells may be older, at less power. A contactor or an emergency input cannot wait, a BMS
has five seconds anyway, and with an old value of the meter the site would swing."""
_UNLIMITED = {
    Point.SETPOINT_W: "it is written anew all the time, or the inverter reverts to 0 W",
    Point.LOAD_ON: "it is written anew all the time, or the switch goes off",
    Point.CONTACTOR: "whether it opens must not depend on how often it did",
    Point.PRECHARGE: "whether it opens must not depend on how often it did",
}
"""These points take no write budget; each has its reason."""


class ModbusProfile(DeviceTable):
    """Describes a device that speaks Modbus."""

    protocol: Literal["modbus"]
    poll_period_s: Annotated[float, Field(ge=0.01, le=10)]
    max_age_s: Annotated[float, Field(gt=0, le=60)] | None = None
    """So old may the values of a slow inverter be; beyond the usual age the power is
    derated. None: they are lost at the usual age."""
    reads: Annotated[tuple[ReadRow, ...], Field(min_length=1)]
    writes: tuple[WriteRow, ...] = ()
    constants: dict[Signal, float] = Field(default_factory=dict)
    """What it does not tell and is always so, such as a revert timer that cannot be set."""
    lacks: dict[Signal, Reason] = Field(default_factory=dict)
    """What a device in its role should tell and this one does not, and why."""
    longest_read: Annotated[int, Field(ge=1, le=125)] = 100
    """A request reads so many registers at most; the protocol allows 125, some gateways less."""
    read_gap: Annotated[int, Field(ge=0, le=100)] = 0
    """So many registers that nobody wants may be read with their neighbours."""
    pause_s: Annotated[float, Field(ge=0, le=1)] = 0.0
    """The device has to be left alone so long between two requests."""
    connect_pause_s: Annotated[float, Field(ge=0, le=5)] = 0.0
    """It takes so long after a connection until it answers."""
    single_client: bool = False
    """It talks to one client at a time: polls and commands share one connection, and the watchdog
    connects only once the controller is gone."""

    _aside: tuple[RegisterRead, ...] = PrivateAttr(())
    _marks: Mapping[Place, int] = PrivateAttr(default_factory=dict)

    @field_validator("writes")
    @classmethod
    def _can_be_given_back(cls, writes: tuple[PointWrite, ...]) -> tuple[PointWrite, ...]:
        return with_own_rule(writes)

    @model_validator(mode="after")
    def _fits_the_signal_table(self) -> Self:
        check_roles(self.roles, self.signals)
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
        told = [read.signal for read in self.reads]
        told += [write.readback for write in self._stepped]
        check_unique("signal", [*told, *self.constants, *self.lacks])
        check_unique("point", [write.point for write in self.writes])
        self._check_constants()
        self._check_lacks()
        self._check_rests()
        self._check_modes()
        for write in self.writes:
            self._check_write(write)
        for row in self.tellers:
            if any(len(run) > self.longest_read for run in row.runs):
                raise ValueError(f"{row.signal} is longer than longest_read")
        return self

    def _check_constants(self) -> None:
        for signal, value in self.constants.items():
            if not SIGNALS[signal].is_plausible(value):
                raise ValueError(f"constants: {signal} cannot be {value:g}")

    def _check_lacks(self) -> None:
        for signal in self.lacks:
            if signal not in MAY_LACK:
                may = ", ".join(MAY_LACK)
                raise ValueError(f"lacks: {signal} cannot be done without; what can is {may}")

    def _check_rests(self) -> None:
        told = {read.signal for read in self.reads}
        for write in self._stepped:
            if lacking := write.rests_on - told:
                raise ValueError(f"verbs: they rest on {', '.join(lacking)}, which is not read")

    def _check_modes(self) -> None:
        verbs = (write for write in self.writes if isinstance(write, VerbWrite))
        setpoint = next(verbs, None)
        for write in self.writes:
            if isinstance(write, ModeWrite):
                if setpoint is None:
                    raise ValueError("modes: only where the setpoint is told in verbs")
                write.check_apart_from(setpoint)

    def _check_write(self, write: PointWrite) -> None:
        if write.writes_per_day is not None and write.point in _UNLIMITED:
            forgotten = Signal.REVERT_TIMEOUT_READBACK_S in self.lacks
            if write.point is not Point.SETPOINT_W or not forgotten:
                raise ValueError(f"{write.point} cannot wear out: {_UNLIMITED[write.point]}")
        if write.readback is not None and write.readback not in self.signals:
            raise ValueError(f"readback {write.readback} of {write.point} is not read")
        role = ROLE_OF[write.point]
        if role not in self.roles:
            raise ValueError(f"{write.point} is taken by {role}, not by {listed(self.roles)}")

    def of(self, *roles: Role) -> Self:
        """Returns the part of the table that concerns ``roles``, which must be among its own."""
        writes = tuple(write for write in self.writes if ROLE_OF[write.point] in roles)
        stepped = (write for write in writes if isinstance(write, SteppedWrite))
        rests_on = {signal for write in stepped for signal in write.rests_on}
        update = {
            "roles": tuple(role for role in self.roles if role in roles),
            "reads": tuple(read for read in self.reads if SIGNALS[read.signal].producer in roles),
            "writes": writes,
            "constants": _of(roles, self.constants),
            "lacks": _of(roles, self.lacks),
        }
        part = self.model_copy(update=update)
        part._aside = tuple(  # noqa: SLF001 - a copy of this
            read
            for read in self.reads
            if SIGNALS[read.signal].producer not in roles and read.signal in rests_on
        )
        return part

    def bound(self, hardware: InverterHardware) -> Self:
        """Returns it for one unit: its verbs know the rated powers and the revert timer."""
        writes = tuple(
            write.bound(
                charge_w=hardware.charge_power_max_w,
                discharge_w=hardware.discharge_power_max_w,
                revert_s=float(round(hardware.revert_timeout_s)),
            )
            if not isinstance(write, RegisterWrite)
            else write
            for write in self.writes
        )
        return self.model_copy(update={"writes": writes})

    def in_pieces(self, longest: int) -> Self:
        """Returns it for a wire that hands over so many registers at once: none is read that
        nobody wants. Raises ValueError if more of them belong together."""
        if any(len(run) > longest for row in self.tellers for run in row.runs):
            raise ValueError(f"it reads more registers together than the {longest} of this wire")
        return self.model_copy(update={"longest_read": longest, "read_gap": 0})

    @property
    def marks(self) -> Mapping[Place, int]:
        """Returns words that the device holds as long as its registers are where they were."""
        return self._marks

    def marked(self, marks: Mapping[Place, int]) -> Self:
        """Returns it for a device that holds these words, or else is not what it was."""
        marked = self.model_copy()
        marked._marks = dict(marks)  # noqa: SLF001 - a copy of this
        return marked

    def moved(self, image: RawImage) -> bool:
        """Says whether ``image`` shows that the registers stand for something else by now."""
        return any(image.get(place, word) != word for place, word in self._marks.items())

    @property
    def aside(self) -> tuple[RegisterRead, ...]:
        """Returns what is read because a command rests on it, and is told by another device."""
        return self._aside

    @property
    def _stepped(self) -> tuple[ListWrite, ...]:
        return tuple(write for write in self.writes if not isinstance(write, RegisterWrite))

    @property
    def signals(self) -> frozenset[Signal]:
        """Returns what this device provides."""
        told = {read.signal for read in self.reads} | {one.readback for one in self._stepped}
        return frozenset(told | self.constants.keys())

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
                refresh_ns=None if write.refresh_s is None else ns_from_s(write.refresh_s),
                whole_w=write.whole_w if isinstance(write, VerbWrite) else None,
                follows_pv=Signal.PV_POWER_W in self.rests_on(write.point),
                modes=frozenset(write.modes if isinstance(write, ModeWrite) else PLANNED),
            )
            for write in self.writes
        }

    def _step(self, write: PointWrite) -> float:
        """Returns the coarsest of what a point is written in, kept in, and shown in."""
        shown = [read.resolution for read in self.reads if read.signal is write.readback]
        return max(write.resolution, write.step, *shown)

    @property
    def points(self) -> dict[Point, PointWrite]:
        """Returns what can be written, by point."""
        return {write.point: write for write in self.writes}

    def blocks(self) -> tuple[RegisterBlock, ...]:
        """Returns what is read in a poll, in as few requests as the device permits."""
        return self._blocks_of((*self.tellers, *self.aside))

    def blocks_of(self, signal: Signal) -> tuple[RegisterBlock, ...]:
        """Returns what is read for ``signal`` alone; nothing for one that is not read."""
        rows = (*self.tellers, *self.aside)
        return self._blocks_of(row for row in rows if row.signal is signal)

    def value_of(self, signal: Signal, image: RawImage, pv_w: float = 0.0) -> float:
        """Returns what these blocks tell of ``signal``; NaN if it is not available."""
        rows = (*self.tellers, *self.aside)
        found = (self._value(row, image, pv_w) for row in rows if row.signal is signal)
        return next(found, self.constants.get(signal, math.nan))

    def rests_on(self, point: Point) -> frozenset[Signal]:
        """Returns what the device has to have told before ``point`` can be written."""
        row = self.points.get(point)
        return row.rests_on if isinstance(row, SteppedWrite) else frozenset()

    def told(
        self, image: RawImage, asked_ns: Mapping[Place, int], pv_w: float = 0.0
    ) -> tuple[Told, ...]:
        """Returns what a poll tells: all that :meth:`blocks` read is in ``image``, and when each
        register was asked for in ``asked_ns`` (monotonic). Its AC side was told at ``pv_w``."""
        polled_ns = min(asked_ns.values())
        return (
            *(
                Told(
                    signal=row.signal,
                    value=self._value(row, image, pv_w),
                    time_ns=min(
                        (asked_ns[place] for run in row.runs for place in run), default=polled_ns
                    ),
                    hint=hint_of(row, image),
                )
                for row in self.tellers
            ),
            *(
                Told(signal=signal, value=value, time_ns=polled_ns)
                for signal, value in self.constants.items()
            ),
        )

    @property
    def tellers(self) -> tuple[Teller, ...]:
        """Returns the rows by which a signal is read."""
        return (*self.reads, *self._stepped)

    def basis_of(self, point: Point) -> tuple[RegisterBlock, ...]:
        """Returns what has to be read before ``point`` can be coded."""
        row = self.points.get(point)
        return self.planned(row.basis if isinstance(row, SteppedWrite) else ())

    def _value(self, row: Teller, image: RawImage, pv_w: float) -> float:
        """Returns what ``image`` tells of a row. A device that keeps a rule of its own is asked for
        no power: its setpoint is 0 W, and that it is not led by that one is a signal of its own."""
        match row:
            case VerbWrite():
                return 0.0 if self._is_led(image) else row.value(image, pv_w)
            case _:
                return row.value(image)

    def _is_led(self, image: RawImage) -> bool:
        return any(
            write.value(image) != NO_MODE for write in self.writes if isinstance(write, ModeWrite)
        )

    def _blocks_of(self, rows: Iterable[Teller]) -> tuple[RegisterBlock, ...]:
        return self.planned(run for row in rows for run in row.runs)

    def planned(self, runs: Iterable[tuple[Place, ...]]) -> tuple[RegisterBlock, ...]:
        """Returns how these neighbours are read, in as few requests as the device permits."""
        if not (runs := tuple(runs)):
            return ()
        marks = ((place,) for place in self._marks)
        return plan_blocks((*runs, *marks), longest=self.longest_read, gap=self.read_gap)


def _of(roles: tuple[Role, ...], told: Mapping[Signal, Any]) -> dict[Signal, Any]:
    return {signal: what for signal, what in told.items() if SIGNALS[signal].producer in roles}
