"""The verdict on the last minute: what the meter showed beside what was wanted."""

import math
from dataclasses import dataclass, replace
from enum import StrEnum

from holdfast.core.units import ns_from_s

OVER_S = 60.0
"""The verdict tells of about so long."""
BAND = 0.01
"""Share of the rated power; within it nothing is wrong."""
BAND_W = 25.0
"""At least so much: below it meters and inverters differ."""
SWINGS = 0.02
SWINGS_W = 100.0
"""A deviation that is larger than this in the mean, and"""
SWINGS_A_MINUTE = 6.0
"""turns so often, is an oscillation. A washing machine turns as often, by less."""
LIMITED = 0.5
"""At a limit for more than this share of the time."""
STEADY = 0.5
"""A deviation that keeps its sign for more than this share of its size is no transient."""


class RegulationVerdict(StrEnum):
    """Says how well the meter is kept where it should be."""

    STABLE = "stable"
    OSCILLATING = "oscillating"
    SLUGGISH = "sluggish"
    AT_LIMIT = "at_limit"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegulationQuality:
    """Tells of about the last minute."""

    verdict: RegulationVerdict = RegulationVerdict.STABLE
    rms_w: float = 0.0
    """Root of the mean square of what the meter showed beside what was wanted."""
    reversals_a_minute: float = 0.0
    """How often that changed its sign, beyond the band."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityMemory:
    """Holds running means over the last minute."""

    square_w2: float = 0.0
    mean_w: float = 0.0
    limited: float = 0.0
    side: float = 0.0
    """On which side of the band the deviation was last."""
    turns_ns: tuple[int, ...] = ()
    """When it changed sides, the oldest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityJudge:
    """Judges by the rated power of the site."""

    rated_w: float

    def note(
        self,
        deviation_w: float,
        memory: QualityMemory,
        *,
        now_ns: int,
        dt_s: float,
        is_limited: bool,
    ) -> QualityMemory:
        """Returns the memory with what the meter shows now beside what is wanted."""
        part = 1.0 - math.exp(-min(dt_s, OVER_S) / OVER_S)
        side, turns_ns = memory.side, memory.turns_ns
        if turns_ns and turns_ns[0] < now_ns - ns_from_s(OVER_S):
            turns_ns = turns_ns[1:]
        if abs(deviation_w) > self.band_w:
            now = math.copysign(1.0, deviation_w)
            if now * side < 0.0:
                turns_ns = (*turns_ns, now_ns)
            side = now
        return replace(
            memory,
            square_w2=memory.square_w2 + part * (deviation_w * deviation_w - memory.square_w2),
            mean_w=memory.mean_w + part * (deviation_w - memory.mean_w),
            limited=memory.limited + part * (float(is_limited) - memory.limited),
            side=side,
            turns_ns=turns_ns,
        )

    def judge(self, memory: QualityMemory) -> RegulationQuality:
        """Returns the verdict."""
        rms_w = math.sqrt(memory.square_w2)
        turns = len(memory.turns_ns) * 60.0 / OVER_S
        return RegulationQuality(
            verdict=self._verdict(memory, rms_w, turns), rms_w=rms_w, reversals_a_minute=turns
        )

    @property
    def band_w(self) -> float:
        """Returns the deviation, W, that is none."""
        return max(BAND * self.rated_w, BAND_W)

    def _verdict(self, memory: QualityMemory, rms_w: float, turns: float) -> RegulationVerdict:
        if rms_w <= self.band_w:
            return RegulationVerdict.STABLE
        if memory.limited > LIMITED:
            return RegulationVerdict.AT_LIMIT
        if turns >= SWINGS_A_MINUTE and rms_w > max(SWINGS * self.rated_w, SWINGS_W):
            return RegulationVerdict.OSCILLATING
        if abs(memory.mean_w) > max(STEADY * rms_w, self.band_w):
            return RegulationVerdict.SLUGGISH
        return RegulationVerdict.STABLE
