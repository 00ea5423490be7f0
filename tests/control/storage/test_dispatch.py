"""Dispatch: the units share what is asked; none charges another."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.control.storage.dispatch import divide
from tests.builders import permit_of

ROOM = st.floats(0.0, 1e6)
PERMITS = st.dictionaries(
    st.sampled_from("abcd"),
    st.builds(lambda low, high: permit_of(-low, high), ROOM, ROOM),
    min_size=1,
)


def headroom(permits, power_w):
    return {
        unit: permit.envelope.max_w if power_w > 0 else -permit.envelope.min_w
        for unit, permit in permits.items()
    }


@given(st.floats(), PERMITS)
def test_signs_never_mix_and_no_unit_gets_more_than_its_headroom(power_w, permits):
    shares = divide(power_w, permits)
    assert shares.keys() == permits.keys()
    room = headroom(permits, power_w)
    for unit, share_w in shares.items():
        if math.isnan(power_w):
            assert share_w == 0.0
        else:
            assert share_w * power_w >= 0.0 or share_w == 0.0
            assert abs(share_w) <= room[unit]
            assert permits[unit].envelope.contains(share_w)


@given(st.floats(-1e7, 1e7), PERMITS)
def test_all_shares_together_are_what_was_asked_as_far_as_there_is_room(power_w, permits):
    total_w = sum(divide(power_w, permits).values())
    room_w = sum(headroom(permits, power_w).values())
    wanted_w = math.copysign(min(abs(power_w), room_w), power_w)
    assert total_w == pytest.approx(wanted_w, abs=1e-6)


@pytest.mark.parametrize(("power_w", "shares"), [
    (2000.0, {"a": 500.0, "b": 1500.0}),
    (9000.0, {"a": 1000.0, "b": 3000.0}),
    (math.inf, {"a": 1000.0, "b": 3000.0}),
    (-1000.0, {"a": -1000.0, "b": 0.0}),
    (0.0, {"a": 0.0, "b": 0.0}),
    (math.nan, {"a": 0.0, "b": 0.0}),
])  # fmt: skip
def test_shares_are_in_proportion_to_the_headroom(power_w, shares):
    permits = {"a": permit_of(-2000.0, 1000.0), "b": permit_of(0.0, 3000.0)}
    assert divide(power_w, permits) == shares


def test_without_any_headroom_nobody_is_asked_for_anything():
    permits = {"a": permit_of(0.0, 0.0), "b": permit_of(0.0, 0.0)}
    assert divide(500.0, permits) == {"a": 0.0, "b": 0.0}
    assert divide(-500.0, permits) == {"a": 0.0, "b": 0.0}


NARROW_PERMITS = {"a": permit_of(-2000.0, 1000.0), "b": permit_of(0.0, 3000.0)}


@pytest.mark.parametrize(
    ("power_w", "shares"),
    [
        (0.5, {"a": 0.125, "b": 0.375}),
        (5e-324, {"a": 0.0, "b": 0.0}),
        (-0.5, {"a": -0.5, "b": 0.0}),
        (-2000.0, {"a": -2000.0, "b": 0.0}),
        (-2000.1, {"a": -2000.0, "b": 0.0}),
        (-math.inf, {"a": -2000.0, "b": 0.0}),
    ],
)
def test_a_power_of_less_than_a_watt_goes_the_way_it_is_asked(power_w, shares):
    assert divide(power_w, NARROW_PERMITS) == pytest.approx(shares)


@pytest.mark.parametrize("power_w", [0.0, -0.0, math.nan])
def test_nothing_asked_is_a_clean_zero_for_everybody(power_w):
    for share_w in divide(power_w, NARROW_PERMITS).values():
        assert math.copysign(1.0, share_w) == 1.0
        assert share_w == 0.0


def test_headroom_of_less_than_a_watt_in_all_is_headroom():
    shares = divide(5.0, {"left": permit_of(-0.2, 0.2), "right": permit_of(-0.3, 0.3)})
    assert shares == {"left": pytest.approx(0.2), "right": pytest.approx(0.3)}
