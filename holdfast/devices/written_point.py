"""Points of a device are written on change, refreshed, read back and tried again.

A value that was never stored and one that was stored and then changed are two things: the first
is a device that ignores its master, the second is another master.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from holdfast.core.commands import Point, Write
from holdfast.core.data_store import Snapshot
from holdfast.core.reading import Good, Reading
from holdfast.core.role import Role
from holdfast.core.signals import SITE, Signal
from holdfast.core.units import NS_PER_MS, NS_PER_S
from holdfast.devices.point_traits import PLAIN, PointTraits, Traits
from holdfast.devices.write_budget import Spent, first_write, nearly_spent
from holdfast.safety.faults import finding
from holdfast.safety.finding import Finding

INCREASE_EVERY_NS = 100 * NS_PER_MS
"""Moves away from zero wait for each other this long: a ramp does not flood a bus."""
OWN_NS = 2 * NS_PER_S
"""What a device shows within the range of what we wrote in this time may be its slow answer; one
that is given longer to settle may take twice that."""
PV_CHANGE_W = 50.0
"""So much more or less from the sun is worth a write to a device that is told what flows at its AC
side; half of what the follow-up tolerates."""
OVERWRITTEN_TIMES, OVERWRITTEN_WITHIN_NS = 3, 600 * NS_PER_S
"""A device that starts anew forgets its setpoint once; another master comes again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PointRules:
    """Tells how a point is kept."""

    point: Point
    readback: Signal
    fault: str
    """Names the row of the fault table, once all tries are used up."""
    resolution: float
    """Smaller changes are not worth a write, except to exactly zero."""
    refresh_ns: int
    """It is written again after this long, changed or not: that is the device's heartbeat."""
    settle_ns: int = 500 * NS_PER_MS
    """A write and the poll behind it are through by then; what differs still was not done."""
    tries: int = 3
    traits: PointTraits = PLAIN
    """One that wears out is not refreshed; one kept in steps is written and compared in them."""
    exclusive: bool = False
    """The register holds what is written: if it changes by itself it has another master."""
    gives_up: bool = False
    """No danger hangs on it: once its tries or its budget are used up, what it shows is no reason
    to write it again."""
    exact: bool = False
    """It is no number to be rounded: a timer of 0 never ends, a flag is on or off."""
    safe: float = 0.0
    """It may be written whatever the budget says."""

    @property
    def own_ns(self) -> int:
        """Returns for how long what a device shows may be its slow answer to what we wrote."""
        return max(OWN_NS, 2 * self.settle_ns)

    def of_device(self, traits: Traits) -> "PointRules":
        """Returns the rules with what a device's table says of the point."""
        own = traits.get(self.point, PLAIN)
        if self.exact:
            own = replace(own, step=0.0)
        return replace(
            self,
            traits=own,
            resolution=max(self.resolution, own.step),
            settle_ns=max(self.settle_ns, own.settle_ns),
            refresh_ns=min(self.refresh_ns, own.refresh_ns or self.refresh_ns),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PointMemory:
    """Holds what was last written to a point, and what the device has shown of it."""

    value: float
    written_ns: int
    first_ns: int
    """Tells when this point was first written; what it showed before says nothing."""
    superseded: tuple[tuple[float, int], ...] = ()
    """Holds values written shortly before, and when each was replaced: it may still show them."""
    tries: int = 0
    """Counts how often in a row the read-back has differed."""
    tried_ns: int = 0
    ignored_since_ns: int | None = None
    spent: Spent | None = None
    """Counts against its write budget; None: it does not wear out."""
    seen: float | None = None
    """Tells what the last sample showed, if it was a value of ours."""
    overwritten: tuple[tuple[int, float], ...] = ()
    """Tells when somebody else's value was seen, and which."""
    pv_w: float | None = None
    """Tells the PV power at the last write, where the point follows it."""


DeviceMemory = Mapping[Point, PointMemory]


def keep_points(
    unit: str,
    role: Role,
    wanted: Mapping[Point, float],
    rules: tuple[PointRules, ...],
    snapshot: Snapshot,
    memory: DeviceMemory,
    forced: frozenset[Point] = frozenset(),
) -> tuple[tuple[Write, ...], DeviceMemory, tuple[Finding, ...]]:
    """Returns writes of ``wanted`` values in the order of ``rules``; new memory; what is ignored.

    A point in ``forced`` is written even if nothing has changed.
    """
    now_ns = snapshot.time_ns
    writes: list[Write] = []
    findings: list[Finding] = []
    after = dict(memory)
    for rule in rules:
        value = rule.traits.kept(wanted[rule.point])
        reading = snapshot.read(unit, rule.readback)
        kept, differs = _compare(rule, reading, memory.get(rule.point), now_ns)
        if kept is not None and kept.spent is not None:
            value = kept.spent.affordable(value, kept.value, now_ns, rule.safe)
        if (
            kept is None
            or (differs and _is_worth_a_repeat(rule, kept, now_ns))
            or rule.point in forced
            or _is_due(rule, value, kept, now_ns)
            or _is_outshone(rule, kept, snapshot)
        ):
            writes.append(Write(unit=unit, role=role, point=rule.point, value=value))
            kept = _written(rule, value, kept, now_ns)
            kept = _resting_on(rule, kept, snapshot)
        kept = _without_past(kept, now_ns)
        after[rule.point] = kept
        findings += _overwritten(rule, unit, role, kept)
        if kept.ignored_since_ns is not None:
            detail = f"{rule.point} is to be {kept.value:g}, {_shown(reading)}"
            findings.append(finding(rule.fault, unit, kept.ignored_since_ns, detail, device=role))
        if kept.spent is not None:
            findings += nearly_spent(unit, role, rule.point, kept.spent, now_ns)
    return tuple(writes), after, tuple(findings)


def _is_worth_a_repeat(rule: PointRules, memory: PointMemory, now_ns: int) -> bool:
    """Says whether something is left of what a point without danger may have."""
    if not rule.gives_up:
        return True
    spent = memory.spent
    return memory.ignored_since_ns is None and (spent is None or spent.has_left(now_ns))


def _is_due(rule: PointRules, value: float, memory: PointMemory, now_ns: int) -> bool:
    since_write_ns = now_ns - memory.written_ns
    if since_write_ns >= rule.refresh_ns and memory.spent is None:
        return True
    change = abs(value - memory.value)
    if value == 0.0:
        return change > 0.0
    if change < rule.resolution:
        return False
    # A reversal too: it ends the power that flows the other way.
    towards_zero = value * memory.value < 0.0 or abs(value) < abs(memory.value)
    return towards_zero or since_write_ns >= INCREASE_EVERY_NS


def _is_outshone(rule: PointRules, memory: PointMemory, snapshot: Snapshot) -> bool:
    """Says whether the sun has changed what the written value means to the battery."""
    if not rule.traits.follows_pv:
        return False
    pv_w = snapshot.good(SITE, Signal.PV_POWER_W)
    return pv_w is not None and (memory.pv_w is None or abs(pv_w - memory.pv_w) >= PV_CHANGE_W)


def _resting_on(rule: PointRules, memory: PointMemory, snapshot: Snapshot) -> PointMemory:
    if not rule.traits.follows_pv:
        return memory
    return replace(memory, pv_w=snapshot.good(SITE, Signal.PV_POWER_W))


def _written(
    rule: PointRules, value: float, memory: PointMemory | None, now_ns: int
) -> PointMemory:
    if memory is None:
        budget = rule.traits.writes_per_day
        spent = None if budget is None else first_write(budget, now_ns)
        return PointMemory(value=value, written_ns=now_ns, first_ns=now_ns, spent=spent)
    spent = None if memory.spent is None else memory.spent.once_more(now_ns)
    superseded = memory.superseded
    if value != memory.value:
        superseded = (
            *(entry for entry in superseded if now_ns - entry[1] <= rule.own_ns),
            (memory.value, now_ns),
        )
    return replace(memory, value=value, written_ns=now_ns, superseded=superseded, spent=spent)


def _compare(
    rule: PointRules, readback: Reading, memory: PointMemory | None, now_ns: int
) -> tuple[PointMemory | None, bool]:
    """Compares a read-back with what was written; True if it is time to write again.

    A setpoint that keeps changing is compared as well: a read-back is right if it shows the
    present value, or one that was replaced no longer ago than a write takes to settle.
    """
    if memory is None or not isinstance(readback, Good):
        return memory, False
    sample_ns = readback.time_ns
    if sample_ns < memory.first_ns + rule.settle_ns:
        return memory, False
    shown = [memory.value]
    shown += [
        value for value, until_ns in memory.superseded if sample_ns <= until_ns + rule.settle_ns
    ]
    if any(abs(readback.value - value) <= rule.resolution / 2 for value in shown):
        if (memory.seen, memory.tries, memory.ignored_since_ns) == (readback.value, 0, None):
            return memory, False
        return replace(memory, seen=readback.value, tries=0, ignored_since_ns=None), False
    if rule.exclusive and _is_foreign(rule, readback, memory):
        overwritten = (*memory.overwritten, (now_ns, readback.value))
        return replace(memory, seen=None, tried_ns=sample_ns, overwritten=overwritten), True
    if sample_ns < memory.tried_ns + rule.settle_ns:
        return memory, False
    tries = memory.tries + 1
    since_ns = memory.ignored_since_ns
    if tries >= rule.tries and since_ns is None:
        since_ns = now_ns
    after = replace(memory, seen=None, tries=tries, tried_ns=now_ns, ignored_since_ns=since_ns)
    return after, True


def _is_foreign(rule: PointRules, readback: Good, memory: PointMemory) -> bool:
    """Says whether a value of ours has become one that no recent write of ours explains.

    A device that is slow, rounds or stops at its own limit shows something between what it held
    and what it was told.
    """
    if memory.seen is None:
        return False
    recent_ns = readback.time_ns - rule.own_ns
    own = [memory.value, memory.seen]
    own += [value for value, until_ns in memory.superseded if until_ns >= recent_ns]
    tolerance = rule.resolution / 2
    return not min(own) - tolerance <= readback.value <= max(own) + tolerance


def _without_past(memory: PointMemory, now_ns: int) -> PointMemory:
    """Returns ``memory`` without what others wrote too long ago to count."""
    oldest_ns = now_ns - OVERWRITTEN_WITHIN_NS
    recent = tuple(entry for entry in memory.overwritten if entry[0] >= oldest_ns)
    return memory if recent == memory.overwritten else replace(memory, overwritten=recent)


def _overwritten(
    rule: PointRules, unit: str, role: Role, memory: PointMemory
) -> tuple[Finding, ...]:
    """Finds that somebody else writes: noted the first times, no accident any more at the third."""
    times = len(memory.overwritten)
    if times == 0:
        return ()
    _, value = memory.overwritten[-1]
    detail = f"{rule.point} was {value:g} without our doing, {times} times within 10 minutes"
    if times < OVERWRITTEN_TIMES:
        row, (since_ns, _) = "setpoint_overwritten", memory.overwritten[0]
    else:
        row, (since_ns, _) = "second_writer", memory.overwritten[OVERWRITTEN_TIMES - 1]
    return (finding(row, unit, since_ns, detail, device=role),)


def _shown(reading: Reading) -> str:
    return f"reads {reading.value:g}" if isinstance(reading, Good) else "cannot be read"
