"""Points of a device, as they are kept: written on change, refreshed, read back, tried again."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from holdfast.core.commands import Point, Write
from holdfast.core.data_store import Snapshot
from holdfast.core.reading import Good, Reading
from holdfast.core.signals import Producer, Signal
from holdfast.core.units import NS_PER_MS
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


@dataclass(frozen=True, slots=True, kw_only=True)
class PointMemory:
    """What was last written to a point."""

    value: float
    written_ns: int
    tries: int = 0
    """How often in a row the read-back has differed."""
    ignored_since_ns: int | None = None


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
        if kept is None or differs or rule.point in forced or _is_due(rule, value, kept, now_ns):
            writes.append(Write(unit=unit, role=role, point=rule.point, value=value))
            kept = (
                PointMemory(value=value, written_ns=now_ns)
                if kept is None
                else replace(kept, value=value, written_ns=now_ns)
            )
        after[rule.point] = kept
        if kept.ignored_since_ns is not None:
            detail = f"{rule.point} is to be {kept.value:g}, {_shown(reading)}"
            findings.append(finding(rule.fault, unit, kept.ignored_since_ns, detail, device=role))
    return tuple(writes), after, tuple(findings)


def _is_due(rule: PointRules, value: float, memory: PointMemory, now_ns: int) -> bool:
    since_write_ns = now_ns - memory.written_ns
    if since_write_ns >= rule.refresh_ns:
        return True
    change = abs(value - memory.value)
    if value == 0.0:
        return change > 0.0
    if change < rule.resolution:
        return False
    towards_zero = value * memory.value > 0.0 and abs(value) < abs(memory.value)
    return towards_zero or since_write_ns >= INCREASE_EVERY_NS


def _compare(
    rule: PointRules, readback: Reading, memory: PointMemory | None, now_ns: int
) -> tuple[PointMemory | None, bool]:
    """Compare a read-back that was taken late enough after the write with what was written."""
    if (
        memory is None
        or not isinstance(readback, Good)
        or readback.time_ns < memory.written_ns + rule.settle_ns
    ):
        return memory, False
    if abs(readback.value - memory.value) <= rule.resolution / 2:
        settled = memory.tries == 0 and memory.ignored_since_ns is None
        return (memory if settled else replace(memory, tries=0, ignored_since_ns=None)), False
    tries = memory.tries + 1
    since_ns = memory.ignored_since_ns
    if tries >= rule.tries and since_ns is None:
        since_ns = now_ns
    return replace(memory, tries=tries, ignored_since_ns=since_ns), True


def _shown(reading: Reading) -> str:
    return f"reads {reading.value:g}" if isinstance(reading, Good) else "cannot be read"
