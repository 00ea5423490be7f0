"""A limit that falls acts at once; one that rises is followed slowly."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.safety.envelope import Envelope, up_to
from holdfast.safety.rising import RISE_PER_S, follow

NAMEPLATE = up_to(charge_w=5000.0, discharge_w=5000.0, by="site.yaml")
POWERS = st.floats(0.0, 1e5)
ENVELOPES = st.builds(lambda c, d: up_to(charge_w=c, discharge_w=d, by="x"), POWERS, POWERS)


def ends(envelope: Envelope) -> tuple[float, float]:
    return envelope.min_w, envelope.max_w


def test_what_falls_is_followed_at_once():
    before, target = NAMEPLATE, up_to(charge_w=100.0, discharge_w=0.0, by="bms")
    assert ends(follow(before, target, NAMEPLATE, 0.02)) == (0.0, 100.0)


def test_what_rises_rises_by_a_twentieth_of_the_nameplate_a_second():
    before = up_to(charge_w=0.0, discharge_w=1000.0, by="bms")
    after = follow(before, NAMEPLATE, NAMEPLATE, 2.0)
    assert ends(after) == pytest.approx((-1500.0, 500.0))
    assert after.max_by == after.min_by == "rises_slowly"
    assert RISE_PER_S == 0.05


def test_without_a_past_nothing_is_held_back():
    assert follow(None, NAMEPLATE, NAMEPLATE, 0.02) is NAMEPLATE


@given(ENVELOPES, ENVELOPES, st.floats(allow_nan=True, allow_infinity=True))
def test_it_never_permits_more_than_the_target(before, target, dt_s):
    after = follow(before, target, NAMEPLATE, dt_s)
    assert target.min_w <= after.min_w <= 0.0 <= after.max_w <= target.max_w


@pytest.mark.parametrize("dt_s", [math.nan, -1.0, 0.0, 3600.0, math.inf])
def test_a_time_that_makes_no_sense_gives_no_rise(dt_s):
    nothing = up_to(charge_w=0.0, discharge_w=0.0, by="x")
    assert ends(follow(nothing, NAMEPLATE, NAMEPLATE, dt_s)) == (0.0, 0.0)


EDGE_NAMEPLATE = Envelope(min_w=-2000.0, max_w=1000.0, min_by="nameplate", max_by="nameplate")
BEFORE = Envelope(min_w=-100.0, max_w=50.0, min_by="b", max_by="b")
TARGET = Envelope(min_w=-2000.0, max_w=1000.0, min_by="low", max_by="high")


def ends_at(envelope):
    return envelope.min_w, envelope.max_w


@pytest.mark.parametrize(
    ("dt_s", "counts_s"),
    [
        (0.02, 0.02), (0.5, 0.5), (1.0, 1.0), (59.0, 59.0), (0.0, 0.0), (-1.0, 0.0),
        (60.0, 0.0), (1e9, 0.0), (math.nan, 0.0), (math.inf, 0.0),
    ],
)  # fmt: skip
def test_each_end_rises_by_five_percent_of_its_own_nameplate_a_second(dt_s, counts_s):
    assert RISE_PER_S == 0.05
    followed = follow(BEFORE, TARGET, EDGE_NAMEPLATE, dt_s)
    low = max(-100.0 - 0.05 * 2000.0 * counts_s, -2000.0)
    high = min(50.0 + 0.05 * 1000.0 * counts_s, 1000.0)
    assert ends_at(followed) == pytest.approx((low, high))


@pytest.mark.parametrize("dt_s", [54.0, 59.9, 60.0, 65.0])
def test_a_gap_of_a_minute_lets_nothing_rise(dt_s):
    wide = Envelope(min_w=-1e6, max_w=1e6, min_by="low", max_by="high")
    risen = follow(BEFORE, wide, EDGE_NAMEPLATE, dt_s)
    assert (ends_at(risen) == ends_at(BEFORE)) is (dt_s >= 60.0)


def test_each_end_keeps_its_name_unless_it_is_held_back():
    reached = follow(TARGET, TARGET, EDGE_NAMEPLATE, 0.0)
    assert (reached.min_by, reached.max_by) == ("low", "high")
    held = follow(BEFORE, TARGET, EDGE_NAMEPLATE, 1.0)
    assert (held.min_by, held.max_by) == ("rises_slowly", "rises_slowly")
    only_low = Envelope(min_w=-2000.0, max_w=10.0, min_by="low", max_by="high")
    held = follow(BEFORE, only_low, EDGE_NAMEPLATE, 1.0)
    assert (held.min_by, held.max_by) == ("rises_slowly", "high")
    only_high = Envelope(min_w=-10.0, max_w=1000.0, min_by="low", max_by="high")
    held = follow(BEFORE, only_high, EDGE_NAMEPLATE, 1.0)
    assert (held.min_by, held.max_by) == ("low", "rises_slowly")


def test_without_a_past_the_target_is_permitted_at_once():
    assert follow(None, TARGET, EDGE_NAMEPLATE, 0.0) is TARGET
