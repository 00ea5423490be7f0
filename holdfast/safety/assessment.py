"""The assessment of one cycle: everything that safety has to say about a snapshot."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from holdfast.core.config import Site
from holdfast.core.data_store import Snapshot
from holdfast.core.signals import SITE
from holdfast.core.units import s_from_ns
from holdfast.safety.battery_limits import battery_limits, nameplate
from holdfast.safety.data_age import DataAge, Expected
from holdfast.safety.envelope import Envelope
from holdfast.safety.faults import Finding, Reaction
from holdfast.safety.grid_limits import within_grid_limits
from holdfast.safety.interlock_manager import Action, Block, InterlockManager
from holdfast.safety.limit_monitor import LimitMonitor, MonitorMemory
from holdfast.safety.limits import build_limits
from holdfast.safety.rising import follow


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What was found, what is permitted, what is blocked."""

    findings: tuple[Finding, ...]
    envelopes: Mapping[str, Envelope]
    """By storage unit."""
    blocks: tuple[Block, ...]

    @property
    def trips(self) -> tuple[Finding, ...]:
        """The findings that trip."""
        return tuple(found for found in self.findings if found.reaction >= Reaction.TRIP)

    @property
    def not_ready(self) -> tuple[str, ...]:
        """Why the site may not start: every interlock and finding that speaks against it."""
        blocks = [f"{b.owner}: {b.text}" for b in self.blocks if b.action is Action.START]
        found = [
            f"{found.owner}: {found.text}"
            for found in self.findings
            if found.reaction >= Reaction.RAMP_TO_ZERO
        ]
        return (*blocks, *found)

    def findings_of(self, owner: str) -> tuple[Finding, ...]:
        """Findings that concern ``owner``: its own and those of the whole site."""
        return tuple(found for found in self.findings if found.owner in (owner, SITE))


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyMemory:
    """What the safety layers hand to the next cycle."""

    limits: MonitorMemory = field(default_factory=dict)
    envelopes: Mapping[str, Envelope] = field(default_factory=dict)
    """What was permitted, by unit; empty while nothing was."""
    time_ns: int = 0


class Assessor:
    """Everything that looks at a snapshot. Holds no state."""

    def __init__(self, site: Site, expected: Expected) -> None:
        self._site = site
        self.limit_monitor = LimitMonitor(build_limits(site))
        self._data_age = DataAge(expected)
        self._interlocks = InterlockManager(site)
        self._nameplates = {unit.name: nameplate(unit) for unit in site.storage}

    def assess(
        self, snapshot: Snapshot, memory: SafetyMemory, device_findings: tuple[Finding, ...]
    ) -> tuple[Assessment, SafetyMemory]:
        """Judge ``snapshot``; ``device_findings`` came out of the last cycle's wrappers."""
        limits, monitor = self.limit_monitor.assess(snapshot, memory.limits)
        findings = (*device_findings, *self._data_age.assess(snapshot), *limits)
        blocks = self._interlocks.assess(snapshot)
        permitted = {
            unit.name: _narrowed(
                self._nameplates[unit.name].intersect(battery_limits(unit, snapshot)),
                tuple(found for found in findings if found.owner in (unit.name, SITE)),
                snapshot.time_ns,
            )
            for unit in self._site.storage
        }
        dt_s = s_from_ns(snapshot.time_ns - memory.time_ns)
        envelopes = {
            unit: follow(memory.envelopes.get(unit), envelope, self._nameplates[unit], dt_s)
            for unit, envelope in within_grid_limits(self._site, snapshot, permitted).items()
        }
        assessment = Assessment(findings=findings, envelopes=envelopes, blocks=blocks)
        # While power is blocked nothing has to be followed slowly: the ramp starts from zero.
        blocked = {block.owner for block in blocks if block.action is Action.POWER}
        after = SafetyMemory(
            limits=monitor,
            envelopes={unit: e for unit, e in envelopes.items() if unit not in blocked},
            time_ns=snapshot.time_ns,
        )
        return assessment, after


def _narrowed(envelope: Envelope, findings: tuple[Finding, ...], now_ns: int) -> Envelope:
    for found in findings:
        envelope = found.narrow(envelope, now_ns)
    return envelope
