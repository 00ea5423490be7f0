"""Points of a device, as they are kept: written on change, refreshed, read back, tried again."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from holdfast.core.commands import Point, Write
from holdfast.core.data_store import Snapshot
from holdfast.core.reading import Good, Reading
from holdfast.core.signals import Producer, Signal
from holdfast.core.units import NS_PER_MS
from holdfast.devices.write_budget import Spent, first_write, nearly_spent
from holdfast.safety.faults import Finding, finding

INCREASE_EVERY_NS = 100 * NS_PER_MS
"""Moves away from zero wait for each other this long: a ramp does not flood a bus."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PointRules:
    """How a point is kept."""

    point: Point
    readback: Signal
    fault: str
    """Row of the fault table, once all tries are used up."""
    resolution: float
    """Smaller changes are not worth a write, except to exactly zero."""
    refresh_ns: int
    """Written again after this long, changed or not: the device's heartbeat."""
    settle_ns: int = 500 * NS_PER_MS
    """A write and the poll behind it are through by then; what differs still was not done."""
    tries: int = 3
    writes_per_day: int | None = None
    """It wears out: it is not refreshed, and written so often a day. None: it does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PointMemory:
    """What was last written to a point, and what the device has shown of it."""

    value: float
    written_ns: int
    first_ns: int
    """When this point was first written; what it showed before says nothing."""
    superseded: tuple[tuple[float, int], ...] = ()
    """Values written shortly before, and when each was replaced: a device may still show them."""
    tries: int = 0
    """How often in a row the read-back has differed."""
    tried_ns: int = 0
    ignored_since_ns: int | None = None
    spent: Spent | None = None
    """Of its write budget; None: it does not wear out."""


DeviceMemory = Mapping[Point, PointMemory]


def keep_points(
    unit: str,
    role: Producer,
    wanted: Mapping[Point, float],
    rules: tuple[PointRules, ...],
    snapshot: Snapshot,
    memory: DeviceMemory,
    forced: frozenset[Point] = frozenset(),
) -> tuple[tuple[Write, ...], DeviceMemory, tuple[Finding, ...]]:
    """Writes for the ``wanted`` values in the order of ``rules``; new memory; what is ignored.

    A point in ``forced`` is written even if nothing has changed.
    """
    now_ns = snapshot.time_ns
    writes: list[Write] = []
    findings: list[Finding] = []
    after = dict(memory)
    for rule in rules:
        value = wanted[rule.point]
        reading = snapshot.read(unit, rule.readback)
        kept, differs = _compare(rule, reading, memory.get(rule.point), now_ns)
        if kept is not None and kept.spent is not None:
            value = kept.spent.affordable(value, kept.value, now_ns)
        if kept is None or differs or rule.point in forced or _is_due(rule, value, kept, now_ns):
            writes.append(Write(unit=unit, role=role, point=rule.point, value=value))
            kept = _written(rule, value, kept, now_ns)
        after[rule.point] = kept
        if kept.ignored_since_ns is not None:
            detail = f"{rule.point} is to be {kept.value:g}, {_shown(reading)}"
            findings.append(finding(rule.fault, unit, kept.ignored_since_ns, detail, device=role))
        if kept.spent is not None:
            findings += nearly_spent(unit, role, rule.point, kept.spent, now_ns)
    return tuple(writes), after, tuple(findings)


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


def _written(
    rule: PointRules, value: float, memory: PointMemory | None, now_ns: int
) -> PointMemory:
    if memory is None:
        budget = rule.writes_per_day
        spent = None if budget is None else first_write(budget, now_ns)
        return PointMemory(value=value, written_ns=now_ns, first_ns=now_ns, spent=spent)
    spent = None if memory.spent is None else memory.spent.once_more(now_ns)
    superseded = memory.superseded
    if value != memory.value:
        superseded = (
            *(entry for entry in superseded if now_ns - entry[1] <= rule.settle_ns),
            (memory.value, now_ns),
        )
    return replace(memory, value=value, written_ns=now_ns, superseded=superseded, spent=spent)


def _compare(
    rule: PointRules, readback: Reading, memory: PointMemory | None, now_ns: int
) -> tuple[PointMemory | None, bool]:
    """Compare a read-back with what was written; True if it is time to write again.

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
        settled = memory.tries == 0 and memory.ignored_since_ns is None
        return (memory if settled else replace(memory, tries=0, ignored_since_ns=None)), False
    if sample_ns < memory.tried_ns + rule.settle_ns:
        return memory, False
    tries = memory.tries + 1
    since_ns = memory.ignored_since_ns
    if tries >= rule.tries and since_ns is None:
        since_ns = now_ns
    return replace(memory, tries=tries, tried_ns=now_ns, ignored_since_ns=since_ns), True


def _shown(reading: Reading) -> str:
    return f"reads {reading.value:g}" if isinstance(reading, Good) else "cannot be read"
