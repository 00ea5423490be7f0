"""A fault among others: what is due of each of them, and whether it came in time.

Of two faults at two devices each has to end as its row says, or more strictly. Where one of them
takes away what shows the other, or both are at one device, one of the two reactions is due. What
shows only once the house asks for something else waits for the end of what hides the house. What
needs power to be noticed is at its end, too, where no power is asked and none flows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from holdfast.core.role import Role
from holdfast.core.signals import SIGNALS
from holdfast.simulation.plant.damage import DamageKind
from holdfast.testing.faults import plant
from holdfast.testing.faults.bench import FaultBench
from holdfast.testing.faults.fault import Fault, FaultOutcome
from holdfast.testing.faults.injections import (
    Deaf,
    Frozen,
    Happens,
    House,
    HouseTimes,
    Late,
    Loses,
    Silent,
    Stamped,
    StandsStill,
    ToldWrongly,
)
from holdfast.testing.faults.judgement import AS_SAFE, flows_nothing
from holdfast.testing.faults.run import Progress
from holdfast.testing.faults.scenes import SiteScene

_BOTH = frozenset({Role.BMS, Role.INVERTER})
_FOUND_AT: tuple[tuple[str, frozenset[Role]], ...] = (
    ("", frozenset()),
    ("cycle_gap", frozenset()),
    ("power_unseen", _BOTH),
    ("inverter", frozenset({Role.INVERTER})),
    ("meter", frozenset({Role.METER})),
    ("grid", frozenset({Role.METER})),
    ("relays", frozenset({Role.RELAYS})),
    ("emergency_input", frozenset({Role.EMERGENCY_INPUT})),
)
"""Which devices show what is found, by the beginning of its row; all else the BMS shows."""
_NOTHING_DUE = {FaultOutcome.GOES_ON, FaultOutcome.RUNS, FaultOutcome.TOLD}
_SLACK_S = 1e-6


def devices_of(fault: Fault) -> frozenset[Role]:
    """Returns the devices at which it sits, and those that show it."""
    at: set[Role] = set()
    for one in fault.all_injections:
        match one:
            case ToldWrongly(signal=signal):
                producer = SIGNALS[signal].producer
                at |= {producer} if isinstance(producer, Role) else set()
            case Silent(role=role) | Frozen(role=role) | Stamped(role=role) | Loses(role=role):
                at.add(role)
            case Deaf() | Late():
                at.add(Role.INVERTER)
            case Happens(what=plant.loop_opens):
                at.add(Role.EMERGENCY_INPUT)
    found = next(
        (roles for row, roles in reversed(_FOUND_AT) if row and fault.finding.startswith(row)),
        frozenset({Role.BMS}) if fault.finding else frozenset(),
    )
    return frozenset(at) | found


def costs_of(*faults: Fault) -> frozenset[DamageKind]:
    """Returns the damage that is the lesser one: a trip that the inverter cannot hear of opens the
    contactor under load, for that is all that is left."""
    costs = frozenset(kind for fault in faults for kind in fault.costs)
    unheard = any(Silent(role=Role.INVERTER) in fault.all_injections for fault in faults)
    if unheard and any(fault.is_latched for fault in faults):
        costs |= {DamageKind.CONTACTOR_BREAK}
    return costs


def can_be_joined(fault: Fault) -> bool:
    """Whether other faults may be there at the same time: not where time itself jumps."""
    jumps = any(isinstance(one, StandsStill) for one in fault.all_injections)
    return not jumps and SiteScene.BOOT not in fault.scenes


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What has to become true, and how soon after its fault began."""

    outcomes: tuple[FaultOutcome, ...]
    """One of these,"""
    within_s: float
    needs_power: bool
    """or no power at all."""

    def holds(self, bench: FaultBench) -> bool:
        """Whether it is as it has to be."""
        safe = any(AS_SAFE[outcome](bench) for outcome in self.outcomes)
        return safe or (self.needs_power and flows_nothing(bench))


_OTHERWISE: Mapping[frozenset[str], tuple[float, str]] = {
    frozenset({"inverter's power with the wrong sign", "power flows the wrong way"}): (
        8.0,
        "told the wrong way round, what flows the wrong way looks right: the BMS has to see it",
    ),
    frozenset({"emergency input silent for long", "inverter gives a tenth more than asked"}): (
        1.0,
        "the power is on its way to 0 W meanwhile, and a setpoint that moves has its time",
    ),
}
"""Of some pairs the reaction takes longer than of either: how long, and why."""


def due_alone(fault: Fault) -> Due:
    """Returns what is due of a fault, or more."""
    return Due(outcomes=(fault.outcome,), within_s=fault.within_s, needs_power=fault.needs_power)


def _waits_for_the_house(fault: Fault) -> bool:
    """Whether it shows once the house asks for something else: without a meter nobody does, and it
    shows when the loss of the meter ends the power."""
    return any(isinstance(one, House | HouseTimes) for one in fault.all_injections)


def due_of(fault: Fault, other: Fault, apart_s: float = 0.0) -> Due:
    """Returns what is due of ``fault`` beside ``other``, which began ``apart_s`` later."""
    if _waits_for_the_house(fault) and Role.METER in devices_of(other):
        within_s = fault.within_s + apart_s + other.within_s
        return replace(due_alone(fault), within_s=within_s)
    longer_s, _ = _OTHERWISE.get(frozenset({fault.name, other.name}), (0.0, ""))
    if not devices_of(fault) & devices_of(other):
        return replace(due_alone(fault), within_s=max(fault.within_s, longer_s))
    return Due(
        outcomes=(fault.outcome, other.outcome),
        within_s=max(fault.within_s, apart_s + other.within_s, longer_s),
        needs_power=fault.needs_power or other.needs_power,
    )


class InCompany:
    """One fault that goes on at a bench beside others, and how far its reaction has got."""

    def __init__(self, bench: FaultBench, fault: Fault, due: Due) -> None:
        self.fault, self.due = fault, due
        self.progress = Progress(bench, fault)
        self.reached_s: float | None = None
        """When what is due held for good."""
        self._bench = bench

    @property
    def is_settled(self) -> bool:
        """Whether it has held for long enough, or the time is up."""
        passed_s, last_s = self.progress.passed_s, self.fault.last_s
        if self.reached_s is None:
            return passed_s > max(self.due.within_s, last_s) + self.fault.lasts_s
        return passed_s > max(self.reached_s, last_s) + self.fault.lasts_s

    def look(self) -> None:
        """Looks at the cycle that has just run."""
        if not self.due.holds(self._bench):
            self.reached_s = None
        elif self.reached_s is None:
            self.reached_s = self.progress.passed_s

    @property
    def asks_nothing(self) -> bool:
        """Whether nothing has to follow."""
        return bool(_NOTHING_DUE.intersection(self.due.outcomes))

    @property
    def is_missed(self) -> bool:
        """Whether what is due has not come."""
        return self.reached_s is None

    @property
    def is_late(self) -> bool:
        """Whether it came, and too late."""
        return self.reached_s is not None and self.reached_s > self.due.within_s + _SLACK_S

    @property
    def told(self) -> str:
        """What was due, and what came, in words."""
        due = " or ".join(self.due.outcomes)
        came = "never" if self.reached_s is None else f"{self.reached_s:.2f} s"
        return f"{self.fault.name}: {due} within {self.due.within_s:.2f} s: {came}"
