"""C11: the limit is the smallest over the phases of what others leave of the fuse, both ways."""

import pytest

from holdfast.core.asked_slot import AskedBy
from holdfast.core.slot_mode import SlotMode
from tests.field.scene import Field, house

FUSE_A, VOLTS = 63.0, 230.0


def three_phases(**grid):
    content = house()
    unit = content["storage"][0]
    unit["inverter_hardware"] |= {
        "charge_power_max_w": 30_000, "discharge_power_max_w": 30_000, "phases": [1, 2, 3],
        "response_time_s": 1.0,
    }  # fmt: skip
    unit["battery"] |= {
        "cells_in_series": 160, "capacity_wh": 60_000,
        "charge_current_max_a": 300, "discharge_current_max_a": 300,
    }  # fmt: skip
    content["grid"] |= {
        "import_max_w": 43_000, "export_max_w": 43_000, "fuse_a": FUSE_A, "phases": 3, **grid,
    }  # fmt: skip
    content["meter"] |= {"profile": "generic_meter_3p"}
    content |= {"storage": [unit], "pv_meter": {"none": "there is no PV here"}}
    content.pop("pv", None)
    field = Field(content, step_s=0.1)
    field.house.load_override_w = 0.0
    return field


def amps(field):
    return [power_w / VOLTS for power_w in field.plant.phase_power_w.values()]


def loaded(field, *others_a):
    for phase, current_a in enumerate(others_a, 1):
        field.plant.phase_load_w[phase] = current_a * VOLTS


def test_an_even_charge_beside_a_car_on_one_phase_stays_within_its_fuse():
    field = three_phases()
    loaded(field, 20.0, 4.0, 4.0)
    field.ask(SlotMode.POWER, 30_000.0, by=AskedBy.OPERATOR)
    field.run(25.0)
    assert field.plant.battery_power_w / 3 / VOLTS == pytest.approx(39.85, abs=0.3)
    assert max(amps(field)) <= 0.95 * FUSE_A + 0.2
    assert "main_fuse" in field.seen[-1].reason


def test_a_load_that_comes_on_one_phase_is_above_the_fuse_for_less_than_a_second():
    field = three_phases()
    loaded(field, 20.0, 4.0, 4.0)
    field.ask(SlotMode.POWER, 30_000.0, by=AskedBy.OPERATOR)
    field.run(25.0)
    loaded(field, 36.0, 4.0, 4.0)
    above_s = high_s = 0.0
    for _ in range(200):
        field.run(0.1)
        above_s += 0.1 * (max(amps(field)) > FUSE_A)
        high_s += 0.1 * (max(amps(field)) > 0.95 * FUSE_A + 0.3)
    assert above_s <= 1.0
    assert high_s <= 10.0


def test_a_phase_that_is_overloaded_without_the_battery_is_helped():
    field = three_phases()
    loaded(field, 66.0, 4.0, 4.0)
    field.ask(SlotMode.PASSIVE, by=AskedBy.OPERATOR)
    field.run(8.0)
    assert amps(field)[0] == pytest.approx(0.95 * FUSE_A, abs=0.3)


def test_what_each_phase_may_feed_in_counts_on_the_emptiest_one():
    field = three_phases(export_max_a=10.5)
    loaded(field, 20.0, 4.0, 4.0)
    field.ask(SlotMode.POWER, -30_000.0, by=AskedBy.OPERATOR)
    field.run(25.0)
    assert min(amps(field)) == pytest.approx(-10.5, abs=0.2)


def test_zero_export_where_no_phase_is_netted():
    field = three_phases(fuse_a=None, export_max_w=0, meter_nets_phases=False)
    loaded(field, 10.0, 2.0, 6.0)
    field.ask(SlotMode.SELF_CONSUMPTION, by=AskedBy.OPERATOR)
    field.run(25.0)
    assert min(amps(field)) == pytest.approx(0.0, abs=0.3)
    assert amps(field)[0] == pytest.approx(8.0, abs=0.4)
