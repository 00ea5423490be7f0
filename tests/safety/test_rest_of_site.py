"""What the house draws belongs to the instant at which the meter's value last changed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.data_store import DataStore, freeze
from holdfast.core.reading import MISSING, Good
from holdfast.core.signals import SIGNALS, SITE, Internal, Signal
from holdfast.safety.rest_of_site import (
    RestFollower,
    RestOfSite,
    batteries_w,
    fed,
    load_of_site_w,
    rest_of_site_w,
)
from tests.builders import T0, UNIT, Bench, healthy_store, put, snapshot_of

FOLLOWER = RestFollower((UNIT,))


def seen(grid_w, battery_w, rest=None, now_ns=T0, pv_w=None):
    """What is known of the rest of the site, and what is remembered."""
    store = DataStore((UNIT,))
    for owner, signal, value in (
        (SITE, Signal.GRID_POWER_W, grid_w),
        (SITE, Signal.PV_POWER_W, pv_w),
        (UNIT, Signal.BATTERY_POWER_W, battery_w),
    ):
        if value is not None:
            put(store, owner, signal, value, now_ns)
    snapshot, rest = FOLLOWER.follow(freeze(store.image(), now_ns), rest)
    return rest_of_site_w(snapshot), rest


def test_the_load_is_the_same_whatever_pv_does_and_known_only_with_it():
    readings = {Signal.GRID_POWER_W: -1200.0, Signal.PV_POWER_W: 3000.0}
    assert load_of_site_w(snapshot_of(readings)) == 1800.0
    for lost in readings:
        assert load_of_site_w(snapshot_of({**readings, lost: None})) is None


def test_it_is_what_the_batteries_do_not_explain():
    assert seen(700.0, -300.0) == (1000.0, RestOfSite(grid_w=700.0, rest_w=1000.0))
    assert seen(-2000.0, 1500.0)[0] == -3500.0


def test_it_holds_until_the_meter_shows_another_value_whatever_the_battery_does():
    known_w, rest = seen(700.0, -300.0)
    for battery_w in (-600.0, -5000.0, 4000.0):
        assert seen(700.0, battery_w, rest) == (known_w, rest)
    assert seen(700.0 + 1e-9, -600.0, rest)[0] == pytest.approx(1300.0)


def test_sun_that_is_throttled_to_a_meter_at_0_w_is_found():
    known_w, rest = seen(0.0, 500.0, pv_w=1500.0)
    assert (known_w, rest) == (-500.0, RestOfSite(grid_w=0.0, rest_w=-500.0, pv_w=1500.0))
    for rises_w in (200.0, 2000.0, -300.0):
        found = seen(0.0, 500.0 + rises_w, rest, pv_w=1500.0 + rises_w)
        assert found == (-500.0 - rises_w, rest)
    # PV that is not known, then or now, changes nothing
    assert seen(0.0, 900.0, rest)[0] == -500.0
    assert seen(0.0, 900.0, seen(0.0, 500.0)[1], pv_w=1900.0)[0] == -500.0


def test_what_batteries_and_sun_do_is_what_a_meter_must_show():
    values = {Signal.BATTERY_POWER_W: 700.0, Signal.PV_POWER_W: 2000.0}
    assert fed((UNIT,), snapshot_of(values)) == Good(value=-1300.0, time_ns=T0)
    without_pv = snapshot_of(values | {Signal.PV_POWER_W: None})
    assert fed((UNIT,), without_pv) == Good(value=700.0, time_ns=T0)
    assert fed((UNIT,), snapshot_of(values | {Signal.BATTERY_POWER_W: None})) is None
    store = healthy_store(("left", "right"))
    put(store, "left", Signal.BATTERY_POWER_W, 200.0, T0 + 5)
    put(store, "right", Signal.BATTERY_POWER_W, 50.0, T0 + 3)
    put(store, SITE, Signal.PV_POWER_W, 10.0, T0 + 9)
    both = freeze(store.image(), T0 + 9)
    assert fed(("left", "right"), both) == Good(value=240.0, time_ns=T0 + 3)


def test_while_one_of_the_two_cannot_be_read_nothing_is_known():
    rest = seen(700.0, -300.0)[1]
    for grid_w, battery_w in ((None, -300.0), (700.0, None), (None, None)):
        assert seen(grid_w, battery_w, rest) == (None, rest)
        assert seen(grid_w, battery_w, None) == (None, None)
    assert seen(700.0, -900.0, rest) == (1000.0, rest)  # it shows what it showed


def test_a_change_whose_battery_power_nobody_saw_is_no_pair():
    rest = seen(700.0, -300.0)[1]
    assert seen(800.0, None, rest) == (None, None)
    assert seen(800.0, -500.0, None)[0] == 1300.0


def test_what_is_added_has_the_meters_time_and_nothing_else_changes():
    store = healthy_store()
    put(store, SITE, Signal.GRID_POWER_W, 700.0, T0 + 3)
    before = freeze(store.image(), T0 + 9)
    after, _ = FOLLOWER.follow(before, None)
    assert after.read(SITE, Signal.REST_OF_SITE_W) == Good(value=700.0, time_ns=T0 + 3)
    assert before.read(SITE, Signal.REST_OF_SITE_W) is MISSING
    assert after.time_ns == before.time_ns
    assert after.readings[UNIT] == before.readings[UNIT]
    added = {Signal.REST_OF_SITE_W: after.read(SITE, Signal.REST_OF_SITE_W)}
    assert after.readings[SITE] == {**before.readings[SITE], **added}


def test_every_battery_counts_and_one_that_cannot_be_read_leaves_nothing_known():
    store = healthy_store(("left", "right"))
    for unit, power_w in (("left", 200.0), ("right", 50.0)):
        put(store, unit, Signal.BATTERY_POWER_W, power_w, T0 + 1)
    snapshot = freeze(store.image(), T0 + 1)
    assert batteries_w(("left", "right"), snapshot) == 250.0
    assert batteries_w(iter(("right",)), snapshot) == 50.0
    assert batteries_w((), snapshot) == 0.0
    follower = RestFollower(iter(("left", "right")))
    for _ in range(2):  # the names outlive the first cycle
        assert rest_of_site_w(follower.follow(snapshot, None)[0]) == -250.0
    put(store, "right", Signal.BATTERY_POWER_W, float("nan"), T0 + 2)
    snapshot = freeze(store.image(), T0 + 2)
    assert batteries_w(("left", "right"), snapshot) is None
    assert rest_of_site_w(follower.follow(snapshot, None)[0]) is None


def test_no_device_may_tell_it():
    assert SIGNALS[Signal.REST_OF_SITE_W].producer is Internal.BALANCE
    assert SIGNALS[Signal.REST_OF_SITE_W].of_site
    assert rest_of_site_w(snapshot_of({Signal.GRID_POWER_W: None})) is None


POWERS = st.one_of(st.none(), st.floats(-1e6, 1e6), st.sampled_from([0.0, 500.0, -500.0]))


@given(st.lists(st.tuples(POWERS, POWERS), max_size=30))
def test_it_is_always_the_pair_of_the_last_change_that_somebody_saw(samples):
    rest = paired = None
    for grid_w, battery_w in samples:
        known_w, rest = seen(grid_w, battery_w, rest)
        if grid_w is not None and (paired is None or grid_w != paired[0]):
            paired = None if battery_w is None else (grid_w, battery_w)
        if grid_w is None or battery_w is None:
            assert known_w is None
        else:
            assert known_w == paired[0] - paired[1]


@pytest.mark.parametrize("period_s", [0.1, 1.0, 10.0])
def test_a_slow_meter_makes_no_limit_cycle(period_s):
    """A house of 800 W, and a meter that is asked ten times a second and shows old values."""
    bench, powers = Bench(), []
    bench.start()
    for cycle in range(900):
        if cycle % round(period_s * 10) == 0:
            flows_w = bench.values[UNIT, Signal.BATTERY_POWER_W]
            bench.set(Signal.GRID_POWER_W, 800.0 + flows_w)
        bench.step(dt_s=0.1)
        powers.append(bench.values[UNIT, Signal.BATTERY_POWER_W])
    assert min(powers) >= -1000.0
    assert powers[-1] == pytest.approx(-800.0, abs=60.0)
    assert max(powers[-300:]) - min(powers[-300:]) < 60.0
