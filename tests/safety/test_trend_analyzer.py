"""How fast values change: found early, and not seen in noise, gaps or coarse steps."""

import random

import pytest

from holdfast.core.signals import Signal
from holdfast.core.units import NS_PER_S
from holdfast.safety.envelope import up_to
from holdfast.safety.finding import Level, Reaction
from holdfast.safety.trend_analyzer import LEAST_LEFT, TRENDS, TrendAnalyzer, TrendMemory
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
