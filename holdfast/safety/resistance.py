"""Rising resistance shows in what a step of the current does to the pack's voltage.

Between two samples a second apart the cells rest where they are, so the voltage moves with the
current alone. The first estimates of a run, at each temperature, are the reference for those
that follow: cells that age, or a joint that comes loose and heats, show more.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import inf
from statistics import median

from holdfast.core.config import Site, StorageUnit
from holdfast.core.data_store import Snapshot
from holdfast.core.reading import Good
from holdfast.core.signals import Signal
from holdfast.core.units import NS_PER_MS, ns_from_s
from holdfast.safety.faults import finding
from holdfast.safety.finding import Finding, Level

SPACING_NS, GAP_NS = ns_from_s(0.8), ns_from_s(3.0)
"""A step's two samples are this far apart. Over a longer gap the cells have moved by themselves."""
TOGETHER_NS = 50 * NS_PER_MS
"""Voltage and current further apart than this say nothing together."""
STEP = 0.2
"""The share is of the rated current: the noise of a sensor is far below."""
STEPS_OF_SENSOR = 10.0
"""The voltage must move by so many steps of its sensor, or the estimate is off by more than 10 %.
The step is the smallest change that was ever seen; a coarse sensor never gives an estimate."""
SOC_PCT = (20.0, 90.0)
"""Between these the resistance of LFP depends little on the charge."""
ESTIMATES = 15
"""A reference is the median of so many, and so is what is compared with it."""
QUARTILE = 3
"""The quartiles have this place among them, counted from either end."""
AGREE = 1.5
"""A reference whose third quartile is further than this above its first is none."""
BAND_C = 5.0
"""A band of temperature of this width has a reference of its own: within it the resistance changes
by some 13 %, as it doubles each 28 °C towards the cold."""
LEVELS = ((Level.ALARM, 2.0), (Level.WARNING, 1.5))
"""The levels are multiples of the reference. Twice the first resistance is a common end of life."""
CLEARS_BELOW = 0.1
"""This far below its level a finding clears by itself."""

_ROWS = {Level.ALARM: "resistance_doubled", Level.WARNING: "resistance_rising"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadSample:
    """Holds voltage and current of one instant."""

    time_ns: int
    voltage_v: float
    current_a: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What is known of one unit is bounded: there are as many bands as plausible temperatures."""

    point: LoadSample
    sensor_step_v: float = inf
    gathered: Mapping[int, tuple[float, ...]] = field(default_factory=dict)
    """Holds estimates in ohm by band, the last ESTIMATES of each, until they give a reference."""
    reference_ohm: Mapping[int, float] = field(default_factory=dict)
    """Maps each band to its reference."""
    ratios: tuple[float, ...] = ()
    """Holds the last ESTIMATES, each over the reference of its band."""
    level: Level = Level.NORMAL
    since_ns: int = 0


ResistanceMemory = Mapping[str, Probe]
"""Maps each storage unit to its probe."""


class Resistance:
    """Estimates the resistance of each unit. Holds no state."""

    def __init__(self, site: Site) -> None:
        self._steps_a = [(unit.name, _step_a(unit)) for unit in site.storage]

    def assess(
        self, snapshot: Snapshot, memory: ResistanceMemory
    ) -> tuple[tuple[Finding, ...], ResistanceMemory]:
        """Returns this cycle's findings and the memory for the next. Only new samples count."""
        changed: dict[str, Probe] = {}
        findings: list[Finding] = []
        for unit, step_a in self._steps_a:
            probe = memory.get(unit)
            point = _point(unit, snapshot, None if probe is None else probe.point.time_ns)
            if point is not None:
                probe = changed[unit] = _probed(unit, snapshot, probe, point, step_a)
            if probe is not None and probe.level > Level.NORMAL:
                findings.append(_finding(unit, probe))
        return tuple(findings), ({**memory, **changed} if changed else memory)


def _step_a(unit: StorageUnit) -> float:
    return STEP * min(unit.battery.charge_current_max_a, unit.battery.discharge_current_max_a)


def _point(unit: str, snapshot: Snapshot, last_ns: int | None) -> LoadSample | None:
    """Returns a new sample, if it is time for it; None if not."""
    readings = snapshot.readings[unit]
    current = readings.get(Signal.BATTERY_CURRENT_A)
    if not isinstance(current, Good):
        return None
    if last_ns is not None and current.time_ns < last_ns + SPACING_NS:
        return None
    voltage = readings.get(Signal.PACK_VOLTAGE_V)
    if not isinstance(voltage, Good) or abs(voltage.time_ns - current.time_ns) > TOGETHER_NS:
        return None
    return LoadSample(time_ns=current.time_ns, voltage_v=voltage.value, current_a=current.value)


def _probed(
    unit: str, snapshot: Snapshot, probe: Probe | None, point: LoadSample, step_a: float
) -> Probe:
    if probe is None:
        return Probe(point=point)
    before = probe.point
    moved_v, moved_a = point.voltage_v - before.voltage_v, point.current_a - before.current_a
    sensor_step_v = min(probe.sensor_step_v, abs(moved_v) or inf)
    probe = replace(probe, point=point, sensor_step_v=sensor_step_v)
    is_step = (
        point.time_ns - before.time_ns <= GAP_NS
        and abs(moved_a) >= step_a
        and abs(moved_v) >= STEPS_OF_SENSOR * sensor_step_v
    )
    band = _band(unit, snapshot) if is_step else None
    return probe if band is None else _estimated(probe, band, moved_v / moved_a)


def _band(unit: str, snapshot: Snapshot) -> int | None:
    """Returns the band of temperature; None if it is not known, or the charge is out of SOC_PCT."""
    soc_pct = snapshot.good(unit, Signal.SOC_PCT)
    temperature_c = snapshot.good(unit, Signal.CELL_TEMPERATURE_MIN_C)
    if soc_pct is None or temperature_c is None:
        return None
    return round(temperature_c / BAND_C) if SOC_PCT[0] <= soc_pct <= SOC_PCT[1] else None


def _estimated(probe: Probe, band: int, estimate_ohm: float) -> Probe:
    reference_ohm = probe.reference_ohm.get(band)
    if reference_ohm is not None:
        ratios = (*probe.ratios, estimate_ohm / reference_ohm)[-ESTIMATES:]
        return _judged(replace(probe, ratios=ratios))
    if probe.level > Level.NORMAL:
        return probe  # what has risen already is no reference
    gathered = (*probe.gathered.get(band, ()), estimate_ohm)[-ESTIMATES:]
    if not _agree(gathered):
        return replace(probe, gathered={**probe.gathered, band: gathered})
    return replace(
        probe,
        gathered={other: kept for other, kept in probe.gathered.items() if other != band},
        reference_ohm={**probe.reference_ohm, band: median(gathered)},
    )


def _agree(estimates_ohm: tuple[float, ...]) -> bool:
    """Says whether they are enough, and their middle half is positive and close together."""
    if len(estimates_ohm) < ESTIMATES:
        return False
    ordered = sorted(estimates_ohm)
    low_ohm, high_ohm = ordered[QUARTILE], ordered[-1 - QUARTILE]
    return 0.0 < high_ohm <= AGREE * low_ohm


def _judged(probe: Probe) -> Probe:
    if len(probe.ratios) < ESTIMATES:
        return probe
    ratio = median(probe.ratios)
    # The level that is reached, or the one before until the ratio is clearly below it.
    level = max(_level(ratio), min(probe.level, _level(ratio + CLEARS_BELOW)))
    since_ns = probe.since_ns if level is probe.level else probe.point.time_ns
    return replace(probe, level=level, since_ns=since_ns)


def _level(ratio: float) -> Level:
    return next((level for level, least in LEVELS if ratio >= least), Level.NORMAL)


def _finding(unit: str, probe: Probe) -> Finding:
    detail = f"{median(probe.ratios):.2f} times what it was"
    return finding(_ROWS[probe.level], unit, probe.since_ns, detail)
