"""Follow-up: does the battery physically do what the inverter says that it was told?

An acknowledged and read-back setpoint is still only a number in a register. What counts is the
measured power: too much, the wrong way, or too little. On an island the power follows the load,
so there is nothing to judge.
"""

from dataclasses import dataclass, replace
from enum import IntEnum

from holdfast.core.config import StorageUnit
from holdfast.core.data_store import Snapshot
from holdfast.core.reading import Good
from holdfast.core.signals import Producer, Signal
from holdfast.core.units import ns_from_s
from holdfast.safety.faults import finding
from holdfast.safety.finding import Finding
from holdfast.safety.island import is_islanded

SAMPLES = (3, 5)
"""m of the last n new samples."""
TOLERANCE = 0.05
"""Of the unit's rated power."""
TOLERANCE_W = 100.0
"""At least this much; small inverters measure no better."""


class Delivery(IntEnum):
    """What a sample shows."""

    RIGHT = 0
    SHORT = 1
    TOO_MUCH = 2
    WRONG_WAY = 3


_ROWS = {
    Delivery.SHORT: "under_delivery",
    Delivery.TOO_MUCH: "over_delivery",
    Delivery.WRONG_WAY: "wrong_sign",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUpMemory:
    """The setpoints of the last seconds and what the last samples showed."""

    setpoint_w: float = 0.0
    since_ns: int = 0
    replaced: tuple[tuple[float, int], ...] = ()
    """Earlier setpoints, each with the time until which it was in force."""
    sample_ns: int = 0
    excused_ns: int = 0
    """Samples up to this time are not judged: an island, and the way back from it."""
    shown: tuple[Delivery, ...] = (Delivery.RIGHT,) * SAMPLES[1]
    found_since_ns: int = 0


class PowerFollowUp:
    """Compares the measured power of one unit with what was asked of it. Holds no state."""

    def __init__(self, unit: StorageUnit) -> None:
        self._unit = unit.name
        rated_w = max(unit.charge_power_max_w, unit.discharge_power_max_w)
        self._tolerance_w = max(TOLERANCE * rated_w, TOLERANCE_W)
        self._response_ns = ns_from_s(unit.inverter_hardware.response_time_s)

    def check(
        self, setpoint_w: float, snapshot: Snapshot, memory: FollowUpMemory
    ) -> tuple[FollowUpMemory, tuple[Finding, ...]]:
        """Take note of the setpoint that is in force from now on, and judge a new sample.

        An inverter that is on its way from one setpoint to another may be anywhere between
        those of its response time.
        """
        now_ns = snapshot.time_ns
        if is_islanded(self._unit, snapshot):
            excused_ns = now_ns + self._response_ns
            return FollowUpMemory(setpoint_w=setpoint_w, excused_ns=excused_ns), ()
        reading = snapshot.read(self._unit, Signal.BATTERY_POWER_W)
        if isinstance(reading, Good) and reading.time_ns > max(memory.sample_ns, memory.excused_ns):
            shown = self._judge(reading, memory)
            found = _worst(memory.shown)
            memory = replace(memory, sample_ns=reading.time_ns, shown=(*memory.shown[1:], shown))
            if _worst(memory.shown) is not found:
                memory = replace(memory, found_since_ns=now_ns)
        if setpoint_w != memory.setpoint_w:
            kept = tuple(
                entry for entry in memory.replaced if now_ns - entry[1] <= self._response_ns
            )
            memory = replace(
                memory,
                setpoint_w=setpoint_w,
                since_ns=now_ns,
                replaced=(*kept, (memory.setpoint_w, now_ns)),
            )
        return memory, self._findings(memory, reading)

    def _judge(self, reading: Good, memory: FollowUpMemory) -> Delivery:
        recent_ns = reading.time_ns - self._response_ns
        in_force = [power_w for power_w, until_ns in memory.replaced if until_ns >= recent_ns]
        in_force.append(memory.setpoint_w)
        low_w, high_w = min(in_force), max(in_force)
        power_w, tolerance_w = reading.value, self._tolerance_w
        # Written so that NaN is never right, as everywhere; a Good reading holds none.
        if not min(low_w, 0.0) - tolerance_w <= power_w <= max(high_w, 0.0) + tolerance_w:
            wrong_way = power_w < 0.0 < high_w or low_w < 0.0 < power_w
            return Delivery.WRONG_WAY if wrong_way else Delivery.TOO_MUCH
        if (low_w > 0.0 and power_w < low_w - tolerance_w) or (
            high_w < 0.0 and power_w > high_w + tolerance_w
        ):
            return Delivery.SHORT
        return Delivery.RIGHT

    def _findings(self, memory: FollowUpMemory, reading: object) -> tuple[Finding, ...]:
        worst = _worst(memory.shown)
        if worst is Delivery.RIGHT:
            return ()
        measured = f"{reading.value:.0f} W" if isinstance(reading, Good) else "not known"
        detail = f"asked {memory.setpoint_w:.0f} W, measured {measured}"
        row = _ROWS[worst]
        return (finding(row, self._unit, memory.found_since_ns, detail, device=Producer.INVERTER),)


def _worst(shown: tuple[Delivery, ...]) -> Delivery:
    """The worst that m of the last n samples show."""
    return sorted(shown)[-SAMPLES[0]]
