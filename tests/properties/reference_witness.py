"""What the reference knows of witnesses: who has seen that no power flows, and when.

Each unit's history is kept from raw readings and from what was written. It says what the next
cycle must have tripped for; a cycle that trips for more is right.
"""

from collections import deque
from dataclasses import dataclass, field

from holdfast.core.config import StorageUnit
from holdfast.core.signals import Signal
from tests.properties.reference_bounds import Readings, S

BURST_NS = 2 * S
"""A pack that speaks every two seconds shows what was then."""
GONE_NS = 60 * S
LEAST_W = 100.0
WITNESSES = {"inverter": Signal.BATTERY_POWER_W, "bms": Signal.BATTERY_CURRENT_A}


@dataclass(slots=True)
class Seen:
    """What has been seen of one unit's power."""

    beyond: deque[bool] = field(default_factory=lambda: deque(maxlen=5))
    """Of the last samples of the BMS: was it more than a contactor may break, at 0 W?"""
    sample_ns: int = 0
    last_ns: dict[str, int] = field(default_factory=dict)
    """When each witness last showed it; empty while the contactor is not told to be closed."""


def look(
    seen: Seen, unit: StorageUnit, readings: Readings, *, zero_ns: int | None, closed: bool
) -> set[str]:
    """Takes note of a cycle; returns the keys of what must trip in the next one.

    ``zero_ns``: since when it has been told 0 W. ``closed``: its contactor is told to be closed.
    """
    return _unasked(seen, unit, readings, zero_ns) | _unseen(seen, unit, readings, closed)


def _unasked(seen: Seen, unit: StorageUnit, readings: Readings, zero_ns: int | None) -> set[str]:
    """Three of the last five samples show a current that no contactor should have to break.

    What the pack gives is as old as the older of current and voltage.
    """
    current = readings.sample(unit.name, Signal.BATTERY_CURRENT_A)
    voltage = readings.sample(unit.name, Signal.PACK_VOLTAGE_V)
    sample_ns = 0 if current is None or voltage is None else min(current[1], voltage[1])
    if current is not None and voltage is not None and sample_ns > seen.sample_ns:
        (current_a, _), (voltage_v, _), seen.sample_ns = current, voltage, sample_ns
        hardware = unit.inverter_hardware
        # Neither acknowledged nor seen: until the inverter's own timer it may flow as asked before.
        grace_s = hardware.response_time_s + hardware.revert_timeout_s
        judged = zero_ns is not None and seen.sample_ns > zero_ns + BURST_NS + grace_s * S
        efficiency = hardware.efficiency_pct / 100
        ac_w = voltage_v * abs(current_a) * (1 / efficiency if current_a > 0 else efficiency)
        breaks = abs(current_a) > unit.battery.contactor_break_current_a * 1.001
        seen.beyond.append(judged and breaks and ac_w > LEAST_W * 1.001)
    return {f"{unit.name}/bms_over_delivery"} if sum(seen.beyond) >= 3 else set()


def _unseen(seen: Seen, unit: StorageUnit, readings: Readings, closed: bool) -> set[str]:
    if not closed:
        seen.last_ns.clear()
        return set()
    now_ns = readings.now_ns
    for who, signal in WITNESSES.items():
        sample = readings.sample(unit.name, signal)
        before_ns = seen.last_ns.get(who, now_ns)
        seen.last_ns[who] = before_ns if sample is None else max(sample[1], before_ns)
    due = {
        f"{unit.name}/{who}_data_gone"
        for who, last_ns in seen.last_ns.items()
        if now_ns - last_ns >= GONE_NS
    }
    longest_ns = max(unit.inverter_hardware.revert_timeout_s, 5.0) * S
    if now_ns - max(seen.last_ns.values()) >= longest_ns:
        due.add(f"{unit.name}/power_unseen")
    return due
