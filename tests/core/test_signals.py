"""The signal table: complete, and honest about what each reading may be."""

import math

import pytest

from holdfast.core import signals as module
from holdfast.core.role import Role
from holdfast.core.signals import INFORMATIVE, PRODUCERS, SIGNALS, Internal, Signal

NAMED_UNITS = {
    "_w": "W", "_v": "V", "_a": "A", "_c": "°C", "_hz": "Hz", "_s": "s", "_pct": "%",
    "_k": "K", "_kohm": "kΩ", "_mode": "mode", "_count": "count",
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
    assert row.name


def test_no_two_signals_have_one_name_and_a_name_is_no_list_of_remarks():
    names = [row.name for row in SIGNALS.values()]
    assert len(set(names)) == len(names)
    assert not [name for name in names if set(name) & set(",;:=+")]


@pytest.mark.parametrize("signal", list(Signal))
def test_the_name_of_a_signal_says_its_unit(signal):
    by_name = next((unit for suffix, unit in NAMED_UNITS.items() if signal.endswith(suffix)), "0/1")
    assert SIGNALS[signal].unit == by_name


def test_a_signal_belongs_to_the_site_exactly_if_a_device_of_the_site_makes_it():
    of_site = {Role.METER, Role.PV_METER, Role.GRID_OPERATOR, Role.EMERGENCY_INPUT,
               Internal.WATCHDOG, Internal.BALANCE}  # fmt: skip
    for row in SIGNALS.values():
        assert row.of_site is (row.producer in of_site)


def test_a_signal_belongs_to_a_load_exactly_if_its_switch_or_meter_makes_it():
    for row in SIGNALS.values():
        assert row.of_load is (row.producer in (Role.LOAD_SWITCH, Role.LOAD_METER))


def test_signed_signals_reach_as_far_in_both_directions():
    for signal in (Signal.BATTERY_CURRENT_A, Signal.BATTERY_POWER_W, Signal.GRID_POWER_W):
        assert SIGNALS[signal].low == -SIGNALS[signal].high


def test_the_safety_path_never_waits_longer_for_data_than_the_fault_catalogue_says():
    longest = {
        Role.BMS: 5.0, Role.INVERTER: 1.0, Role.RELAYS: 1.0, Role.METER: 1.0,
        Role.PV_METER: 1.0, Role.GRID_OPERATOR: 10.0, Role.EMERGENCY_INPUT: 0.5,
        Internal.WATCHDOG: 1.0,
    }  # fmt: skip
    for row in SIGNALS.values():
        if row.producer in {Internal.DERIVED, Internal.BALANCE} or row.of_load:
            continue  # what it rests on is found lost long before; nothing rests on it
        assert row.max_age_s <= longest[row.producer]


MILLION = 1_000_000.0
ROWS = {
    # signal: (producer, unit, smallest, largest, maximum age in s)
    "soc_pct": ("bms", "%", 0.0, 100.0, 5.0),
    "soh_pct": ("bms", "%", 0.0, 105.0, 5.0),
    "pack_voltage_v": ("bms", "V", 1.0, 1500.0, 5.0),
    "battery_current_a": ("bms", "A", -2000.0, 2000.0, 5.0),
    "cell_voltage_min_v": ("bms", "V", 1.0, 5.0, 5.0),
    "cell_voltage_max_v": ("bms", "V", 1.0, 5.0, 5.0),
    "cell_temperature_min_c": ("bms", "°C", -40.0, 120.0, 5.0),
    "cell_temperature_max_c": ("bms", "°C", -40.0, 120.0, 5.0),
    "ambient_temperature_c": ("bms", "°C", -40.0, 100.0, 5.0),
    "insulation_kohm": ("bms", "kΩ", 0.0, MILLION, 5.0),
    "charge_voltage_limit_v": ("bms", "V", 0.0, 1500.0, 5.0),
    "charge_current_limit_a": ("bms", "A", 0.0, 2000.0, 5.0),
    "discharge_current_limit_a": ("bms", "A", 0.0, 2000.0, 5.0),
    "charge_allowed": ("bms", "0/1", 0.0, 1.0, 5.0),
    "discharge_allowed": ("bms", "0/1", 0.0, 1.0, 5.0),
    "bms_protection": ("bms", "0/1", 0.0, 1.0, 5.0),
    "bms_alarm": ("bms", "0/1", 0.0, 1.0, 5.0),
    "charge_power_readback_w": ("bms", "W", 0.0, MILLION, 5.0),
    "discharge_power_readback_w": ("bms", "W", 0.0, MILLION, 5.0),
    "battery_power_w": ("inverter", "W", -MILLION, MILLION, 1.0),
    "setpoint_readback_w": ("inverter", "W", -MILLION, MILLION, 1.0),
    "export_limit_readback_w": ("inverter", "W", -1.0, 4.3e9, 1.0),
    "device_mode": ("inverter", "mode", 0.0, 6.0, 1.0),
    "pv_on": ("inverter", "0/1", 0.0, 1.0, 1.0),
    "inverter_enabled": ("inverter", "0/1", 0.0, 1.0, 1.0),
    "inverter_fault": ("inverter", "0/1", 0.0, 1.0, 1.0),
    "inverter_temperature_c": ("inverter", "°C", -40.0, 150.0, 1.0),
    "revert_timeout_readback_s": ("inverter", "s", 0.0, 65535.0, 1.0),
    "islanded": ("inverter", "0/1", 0.0, 1.0, 1.0),
    "contactor_closed": ("relays", "0/1", 0.0, 1.0, 1.0),
    "precharge_closed": ("relays", "0/1", 0.0, 1.0, 1.0),
    "dc_link_voltage_v": ("relays", "V", -10.0, 1500.0, 1.0),
    "grid_power_w": ("meter", "W", -MILLION, MILLION, 1.0),
    "grid_voltage_v": ("meter", "V", 0.0, 1000.0, 1.0),
    "grid_frequency_hz": ("meter", "Hz", 40.0, 70.0, 1.0),
    "pv_power_w": ("pv_meter", "W", -100.0, MILLION, 1.0),
    **{f"grid_power_l{n}_w": ("meter", "W", -MILLION, MILLION, 1.0) for n in (1, 2, 3)},
    **{f"grid_current_l{n}_a": ("meter", "A", -5000.0, 5000.0, 1.0) for n in (1, 2, 3)},
    "consumption_limited": ("grid_operator", "0/1", 0.0, 1.0, 10.0),
    "consumption_limit_w": ("grid_operator", "W", 0.0, MILLION, 10.0),
    "production_limited": ("grid_operator", "0/1", 0.0, 1.0, 10.0),
    "production_limit_w": ("grid_operator", "W", 0.0, MILLION, 10.0),
    "operator_beats_count": ("grid_operator", "count", 0.0, 4.3e9, 10.0),
    "operator_writes_count": ("grid_operator", "count", 0.0, 4.3e9, 10.0),
    **{f"rest_l{n}_w": ("balance", "W", -2 * MILLION, 2 * MILLION, 30.0) for n in (1, 2, 3)},
    **{f"rest_l{n}_a": ("balance", "A", -10_000.0, 10_000.0, 30.0) for n in (1, 2, 3)},
    "emergency_loop_closed": ("emergency_input", "0/1", 0.0, 1.0, 0.5),
    "watchdog_armed": ("watchdog", "0/1", 0.0, 1.0, 1.0),
    "load_power_w": ("load_meter", "W", -100_000.0, MILLION, 10.0),
    "load_on": ("load_switch", "0/1", 0.0, 1.0, 60.0),
    "load_revert_readback_s": ("load_switch", "s", 0.0, 65535.0, 60.0),
    "room_temperature_c": ("load_switch", "°C", -40.0, 80.0, 60.0),
    "room_setpoint_readback_c": ("load_switch", "°C", 0.0, 40.0, 60.0),
    "cell_imbalance_v": ("derived", "V", -5.0, 5.0, 15.0),
    "cell_temperature_spread_k": ("derived", "K", -160.0, 160.0, 15.0),
    "pack_mismatch_v": ("derived", "V", 0.0, 1500.0, 15.0),
    "power_mismatch_w": ("derived", "W", 0.0, MILLION, 15.0),
    "link_mismatch_v": ("derived", "V", 0.0, 1510.0, 15.0),
    "rest_of_site_w": ("balance", "W", -2 * MILLION, 2 * MILLION, 30.0),
}


@pytest.mark.parametrize("signal", list(Signal))
def test_each_signal_comes_from_its_producer_in_its_range_and_in_time(signal):
    row = SIGNALS[signal]
    assert (row.producer, row.unit, row.low, row.high, row.max_age_s) == ROWS[signal]


def test_only_a_batterys_health_pv_phases_and_the_grid_operator_are_of_no_matter_to_safety():
    """A PV inverter that sleeps at night must not stop the battery, and who limits the site has a
    failsafe limit."""
    phases = {
        signal for signal in Signal if "_l1_" in signal or "_l2_" in signal or "_l3_" in signal
    }
    operator = {signal for signal, row in SIGNALS.items() if row.producer is Role.GRID_OPERATOR}
    assert len(phases) == 12
    assert {Signal.SOH_PCT, Signal.PV_POWER_W, *phases, *operator} == INFORMATIVE


def test_what_the_bms_tells_and_what_is_derived_from_that_alone_tells_of_the_battery():
    told = {"bms", "derived"}
    of_battery = {name for name, (producer, *_) in ROWS.items() if producer in told}
    of_battery -= {"power_mismatch_w"}  # rests on the inverter's power too
    assert {signal for signal, row in SIGNALS.items() if row.of_battery} == of_battery


def test_every_role_and_part_of_holdfast_may_be_a_producer():
    assert (*Role, *Internal) == PRODUCERS
    assert len(PRODUCERS) == len(set(PRODUCERS)) == len(Role) + len(Internal)


@pytest.mark.parametrize("signal", list(Signal))
def test_what_is_plausible_ends_with_the_range_and_is_a_number(signal):
    row = SIGNALS[signal]
    assert row.is_plausible(row.low)
    assert row.is_plausible(row.high)
    below, above = math.nextafter(row.low, -math.inf), math.nextafter(row.high, math.inf)
    for value in (below, above, -math.inf, math.inf, math.nan):
        assert not row.is_plausible(value)


def test_a_flag_and_a_mode_are_told_without_a_unit():
    assert {"0/1", "mode", "count"} == module.BARE_UNITS
