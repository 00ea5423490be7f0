"""A load is followed at once; a loop that answers to itself is calmed."""

from itertools import pairwise

import pytest

from holdfast.control.regulation.following import LEAST_GAIN, Following, FollowMemory
from holdfast.core.units import ns_from_s

FOLLOWING = Following(dead_band_w=5.0, turn_w=50.0)


def followed(wishes, *, apart_s=1.0, loop_s=2.0, urgent=False, memory=FollowMemory(), start_s=0.0):  # noqa: B008
    """What is taken of ``wishes``, one after the other."""
    taken, now_s = [], start_s
    for wish_w in wishes:
        now_s += apart_s
        memory = FOLLOWING.follow(
            wish_w, memory, now_ns=ns_from_s(now_s), dt_s=apart_s, loop_s=loop_s, urgent=urgent
        )
        taken.append(memory.taken_w)
    return taken, memory


def test_a_load_that_steps_is_followed_at_once_whatever_its_size():
    assert followed([100.0, 3000.0, -4000.0])[0] == [100.0, 3000.0, -4000.0]


def test_what_moves_by_less_than_the_dead_band_is_not_followed():
    assert followed([100.0, 105.0, 95.0, 106.0])[0] == [100.0, 100.0, 100.0, 106.0]


def test_a_wish_that_turns_faster_than_the_loop_is_followed_by_half_as_much_each_time():
    taken, memory = followed([1000.0, 0.0, 1000.0, 0.0, 1000.0, 0.0])
    assert taken[:2] == [1000.0, 0.0]
    swings = [abs(now - before) for before, now in pairwise(taken[1:])]
    assert swings == sorted(swings, reverse=True)
    assert swings[-1] < 100.0
    assert memory.gain < 0.2


def test_large_steps_that_alternate_are_a_loop_as_well():
    taken, _ = followed([4000.0, -4000.0] * 10)
    assert abs(taken[-1] - taken[-2]) < 600.0


def test_a_washing_machine_turns_slower_than_the_loop_and_is_followed_whole():
    taken, memory = followed([-450.0, -570.0] * 20, apart_s=8.0, loop_s=4.0)
    assert taken == [-450.0, -570.0] * 20
    assert memory.gain == 1.0


def test_the_first_step_after_a_time_without_turns_is_as_fast_as_ever():
    _, memory = followed([1000.0, 0.0] * 8)
    assert memory.gain == pytest.approx(LEAST_GAIN, rel=0.2)
    _, memory = followed([0.0] * 120, memory=memory, start_s=16.0)
    assert memory.gain == 1.0
    assert followed([2000.0], memory=memory, start_s=136.0)[0] == [2000.0]


def test_what_is_urgent_is_taken_whole():
    _, memory = followed([1000.0, 0.0] * 8)
    assert followed([-3000.0], memory=memory, urgent=True)[0] == [-3000.0]
    assert followed([101.0], memory=FollowMemory(taken_w=100.0), urgent=True)[0] == [101.0]


def test_the_gain_is_never_below_its_least():
    _, memory = followed([1000.0, 0.0] * 100)
    assert memory.gain >= LEAST_GAIN


def test_an_echo_that_is_small_beside_its_step_is_followed_whole():
    echoes = [3000.0, 2000.0, 2800.0, 2200.0, 2600.0]
    taken, memory = followed(echoes, apart_s=0.5)
    assert taken == echoes
    assert memory.gain == 1.0


def test_a_swing_that_stays_after_a_large_step_is_a_loop_as_well():
    _, memory = followed([4000.0, *[3700.0, 4300.0] * 20])
    assert memory.gain < 0.2
