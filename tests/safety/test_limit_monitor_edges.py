"""The limit monitor: what it remembers, what it says, and to what it falls back."""

import math

import pytest

from holdfast.core.signals import Signal
from holdfast.safety.finding import Level
from tests.builders import snapshot_of
from tests.safety.test_limit_monitor import LIMITS, Driver


def test_after_a_trip_it_falls_to_what_the_last_samples_still_show_not_to_what_the_last_one_does():
    driver = Driver(LIMITS["cell_voltage_low"])  # trip at 2.5 V, alarm at 2.8 V, 2 of 3
    driver.reach(2.4)
    for _ in range(21):
        (found,) = driver.sample(2.7)
        assert found.level is Level.TRIP
    (found,) = driver.sample(3.3)  # 10 s inside the trip level; two of three beyond the alarm
    assert found.level is Level.ALARM
    assert found.since_ns == driver.now_ns


def test_after_a_trip_it_falls_to_what_the_hysteresis_of_the_next_level_still_holds():
    driver = Driver(LIMITS["cell_voltage_low"])
    driver.reach(2.4)
    for _ in range(22):
        (found,) = driver.sample(2.85)  # above the alarm at 2.8 V, not by its 0.1 V
    assert found.level is Level.ALARM


def test_while_nothing_changes_the_memory_is_handed_on_and_not_copied():
    driver = Driver(LIMITS["cell_voltage_high"])
    driver.sample(3.3)
    assert driver.memory == {}
    before = driver.memory
    driver.look(dt_s=0.1)
    assert driver.memory is before
    driver.reach(3.7)
    before = driver.memory
    assert driver.look(dt_s=0.1)  # found, by the same sample
    assert driver.memory is before
    driver.sample(math.nan)
    driver.look(dt_s=0.1)
    assert driver.memory is before


def test_lost_data_stop_the_time_inside_only_once():
    driver = Driver(LIMITS["cell_voltage_high"])
    driver.reach(3.7)
    driver.sample(3.3)
    driver.sample(3.3)
    assert driver.memory["battery/cell_voltage_high"].inside_since_ns is not None
    driver.sample(math.nan)
    before = driver.memory
    assert before["battery/cell_voltage_high"].inside_since_ns is None
    driver.sample(math.nan)
    assert driver.memory is before


def test_a_row_in_memory_leaves_the_others_in_memory():
    high, low = LIMITS["cell_voltage_high"], LIMITS["cell_voltage_low"]
    monitor = type(Driver(high).monitor)((high, low))
    values = {Signal.CELL_VOLTAGE_MAX_V: 3.7, Signal.CELL_VOLTAGE_MIN_V: 2.4}
    _, memory = monitor.assess(snapshot_of(values), {})
    assert set(memory) == {high.key, low.key}


@pytest.mark.parametrize(
    ("row", "value", "text"),
    [
        ("cell_voltage_high", 3.7, "cell_voltage_max_v above 3.65 V: 3.7"),
        ("cell_voltage_high", 3.62, "cell_voltage_max_v above 3.6 V: 3.62"),
        ("cell_voltage_low", 2.4, "cell_voltage_min_v below 2.5 V: 2.4"),
        ("bms_protection", 1.0, "bms_protection is 1"),
        ("watchdog_lost", 0.0, "watchdog_armed is 0"),
    ],
)
def test_a_finding_names_the_value_its_side_and_its_limit(row, value, text):
    driver = Driver(LIMITS[row])
    (found,) = driver.reach(value)
    assert found.text == text
    good = 3.3 if "cell" in row else 1.0 - value
    for _ in range(3 if "cell" in row else 1):
        (found,) = driver.sample(good, dt_s=0.1)
    assert found.text.endswith(f"{good:g}; inside again, not yet for long enough")
    (found,) = driver.sample(math.nan)
    assert found.text == text.rpartition(" ")[0] + " not known"
