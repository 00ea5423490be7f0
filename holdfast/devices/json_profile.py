"""What the tables of all devices have in common that send JSON, over whatever they send it."""

from collections.abc import Collection, Mapping
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field

from holdfast.core.config.storage import InverterHardware
from holdfast.core.role import Role
from holdfast.core.signals import INFORMATIVE, SIGNALS, Signal
from holdfast.devices.device_table import DeviceTable, check_roles, listed
from holdfast.devices.json_rows import JsonDocument

MAY_TELL_LATE = frozenset({Role.METER, Role.PV_METER})
"""Control waits for each value of a meter, and goes at half power while the last one is old."""


class JsonProfile(DeviceTable):
    """Describes a device whose documents come whole."""

    MAY_BE: ClassVar[frozenset[Role]]
    """Names the roles that such a device can have."""

    reads: tuple[JsonDocument, ...]
    """What it sends."""
    max_age_s: Annotated[float, Field(gt=0, le=15)] | None = None
    """So old may the values of a slow meter be; beyond the usual age the power is derated. One
    that is slower than this is no meter to control by. None: they are lost at the usual age."""

    def check_rows(self, period_s: float, periods: float, what: str) -> None:
        """Raises ValueError where roles, signals and ages do not go together: so many periods must
        be in the shortest maximum age."""
        if others := [role for role in self.roles if role not in self.MAY_BE]:
            raise ValueError(f"roles: a {listed(tuple(others))} does not speak {what}")
        check_roles(self.roles, self.signals)
        if self.max_age_s is not None and not MAY_TELL_LATE.issuperset(self.roles):
            raise ValueError(f"max_age_s: the usual age holds for a {self.roles[0]}, slow or not")
        slowest_s = min(self.lost_s(signal) for signal in self.signals)
        if period_s * periods > slowest_s:
            raise ValueError(
                f"{what}: a value every {period_s:g} s leaves fewer than {periods:g} of them in "
                f"the shortest maximum age, {slowest_s:g} s"
            )

    def lost_s(self, signal: Signal) -> float:
        """Returns from when on a value of ``signal`` is lost."""
        usual_s = SIGNALS[signal].max_age_s
        return usual_s if self.max_age_s is None else max(usual_s, self.max_age_s)

    def bound(self, _hardware: InverterHardware) -> Self:
        """Returns the table: no inverter sends JSON."""
        return self

    @property
    def signals(self) -> frozenset[Signal]:
        """Returns what this device provides."""
        return frozenset(row.signal for document in self.reads for row in document.values)

    @property
    def required(self) -> frozenset[Signal]:
        """Returns what must come before the site may start: all on which safety rests that every
        such device tells."""
        rows = [row for document in self.reads for row in document.values]
        return frozenset(row.signal for row in rows if not row.optional) - INFORMATIVE

    @property
    def lacks(self) -> Mapping[Signal, str]:
        """No device that may lack something sends JSON."""
        return {}


def part_of(documents: tuple[Any, ...], roles: Collection[Role]) -> tuple[Any, ...]:
    """Returns the documents as far as they concern ``roles``."""
    parts = []
    for document in documents:
        rows = tuple(row for row in document.values if SIGNALS[row.signal].producer in roles)
        if rows:
            parts.append(document.model_copy(update={"values": rows}))
    return tuple(parts)
