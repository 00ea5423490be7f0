"""C2: hold means "no discharge except what the meter may not import"."""

import pytest

from holdfast.core.asked_slot import AskedBy
from holdfast.core.slot_mode import SlotMode
from tests.field.scene import Field, house

CAP_W, LOAD_W = 3000.0, 5000.0


@pytest.mark.parametrize("by", [AskedBy.OPERATOR, AskedBy.RULE, AskedBy.SCHEDULE, AskedBy.PLAN])
@pytest.mark.parametrize("how", ["site", "slot"])
def test_a_hold_gives_what_the_meter_may_not_import_within_three_seconds(by, how):
    modes, terms = ({"import_max_w": CAP_W}, {}) if how == "site" else ({}, {"import_max_w": CAP_W})
    field = Field(house(modes=modes), step_s=0.1)
    field.ask(SlotMode.HOLD, by=by, **terms)
    field.run(30.0, load_w=1000.0)
    assert field.seen[-1].battery_w == pytest.approx(0.0, abs=5.0)
    field.run(3.0, load_w=LOAD_W)
    assert field.seen[-1].battery_w == pytest.approx(CAP_W - LOAD_W, abs=100.0)
    field.run(60.0)
    for seen in field.last(55.0):
        assert seen.grid_w <= CAP_W + 100.0
    assert f"{by} asks" in field.seen[-1].reason
    assert "import_max" in field.seen[-1].reason


@pytest.mark.parametrize(("mode", "power_w"), [(SlotMode.POWER, 4000.0), (SlotMode.PASSIVE, 0.0)])
def test_a_forced_charge_and_a_rest_keep_the_cap_too(mode, power_w):
    field = Field(house(modes={"import_max_w": CAP_W}), step_s=0.1)
    field.ask(mode, power_w, by=AskedBy.OPERATOR)
    field.run(30.0, load_w=1000.0)
    field.run(5.0, load_w=LOAD_W)
    field.run(30.0)
    assert max(seen.grid_w for seen in field.last(30.0)) <= CAP_W + 100.0
