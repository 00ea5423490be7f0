"""The envelope: always around zero, only ever narrower."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.safety.envelope import Envelope, up_to, zero

ENDS = st.floats(min_value=0.0, max_value=1e9)
ENVELOPES = st.builds(
    lambda low, high, names: Envelope(min_w=-low, max_w=high, min_by=names[0], max_by=names[1]),
    ENDS,
    ENDS,
    st.tuples(st.sampled_from("abc"), st.sampled_from("xyz")),
)


def values(envelope: Envelope) -> tuple[float, float]:
    return envelope.min_w, envelope.max_w


@given(st.floats(), st.floats())
def test_only_finite_intervals_around_zero_can_be_made(low, high):
    around_zero = math.isfinite(low) and math.isfinite(high) and low <= 0.0 <= high
    if around_zero:
        assert values(Envelope(min_w=low, max_w=high, min_by="a", max_by="b")) == (low, high)
    else:
        with pytest.raises(ValueError, match="not an envelope around zero"):
            Envelope(min_w=low, max_w=high, min_by="a", max_by="b")


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_neither_end_may_be_infinite_or_no_number(bad):
    for low, high in ((bad, 1.0), (-1.0, bad), (bad, bad)):
        with pytest.raises(ValueError, match="not an envelope"):
            Envelope(min_w=low, max_w=high, min_by="a", max_by="b")


@given(ENVELOPES, ENVELOPES)
def test_what_both_permit_does_not_depend_on_the_order(a, b):
    assert values(a.intersect(b)) == values(b.intersect(a))


@given(ENVELOPES, ENVELOPES, ENVELOPES)
def test_what_three_permit_does_not_depend_on_the_grouping(a, b, c):
    assert values(a.intersect(b).intersect(c)) == values(a.intersect(b.intersect(c)))


@given(ENVELOPES, ENVELOPES)
def test_an_intersection_is_the_tighter_end_on_each_side_and_says_whose(a, b):
    both = a.intersect(b)
    assert values(both) == (max(a.min_w, b.min_w), min(a.max_w, b.max_w))
    assert both.min_by == (b.min_by if b.min_w > a.min_w else a.min_by)
    assert both.max_by == (b.max_by if b.max_w < a.max_w else a.max_by)
    assert both.contains(0.0)


@given(ENVELOPES)
def test_an_envelope_with_itself_is_itself(a):
    assert a.intersect(a) == a


@given(ENVELOPES, ENVELOPES, st.floats())
def test_an_intersection_permits_exactly_what_both_permit(a, b, power_w):
    assert a.intersect(b).contains(power_w) == (a.contains(power_w) and b.contains(power_w))


@given(ENVELOPES, st.floats())
def test_clamp_gives_the_nearest_power_inside_and_zero_for_no_number(a, power_w):
    clamped = a.clamp(power_w)
    assert a.contains(clamped)
    if math.isnan(power_w):
        assert clamped == 0.0
    else:
        assert clamped == sorted((a.min_w, power_w, a.max_w))[1]


@given(ENVELOPES)
def test_what_is_no_number_is_never_inside(a):
    assert not a.contains(math.nan)
    assert not a.contains(math.inf)
    assert not a.contains(-math.inf)


@given(ENVELOPES)
def test_the_ends_are_inside_and_what_lies_just_beyond_is_not(a):
    assert a.contains(a.min_w)
    assert a.contains(a.max_w)
    assert not a.contains(math.nextafter(a.min_w, -math.inf))
    assert not a.contains(math.nextafter(a.max_w, math.inf))


@given(st.floats(), st.floats())
def test_a_magnitude_that_is_no_number_from_zero_up_permits_nothing(charge_w, discharge_w):
    envelope = up_to(charge_w=charge_w, discharge_w=discharge_w, by="bms")
    assert envelope.max_w == (charge_w if 0.0 <= charge_w < math.inf else 0.0)
    assert -envelope.min_w == (discharge_w if 0.0 <= discharge_w < math.inf else 0.0)
    assert (envelope.min_by, envelope.max_by) == ("bms", "bms")


def test_zero_permits_zero_and_nothing_else():
    assert zero("x").contains(0.0)
    assert not zero("x").contains(5e-324)
    assert not zero("x").contains(-5e-324)


@given(ENVELOPES, ENVELOPES)
def test_for_charging_alone_the_end_for_discharge_stays_as_it_is(one, other):
    both, narrowed = one.intersect(other), one.intersect_charge(other)
    assert (narrowed.min_w, narrowed.min_by) == (one.min_w, one.min_by)
    assert (narrowed.max_w, narrowed.max_by) == (both.max_w, both.max_by)


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
