"""Escalation: a fault that clears by itself, and comes back again and again, trips."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from holdfast.core.units import NS_PER_S
from holdfast.safety.faults import Finding, Reaction, finding

TIMES, WITHIN_NS = 5, 600 * NS_PER_S
"""Seplos locks its BMS after five over-currents; the fault catalogue's crash loop is five in ten
minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationMemory:
    """When each fault began, and which are active."""

    began_ns: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    active: frozenset[str] = frozenset()


def escalate(
    findings: tuple[Finding, ...], memory: EscalationMemory, now_ns: int
) -> tuple[tuple[Finding, ...], EscalationMemory]:
    """A trip for every fault that took the power to zero TIMES within WITHIN_NS.

    It lasts until the oldest of these times is far enough in the past.
    """
    strong = {found.key: found for found in findings if found.reaction is Reaction.RAMP_TO_ZERO}
    active = frozenset(strong)
    if not active and not memory.began_ns:
        return (), memory
    began_ns = dict(memory.began_ns)
    for key in active - memory.active:
        began_ns[key] = (*began_ns.get(key, ()), now_ns)
    began_ns = {
        key: kept
        for key, times in began_ns.items()
        if (kept := tuple(time_ns for time_ns in times if now_ns - time_ns <= WITHIN_NS))
    }
    trips = tuple(
        finding(
            "repeated_fault",
            key.partition("/")[0],
            times[TIMES - 1],
            f"{key} came {len(times)} times in {WITHIN_NS // NS_PER_S // 60} minutes",
        )
        for key, times in began_ns.items()
        if len(times) >= TIMES
    )
    return trips, EscalationMemory(began_ns=began_ns, active=active)
