"""A PID controller that does not wind up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.control.regulation.pid_basic import PidGains, PidMemory, pid

GAINS = PidGains(proportional=0.5, integral_per_s=0.1, derivative_s=0.0, dead_band=5.0, limit=100.0)


def test_an_error_acts_at_once_and_the_longer_it_lasts_the_more():
    output, memory = pid(GAINS, PidMemory(), error=100.0, measured=0.0, dt_s=1.0)
    assert output == pytest.approx(60.0)
    output, _ = pid(GAINS, memory, error=100.0, measured=0.0, dt_s=1.0)
    assert output == pytest.approx(70.0)


@pytest.mark.parametrize("error", [5.0, -5.0, 0.0])
def test_within_the_dead_band_nothing_is_wrong(error):
    before = PidMemory(integral=20.0, measured=3.0)
    assert pid(GAINS, before, error=error, measured=9.0, dt_s=1.0) == (
        20.0,
        PidMemory(integral=20.0, measured=9.0),
    )
    assert pid(GAINS, before, error=5.1, measured=3.0, dt_s=1.0)[0] > 20.0


def test_what_holds_keeps_the_integral():
    before = PidMemory(integral=20.0)
    after = pid(GAINS, before, error=100.0, measured=0.0, dt_s=1.0, holds=True)[1]
    assert after.integral == 20.0


def test_after_a_long_time_at_the_limit_it_comes_back_at_once():
    memory = PidMemory()
    for _ in range(1000):
        output, memory = pid(GAINS, memory, error=500.0, measured=0.0, dt_s=1.0)
        assert output == 100.0
    output, memory = pid(GAINS, memory, error=-100.0, measured=0.0, dt_s=1.0)
    assert output == pytest.approx(40.0)


def test_what_is_measured_brakes_and_a_new_target_is_no_blow():
    gains = PidGains(
        proportional=0.0, integral_per_s=0.0, derivative_s=2.0, dead_band=0.0, limit=100.0
    )
    moving, _ = pid(gains, PidMemory(measured=0.0), error=50.0, measured=10.0, dt_s=1.0)
    assert moving == -20.0
    still, _ = pid(gains, PidMemory(measured=10.0), error=500.0, measured=10.0, dt_s=1.0)
    assert still == 0.0
    for memory, dt_s in ((PidMemory(), 1.0), (PidMemory(measured=0.0), 0.0)):
        assert pid(gains, memory, error=50.0, measured=10.0, dt_s=dt_s)[0] == 0.0


@given(
    st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.floats(0.0, 10.0))),
)
def test_whatever_comes_the_output_keeps_its_limit(steps):
    memory = PidMemory()
    for error, measured, dt_s in steps:
        output, memory = pid(GAINS, memory, error=error, measured=measured, dt_s=dt_s)
        assert abs(output) <= GAINS.limit
        assert abs(memory.integral) <= GAINS.limit
