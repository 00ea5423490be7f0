"""A transfer from one mode to the next: it is not made too often, and makes no jump.

Whoever is stronger leads at once. A change among equals, or to a weaker one, waits until the
present mode has lasted for its dwell, if that is still asked for. The power comes back at the pace
of the ramp, which leads it out by itself, until the new mode has it. What a limit at the meter
asks, or that nobody may ask any more, waits for none of it.
"""

import math
from dataclasses import dataclass

from holdfast.core.asked_slot import NO_TERMS, PRECEDENCE, AskedBy, SlotTerms
from holdfast.core.config import Site
from holdfast.core.slot_mode import SlotMode
from holdfast.core.units import ns_from_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Leader:
    """Tells who leads, and what he asks for."""

    by: AskedBy
    mode: SlotMode
    reason: str
    power_w: float = 0.0
    terms: SlotTerms = NO_TERMS
    ends_ns: int | None = None
    """If None, it goes on until somebody else asks."""

    def is_like(self, other: "Leader") -> bool:
        """Says whether it is the same asker with the same mode."""
        return (self.by, self.mode) == (other.by, other.mode)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferMemory:
    """Holds who leads, since when, and how far the power has gone over."""

    leader: Leader
    since_ns: int
    power_w: float
    """Was asked for last, W."""
    easing: bool = False
    """The power still goes over from what the mode before asked."""


class Transfer:
    """Says who leads, and leads the power over. Holds no state."""

    def __init__(self, site: Site) -> None:
        self._dwell_ns = ns_from_s(site.modes.dwell_s)
        self._ramp_w_per_s = sum(unit.operation.ramp_w_per_s for unit in site.storage)

    def leader(self, proposed: Leader, memory: TransferMemory | None, now_ns: int) -> Leader:
        """Returns who leads now; it is ``proposed`` unless the present one stays for its dwell."""
        if memory is None or proposed.is_like(memory.leader):
            return proposed
        present = memory.leader
        if PRECEDENCE[proposed.by] < PRECEDENCE[present.by]:
            return proposed
        ended = present.ends_ns is not None and not now_ns < present.ends_ns
        dwelt = not now_ns - memory.since_ns < self._dwell_ns
        return proposed if ended or dwelt else present

    def carry(
        self,
        leader: Leader,
        wish_w: float,
        memory: TransferMemory | None,
        *,
        now_ns: int,
        dt_s: float,
        urgent: bool,
    ) -> TransferMemory:
        """Returns the memory of the next cycle, with the power that is asked for in this one."""
        if memory is None:
            return TransferMemory(leader=leader, since_ns=now_ns, power_w=wish_w)
        changed = not leader.is_like(memory.leader)
        power_w, easing = wish_w, False
        if (changed or memory.easing) and not urgent and _comes_back(memory.power_w, wish_w):
            step_w = self._ramp_w_per_s * max(dt_s, 0.0)
            easing = (
                not abs(memory.power_w) <= step_w and not abs(wish_w - memory.power_w) <= step_w
            )
            if easing:
                power_w = memory.power_w - math.copysign(step_w, memory.power_w)
        since_ns = now_ns if changed else memory.since_ns
        return TransferMemory(leader=leader, since_ns=since_ns, power_w=power_w, easing=easing)


def _comes_back(power_w: float, wish_w: float) -> bool:
    """Says whether the way from one to the other leads towards 0 W."""
    return not (power_w * wish_w >= 0.0 and abs(wish_w) >= abs(power_w))
