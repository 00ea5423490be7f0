"""Derived readings: their age, their inputs, and the losses in both directions."""

import pytest

from holdfast.core.data_store import freeze
from holdfast.core.reading import Good
from holdfast.core.signals import Signal
from holdfast.core.units import NS_PER_MS
from holdfast.safety.derived import derive
from tests.builders import T0, UNIT, build_site, healthy_store, put, snapshot_of

SITE = build_site()
RESTS_ON = {
    Signal.CELL_IMBALANCE_V: (Signal.CELL_VOLTAGE_MIN_V, Signal.CELL_VOLTAGE_MAX_V),
    Signal.CELL_TEMPERATURE_SPREAD_K: (
        Signal.CELL_TEMPERATURE_MIN_C, Signal.CELL_TEMPERATURE_MAX_C,
    ),
    Signal.PACK_MISMATCH_V: (
        Signal.PACK_VOLTAGE_V, Signal.CELL_VOLTAGE_MIN_V, Signal.CELL_VOLTAGE_MAX_V,
    ),
    Signal.POWER_MISMATCH_W: (
        Signal.BATTERY_POWER_W, Signal.PACK_VOLTAGE_V, Signal.BATTERY_CURRENT_A,
    ),
}  # fmt: skip
CASES = [(derived, signal) for derived, signals in RESTS_ON.items() for signal in signals]


@pytest.mark.parametrize(("derived", "oldest"), CASES)
def test_a_derived_reading_is_as_old_as_whichever_input_is_the_oldest(derived, oldest):
    store = healthy_store()
    for index, signal in enumerate(RESTS_ON[derived]):
        if signal is not oldest:
            put(store, UNIT, signal, 3.0 + index / 100, T0 + NS_PER_MS)
    snapshot = derive(SITE, freeze(store.image(), T0 + NS_PER_MS))
    reading = snapshot.read(UNIT, derived)
    assert isinstance(reading, Good)
    assert reading.time_ns == T0


@pytest.mark.parametrize(("derived", "missing"), CASES)
def test_each_input_is_needed_and_without_it_there_is_no_reading_at_all(derived, missing):
    snapshot = derive(SITE, snapshot_of({missing: None}))
    assert derived not in snapshot.readings[UNIT]


def test_what_was_measured_stays_beside_what_is_derived():
    before = snapshot_of()
    after = derive(SITE, before)
    assert after.time_ns == before.time_ns
    assert set(after.readings[UNIT]) == set(before.readings[UNIT]) | set(RESTS_ON)
    assert set(RESTS_ON).isdisjoint(before.readings[UNIT])


@pytest.mark.parametrize(
    ("current_a", "power_w", "mismatch_w"),
    [
        # At 50 V. Small powers have losses too, and are on the right side of zero.
        (0.015, 0.75 / 0.96, 0.0),
        (-0.015, -0.75 * 0.96, 0.0),
        (0.0, 300.0, 300.0),
        (0.0, -300.0, 300.0),
        (10.0, 0.0, 500.0 / 0.96),
        (-10.0, 0.0, 500.0 * 0.96),
    ],
)
def test_a_mismatch_has_no_sign_and_losses_count_however_small_the_power(
    current_a, power_w, mismatch_w
):
    values = {
        Signal.PACK_VOLTAGE_V: 50.0,
        Signal.BATTERY_CURRENT_A: current_a,
        Signal.BATTERY_POWER_W: power_w,
    }
    snapshot = derive(SITE, snapshot_of(values))
    assert snapshot.good(UNIT, Signal.POWER_MISMATCH_W) == pytest.approx(mismatch_w, abs=1e-9)
