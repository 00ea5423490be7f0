"""What each phase carries without the batteries."""

import pytest

from holdfast.core.data_store import DataStore, freeze
from holdfast.core.signals import PHASE_REST_A, PHASE_REST_W, SITE, Signal
from holdfast.safety.phases import (
    FUSE_SHARE,
    PhaseFollower,
    PhaseRest,
    export_room_a,
    import_room_a,
    phase_rests,
    phase_voltage_v,
    site_shares,
    unit_shares,
)
from tests.builders import T0, UNIT, build_site, put, snapshot_of, unit_content

THREE = {"import_max_w": 40_000, "export_max_w": 40_000, "fuse_a": 63, "phases": 3}


def site_of(phases=(1, 2, 3), **grid):
    unit = unit_content(inverter_hardware={"phases": list(phases)})
    return build_site(unit, grid={**THREE, **grid})


def told(powers=(2300.0, -460.0, 0.0), currents=(None, None, None), battery_w=0.0, **more):
    values = {
        Signal.GRID_POWER_L1_W: powers[0],
        Signal.GRID_POWER_L2_W: powers[1],
        Signal.GRID_POWER_L3_W: powers[2],
        Signal.GRID_CURRENT_L1_A: currents[0],
        Signal.GRID_CURRENT_L2_A: currents[1],
        Signal.GRID_CURRENT_L3_A: currents[2],
        Signal.BATTERY_POWER_W: battery_w,
    }
    return snapshot_of({**values, **more})


def rests(site, snapshot, memory=None):
    snapshot, _ = PhaseFollower(site).follow(snapshot, memory)
    return [(rest.number, rest.power_w, rest.current_a) for rest in phase_rests(site, snapshot)]


def test_a_share_of_what_a_fuse_carries_is_used():
    assert FUSE_SHARE == 0.95


def test_currents_follow_from_powers_where_a_meter_tells_none():
    assert rests(site_of(), told()) == [(1, 2300.0, 10.0), (2, -460.0, -2.0), (3, 0.0, 0.0)]


def test_a_current_that_is_told_counts_and_has_the_sign_of_its_power():
    """What only heats the fuse is in it."""
    seen = rests(site_of(), told(currents=(12.0, 3.0, 1.0)))
    assert [current_a for _, _, current_a in seen] == [12.0, -3.0, 1.0]
    seen = rests(site_of(), told(currents=(-12.0, -3.0, -1.0)))
    assert [current_a for _, _, current_a in seen] == [12.0, -3.0, 1.0]
    seen = rests(site_of(), told(powers=(0.0, -0.1, 0.1), currents=(12.0, 3.0, 1.0)))
    assert [current_a for _, _, current_a in seen] == [12.0, -3.0, 1.0]
    seen = rests(site_of(), told(currents=(12.0, None, 1.0)))
    assert [current_a for _, _, current_a in seen] == [12.0, -2.0, 1.0]


@pytest.mark.parametrize(
    ("phases", "powers"),
    [
        ((1, 2, 3), (1300.0, -1460.0, -1000.0)),
        ((1,), (-700.0, -460.0, 0.0)),
        ((2, 3), (2300.0, -1960.0, -1500.0)),
    ],
)
def test_what_the_battery_does_is_taken_off_the_phases_that_it_is_on(phases, powers):
    seen = rests(site_of(phases), told(battery_w=3000.0))
    assert [power_w for _, power_w, _ in seen] == pytest.approx(powers)
    amps = [power_w / 230.0 for power_w in powers]
    assert [current_a for _, _, current_a in seen] == pytest.approx(amps)


def test_several_units_are_taken_off_each_where_it_is():
    site = build_site(
        unit_content("left", inverter_hardware={"phases": [1]}),
        unit_content("right", inverter_hardware={"phases": [2, 3]}),
        grid=THREE,
    )
    assert unit_shares(site) == {"left": (1.0, 0.0, 0.0), "right": (0.0, 0.5, 0.5)}
    store = DataStore(("left", "right"))
    for number in (1, 2, 3):
        put(store, SITE, Signal(f"grid_power_l{number}_w"), 0.0, T0)
    for unit, power_w in (("left", 1000.0), ("right", -400.0)):
        put(store, unit, Signal.BATTERY_POWER_W, power_w, T0)
    seen = rests(site, freeze(store.image(), T0))
    assert [power_w for _, power_w, _ in seen] == [-1000.0, 200.0, 200.0]


def test_a_meter_that_stands_still_tells_nothing_new_while_the_battery_moves():
    site, memory = site_of(), None
    follower = PhaseFollower(site)
    for battery_w in (0.0, 900.0, 1800.0):
        snapshot, memory = follower.follow(told(battery_w=battery_w), memory)
        assert [rest.power_w for rest in phase_rests(site, snapshot)] == [2300.0, -460.0, 0.0]
    snapshot, _ = follower.follow(told(powers=(2600.0, -460.0, 0.0), battery_w=1800.0), memory)
    assert [rest.power_w for rest in phase_rests(site, snapshot)] == [2000.0, -1060.0, -600.0]


@pytest.mark.parametrize(
    "lost", [Signal.GRID_POWER_L2_W, Signal.BATTERY_POWER_W, Signal.GRID_POWER_L3_W]
)
def test_what_cannot_be_read_is_not_guessed_and_what_was_is_forgotten(lost):
    site = site_of()
    _, memory = PhaseFollower(site).follow(told(), None)
    snapshot, memory = PhaseFollower(site).follow(told(**{lost: None}), memory)
    assert memory is None
    assert phase_rests(site, snapshot) == ()


@pytest.mark.parametrize("lost", [*PHASE_REST_W, *PHASE_REST_A])
def test_all_of_it_is_needed(lost):
    site = site_of()
    snapshot, _ = PhaseFollower(site).follow(told(), None)
    del snapshot.readings[SITE][lost]
    assert phase_rests(site, snapshot) == ()


def test_one_phase_is_the_whole_connection():
    site = build_site(grid={"import_max_w": 9000, "export_max_w": 0, "fuse_a": 35, "phases": 1})
    seen = snapshot_of({Signal.GRID_POWER_W: 1150.0, Signal.BATTERY_POWER_W: 230.0})
    assert rests(site, seen) == [(1, 920.0, 4.0)]
    seen = snapshot_of({Signal.GRID_POWER_W: 1150.0, Signal.GRID_CURRENT_L1_A: 6.0})
    assert rests(site, seen) == [(1, 1150.0, 6.0)]


def test_where_nothing_counts_for_a_phase_nothing_is_added():
    site = build_site()
    snapshot = told()
    assert PhaseFollower(site).follow(snapshot, None) == (snapshot, None)
    assert phase_rests(site, snapshot) == ()


@pytest.mark.parametrize(
    ("measured_v", "volts"),
    [(207.0, 207.0), (184.0, 184.0), (183.9, 230.0), (276.0, 276.0), (276.1, 230.0), (None, 230.0)],
)
def test_a_voltage_that_is_none_of_a_phase_does_not_count(measured_v, volts):
    assert phase_voltage_v(snapshot_of({Signal.GRID_VOLTAGE_V: measured_v}), 230.0) == volts


def test_the_readings_are_as_old_as_the_oldest_phase():
    site = site_of()
    snapshot, _ = PhaseFollower(site).follow(told(), None)
    assert snapshot.read(SITE, Signal.REST_L1_W).time_ns == T0
    assert snapshot.good(UNIT, Signal.SOC_PCT) == 50.0


@pytest.mark.parametrize(
    ("grid", "room"),
    [
        ({"fuse_a": 63}, (39.85, 79.85)),
        ({"fuse_a": 63, "export_max_a": 10.5}, (39.85, 30.5)),
        ({"fuse_a": None, "export_max_a": 10.5}, (float("inf"), 30.5)),
        ({"fuse_a": 10, "export_max_a": 50.0}, (-10.5, 29.5)),
    ],
)
def test_the_room_of_a_phase_in_both_directions(grid, room):
    site = site_of(**grid)
    rest = PhaseRest(number=1, power_w=4600.0, current_a=20.0)
    assert (import_room_a(site, rest), export_room_a(site, rest)) == pytest.approx(room)


LATE = (-2000.0, 0.0)
"""The battery does 3000 W now, and may have done 1000 W when the meter measured."""


@pytest.mark.parametrize(
    ("shown_w", "rest_w"),
    [
        (2700.0, 1300.0),  # what was known explains it
        (5000.0, 2000.0),  # 3 kW of it are the battery's at most
        (500.0, -500.0),  # 1 kW of it is the battery's at least
    ],
)
def test_what_the_battery_may_have_done_itself_moves_nothing(shown_w, rest_w):
    follower = PhaseFollower(site_of((1,)))
    _, memory = follower.follow(told(powers=(2300.0, 0.0, 0.0), battery_w=1000.0), None)
    assert memory.rest_w == (1300.0, 0.0, 0.0)
    seen, memory = follower.follow(
        told(powers=(shown_w, 100.0, 0.0), battery_w=3000.0), memory, LATE
    )
    assert memory.rest_w == pytest.approx((rest_w, 100.0, 0.0))
    assert memory.rest_a == pytest.approx((rest_w / 230.0, 100.0 / 230.0, 0.0))
    # The same values again tell nothing new, whatever the battery does.
    again, kept = follower.follow(told(powers=(shown_w, 100.0, 0.0), battery_w=0.0), memory, LATE)
    assert kept == memory
    assert again.good(SITE, PHASE_REST_W[0]) == seen.good(SITE, PHASE_REST_W[0])


def test_at_first_sight_what_the_battery_does_now_counts():
    follower = PhaseFollower(site_of((1,)))
    snapshot = told(powers=(2700.0, 0.0, 0.0), battery_w=3000.0)
    _, memory = follower.follow(snapshot, None, (-2000.0, 500.0))
    assert memory.rest_w[0] == -300.0
    assert memory.rest_a[0] == pytest.approx(-300.0 / 230.0)
    assert follower.follow(snapshot, None)[1].rest_w[0] == -300.0
    # Of a meter that is not late it always does.
    for grid_w in (2300.0, -4000.0):
        _, before = follower.follow(told(powers=(grid_w, 0.0, 0.0), battery_w=1000.0), None)
        assert follower.follow(snapshot, before)[1].rest_w[0] == -300.0


def test_what_is_added_is_as_old_as_the_oldest_phase_and_leaves_the_rest_as_it_is():
    store = DataStore((UNIT,))
    for number, age_ns in ((1, 5), (2, 9), (3, 0)):
        put(store, SITE, Signal(f"grid_power_l{number}_w"), 7.0, T0 - age_ns)
    put(store, UNIT, Signal.BATTERY_POWER_W, 0.0, T0)
    seen, _ = PhaseFollower(site_of()).follow(freeze(store.image(), T0), None)
    assert seen.read(SITE, PHASE_REST_W[2]).time_ns == T0 - 9
    assert seen.good(SITE, Signal.GRID_POWER_L1_W) == 7.0


def test_all_batteries_share_the_phases_by_their_rated_powers():
    site = build_site(
        unit_content(
            "left",
            inverter_hardware={
                "phases": [1], "charge_power_max_w": 3000, "discharge_power_max_w": 5000
            },
        ),
        unit_content(
            "right",
            inverter_hardware={
                "phases": [2, 3], "charge_power_max_w": 1500, "discharge_power_max_w": 500
            },
        ),
        grid=THREE,
    )  # fmt: skip
    assert site_shares(site) == pytest.approx((0.8, 0.1, 0.1))
