"""The ramp: away from zero slowly, towards zero at once, and always inside the permit."""

import math

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from holdfast.control.storage.power_ramper import MAX_STEP_S, PowerRamper
from tests.builders import UNIT, build_site, permit_of, unit_content

RATE = 2000.0
RAMPER = PowerRamper(build_site(unit_content(operation={"ramp_w_per_s": RATE})))
ROOM = st.floats(0.0, 1e6)
PERMITS = st.builds(
    lambda low, high, up: permit_of(-low, high, may_increase=up), ROOM, ROOM, st.booleans()
)
ANY = st.floats()
"""NaN and both infinities included."""
LAST = st.floats(-1e6, 1e6)


def power(last_w, asked_w, permit, dt_s):
    return RAMPER.approach(last_w, asked_w, permit, dt_s).power_w


def largest_step_w(dt_s):
    """What the ramp may move away from zero in this time. NaN is no time at all."""
    return RATE * min(dt_s, MAX_STEP_S) if dt_s > 0.0 else 0.0


def close(watts):
    return 1e-9 * max(1.0, abs(watts))


@given(ANY, ANY, PERMITS, ANY)
def test_the_result_is_always_inside_the_permit(last_w, asked_w, permit, dt_s):
    setpoint = RAMPER.approach(last_w, asked_w, permit, dt_s)
    assert permit.envelope.contains(setpoint.power_w)
    assert permit.envelope.contains(setpoint.permitted_w)
    assert setpoint.unit == UNIT


@given(LAST, ANY, PERMITS, ANY)
@example(0.0, 5000.0, permit_of(), math.nan)
@example(0.0, -5000.0, permit_of(), -1.0)
def test_a_step_away_from_zero_is_no_larger_than_the_rate_allows(last_w, asked_w, permit, dt_s):
    power_w = power(last_w, asked_w, permit, dt_s)
    before_w = abs(last_w) if last_w * power_w > 0.0 else 0.0
    assert abs(power_w) - before_w <= largest_step_w(dt_s) + close(last_w)


@given(ANY, ANY, PERMITS, ANY)
def test_from_any_last_value_the_result_never_exceeds_what_is_asked(last_w, asked_w, permit, dt_s):
    power_w = power(last_w, asked_w, permit, dt_s)
    if math.isnan(asked_w) or asked_w == 0.0:
        assert power_w == 0.0
    elif asked_w > 0.0:
        assert 0.0 <= power_w <= asked_w
    else:
        assert asked_w <= power_w <= 0.0


@given(LAST, st.floats(0.0, 1.0), PERMITS, ANY)
def test_towards_zero_it_goes_at_once(last_w, share, permit, dt_s):
    asked_w = last_w * share
    wanted_w = permit.envelope.clamp(asked_w)
    assert power(last_w, asked_w, permit, dt_s) == pytest.approx(wanted_w, rel=0, abs=1e-9)


@given(LAST, ANY, PERMITS, ANY)
def test_it_never_crosses_zero_with_a_jump(last_w, asked_w, permit, dt_s):
    power_w = power(last_w, asked_w, permit, dt_s)
    if last_w * power_w < 0.0:
        assert abs(power_w) <= largest_step_w(dt_s)


@given(LAST, ANY, ROOM, ROOM, ANY)
def test_what_may_not_increase_never_moves_away_from_zero(last_w, asked_w, low, high, dt_s):
    permit = permit_of(-low, high, may_increase=False)
    power_w = power(last_w, asked_w, permit, dt_s)
    assert abs(power_w) <= abs(last_w)
    assert power_w * last_w >= 0.0


@given(LAST, ANY, PERMITS, st.floats(-1e9, 0.0))
def test_no_time_and_time_backwards_allow_no_move_away_from_zero(last_w, asked_w, permit, dt_s):
    power_w = power(last_w, asked_w, permit, dt_s)
    assert abs(power_w) <= abs(last_w)


@given(LAST, PERMITS, st.floats(MAX_STEP_S, 1e12))
def test_a_late_cycle_moves_no_further_than_one_of_a_second(last_w, permit, dt_s):
    assert power(last_w, 1e6, permit, dt_s) == power(last_w, 1e6, permit, MAX_STEP_S)


@pytest.mark.parametrize("asked_w", [5000.0, -5000.0, math.inf, -math.inf])
def test_a_time_that_is_no_number_allows_no_step(asked_w):
    assert power(0.0, asked_w, permit_of(), math.nan) == 0.0


@given(ANY)
def test_a_last_value_that_is_no_number_starts_from_zero(asked_w):
    assert abs(power(math.nan, asked_w, permit_of(), 0.1)) <= RATE * 0.1


@given(st.floats(1.0, 5000.0), st.sampled_from([1.0, -1.0]))
def test_it_arrives_after_the_time_that_the_rate_says_and_stays(target_w, sign):
    wanted_w, last_w, steps = sign * target_w, 0.0, math.ceil(target_w / (RATE * 0.02))
    assume(steps > 1)
    for step in range(steps):
        assert last_w != wanted_w, f"already there after {step} of {steps} steps"
        last_w = power(last_w, wanted_w, permit_of(), 0.02)
    assert last_w == pytest.approx(wanted_w, abs=1e-6)
    assert power(last_w, wanted_w, permit_of(), 0.02) == wanted_w


def test_a_collapsed_envelope_takes_the_setpoint_with_it_in_the_same_step():
    assert power(5000.0, 5000.0, permit_of(0.0, 0.0), 0.02) == 0.0
    assert power(5000.0, 5000.0, permit_of(0.0, 1200.0), 0.02) == 1200.0


def test_it_tells_what_was_asked_what_is_permitted_and_what_was_reached():
    setpoint = RAMPER.approach(0.0, 9000.0, permit_of(-1.0, 3000.0), 0.5)
    assert (setpoint.asked_w, setpoint.permitted_w, setpoint.power_w) == (9000.0, 3000.0, 1000.0)


FAST_RAMPER = PowerRamper(build_site(unit_content(operation={"ramp_w_per_s": 2000})))


def test_a_late_cycle_counts_for_a_second_at_most():
    assert MAX_STEP_S == 1.0
    assert FAST_RAMPER.approach(0.0, 5000.0, permit_of(), 3600.0).power_w == 2000.0


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_less_than_a_watt_is_approached_from_its_own_side(sign):
    setpoint = FAST_RAMPER.approach(0.0, sign * 0.5, permit_of(), 0.0001)
    assert setpoint.power_w == pytest.approx(sign * 0.2)
    setpoint = FAST_RAMPER.approach(sign * 0.2, sign * 0.5, permit_of(), 0.0001)
    assert setpoint.power_w == pytest.approx(sign * 0.4)


@pytest.mark.parametrize(("dt_s", "goes_to_w"), [(0.02, 5000.0), (0.0, 0.0), (-0.5, 0.0)])
def test_what_is_urgent_goes_in_one_step_but_not_in_no_time(dt_s, goes_to_w):
    setpoint = RAMPER.approach(0.0, 5000.0, permit_of(-9e3, 9e3), dt_s, urgent=True)
    assert setpoint.power_w == goes_to_w
