"""The trend analyzer tells how fast values change, and when they will meet their limit.

A slope is the median of the slopes between all pairs of samples in a window (Theil-Sen), so a
wild sample, a gap and the steps of a coarse sensor do not fool it. Samples are thinned to a
row's spacing; a window that is not well filled says nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations
from statistics import median

from holdfast.core.data_store import Snapshot
from holdfast.core.reading import Good
from holdfast.core.signals import SIGNALS, Signal
from holdfast.core.units import NS_PER_S, ns_from_s
from holdfast.safety.envelope import Envelope
from holdfast.safety.finding import Finding, Level, Reaction, reaction_of

_UP, _DOWN, _BOTH = 1, -1, 0
_FILLED = 0.6
"""The samples of a window must span this share of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendRow:
    """Tells how fast a signal may change, in its unit per minute."""

    id: str
    signal: Signal
    direction: int
    window_s: float
    spacing_s: float
    least_change: float
    """Counts in the window; less is noise, or steps of the sensor. No level may ask for less."""
    levels: tuple[tuple[Level, float], ...]
    """Lists the levels, the strongest first."""
    reaction: Reaction
    """Acts at the alarm level; a warning is logged, a trip trips."""
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionRow:
    """Narrows the envelope when a limit will be met soon, before it is met."""

    id: str
    trend: str
    """Names the row whose slope is used."""
    limit: str
    """Names the row of the limit table, whose alarm level is meant."""
    horizon_s: float
    charge: bool
    discharge: bool


_T, _A, _W = Level.TRIP, Level.ALARM, Level.WARNING
_R = Reaction

# fmt: off
TRENDS: tuple[TrendRow, ...] = tuple(
    TrendRow(id=id_, signal=signal, direction=direction, window_s=window_s, spacing_s=spacing_s, least_change=least, levels=levels, reaction=reaction, source=source)
    for id_, signal, direction, window_s, spacing_s, least, levels, reaction, source in (
        # id                    signal                        direction window spacing least  per minute                          at alarm         source
        ("cell_heating",        Signal.CELL_TEMPERATURE_MAX_C, _UP,   120.0, 10.0, 2.0,  ((_T, 3.0), (_A, 1.5), (_W, 1.0)),  _R.RAMP_TO_ZERO, "fault catalogue 22: more than 1 °C a minute precedes runaway"),
        ("cell_voltage_rising", Signal.CELL_VOLTAGE_MAX_V,     _UP,    20.0,  2.0, 0.15, ((_A, 1.0), (_W, 0.5)),             _R.DERATE,       "LFP above its knee rises by some 0.3 V a minute at 0.5 C"),
        ("cell_voltage_falling", Signal.CELL_VOLTAGE_MIN_V,    _DOWN,  20.0,  2.0, 0.15, ((_A, 1.0), (_W, 0.5)),             _R.DERATE,       "LFP below its knee falls by some 0.3 V a minute at 0.5 C"),
        ("soc_jump",            Signal.SOC_PCT,                _BOTH,  30.0,  3.0, 3.0,  ((_A, 10.0), (_W, 6.0)),            _R.DERATE,       "fault catalogue 23: nothing charges faster than 6 C"),
        ("insulation_drift",    Signal.INSULATION_KOHM,        _DOWN, 600.0, 60.0, 200.0, ((_A, 100.0), (_W, 20.0)),         _R.LOG,          "moisture, before it becomes an insulation fault"),
        ("imbalance_growth",    Signal.CELL_IMBALANCE_V,       _UP,   600.0, 60.0, 0.10, ((_A, 0.03), (_W, 0.015)),          _R.DERATE,       "a cell that leaves the others"),
    )
)
PREDICTIONS: tuple[PredictionRow, ...] = (
    PredictionRow(id="predicted_cell_temperature_high", trend="cell_heating", limit="cell_temperature_high", horizon_s=600.0, charge=True, discharge=True),
    PredictionRow(id="predicted_cell_voltage_high", trend="cell_voltage_rising", limit="cell_voltage_high", horizon_s=20.0, charge=True, discharge=False),
    PredictionRow(id="predicted_cell_voltage_low", trend="cell_voltage_falling", limit="cell_voltage_low", horizon_s=20.0, charge=False, discharge=True),
)
# fmt: on

LEAST_LEFT = 0.1
"""A prediction leaves this much: only the limit itself takes the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """Holds the thinned samples of one row, and what they say."""

    samples: tuple[tuple[int, float], ...] = ()
    """Lists (time in ns, value), the oldest first."""
    slope_per_s: float | None = None
    """Tells the slope; None while the window is not well filled."""
    level: Level = Level.NORMAL
    since_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendMemory:
    """Holds the tracks, by ``unit/row``."""

    tracks: Mapping[str, Track] = field(default_factory=dict)


class TrendAnalyzer:
    """Follows the rows for each unit. Holds no state."""

    def __init__(self, units: tuple[str, ...], alarm_levels: Mapping[str, float]) -> None:
        """Takes the ``alarm_levels`` of the limit table, by ``unit/row``."""
        self._rows = [
            (row, unit, f"{unit}/{row.id}", ns_from_s(row.spacing_s), ns_from_s(row.window_s))
            for unit in units
            for row in TRENDS
        ]
        self._predictions = [
            (
                row,
                unit,
                f"{unit}/{row.trend}",
                _signal_of(row.trend),
                alarm_levels[f"{unit}/{row.limit}"],
            )
            for unit in units
            for row in PREDICTIONS
        ]

    def assess(
        self, snapshot: Snapshot, memory: TrendMemory
    ) -> tuple[tuple[Finding, ...], TrendMemory]:
        """Returns the findings of this cycle and the memory for the next."""
        tracks = memory.tracks
        changed: dict[str, Track] = {}
        findings: list[Finding] = []
        for row, unit, key, spacing_ns, window_ns in self._rows:
            reading = snapshot.readings[unit].get(row.signal)
            track = tracks.get(key)
            if isinstance(reading, Good) and (
                track is None or reading.time_ns >= track.samples[-1][0] + spacing_ns
            ):
                track = changed[key] = _extended(row, track or Track(), reading, window_ns)
            if track is not None and track.level > Level.NORMAL:
                findings.append(_finding(row, unit, track))
        if changed:
            memory = TrendMemory(tracks={**tracks, **changed})
        return tuple(findings), memory

    def narrow(
        self, unit: str, envelope: Envelope, snapshot: Snapshot, memory: TrendMemory
    ) -> Envelope:
        """Returns ``envelope`` less what would soon meet a limit."""
        for row, of_unit, key, signal, alarm in self._predictions:
            if of_unit != unit:
                continue
            track, value = memory.tracks.get(key), snapshot.good(unit, signal)
            if track is None or value is None or not track.slope_per_s:
                continue
            left = _left(value, alarm, track.slope_per_s, row.horizon_s)
            if left < 1.0:
                envelope = _scaled(envelope, row, left)
        return envelope


def _extended(row: TrendRow, track: Track, reading: Good, window_ns: int) -> Track:
    oldest_ns = reading.time_ns - window_ns
    samples = (
        *(sample for sample in track.samples if sample[0] >= oldest_ns),
        (reading.time_ns, reading.value),
    )
    slope_per_s = _slope_per_s(samples, window_ns)
    level = Level.NORMAL if slope_per_s is None else _level(row, slope_per_s)
    since_ns = track.since_ns if level is track.level else reading.time_ns
    return Track(samples=samples, slope_per_s=slope_per_s, level=level, since_ns=since_ns)


def _slope_per_s(samples: tuple[tuple[int, float], ...], window_ns: int) -> float | None:
    if len(samples) < 5 or samples[-1][0] - samples[0][0] < _FILLED * window_ns:
        return None
    return (
        median(
            (value - earlier_value) / (time_ns - earlier_ns)
            for (earlier_ns, earlier_value), (time_ns, value) in combinations(samples, 2)
        )
        * NS_PER_S
    )


def _level(row: TrendRow, slope_per_s: float) -> Level:
    rate = abs(slope_per_s) if row.direction == _BOTH else row.direction * slope_per_s
    return next((level for level, most in row.levels if not rate * 60.0 < most), Level.NORMAL)


def _left(value: float, alarm: float, slope_per_s: float, horizon_s: float) -> float:
    """Returns the share of the envelope that is left: all if the limit lies beyond the horizon.

    LEAST_LEFT is left if one of them is no number.
    """
    in_s = (alarm - value) / slope_per_s
    if in_s < 0.0:
        return 1.0
    # In this order: min() and max() keep their first against NaN.
    return max(LEAST_LEFT, min(in_s / horizon_s, 1.0))


def _scaled(envelope: Envelope, row: PredictionRow, left: float) -> Envelope:
    narrower = Envelope(
        min_w=envelope.min_w * (left if row.discharge else 1.0),
        max_w=envelope.max_w * (left if row.charge else 1.0),
        min_by=row.id,
        max_by=row.id,
    )
    return envelope.intersect(narrower)


def _finding(row: TrendRow, unit: str, track: Track) -> Finding:
    per_minute = 0.0 if track.slope_per_s is None else track.slope_per_s * 60.0
    return Finding(
        owner=unit,
        row=row.id,
        level=track.level,
        reaction=reaction_of(track.level, row.reaction),
        since_ns=track.since_ns,
        text=f"{row.signal} changes by {per_minute:.3g} {SIGNALS[row.signal].unit} a minute",
    )


def _signal_of(trend: str) -> Signal:
    return next(row.signal for row in TRENDS if row.id == trend)


def _check_table() -> None:
    ids = [row.id for row in TRENDS] + [row.id for row in PREDICTIONS]
    assert len(set(ids)) == len(ids), "a row stands twice"
    for row in TRENDS:
        values = [value for _, value in row.levels]
        assert values == sorted(values, reverse=True), f"{row.id}: levels out of order"
        assert row.window_s >= 8 * row.spacing_s, f"{row.id}: too few samples in the window"
        assert min(values) * row.window_s >= row.least_change * 60.0, f"{row.id}: a level in noise"
        assert row.source, f"{row.id}: no source"


_check_table()
