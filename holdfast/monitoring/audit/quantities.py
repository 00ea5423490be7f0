"""This module tells which writes of a quantity get a line, with its way through the layers."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from holdfast.control.cycle import CycleRecord, CycleState
from holdfast.core.config import Site
from holdfast.core.signals import SITE, Signal
from holdfast.monitoring.audit.events import AuditEvent, Cause, QuantityChanged, SlotFollowed, short
from holdfast.monitoring.quantities.quantity import Quantity, QuantityName
from holdfast.monitoring.quantities.table import QUANTITIES, ROW_OF, LineRule, memory_of
from holdfast.monitoring.throttle import Throttle
from holdfast.safety.finding import Reaction

_Key = tuple[QuantityName, str]
"""A key consists of name and owner."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantityMemory:
    """Holds the last line about one quantity, and what was written since."""

    throttle: Throttle
    shown: Quantity | None = None
    told: float | None = None
    """Tells what was written last."""
    lowest: float = math.inf
    """Tells the lowest value that was written since the last line."""
    highest: float = -math.inf


QuantityMemories = Mapping[_Key, QuantityMemory]


class QuantityObserver:
    """Finds the writes of a cycle that are worth a line. Holds no state."""

    def __init__(self, site: Site) -> None:
        self._steps: dict[_Key, float] = {
            (row.name, owner): step
            for row in QUANTITIES
            for owner, step in row.lines.steps(site).items()
        }

    def observe(
        self, memory: QuantityMemories, after: CycleState, record: CycleRecord
    ) -> tuple[list[AuditEvent], QuantityMemories]:
        """Returns events of the cycle that led to ``after``, and the memory for the next one."""
        now_ns = record.inputs.now_ns
        due = {key for key, last in memory.items() if last.throttle.due_ns <= now_ns}
        writes = {
            (row.name, write.unit): write.value
            for write in record.writes
            if (row := ROW_OF.get(write.point)) is not None
        }
        if not (due or writes):
            return [], memory
        events: list[AuditEvent] = []
        memory = dict(memory)
        for key in dict.fromkeys((*writes, *due)):
            event, memory[key] = self._look(key, memory.get(key), writes.get(key), after, record)
            if event is not None:
                events.append(event)
        return events, memory

    def _look(
        self,
        key: _Key,
        last: QuantityMemory | None,
        written: float | None,
        after: CycleState,
        record: CycleRecord,
    ) -> tuple[QuantityChanged | None, QuantityMemory]:
        name, owner = key
        row, now_ns = _ROWS[name], record.inputs.now_ns
        quantity = row.quantity(owner, memory_of(row, owner, after), record)
        assert quantity is not None, "what was written is set"
        if last is None:
            last = QuantityMemory(throttle=Throttle(allowance=row.lines.allowance))
        if written is not None:
            step = self._steps.get(key, 0.0)
            worth = last.shown is None or _is_worth_a_line(last.shown, quantity, row.lines, step)
            last = _counted(last, written, worth_a_line=worth)
        # Zero is the safe state: it does not wait.
        to_zero = quantity.written == 0.0 and last.shown is not None and last.shown.written != 0.0
        if not to_zero and now_ns < last.throttle.due_ns:
            return None, last
        event = QuantityChanged(
            quantity=_recorded(quantity),
            slot=_slot(record),
            grid_power_w=_rounded(record.snapshot.good(SITE, Signal.GRID_POWER_W)),
            beside=_beside(owner, row.beside, record),
            causes=tuple(_causes(quantity, record)),
            left_out=last.throttle.left_out,
            lowest=_rounded(last.lowest),
            highest=_rounded(last.highest),
        )
        throttle = last.throttle.told(now_ns)
        return event, QuantityMemory(throttle=throttle, shown=quantity, told=last.told)


_ROWS = {row.name: row for row in QUANTITIES}
_LAYERS = (
    "asked", "asked_of_site", "low", "high", "permitted", "ramped", "written", "read_back",
    "measured",
)  # fmt: skip


def _counted(last: QuantityMemory, written: float, *, worth_a_line: bool) -> QuantityMemory:
    """Returns the memory after a write: one that tells a device nothing new is no change."""
    throttle = last.throttle
    if worth_a_line or written != last.told:
        throttle = throttle.changed(worth_a_line=worth_a_line)
    return QuantityMemory(
        throttle=throttle,
        shown=last.shown,
        told=written,
        lowest=min(last.lowest, written),
        highest=max(last.highest, written),
    )


def _is_worth_a_line(shown: Quantity, now: Quantity, lines: LineRule, step: float) -> bool:
    was, written = shown.written or 0.0, now.written or 0.0
    return (
        abs(written - was) > step
        or (written == 0.0) != (was == 0.0)
        or (lines.why and _has_another_reason(shown, now, lines.resolution))
    )


def _has_another_reason(shown: Quantity, now: Quantity, resolution: float) -> bool:
    """Says whether ``now`` has another reason; the end of a ramp is one."""
    if _has_arrived(now, resolution) and not _has_arrived(shown, resolution):
        return True
    return (now.limited_by, now.source, now.reason) != (
        shown.limited_by,
        shown.source,
        shown.reason,
    )


def _has_arrived(quantity: Quantity, resolution: float) -> bool:
    permitted, written = quantity.permitted, quantity.written
    return permitted is not None and written is not None and abs(permitted - written) <= resolution


def _recorded(quantity: Quantity) -> Quantity:
    """Returns the quantity as it stands in the log: numbers finite and short, texts bounded."""
    layers: dict[str, Any] = {layer: _rounded(getattr(quantity, layer)) for layer in _LAYERS}
    return replace(quantity, reason=short(quantity.reason), **layers)


def _beside(owner: str, signals: Iterable[Signal], record: CycleRecord) -> dict[str, float]:
    readings = {signal: _rounded(record.snapshot.good(owner, signal)) for signal in signals}
    return {signal: value for signal, value in readings.items() if value is not None}


def _causes(quantity: Quantity, record: CycleRecord) -> Iterator[Cause]:
    by = {quantity.low_by, quantity.high_by, quantity.limited_by}
    for found in record.assessment.findings:
        concerns = found.owner in (quantity.owner, SITE)
        holds = found.reaction is Reaction.HOLD and quantity.ramped is not None
        if found.key in by or (concerns and (found.row in by or holds)):
            yield Cause(
                owner=found.owner,
                row=found.row,
                level=found.level.name.lower(),
                reaction=found.reaction.name.lower(),
                text=short(found.text),
            )


def _slot(record: CycleRecord) -> SlotFollowed | None:
    plan = record.inputs.plan
    slot = None if plan is None else plan.slot_at(record.inputs.now_ns)
    if plan is None or slot is None:
        return None
    return SlotFollowed(
        plan_id=short(plan.plan.plan_id),
        mode=slot.mode,
        battery_power_w=_rounded(slot.battery_power_w),
        end=slot.end,
    )


def _rounded(value: float | None) -> float | None:
    """Rounds to a thousandth; None for what is not finite."""
    return None if value is None or not math.isfinite(value) else round(value, 3)
