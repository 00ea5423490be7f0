"""A plain reference for the control cycle: what DESIGN.md and the tables say, said once more.

It keeps whole histories, knows no layer and imports no decision: only names, the site's
configuration and the rows of the limit table. Where it says what power is permitted, that is an
upper bound: a cycle that permits less is right. Where it says which state must follow, it is
exact, given the conditions that were raised (trips, and what the start waits for).
Islanding is not in it, but for an inverter that tells of an island while the meter sees the grid:
that is none.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from holdfast.core.commands import Command, Point
from holdfast.core.config import Site, StorageUnit
from holdfast.core.plan import Plan
from holdfast.core.signals import SITE, Signal
from holdfast.core.state_machine import State
from tests.properties.reference_bounds import NOTHING, Bounds, S
from tests.properties.reference_witness import Seen, look

EPS_W = 1e-6
RESOLUTION_W = 10.0
"""Smaller changes of a setpoint are not written, except to 0 W and into a narrower permit."""

ACCEPTED_IN = {
    Command.START: {State.IDLE},
    Command.STOP: {State.RUNNING},
    Command.RESET: {State.ERROR, State.STOPPED},
    Command.EMERGENCY_STOP: set(State) - {State.STOPPED},
}


class Violation(AssertionError):
    """The cycle did what the reference forbids, or left out what it demands."""


def demand(holds: bool, rule: str, detail: object = "") -> None:
    """Raise Violation unless ``holds``."""
    if not holds:
        raise Violation(f"{rule}: {detail}")


@dataclass(slots=True)
class Taken:
    """A plan that was accepted, and where the clocks stood then."""

    plan: Plan
    now_ns: int
    utc: datetime

    def slot_at(self, now_ns: int) -> Any:
        """The slot that covers ``now_ns``, or None."""

        def at_ns(instant: datetime) -> int:
            return self.now_ns + round((instant - self.utc).total_seconds() * S)

        if now_ns >= at_ns(self.plan.expires):
            return None
        slots = (s for s in self.plan.slots if at_ns(s.start) <= now_ns < at_ns(s.end))
        return next(slots, None)


@dataclass(slots=True)
class Unit:
    """What the reference remembers of one unit."""

    held: dict[Point, float] = field(default_factory=dict)
    """What was last written to each point since the start."""
    setpoint_w: float = 0.0
    told_ns: int = 0
    """When the setpoint was last written."""
    zero_ns: int | None = None
    """Since when 0 W is what it was last told."""
    seen: Seen = field(default_factory=Seen)
    """Who has seen its power."""
    due: set[str] = field(default_factory=set)
    """What the next cycle must trip for."""


class Reference:
    """Follows a cycle from outside, and says where it does what it must not."""

    def __init__(
        self,
        site: Site,
        expected: Mapping[str, Collection[Signal]],
        points: Mapping[str, Collection[Point]],
    ) -> None:
        self.site, self.points, self._expected = site, points, expected
        self.on_disk: tuple[frozenset[str], bool] = (frozenset(), False)
        self.restart()

    def restart(self) -> None:
        """The process begins anew: only what is on disk is left, and everything is unknown."""
        self.asked_by = "passive"
        self.state = State.BOOT
        self.faults, self.stopped = self.on_disk
        self.bounds = Bounds(self.site, self._expected)
        self.units = {unit.name: Unit() for unit in self.site.storage}
        self.plan: Taken | None = None
        self.last_ns: int | None = None
        self.loop_ns: int | None = None
        """When the emergency input was last known."""
        self.left_ns: int | None = None
        """Since when the site does not run."""

    def persist(self) -> None:
        """The latches are on disk."""
        self.on_disk = (self.faults, self.stopped)

    def check(self, record: Any, after: Any) -> None:
        """A cycle ran: raise Violation for anything that must not be."""
        inputs = record.inputs
        now_ns, commands = inputs.now_ns, set(inputs.commands)
        self.bounds.advance(now_ns)
        loop = self.bounds.readings.sample(SITE, Signal.EMERGENCY_LOOP_CLOSED)
        self.loop_ns = self.loop_ns if loop is None else loop[1]
        lost = self.loop_ns is not None and now_ns - self.loop_ns > 3 * S
        emergency = Command.EMERGENCY_STOP in commands or self._loop_is_open() or lost
        self._check_trips(record, now_ns)
        before = self.state
        self._check_commands(record, commands, emergency)
        self._follow_state(record, after, commands, emergency)
        self._follow_latches(record, after, before, emergency)
        self.left_ns = None if self.state is State.RUNNING else (self.left_ns or now_ns)
        self._check_request(record, now_ns)
        self._check_setpoints(record, now_ns)
        self._follow_writes(record, now_ns)
        raised = {State.STOPPED: emergency, State.ERROR: bool(record.assessment.trips)}
        stops = self.state is not before and raised.get(self.state, False)
        self._check_writes(record, at_once=stops or Command.EMERGENCY_STOP in commands)
        self._check_held(now_ns)
        self._look_for_power()
        self.last_ns = now_ns

    # ------------------------------------------------------------ the state machine

    def _loop_is_open(self) -> bool:
        loop = self.bounds.readings.good(SITE, Signal.EMERGENCY_LOOP_CLOSED)
        return loop is not None and not loop >= 1.0

    def _loop_is_closed(self) -> bool:
        return self.bounds.readings.good(SITE, Signal.EMERGENCY_LOOP_CLOSED) == 1.0

    def _check_trips(self, record: Any, now_ns: int) -> None:
        """What must trip has tripped."""
        keys = {found.key for found in record.assessment.trips}
        for watched in self.bounds.rows:
            key = f"{watched.owner}/{watched.row.id}"
            demand(key in keys or not watched.must_trip, "trip level", key)
        for known in self.units.values():
            demand(known.due <= keys, "witness", known.due - keys)
        longest_ns = max(S // 2, 5 * self.site.cycle.period_ms * S // 1000)
        gap_ns = 0 if self.last_ns is None else now_ns - self.last_ns
        demand(gap_ns <= longest_ns or bool(keys), "gap", f"{gap_ns} ns without a trip")

    def _check_commands(self, record: Any, commands: set[Command], emergency: bool) -> None:
        moved, tripped = record.moved, bool(record.assessment.trips)
        demand(set(moved.refused) <= commands, "refused", moved.refused)
        must_wait = self._must_wait()
        demand(not must_wait or bool(moved.waits_for), "must wait", must_wait)
        stopping = emergency or Command.STOP in commands
        for command in commands - set(moved.refused):
            demand(self.state in ACCEPTED_IN[command], "accepted", (command, self.state))
            if command is Command.START:
                demand(not (stopping or moved.waits_for), "start", moved.waits_for)
            elif command is Command.RESET:
                demand(not stopping, "reset", "while somebody asks to stop")
                released = self.state is State.ERROR or self._loop_is_closed()
                demand(released, "reset", "the loop is not closed")
                demand(self.state is State.STOPPED or not tripped, "reset", "a cause is left")

    def _must_wait(self) -> str:
        """What forbids the start, from raw readings alone."""
        good = self.bounds.readings.good
        if not self._loop_is_closed():
            return "emergency loop"
        if good(SITE, Signal.WATCHDOG_ARMED) != 1.0:
            return "watchdog"
        for unit in self.site.storage:
            if min(self.bounds.readings.share_left(owner) for owner in (SITE, unit.name)) <= 0.0:
                return f"{unit.name}: data"
            if self.site.authority == "observe":
                continue
            if good(unit.name, Signal.CONTACTOR_CLOSED) != 0.0:
                return f"{unit.name}: contactor"
            armed_s = good(unit.name, Signal.REVERT_TIMEOUT_READBACK_S)
            if armed_s != round(unit.inverter_hardware.revert_timeout_s):
                return f"{unit.name}: revert timer"
        return ""

    def _follow_state(
        self, record: Any, after: Any, commands: set[Command], emergency: bool
    ) -> None:
        accepted = commands - set(record.moved.refused)
        tripped = bool(record.assessment.trips)
        follows = self._next(accepted, emergency, tripped, bool(record.moved.waits_for))
        demand(after.machine is follows, "state", f"{self.state} -> {after.machine}: {follows}")
        demand(record.moved.state is follows, "state", "the record tells another")
        self.state = follows

    def _next(self, accepted: set[Command], emergency: bool, tripped: bool, waits: bool) -> State:
        """The table of DESIGN.md, section 5; what stops comes before what lets power flow."""
        match self.state:
            case _ if emergency:
                return State.STOPPED
            case State.BOOT if self.stopped:
                return State.STOPPED
            case State.BOOT if tripped or self.faults:
                return State.ERROR
            case State.BOOT:
                return State.BOOT if waits else State.IDLE
            case State.IDLE | State.RUNNING if tripped:
                return State.ERROR
            case State.IDLE if Command.START in accepted:
                return State.RUNNING
            case State.RUNNING if Command.STOP in accepted:
                return State.IDLE
            case State.ERROR | State.STOPPED if Command.RESET in accepted:
                return State.BOOT
            case unchanged:
                return unchanged

    def _follow_latches(self, record: Any, after: Any, before: State, emergency: bool) -> None:
        self.faults |= {found.key for found in record.assessment.trips}
        self.stopped |= emergency
        kept = frozenset(after.latches.faults)
        if self.state is State.BOOT and before is State.ERROR:
            demand(kept <= self.faults, "latch", "a reset invents one")
            self.faults = kept
        if self.state is State.BOOT and before is State.STOPPED:
            self.stopped = False
        demand(kept == self.faults, "latch", f"{sorted(self.faults)} became {sorted(kept)}")
        demand(after.latches.emergency_stop is self.stopped, "latch", "emergency stop")
        if self.state in (State.IDLE, State.RUNNING):
            demand(not (self.faults or self.stopped), "latch", f"{self.state} with {self.faults}")

    # ------------------------------------------------------------ request and setpoints

    def _check_request(self, record: Any, now_ns: int) -> None:
        """A plan that is valid now, else the site's own mode, else nothing.

        A plan that is gone before its slot is over may lead for some seconds more. How much is
        asked is no matter of this reference: the gate believes none of it.
        """
        slot = None if self.plan is None else self.plan.slot_at(now_ns)
        request, before = record.request, self.asked_by
        self.asked_by = str(request.source)
        if self.state is not State.RUNNING or self.bounds.rest_w() is None:
            told = (self.asked_by, request.power_w)
            demand(told == ("passive", 0.0), "ladder", f"{request} and nobody may ask")
            return
        source = "default" if slot is None else "plan"
        lingers = (before, source, self.asked_by) == ("plan", "default", "plan")
        demand(request.source == source or lingers, "ladder", f"{request.source} and not {source}")
        demand(math.isfinite(request.power_w), "ladder", f"{request.power_w} W")

    def _bound_of(self, unit: StorageUnit) -> tuple[float, float]:
        return self.bounds.of(unit) if self.state is State.RUNNING else NOTHING

    def _check_setpoints(self, record: Any, now_ns: int) -> None:
        dt_s = 0.0 if self.last_ns is None else max(now_ns - self.last_ns, 0) / S
        for unit in self.site.storage:
            power_w, last_w = record.setpoints[unit.name].power_w, self.units[unit.name].setpoint_w
            self._within(unit, power_w, "setpoint")
            start_w = abs(last_w) if last_w * power_w > 0.0 else 0.0
            most_w = start_w + unit.operation.ramp_w_per_s * dt_s
            slow = record.request.urgent or abs(power_w) <= most_w + EPS_W
            demand(slow, "ramp", f"{last_w} to {power_w} in {dt_s} s")
            self.units[unit.name].setpoint_w = power_w
        powers = [record.setpoints[unit.name].power_w for unit in self.site.storage]
        self._check_site(powers, "setpoints", 0.0)

    def _within(self, unit: StorageUnit, power_w: float, what: str) -> None:
        charge_w, discharge_w = self._bound_of(unit)
        demand(
            -discharge_w - EPS_W <= power_w <= charge_w + EPS_W,
            what,
            f"{unit.name}: {power_w} not within {-discharge_w} to {charge_w} W",
        )

    def _check_site(self, powers: list[float], what: str, tolerance_w: float) -> None:
        """The grid connection, and that no unit charges another."""
        charge_w, discharge_w = self.bounds.of_site()
        charging = sum(power_w for power_w in powers if power_w > 0.0)
        discharging = -sum(power_w for power_w in powers if power_w < 0.0)
        demand(charging <= charge_w + EPS_W, "grid", f"{what}: {charging} of {charge_w} W")
        demand(
            discharging <= discharge_w + EPS_W, "grid", f"{what}: {discharging} of {discharge_w} W"
        )
        both_w = min(charging, discharging)
        demand(both_w <= tolerance_w, "one charges another", f"{what}: {powers}")

    # ------------------------------------------------------------ writes

    def _follow_writes(self, record: Any, now_ns: int) -> None:
        """One write after the other, in their order."""
        demand(self.site.authority != "observe" or not record.writes, "observe", record.writes)
        for write in record.writes:
            demand(write.point in self.points[write.unit], "point", write)
            demand(math.isfinite(write.value), "finite", write)
            unit = next(unit for unit in self.site.storage if unit.name == write.unit)
            known, value = self.units[write.unit], write.value
            match write.point:
                case Point.SETPOINT_W:
                    self._write_setpoint(unit, known, value, now_ns)
                case Point.CHARGE_POWER_W | Point.DISCHARGE_POWER_W:
                    self._write_register(unit, known, write.point, value)
                case Point.ENABLE:
                    allowed = value == 0.0 or (value == 1.0 and self._may_run(unit))
                    demand(allowed, "enable", (self.state, value))
                case Point.REVERT_TIMEOUT_S:
                    wanted_s = round(unit.inverter_hardware.revert_timeout_s)
                    demand(value == wanted_s, "revert timer", value)
                case Point.CONTACTOR | Point.PRECHARGE:
                    self._write_relay(unit, known, write.point, value, now_ns)
            known.held[write.point] = value

    def _may_run(self, unit: StorageUnit) -> bool:
        return self.state is State.RUNNING and self.bounds.may_run(unit)

    def _write_setpoint(self, unit: StorageUnit, known: Unit, value: float, now_ns: int) -> None:
        self._within(unit, value, "written")
        inside = abs(value) <= abs(known.setpoint_w) and value * known.setpoint_w >= 0.0
        demand(inside, "written", f"{value} W for a setpoint of {known.setpoint_w} W")
        if value != 0.0:
            known.zero_ns = None
        elif known.zero_ns is None:
            known.zero_ns = now_ns
        known.told_ns = now_ns

    def _write_register(self, unit: StorageUnit, known: Unit, point: Point, value: float) -> None:
        """The BMS's: two registers, one of them always 0."""
        charges = point is Point.CHARGE_POWER_W
        other = Point.DISCHARGE_POWER_W if charges else Point.CHARGE_POWER_W
        demand(value >= 0.0, "register", value)
        demand(value == 0.0 or known.held.get(other) == 0.0, "both registers", known.held)
        self._within(unit, value if charges else -value, "register")

    def _write_relay(
        self, unit: StorageUnit, known: Unit, point: Point, value: float, now_ns: int
    ) -> None:
        demand(value in (0.0, 1.0), "relay", value)
        if value == 1.0:
            demand(self.state is State.RUNNING, "closes", f"{point} in {self.state}")
        if value == 1.0 and point is Point.CONTACTOR:
            good = self.bounds.readings.good
            is_off = good(unit.name, Signal.INVERTER_ENABLED) == 0.0
            shows_closed = good(unit.name, Signal.CONTACTOR_CLOSED) == 1.0
            demand(is_off or shows_closed, "power stage", f"{unit.name} may close under load")
        if point is Point.PRECHARGE or known.held.get(point) == value:
            return
        if value == 1.0:
            if Point.PRECHARGE in self.points[unit.name]:
                self._check_precharged(unit, known)
            return
        demand(known.held.get(Point.SETPOINT_W) == 0.0, "opens", "before 0 W")
        demand(known.held.get(Point.ENABLE) == 0.0, "opens", "before the inverter is off")
        demand(self._may_open(unit, known, now_ns), "opens", f"{unit.name}: under load")

    def _check_precharged(self, unit: StorageUnit, known: Unit) -> None:
        good = self.bounds.readings.good
        pack_v, link_v = (
            good(unit.name, Signal.PACK_VOLTAGE_V),
            good(unit.name, Signal.DC_LINK_VOLTAGE_V),
        )
        charged = pack_v is not None and link_v is not None and abs(pack_v - link_v) < 1.0
        demand(charged, "precharge", f"closes with {link_v} of {pack_v} V")
        demand(known.held.get(Point.PRECHARGE) == 1.0, "precharge", "was not switched on")

    def _may_open(self, unit: StorageUnit, known: Unit, now_ns: int) -> bool:
        """Seen open, or waited for long enough, or a current measured after 0 W is small."""
        at_once = self.state is State.STOPPED and self.site.emergency_stop_category == 0
        since_ns = [at_ns for at_ns in (self.left_ns, known.zero_ns) if at_ns is not None]
        waited = any(now_ns - at_ns >= S for at_ns in since_ns)
        readings = self.bounds.readings
        seen_open = readings.good(unit.name, Signal.CONTACTOR_CLOSED) == 0.0
        if at_once or waited or seen_open or known.zero_ns is None:
            return at_once or waited or seen_open
        voltage_v = readings.good(unit.name, Signal.PACK_VOLTAGE_V)
        for signal, divisor in (
            (Signal.BATTERY_CURRENT_A, 1.0),
            (Signal.BATTERY_POWER_W, voltage_v),
        ):
            sample = readings.sample(unit.name, signal)
            if sample is None or divisor is None or sample[1] <= known.zero_ns:
                continue
            if abs(sample[0] / divisor) < unit.battery.contactor_break_current_a:
                return True
        return False

    def _check_writes(self, record: Any, *, at_once: bool) -> None:
        """A stop or a trip is written in its own cycle, even if it changes nothing."""
        if self.site.authority == "observe" or not at_once:
            return
        for unit in self.site.storage:
            written = {w.point: w.value for w in record.writes if w.unit == unit.name}
            for point in (Point.SETPOINT_W, Point.ENABLE):
                demand(written.get(point) == 0.0, "at once", f"{unit.name}: {written}")
            if self.state is State.STOPPED and self.site.emergency_stop_category == 0:
                open_ = self.units[unit.name].held.get(Point.CONTACTOR) == 0.0
                demand(open_, "at once", f"{unit.name}: category 0")

    def _look_for_power(self) -> None:
        """Ramp to zero is safe once a zero was acknowledged and seen: what is due is a trip."""
        if self.site.authority == "observe":
            return
        for unit in self.site.storage:
            known = self.units[unit.name]
            closed = known.held.get(Point.CONTACTOR) == 1.0
            known.due = look(
                known.seen, unit, self.bounds.readings, zero_ns=known.zero_ns, closed=closed
            )

    def _check_held(self, now_ns: int) -> None:
        """What the devices were told is permitted now, whether it was written now or before."""
        if self.site.authority == "observe":
            return
        for unit in self.site.storage:
            known = self.units[unit.name]
            held = known.held
            demand(Point.SETPOINT_W in held and Point.ENABLE in held, "held", held)
            self._within(unit, held[Point.SETPOINT_W], "held")
            self._within(unit, held.get(Point.CHARGE_POWER_W, 0.0), "held")
            self._within(unit, -held.get(Point.DISCHARGE_POWER_W, 0.0), "held")
            demand(held[Point.ENABLE] == 0.0 or self._may_run(unit), "enable", self.state)
            timeout_s = round(unit.inverter_hardware.revert_timeout_s)
            demand(held.get(Point.REVERT_TIMEOUT_S) == timeout_s, "revert timer", held)
            demand(now_ns - known.told_ns < timeout_s * S // 2, "heartbeat", unit.name)
            if self.left_ns is not None and now_ns - self.left_ns >= S:
                demand(held.get(Point.CONTACTOR) == 0.0, "opens", f"{unit.name}: not yet")
        powers = [self.units[unit.name].held[Point.SETPOINT_W] for unit in self.site.storage]
        self._check_site(powers, "held", RESOLUTION_W)
