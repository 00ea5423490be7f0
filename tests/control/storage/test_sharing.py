"""Sharing: unlike units end together, a small power is done by one, and none charges another."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.control.storage.sharing import RELIEVED_AT_SHARE, STOPS_AT_SHARE, Sharing
from holdfast.core.data_store import freeze
from holdfast.core.signals import Signal
from tests.builders import T0, build_site, healthy_store, permit_of, put, unit_content

BIG, SMALL = "big", "small"
REST = {BIG: 0.0, SMALL: 0.0}


def unit(name, capacity_wh, power_w, **hardware):
    content = unit_content(name)
    content["battery"] = content["battery"] | {"capacity_wh": capacity_wh}
    content["inverter_hardware"] = content["inverter_hardware"] | {
        "charge_power_max_w": power_w,
        "discharge_power_max_w": power_w,
        **hardware,
    }
    content["operation"] = {"soc_min_pct": 10.0, "soc_max_pct": 90.0}
    return content


SITE = build_site(unit(BIG, 14_000, 5000), unit(SMALL, 5000, 3000))
FREE = {BIG: permit_of(-5000.0, 5000.0), SMALL: permit_of(-3000.0, 3000.0)}


def seen(**socs_pct):
    store = healthy_store((BIG, SMALL))
    for name, soc_pct in socs_pct.items():
        put(store, name, Signal.SOC_PCT, math.nan if soc_pct is None else soc_pct, T0)
    return freeze(store.image(), T0)


def shared(power_w, permits=None, last_w=None, *, site=SITE, big=50.0, small=50.0):
    snapshot = seen(big=big, small=small)
    return Sharing(site).share(power_w, permits or FREE, snapshot, last_w or REST)


ROOM = st.floats(0.0, 6000.0)
ANY_PERMIT = st.builds(lambda low, high: permit_of(-low, high), ROOM, ROOM)


@given(
    st.floats(),
    ANY_PERMIT,
    ANY_PERMIT,
    st.floats(-20.0, 120.0),
    st.none() | st.floats(0.0, 100.0),
    st.floats(-5000.0, 5000.0),
    st.floats(-5000.0, 5000.0),
)
def test_none_charges_another_and_none_gets_more_than_it_may(power_w, one, two, big, small, a, b):
    permits = {BIG: one, SMALL: two}
    shares = shared(power_w, permits, {BIG: a, SMALL: b}, big=big, small=small)
    assert shares.keys() == permits.keys()
    for name, share_w in shares.items():
        assert share_w == 0.0 or (share_w > 0.0) is (power_w > 0.0)
        envelope = permits[name].envelope
        assert envelope.min_w - 1e-9 <= share_w <= envelope.max_w + 1e-9
    if math.isfinite(power_w):
        room_w = sum(
            each.envelope.max_w if power_w > 0 else -each.envelope.min_w
            for each in permits.values()
        )
        assert abs(sum(shares.values())) == pytest.approx(min(abs(power_w), room_w), abs=1e-6)


def test_a_charge_is_shared_by_what_is_missing_and_a_discharge_by_what_is_stored():
    # 14 kWh from 50 to 90 % are 5.6 kWh, 5 kWh from 20 to 90 % are 3.5 kWh.
    shares = shared(4000.0, small=20.0)
    assert shares == pytest.approx({BIG: 4000.0 * 5.6 / 9.1, SMALL: 4000.0 * 3.5 / 9.1})
    # Down to 10 % it is 5.6 and 0.5 kWh.
    shares = shared(-4000.0, small=20.0)
    assert shares == pytest.approx({BIG: -4000.0 * 5.6 / 6.1, SMALL: -4000.0 * 0.5 / 6.1})


def test_what_one_may_not_take_the_other_does():
    permits = {BIG: permit_of(-1000.0, 1000.0), SMALL: permit_of(-3000.0, 3000.0)}
    assert shared(3500.0, permits) == pytest.approx({BIG: 1000.0, SMALL: 2500.0})
    assert shared(-3500.0, permits) == pytest.approx({BIG: -1000.0, SMALL: -2500.0})
    assert shared(math.inf, permits) == {BIG: 1000.0, SMALL: 3000.0}


def test_a_unit_that_may_do_nothing_leaves_all_to_the_other():
    permits = {BIG: permit_of(0.0, 0.0), SMALL: permit_of(-3000.0, 3000.0)}
    assert shared(400.0, permits) == {BIG: 0.0, SMALL: 400.0}


def test_a_small_power_is_done_by_the_one_that_has_more_to_give():
    assert shared(-700.0, big=20.0, small=80.0) == {BIG: 0.0, SMALL: -700.0}
    assert shared(700.0, big=20.0, small=80.0) == {BIG: 700.0, SMALL: 0.0}


@pytest.mark.parametrize("power_w", [700.0, 0.5])
def test_so_it_is_however_little_is_asked(power_w):
    assert shared(-power_w, big=20.0, small=80.0) == {BIG: 0.0, SMALL: -power_w}
    assert shared(power_w, big=20.0, small=80.0) == {BIG: power_w, SMALL: 0.0}


def test_a_unit_that_can_do_just_that_does_it_alone():
    permits = {BIG: permit_of(-500.0, 500.0), SMALL: permit_of(-3000.0, 3000.0)}
    assert shared(500.0, permits) == {BIG: 500.0, SMALL: 0.0}
    assert shared(-500.0, permits) == {BIG: -500.0, SMALL: 0.0}


def test_one_that_may_do_nothing_keeps_no_other_from_starting():
    none, first, second = "none", "first", "second"
    site = build_site(*(unit(name, 5000, 3000) for name in (none, first, second)))
    permits = {
        none: permit_of(0.0, 0.0),
        first: permit_of(-3000.0, 3000.0),
        second: permit_of(-3000.0, 3000.0),
    }
    store = healthy_store((none, first, second))
    put(store, none, Signal.SOC_PCT, 20.0, T0)
    rest = dict.fromkeys(permits, 0.0)
    shares = Sharing(site).share(600.0, permits, freeze(store.image(), T0), rest)
    assert shares == pytest.approx({none: 0.0, first: 300.0, second: 300.0})


def test_another_one_starts_when_each_gets_what_it_is_efficient_from():
    # A tenth of 5 kW and of 3 kW.
    assert shared(799.9)[SMALL] == 0.0
    assert shared(800.0)[SMALL] > 0.0


def test_a_unit_says_from_where_on_it_is_efficient():
    site = build_site(
        unit(BIG, 14_000, 5000, efficient_from_w=1000.0),
        unit(SMALL, 5000, 3000, efficient_from_w=0.0),
    )
    assert shared(999.9, site=site)[SMALL] == 0.0
    assert shared(1000.0, site=site)[SMALL] > 0.0


def test_one_that_runs_goes_on_until_there_is_clearly_too_little():
    running = {BIG: 400.0, SMALL: 400.0}
    least_w = STOPS_AT_SHARE * 800.0
    assert shared(least_w, last_w=running)[SMALL] > 0.0
    assert shared(least_w - 0.1, last_w=running)[SMALL] == 0.0
    # However little it did, and that it discharged is no reason to charge it now.
    assert shared(600.0, last_w={BIG: 400.0, SMALL: 0.001})[SMALL] > 0.0
    assert shared(least_w, last_w={BIG: 400.0, SMALL: -400.0})[SMALL] == 0.0


def test_one_that_runs_alone_is_relieved_by_one_that_has_clearly_more():
    running = {BIG: -300.0, SMALL: 0.0}
    more_pct = 100.0 * RELIEVED_AT_SHARE
    assert shared(-300.0, last_w=running, small=50.0 + more_pct - 0.1) == {BIG: -300.0, SMALL: 0.0}
    assert shared(-300.0, last_w=running, small=50.0 + more_pct + 0.1) == {BIG: 0.0, SMALL: -300.0}


def test_one_that_does_almost_nothing_alone_is_relieved_like_that_too():
    running = {BIG: -0.5, SMALL: 0.0}
    assert shared(-0.5, last_w=running, small=55.0) == {BIG: -0.5, SMALL: 0.0}


@pytest.mark.parametrize("power_w", [550.0, -550.0])
def test_one_that_cannot_do_it_alone_is_helped_however_little_that_is(power_w):
    permits = {BIG: permit_of(-500.0, 500.0), SMALL: permit_of(-3000.0, 3000.0)}
    shares = shared(power_w, permits)
    assert sum(shares.values()) == pytest.approx(power_w)


@pytest.mark.parametrize("power_w", [0.5, -0.5])
def test_so_is_one_that_may_do_next_to_nothing(power_w):
    permits = {BIG: permit_of(-0.2, 0.2), SMALL: permit_of(-3000.0, 3000.0)}
    shares = shared(power_w, permits)
    assert sum(shares.values()) == pytest.approx(power_w)


def test_what_rounding_leaves_is_shared_by_nobody():
    """A full unit that takes part is not discharged by that, be it by a billionth of a watt."""
    full = "full"
    third = unit(full, 5000, 3000, efficient_from_w=0.0)
    site = build_site(unit(BIG, 14_000, 5000), unit(SMALL, 5000, 3000), third)
    store = healthy_store(site.unit_names)
    for name, soc_pct in ((BIG, 53.3), (SMALL, 15.2), (full, 90.0)):
        put(store, name, Signal.SOC_PCT, soc_pct, T0)
    permits = {**FREE, full: permit_of(-3000.0, 3000.0)}
    snapshot = freeze(store.image(), T0)
    shares = Sharing(site).share(1742.3, permits, snapshot, {**REST, full: 0.0})
    assert sum(shares.values()) > 1742.3, "by rounding"
    assert shares[full] == 0.0


def test_full_or_empty_units_take_what_they_may():
    assert shared(4000.0, big=95.0, small=95.0) == pytest.approx({BIG: 2500.0, SMALL: 1500.0})
    assert shared(2000.0, big=90.0, small=50.0) == {BIG: 0.0, SMALL: 2000.0}
    assert shared(4000.0, big=90.0, small=89.99) == pytest.approx({BIG: 1000.0, SMALL: 3000.0})
    assert shared(300.0, big=95.0, small=90.0) == {BIG: 300.0, SMALL: 0.0}, "both are full"
    shares = shared(4000.0, big=90.0, small=50.0)
    assert shares == pytest.approx({BIG: 1000.0, SMALL: 3000.0}), "the full one takes the rest"


def test_a_state_of_charge_that_cannot_be_read_is_taken_for_the_middle():
    assert shared(4000.0, small=None) == shared(4000.0, small=50.0)


def test_a_single_unit_gets_all_that_it_may():
    site = build_site(unit(BIG, 14_000, 5000))
    sharing, permits = Sharing(site), {BIG: permit_of(-100.0, 100.0)}
    assert sharing.share(400.0, permits, seen(), {BIG: 0.0}) == {BIG: 100.0}


def test_what_keeps_a_unit_running_and_what_relieves_it():
    assert (STOPS_AT_SHARE, RELIEVED_AT_SHARE) == (0.7, 0.1)
