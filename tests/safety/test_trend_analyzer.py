"""How fast values change: found early, and not seen in noise, gaps or coarse steps."""

import math
import random
from dataclasses import replace

import pytest

from holdfast.core.data_store import Snapshot
from holdfast.core.reading import Good
from holdfast.core.signals import Signal
from holdfast.core.units import NS_PER_S
from holdfast.safety import trend_analyzer
from holdfast.safety.envelope import up_to
from holdfast.safety.finding import Level, Reaction
from holdfast.safety.trend_analyzer import (
    LEAST_LEFT,
    PREDICTIONS,
    TRENDS,
    Track,
    TrendAnalyzer,
    TrendMemory,
)
from tests.builders import T0, UNIT, snapshot_of

ALARMS = {
    f"{UNIT}/cell_temperature_high": 55.0,
    f"{UNIT}/cell_voltage_high": 3.60,
    f"{UNIT}/cell_voltage_low": 2.80,
}
WIDE = up_to(charge_w=5000.0, discharge_w=5000.0, by="site.yaml")
ROWS = {row.id: row for row in TRENDS}


class Run:
    """One signal, one sample a second."""

    def __init__(self, signal):
        self.signal = signal
        self.analyzer = TrendAnalyzer((UNIT,), ALARMS)
        self.memory = TrendMemory()
        self.now_ns = T0
        self.findings = ()

    def __call__(self, *values, every_s=1.0):
        for value in values:
            self.now_ns += round(every_s * NS_PER_S)
            self.snapshot = snapshot_of({self.signal: value}, now_ns=self.now_ns)
            self.findings, self.memory = self.analyzer.assess(self.snapshot, self.memory)
        return {found.row: found.level for found in self.findings}

    def envelope(self):
        return self.analyzer.narrow(UNIT, WIDE, self.snapshot, self.memory)


def ramp(start, per_minute, seconds, every_s=1.0):
    steps = range(round(seconds / every_s))
    return [start + per_minute * step * every_s / 60.0 for step in steps]


HEALTHY = {
    "cell_heating": (25.0, 1),
    "cell_voltage_rising": (3.3, 1),
    "cell_voltage_falling": (3.3, -1),
    "soc_jump": (50.0, 1),
    "insulation_drift": (5000.0, -1),
    "imbalance_growth": (0.05, 1),
}
LEVELS = [(row, level, rate) for row in TRENDS for level, rate in row.levels]


# A derived signal cannot be put into a store.
@pytest.mark.parametrize(
    ("row", "level", "rate"), [case for case in LEVELS if case[0].id != "imbalance_growth"]
)
def test_each_level_is_found_at_its_rate_and_not_below(row, level, rate):
    start, sign = HEALTHY[row.id]
    every_s = row.spacing_s
    fast = rate * 1.0001
    run = Run(row.signal)
    seen = run(*ramp(start, sign * fast, row.window_s * 1.5, every_s), every_s=every_s)
    assert seen[row.id] is level
    run = Run(row.signal)
    seen = run(*ramp(start, sign * rate * 0.9999, row.window_s * 1.5, every_s), every_s=every_s)
    assert seen.get(row.id, Level.NORMAL) < level


def test_a_runaway_trips_and_its_warning_only_logs():
    run = Run(Signal.CELL_TEMPERATURE_MAX_C)
    run(*ramp(25.0, 4.0, 180.0))
    (found,) = run.findings
    assert (found.row, found.reaction) == ("cell_heating", Reaction.TRIP)
    run = Run(Signal.CELL_TEMPERATURE_MAX_C)
    run(*ramp(25.0, 1.3, 180.0))
    (found,) = run.findings
    assert (found.level, found.reaction) == (Level.WARNING, Reaction.LOG)


def test_the_wrong_direction_is_no_alarm():
    run = Run(Signal.CELL_TEMPERATURE_MAX_C)
    assert run(*ramp(60.0, -8.0, 180.0)) == {}


def test_one_wild_sample_moves_nothing():
    run = Run(Signal.CELL_TEMPERATURE_MAX_C)
    values = [25.0] * 180
    values[100] = 80.0
    assert run(*values) == {}


def test_the_steps_of_a_coarse_sensor_are_no_trend():
    """0x373 tells whole kelvins; half a degree a minute is ordinary charging."""
    run = Run(Signal.CELL_TEMPERATURE_MAX_C)
    for value in ramp(25.0, 0.5, 1200.0):
        assert run(float(round(value))) == {}


def test_noise_is_no_trend():
    noise = random.Random(1)
    run = Run(Signal.CELL_VOLTAGE_MAX_V)
    for _ in range(1800):
        assert run(3.33 + noise.gauss(0.0, 0.005)) == {}


def test_a_gap_is_no_trend_and_the_window_must_fill_again():
    run = Run(Signal.CELL_TEMPERATURE_MAX_C)
    run(*[25.0] * 180)
    run.now_ns += 600 * NS_PER_S
    assert run(*[31.0] * 60) == {}


def test_a_prediction_narrows_before_the_limit_and_leaves_something():
    run = Run(Signal.CELL_TEMPERATURE_MAX_C)
    run(*ramp(40.0, 0.9, 180.0))  # 55 °C in some 13.7 minutes: beyond the horizon
    assert run.envelope() == WIDE
    run(*ramp(42.7, 0.9, 600.0))  # 51.7 °C, the rest in under four minutes
    envelope = run.envelope()
    assert LEAST_LEFT * 5000.0 <= envelope.max_w < 2500.0
    assert envelope.max_by == envelope.min_by == "predicted_cell_temperature_high"
    assert envelope.min_w == -envelope.max_w


def test_a_voltage_that_rises_to_its_limit_narrows_charging_only():
    run = Run(Signal.CELL_VOLTAGE_MAX_V)
    run(*ramp(3.45, 0.30, 24.0))
    envelope = run.envelope()
    assert envelope.max_w < 5000.0
    assert envelope.min_w == -5000.0


def test_a_sample_that_is_read_again_changes_nothing():
    run = Run(Signal.CELL_TEMPERATURE_MAX_C)
    run(*ramp(25.0, 4.0, 100.0))
    before = run.memory
    for _ in range(100):
        _, run.memory = run.analyzer.assess(run.snapshot, run.memory)
    assert run.memory is before


UP, DOWN, BOTH = 1, -1, 0
T, A, W = Level.TRIP, Level.ALARM, Level.WARNING
TABLE = {
    # row: (signal, direction, window s, spacing s, least change, {level: per minute}, at alarm)
    "cell_heating": (
        "cell_temperature_max_c", UP, 120.0, 10.0, 2.0, {T: 3.0, A: 1.5, W: 1.0}, "RAMP_TO_ZERO",
    ),
    "cell_voltage_rising": (
        "cell_voltage_max_v", UP, 20.0, 2.0, 0.15, {A: 1.0, W: 0.5}, "DERATE",
    ),
    "cell_voltage_falling": (
        "cell_voltage_min_v", DOWN, 20.0, 2.0, 0.15, {A: 1.0, W: 0.5}, "DERATE",
    ),
    "soc_jump": ("soc_pct", BOTH, 30.0, 3.0, 3.0, {A: 10.0, W: 6.0}, "DERATE"),
    "insulation_drift": (
        "insulation_kohm", DOWN, 600.0, 60.0, 200.0, {A: 100.0, W: 20.0}, "LOG",
    ),
    "imbalance_growth": ("cell_imbalance_v", UP, 600.0, 60.0, 0.10, {A: 0.03, W: 0.015}, "DERATE"),
}  # fmt: skip
FORESEEN = {
    # row: (trend, limit, horizon s, narrows charge, narrows discharge)
    "predicted_cell_temperature_high": ("cell_heating", "cell_temperature_high", 600.0, True, True),
    "predicted_cell_voltage_high": (
        "cell_voltage_rising", "cell_voltage_high", 20.0, True, False,
    ),
    "predicted_cell_voltage_low": (
        "cell_voltage_falling", "cell_voltage_low", 20.0, False, True,
    ),
}  # fmt: skip


WIDE_SITE = up_to(charge_w=1000.0, discharge_w=2000.0, by="site.yaml")
ANALYZER = TrendAnalyzer((UNIT,), ALARMS)


def test_the_table_is_the_one_above():
    assert [row.id for row in TRENDS] == list(TABLE)
    for row in TRENDS:
        assert (
            row.signal,
            row.direction,
            row.window_s,
            row.spacing_s,
            row.least_change,
            dict(row.levels),
            row.reaction.name,
        ) == TABLE[row.id]


def test_the_predictions_are_those_above():
    assert [row.id for row in PREDICTIONS] == list(FORESEEN)
    for row in PREDICTIONS:
        told = (row.trend, row.limit, row.horizon_s, row.charge, row.discharge)
        assert told == FORESEEN[row.id]
    assert LEAST_LEFT == 0.1


# Levels. ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", TRENDS, ids=lambda row: row.id)
def test_a_level_begins_exactly_at_its_rate(row):
    signs = {UP: [1.0], DOWN: [-1.0], BOTH: [1.0, -1.0]}[row.direction]
    for sign in signs:
        for level, per_minute in row.levels:
            slope = sign * per_minute / 60.0 * (1 + 1e-12)
            assert trend_analyzer._level(row, slope) is level
            assert trend_analyzer._level(row, slope * 0.999) < level
    assert trend_analyzer._level(row, signs[0] * 1e9) is row.levels[0][0]
    assert trend_analyzer._level(row, 0.0) is Level.NORMAL
    assert trend_analyzer._level(row, math.nan) is row.levels[0][0]
    if row.direction != BOTH:
        assert trend_analyzer._level(row, -signs[0] * 1e9) is Level.NORMAL


def test_at_the_rate_itself_the_level_is_reached():
    row = replace(ROWS["soc_jump"], levels=((A, 12.0), (W, 6.0)))
    assert trend_analyzer._level(row, 0.2) is A
    assert trend_analyzer._level(row, 0.1) is W
    assert trend_analyzer._level(row, math.nextafter(0.1, 0.0)) is Level.NORMAL


# Slopes. ----------------------------------------------------------------------------------------


def samples(*pairs):
    return tuple((T0 + round(second * NS_PER_S), value) for second, value in pairs)


def test_a_slope_is_the_median_of_those_between_all_pairs():
    straight = samples((0, 5.0), (1, 7.0), (2, 9.0), (3, 11.0), (4, 13.0))
    assert trend_analyzer._slope_per_s(straight, 4 * NS_PER_S) == pytest.approx(2.0)
    wild = samples((0, 5.0), (1, 7.0), (2, 900.0), (3, 11.0), (4, 13.0))
    assert trend_analyzer._slope_per_s(wild, 4 * NS_PER_S) == pytest.approx(2.0)


def test_five_samples_over_six_tenths_of_the_window_are_enough_and_less_says_nothing():
    five = samples((0, 0.0), (1.5, 1.5), (3, 3.0), (4.5, 4.5), (6, 6.0))
    assert trend_analyzer._slope_per_s(five, 10 * NS_PER_S) == pytest.approx(1.0)
    assert trend_analyzer._slope_per_s(five, 10 * NS_PER_S + 10) is None
    assert trend_analyzer._slope_per_s(five[1:], 4 * NS_PER_S) is None


def follow(row, times_s, value=lambda second: 20.0, memory=None):
    """Findings and memory after samples of a row's signal at these times."""
    memory = memory or TrendMemory()
    for second in times_s:
        now_ns = T0 + round(second * NS_PER_S)
        readings = {UNIT: {row.signal: Good(value=value(second), time_ns=now_ns)}}
        snapshot = Snapshot(time_ns=now_ns, readings=readings)
        findings, memory = ANALYZER.assess(snapshot, memory)
    return findings, memory


def test_at_first_nothing_is_known():
    assert Track() == Track(samples=(), slope_per_s=None, level=Level.NORMAL, since_ns=0)


def track_of(memory, row):
    return memory.tracks[f"{UNIT}/{row.id}"]


def test_samples_are_thinned_to_the_spacing_and_forgotten_after_the_window():
    row = ROWS["cell_heating"]
    _, memory = follow(row, range(301))
    kept = [(time_ns - T0) / NS_PER_S for time_ns, _ in track_of(memory, row).samples]
    assert kept == [180 + 10 * step for step in range(13)]


def test_a_sample_exactly_a_spacing_later_is_taken_and_one_before_is_not():
    row = ROWS["cell_heating"]
    _, memory = follow(row, [0, 10 - 1e-9, 10])
    assert len(track_of(memory, row).samples) == 2
    _, memory = follow(row, [0, 10 - 1e-9])
    assert len(track_of(memory, row).samples) == 1


@pytest.mark.parametrize("row", TRENDS, ids=lambda row: row.id)
def test_each_row_is_followed_and_found_with_its_own_reaction(row):
    sign = -1.0 if row.direction == DOWN else 1.0
    level, per_minute = row.levels[-1]
    rate = per_minute * 1.01
    steps = [step * row.spacing_s for step in range(12)]
    findings, memory = follow(row, steps, lambda s: 50.0 + sign * rate * s / 60.0)
    (found,) = findings
    assert (found.owner, found.row) == (UNIT, row.id)
    expected = trend_analyzer._level(row, sign * rate / 60.0)
    assert found.level is expected is level
    assert found.reaction is (row.reaction if expected is A else Reaction.LOG)
    assert track_of(memory, row).slope_per_s == pytest.approx(sign * rate / 60.0)


def test_a_finding_says_how_fast_and_since_when():
    row = ROWS["cell_heating"]
    findings, _ = follow(row, range(0, 130, 10), lambda s: 20.0 + 2.0 * s / 60.0)
    (found,) = findings
    assert found.text == "cell_temperature_max_c changes by 2 °C a minute"
    assert (found.level, found.reaction) == (A, Reaction.RAMP_TO_ZERO)
    assert found.since_ns == T0 + 80 * NS_PER_S  # the first slope: 72 s of 120 s are spanned
    findings, _ = follow(row, range(0, 130, 10), lambda s: 20.0 + 4.0 * s / 60.0)
    assert findings[0].reaction is Reaction.TRIP


def test_since_when_changes_with_the_level_only():
    row = ROWS["cell_heating"]
    _, memory = follow(row, range(0, 130, 10), lambda s: 20.0 + 1.3 * s / 60.0)
    assert (track_of(memory, row).level, track_of(memory, row).since_ns) == (W, T0 + 80 * NS_PER_S)


def test_a_lost_signal_leaves_its_finding_and_memory_as_they_are():
    row = ROWS["cell_heating"]
    findings, memory = follow(row, range(0, 130, 10), lambda s: 20.0 + 2.0 * s / 60.0)
    later, after = ANALYZER.assess(
        Snapshot(time_ns=T0 + 400 * NS_PER_S, readings={UNIT: {}}), memory
    )
    assert later == findings
    assert after is memory


def test_a_new_sample_of_one_row_leaves_the_tracks_of_the_others():
    first, second = ROWS["cell_heating"], ROWS["soc_jump"]
    _, memory = follow(first, [0])
    _, memory = follow(second, [1], memory=memory)
    assert set(memory.tracks) == {f"{UNIT}/{first.id}", f"{UNIT}/{second.id}"}


# Predictions. -----------------------------------------------------------------------------------


def narrowed(row, slope_per_s, value, *, unit=UNIT):
    tracks = {f"{UNIT}/{row.trend}": Track(samples=((T0, value),), slope_per_s=slope_per_s)}
    signal = ROWS[row.trend].signal
    return ANALYZER.narrow(
        unit, WIDE_SITE, snapshot_of({signal: value}), TrendMemory(tracks=tracks)
    )


@pytest.mark.parametrize("row", PREDICTIONS, ids=lambda row: row.id)
def test_a_limit_that_is_met_within_the_horizon_narrows_in_proportion(row):
    alarm = ALARMS[f"{UNIT}/{row.limit}"]
    sign = -1.0 if row.trend == "cell_voltage_falling" else 1.0
    slope = sign * 0.01
    for share in (0.95, 0.5, 0.25):
        value = alarm - slope * row.horizon_s * share
        envelope = narrowed(row, slope, value)
        charge, discharge = (share if row.charge else 1.0), (share if row.discharge else 1.0)
        assert envelope.max_w == pytest.approx(1000.0 * charge)
        assert envelope.min_w == pytest.approx(-2000.0 * discharge)
        assert envelope.max_by == (row.id if row.charge else "site.yaml")
        assert envelope.min_by == (row.id if row.discharge else "site.yaml")
    near = narrowed(row, slope, alarm - slope * row.horizon_s * 0.01)
    least = (near.max_w / 1000.0) if row.charge else (near.min_w / -2000.0)
    assert least == pytest.approx(LEAST_LEFT)
    at_the_limit = narrowed(row, slope, alarm)
    assert min(at_the_limit.max_w / 1000.0, at_the_limit.min_w / -2000.0) == LEAST_LEFT
    for beyond in (1.001, -0.001, -1.0):
        assert narrowed(row, slope, alarm - slope * row.horizon_s * beyond) == WIDE_SITE
    assert narrowed(row, -slope, alarm - slope * row.horizon_s * 0.5) == WIDE_SITE
    for unknown in (None, 0.0):
        assert narrowed(row, unknown, alarm) == WIDE_SITE


def test_the_horizon_itself_is_beyond_it():
    assert trend_analyzer._left(0.0, 10.0, 1.0, 10.0) == 1.0
    assert trend_analyzer._left(0.0, 10.0, 1.0, 5.0) == 1.0
    assert trend_analyzer._left(0.0, 10.0, 1.0, math.nextafter(10.0, 11.0)) < 1.0


@pytest.mark.parametrize("lost", range(3))
def test_of_what_is_no_number_only_the_least_is_left(lost):
    values = [0.0, 10.0, 1.0]
    values[lost] = math.nan
    assert trend_analyzer._left(*values, 100.0) == LEAST_LEFT
    assert trend_analyzer._left(0.0, 10.0, math.inf, 100.0) == LEAST_LEFT


def test_of_two_predictions_each_narrows_its_own_end():
    slopes = {"cell_voltage_rising": (0.01, 3.5), "cell_voltage_falling": (-0.01, 2.9)}
    tracks = {
        f"{UNIT}/{trend}": Track(samples=((T0, value),), slope_per_s=slope)
        for trend, (slope, value) in slopes.items()
    }
    snapshot = snapshot_of({Signal.CELL_VOLTAGE_MAX_V: 3.5, Signal.CELL_VOLTAGE_MIN_V: 2.9})
    envelope = ANALYZER.narrow(UNIT, WIDE_SITE, snapshot, TrendMemory(tracks=tracks))
    assert (envelope.max_w, envelope.min_w) == pytest.approx((500.0, -1000.0))


def test_a_unit_is_not_narrowed_by_what_its_neighbour_will_meet():
    alarms = {f"{unit}/{key.partition('/')[2]}": v for key, v in ALARMS.items() for unit in "ab"}
    analyzer = TrendAnalyzer(("a", "b"), alarms)
    readings = {
        unit: {Signal.CELL_VOLTAGE_MAX_V: Good(value=3.5, time_ns=T0)} for unit in ("a", "b")
    }
    memory = TrendMemory(tracks={"b/cell_voltage_rising": Track(slope_per_s=0.01)})
    snapshot = Snapshot(time_ns=T0, readings=readings)
    assert analyzer.narrow("a", WIDE_SITE, snapshot, memory) == WIDE_SITE
    assert analyzer.narrow("b", WIDE_SITE, snapshot, memory).max_w == pytest.approx(500.0)


def test_a_signal_that_is_lost_predicts_nothing_and_leaves_the_others_at_work():
    slopes = {"cell_heating": 0.01, "cell_voltage_rising": 0.01}
    tracks = {f"{UNIT}/{trend}": Track(slope_per_s=slope) for trend, slope in slopes.items()}
    lost = {Signal.CELL_TEMPERATURE_MAX_C: None, Signal.CELL_VOLTAGE_MAX_V: 3.5}
    envelope = ANALYZER.narrow(UNIT, WIDE_SITE, snapshot_of(lost), TrendMemory(tracks=tracks))
    assert envelope.max_w == pytest.approx(500.0)
    assert envelope.min_w == -2000.0


# A wrong table. ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"levels": ((A, 1.0), (W, 2.0))}, "levels out of order"),
        ({"window_s": 79.9, "spacing_s": 10.0}, "too few samples in the window"),
        ({"least_change": 2.0001}, "a level in noise"),
        ({"source": ""}, "no source"),
        ({"id": "soc_jump"}, "a row stands twice"),
        ({"id": PREDICTIONS[0].id}, "a row stands twice"),
    ],
)
def test_a_row_that_cannot_be_right_is_refused(changes, complaint, monkeypatch):
    monkeypatch.setattr(trend_analyzer, "TRENDS", (*TRENDS[1:], replace(TRENDS[0], **changes)))
    with pytest.raises(AssertionError, match=complaint):
        trend_analyzer._check_table()


def test_eight_samples_in_a_window_are_enough(monkeypatch):
    enough = replace(TRENDS[0], spacing_s=15.0)  # window: 120 s
    monkeypatch.setattr(trend_analyzer, "TRENDS", (enough, *TRENDS[1:]))
    trend_analyzer._check_table()
