"""A BMS is believed as long as what it tells agrees with what has flowed."""

import pytest

from holdfast.core.data_store import DataStore, freeze
from holdfast.core.signals import Signal
from holdfast.core.units import NS_PER_S
from holdfast.safety.finding import Reaction
from holdfast.safety.plausibility import ANCHOR_S, Plausibility
from tests.builders import T0, UNIT, build_site, put

SITE = build_site()  # 10 kWh, 100 A


class Run:
    """One BMS burst a second."""

    def __init__(self):
        self.checks, self.memory, self.now_ns = Plausibility(SITE), {}, T0
        self.store = DataStore((UNIT,))

    def __call__(self, soc_pct, current_a, voltage_v=52.0, gap_s=1.0):
        self.now_ns += round(gap_s * NS_PER_S)
        for signal, value in (
            (Signal.SOC_PCT, soc_pct),
            (Signal.BATTERY_CURRENT_A, current_a),
            (Signal.PACK_VOLTAGE_V, voltage_v),
        ):
            put(self.store, UNIT, signal, value, self.now_ns)
        return self.look()

    def look(self):
        snapshot = freeze(self.store.image(), self.now_ns)
        findings, self.memory = self.checks.assess(snapshot, self.memory)
        return {found.row: found.reaction for found in findings}


def percent(current_a, seconds):
    return 100.0 * current_a * 52.0 * seconds / 3600.0 / 10_000.0


def test_a_true_state_of_charge_is_believed_for_hours():
    run, soc_pct = Run(), 20.0
    for second in range(3 * 3600):
        current_a = 40.0 if second < 2 * 3600 else -40.0
        soc_pct = min(soc_pct + percent(current_a, 1), 100.0)
        if soc_pct == 100.0:
            break
        assert run(round(soc_pct), current_a, 52.0 + 0.001 * current_a + second * 1e-4) == {}


@pytest.mark.parametrize("drift", [1.0, -1.0])
def test_a_state_of_charge_that_leaves_the_count_is_found(drift):
    run = Run()
    for second in range(1000):
        found = run(50.0 + drift * second * 0.01, 0.0)
    assert found == {}
    for second in range(100):
        found = run(50.0 + drift * (10.0 + second * 0.01), 0.0)
    assert found == {"soc_implausible": Reaction.DERATE}


def test_a_state_of_charge_that_stands_still_while_current_flows_is_found():
    run = Run()
    for second in range(1600):
        found = run(50.0, 50.0, 52.0 + second * 1e-3)
    assert found == {"soc_implausible": Reaction.DERATE}


def test_after_a_gap_and_after_an_hour_the_count_begins_anew():
    run = Run()
    run(50.0, 0.0)
    assert run(80.0, 0.0, gap_s=60.0) == {}
    run = Run()
    for second in range(round(ANCHOR_S) + 600):
        assert run(50.0 + second * 0.0025, 0.0) == {}


def test_a_voltage_that_stands_still_while_the_current_swings_is_found_and_forgiven():
    run = Run()
    for _ in range(5):
        assert run(50.0, 0.0, 52.8) == {}
    assert run(50.0, 40.0, 52.8) == {"voltage_stuck": Reaction.RAMP_TO_ZERO}
    assert run(50.0, 40.0, 53.4) == {}


def test_a_steady_current_over_a_flat_curve_is_no_stuck_voltage():
    run = Run()
    for _ in range(600):
        assert "voltage_stuck" not in run(50.0, 40.0, 53.1)


def test_a_sample_that_is_read_again_counts_once():
    run = Run()
    run(50.0, 100.0)
    run(50.0, 100.0)
    before = run.memory[UNIT]
    for _ in range(1000):
        assert run.look() == {}
    assert run.memory[UNIT] is before
