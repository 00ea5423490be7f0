"""Patterns: what no single sample shows, found in how samples follow each other."""

from dataclasses import dataclass, field

from holdfast.core.config import Site
from holdfast.core.data_store import Snapshot
from holdfast.safety.finding import Finding
from holdfast.safety.meter_sign import MeterMemory, MeterSign
from holdfast.safety.oscillation import Oscillation, OscillationMemory
from holdfast.safety.resistance import Resistance, ResistanceMemory


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternMemory:
    """What the patterns hand to the next cycle. Bounded."""

    oscillation: OscillationMemory = field(default_factory=dict)
    resistance: ResistanceMemory = field(default_factory=dict)
    meter_sign: MeterMemory = field(default_factory=MeterMemory)


class Patterns:
    """Looks for each pattern. Holds no state."""

    def __init__(self, site: Site) -> None:
        self._oscillation = Oscillation(site)
        self._resistance = Resistance(site)
        self._meter_sign = MeterSign(site)

    def assess(
        self, snapshot: Snapshot, memory: PatternMemory
    ) -> tuple[tuple[Finding, ...], PatternMemory]:
        """Findings of this cycle and the memory for the next."""
        swings, oscillation = self._oscillation.assess(snapshot, memory.oscillation)
        risen, resistance = self._resistance.assess(snapshot, memory.resistance)
        turned, meter_sign = self._meter_sign.assess(snapshot, memory.meter_sign)
        after = PatternMemory(oscillation=oscillation, resistance=resistance, meter_sign=meter_sign)
        return (*swings, *risen, *turned), after
