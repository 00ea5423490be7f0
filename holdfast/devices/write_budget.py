"""The write budget lets a point that wears out be written on change only, and so often a day.

Flash and EEPROM bear ten thousand to a million writes (fault catalogue 69). What takes power away
is written all the same: a register is worth less than what it protects.
"""

from dataclasses import dataclass, replace

from holdfast.core.commands import Point
from holdfast.core.role import Role
from holdfast.core.units import NS_PER_S
from holdfast.safety.faults import finding
from holdfast.safety.finding import Finding

DAY_NS = 86_400 * NS_PER_S
ALARM_SHARE = 0.8
"""From this share of the budget on it is a finding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Counts the writes to one point in the day that began with the first of them.

    It is not kept over restarts: each of those may spend the budget anew.
    """

    budget: int
    since_ns: int
    writes: int = 0
    alarm_ns: int | None = None
    """Tells when its share for the alarm was reached."""

    def today(self, now_ns: int) -> "Spent":
        """Returns the same, or nothing once the day is over."""
        over = now_ns - self.since_ns >= DAY_NS
        return Spent(budget=self.budget, since_ns=now_ns) if over else self

    def once_more(self, now_ns: int) -> "Spent":
        """Returns the count after a write at ``now_ns``."""
        today = self.today(now_ns)
        writes, alarm_ns = today.writes + 1, today.alarm_ns
        if alarm_ns is None and writes >= ALARM_SHARE * self.budget:
            alarm_ns = now_ns
        return replace(today, writes=writes, alarm_ns=alarm_ns)

    def has_left(self, now_ns: int) -> bool:
        """Says whether some of it is left."""
        return self.today(now_ns).writes < self.budget

    def affordable(self, wanted: float, held: float, now_ns: int, safe: float = 0.0) -> float:
        """Returns ``wanted`` within budget; beyond it only what is nearer to ``safe``, or ``held``.

        >>> day = Spent(budget=100, since_ns=0, writes=100)
        >>> [day.affordable(wanted, 500.0, 0) for wanted in (600.0, 400.0, 0.0, -300.0)]
        [500.0, 400.0, 0.0, 0.0]
        """
        if self.has_left(now_ns):
            return wanted
        # Between what is safe and what is held: of a reversal the half that ends the power.
        return min(max(wanted, min(held, safe)), max(held, safe))


def first_write(budget: int, now_ns: int) -> Spent:
    """The day begins at ``now_ns`` with the first write."""
    return Spent(budget=budget, since_ns=now_ns).once_more(now_ns)


def nearly_spent(
    unit: str, role: Role, point: Point, spent: Spent, now_ns: int
) -> tuple[Finding, ...]:
    """Returns a finding from the alarm's share on, until the day is over."""
    today = spent.today(now_ns)
    if today.alarm_ns is None:
        return ()
    detail = f"{point}, {today.writes} of {today.budget}"
    return (finding("write_budget", unit, today.alarm_ns, detail, device=role),)
