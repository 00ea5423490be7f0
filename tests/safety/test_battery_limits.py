"""What the battery itself permits: the smaller of the BMS's word and the data sheet's."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.data_store import Snapshot
from holdfast.core.reading import Good, Stale
from holdfast.core.signals import SIGNALS, Signal
from holdfast.safety.battery_limits import battery_limits, nameplate
from tests.builders import T0, UNIT, build_site, snapshot_of, unit_content

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


# The voltage up to which the BMS asks to be charged. ----------------------------------------------

LIMIT = Signal.CHARGE_VOLTAGE_LIMIT_V


def charge_share(limit_v, voltage_v):
    """Of 100 A; the discharge must never be touched."""
    values = {LIMIT: limit_v, VOLTAGE: voltage_v, CHARGE: None, DISCHARGE: None}
    low, high = ends(values)
    assert low == pytest.approx(-100 * voltage_v * 0.96)
    return high / voltage_v / 100.0


@pytest.mark.parametrize(
    ("below_v", "share"),
    [(-5.0, 0.0), (-0.001, 0.0), (0.0, 0.0), (0.2, 0.25), (0.4, 0.5), (0.6, 0.75), (0.8, 1.0),
     (0.81, 1.0), (5.0, 1.0)],
)  # fmt: skip
def test_at_the_charge_voltage_limit_charging_is_blocked_and_near_it_derated(below_v, share):
    """0.8 V are 50 mV for each of 16 cells."""
    assert charge_share(56.0, 56.0 - below_v) == pytest.approx(share, abs=1e-9)


@pytest.mark.parametrize("limit_v", [0.0, 0.1, 40.0])
def test_a_pack_that_prevents_charging_by_a_low_limit_is_discharged_as_before(limit_v):
    assert charge_share(limit_v, 56.0) == 0.0


def test_the_limit_is_counted_per_cell():
    (long,) = build_site(unit_content(battery={"cells_in_series": 160})).storage
    envelope = battery_limits(
        long, snapshot_of({VOLTAGE: 556.0, LIMIT: 560.0, CHARGE: None, DISCHARGE: None})
    )
    assert envelope.max_w == pytest.approx(0.5 * 100 * 556.0)
    assert (envelope.min_by, envelope.max_by) == ("battery_current_max", "pack_voltage_charge")


def test_a_bms_that_asks_for_no_voltage_is_limited_by_its_cells_alone():
    assert charge_share(None, 58.39) == 1.0  # pack_voltage_high blocks long before


@pytest.mark.parametrize("told_v", [58.4, 60.0, 1500.0])
def test_a_bms_cannot_ask_for_more_than_the_cells_own_limit(told_v):
    """16 times 3.65 V are 58.4 V."""
    assert charge_share(told_v, 57.5) == 1.0
    assert charge_share(told_v, 58.0) == pytest.approx(0.5)
    assert charge_share(told_v, 58.4) == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("bad", [math.nan, math.inf, 0.0, -1.0, 1501.0])
def test_a_charge_voltage_limit_that_cannot_be_true_permits_no_charging(bad):
    assert charge_share(bad, 50.0) == 0.0


def test_a_charge_voltage_limit_that_has_become_stale_still_narrows():
    fresh = snapshot_of({VOLTAGE: 55.6, CHARGE: None})
    readings = {**fresh.readings[UNIT], LIMIT: Stale(value=56.0, time_ns=T0 - 1)}
    envelope = battery_limits(BATTERY, Snapshot(time_ns=T0, readings={UNIT: readings}))
    assert envelope.max_w == pytest.approx(0.5 * 100 * 55.6)


def test_no_number_gets_through_as_a_charge_voltage_limit():
    """A store lets none through; should one come all the same, it permits nothing."""
    fresh = snapshot_of({VOLTAGE: 50.0})
    readings = {**fresh.readings[UNIT], LIMIT: Good(value=math.nan, time_ns=T0)}
    envelope = battery_limits(BATTERY, Snapshot(time_ns=T0, readings={UNIT: readings}))
    assert (envelope.max_w, envelope.max_by) == (0.0, "pack_voltage_charge")


def test_the_stronger_of_voltage_and_curves_counts_and_is_named():
    cell = Signal.CELL_VOLTAGE_MAX_V
    for cell_v, share, by in (
        (3.55, 0.1, "cell_voltage_charge"),
        (3.50, 0.25, "pack_voltage_charge"),
    ):
        envelope = battery_limits(
            BATTERY, snapshot_of({VOLTAGE: 55.8, LIMIT: 56.0, cell: cell_v, CHARGE: None})
        )
        assert (envelope.max_w, envelope.max_by) == (pytest.approx(share * 100 * 55.8), by)


def test_where_both_leave_the_same_the_curve_is_named():
    envelope = battery_limits(
        BATTERY, snapshot_of({VOLTAGE: 57.0, LIMIT: 56.0, Signal.CELL_VOLTAGE_MAX_V: 3.7})
    )
    assert (envelope.max_w, envelope.max_by) == (0.0, "cell_voltage_charge")


def test_the_smaller_of_the_current_and_the_voltage_limit_counts():
    for told_a, by in ((20.0, "charge_current_limit_a"), (60.0, "pack_voltage_charge")):
        envelope = battery_limits(
            BATTERY, snapshot_of({VOLTAGE: 55.6, LIMIT: 56.0, CHARGE: told_a})
        )
        assert (envelope.max_w, envelope.max_by) == (
            pytest.approx(min(told_a, 50.0) * 55.6), by,
        )  # fmt: skip


(LOPSIDED,) = build_site(
    unit_content(battery={"charge_current_max_a": 80, "discharge_current_max_a": 120})
).storage


def limits(values):
    return battery_limits(LOPSIDED, snapshot_of({VOLTAGE: 50.0, **values}))


def ends_at(envelope):
    return envelope.min_w, envelope.max_w


def test_each_direction_has_its_own_rated_current():
    envelope = limits({CHARGE: None, DISCHARGE: None})
    assert ends_at(envelope) == pytest.approx((-120 * 50 * 0.96, 80 * 50))
    assert (envelope.min_by, envelope.max_by) == ("battery_current_max", "battery_current_max")


def test_each_direction_is_narrowed_by_its_own_limit_of_the_bms_and_says_so():
    envelope = limits({CHARGE: 30.0, DISCHARGE: 40.0})
    assert ends_at(envelope) == pytest.approx((-40 * 50 * 0.96, 30 * 50))
    assert (envelope.min_by, envelope.max_by) == (
        "discharge_current_limit_a",
        "charge_current_limit_a",
    )


@pytest.mark.parametrize(
    ("signal", "value", "low_a", "high_a", "low_by", "high_by"),
    [
        (
            Signal.CELL_TEMPERATURE_MIN_C, 5.0, 120, 40,
            "battery_current_max", "cell_temperature_charge_cold",
        ),
        (Signal.CELL_VOLTAGE_MIN_V, 2.9, 30, 80, "cell_voltage_discharge", "battery_current_max"),
    ],
)  # fmt: skip
def test_derating_takes_its_share_of_its_own_direction_only(
    signal, value, low_a, high_a, low_by, high_by
):
    envelope = limits({signal: value})
    assert ends_at(envelope) == pytest.approx((-low_a * 50 * 0.96, high_a * 50))
    assert (envelope.min_by, envelope.max_by) == (low_by, high_by)


def test_where_the_bms_and_the_data_sheet_say_the_same_the_data_sheet_is_named():
    envelope = limits({CHARGE: 80.0, DISCHARGE: 120.0})
    assert (envelope.min_by, envelope.max_by) == ("battery_current_max", "battery_current_max")


def test_a_limit_that_has_become_stale_still_narrows_while_the_voltage_is_known():
    """The frame with the limits is lost, the one with the voltage keeps coming."""
    fresh = snapshot_of({VOLTAGE: 50.0})
    old = {signal: Stale(value=10.0, time_ns=T0 - 1) for signal in (CHARGE, DISCHARGE)}
    readings = {**fresh.readings, UNIT: {**fresh.readings[UNIT], **old}}
    envelope = battery_limits(LOPSIDED, Snapshot(time_ns=T0, readings=readings))
    assert ends_at(envelope) == pytest.approx((-10 * 50 * 0.96, 10 * 50))


def test_what_site_yaml_permits_is_said_to_come_from_there():
    envelope = nameplate(LOPSIDED)
    assert (envelope.min_by, envelope.max_by) == ("site.yaml", "site.yaml")
