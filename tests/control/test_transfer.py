"""From one mode to the next: who leads, since when, and without a jump."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.control.transfer import Leader, Transfer, TransferMemory
from holdfast.core.asked_slot import PRECEDENCE, AskedBy
from holdfast.core.slot_mode import SlotMode
from holdfast.core.units import NS_PER_S
from tests.builders import T0, build_site, unit_content

SITE = build_site()
TRANSFER = Transfer(SITE)
DWELL_NS = 5 * NS_PER_S
RAMP_W_PER_S = 2000.0
LEADERS = st.builds(
    Leader,
    by=st.sampled_from(AskedBy),
    mode=st.sampled_from(SlotMode),
    reason=st.just(""),
    ends_ns=st.none() | st.integers(T0 - DWELL_NS, T0 + DWELL_NS),
)


def leader(by=AskedBy.PLAN, mode=SlotMode.HOLD, ends_ns=None):
    return Leader(by=by, mode=mode, reason="", ends_ns=ends_ns)


def led(present, since_ns=T0, power_w=0.0, *, easing=False):
    return TransferMemory(leader=present, since_ns=since_ns, power_w=power_w, easing=easing)


def carried(new, memory, wish_w, dt_s=1.0, *, urgent=False):
    return TRANSFER.carry(new, wish_w, memory, now_ns=T0, dt_s=dt_s, urgent=urgent)


def test_the_order_of_who_may_ask_is_total_and_as_it_is_told():
    assert sorted(AskedBy, key=PRECEDENCE.__getitem__) == [
        AskedBy.OPERATOR,
        AskedBy.GRID_OPERATOR,
        AskedBy.RULE,
        AskedBy.SCHEDULE,
        AskedBy.PLAN,
        AskedBy.DEFAULT,
        AskedBy.PASSIVE,
    ]
    assert len(set(PRECEDENCE.values())) == len(AskedBy)


@given(LEADERS, LEADERS, st.integers(0, 2 * DWELL_NS))
def test_whoever_is_stronger_leads_at_once_and_nobody_else_against_a_dwell(new, old, for_ns):
    now_ns = T0 + for_ns
    chosen = TRANSFER.leader(new, led(old), now_ns)
    stronger = PRECEDENCE[new.by] < PRECEDENCE[old.by]
    over = old.ends_ns is not None and now_ns >= old.ends_ns
    if stronger or over or for_ns >= DWELL_NS or new.is_like(old):
        assert chosen is new
    else:
        assert chosen is old


@pytest.mark.parametrize(("before_ns", "leads"), [(1, "old"), (0, "new")])
def test_a_slot_leads_up_to_its_end_and_a_mode_up_to_its_dwell(before_ns, leads):
    for old, since_ns, now_ns in (
        (leader(ends_ns=T0), T0 - NS_PER_S, T0 - before_ns),
        (leader(), T0 - DWELL_NS, T0 - before_ns),
    ):
        chosen = TRANSFER.leader(leader(AskedBy.DEFAULT), led(old, since_ns), now_ns)
        assert chosen == {"old": old, "new": leader(AskedBy.DEFAULT)}[leads]


def test_who_names_no_power_asks_for_none():
    assert leader().power_w == 0.0


def test_who_comes_first_leads():
    assert TRANSFER.leader(leader(), None, T0) == leader()


def test_the_same_mode_goes_on_with_what_it_is_told_anew():
    first = led(leader(), T0 - 7)
    again = leader(ends_ns=T0 + 5)
    assert TRANSFER.leader(again, first, T0) is again
    assert carried(again, first, 100.0) == led(again, T0 - 7, 100.0)


@pytest.mark.parametrize("way", [1.0, -1.0])
@pytest.mark.parametrize("wish_w", [0.0, 500.0, -5000.0])
def test_power_comes_back_at_the_pace_of_the_ramp(way, wish_w):
    memory, other = led(leader(), T0 - 7, way * 5000.0), leader(mode=SlotMode.POWER)
    memory = carried(other, memory, way * wish_w)
    assert memory == led(other, T0, way * (5000.0 - RAMP_W_PER_S), easing=True)
    memory = carried(other, memory, way * wish_w)
    assert (memory.power_w, memory.easing) == (way * (5000.0 - 2 * RAMP_W_PER_S), True)
    memory = carried(other, memory, way * wish_w)
    assert (memory.power_w, memory.easing) == (way * wish_w, False)
    # From then on the mode has it, and a step is a step.
    assert carried(other, memory, way * 4000.0).power_w == way * 4000.0


@pytest.mark.parametrize(("from_w", "wish_w"), [(0.0, 5000.0), (1000.0, 5000.0), (0.0, 0.0)])
def test_what_leads_away_from_rest_is_left_to_the_ramp(from_w, wish_w):
    for way in (1.0, -1.0):
        memory = led(leader(), T0 - 7, way * from_w)
        memory = carried(leader(mode=SlotMode.POWER), memory, way * wish_w, 0.0)
        assert (memory.power_w, memory.easing) == (way * wish_w, False)


def test_exactly_one_step_away_it_is_there():
    for from_w, wish_w in ((RAMP_W_PER_S, -300.0), (RAMP_W_PER_S + 700.0, 700.0)):
        memory = carried(leader(mode=SlotMode.POWER), led(leader(), power_w=from_w), wish_w)
        assert (memory.power_w, memory.easing) == (wish_w, False)


@pytest.mark.parametrize("dt_s", [0.0, -1.0])
def test_without_time_nothing_comes_back(dt_s):
    memory = carried(leader(mode=SlotMode.POWER), led(leader(), power_w=3000.0), 500.0, dt_s)
    assert (memory.power_w, memory.easing) == (3000.0, True)


def test_a_small_power_comes_back_as_a_large_one_does():
    for from_w, wish_w, back_w in ((0.5, 0.25, 0.5), (-0.5, 1.0, -0.5), (0.5, 0.75, 0.75)):
        memory = carried(leader(mode=SlotMode.POWER), led(leader(), power_w=from_w), wish_w, 0.0)
        assert (memory.power_w, memory.easing) == (back_w, back_w == from_w)


def test_a_limit_at_the_meter_does_not_wait_for_it():
    memory = carried(
        leader(mode=SlotMode.POWER), led(leader(), power_w=4000.0), -5000.0, urgent=True
    )
    assert (memory.power_w, memory.easing) == (-5000.0, False)
    easing = led(leader(), power_w=4000.0, easing=True)
    assert carried(leader(), easing, -5000.0, urgent=True).power_w == -5000.0


def test_whoever_comes_out_of_rest_begins_with_his_wish_which_the_ramp_leads():
    assert carried(leader(), None, 4000.0) == led(leader(), T0, 4000.0)


def test_all_units_ramp_together():
    both = Transfer(build_site(unit_content("one"), unit_content("two")))
    other = leader(mode=SlotMode.POWER)
    memory = both.carry(
        other, 0.0, led(leader(), power_w=9000.0), now_ns=T0, dt_s=1.0, urgent=False
    )
    assert memory.power_w == 9000.0 - 2 * RAMP_W_PER_S
