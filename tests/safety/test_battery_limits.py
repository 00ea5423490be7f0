"""What the battery itself permits: the smaller of the BMS's word and the data sheet's."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.signals import SIGNALS, Signal
from holdfast.safety.battery_limits import battery_limits, nameplate
from tests.builders import T0, build_site, snapshot_of, unit_content

BATTERY = build_site().storage[0]  # 100 A each way, 96 % efficient
CHARGE, DISCHARGE = Signal.CHARGE_CURRENT_LIMIT_A, Signal.DISCHARGE_CURRENT_LIMIT_A
VOLTAGE = Signal.PACK_VOLTAGE_V
TOO_OLD_NS = SIGNALS[CHARGE].max_age_ns + 1


def ends(values, **kwargs):
    envelope = battery_limits(BATTERY, snapshot_of({VOLTAGE: 50.0, **values}, **kwargs))
    return envelope.min_w, envelope.max_w


def test_a_limit_of_zero_permits_nothing_in_that_direction():
    assert ends({CHARGE: 0.0, DISCHARGE: 40.0}) == pytest.approx((-40 * 50 * 0.96, 0.0))
    assert ends({CHARGE: 40.0, DISCHARGE: 0.0}) == pytest.approx((0.0, 40 * 50))


def test_a_battery_that_tells_no_limits_is_limited_by_its_data_sheet():
    assert ends({CHARGE: None, DISCHARGE: None}) == pytest.approx((-100 * 50 * 0.96, 100 * 50))


def test_the_bms_cannot_permit_more_than_the_data_sheet():
    assert ends({CHARGE: 500.0, DISCHARGE: 500.0}) == ends({CHARGE: None, DISCHARGE: None})


@pytest.mark.parametrize("bad", [math.nan, math.inf, -1.0, 2001.0])
def test_a_limit_that_cannot_be_true_permits_nothing(bad):
    assert ends({CHARGE: bad, DISCHARGE: bad}) == (0.0, 0.0)


def test_a_stale_limit_still_narrows():
    envelope = battery_limits(
        BATTERY, snapshot_of({CHARGE: 10.0}, now_ns=T0, sampled_ns=T0 - TOO_OLD_NS)
    )
    assert (envelope.min_w, envelope.max_w) == (0.0, 0.0)  # its voltage is stale as well
    store_old_limit = snapshot_of({CHARGE: 10.0, VOLTAGE: 50.0})
    assert battery_limits(BATTERY, store_old_limit).max_w == 500.0


@pytest.mark.parametrize("voltage", [None, math.nan, 0.0, 1600.0])
def test_an_unknown_voltage_permits_nothing(voltage):
    envelope = battery_limits(BATTERY, snapshot_of({VOLTAGE: voltage}))
    assert (envelope.min_w, envelope.max_w) == (0.0, 0.0)
    assert envelope.min_by == envelope.max_by == "pack_voltage_unknown"


def test_each_end_says_what_set_it():
    envelope = battery_limits(BATTERY, snapshot_of({CHARGE: 10.0, DISCHARGE: None}))
    assert (envelope.max_by, envelope.min_by) == ("charge_current_limit_a", "battery_current_max")


@given(st.floats(0, 2000), st.floats(0, 2000), st.floats(1, 1500))
def test_the_current_stays_within_both_limits_losses_included(charge_a, discharge_a, voltage_v):
    low, high = ends({CHARGE: charge_a, DISCHARGE: discharge_a, VOLTAGE: voltage_v})
    charging_a = high / voltage_v  # at most: losses do not reach the battery
    discharging_a = -low / 0.96 / voltage_v  # losses come on top
    assert charging_a <= min(charge_a, 100.0) * (1 + 1e-9)
    assert discharging_a <= min(discharge_a, 100.0) * (1 + 1e-9)


def test_the_nameplate_is_the_tighter_of_wish_and_hardware():
    unit = build_site(unit_content(operation={"charge_power_max_w": 1200})).storage[0]
    assert (nameplate(unit).min_w, nameplate(unit).max_w) == (-5000.0, 1200.0)
