"""What a row of the table is made of: an injection, and what has to follow. Each knows no other."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from holdfast.simulation.plant.damage import DamageKind

if TYPE_CHECKING:
    from tests.faults.bench import Bench


class Kind(StrEnum):
    """Where the fault sits."""

    SENSOR = "What a device tells"
    WIRE = "On the wire"
    DEVICE = "What a device does"


class Scene(StrEnum):
    """What the site does when it begins."""

    BOOT = "boot"
    """It has been so since before the start."""
    IDLE = "idle"
    CHARGE = "charging"
    DISCHARGE = "discharging"


AT_ONCE_S = 0.02
"""A cycle."""
RUNNING = (Scene.CHARGE, Scene.DISCHARGE)
WHENEVER = (Scene.IDLE, *RUNNING)


class Outcome(StrEnum):
    """What has to become true and stay true; :mod:`tests.faults.judgement` tells when it is."""

    GOES_ON = "goes on"
    RUNS = "no trip"
    TOLD = "is told, and goes on"
    DERATED = "half the power, or less"
    CHARGE_DERATED = "half the charging, or less"
    NO_CHARGE = "no charging"
    NO_DISCHARGE = "no discharging"
    ZERO = "0 W"
    TRIPPED = "trip"
    STOPPED = "emergency stop"
    STAYS_IN_BOOT = "does not leave BOOT"


class Injection(Protocol):
    """Something that goes wrong, or changes."""

    def begin(self, bench: "Bench") -> None:
        """From now on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault that is injected into the pure cycle, in simulated time."""

    kind: Kind
    name: str
    begins: tuple[Injection, ...]
    later: tuple[tuple[float, Injection], ...] = ()
    """What else happens, so many seconds after it began: without it nobody could notice."""
    scenes: tuple[Scene, ...]
    outcome: Outcome
    within_s: float
    """From the beginning to the command, at the longest."""
    finding: str = ""
    """The row that has been found by then."""
    lasts_s: float = 2.0
    """For so long it stays so, at least: a trip has its contactor open by then."""
    ends: Callable[["Bench"], bool] | None = None
    """What has to be true at the end, beside the outcome."""
    costs: frozenset[DamageKind] = frozenset()
    """The damage that is the lesser one."""
    because: str = ""
    """Why it is this reaction, or why not sooner, where one may expect another."""

    @property
    def within(self) -> str:
        """The longest time, in words; of what goes on from the first cycle on, how long."""
        if self.within_s <= AT_ONCE_S:
            return f"at once, for {self.lasts_s:g} s"
        return f"{self.within_s:.2f} s" if self.within_s < 10.0 else f"{self.within_s:.0f} s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """A fault whose reaction and time other tests assert."""

    kind: Kind
    name: str
    outcome: str
    within: str
    tests: tuple[str, ...]
    """As ``file::test``, below ``tests/``."""
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotHere:
    """A fault that no device of Holdfast's can show it, and who sees to it instead."""

    name: str
    why: str
