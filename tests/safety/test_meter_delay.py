"""How late a meter is shows in what the batteries' own steps do to it."""

import random

import pytest

from holdfast.core.units import NS_PER_S, ns_from_s
from holdfast.safety.meter_delay import (
    CANDIDATES_S,
    ENOUGH_W,
    ROUGHER,
    TELLS_W,
    UNKNOWN,
    DelayMemory,
    declared,
    learned,
)
from holdfast.safety.power_past import noted, power_at


def taught(delay_s, steps_w, *, load=lambda _: 800.0, every_s=0.1, apart_s=15.0):
    """What is learned while the battery goes through ``steps_w``, one each ``apart_s``."""
    past, memory, windows = (), DelayMemory(), []
    for tenth in range(round(apart_s * len(steps_w) * 10)):
        now_ns = tenth * NS_PER_S // 10
        past = noted(past, now_ns, steps_w[int(tenth / 10 / apart_s)])
        if tenth % round(every_s * 10) == 0:
            late_ns = now_ns - ns_from_s(delay_s)
            grid_w = load(late_ns / NS_PER_S) + power_at(past, late_ns)
            memory = learned(memory, past, now_ns, grid_w)
            windows.append(memory.window)
    return memory, windows


def test_before_anything_is_known_the_delay_may_be_anything():
    assert DelayMemory().window == UNKNOWN == (0, 10 * NS_PER_S)
    assert DelayMemory().roughness_w == (0.0,) * 16
    assert learned(DelayMemory(), ((0, 0.0),), 0, 500.0).window == UNKNOWN
    finer, coarser = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5), (2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0)
    assert (*finer, *coarser, 10.0) == CANDIDATES_S


def test_a_declared_delay_is_right_within_a_tenth_of_a_second():
    assert declared(1.0) == (900_000_000, 1_100_000_000)
    assert declared(0.1) == (0, 200_000_000)
    assert declared(0.04) == (0, 140_000_000)
    assert declared(1e-9) == (0, 100_000_001), "however short"
    assert declared(0.0) == (0, 0)


@pytest.mark.parametrize("delay_s", CANDIDATES_S)
def test_two_steps_tell_the_delay_to_the_next_candidate(delay_s):
    window = taught(delay_s, (0.0, 1000.0, -500.0))[0].window
    index = CANDIDATES_S.index(delay_s)
    before = CANDIDATES_S[max(index - 1, 0)]
    behind = CANDIDATES_S[min(index + 1, len(CANDIDATES_S) - 1)]
    assert ns_from_s(before) <= window[0] <= ns_from_s(delay_s) <= window[1] <= ns_from_s(behind)


def test_the_window_reaches_half_way_to_the_candidates_beside_it():
    assert taught(1.0, (0.0, 1000.0, 0.0))[0].window == (900_000_000, 1_125_000_000)
    assert taught(0.0, (0.0, 1000.0, 0.0))[0].window == (0, 100_000_000)
    assert taught(10.0, (0.0, 1000.0, 0.0))[0].window == (9_000_000_000, 10_000_000_000)


@pytest.mark.parametrize("delay_s", [0.0, 0.5, 1.0, 5.0])
def test_a_load_that_jumps_meanwhile_hides_nothing(delay_s):
    noise = random.Random(3)
    jumps = {second: noise.choice((0.0, 500.0, 2000.0)) for second in range(-20, 400)}
    steps = [noise.choice((0.0, 1500.0, -1500.0)) for _ in range(20)]
    memory, _ = taught(delay_s, steps, load=lambda time_s: jumps[int(time_s // 8)])
    assert memory.window[0] <= ns_from_s(delay_s) <= memory.window[1]
    assert memory.window[1] - memory.window[0] <= 3 * NS_PER_S


def test_a_battery_that_hardly_moves_tells_nothing():
    still = [0.0, TELLS_W - 1.0] * 30
    memory, windows = taught(1.0, still)
    assert set(windows) == {UNKNOWN}
    assert memory.roughness_w == DelayMemory().roughness_w
    assert taught(1.0, (0.0, TELLS_W))[0].roughness_w != memory.roughness_w
    assert TELLS_W == 50.0


def test_a_small_step_may_be_a_loads_and_excludes_nothing():
    # The first candidate is the rougher one here: it sees a step that the meter does not show.
    past = ((0, 0.0), (20 * NS_PER_S - 1, 0.0), (20 * NS_PER_S, 200.0))
    known = DelayMemory(rests_w=(300.0,) * len(CANDIDATES_S))
    assert learned(known, past, 20 * NS_PER_S, 300.0).window == UNKNOWN
    larger = ((0, 0.0), (20 * NS_PER_S - 1, 0.0), (20 * NS_PER_S, 200.1))
    assert learned(known, larger, 20 * NS_PER_S, 300.0).window == (100_000_000, 10 * NS_PER_S)
    assert ENOUGH_W == 200.0


def test_what_is_half_as_rough_again_as_the_smoothest_is_excluded():
    past = ((0, 0.0), (20 * NS_PER_S - 1, 0.0), (20 * NS_PER_S, 1000.0))
    for smooth_w, window in ((1999.0, (100_000_000, 10 * NS_PER_S)), (2001.0, UNKNOWN)):
        known = DelayMemory(
            rests_w=(300.0,) * len(CANDIDATES_S),
            roughness_w=(smooth_w * 1.1,) * len(CANDIDATES_S),
        )
        assert learned(known, past, 20 * NS_PER_S, 300.0).window == window
    assert ROUGHER == 1.5


def test_the_more_a_lesson_tells_the_less_of_those_before_it_leaves():
    past = ((0, 0.0), (20 * NS_PER_S - 1, 0.0), (20 * NS_PER_S, 100.0))
    known = DelayMemory(
        rests_w=(300.0,) * len(CANDIDATES_S), roughness_w=(100.6,) * len(CANDIDATES_S)
    )
    after = learned(known, past, 20 * NS_PER_S, 320.0)
    assert after.roughness_w == pytest.approx((180.0, *(120.0,) * 15))
    assert after.rests_w == (220.0, *(320.0,) * 15)


def test_a_meter_that_is_replaced_by_a_later_one_is_learned_anew():
    memory = taught(0.0, (0.0, 1000.0, 0.0))[0]
    past = ()
    for tenth in range(3000):
        now_ns = 100 * NS_PER_S + tenth * NS_PER_S // 10
        past = noted(past, now_ns, 1000.0 if tenth % 300 < 150 else 0.0)
        if tenth % 10 == 0:
            memory = learned(memory, past, now_ns, 800.0 + power_at(past, now_ns - 2 * NS_PER_S))
    assert memory.window[0] <= 2 * NS_PER_S <= memory.window[1]
    assert memory.window[1] - memory.window[0] <= 2 * NS_PER_S


@pytest.mark.parametrize("delay_s", CANDIDATES_S)
def test_a_meter_that_is_read_once_a_second_leaves_more_open_but_never_excludes_the_truth(delay_s):
    memory, windows = taught(delay_s, (0.0, 1000.0, -500.0, 800.0), every_s=1.0)
    assert all(least <= ns_from_s(delay_s) <= most for least, most in windows)
    assert memory.window[1] - memory.window[0] <= 4 * NS_PER_S
