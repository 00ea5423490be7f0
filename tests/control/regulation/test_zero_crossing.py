"""Directions change through 0 W, and never in a hurry for little."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.control.regulation.zero_crossing import ZeroCrossing, ZeroMemory

CROSSING = ZeroCrossing(rated_w=5000.0, min_power_w=100.0)
DT_S = 0.1


def crossed(power_w, seconds, memory=ZeroMemory(), *, urgent=False):  # noqa: B008
    """What is asked in each step of ``seconds``."""
    asked = []
    for _ in range(round(seconds / DT_S)):
        asked_w, memory = CROSSING.cross(power_w, memory, dt_s=DT_S, urgent=urgent)
        asked.append(asked_w)
    return asked, memory


DISCHARGING = ZeroMemory(way=-1.0)


def zeros(asked):
    """The seconds at 0 W before something is asked."""
    return sum(asked_w == 0.0 for asked_w in asked) * DT_S


@pytest.mark.parametrize(
    ("power_w", "seconds"), [(4000.0, 1.0), (1600.0, 2.5), (400.0, 10.0), (100.0, 40.0)]
)
def test_a_large_surplus_waits_briefly_and_a_small_one_long(power_w, seconds):
    asked, memory = crossed(power_w, 45.0, DISCHARGING)
    assert zeros(asked) == pytest.approx(seconds, abs=2 * DT_S)
    assert asked[-1] == power_w
    assert memory == ZeroMemory(way=1.0)


def test_the_first_direction_and_the_way_back_to_it_need_no_waiting():
    assert crossed(-3000.0, 0.1)[0] == [-3000.0]
    _, memory = crossed(3000.0, 0.5, DISCHARGING)
    assert crossed(-200.0, 0.1, memory) == ([-200.0], ZeroMemory(way=-1.0))


def test_what_is_missed_in_one_go_does_not_count_for_the_next():
    memory = DISCHARGING
    for _ in range(20):  # half a second of surplus and a second of load
        asked, memory = crossed(3000.0, 0.5, memory)
        assert set(asked) == {0.0}
        _, memory = crossed(-500.0, 1.0, memory)


def test_a_limit_at_the_meter_does_not_wait():
    assert crossed(3000.0, 0.1, DISCHARGING, urgent=True)[0] == [3000.0]


def test_below_the_devices_minimum_nothing_is_asked_and_nothing_is_raised_to_it():
    assert crossed(99.9, 0.1)[0] == [0.0]
    assert crossed(-99.9, 0.1, urgent=True)[0] == [0.0]
    assert crossed(100.0, 0.1)[0] == [100.0]
    assert crossed(float("nan"), 0.1)[0] == [0.0]


def test_time_at_0_w_counts_as_waiting_but_as_nothing_missed():
    _, memory = crossed(0.0, 5.0, DISCHARGING)
    assert memory.missed_ws == 0.0
    asked, _ = crossed(4000.0, 2.0, memory)
    assert zeros(asked) == pytest.approx(0.9, abs=DT_S)


@given(st.lists(st.floats(-6000.0, 6000.0), max_size=60), st.floats(0.01, 5.0))
def test_it_asks_for_the_wish_or_for_nothing_and_never_turns_without_0_w(wishes, dt_s):
    memory, last_w = ZeroMemory(), 0.0
    for wish_w in wishes:
        asked_w, memory = CROSSING.cross(wish_w, memory, dt_s=dt_s)
        assert asked_w in (wish_w, 0.0)
        if asked_w * last_w < 0.0:
            assert dt_s >= 1.0
            assert abs(wish_w) * dt_s >= 4000.0
        last_w = asked_w


def test_after_a_power_that_was_asked_for_it_dwells_for_the_least_time_only():
    passed = CROSSING.passed(1500.0, ZeroMemory(way=-1.0, waited_s=5.0))
    asked, memory = crossed(-600.0, 5.0, passed)
    assert zeros(asked) == pytest.approx(1.0, abs=2 * DT_S)
    assert memory == ZeroMemory(way=-1.0)
    assert crossed(600.0, 0.1, passed)[0] == [600.0]


def test_after_a_rest_the_way_before_it_counts():
    passed = CROSSING.passed(0.0, ZeroMemory(way=-1.0))
    assert crossed(-600.0, 0.1, passed)[0] == [-600.0]
    assert crossed(600.0, 0.1, passed)[0] == [0.0]
