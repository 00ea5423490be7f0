"""Relays and an emergency input on GPIO lines are a table of lines: which is what, how it is wired.

A line has a number on its chip, or a name that the kernel has for it. What the table leaves open
site.yaml says.
"""

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, PlainValidator, model_validator

from holdfast.core.commands import Point
from holdfast.core.config.storage import InverterHardware
from holdfast.core.role import Role
from holdfast.core.signals import INFORMATIVE, SIGNALS, Signal
from holdfast.devices.device_table import DeviceTable, check_roles, listed
from holdfast.devices.point_traits import PLAIN, PointTraits
from holdfast.devices.registers import TableRow, check_unique
from holdfast.devices.roles import ROLE_OF

MAY_BE = frozenset({Role.RELAYS, Role.EMERGENCY_INPUT, Role.GRID_OPERATOR})
"""Names the roles that lines can have: all else tells more than 0 or 1, or needs a timer."""
_POLLS = 3
"""So many polls are in the shortest maximum age: two may fail."""

_LAST = 65535
_LONGEST_NAME = 64


def _checked(line: object) -> int | str:
    match line:
        case bool():
            pass
        case int() if 0 <= line <= _LAST:
            return line
        case str() if line and not line.isdecimal() and len(line) <= _LONGEST_NAME:
            return line
    raise ValueError(f"a line is a number from 0 to {_LAST}, or the name of one")


Line = Annotated[int | str, PlainValidator(_checked)]
"""A number counts from 0, as the chip does."""
Bias = Literal["pull_up", "pull_down", "external"]
Drive = Literal["push_pull", "open_drain", "open_source"]


class GpioRow(TableRow):
    """Describes a line."""

    line: Line | None = None
    """None: site.yaml says which."""
    active_low: bool = False
    """It is 1 while the voltage is low."""


class GpioRead(GpioRow):
    """Describes an input."""

    signal: Signal
    bias: Bias
    """What holds the line while no wire does: the chip's own resistor, or external: one outside,
    or an input that needs a current to be on."""
    debounce_ms: Annotated[int, Field(ge=0, le=50)] = 0
    """A change counts once it has lasted so long."""

    @model_validator(mode="after")
    def _a_broken_wire_stops(self) -> Self:
        rests_high = self.bias == "pull_up"
        breaks_to_closed = self.bias != "external" and rests_high is not self.active_low
        if self.signal is Signal.EMERGENCY_LOOP_CLOSED and breaks_to_closed:
            right = "pull_down" if rests_high else "pull_up"
            raise ValueError(
                f"bias: a broken wire would be a closed loop; with active_low: "
                f"{str(self.active_low).lower()} it has to be {right}, or external"
            )
        return self


class GpioWrite(GpioRow):
    """Describes an output."""

    point: Point
    drive: Drive = "push_pull"
    """open_drain: low is driven, high is left to a resistor; open_source the other way round."""

    def kept(self, value: float) -> float:
        """Returns what the line keeps of ``value``. Raises ValueError for what is no 0 or 1."""
        if value not in {0.0, 1.0}:
            raise ValueError(f"{value:g} is neither 0 nor 1")
        return value


class GpioProfile(DeviceTable):
    """Describes what hangs on lines of one chip."""

    protocol: Literal["gpio"]
    poll_period_s: Annotated[float, Field(ge=0.01)]
    """So often all of its inputs are looked at, whether or not one has changed."""
    reads: tuple[GpioRead, ...]
    writes: tuple[GpioWrite, ...] = ()

    @model_validator(mode="after")
    def _fits_the_signal_table(self) -> Self:
        if others := [role for role in self.roles if role not in MAY_BE]:
            raise ValueError(f"roles: a {listed(tuple(others))} does not hang on gpio lines")
        check_unique("signal", [read.signal for read in self.reads])
        check_unique("point", [write.point for write in self.writes])
        for read in self.reads:
            if SIGNALS[read.signal].unit != "0/1":
                raise ValueError(f"{read.signal}: a line tells 0 or 1, and nothing else")
        check_roles(self.roles, self.signals)
        for write in self.writes:
            if ROLE_OF[write.point] not in self.roles:
                role = ROLE_OF[write.point]
                raise ValueError(f"{write.point} is taken by {role}, not by {listed(self.roles)}")
        slowest_s = min(SIGNALS[signal].max_age_s for signal in self.signals)
        if self.poll_period_s * _POLLS > slowest_s:
            raise ValueError(
                f"poll_period_s {self.poll_period_s:g}: fewer than {_POLLS} polls are in the "
                f"shortest maximum age, {slowest_s:g} s"
            )
        return self

    def of(self, *roles: Role) -> Self:
        """Returns the part of the table that concerns ``roles``, which must be among its own."""
        update = {
            "roles": tuple(role for role in self.roles if role in roles),
            "reads": tuple(row for row in self.reads if SIGNALS[row.signal].producer in roles),
            "writes": tuple(row for row in self.writes if ROLE_OF[row.point] in roles),
        }
        return self.model_copy(update=update)

    def at(self, lines: Sequence[str]) -> Self:
        """Returns the table with every line in it: ``lines`` are those of site.yaml, contactor=17.

        Raises ValueError where one is missing, means nothing, or is the line of two.
        """
        parts = [_parted(text) for text in lines]
        check_unique("lines: a name", [name for name, _ in parts])
        told = dict(parts)
        rows = {row.signal: row for row in self.reads} | {row.point: row for row in self.writes}
        if unknown := sorted(told.keys() - rows.keys()):
            raise ValueError(f"lines: {unknown[0]} is none of {', '.join(rows)}")
        placed = {name: told.get(name, row.line) for name, row in rows.items()}
        if missing := [name for name, line in placed.items() if line is None]:
            raise ValueError(f"lines: {missing[0]} is missing; write [{missing[0]}=17]")
        check_unique("lines: the line", [str(line) for line in placed.values()])
        reads = tuple(row.model_copy(update={"line": placed[row.signal]}) for row in self.reads)
        writes = tuple(row.model_copy(update={"line": placed[row.point]}) for row in self.writes)
        return self.model_copy(update={"reads": reads, "writes": writes})

    def bound(self, _hardware: InverterHardware) -> Self:
        """Returns the table: no inverter hangs on lines."""
        return self

    @property
    def signals(self) -> frozenset[Signal]:
        """Returns what this device provides."""
        return frozenset(read.signal for read in self.reads)

    @property
    def required(self) -> frozenset[Signal]:
        """Returns what must come before the site may start: all on which safety rests."""
        return self.signals - INFORMATIVE

    @property
    def lacks(self) -> dict[Signal, str]:
        """No device that may lack something hangs on lines."""
        return {}

    @property
    def max_age_s(self) -> None:
        """The usual age holds: a line shows what it has at once."""
        return None

    @property
    def points(self) -> dict[Point, GpioWrite]:
        """Returns what can be written, by point."""
        return {write.point: write for write in self.writes}

    @property
    def traits(self) -> dict[Point, PointTraits]:
        """Says nothing of any point: a line changes at once."""
        return dict.fromkeys(self.points, PLAIN)


def _parted(text: str) -> tuple[str, int | str]:
    """Returns the name of a row and its line. Raises ValueError for a line that is none."""
    name, _, line = text.partition("=")
    try:
        return name, _checked(int(line) if line.isdecimal() else line)
    except ValueError as error:
        raise ValueError(f"lines: {text}: {error}") from None
