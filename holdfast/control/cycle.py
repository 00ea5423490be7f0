"""The control cycle is one pure function of (state, inputs, time).

It has no clock, no I/O and no randomness. The record of a cycle is enough to run it again, bit for
bit.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from holdfast.control.connection.band import Band
from holdfast.control.loads.control import LoadControl
from holdfast.control.loads.requests import LoadRequest
from holdfast.control.mode_manager import LastCycle, ModeManager, ModeMemory
from holdfast.control.patience import watchdog_timeout_ns
from holdfast.control.plan_gate import AcceptedPlan
from holdfast.control.regulation.quality import RegulationQuality
from holdfast.control.request import Request
from holdfast.control.safety_wrapper import SafetyWrapper
from holdfast.control.state_guard import Moved, StateGuard
from holdfast.control.storage.power_ramper import PowerRamper, Setpoint
from holdfast.control.storage.sharing import Sharing
from holdfast.control.storage.unit import UnitControl, UnitMemory
from holdfast.core.ages import ALL_USUAL, SiteAges
from holdfast.core.commands import Command, Point, Write
from holdfast.core.config import Site
from holdfast.core.data_store import Image, Snapshot, freeze
from holdfast.core.emergency_handler import loop_known_ns
from holdfast.core.latches import Latches
from holdfast.core.signals import SITE
from holdfast.core.state_machine import Event, State
from holdfast.core.units import s_from_ns
from holdfast.devices.point_traits import NO_TRAITS, PLAIN, Traits
from holdfast.devices.written_point import DeviceMemory
from holdfast.safety.assessment import Assessment, Assessor, SafetyMemory
from holdfast.safety.data_age import Expected
from holdfast.safety.derived import derive
from holdfast.safety.faults import finding
from holdfast.safety.finding import Finding
from holdfast.safety.permit import LoadPermit, Permit
from holdfast.safety.phases import PhaseFollower, PhaseMemory
from holdfast.safety.rest_of_site import RestFollower, RestMemory

LIMITED_W = 1.0
"""A request that is served but for this is not limited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleState:
    """Holds everything that one cycle hands to the next."""

    machine: State = State.BOOT
    latches: Latches = field(default_factory=Latches)
    time_ns: int | None = None
    """Tells when the last cycle ran; None before the first."""
    rest: RestMemory = field(default_factory=RestMemory)
    phases: PhaseMemory | None = None
    """Holds the same of each phase; None where nothing has to be known of them."""
    loop_known_ns: int | None = None
    """Tells when the emergency input was last known; None if it never was."""
    safety: SafetyMemory = field(default_factory=SafetyMemory)
    modes: ModeMemory = field(default_factory=ModeMemory)
    units: Mapping[str, UnitMemory] = field(default_factory=dict)
    loads: Mapping[str, DeviceMemory] = field(default_factory=dict)
    """Holds the memory of the load switches."""
    shed_ns: int | None = None
    """Tells when the import limit last kept loads off, unless that is long ago."""
    is_limited: bool = False
    """Tells whether less than was asked was permitted, or reached by the ramp."""
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
    utc_ns: int | None = None
    """Tells the wall clock's time since 1970: what a meter counts begins with the hour. None: not
    known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleRecord:
    """Tells what one cycle saw, decided and why; with the state before it, enough to replay it."""

    inputs: Inputs
    snapshot: Snapshot
    assessment: Assessment
    moved: Moved
    request: Request
    band: Band
    """What the limits at the meter leave to the batteries, whoever asks."""
    quality: RegulationQuality | None
    """How well the meter is kept where it should be; None while nothing is regulated."""
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
        told_s = None if site.grid.learns_meter_delay else site.grid.meter_delay_s
        self._rest = RestFollower(site.unit_names, told_s)
        self._phases = PhaseFollower(site)
        self._guard = StateGuard()
        traits = traits or {}
        self._modes = ModeManager(site, coarse_w=_coarse_w(site, traits))
        self._gate = SafetyWrapper(site)
        self._sharing = Sharing(site)
        self._ramper = PowerRamper(site)
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
        swing_w = self._rest.swing_w(rest, snapshot)
        snapshot, phases = self._phases.follow(snapshot, state.phases, swing_w)
        assessment, memory = self.assessor.assess(
            snapshot, state.safety, self._gap(state, now_ns) + state.findings
        )
        known_ns = loop_known_ns(snapshot, state.loop_known_ns)
        moved = self._guard.step(
            state.machine, state.latches, snapshot, assessment, inputs.commands, known_ns
        )
        last = LastCycle(
            setpoint_w=sum(memory.setpoint_w for memory in state.units.values()),
            is_limited=state.is_limited,
            meter_delay_s=s_from_ns(self._rest.window(rest)[0]),
        )
        asked = self._modes.step(
            snapshot, inputs.plan, moved.state, state.modes, inputs.utc_ns, last
        )
        request = asked.request
        permits = self._gate.authorise(request, moved.state, assessment, now_ns)
        setpoints = self._ramp(state, request, permits, snapshot)
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
            band=asked.band,
            quality=self._modes.regulator.quality(asked.memory.regulation),
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
            phases=phases,
            loop_known_ns=known_ns,
            safety=memory,
            modes=asked.memory,
            units=units,
            loads=loads.memory,
            shed_ns=loads.shed_ns,
            is_limited=_is_limited(request, setpoints),
            findings=findings + loads.findings + asked.findings,
            ignored_events=state.ignored_events + len(moved.refused),
        )
        return after, record

    def _gap(self, state: CycleState, now_ns: int) -> tuple[Finding, ...]:
        if state.time_ns is None or 0 <= now_ns - state.time_ns <= self._gap_ns:
            return ()
        detail = f"{s_from_ns(now_ns - state.time_ns):.3f} s between two cycles"
        return (finding("cycle_gap", SITE, now_ns, detail),)

    def _ramp(
        self,
        state: CycleState,
        request: Request,
        permits: Mapping[str, Permit],
        snapshot: Snapshot,
    ) -> dict[str, Setpoint]:
        dt_s = 0.0 if state.time_ns is None else s_from_ns(snapshot.time_ns - state.time_ns)
        last_w = {unit: _last_w(state, unit) for unit in permits}
        asked_w = self._sharing.share(request.power_w, permits, snapshot, last_w)
        return {
            unit: self._ramper.approach(
                last_w[unit], asked_w[unit], permit, dt_s, urgent=request.urgent
            )
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


def _is_limited(request: Request, setpoints: Mapping[str, Setpoint]) -> bool:
    reached_w = sum(setpoint.power_w for setpoint in setpoints.values())
    return not abs(request.power_w - reached_w) <= LIMITED_W


def _last_w(state: CycleState, unit: str) -> float:
    memory = state.units.get(unit)
    return 0.0 if memory is None else memory.setpoint_w


def _coarse_w(site: Site, traits: Mapping[str, Traits]) -> float:
    """Returns the steps, W, in which the coarsest device keeps its setpoint; infinite for one that
    knows all or nothing."""
    points = [traits.get(unit, NO_TRAITS).get(Point.SETPOINT_W, PLAIN) for unit in site.unit_names]
    return max(math.inf if point.whole_w is not None else point.step for point in points)
