"""The assessment of one cycle holds everything that safety has to say about a snapshot."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from holdfast.core.ages import ALL_USUAL, SiteAges
from holdfast.core.config import Site, StorageUnit
from holdfast.core.data_store import Snapshot
from holdfast.core.signals import SITE
from holdfast.core.units import s_from_ns
from holdfast.safety.battery_limits import battery_limits, nameplate
from holdfast.safety.data_age import DataAge, Expected
from holdfast.safety.envelope import Envelope
from holdfast.safety.escalation import EscalationMemory, escalate
from holdfast.safety.finding import Finding, Level, Reaction
from holdfast.safety.grid_limits import within_grid_limits
from holdfast.safety.hold_time import HoldMemory, hold
from holdfast.safety.interlock_manager import Block, InterlockManager
from holdfast.safety.interlocks import Action
from holdfast.safety.island import contradicted, is_islanded, on_island
from holdfast.safety.limit_monitor import LimitMonitor, MonitorMemory
from holdfast.safety.limits import build_limits
from holdfast.safety.patterns import PatternMemory, Patterns
from holdfast.safety.plausibility import Plausibility, PlausibilityMemory
from holdfast.safety.rising import follow
from holdfast.safety.trend_analyzer import TrendAnalyzer, TrendMemory


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """Tells what was found, what is permitted and what is blocked."""

    findings: tuple[Finding, ...]
    envelopes: Mapping[str, Envelope]
    """Maps each storage unit to what it may do."""
    blocks: tuple[Block, ...]
    islanded: frozenset[str] = frozenset()
    """Names the storage units that feed the site without the grid."""

    @property
    def trips(self) -> tuple[Finding, ...]:
        """Returns the findings that trip."""
        return tuple(found for found in self.findings if found.reaction >= Reaction.TRIP)

    @property
    def not_ready(self) -> tuple[str, ...]:
        """Tells why the site may not start: every interlock and finding that speaks against it."""
        blocks = [f"{b.owner}: {b.text} ({b.row})" for b in self.blocks if b.action is Action.START]
        found = [
            f"{found.owner}: {found.text} ({found.row})"
            for found in self.findings
            if found.reaction >= Reaction.RAMP_TO_ZERO
        ]
        return (*blocks, *found)

    def findings_of(self, owner: str) -> tuple[Finding, ...]:
        """Returns the findings that concern ``owner``: its own and those of the whole site."""
        return tuple(found for found in self.findings if found.owner in (owner, SITE))

    def blocks_of(self, owner: str) -> tuple[Block, ...]:
        """Returns the blocks that concern ``owner``: its own and those of the whole site."""
        return tuple(block for block in self.blocks if block.owner in (owner, SITE))


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyMemory:
    """Holds what the safety layers hand to the next cycle."""

    limits: MonitorMemory = field(default_factory=dict)
    trends: TrendMemory = field(default_factory=TrendMemory)
    held: HoldMemory = field(default_factory=dict)
    escalation: EscalationMemory = field(default_factory=EscalationMemory)
    plausibility: PlausibilityMemory = field(default_factory=dict)
    patterns: PatternMemory = field(default_factory=PatternMemory)
    envelopes: Mapping[str, Envelope] = field(default_factory=dict)
    """Tells what was permitted, by unit; empty while nothing was."""
    time_ns: int = 0


class Assessor:
    """Judges a snapshot by everything that looks at it. Holds no state."""

    def __init__(self, site: Site, expected: Expected, ages: SiteAges = ALL_USUAL) -> None:
        self._site = site
        self.limit_monitor = LimitMonitor(build_limits(site))
        self.trend_analyzer = TrendAnalyzer(site.unit_names, _alarm_levels(self.limit_monitor))
        self._data_age = DataAge(expected, ages, observes=site.authority == "observe")
        self._plausibility = Plausibility(site)
        self._patterns = Patterns(site)
        self._interlocks = InterlockManager(site)
        self._nameplates = {unit.name: nameplate(unit) for unit in site.storage}

    def assess(
        self, snapshot: Snapshot, memory: SafetyMemory, device_findings: tuple[Finding, ...]
    ) -> tuple[Assessment, SafetyMemory]:
        """Judges ``snapshot``; ``device_findings`` came out of the last cycle's wrappers."""
        islanded = frozenset(u for u in self._site.unit_names if is_islanded(u, snapshot))
        limits, monitor = self.limit_monitor.assess(snapshot, memory.limits)
        trends, tracks = self.trend_analyzer.assess(snapshot, memory.trends)
        implausible, plausibility = self._plausibility.assess(snapshot, memory.plausibility)
        seen, patterns = self._patterns.assess(snapshot, memory.patterns)
        findings = (
            *device_findings,
            *self._data_age.assess(snapshot),
            *limits,
            *trends,
            *implausible,
            *seen,
            *contradicted(self._site.unit_names, snapshot),
        )
        findings, held = hold(findings, memory.held, snapshot.time_ns)
        # Before what counts how often a fault came: on an island most are none.
        told = tuple(on_island(f) if _counts_for(f, islanded) else f for f in findings)
        repeated, escalation = self._escalated(told, snapshot, memory)
        findings += repeated
        blocks = self._interlocks.assess(snapshot)
        permitted = {
            unit.name: self._permitted(
                unit, snapshot, _as_found(unit.name, findings, islanded), tracks
            )
            for unit in self._site.storage
        }
        dt_s = s_from_ns(snapshot.time_ns - memory.time_ns)
        envelopes = {}
        for unit, target in within_grid_limits(self._site, snapshot, permitted).items():
            slow = follow(memory.envelopes.get(unit), target, self._nameplates[unit], dt_s)
            envelopes[unit] = target.intersect_charge(slow) if unit in islanded else slow
        assessment = Assessment(
            findings=told + repeated, envelopes=envelopes, blocks=blocks, islanded=islanded
        )
        # A contactor that is seen open: nothing has to be followed slowly, the ramp starts from
        # zero. Data that are lost for a moment are no such thing.
        blocked = {b.owner for b in blocks if b.action is Action.POWER and b.known}
        after = SafetyMemory(
            limits=monitor,
            trends=tracks,
            held=held,
            escalation=escalation,
            plausibility=plausibility,
            patterns=patterns,
            envelopes={unit: e for unit, e in envelopes.items() if unit not in blocked},
            time_ns=snapshot.time_ns,
        )
        return assessment, after

    def _escalated(
        self, findings: tuple[Finding, ...], snapshot: Snapshot, memory: SafetyMemory
    ) -> tuple[tuple[Finding, ...], EscalationMemory]:
        """Escalates only while power may flow: a site that boots finds much that is not there
        yet."""
        if not memory.envelopes:
            return (), EscalationMemory()
        return escalate(findings, memory.escalation, snapshot.time_ns)

    def _permitted(
        self,
        unit: StorageUnit,
        snapshot: Snapshot,
        findings: tuple[Finding, ...],
        tracks: TrendMemory,
    ) -> Envelope:
        """Every layer narrows what the one before left."""
        envelope = self._nameplates[unit.name].intersect(battery_limits(unit, snapshot))
        envelope = self.trend_analyzer.narrow(unit.name, envelope, snapshot, tracks)
        for found in findings:
            envelope = found.narrow(envelope, snapshot.time_ns)
        return envelope


def _counts_for(found: Finding, islanded: frozenset[str]) -> bool:
    """Says whether ``found`` is told as on an island: that of a unit there, or a site with one."""
    return found.owner in islanded or (found.owner == SITE and bool(islanded))


def _as_found(
    unit: str, findings: tuple[Finding, ...], islanded: frozenset[str]
) -> tuple[Finding, ...]:
    """Returns what concerns ``unit``, with the reaction that it has for it."""
    own = (found for found in findings if found.owner in (unit, SITE))
    return tuple(map(on_island, own) if unit in islanded else own)


def _alarm_levels(monitor: LimitMonitor) -> dict[str, float]:
    return {
        limit.key: value
        for limit in monitor.limits
        for level, value in limit.levels
        if level is Level.ALARM
    }
