"""The throttle of the audit log grants some lines at once, then one each while; it counts the rest.

The log is bounded, so nothing may flood it. Whatever can come often has a throttle for each of its
subjects: a quantity of one owner, a finding, a command, a kind of message. What gets no line is
counted in the next one, and the last of it never waits for more to come.
"""

import sys
from dataclasses import dataclass, replace

NEVER_NS = sys.maxsize


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """Holds the lines that one subject may have."""

    at_once: int
    """So many come without a pause,"""
    every_ns: int
    """and another comes each time this has passed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttle:
    """Tells how one subject stands."""

    allowance: Allowance
    full_ns: int = 0
    """From then on it may have all its lines at once again."""
    changes: int = 0
    """Counts the changes since its last line."""
    waits: bool = False
    """Tells whether one of them is worth a line."""

    @property
    def due_ns(self) -> int:
        """Returns when what waits may have its line; never if nothing does."""
        if not self.waits:
            return NEVER_NS
        return self.full_ns - (self.allowance.at_once - 1) * self.allowance.every_ns

    @property
    def left_out(self) -> int:
        """Counts changes without a line of their own, if the last of them gets one now."""
        return max(self.changes - 1, 0)

    def is_rested(self, now_ns: int) -> bool:
        """Says whether it stands as if nothing had ever happened."""
        return self.changes == 0 and self.full_ns <= now_ns

    def changed(self, *, worth_a_line: bool = True) -> "Throttle":
        """Returns it after one more change."""
        return replace(self, changes=self.changes + 1, waits=self.waits or worth_a_line)

    def told(self, now_ns: int) -> "Throttle":
        """Returns it after a line at ``now_ns``. One not due is no debt: the next waits as ever."""
        allowance = self.allowance
        full_ns = max(self.full_ns, now_ns) + allowance.every_ns
        latest_ns = now_ns + allowance.at_once * allowance.every_ns
        return Throttle(allowance=allowance, full_ns=min(full_ns, latest_ns))
