"""C5: nothing of the house's battery goes into the car, however its charging begins and ends."""

import pytest

from holdfast.core.asked_slot import AskedBy
from holdfast.core.slot_mode import SlotMode
from tests.field.scene import Field, house

CAR_W, HOUSE_W = 7400.0, 600.0
MOST_WH = 20.0
"""So much may go into the car in a session."""


def with_car():
    meter = {
        "profile": "generic_load_meter",
        "connection": {"kind": "modbus_tcp", "host": "192.0.2.9"},
    }
    return house(metered_loads=[{"name": "car", "meter": meter, "from_battery": False}])


def into_the_car_wh(field):
    """Energy that the battery gave beyond what the house took."""
    energy_wh, before_s = 0.0, field.seen[0].at_s
    for seen in field.seen[1:]:
        dt_s, before_s = seen.at_s - before_s, seen.at_s
        energy_wh += max(-seen.battery_w - HOUSE_W, 0.0) * dt_s / 3600.0
    return energy_wh


@pytest.mark.parametrize(
    ("mode", "power_w", "by"),
    [
        (None, 0.0, None),
        (SlotMode.SELF_CONSUMPTION, 0.0, AskedBy.PLAN),
        (SlotMode.POWER, -5000.0, AskedBy.PLAN),
        (SlotMode.COMMERCIAL, 0.0, AskedBy.SCHEDULE),
    ],
)
def test_the_battery_serves_the_house_alone(mode, power_w, by):
    field = Field(with_car(), battery=80.0)
    car = field.plant.metered_loads["car"]
    for _ in range(2):
        if mode is not None:
            field.ask(mode, power_w, by=by, import_max_w=9000.0, soc_target_pct=10.0)
        field.run(60.0, load_w=HOUSE_W)
        car.power_w, field.seen = CAR_W, []
        field.run(600.0)
        assert into_the_car_wh(field) <= MOST_WH
        if mode is None:
            assert field.seen[-1].battery_w == pytest.approx(-HOUSE_W, abs=50.0)
        car.power_w = 0.0
        field.run(60.0)


def test_a_car_that_cannot_be_seen_ends_the_discharge():
    field = Field(with_car(), battery=80.0)
    field.run(60.0, load_w=HOUSE_W)
    assert field.seen[-1].battery_w == pytest.approx(-HOUSE_W, abs=50.0)
    field.plant.metered_loads["car"].samples = lambda: iter(())
    field.run(20.0)
    assert field.seen[-1].battery_w == pytest.approx(0.0, abs=20.0)
    assert "kept_from_battery" in field.seen[-1].reason
