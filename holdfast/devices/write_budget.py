"""The write budget of a point that wears out: written on change only, and so often a day.

Flash and EEPROM bear ten thousand to a million writes (fault catalogue 69). What takes power away
is written all the same: a register is worth less than what it protects.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from holdfast.core.commands import Point
from holdfast.core.signals import Producer
from holdfast.core.units import NS_PER_S
from holdfast.safety.faults import finding
from holdfast.safety.finding import Finding

DAY_NS = 86_400 * NS_PER_S
ALARM_SHARE = 0.8
"""Of the budget: from here on it is a finding."""

Budgets = Mapping[Point, int]
"""Writes a day, by the points that wear out."""
NO_BUDGETS: Budgets = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Writes to one point in the day that began with the first of them.

    It is not kept over restarts: each of those may spend the budget anew.
    """

    budget: int
    since_ns: int
    writes: int = 0
    alarm_ns: int | None = None
    """When its share for the alarm was reached."""

    def today(self, now_ns: int) -> "Spent":
        """The same, or nothing once the day is over."""
        over = now_ns - self.since_ns >= DAY_NS
        return Spent(budget=self.budget, since_ns=now_ns) if over else self

    def once_more(self, now_ns: int) -> "Spent":
        """After a write at ``now_ns``."""
        today = self.today(now_ns)
        writes, alarm_ns = today.writes + 1, today.alarm_ns
        if alarm_ns is None and writes >= ALARM_SHARE * self.budget:
            alarm_ns = now_ns
        return replace(today, writes=writes, alarm_ns=alarm_ns)

    def has_left(self, now_ns: int) -> bool:
        """True until the whole of it is spent."""
        return self.today(now_ns).writes < self.budget

    def affordable(self, wanted: float, held: float, now_ns: int) -> float:
        """``wanted`` within the budget; beyond it only what takes power away, or what is ``held``.

        >>> day = Spent(budget=100, since_ns=0, writes=100)
        >>> [day.affordable(wanted, 500.0, 0) for wanted in (600.0, 400.0, 0.0, -300.0)]
        [500.0, 400.0, 0.0, 0.0]
        """
        if self.has_left(now_ns):
            return wanted
        # Between zero and what is held: of a reversal the half that ends the power.
        return min(max(wanted, min(held, 0.0)), max(held, 0.0))


def first_write(budget: int, now_ns: int) -> Spent:
    """The day begins at ``now_ns`` with the first write."""
    return Spent(budget=budget, since_ns=now_ns).once_more(now_ns)


def nearly_spent(
    unit: str, role: Producer, point: Point, spent: Spent, now_ns: int
) -> tuple[Finding, ...]:
    """A finding from the alarm's share on, until the day is over."""
    today = spent.today(now_ns)
    if today.alarm_ns is None:
        return ()
    detail = f"{point}, {today.writes} of {today.budget}"
    return (finding("write_budget", unit, today.alarm_ns, detail, device=role),)
