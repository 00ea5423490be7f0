"""Plausible range and maximum age of each signal: what is outside is no value."""

import pytest

from holdfast.core.signals import SIGNALS, Signal

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
    "charge_voltage_limit_v": ("bms", "V", 1.0, 1500.0, 5.0),
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
    "pv_power_w": ("meter", "W", -100.0, MILLION, 1.0),
    "emergency_loop_closed": ("emergency_input", "0/1", 0.0, 1.0, 0.5),
    "watchdog_armed": ("watchdog", "0/1", 0.0, 1.0, 1.0),
    "load_on": ("load_switch", "0/1", 0.0, 1.0, 60.0),
    "load_revert_readback_s": ("load_switch", "s", 0.0, 65535.0, 60.0),
    "room_temperature_c": ("load_switch", "°C", -40.0, 80.0, 60.0),
    "room_setpoint_readback_c": ("load_switch", "°C", 0.0, 40.0, 60.0),
    "cell_imbalance_v": ("derived", "V", -5.0, 5.0, 15.0),
    "cell_temperature_spread_k": ("derived", "K", -160.0, 160.0, 15.0),
    "pack_mismatch_v": ("derived", "V", 0.0, 1500.0, 15.0),
    "power_mismatch_w": ("derived", "W", 0.0, MILLION, 15.0),
    "link_mismatch_v": ("derived", "V", 0.0, 1510.0, 15.0),
}


@pytest.mark.parametrize("signal", list(Signal))
def test_each_signal_comes_from_its_producer_in_its_range_and_in_time(signal):
    row = SIGNALS[signal]
    assert (row.producer, row.unit, row.low, row.high, row.max_age_s) == ROWS[signal]


def test_what_the_bms_tells_and_what_is_derived_from_that_alone_tells_of_the_battery():
    told = {"bms", "derived"}
    of_battery = {name for name, (producer, *_) in ROWS.items() if producer in told}
    of_battery -= {"power_mismatch_w"}  # rests on the inverter's power too
    assert {signal for signal, row in SIGNALS.items() if row.of_battery} == of_battery
