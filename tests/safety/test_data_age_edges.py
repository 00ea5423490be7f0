"""Of several faults of one device, the worst is told; the order is always the same."""

import math

import pytest

from holdfast.core.data_store import DataStore, freeze
from holdfast.core.signals import SITE, Signal
from holdfast.core.units import NS_PER_S
from holdfast.safety.data_age import DataAge
from tests.builders import T0, UNIT, put


def assess(*samples, now_ns=T0):
    store = DataStore((UNIT,))
    for owner, signal, value, time_ns in samples:
        put(store, owner, signal, value, time_ns)
    return DataAge({SITE: [], UNIT: []}).assess(freeze(store.image(), now_ns))


def test_findings_come_in_the_order_of_owner_and_device_not_of_arrival():
    old_ns = T0 - 60 * NS_PER_S
    found = assess(
        (UNIT, Signal.CONTACTOR_CLOSED, 1.0, old_ns),
        (UNIT, Signal.BATTERY_POWER_W, 1.0, old_ns),
        (UNIT, Signal.SOC_PCT, 50.0, old_ns),
        (SITE, Signal.GRID_POWER_W, 0.0, old_ns),
        (SITE, Signal.EMERGENCY_LOOP_CLOSED, 1.0, old_ns),
    )
    assert [finding.key for finding in found] == [
        f"{UNIT}/bms_data_lost",
        f"{UNIT}/inverter_data_lost",
        f"{UNIT}/relays_data_lost",
        f"{SITE}/emergency_input_data_lost",
        f"{SITE}/meter_data_lost",
    ]


def test_of_two_readings_that_are_as_bad_for_as_long_the_first_is_told():
    old_ns = T0 - 60 * NS_PER_S
    (found,) = assess((UNIT, Signal.SOC_PCT, 50.0, old_ns), (UNIT, Signal.SOH_PCT, 99.0, old_ns))
    assert "soc_pct" in found.text
    assert found.since_ns == old_ns + 5 * NS_PER_S - NS_PER_S // 4


@pytest.mark.parametrize("first", [Signal.SOC_PCT, Signal.SOH_PCT])
def test_of_two_lost_readings_the_one_that_is_lost_for_longer_counts(first):
    """Another one that follows must not open the envelope again."""
    later = Signal.SOH_PCT if first is Signal.SOC_PCT else Signal.SOC_PCT
    times_ns = {first: T0 - 6 * NS_PER_S, later: T0 - 5 * NS_PER_S - 1}
    for signals in ((first, later), (later, first)):
        (found,) = assess(*((UNIT, signal, 50.0, times_ns[signal]) for signal in signals))
        assert first in found.text
        assert found.since_ns == T0 - NS_PER_S - NS_PER_S // 4


@pytest.mark.parametrize("lost", [Signal.SOC_PCT, Signal.CELL_TEMPERATURE_MIN_C])
def test_nonsense_permits_nothing_though_another_signal_was_lost_only_now(lost):
    """Power was let through for half a second when a signal got lost beside a bad one."""
    bad = Signal.SOC_PCT if lost is Signal.CELL_TEMPERATURE_MIN_C else Signal.CELL_TEMPERATURE_MIN_C
    samples = {lost: (50.0, T0 - 5 * NS_PER_S - 1), bad: (math.nan, T0)}
    for signals in (sorted(samples), sorted(samples, reverse=True)):
        (found,) = assess(*((UNIT, signal, *samples[signal]) for signal in signals))
        assert found.row == "bms_data_bad"


def test_a_bad_value_is_bad_since_it_was_read_not_since_it_was_looked_at():
    """Its sample's time and not the cycle's: it does not seem to begin anew in every cycle."""
    (found,) = assess((UNIT, Signal.SOC_PCT, 101.0, T0 - NS_PER_S))
    assert found.since_ns == T0 - NS_PER_S - NS_PER_S // 2
    (found,) = assess((UNIT, Signal.SOC_PCT, 50.0, T0 + NS_PER_S))  # from the future
    assert found.since_ns == T0 - NS_PER_S // 2
