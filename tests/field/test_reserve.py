"""C9: whatever asks for it, the reserve is not discharged while the grid is there."""

import pytest

from holdfast.core.asked_slot import AskedBy
from holdfast.core.slot_mode import SlotMode
from tests.field.scene import Field, house

RESERVE_PCT = 20.0
LEAST_PCT = RESERVE_PCT - 0.5


def with_reserve():
    content = house()
    (unit,) = content["storage"]
    return content | {
        "storage": [unit | {"operation": {"backup_reserve_pct": RESERVE_PCT, "soc_min_pct": 5}}]
    }


@pytest.mark.parametrize("soc_pct", [20.4, 19.0])
@pytest.mark.parametrize(
    ("mode", "power_w", "terms"),
    [
        (None, 0.0, {}),
        (SlotMode.POWER, -5000.0, {}),
        (SlotMode.SOC, 0.0, {"soc_target_pct": 0.0}),
        (SlotMode.SELF_CONSUMPTION, 0.0, {"grid_target_w": -4000.0}),
        (SlotMode.COMMERCIAL, 0.0, {"import_max_w": 500.0, "soc_target_pct": 0.0}),
        (SlotMode.HOLD, 0.0, {"import_max_w": 500.0}),
        (SlotMode.POWER, -5000.0, {"reserve_pct": 0.0}),
    ],
)
@pytest.mark.parametrize("by", [AskedBy.OPERATOR, AskedBy.PLAN])
def test_nobody_discharges_below_the_reserve(mode, power_w, terms, by, soc_pct):
    field = Field(with_reserve(), battery=soc_pct)
    if mode is not None:
        field.ask(mode, power_w, by=by, **terms)
    least_pct = soc_pct
    for _ in range(6):
        field.run(120.0, load_w=3000.0)
        least_pct = min(least_pct, field.soc_pct())
    assert least_pct >= min(LEAST_PCT, soc_pct - 0.2)
    assert abs(field.seen[-1].battery_w) < 30.0
