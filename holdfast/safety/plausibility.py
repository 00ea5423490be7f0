"""Plausibility over time: what a BMS tells must agree with what has flowed.

SOC is compared with counted charge from an anchor on, and a voltage that stands still while the
current swings is a frozen sensor.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from holdfast.core.config import Site, StorageUnit
from holdfast.core.data_store import Snapshot
from holdfast.core.reading import Good
from holdfast.core.signals import Signal
from holdfast.core.units import NS_PER_S, s_from_ns
from holdfast.safety.faults import finding
from holdfast.safety.finding import Finding

SOC_TOLERANCE_PCT = 10.0
"""Between told and counted, since the anchor."""
ANCHOR_S = 3600.0
"""A new anchor after this long: sensors drift, and so does a count."""
GAP_S = 10.0
"""A count with a longer gap begins anew."""
STILL_S = 30.0
SWING = 0.3
"""Of the rated current, within STILL_S, during which a true voltage moves."""
STILL_V = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """Charge counted since an anchor."""

    anchor_pct: float
    anchor_ns: int
    time_ns: int
    counted_pct: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Swing:
    """Extremes of current and voltage since ``since_ns``."""

    since_ns: int
    current_a: tuple[float, float]
    voltage_v: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPlausibility:
    """What one unit's checks remember."""

    count: Count | None = None
    swing: Swing | None = None
    still_since_ns: int | None = None
    off_since_ns: int | None = None


PlausibilityMemory = Mapping[str, UnitPlausibility]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sample:
    time_ns: int
    soc_pct: float
    voltage_v: float
    current_a: float


class Plausibility:
    """Checks each unit. Holds no state."""

    def __init__(self, site: Site) -> None:
        self._units = site.storage

    def assess(
        self, snapshot: Snapshot, memory: PlausibilityMemory
    ) -> tuple[tuple[Finding, ...], PlausibilityMemory]:
        """Findings of this cycle and the memory for the next. Only new samples count."""
        findings: list[Finding] = []
        after = dict(memory)
        for unit in self._units:
            before = memory.get(unit.name, UnitPlausibility())
            sample = _sample(unit, snapshot)
            if sample is not None and (
                before.count is None or sample.time_ns > before.count.time_ns
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
        )
    return None


def _checked(unit: StorageUnit, before: UnitPlausibility, sample: _Sample) -> UnitPlausibility:
    count = _counted(unit, before.count, sample)
    off = abs(sample.soc_pct - count.anchor_pct - count.counted_pct) > SOC_TOLERANCE_PCT
    swing, still = _swung(unit, before.swing, sample)
    return UnitPlausibility(
        count=count,
        swing=swing,
        off_since_ns=(before.off_since_ns or sample.time_ns) if off else None,
        # A verdict stands until the voltage moves.
        still_since_ns=(before.still_since_ns or sample.time_ns) if still else None,
    )


def _counted(unit: StorageUnit, count: Count | None, sample: _Sample) -> Count:
    if (
        count is None
        or s_from_ns(sample.time_ns - count.time_ns) > GAP_S
        or s_from_ns(sample.time_ns - count.anchor_ns) > ANCHOR_S
    ):
        return Count(anchor_pct=sample.soc_pct, anchor_ns=sample.time_ns, time_ns=sample.time_ns)
    hours = s_from_ns(sample.time_ns - count.time_ns) / 3600.0
    flowed_pct = 100.0 * sample.current_a * sample.voltage_v * hours / unit.battery.capacity_wh
    return Count(
        anchor_pct=count.anchor_pct,
        anchor_ns=count.anchor_ns,
        time_ns=sample.time_ns,
        counted_pct=count.counted_pct + flowed_pct,
    )


def _swung(unit: StorageUnit, swing: Swing | None, sample: _Sample) -> tuple[Swing, bool]:
    """The extremes so far, and whether the current swung while the voltage stood still."""
    current_a, voltage_v = sample.current_a, sample.voltage_v
    if swing is None or sample.time_ns - swing.since_ns > STILL_S * NS_PER_S:
        swing = Swing(
            since_ns=sample.time_ns,
            current_a=(current_a, current_a),
            voltage_v=(voltage_v, voltage_v),
        )
    swing = Swing(
        since_ns=swing.since_ns,
        current_a=(min(swing.current_a[0], current_a), max(swing.current_a[1], current_a)),
        voltage_v=(min(swing.voltage_v[0], voltage_v), max(swing.voltage_v[1], voltage_v)),
    )
    rated_a = min(unit.battery.charge_current_max_a, unit.battery.discharge_current_max_a)
    swung = swing.current_a[1] - swing.current_a[0] > SWING * rated_a
    return swing, swung and swing.voltage_v[1] - swing.voltage_v[0] < STILL_V


def _findings(unit: StorageUnit, memory: UnitPlausibility) -> list[Finding]:
    findings = []
    count = memory.count
    if memory.off_since_ns is not None and count is not None:
        detail = f"counted {count.counted_pct:+.1f} % since {count.anchor_pct:.0f} %"
        findings.append(finding("soc_implausible", unit.name, memory.off_since_ns, detail))
    if memory.still_since_ns is not None:
        detail = f"voltage moved by less than {STILL_V} V while the current swung"
        findings.append(finding("voltage_stuck", unit.name, memory.still_since_ns, detail))
    return findings
