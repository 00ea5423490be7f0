"""The signal table: complete, and honest about what each reading may be."""

import math

import pytest

from holdfast.core.signals import SIGNALS, Producer, Signal

NAMED_UNITS = {
    "_w": "W", "_v": "V", "_a": "A", "_c": "°C", "_hz": "Hz", "_s": "s", "_pct": "%",
    "_k": "K", "_kohm": "kΩ",
}  # fmt: skip


@pytest.mark.parametrize("signal", list(Signal))
def test_every_signal_has_a_complete_row(signal):
    row = SIGNALS[signal]
    assert math.isfinite(row.low)
    assert math.isfinite(row.high)
    assert row.low < row.high
    assert row.max_age_s > 0
    assert row.max_age_ns == round(row.max_age_s * 1e9)
    assert row.meaning


@pytest.mark.parametrize("signal", list(Signal))
def test_the_name_of_a_signal_says_its_unit(signal):
    by_name = next((unit for suffix, unit in NAMED_UNITS.items() if signal.endswith(suffix)), "0/1")
    assert SIGNALS[signal].unit == by_name


def test_a_signal_belongs_to_the_site_exactly_if_a_device_of_the_site_makes_it():
    of_site = {Producer.METER, Producer.EMERGENCY_INPUT, Producer.WATCHDOG}
    for row in SIGNALS.values():
        assert row.of_site is (row.producer in of_site)


def test_a_signal_belongs_to_a_load_exactly_if_a_load_switch_makes_it():
    for row in SIGNALS.values():
        assert row.of_load is (row.producer is Producer.LOAD_SWITCH)


def test_signed_signals_reach_as_far_in_both_directions():
    for signal in (Signal.BATTERY_CURRENT_A, Signal.BATTERY_POWER_W, Signal.GRID_POWER_W):
        assert SIGNALS[signal].low == -SIGNALS[signal].high


def test_the_safety_path_never_waits_longer_for_data_than_the_fault_catalogue_says():
    longest = {
        Producer.BMS: 5.0, Producer.INVERTER: 1.0, Producer.RELAYS: 1.0, Producer.METER: 1.0,
        Producer.EMERGENCY_INPUT: 0.5, Producer.WATCHDOG: 1.0,
    }  # fmt: skip
    for row in SIGNALS.values():
        if row.producer in {Producer.DERIVED, Producer.LOAD_SWITCH}:
            continue  # what it rests on is found lost long before; nothing rests on it
        assert row.max_age_s <= longest[row.producer]
