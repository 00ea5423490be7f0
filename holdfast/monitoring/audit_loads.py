"""Which switchings of loads get a line in the audit log, with who asked for it and why."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from holdfast.control.cycle import CycleRecord
from holdfast.core.commands import Point, Write
from holdfast.core.signals import Producer, Signal
from holdfast.core.units import NS_PER_S
from holdfast.monitoring.audit_events import LoadSwitched, short
from holdfast.monitoring.audit_findings import NEVER_NS

LINES, WITHIN_NS = 4, 1200 * NS_PER_S
"""A load gets so many lines at most in this time, and what is switched more is counted in the next
one. A plan moves a relay twice in a quarter hour."""
_READBACKS = {
    Point.LOAD_ON: Signal.LOAD_ON,
    Point.ROOM_SETPOINT_C: Signal.ROOM_SETPOINT_READBACK_C,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadMemory:
    """What one load's switch was last told, and when it got its last lines."""

    told: Mapping[Point, float] = field(default_factory=dict)
    shown_ns: tuple[int, ...] = (-NEVER_NS,) * LINES
    switches: int = 0
    """Since the last line."""

    @property
    def due_ns(self) -> int:
        """When the next line may be written, if there is something to tell."""
        return self.shown_ns[0] + WITHIN_NS if self.switches else NEVER_NS


def load_events(
    memory: Mapping[str, LoadMemory], record: CycleRecord
) -> tuple[list[LoadSwitched], Mapping[str, LoadMemory]]:
    """Lines of a cycle; the memory for the next one."""
    now_ns = record.inputs.now_ns
    writes = [
        write
        for write in record.writes
        if write.role is Producer.LOAD_SWITCH and write.point in _READBACKS
    ]
    after = dict(memory)
    for write in writes:
        after[write.unit] = _told(after.get(write.unit, LoadMemory()), write, record)
    events = []
    for name, load in after.items():
        if load.due_ns <= now_ns:
            events.append(_event(name, load, record))
            after[name] = replace(load, shown_ns=(*load.shown_ns[1:], now_ns), switches=0)
    return events, after


def _told(load: LoadMemory, write: Write, record: CycleRecord) -> LoadMemory:
    """What a switch is told first is a change if it did not show so before."""
    shown = record.snapshot.good(write.unit, _READBACKS[write.point])
    changes = write.value != load.told.get(write.point, shown)
    return replace(
        load,
        told={**load.told, write.point: write.value},
        switches=load.switches + changes,
    )


def _event(name: str, load: LoadMemory, record: CycleRecord) -> LoadSwitched:
    request, permit = record.load_requests[name], record.load_permits[name]
    on, setpoint_c = load.told.get(Point.LOAD_ON), load.told.get(Point.ROOM_SETPOINT_C)
    temperature_c = record.snapshot.good(name, Signal.ROOM_TEMPERATURE_C)
    return LoadSwitched(
        load=name,
        on=None if on is None else on != 0.0,
        setpoint_c=None if setpoint_c is None else round(setpoint_c, 3),
        source=request.source,
        reason=short(request.reason),
        blocked_by=permit.blocked_by,
        temperature_c=None if temperature_c is None else round(temperature_c, 3),
        switches=load.switches,
    )
