"""A limit that rises: how far in how long, and whose name its ends bear."""

import math

import pytest

from holdfast.safety.envelope import Envelope
from holdfast.safety.rising import RISE_PER_S, follow

NAMEPLATE = Envelope(min_w=-2000.0, max_w=1000.0, min_by="nameplate", max_by="nameplate")
BEFORE = Envelope(min_w=-100.0, max_w=50.0, min_by="b", max_by="b")
TARGET = Envelope(min_w=-2000.0, max_w=1000.0, min_by="low", max_by="high")


def ends(envelope):
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
    followed = follow(BEFORE, TARGET, NAMEPLATE, dt_s)
    low = max(-100.0 - 0.05 * 2000.0 * counts_s, -2000.0)
    high = min(50.0 + 0.05 * 1000.0 * counts_s, 1000.0)
    assert ends(followed) == pytest.approx((low, high))


@pytest.mark.parametrize("dt_s", [54.0, 59.9, 60.0, 65.0])
def test_a_gap_of_a_minute_lets_nothing_rise(dt_s):
    wide = Envelope(min_w=-1e6, max_w=1e6, min_by="low", max_by="high")
    risen = follow(BEFORE, wide, NAMEPLATE, dt_s)
    assert (ends(risen) == ends(BEFORE)) is (dt_s >= 60.0)


def test_each_end_keeps_its_name_unless_it_is_held_back():
    reached = follow(TARGET, TARGET, NAMEPLATE, 0.0)
    assert (reached.min_by, reached.max_by) == ("low", "high")
    held = follow(BEFORE, TARGET, NAMEPLATE, 1.0)
    assert (held.min_by, held.max_by) == ("rises_slowly", "rises_slowly")
    only_low = Envelope(min_w=-2000.0, max_w=10.0, min_by="low", max_by="high")
    held = follow(BEFORE, only_low, NAMEPLATE, 1.0)
    assert (held.min_by, held.max_by) == ("rises_slowly", "high")
    only_high = Envelope(min_w=-10.0, max_w=1000.0, min_by="low", max_by="high")
    held = follow(BEFORE, only_high, NAMEPLATE, 1.0)
    assert (held.min_by, held.max_by) == ("low", "rises_slowly")


def test_without_a_past_the_target_is_permitted_at_once():
    assert follow(None, TARGET, NAMEPLATE, 0.0) is TARGET
