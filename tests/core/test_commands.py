"""Writes: which of them may be made however late."""

import pytest

from holdfast.core.commands import SAFE_ABOVE_ZERO, TIMERS, Point, Write
from holdfast.core.role import Role


@pytest.mark.parametrize("point", list(Point))
def test_what_takes_power_away_arms_a_timer_or_lets_pv_through_is_always_safe(point):
    armed = point in SAFE_ABOVE_ZERO
    for value, safe in ((0.0, not armed), (0.5, armed), (5.0, armed), (-5.0, False)):
        write = Write(unit="battery", role=Role.INVERTER, point=point, value=value)
        assert write.is_always_safe is safe


def test_the_timers_are_those_that_zero_switches_off():
    assert {Point.REVERT_TIMEOUT_S, Point.LOAD_REVERT_S} == TIMERS
    assert {Point.PV_ON} == SAFE_ABOVE_ZERO - TIMERS
