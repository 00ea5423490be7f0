"""What a row of the table is made of: an injection, and what has to follow. Each knows no other."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from holdfast.simulation.plant.damage import DamageKind
from holdfast.testing.faults.bench import FaultBench
from holdfast.testing.faults.scenes import AT_ONCE_S, SiteScene


class Kind(StrEnum):
    """Where the fault sits."""

    SENSOR = "What a device tells"
    WIRE = "On the wire"
    DEVICE = "What a device does"
    COMPUTER = "In the computer, or by people"
    BATTERY = "What the battery cannot bear"


class FaultOutcome(StrEnum):
    """What has to become true and stay true; ``judgement`` tells when it is."""

    GOES_ON = "goes on"
    RUNS = "no trip"
    TOLD = "is told, and goes on"
    DERATED = "half the power, or less"
    CHARGE_DERATED = "half the charging, or less"
    DISCHARGE_DERATED = "half the discharging, or less"
    NO_CHARGE = "no charging"
    NO_DISCHARGE = "no discharging"
    ZERO = "0 W"
    TRIPPED = "trip"
    STOPPED = "emergency stop"
    STAYS_IN_BOOT = "does not leave BOOT"


class Injection(Protocol):
    """Something that goes wrong, or changes."""

    def begin(self, bench: FaultBench) -> None:
        """From now on."""

    def end(self, bench: FaultBench) -> None:
        """No longer; a technician may have been there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault that is injected into the pure cycle, in simulated time."""

    kind: Kind
    name: str
    begins: tuple[Injection, ...]
    later: tuple[tuple[float, Injection], ...] = ()
    """What else happens, so many seconds after it began: without it nobody could notice."""
    scenes: tuple[SiteScene, ...]
    outcome: FaultOutcome
    within_s: float
    """From the beginning to the command, at the longest."""
    finding: str = ""
    """The row that has been found by then."""
    lasts_s: float = 2.0
    """For so long it stays so, at least: a trip has its contactor open by then."""
    ends: Callable[[FaultBench], bool] | None = None
    """What has to be true at the end, beside the outcome."""
    costs: frozenset[DamageKind] = frozenset()
    """The damage that is the lesser one."""
    because: str = ""
    """Why it is this reaction, or why not sooner, where one may expect another."""
    recovers_s: float | None = 80.0
    """So long after its end, at the most, the site does again what it did; after a latched reaction
    so long after its end it can be reset. None: the battery has to be seen to first."""
    lasting: str = ""
    """Why it does not recover, where it does not."""

    @property
    def needs_power(self) -> bool:
        """Whether nobody can notice it at 0 W."""
        return SiteScene.IDLE not in self.scenes

    @property
    def is_latched(self) -> bool:
        """Whether it takes a reset to end what follows."""
        return self.outcome in {FaultOutcome.TRIPPED, FaultOutcome.STOPPED}

    @property
    def all_injections(self) -> tuple[Injection, ...]:
        """All that it consists of."""
        return (*self.begins, *(injection for _, injection in self.later))

    @property
    def last_s(self) -> float:
        """When the last of it happens, after its beginning."""
        return max((at_s for at_s, _ in self.later), default=0.0)

    @property
    def within(self) -> str:
        """The longest time, in words; of what goes on from the first cycle on, how long."""
        if self.within_s <= AT_ONCE_S:
            return f"at once, for {self.lasts_s:g} s"
        return f"{self.within_s:.2f} s" if self.within_s < 10.0 else f"{self.within_s:.0f} s"
