"""Oscillation: the setpoint that the inverter has stored turns back again and again.

Control, meter and inverter are a loop. Where one of them is slower than the others take it to
be, the loop swings by itself; so do two controllers that write to one inverter. A load that is
switched on and off turns the setpoint as well, but not as often.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import copysign

from holdfast.core.config import Site
from holdfast.core.data_store import Snapshot
from holdfast.core.reading import Good
from holdfast.core.signals import Signal
from holdfast.core.units import ns_from_s
from holdfast.safety.bounds import rated_power
from holdfast.safety.faults import finding
from holdfast.safety.finding import Finding

AMPLITUDE = 0.1
"""The share is of the unit's rated power. A smaller turn is noise of the meter."""
TURNS, WITHIN_S = 10, 30.0
"""A loop whose delay is a second swings with a period of six, and turns each 3 s. A hob or a heat
pump turns the setpoint each 5 s at the most, which makes seven turns in this time (assumption)."""

_WITHIN_NS = ns_from_s(WITHIN_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class Swing:
    """Tells where one unit's setpoint came from and when it turned."""

    extreme_w: float
    """Tells the furthest that it got on its present way."""
    way: float = 0.0
    """Tells the way: 1 up, -1 down, 0 while it has not moved by the amplitude yet."""
    turns_ns: tuple[int, ...] = ()
    """Tells when it turned, the oldest first; the last TURNS of them."""


OscillationMemory = Mapping[str, Swing]
"""Maps each storage unit to its swing."""


class Oscillation:
    """Counts the turns of each unit's setpoint. Holds no state."""

    def __init__(self, site: Site) -> None:
        self._amplitudes_w = [(unit.name, AMPLITUDE * rated_power(unit)) for unit in site.storage]

    def assess(
        self, snapshot: Snapshot, memory: OscillationMemory
    ) -> tuple[tuple[Finding, ...], OscillationMemory]:
        """Returns the findings of this cycle and the memory for the next.

        One is found while TURNS lie within the last WITHIN_S. It holds since the latest of them:
        its hold time remembers the first. A sample that is read again is no turn. Behind an open
        contactor counting begins anew.
        """
        changed: dict[str, Swing] = {}
        findings: list[Finding] = []
        for unit, amplitude_w in self._amplitudes_w:
            reading = snapshot.readings[unit].get(Signal.SETPOINT_READBACK_W)
            swing = memory.get(unit)
            if snapshot.good(unit, Signal.CONTACTOR_CLOSED) == 0.0:
                swing = None  # whoever stops and starts is no loop
            if isinstance(reading, Good):
                followed = _followed(swing, reading, amplitude_w)
                if followed is not swing:
                    swing = changed[unit] = followed
            if swing is not None and _swings(swing, snapshot.time_ns):
                detail = f"{TURNS} turns within {WITHIN_S:g} s, each by {amplitude_w:g} W or more"
                since_ns = swing.turns_ns[-1]
                findings.append(finding("setpoint_oscillation", unit, since_ns, detail))
        return tuple(findings), ({**memory, **changed} if changed else memory)


def _followed(swing: Swing | None, reading: Good, amplitude_w: float) -> Swing:
    if swing is None:
        return Swing(extreme_w=reading.value)
    moved_w = reading.value - swing.extreme_w
    if moved_w * swing.way > 0.0:
        return replace(swing, extreme_w=reading.value)
    if not abs(moved_w) >= amplitude_w:
        return swing
    turns_ns = (*swing.turns_ns, reading.time_ns)[-TURNS:] if swing.way else ()
    return Swing(extreme_w=reading.value, way=copysign(1.0, moved_w), turns_ns=turns_ns)


def _swings(swing: Swing, now_ns: int) -> bool:
    return len(swing.turns_ns) == TURNS and now_ns - swing.turns_ns[0] <= _WITHIN_NS
