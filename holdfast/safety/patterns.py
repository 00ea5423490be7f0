"""Patterns show what no single sample does: they are found in how samples follow each other."""

from dataclasses import dataclass, field

from holdfast.core.config import Site
from holdfast.core.data_store import Snapshot
from holdfast.safety.finding import Finding
from holdfast.safety.frozen_data import FrozenData, FrozenMemory
from holdfast.safety.meter_sign import MeterMemory, MeterSign
from holdfast.safety.oscillation import Oscillation, OscillationMemory
from holdfast.safety.resistance import Resistance, ResistanceMemory
from holdfast.safety.still_meter import StillMemory, StillMeter


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternMemory:
    """Holds what the patterns hand to the next cycle, and is bounded."""

    oscillation: OscillationMemory = field(default_factory=dict)
    resistance: ResistanceMemory = field(default_factory=dict)
    meter_sign: MeterMemory = field(default_factory=MeterMemory)
    frozen: FrozenMemory = field(default_factory=dict)
    still: StillMemory = field(default_factory=StillMemory)


class Patterns:
    """Looks for each pattern. Holds no state."""

    def __init__(self, site: Site) -> None:
        self._oscillation = Oscillation(site)
        self._resistance = Resistance(site)
        self._meter_sign = MeterSign(site)
        self._frozen_data = FrozenData(site)
        self._still_meter = StillMeter(site)

    def assess(
        self, snapshot: Snapshot, memory: PatternMemory
    ) -> tuple[tuple[Finding, ...], PatternMemory]:
        """Returns the findings of this cycle and the memory for the next."""
        swings, oscillation = self._oscillation.assess(snapshot, memory.oscillation)
        risen, resistance = self._resistance.assess(snapshot, memory.resistance)
        turned, meter_sign = self._meter_sign.assess(snapshot, memory.meter_sign)
        stood, frozen = self._frozen_data.assess(snapshot, memory.frozen)
        same, still = self._still_meter.assess(snapshot, memory.still)
        after = PatternMemory(
            oscillation=oscillation,
            resistance=resistance,
            meter_sign=meter_sign,
            frozen=frozen,
            still=still,
        )
        return (*swings, *risen, *turned, *_each_once(stood, same)), after


def _each_once(stood: tuple[Finding, ...], same: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """A meter that both have found is told of once."""
    keys = {found.key for found in stood}
    return (*stood, *(found for found in same if found.key not in keys))
