"""What a device keeps of a value, by the step of its table."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.device_mode import PLANNED
from holdfast.devices.point_traits import NO_TRAITS, PLAIN, PointTraits


def test_nothing_is_said_of_a_point_by_default():
    assert (PLAIN.step, PLAIN.settle_ns, PLAIN.writes_per_day) == (0.0, 0, None)
    assert (PLAIN.whole_w, PLAIN.refresh_ns, PLAIN.follows_pv) == (None, None, False)
    assert PLAIN.modes == set(PLANNED)
    assert NO_TRAITS == {}


@pytest.mark.parametrize(
    ("power_w", "kept_w"),
    [
        (4000.0, 4000.0),
        (3999.9, 0.0),
        (9e9, 4000.0),
        (-4999.9, 0.0),
        (-5000.0, -5000.0),
        (0.0, 0.0),
    ],
)
def test_what_does_all_or_nothing_keeps_the_whole_of_a_direction_or_0_w(power_w, kept_w):
    assert PointTraits(whole_w=(4000.0, 5000.0), step=4000.0).kept(power_w) == kept_w
    assert PointTraits(whole_w=(4000.0, 5000.0)).kept(power_w) == kept_w
    assert math.isnan(PointTraits(whole_w=(4000.0, 5000.0)).kept(math.nan))


@given(
    st.floats(-1e6, 1e6), st.sampled_from([0.1, 1.0, 3.0, 10.0, 50.0, 100.0]), st.booleans()
)  # fmt: skip
def test_what_a_device_keeps_of_a_value_is_no_more_and_less_than_a_step_less(value, step, whole):
    value = round(value / step) * step if whole else value
    kept = PointTraits(step=step).kept(value)
    assert kept / step == pytest.approx(round(kept / step))
    assert abs(kept) <= abs(value) * (1 + 1e-9)
    assert kept * value >= 0.0
    assert abs(value - kept) <= (1e-6 if whole else step * (1 + 1e-9))


def test_without_a_step_a_value_is_kept_as_it_is():
    assert PointTraits().kept(1234.56) == 1234.56
    assert math.isnan(PointTraits(step=50.0).kept(math.nan))
    assert PointTraits(step=50.0).kept(math.inf) == math.inf
    assert PointTraits(step=0.1).kept(0.3) == pytest.approx(0.3)
