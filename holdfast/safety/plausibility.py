"""Plausibility over time: what a BMS tells must agree with what has flowed.

The state of charge is compared with the charge that BMS and inverter have counted, and a voltage
that stands still while the current swings is a frozen sensor.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from holdfast.core.config import Site, StorageUnit
from holdfast.core.data_store import Snapshot
from holdfast.core.reading import Good
from holdfast.core.signals import Signal
from holdfast.core.units import NS_PER_S
from holdfast.safety.charge_count import (
    BY_BMS,
    BY_INVERTER,
    ChargeCount,
    Contradiction,
    contradiction,
    counted,
)
from holdfast.safety.faults import finding
from holdfast.safety.finding import Finding
from holdfast.safety.pack_power import pack_power_w

STILL_S = 30.0
SWING = 0.3
"""A true voltage moves when the current swings by this share of the rated one within STILL_S."""
STILL_V = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class Extremes:
    """Holds the extremes of current and voltage since ``since_ns``."""

    since_ns: int
    current_a: tuple[float, float]
    voltage_v: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPlausibility:
    """Holds what one unit's checks remember."""

    by_bms: ChargeCount | None = None
    by_inverter: ChargeCount | None = None
    """None while the inverter does not tell its power."""
    off: tuple[Contradiction, int, str] | None = None
    """How the state of charge is wrong, since when, and the figures."""
    swing: Extremes | None = None
    still_since_ns: int | None = None


PlausibilityMemory = Mapping[str, UnitPlausibility]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sample:
    time_ns: int
    soc_pct: float
    voltage_v: float
    current_a: float
    inverter_w: float | None


class Plausibility:
    """Checks each unit. Holds no state."""

    def __init__(self, site: Site) -> None:
        self._units = site.storage

    def assess(
        self, snapshot: Snapshot, memory: PlausibilityMemory
    ) -> tuple[tuple[Finding, ...], PlausibilityMemory]:
        """Returns this cycle's findings and the memory for the next. Only new samples count."""
        findings: list[Finding] = []
        after = dict(memory)
        for unit in self._units:
            before = memory.get(unit.name, UnitPlausibility())
            sample = _sample(unit, snapshot)
            if sample is not None and (
                before.by_bms is None or sample.time_ns > before.by_bms.time_ns
            ):
                before = after[unit.name] = _checked(unit, before, sample)
            findings += _findings(unit, before)
        return tuple(findings), after


def _sample(unit: StorageUnit, snapshot: Snapshot) -> _Sample | None:
    readings = snapshot.readings[unit.name]
    soc = readings.get(Signal.SOC_PCT)
    voltage = readings.get(Signal.PACK_VOLTAGE_V)
    current = readings.get(Signal.BATTERY_CURRENT_A)
    if isinstance(soc, Good) and isinstance(voltage, Good) and isinstance(current, Good):
        return _Sample(
            time_ns=min(soc.time_ns, voltage.time_ns, current.time_ns),
            soc_pct=soc.value,
            voltage_v=voltage.value,
            current_a=current.value,
            inverter_w=snapshot.good(unit.name, Signal.BATTERY_POWER_W),
        )
    return None


def _checked(unit: StorageUnit, before: UnitPlausibility, sample: _Sample) -> UnitPlausibility:
    capacity_wh = unit.battery.capacity_wh
    pack_w = sample.current_a * sample.voltage_v
    by_bms = counted(before.by_bms, sample.time_ns, sample.soc_pct, pack_w, capacity_wh)
    by_inverter = None
    if sample.inverter_w is not None:
        at_pack_w = pack_power_w(unit, sample.inverter_w)
        by_inverter = counted(
            before.by_inverter, sample.time_ns, sample.soc_pct, at_pack_w, capacity_wh
        )
    swing, still = _swung(unit, before.swing, sample)
    return UnitPlausibility(
        by_bms=by_bms,
        by_inverter=by_inverter,
        off=_off(before.off, sample, _contradictions(by_bms, by_inverter, capacity_wh)),
        swing=swing,
        # A verdict stands until the voltage moves.
        still_since_ns=(before.still_since_ns or sample.time_ns) if still else None,
    )


def _contradictions(
    by_bms: ChargeCount, by_inverter: ChargeCount | None, capacity_wh: float
) -> Iterator[tuple[Contradiction, str]]:
    for count, counter, who in (
        (by_bms, BY_BMS, "the BMS's current"),
        (by_inverter, BY_INVERTER, "the inverter's power"),
    ):
        if count is None:
            continue
        found = contradiction(count, counter, capacity_wh)
        if found is not None:
            how, anchor = found
            flowed_pct = count.counted_pct - anchor.counted_pct
            yield how, f"{flowed_pct:+.1f} % since {anchor.soc_pct:.0f} %, by {who}"


def _off(
    before: tuple[Contradiction, int, str] | None,
    sample: _Sample,
    found: Iterator[tuple[Contradiction, str]],
) -> tuple[Contradiction, int, str] | None:
    """Returns the first contradiction, since when it holds, and its figures."""
    for how, detail in found:
        since_ns = before[1] if before is not None and before[0] is how else sample.time_ns
        return how, since_ns, f"told {sample.soc_pct:.0f} %, {detail}"
    return None


def _swung(unit: StorageUnit, swing: Extremes | None, sample: _Sample) -> tuple[Extremes, bool]:
    """Returns the extremes so far, and whether the current swung while the voltage stood still."""
    current_a, voltage_v = sample.current_a, sample.voltage_v
    if swing is None or sample.time_ns - swing.since_ns > STILL_S * NS_PER_S:
        swing = Extremes(
            since_ns=sample.time_ns,
            current_a=(current_a, current_a),
            voltage_v=(voltage_v, voltage_v),
        )
    swing = Extremes(
        since_ns=swing.since_ns,
        current_a=(min(swing.current_a[0], current_a), max(swing.current_a[1], current_a)),
        voltage_v=(min(swing.voltage_v[0], voltage_v), max(swing.voltage_v[1], voltage_v)),
    )
    rated_a = min(unit.battery.charge_current_max_a, unit.battery.discharge_current_max_a)
    swung = swing.current_a[1] - swing.current_a[0] > SWING * rated_a
    return swing, swung and swing.voltage_v[1] - swing.voltage_v[0] < STILL_V


def _findings(unit: StorageUnit, memory: UnitPlausibility) -> list[Finding]:
    findings = []
    if memory.off is not None:
        how, since_ns, detail = memory.off
        findings.append(finding(how, unit.name, since_ns, detail))
    if memory.still_since_ns is not None:
        detail = f"voltage moved by less than {STILL_V} V while the current swung"
        findings.append(finding("voltage_stuck", unit.name, memory.still_since_ns, detail))
    return findings
