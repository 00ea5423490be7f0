"""The control cycle is one pure function of (state, inputs, time).

It has no clock, no I/O and no randomness. The record of a cycle is enough to run it again, bit for
bit.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from holdfast.control.loads.control import LoadControl
from holdfast.control.loads.requests import LoadRequest
from holdfast.control.mode_manager import ModeManager, Request
from holdfast.control.plan_gate import AcceptedPlan
from holdfast.control.safety_wrapper import SafetyWrapper
from holdfast.control.state_guard import Moved, StateGuard
from holdfast.control.storage.dispatch import divide
from holdfast.control.storage.power_ramper import PowerRamper, Setpoint
from holdfast.control.storage.unit import UnitControl, UnitMemory
from holdfast.core.ages import ALL_USUAL, SiteAges
from holdfast.core.commands import Command, Point, Write
from holdfast.core.config import Site
from holdfast.core.data_store import Image, Snapshot, freeze
from holdfast.core.emergency_handler import loop_known_ns
from holdfast.core.latches import Latches
from holdfast.core.signals import SITE
from holdfast.core.state_machine import Event, State
from holdfast.core.units import NS_PER_MS, NS_PER_S, s_from_ns
from holdfast.devices.point_traits import NO_TRAITS, Traits
from holdfast.devices.written_point import DeviceMemory
from holdfast.safety.assessment import Assessment, Assessor, SafetyMemory
from holdfast.safety.data_age import Expected
from holdfast.safety.derived import derive
from holdfast.safety.faults import finding
from holdfast.safety.finding import Finding
from holdfast.safety.permit import LoadPermit, Permit
from holdfast.safety.rest_of_site import RestFollower, RestOfSite


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleState:
    """Holds everything that one cycle hands to the next."""

    machine: State = State.BOOT
    latches: Latches = field(default_factory=Latches)
    time_ns: int | None = None
    """Tells when the last cycle ran; None before the first."""
    rest: RestOfSite | None = None
    """None until meter and batteries have been seen together."""
    loop_known_ns: int | None = None
    """Tells when the emergency input was last known; None if it never was."""
    safety: SafetyMemory = field(default_factory=SafetyMemory)
    units: Mapping[str, UnitMemory] = field(default_factory=dict)
    loads: Mapping[str, DeviceMemory] = field(default_factory=dict)
    """Holds the memory of the load switches."""
    shed_ns: int | None = None
    """Tells when the import limit last kept loads off, unless that is long ago."""
    findings: tuple[Finding, ...] = ()
    """Holds those of the device wrappers; they count from the next cycle on."""
    ignored_events: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Holds everything that comes in."""

    now_ns: int
    """Tells the monotonic time."""
    image: Image
    plan: AcceptedPlan | None = None
    commands: Collection[Command] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleRecord:
    """Tells what one cycle saw, decided and why; with the state before it, enough to replay it."""

    inputs: Inputs
    snapshot: Snapshot
    assessment: Assessment
    moved: Moved
    request: Request
    permits: Mapping[str, Permit]
    setpoints: Mapping[str, Setpoint]
    load_requests: Mapping[str, LoadRequest]
    load_permits: Mapping[str, LoadPermit]
    writes: tuple[Write, ...]


class Cycle:
    """Runs the stages, in their order. Holds what is configured and no state."""

    def __init__(
        self,
        site: Site,
        expected: Expected,
        points: Mapping[str, Collection[Point]],
        traits: Mapping[str, Traits] | None = None,
        ages: SiteAges = ALL_USUAL,
    ):
        """Takes the ``points`` that can be written, and the ``traits`` that their tables tell.

        Both are by unit, and by load that is switched. ``ages`` are those of devices that are not
        as others.
        """
        self._site = site
        self.assessor = Assessor(site, expected, ages)
        self._ages = ages
        self.points = points
        self._rest = RestFollower(site.unit_names)
        self._guard = StateGuard()
        self._modes = ModeManager(site)
        self._gate = SafetyWrapper(site)
        self._ramper = PowerRamper(site)
        traits = traits or {}
        self._units = {
            unit.name: UnitControl(unit, points[unit.name], traits.get(unit.name, NO_TRAITS))
            for unit in site.storage
        }
        self._loads = LoadControl(site, points, traits)
        self._gap_ns = watchdog_timeout_ns(site)

    def step(self, state: CycleState, inputs: Inputs) -> tuple[CycleState, CycleRecord]:
        """Runs one cycle: returns the next state, and a record that holds the writes to make."""
        now_ns = inputs.now_ns
        snapshot = derive(self._site, freeze(inputs.image, now_ns, self._ages))
        snapshot, rest = self._rest.follow(snapshot, state.rest)
        assessment, memory = self.assessor.assess(
            snapshot, state.safety, self._gap(state, now_ns) + state.findings
        )
        known_ns = loop_known_ns(snapshot, state.loop_known_ns)
        moved = self._guard.step(
            state.machine, state.latches, snapshot, assessment, inputs.commands, known_ns
        )
        request = self._modes.request(snapshot, inputs.plan, moved.state)
        permits = self._gate.authorise(request, moved.state, assessment, now_ns)
        setpoints = self._ramp(state, request, permits, now_ns)
        writes, units, findings = self._apply(state, moved, setpoints, permits, snapshot)
        loads = self._loads.step(
            state.loads, state.shed_ns, snapshot, inputs.plan, moved.state, assessment
        )
        record = CycleRecord(
            inputs=inputs,
            snapshot=snapshot,
            assessment=assessment,
            moved=moved,
            request=request,
            permits=permits,
            setpoints=setpoints,
            load_requests=loads.requests,
            load_permits=loads.permits,
            writes=writes + loads.writes,
        )
        after = CycleState(
            machine=moved.state,
            latches=moved.latches,
            time_ns=now_ns,
            rest=rest,
            loop_known_ns=known_ns,
            safety=memory,
            units=units,
            loads=loads.memory,
            shed_ns=loads.shed_ns,
            findings=findings + loads.findings,
            ignored_events=state.ignored_events + len(moved.refused),
        )
        return after, record

    def _gap(self, state: CycleState, now_ns: int) -> tuple[Finding, ...]:
        if state.time_ns is None or 0 <= now_ns - state.time_ns <= self._gap_ns:
            return ()
        detail = f"{s_from_ns(now_ns - state.time_ns):.3f} s between two cycles"
        return (finding("cycle_gap", SITE, now_ns, detail),)

    def _ramp(
        self, state: CycleState, request: Request, permits: Mapping[str, Permit], now_ns: int
    ) -> dict[str, Setpoint]:
        dt_s = 0.0 if state.time_ns is None else s_from_ns(now_ns - state.time_ns)
        asked_w = divide(request.power_w, permits)
        return {
            unit: self._ramper.approach(_last_w(state, unit), asked_w[unit], permit, dt_s)
            for unit, permit in permits.items()
        }

    def _apply(
        self,
        state: CycleState,
        moved: Moved,
        setpoints: Mapping[str, Setpoint],
        permits: Mapping[str, Permit],
        snapshot: Snapshot,
    ) -> tuple[tuple[Write, ...], dict[str, UnitMemory], tuple[Finding, ...]]:
        force = Event.EMERGENCY_STOP in moved.events or Event.TRIP in moved.events
        at_once = moved.state is State.STOPPED and self._site.emergency_stop_category == 0
        writes: list[Write] = []
        units: dict[str, UnitMemory] = {}
        findings: list[Finding] = []
        for name, unit in self._units.items():
            memory = state.units.get(name, UnitMemory())
            new, units[name], found = unit.apply(
                setpoints[name], permits[name], snapshot, memory, force=force, at_once=at_once
            )
            writes += new
            findings += found
        return tuple(writes), units, tuple(findings)


def watchdog_timeout_ns(site: Site) -> int:
    """Returns how long the watchdog waits for a completed cycle, and the longest gap between two.

    400 ms leave 100 ms of the 500 ms budget to notice and to write; five periods keep a slow
    cycle from being taken for a dead one.
    """
    return max(4 * NS_PER_S // 10, 5 * site.cycle.period_ms * NS_PER_MS)


def _last_w(state: CycleState, unit: str) -> float:
    memory = state.units.get(unit)
    return 0.0 if memory is None else memory.setpoint_w
