"""The grid operator limits the site, falls silent, and comes back (§14a EnWG, EEBUS LPC)."""

import pytest

from holdfast.core.asked_slot import AskedBy
from holdfast.core.signals import Signal
from holdfast.core.slot_mode import SlotMode
from tests.field.scene import Field, house

LIMIT_W, FAILSAFE_W = 4200.0, 3000.0


def limited_site(**operator):
    content = house()
    box = {"profile": "generic_grid_operator", "connection": content["meter"]["connection"]}
    box["connection"] = box["connection"] | {"device_id": 9}
    content["grid"] |= {
        "operator": {"consumption_w": LIMIT_W, "failsafe_consumption_w": FAILSAFE_W, **operator}
    }
    return Field(content | {"grid_operator": box})


def told(field, *, limited, limit_w=LIMIT_W):
    field.plant.operator[Signal.CONSUMPTION_LIMITED] = limited
    field.plant.operator[Signal.CONSUMPTION_LIMIT_W] = limit_w


def operator_of(field):
    return field.simulation.state.modes.connection.consumption


def test_a_forced_charge_is_narrowed_within_a_second_and_goes_on_as_the_limit_ends():
    field = limited_site()
    field.ask(SlotMode.POWER, 5000.0, by=AskedBy.OPERATOR)
    field.run(10.0, load_w=800.0)
    assert field.seen[-1].battery_w == pytest.approx(FAILSAFE_W, abs=20.0), "before he is heard"
    field.run(80.0)
    assert field.seen[-1].battery_w == pytest.approx(5000.0, abs=20.0)
    told(field, limited=1.0)
    field.run(1.0)
    assert field.simulation.plant.units["battery"].inverter.setpoint_w == pytest.approx(LIMIT_W)
    field.run(300.0)
    for seen in field.last(290.0):
        assert seen.battery_w <= LIMIT_W + 20.0
    assert "grid_operator" in field.seen[-1].reason
    (found,) = field.simulation.record.assessment.findings
    assert found.text == "the grid operator limits the site: consumption up to 4200 W"
    told(field, limited=0.0)
    field.run(30.0)
    assert field.seen[-1].battery_w == pytest.approx(5000.0, abs=20.0)
    operator = operator_of(field)
    assert operator.limited_ns / 60e9 == pytest.approx(5.0, abs=1.6)
    assert operator.exceeded_ns / 1e9 <= 5.0


def test_one_who_falls_silent_leaves_the_failsafe_limit_and_has_to_come_back_with_a_limit():
    field = limited_site()
    field.ask(SlotMode.POWER, 5000.0, by=AskedBy.OPERATOR)
    field.run(100.0, load_w=800.0)
    assert operator_of(field).state == "unlimited_controlled"
    field.plant.operator_is_alive = False
    field.run(80.0)
    assert operator_of(field).state == "unlimited_controlled"
    field.run(75.0)
    assert operator_of(field).state == "failsafe"
    assert field.seen[-1].battery_w == pytest.approx(FAILSAFE_W, abs=20.0)
    field.plant.operator_is_alive = True
    told(field, limited=0.0)
    field.run(90.0)
    assert operator_of(field).state == "unlimited_controlled"


def test_production_too_and_the_sun_is_throttled():
    field = limited_site(production_w=1000.0)
    field.ask(SlotMode.POWER, -5000.0, by=AskedBy.OPERATOR)
    field.run(100.0, load_w=500.0)
    field.plant.operator[Signal.PRODUCTION_LIMITED] = 1.0
    field.plant.operator[Signal.PRODUCTION_LIMIT_W] = 1000.0
    field.run(20.0)
    assert field.seen[-1].grid_w == pytest.approx(-1000.0, abs=50.0)
    assert field.simulation.record.request.export_limit_w == 1000.0
