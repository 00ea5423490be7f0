"""What the house draws belongs to the instant at which the meter's value last changed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.data_store import DataStore, freeze
from holdfast.core.reading import MISSING, Good
from holdfast.core.signals import SIGNALS, SITE, Internal, Signal
from holdfast.core.units import NS_PER_S
from holdfast.safety.meter_delay import DelayMemory
from holdfast.safety.rest_of_site import (
    RestFollower,
    RestMemory,
    RestOfSite,
    batteries_w,
    fed,
    load_of_site_w,
    rest_of_site_w,
)
from tests.builders import T0, UNIT, Bench, healthy_store, put, snapshot_of

FOLLOWER = RestFollower((UNIT,))


def seen(grid_w, battery_w, pair=None, now_ns=T0, pv_w=None):
    """What is known of the rest of the site, and the pair that is remembered."""
    store = DataStore((UNIT,))
    for owner, signal, value in (
        (SITE, Signal.GRID_POWER_W, grid_w),
        (SITE, Signal.PV_POWER_W, pv_w),
        (UNIT, Signal.BATTERY_POWER_W, battery_w),
    ):
        if value is not None:
            put(store, owner, signal, value, now_ns)
    snapshot, memory = FOLLOWER.follow(freeze(store.image(), now_ns), RestMemory(pair=pair))
    return rest_of_site_w(snapshot), memory.pair


def test_the_load_is_the_same_whatever_pv_does_and_known_only_with_it():
    readings = {Signal.GRID_POWER_W: -1200.0, Signal.PV_POWER_W: 3000.0}
    assert load_of_site_w(snapshot_of(readings)) == 1800.0
    for lost in readings:
        assert load_of_site_w(snapshot_of({**readings, lost: None})) is None


def test_it_is_what_the_batteries_do_not_explain():
    assert seen(700.0, -300.0) == (1000.0, RestOfSite(grid_w=700.0, rest_w=1000.0, changed_ns=T0))
    assert seen(-2000.0, 1500.0)[0] == -3500.0


def test_it_holds_until_the_meter_shows_another_value_whatever_the_battery_does():
    known_w, rest = seen(700.0, -300.0)
    for battery_w in (-600.0, -5000.0, 4000.0):
        assert seen(700.0, battery_w, rest) == (known_w, rest)
    assert seen(700.0 + 1e-9, -600.0, rest)[0] == pytest.approx(1300.0)


def test_sun_that_is_throttled_to_a_meter_at_0_w_is_found():
    known_w, rest = seen(0.0, 500.0, pv_w=1500.0)
    assert known_w == -500.0
    assert rest == RestOfSite(grid_w=0.0, rest_w=-500.0, changed_ns=T0, pv_w=1500.0)
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
    after, _ = FOLLOWER.follow(before, RestMemory())
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
        assert rest_of_site_w(follower.follow(snapshot, RestMemory())[0]) == -250.0
    put(store, "right", Signal.BATTERY_POWER_W, float("nan"), T0 + 2)
    snapshot = freeze(store.image(), T0 + 2)
    assert batteries_w(("left", "right"), snapshot) is None
    assert rest_of_site_w(follower.follow(snapshot, RestMemory())[0]) is None


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


class LateHouse:
    """A load, a battery that goes where it is told, and a meter that shows what was."""

    def __init__(self, delay_s=1.0, told_s=None):
        self.delay_s = delay_s
        self.follower = RestFollower((UNIT,), told_s)
        self.memory = RestMemory()
        self.load_w, self.battery_w = 800.0, 0.0
        self.grid = []
        self.now_ns = T0

    def rest_w(self, seconds=0.1):
        """The rest of the site after so long."""
        for _ in range(round(seconds * 10)):
            self.now_ns += NS_PER_S // 10
            self.grid.append(self.load_w + self.battery_w)
            late = self.grid[max(len(self.grid) - 1 - round(self.delay_s * 10), 0)]
            store = DataStore((UNIT,))
            put(store, SITE, Signal.GRID_POWER_W, late, self.now_ns)
            put(store, UNIT, Signal.BATTERY_POWER_W, self.battery_w, self.now_ns)
            snapshot, self.memory = self.follower.follow(
                freeze(store.image(), self.now_ns), self.memory
            )
        return rest_of_site_w(snapshot)


@pytest.mark.parametrize("told_s", [None, 1.0])
@pytest.mark.parametrize("delay_s", [0.9, 1.0, 1.1])
def test_what_the_battery_does_never_looks_like_a_load_however_late_the_meter_is(delay_s, told_s):
    house = LateHouse(delay_s, told_s)
    house.rest_w(2.0)
    for battery_w in (-800.0, -400.0, 1500.0, -2000.0, 0.0):
        house.battery_w = battery_w
        assert all(house.rest_w() == pytest.approx(800.0) for _ in range(40))


@pytest.mark.parametrize("told_s", [None, 1.0])
def test_a_load_that_steps_is_known_when_the_meter_shows_it(told_s):
    house = LateHouse(1.0, told_s)
    house.rest_w(12.0)
    house.load_w = 3800.0
    assert house.rest_w(1.0) == 800.0
    assert house.rest_w() == 3800.0


def test_of_several_rests_that_explain_the_meter_the_nearest_to_what_was_known_is_taken():
    """The battery went from 0 to 500 W within the window, so 500 W of the meter are its own."""
    past = ((T0, 0.0), (T0 + NS_PER_S, 500.0))
    now_ns = T0 + 2 * NS_PER_S
    for known_w, grid_w, rest_w in (
        (800.0, 800.0 + 1e-3, 800.0),
        (800.0, 1300.0, 800.0),
        (800.0, 1301.0, 801.0),
        (800.0, 799.0, 799.0),
        (800.0, 0.0, 0.0),
        (800.0, 9000.0, 8500.0),
    ):
        store = DataStore((UNIT,))
        put(store, SITE, Signal.GRID_POWER_W, grid_w, now_ns)
        put(store, UNIT, Signal.BATTERY_POWER_W, 500.0, now_ns)
        memory = RestMemory(pair=RestOfSite(grid_w=1e6, rest_w=known_w), past=past)
        snapshot, after = FOLLOWER.follow(freeze(store.image(), now_ns), memory)
        assert rest_of_site_w(snapshot) == rest_w
        assert after.pair == RestOfSite(grid_w=grid_w, rest_w=rest_w, changed_ns=now_ns)


def test_sun_that_has_changed_since_is_part_of_what_was_known():
    past = ((T0, 0.0), (T0 + NS_PER_S, 500.0))
    now_ns = T0 + 2 * NS_PER_S
    store = DataStore((UNIT,))
    for owner, signal, value in (
        (SITE, Signal.GRID_POWER_W, 900.0),
        (SITE, Signal.PV_POWER_W, 300.0),
        (UNIT, Signal.BATTERY_POWER_W, 500.0),
    ):
        put(store, owner, signal, value, now_ns)
    pair = RestOfSite(grid_w=0.0, rest_w=800.0, pv_w=100.0)
    snapshot, after = FOLLOWER.follow(
        freeze(store.image(), now_ns), RestMemory(pair=pair, past=past)
    )
    assert rest_of_site_w(snapshot) == 600.0
    assert after.pair == RestOfSite(grid_w=900.0, rest_w=600.0, changed_ns=now_ns, pv_w=300.0)


def test_what_a_slower_meter_of_the_sun_shows_late_is_not_counted_twice():
    store = DataStore((UNIT,))
    put(store, SITE, Signal.PV_POWER_W, 4000.0, T0)
    memory, rests_w = RestMemory(), []
    # A cloud takes 3 kW: the grid's meter shows it at once, the sun's own 0.5 s after.
    for tenth, (grid_w, pv_w) in enumerate(
        [(-3000.0, None), (0.0, None), (0.0, 1000.0), (0.0, 600.0)]
    ):
        now_ns = T0 + (tenth + 1) * NS_PER_S // 4
        put(store, SITE, Signal.GRID_POWER_W, grid_w, now_ns)
        put(store, UNIT, Signal.BATTERY_POWER_W, 0.0, now_ns)
        if pv_w is not None:
            put(store, SITE, Signal.PV_POWER_W, pv_w, now_ns)
        snapshot, memory = FOLLOWER.follow(freeze(store.image(), now_ns), memory)
        rests_w.append(rest_of_site_w(snapshot))
    assert rests_w == [-3000.0, 0.0, 0.0, 400.0]


def test_the_past_of_a_battery_is_noted_by_its_own_time_and_while_the_meter_is_away_too():
    store = DataStore((UNIT,))
    put(store, UNIT, Signal.BATTERY_POWER_W, 250.0, T0 + 3)
    memory = FOLLOWER.follow(freeze(store.image(), T0 + 9), RestMemory())[1]
    assert memory == RestMemory(past=((T0 + 3, 250.0),))
    assert FOLLOWER.follow(freeze(store.image(), T0 + 12), memory)[1] is memory


def test_the_oldest_of_several_batteries_tells_when_it_was():
    store = DataStore(("left", "right"))
    put(store, "left", Signal.BATTERY_POWER_W, 250.0, T0 + 3)
    put(store, "right", Signal.BATTERY_POWER_W, 50.0, T0 + 5)
    memory = RestFollower(("left", "right")).follow(freeze(store.image(), T0 + 9), RestMemory())[1]
    assert memory.past == ((T0 + 3, 300.0),)


def test_the_window_is_what_was_told_or_learned():
    learned = RestMemory(delay=DelayMemory(window=(1, 2)))
    assert RestFollower((UNIT,)).window(learned) == (1, 2)
    assert RestFollower((UNIT,), 0.5).window(learned) == (400_000_000, 600_000_000)
    assert RestFollower((UNIT,), 0.0).window(learned) == (0, 0)
    told = LateHouse(1.0, 1.0)
    told.rest_w(1.0)
    assert told.memory.delay == DelayMemory()


def test_a_change_that_is_no_pair_forgets_the_rest_and_keeps_the_delay():
    known = DelayMemory(rests_w=(5.0,) * 16, roughness_w=(7.0,) * 16, window=(1, 2))
    store = DataStore((UNIT,))
    put(store, SITE, Signal.GRID_POWER_W, 900.0, T0)
    memory = RestMemory(pair=RestOfSite(grid_w=0.0, rest_w=0.0), past=((T0 - 5, 0.0),), delay=known)
    after = FOLLOWER.follow(freeze(store.image(), T0), memory)[1]
    assert after == RestMemory(delay=DelayMemory(roughness_w=(7.0,) * 16, window=(1, 2)))


def test_a_battery_of_no_units_rests():
    store = DataStore(())
    put(store, SITE, Signal.GRID_POWER_W, 900.0, T0)
    snapshot, memory = RestFollower(()).follow(freeze(store.image(), T0), RestMemory())
    assert rest_of_site_w(snapshot) == 900.0
    assert memory.past == ((T0, 0.0),)


def test_once_the_delay_is_learned_a_load_that_changes_again_is_known_as_fast():
    house = LateHouse(1.0)
    house.rest_w(2.0)
    for battery_w in (-1800.0, -500.0, -900.0):
        house.battery_w = battery_w
        house.rest_w(12.0)
    house.battery_w = -1800.0
    house.rest_w(2.0)
    house.load_w = 3000.0
    assert house.rest_w(1.1) == pytest.approx(3000.0)


def test_what_the_battery_did_after_the_meter_measured_explains_nothing():
    past = ((T0, 0.0), (T0 + 20 * NS_PER_S // 10, 0.0), (T0 + 205 * NS_PER_S // 100, 500.0))
    now_ns = T0 + 21 * NS_PER_S // 10
    store = DataStore((UNIT,))
    put(store, SITE, Signal.GRID_POWER_W, 1300.0, now_ns)
    put(store, UNIT, Signal.BATTERY_POWER_W, 500.0, now_ns)
    memory = RestMemory(pair=RestOfSite(grid_w=800.0, rest_w=800.0), past=past)
    snapshot, _ = RestFollower((UNIT,), 1.0).follow(freeze(store.image(), now_ns), memory)
    assert rest_of_site_w(snapshot) == 1300.0


def test_before_anything_is_known_the_batterys_last_power_counts():
    now_ns = T0 + 2 * NS_PER_S
    store = DataStore((UNIT,))
    put(store, SITE, Signal.GRID_POWER_W, 900.0, now_ns)
    put(store, UNIT, Signal.BATTERY_POWER_W, 300.0, now_ns)
    memory = RestMemory(past=((T0, 0.0), (T0 + NS_PER_S, 500.0)))
    snapshot, _ = FOLLOWER.follow(freeze(store.image(), now_ns), memory)
    assert rest_of_site_w(snapshot) == 600.0


def test_what_the_batteries_may_have_done_when_the_meter_measured_is_told_beside_what_they_do():
    past = ((T0, 500.0), (T0 + NS_PER_S, -100.0), (T0 + 2 * NS_PER_S, 200.0))
    now_ns = T0 + 2 * NS_PER_S
    store = DataStore((UNIT,))
    told, memory = RestFollower((UNIT,), 1.0), RestMemory(past=past)
    assert told.swing_w(memory, freeze(store.image(), now_ns)) == (0.0, 0.0)  # no meter
    put(store, SITE, Signal.GRID_POWER_W, 900.0, now_ns)
    snapshot = freeze(store.image(), now_ns)
    assert told.swing_w(RestMemory(), snapshot) == (0.0, 0.0)
    assert told.swing_w(memory, snapshot) == pytest.approx((-300.0, -240.0))
    assert FOLLOWER.swing_w(memory, snapshot) == (-300.0, 300.0)


def test_a_pair_of_which_nobody_told_the_time_is_as_old_as_can_be():
    assert RestOfSite(grid_w=1.0, rest_w=2.0).changed_ns == 0
