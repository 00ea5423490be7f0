"""C6: of two unlike batteries none ever charges the other, and both are full together."""

import pytest

from holdfast.core.slot_mode import SlotMode
from tests.field.scene import Field, two_units

BIG = {
    "name": "big",
    "battery": {"capacity_wh": 14_000, "charge_current_max_a": 120, "discharge_current_max_a": 120},
    "inverter_hardware": {"charge_power_max_w": 5000, "discharge_power_max_w": 5000},
}
SMALL = {
    "name": "small",
    "battery": {"capacity_wh": 5000, "charge_current_max_a": 70, "discharge_current_max_a": 70},
    "inverter_hardware": {
        "charge_power_max_w": 3000,
        "discharge_power_max_w": 3000,
        "response_time_s": 6.0,
    },
}
RAMP_S = 3.0
ACROSS_WH = 10.0
"""So much may go from one to the other in a day."""


def against_each_other(field):
    """The longest time in which one charged while the other discharged, and the energy in Wh."""
    longest = since = 0.0
    energy_wh = 0.0
    before_s = field.seen[0].at_s
    for seen in field.seen[1:]:
        dt_s, before_s = seen.at_s - before_s, seen.at_s
        charge_w = sum(power_w for power_w in seen.units_w.values() if power_w > 20.0)
        discharge_w = -sum(power_w for power_w in seen.units_w.values() if power_w < -20.0)
        both_w = min(charge_w, discharge_w)
        since = since + dt_s if both_w else 0.0
        longest = max(longest, since)
        energy_wh += both_w * dt_s / 3600.0
    return longest, energy_wh


@pytest.mark.parametrize("big_pct", [60.0, 12.0, 94.0])
def test_through_a_night_and_a_sunny_morning_none_charges_the_other(big_pct):
    field = Field(two_units(BIG, SMALL), big=big_pct, small=10.5)
    field.run(3600.0, load_w=400.0)
    for minute in range(60):  # clouds: surplus and load take turns
        field.run(30.0, pv_w=3000.0 if minute % 2 else 0.0)
    field.run(3600.0, pv_w=4400.0)
    longest_s, energy_wh = against_each_other(field)
    assert longest_s <= RAMP_S
    assert energy_wh <= ACROSS_WH


def test_a_forced_charge_above_the_target_of_one_is_no_discharge_into_the_other():
    field = Field(two_units(BIG, SMALL), big=60.0, small=94.5)
    field.ask(SlotMode.POWER, 4000.0)
    field.run(1800.0, load_w=400.0)
    longest_s, _ = against_each_other(field)
    assert longest_s <= RAMP_S
    assert min(min(seen.units_w.values()) for seen in field.last(1700.0)) >= -20.0


def test_both_are_full_together_and_none_stands_still_while_power_is_exported():
    field = Field(two_units(BIG, SMALL), big=30.0, small=30.0)
    field.run(5400.0, load_w=400.0, pv_w=4400.0)
    big, small = (field.soc_pct(name) for name in ("big", "small"))
    assert big > 50.0
    # Of what each has room for the same share is filled.
    assert small == pytest.approx(big, abs=4.0)
    assert all(seen.grid_w >= -100.0 for seen in field.last(5000.0))


def test_a_night_s_load_is_one_battery_s_work():
    field = Field(two_units(BIG, SMALL), big=60.0, small=60.0)
    field.run(600.0, load_w=400.0)
    running = [
        sum(abs(power_w) > 20.0 for power_w in seen.units_w.values()) for seen in field.last(500.0)
    ]
    assert set(running) == {1}
