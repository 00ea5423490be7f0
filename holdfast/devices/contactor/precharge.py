"""The precharge charges the link through a resistor before the main contactor closes.

::

    OPEN --leave--> PRECHARGE --voltage and current--> CLOSING --feedback--> CLOSED
     ^  ^               | abort                           | leave lost, or a fault  |
     |  +-- 3 s --------+                              OPENING <--------------------+
     +--------------------------------------------------- |
     +--- 10 s without leave or cause --- LOCKED_OUT <----+-- the third failure, a weld,
                                                              a link that does not discharge

Closing onto an empty link welds contacts: a contactor of that kind is rated for 50,000 closings
at 90 % of the voltage and for 50 at 80 % (data sheet DEVR40). A measurement proves a command
only if it was taken after it.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from holdfast.core.commands import Point, Write
from holdfast.core.config import StorageUnit
from holdfast.core.data_store import Snapshot
from holdfast.core.reading import Good, Missing
from holdfast.core.role import Role
from holdfast.core.signals import Signal
from holdfast.core.units import NS_PER_MS, NS_PER_S
from holdfast.devices.contactor.memory import (
    MAIN_RULE,
    OPEN_AT_THE_LATEST_NS,
    SETTLE_NS,
    Phase,
    RelayMemory,
    closed_once_more,
    may_break,
    opened_once_more,
    shows_open,
)
from holdfast.devices.contactor.precharge_scene import Scene, since
from holdfast.devices.written_point import PointRules, keep_points
from holdfast.safety.faults import finding
from holdfast.safety.finding import Finding

COMPLETE_BELOW_V = 1.0
"""Pack and link must be closer than this (foxBMS)."""
COMPLETE_BELOW_A = 0.15
"""foxBMS takes 50 mA. A BMS that tells 0.1 A shows those as 0.0 or 0.1, and rests at 0.1 as often
as at 0.0; it must not show 0.2. The voltage is the sharper of the two: this one finds a load that a
wrong voltage would hide."""
WITHIN_NS = 2 * NS_PER_S
"""foxBMS takes this. Longer would burn the resistor."""
TOO_QUICK_NS = 100 * NS_PER_MS
"""If it is complete this soon, there is no capacitor, or something bypasses the resistor."""
TRIES, TRY_EVERY_NS = 3, 3 * NS_PER_S
LOCKED_OUT_NS = 10 * NS_PER_S
CLOSE_WITHIN_NS = 5 * NS_PER_S
LEFT_ALONE_NS = 10 * NS_PER_S
"""An open link falls by more than COMPLETE_BELOW_V in this time, unless the contactor is welded:
by more than 2 % at a discharge time constant of five minutes."""
DISCHARGED_WITHIN_NS = 300 * NS_PER_S
"""Labels on inverters ask to wait for five minutes before their link may be touched. What is
charged for longer is charged by something else."""
FLOW_SHARE = 0.2
"""It is of the break current. More than this through an open contactor is no error of a sensor."""

_PRECHARGE_RULE = replace(MAIN_RULE, point=Point.PRECHARGE, readback=Signal.PRECHARGE_CLOSED)
_BOTH = (MAIN_RULE, _PRECHARGE_RULE)

_WANTED: Mapping[Phase, tuple[tuple[PointRules, ...], Mapping[Point, float]]] = {
    #                  kept                 main contactor          precharge relay
    Phase.OPEN:       (_BOTH,              {Point.CONTACTOR: 0.0, Point.PRECHARGE: 0.0}),
    Phase.PRECHARGE:  (_BOTH,              {Point.CONTACTOR: 0.0, Point.PRECHARGE: 1.0}),
    Phase.CLOSING:    (_BOTH,              {Point.CONTACTOR: 1.0, Point.PRECHARGE: 1.0}),
    Phase.CLOSED:     (_BOTH,              {Point.CONTACTOR: 1.0, Point.PRECHARGE: 0.0}),
    Phase.OPENING:    ((_PRECHARGE_RULE,), {Point.PRECHARGE: 0.0}),  # main: left as it is
    Phase.LOCKED_OUT: (_BOTH,              {Point.CONTACTOR: 0.0, Point.PRECHARGE: 0.0}),
}  # fmt: skip
assert _WANTED.keys() == set(Phase), "every phase says what it writes"


class PrechargeSequence:
    """Closes the main contactor of one unit behind a precharge, and opens it. Holds no state."""

    def __init__(self, unit: StorageUnit) -> None:
        self._unit = unit.name
        self._break_current_a = unit.battery.contactor_break_current_a

    def decide(
        self,
        snapshot: Snapshot,
        memory: RelayMemory,
        *,
        leave: bool,
        may_close: bool,
        at_once: bool,
    ) -> tuple[tuple[Write, ...], RelayMemory, tuple[Finding, ...]]:
        """Returns writes to make now, the memory for the next cycle, and what is wrong."""
        scene = Scene(
            unit=self._unit, snapshot=snapshot, leave=leave, may_close=may_close, at_once=at_once
        )
        if memory.since_ns is None:
            memory = _first(scene, memory)
        memory = self._step(scene, memory)
        rules, wanted = _WANTED[memory.phase]
        if memory.phase is Phase.CLOSED and scene.good(Signal.CONTACTOR_CLOSED) != 1.0:
            rules = (_PRECHARGE_RULE,)  # a contactor that may have fallen open is not closed again
        # A phase counts its time from its command: what changes is written in this very cycle.
        last = {point: kept.value for point, kept in memory.points.items()}
        changed = frozenset(point for point, value in wanted.items() if last.get(point) != value)
        writes, points, found = keep_points(
            self._unit, Role.RELAYS, wanted, rules, snapshot, memory.points, changed
        )
        memory = replace(memory, points=points)
        if _waits_for_discharge(scene, memory):
            waits = self._fault(scene, "precharge_waits", scene.shown)
            found = (*found, replace(waits, since_ns=since(memory)))
        if memory.fault is None:
            return writes, memory, found
        others = tuple(other for other in found if other.key != memory.fault.key)
        return writes, memory, (memory.fault, *others)

    def _step(self, scene: Scene, memory: RelayMemory) -> RelayMemory:
        match memory.phase:
            case Phase.OPEN:
                return self._open(scene, memory)
            case Phase.PRECHARGE:
                return self._precharge(scene, memory)
            case Phase.CLOSING:
                return self._closing(scene, memory)
            case Phase.CLOSED:
                return self._closed(scene, memory)
            case Phase.OPENING:
                return self._opening(scene, memory)
            case Phase.LOCKED_OUT:
                return self._locked_out(scene, memory)

    # ---------------------------------------------------------------- one function a phase

    def _open(self, scene: Scene, memory: RelayMemory) -> RelayMemory:
        """Looks for a weld; begins with leave, an open feedback and a link that has fallen."""
        memory, weld = self._look_for_weld(scene, memory)
        if weld is not None:
            return self._locked(scene, memory, "contactor_welded", weld)
        if scene.leave and _moved_by_itself(scene, memory):
            return self._locked(scene, memory, "contactor_stuck", "closed though told to be open")
        if _waits_for_discharge(scene, memory) and scene.waited_ns(memory) > DISCHARGED_WITHIN_NS:
            detail = "too quick, and the link stays charged, " + scene.shown
            return self._locked(scene, memory, "precharge_failed", detail)
        gap_v = scene.gap_v(since(memory))
        told = scene.snapshot.read(self._unit, Signal.PRECHARGE_CLOSED)
        begins = (
            scene.leave
            and (memory.not_before_ns is None or scene.now_ns >= memory.not_before_ns)
            and scene.good(Signal.CONTACTOR_CLOSED) == 0.0
            and (isinstance(told, Missing) or (isinstance(told, Good) and told.value == 0.0))
            and gap_v is not None
            and gap_v >= COMPLETE_BELOW_V
            and (scene.is_discharged or not memory.was_quick)
        )
        if not begins:
            return memory
        low_ns = scene.now_ns if scene.is_discharged else None
        return _begin(scene, memory, Phase.PRECHARGE, low_ns=low_ns, flow_ns=None)

    def _precharge(self, scene: Scene, memory: RelayMemory) -> RelayMemory:
        """Waits for voltage and current; neither too long nor too short."""
        if not scene.leave:
            return _given_up(scene, memory)
        if scene.after(Signal.CONTACTOR_CLOSED, since(memory)) == 1.0:
            return self._locked(scene, memory, "contactor_stuck", "closed during the precharge")
        if scene.waited_ns(memory) > WITHIN_NS:
            return self._failed(scene, memory, "too slow, " + scene.shown)
        memory, quick = self._watch_the_rise(scene, memory)
        if quick:
            memory = replace(memory, was_quick=True)
            return self._failed(scene, memory, "too quick, " + scene.shown)
        if not self._is_complete(scene, since(memory)):
            return memory
        wear = closed_once_more(memory.wear)
        return _begin(scene, memory, Phase.CLOSING, wear=wear)

    def _closing(self, scene: Scene, memory: RelayMemory) -> RelayMemory:
        """Waits for the feedback."""
        if not (scene.leave and scene.may_close):
            return self._begin_opening(scene, memory)
        if scene.after(Signal.CONTACTOR_CLOSED, since(memory)) == 1.0:
            return _begin(scene, memory, Phase.CLOSED, tries=0, was_quick=False)
        if scene.waited_ns(memory) > CLOSE_WITHIN_NS:
            fault = self._fault(scene, "contactor_stuck", "not closed 5 s after the command")
            return self._begin_opening(scene, memory, fault)
        gap_v = scene.gap_v(since(memory))
        if gap_v is not None and not gap_v < 2.0 * COMPLETE_BELOW_V:
            # It would close late, onto a link that has fallen meanwhile.
            memory = self._failed(scene, memory, "lost again, " + scene.shown)
            return self._begin_opening(scene, memory, memory.fault)
        return memory

    def _closed(self, scene: Scene, memory: RelayMemory) -> RelayMemory:
        """Stays closed while there is leave and the feedback says so."""
        if not scene.leave:
            return self._begin_opening(scene, memory)
        feedback = scene.snapshot.read(self._unit, Signal.CONTACTOR_CLOSED)
        memory, dropped = shows_open(feedback, memory)
        if not dropped:
            return memory
        fault = self._fault(scene, "contactor_dropped", "it shows open though told to be closed")
        return self._begin_opening(scene, replace(memory, open_ns=None), fault)

    def _opening(self, scene: Scene, memory: RelayMemory) -> RelayMemory:
        """Opens below the break current, after a second at the latest; new leave or not."""
        since_ns = None if scene.at_once else since(memory)
        small = may_break(self._unit, self._break_current_a, scene.snapshot, since_ns)
        late = scene.waited_ns(memory) >= OPEN_AT_THE_LATEST_NS
        if not (small or late or scene.at_once):
            return memory
        wear, last = memory.wear, memory.points.get(Point.CONTACTOR)
        if last is not None and last.value == 1.0:
            wear = opened_once_more(wear, under_load=not small)
        phase = Phase.OPEN if memory.fault is None else Phase.LOCKED_OUT
        not_before_ns = scene.now_ns + TRY_EVERY_NS
        return _begin(scene, memory, phase, wear=wear, not_before_ns=not_before_ns, flow_ns=None)

    def _locked_out(self, scene: Scene, memory: RelayMemory) -> RelayMemory:
        """Stays open until leave has been withdrawn and nothing speaks of a weld, for 10 s."""
        memory, flows = self._look_for_current(scene, memory)
        welded = memory.fault is not None and memory.fault.row.endswith("contactor_welded")
        gap_v = scene.gap_v(scene.now_ns - LEFT_ALONE_NS)
        apart = gap_v is not None and gap_v >= COMPLETE_BELOW_V
        if flows or (welded and not apart):
            return replace(memory, since_ns=scene.now_ns)
        if scene.leave or scene.waited_ns(memory) < LOCKED_OUT_NS:
            return memory
        return _begin(
            scene, memory, Phase.OPEN, fault=None, tries=0, was_quick=False, not_before_ns=None
        )

    # ---------------------------------------------------------------- what they look at

    def _is_complete(self, scene: Scene, since_ns: int) -> bool:
        """Says whether measurements after ``since_ns`` show no voltage and no current any more."""
        gap_v = scene.gap_v(since_ns)
        current_a = scene.after(Signal.BATTERY_CURRENT_A, since_ns)
        return (
            gap_v is not None
            and gap_v < COMPLETE_BELOW_V
            and current_a is not None
            and abs(current_a) < COMPLETE_BELOW_A
        )

    def _watch_the_rise(self, scene: Scene, memory: RelayMemory) -> tuple[RelayMemory, bool]:
        """Remembers when the link was last discharged; True if it was full right after that.

        The time counts from one sample to another: how long the write took to get there is not
        known.
        """
        link = scene.snapshot.read(self._unit, Signal.DC_LINK_VOLTAGE_V)
        pack_v = scene.good(Signal.PACK_VOLTAGE_V)
        if not isinstance(link, Good) or link.time_ns <= since(memory) or pack_v is None:
            return memory, False
        if scene.is_discharged:
            return replace(memory, low_ns=link.time_ns), False
        full = abs(pack_v - link.value) < COMPLETE_BELOW_V
        quick = memory.low_ns is not None and link.time_ns - memory.low_ns <= TOO_QUICK_NS
        return memory, full and quick

    def _look_for_weld(self, scene: Scene, memory: RelayMemory) -> tuple[RelayMemory, str | None]:
        """Finds current through the open contactor, or a link that stays at the pack's voltage."""
        memory, flows = self._look_for_current(scene, memory)
        if flows:
            return memory, f"{scene.good(Signal.BATTERY_CURRENT_A):g} A flow though it shows open"
        gap_v = scene.gap_v(since(memory))
        at_pack = gap_v is not None and gap_v < COMPLETE_BELOW_V
        if at_pack and scene.waited_ns(memory) >= LEFT_ALONE_NS:
            return memory, "the link stays charged, " + scene.shown
        return memory, None

    def _look_for_current(self, scene: Scene, memory: RelayMemory) -> tuple[RelayMemory, bool]:
        """Says whether two samples, both long enough after the opening, show that current flows."""
        current = scene.snapshot.read(self._unit, Signal.BATTERY_CURRENT_A)
        if not isinstance(current, Good) or current.time_ns <= since(memory) + SETTLE_NS:
            return memory, False
        if not abs(current.value) > FLOW_SHARE * self._break_current_a:
            return replace(memory, flow_ns=None), False
        if scene.good(Signal.CONTACTOR_CLOSED) != 0.0:
            return memory, False
        if memory.flow_ns is None:
            return replace(memory, flow_ns=current.time_ns), False
        return memory, current.time_ns > memory.flow_ns

    # ---------------------------------------------------------------- where they lead

    def _begin_opening(
        self, scene: Scene, memory: RelayMemory, fault: Finding | None = None
    ) -> RelayMemory:
        """The order to open counts from now, and may be carried out now."""
        return self._opening(scene, _begin(scene, memory, Phase.OPENING, fault=fault))

    def _failed(self, scene: Scene, memory: RelayMemory, detail: str) -> RelayMemory:
        """Counts a precharge that came to nothing: another try follows in 3 s, or none."""
        tries = memory.tries + 1
        memory = replace(memory, tries=tries)
        if tries >= TRIES:
            return self._locked(scene, memory, "precharge_failed", f"{TRIES} tries, {detail}")
        return _given_up(scene, memory)

    def _locked(self, scene: Scene, memory: RelayMemory, row: str, detail: str) -> RelayMemory:
        return _begin(scene, memory, Phase.LOCKED_OUT, fault=self._fault(scene, row, detail))

    def _fault(self, scene: Scene, row: str, detail: str) -> Finding:
        return finding(row, self._unit, scene.now_ns, detail, device=Role.RELAYS)


def _begin(scene: Scene, memory: RelayMemory, phase: Phase, **changes: Any) -> RelayMemory:
    return replace(memory, phase=phase, since_ns=scene.now_ns, **changes)


def _first(scene: Scene, memory: RelayMemory) -> RelayMemory:
    """After a start it may be closed and under load, as long as nobody has seen it open."""
    seen_open = scene.good(Signal.CONTACTOR_CLOSED) == 0.0
    return _begin(scene, memory, Phase.OPEN if seen_open else Phase.OPENING)


def _given_up(scene: Scene, memory: RelayMemory) -> RelayMemory:
    return _begin(
        scene, memory, Phase.OPEN, not_before_ns=scene.now_ns + TRY_EVERY_NS, flow_ns=None
    )


def _waits_for_discharge(scene: Scene, memory: RelayMemory) -> bool:
    """Says whether a precharge was too quick, and the link is known to be charged still."""
    return (
        memory.phase is Phase.OPEN
        and memory.was_quick
        and scene.leave
        and scene.gap_v(since(memory)) is not None
        and not scene.is_discharged
    )


def _moved_by_itself(scene: Scene, memory: RelayMemory) -> bool:
    """Says whether it shows closed, long enough after the contactor was opened."""
    return scene.after(Signal.CONTACTOR_CLOSED, since(memory) + SETTLE_NS) == 1.0
