"""Dispatch of small powers and of none."""

import math

import pytest

from holdfast.control.dispatch import divide
from tests.builders import permit_of

PERMITS = {"a": permit_of(-2000.0, 1000.0), "b": permit_of(0.0, 3000.0)}


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
    assert divide(power_w, PERMITS) == pytest.approx(shares)


@pytest.mark.parametrize("power_w", [0.0, -0.0, math.nan])
def test_nothing_asked_is_a_clean_zero_for_everybody(power_w):
    for share_w in divide(power_w, PERMITS).values():
        assert math.copysign(1.0, share_w) == 1.0
        assert share_w == 0.0
