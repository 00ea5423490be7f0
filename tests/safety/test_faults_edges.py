"""Levels and reactions are numbers: they are compared, recorded and shown."""

import pytest

from holdfast.safety.envelope import up_to
from holdfast.safety.finding import RAMP_TO_ZERO_NS, Finding, Level, Reaction
from tests.builders import T0


def test_levels_count_from_nothing_upwards():
    assert {level.name: level.value for level in Level} == {
        "NORMAL": 0, "WARNING": 1, "ALARM": 2, "TRIP": 3,
    }  # fmt: skip
    assert not Level.NORMAL


def test_reactions_count_in_the_order_of_their_strength():
    assert [reaction.value for reaction in Reaction] == [1, 2, 3, 4, 5, 6, 7, 8]


@pytest.mark.parametrize(
    ("reaction", "low_w", "high_w", "low_by", "high_by"),
    [
        (Reaction.LOG, -800.0, 500.0, "before", "before"),
        (Reaction.HOLD, -800.0, 500.0, "before", "before"),
        (Reaction.DERATE, -400.0, 250.0, "row", "row"),
        (Reaction.BLOCK_CHARGE, -800.0, 0.0, "before", "row"),
        (Reaction.BLOCK_DISCHARGE, 0.0, 500.0, "row", "before"),
        (Reaction.RAMP_TO_ZERO, -600.0, 375.0, "row", "row"),
        (Reaction.TRIP, 0.0, 0.0, "row", "row"),
        (Reaction.EMERGENCY_STOP, 0.0, 0.0, "row", "row"),
    ],
)
def test_each_reaction_narrows_its_own_end_and_names_itself_there(
    reaction, low_w, high_w, low_by, high_by
):
    found = Finding(
        owner="battery", row="row", level=Level.ALARM, reaction=reaction, since_ns=T0, text=""
    )
    before = up_to(charge_w=500.0, discharge_w=800.0, by="before")
    left = found.narrow(before, T0 + RAMP_TO_ZERO_NS // 4)
    assert (left.min_w, left.max_w) == (low_w, high_w)
    assert (left.min_by, left.max_by) == (low_by, high_by)
