"""The relay controller closes the contactor when permitted, opens it below its break current."""

from collections.abc import Collection
from dataclasses import replace
from typing import ClassVar

from holdfast.core.commands import Point, Write
from holdfast.core.config import StorageUnit
from holdfast.core.data_store import Snapshot
from holdfast.core.role import Role
from holdfast.core.signals import Signal
from holdfast.devices.contactor.memory import (
    MAIN_RULE,
    OPEN_AT_THE_LATEST_NS,
    Phase,
    RelayMemory,
    Wear,
    closed_once_more,
    is_told_closed,
    may_break,
    opened_once_more,
    shows_open,
)
from holdfast.devices.contactor.precharge import PrechargeSequence
from holdfast.devices.written_point import DeviceMemory, keep_points
from holdfast.safety.faults import finding
from holdfast.safety.finding import Finding
from holdfast.safety.permit import Permit


class RelayController:
    """Decides when the main contactor of one unit closes and opens. Holds no state.

    Where ``points`` has a precharge relay the contactor closes at the end of a precharge only;
    without one the pack precharges itself.
    """

    KEEPS: ClassVar[frozenset[Point]] = frozenset({Point.CONTACTOR, Point.PRECHARGE})

    def __init__(self, unit: StorageUnit, points: Collection[Point] = ()) -> None:
        self._unit = unit.name
        self._break_current_a = unit.battery.contactor_break_current_a
        self._precharge = PrechargeSequence(unit) if Point.PRECHARGE in points else None

    def is_ready(self, memory: RelayMemory) -> bool:
        """Says whether power may flow as far as the precharge goes: it is over, feedback came."""
        return self._precharge is None or memory.phase is Phase.CLOSED

    def is_connected(self, memory: RelayMemory, _permit: Permit) -> bool:
        """Says whether power may flow: the contactor is told to be closed."""
        return is_told_closed(memory)

    def decide(
        self, permit: Permit, snapshot: Snapshot, memory: RelayMemory, *, at_once: bool = False
    ) -> tuple[tuple[Write, ...], RelayMemory, tuple[Finding, ...]]:
        """Returns writes to make now, the next cycle's memory, and what is wrong with a contactor.

        ``at_once`` opens under load too: that is a stop of category 0. Without leave to close, a
        contactor that was told to close stays so.
        """
        if not permit.may_write:
            return (), RelayMemory(wear=memory.wear), ()
        close = permit.may_connect and permit.is_fresh(snapshot.time_ns)
        close = close and (permit.may_close or is_told_closed(memory))
        if self._precharge is not None:
            return self._precharge.decide(
                snapshot, memory, leave=close, may_close=permit.may_close, at_once=at_once
            )
        if not close:
            return self._follow(snapshot, memory, close=False, at_once=at_once)
        memory = replace(memory, opening_since_ns=None)
        if memory.confirmed:
            feedback = snapshot.read(self._unit, Signal.CONTACTOR_CLOSED)
            memory, dropped = shows_open(feedback, memory)
            if dropped:
                return self._dropped(snapshot, memory)
            if memory.open_ns is not None:
                return (), memory, ()
        if snapshot.good(self._unit, Signal.CONTACTOR_CLOSED) != 1.0 and not permit.may_close:
            # Written again it might close a contactor that has fallen open unseen, under load.
            return (), memory, ()
        return self._follow(snapshot, memory, close=True, at_once=at_once)

    def _dropped(
        self, snapshot: Snapshot, memory: RelayMemory
    ) -> tuple[tuple[Write, ...], RelayMemory, tuple[Finding, ...]]:
        """An opening that nobody ordered is a fault; what has fallen open is told to stay so."""
        fault = finding(
            "contactor_dropped",
            self._unit,
            snapshot.time_ns,
            "it shows open though told to be closed",
            device=Role.RELAYS,
        )
        writes, after, _ = self._follow(snapshot, memory, close=False, at_once=True)
        return writes, after, (fault,)

    def _follow(
        self, snapshot: Snapshot, memory: RelayMemory, *, close: bool, at_once: bool
    ) -> tuple[tuple[Write, ...], RelayMemory, tuple[Finding, ...]]:
        """The contactor of a pack that precharges itself simply follows the permit."""
        feedback = snapshot.good(self._unit, Signal.CONTACTOR_CLOSED)
        last = memory.points.get(Point.CONTACTOR)
        # After a start it may be closed and under load, as long as nobody has seen it open.
        was_closed = feedback != 0.0 if last is None else last.value == 1.0
        opening_since_ns = None
        if was_closed and not close and not at_once:
            opening_since_ns = memory.opening_since_ns or snapshot.time_ns
            waited_ns = snapshot.time_ns - opening_since_ns
            if waited_ns < OPEN_AT_THE_LATEST_NS and not self._may_break(
                snapshot, opening_since_ns
            ):
                return (), replace(memory, opening_since_ns=opening_since_ns), ()
        writes, points, findings = keep_points(
            self._unit,
            Role.RELAYS,
            {Point.CONTACTOR: float(close)},
            (MAIN_RULE,),
            snapshot,
            memory.points,
        )
        after = replace(
            memory,
            points=points,
            opening_since_ns=opening_since_ns,
            open_ns=None,
            confirmed=close and (memory.confirmed or feedback == 1.0),
            wear=self._worn(memory, points, snapshot, opening_since_ns),
        )
        return writes, after, findings

    def _worn(
        self, memory: RelayMemory, points: DeviceMemory, snapshot: Snapshot, since_ns: int | None
    ) -> Wear:
        was_told = is_told_closed(memory)
        is_told = points[Point.CONTACTOR].value == 1.0
        if is_told and not was_told:
            return closed_once_more(memory.wear)
        if was_told and not is_told:
            small = self._may_break(snapshot, since_ns)
            return opened_once_more(memory.wear, under_load=not small)
        return memory.wear

    def _may_break(self, snapshot: Snapshot, since_ns: int | None) -> bool:
        return may_break(self._unit, self._break_current_a, snapshot, since_ns)
