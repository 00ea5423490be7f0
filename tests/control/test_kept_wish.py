"""A wish goes through bounds, and remembers which of them changed it."""

import math
from dataclasses import replace

import pytest

import holdfast.control.kept_wish as kept_wish
from holdfast.control.kept_wish import SAME_W, KeptWish, wished
from holdfast.control.modes.wish import ModeView, ModeWish
from holdfast.control.transfer import Leader
from holdfast.core.asked_slot import AskedBy, SlotTerms
from holdfast.core.slot_mode import SlotMode
from holdfast.core.units import NS_PER_S
from tests.builders import T0

VIEW = ModeView(
    rest_w=700.0, mean_rest_w=700.0, soc_pct=50.0, capacity_wh=10_000.0,
    charge_max_w=5000.0, discharge_max_w=5000.0, export_max_w=5000.0,
)  # fmt: skip
WISH = KeptWish(power_w=1000.0, at_meter=False, kept_by=("first",))


def leader(mode, ends_s=None, **terms):
    ends_ns = None if ends_s is None else T0 + round(ends_s * NS_PER_S)
    return Leader(by=AskedBy.PLAN, mode=mode, reason="", terms=SlotTerms(**terms), ends_ns=ends_ns)


def test_a_bound_that_changes_nothing_is_not_told():
    assert WISH.within(-2000.0, 1000.0, "second", at_meter=True) is WISH
    assert WISH.within(1000.0, 2000.0, "second") is WISH


@pytest.mark.parametrize("at_meter", [False, True])
@pytest.mark.parametrize(("low_w", "high_w"), [(-500.0, 400.0), (1600.0, 9000.0)])
def test_a_bound_that_changes_the_wish_is_told(low_w, high_w, at_meter):
    power_w = high_w if high_w < 1000.0 else low_w
    kept = WISH.within(low_w, high_w, "second", at_meter=at_meter)
    assert kept == KeptWish(power_w=power_w, at_meter=at_meter, kept_by=("first", "second"))
    assert WISH.within(low_w, high_w, "second").at_meter is False
    # One that is about the meter stays so.
    kept = replace(WISH, at_meter=True).within(low_w, high_w, "second")
    assert kept.at_meter is True


def test_a_bound_that_moves_it_by_half_a_watt_is_kept_and_not_told():
    kept = WISH.within(-math.inf, 1000.0 - SAME_W, "second", at_meter=True)
    assert kept == replace(WISH, power_w=999.5)
    told = WISH.within(-math.inf, 999.49, "second")
    assert told.kept_by == ("first", "second")


@pytest.mark.parametrize(
    ("power_w", "kept_w"),
    [(900.0, 400.0), (-900.0, -300.0), (100.0, 100.0), (math.nan, 0.0), (math.inf, 0.0)],
)
def test_a_mode_keeps_to_its_own_bounds_and_what_is_no_number_is_rest(power_w, kept_w, monkeypatch):
    def mode(_view):
        return ModeWish(power_w=power_w, low_w=-300.0, high_w=400.0, at_meter=True)

    monkeypatch.setattr(kept_wish, "MODES", {SlotMode.HOLD: mode})
    assert wished(leader(SlotMode.HOLD), VIEW, T0) == KeptWish(power_w=kept_w, at_meter=True)


def test_a_mode_is_told_how_much_time_is_left():
    def power_w(ends_s, now_ns=T0):
        return wished(leader(SlotMode.SOC, ends_s, soc_target_pct=60.0), VIEW, now_ns).power_w

    assert power_w(3600.0) == pytest.approx(2.0 * power_w(7200.0))
    assert power_w(3600.0) == pytest.approx(power_w(7200.0, T0 + 3600 * NS_PER_S))
    assert power_w(3600.0) > 500.0
