"""Whose name an end keeps when two limits are the same."""

import math

import pytest

from holdfast.safety.envelope import Envelope, up_to


def envelope(min_w, max_w, by):
    return Envelope(min_w=min_w, max_w=max_w, min_by=by, max_by=by)


@pytest.mark.parametrize(
    ("other", "min_by", "max_by"),
    [
        ((-10.0, 20.0), "first", "first"),  # a tie on both sides
        ((-9.0, 20.0), "second", "first"),
        ((-10.0, 19.0), "first", "second"),
        ((-11.0, 21.0), "first", "first"),
    ],
)
def test_on_a_tie_an_end_keeps_the_name_that_it_had(other, min_by, max_by):
    both = envelope(-10.0, 20.0, "first").intersect(envelope(*other, "second"))
    assert (both.min_by, both.max_by) == (min_by, max_by)


@pytest.mark.parametrize(
    ("power_w", "clamped"),
    [
        (math.nan, 0.0), (math.inf, 20.0), (-math.inf, -10.0), (0.0, 0.0), (0.5, 0.5),
        (-0.5, -0.5), (20.0, 20.0), (20.5, 20.0), (-10.0, -10.0), (-10.5, -10.0),
    ],
)  # fmt: skip
def test_clamp_gives_the_nearest_power_inside_and_zero_for_what_is_no_number(power_w, clamped):
    assert envelope(-10.0, 20.0, "x").clamp(power_w) == clamped


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, -5e-324, -1.0])
def test_a_magnitude_that_cannot_be_one_permits_nothing_in_its_direction(bad):
    made = up_to(charge_w=bad, discharge_w=7.0, by="bms")
    assert (made.min_w, made.max_w) == (-7.0, 0.0)
    made = up_to(charge_w=7.0, discharge_w=bad, by="bms")
    assert (made.min_w, made.max_w) == (0.0, 7.0)


def test_no_end_of_an_envelope_is_a_negative_zero():
    made = up_to(charge_w=0.0, discharge_w=0.0, by="bms")
    assert math.copysign(1.0, made.min_w) == math.copysign(1.0, made.max_w) == 1.0
