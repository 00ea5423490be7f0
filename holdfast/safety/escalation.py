"""Escalation: what comes again and again is worse than each single time.

This is a table of rules. Each says which findings count, how often within which time, and which
fault that is. A finding that lasts counts once, when it begins.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from holdfast.core.units import ns_from_s
from holdfast.safety.faults import FAULTS, finding
from holdfast.safety.finding import Finding, Level, Reaction
from holdfast.safety.limits import UNIT_LIMITS

NEAR_LIMITS = frozenset(row.id for row in UNIT_LIMITS if row.warning is not None)
"""The first level of these rows means that a limit is near. A row without a warning is a flag, or
what the owner wishes (soc_high, soc_low): to reach it is daily business. Rows of the site are what
the grid and the house do, which less battery power does not mend."""


def _takes_power_to_zero(found: Finding) -> bool:
    return found.reaction is Reaction.RAMP_TO_ZERO


def _is_near_a_limit(found: Finding) -> bool:
    return found.row in NEAR_LIMITS and found.level in (Level.WARNING, Level.ALARM)


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationRule:
    """So many times within so long is a fault of its own, until the oldest is long enough ago."""

    counts: Callable[[Finding], bool]
    what: str
    """Tells people what counts."""
    times: int
    within_s: float
    source: str

    @property
    def within_ns(self) -> int:
        """Returns the time in nanoseconds."""
        return ns_from_s(self.within_s)


ESCALATIONS: Mapping[str, EscalationRule] = {
    # resulting fault, a row of the fault table
    "repeated_fault": EscalationRule(
        counts=_takes_power_to_zero,
        what="a finding that takes the power to zero",
        times=5,
        within_s=600.0,
        source="Seplos: locked after five over-currents; fault catalogue 81: five in ten minutes",
    ),
    "repeated_near_limit": EscalationRule(
        counts=_is_near_a_limit,
        what="a warning or an alarm of the same limit of a storage unit",
        times=10,
        within_s=3600.0,
        source="assumption: a limit that is met each six minutes is met by how the site is run",
    ),
}

_Key = tuple[str, str]
"""Pairs the resulting fault with the key of the finding that counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repetitions:
    """Tells when something began, the oldest first, as many times as its rule asks for."""

    began_ns: tuple[int, ...]
    reached_ns: int | None = None
    """Tells since when these are enough; None while they are not."""
    last: str = ""
    """Tells what was found the last time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationMemory:
    """Remembers what has been counted, and what is active now."""

    counts: Mapping[_Key, Repetitions] = field(default_factory=dict)
    active: frozenset[_Key] = frozenset()


def escalate(
    findings: tuple[Finding, ...], memory: EscalationMemory, now_ns: int
) -> tuple[tuple[Finding, ...], EscalationMemory]:
    """Returns the faults that repetition makes of ``findings``, and the next cycle's memory."""
    active = {
        (fault, found.key): found.text
        for found in findings
        for fault, rule in ESCALATIONS.items()
        if rule.counts(found)
    }
    if not (active or memory.active or memory.counts):
        return (), memory
    counts = {**memory.counts}
    for key, text in active.items():
        if key not in memory.active:
            counts[key] = _begun(key, counts.get(key, Repetitions(began_ns=())), text, now_ns)
    counts = {key: kept for key, count in counts.items() if (kept := _kept(key, count, now_ns))}
    return _findings(counts), EscalationMemory(counts=counts, active=frozenset(active))


def _begun(key: _Key, count: Repetitions, text: str, now_ns: int) -> Repetitions:
    began_ns = (*count.began_ns, now_ns)[-ESCALATIONS[key[0]].times :]
    return Repetitions(began_ns=began_ns, reached_ns=count.reached_ns, last=text)


def _kept(key: _Key, count: Repetitions, now_ns: int) -> Repetitions | None:
    """Drops what is too long ago; None if that is all."""
    rule = ESCALATIONS[key[0]]
    began_ns = tuple(time_ns for time_ns in count.began_ns if now_ns - time_ns <= rule.within_ns)
    if not began_ns:
        return None
    if len(began_ns) < rule.times:
        return Repetitions(began_ns=began_ns, last=count.last)
    reached_ns = now_ns if count.reached_ns is None else count.reached_ns
    return Repetitions(began_ns=began_ns, reached_ns=reached_ns, last=count.last)


def _findings(counts: Mapping[_Key, Repetitions]) -> tuple[Finding, ...]:
    """Returns one for each owner and fault, however many counts have reached it."""
    reached: dict[_Key, list[tuple[int, str, str]]] = {}
    for (fault, key), count in counts.items():
        if count.reached_ns is not None:
            owner = key.partition("/")[0]
            reached.setdefault((fault, owner), []).append((count.reached_ns, key, count.last))
    return tuple(
        finding(
            fault,
            owner,
            min(since_ns for since_ns, _, _ in several),
            f"{', '.join(key for _, key, _ in several)} came {ESCALATIONS[fault].times} times in "
            f"{ESCALATIONS[fault].within_s / 60.0:g} minutes, the last time: "
            f"{'; '.join(last for _, _, last in several)}",
        )
        for (fault, owner), several in reached.items()
    )


def _check_table() -> None:
    for fault, rule in ESCALATIONS.items():
        assert fault in FAULTS, f"{fault}: no row of the fault table"
        assert rule.times >= 2, f"{fault}: once is no repetition"
        assert rule.within_s > 0.0, f"{fault}: no time"
        assert rule.source, f"{fault}: no source"


_check_table()
