"""The batteries never overload the grid connection, and are never ordered to relieve it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.data_store import DataStore, Snapshot, freeze
from holdfast.core.signals import SITE, Signal
from holdfast.safety.envelope import up_to
from holdfast.safety.grid_limits import _share, within_grid_limits
from holdfast.safety.phases import PhaseFollower
from holdfast.safety.rest_of_site import RestFollower, RestMemory, rest_of_site_w
from tests.builders import T0, UNIT, build_site, healthy_store, put, snapshot_of, unit_content

GRID = {"import_max_w": 3000, "export_max_w": 1000}
WIDE = up_to(charge_w=5000.0, discharge_w=5000.0, by="site.yaml")


def followed(store: DataStore, *units: str) -> Snapshot:
    """What a cycle sees of ``store``: with the rest of the site."""
    snapshot, _ = RestFollower(units).follow(freeze(store.image(), T0), RestMemory())
    return snapshot


def narrowed(grid_w, battery_w=0.0, envelope=WIDE):
    site = build_site(grid=GRID)
    snapshot = snapshot_of({Signal.GRID_POWER_W: grid_w, Signal.BATTERY_POWER_W: battery_w})
    return within_grid_limits(site, snapshot, {UNIT: envelope})[UNIT]


@pytest.mark.parametrize(
    ("grid_w", "charge_w", "discharge_w"),
    [
        (0.0, 3000.0, 1000.0),  # up to the limits
        (2500.0, 500.0, 3500.0),
        (3000.0, 0.0, 4000.0),
        (4000.0, 0.0, 5000.0),  # overloaded already: no charging, and no order to discharge
        (-5000.0, 5000.0, 0.0),
        (-600.0, 3600.0, 400.0),
    ],
)
def test_what_the_connection_leaves_to_the_battery(grid_w, charge_w, discharge_w):
    envelope = narrowed(grid_w)
    assert (envelope.max_w, -envelope.min_w) == pytest.approx((charge_w, discharge_w))
    if charge_w < 5000.0:
        assert envelope.max_by == "grid_connection"


@given(
    grid_w=st.floats(-1e6, 1e6),
    battery_w=st.floats(-1e6, 1e6),
    charge_w=st.floats(0, 1e5),
    discharge_w=st.floats(0, 1e5),
)
def test_no_permitted_power_overloads_the_connection(grid_w, battery_w, charge_w, discharge_w):
    before = up_to(charge_w=charge_w, discharge_w=discharge_w, by="x")
    after = narrowed(grid_w, battery_w, before)
    rest_w = grid_w - battery_w
    assert before.min_w <= after.min_w <= 0.0 <= after.max_w <= before.max_w
    if after.max_w > 0.0:
        assert rest_w + after.max_w <= 3000 + 1e-6
    if after.min_w < 0.0:
        assert rest_w + after.min_w >= -1000 - 1e-6


def test_several_units_together_keep_within_the_limit():
    site = build_site(unit_content("left"), unit_content("right"), grid=GRID)
    snapshot = followed(healthy_store(site.unit_names), *site.unit_names)
    small = up_to(charge_w=1000.0, discharge_w=1000.0, by="x")
    after = within_grid_limits(site, snapshot, {"left": WIDE, "right": small})
    assert after["left"].max_w == pytest.approx(2500.0)
    assert after["right"].max_w == pytest.approx(500.0)
    assert after["left"].min_w + after["right"].min_w == pytest.approx(-1000.0)


def test_without_a_meter_nothing_is_known_of_the_rest():
    snapshot = snapshot_of({Signal.GRID_POWER_W: None})
    assert rest_of_site_w(snapshot) is None
    assert SITE in snapshot.readings


@pytest.mark.parametrize(
    ("permitted_w", "wanted_w", "share"),
    [
        (0.0, 0.0, 1.0),
        (0.0, 4000.0, 0.0),
        (1000.0, 4000.0, 0.25),
        (4000.0, 4000.0, 1.0),
        (4000.1, 4000.0, 1.0),
        (-0.5, 4000.0, 0.0),
        (math.nan, 4000.0, 0.0),
        (math.nan, 0.0, 0.0),
    ],
)
def test_the_share_of_what_is_permitted_and_nothing_for_what_is_no_number(
    permitted_w, wanted_w, share
):
    assert _share(permitted_w, wanted_w) == share


def test_what_an_island_discharges_does_not_flow_through_the_connection():
    """Its charging is narrowed as ever."""
    site = build_site(unit_content("left"), unit_content("right"), grid=GRID)
    store = healthy_store(site.unit_names)
    put(store, "left", Signal.ISLANDED, 1.0, T0)
    put(store, SITE, Signal.GRID_VOLTAGE_V, 0.0, T0)
    snapshot = followed(store, *site.unit_names)
    after = within_grid_limits(site, snapshot, dict.fromkeys(("left", "right"), WIDE))
    assert (after["left"].min_w, after["left"].min_by) == (-5000.0, "site.yaml")
    assert (after["right"].min_w, after["right"].min_by) == (-500.0, "grid_connection")
    assert after["left"].max_w == after["right"].max_w == 1500.0
    assert after["left"].max_by == "grid_connection"


WIDE_SITE = up_to(charge_w=50_000.0, discharge_w=50_000.0, by="site.yaml")
TIGHT_GRID = {"import_max_w": 3000, "export_max_w": 1000}


def test_a_battery_that_goes_on_while_a_slow_meter_stands_still_does_not_move_the_limit():
    """What it does is no news of the house: the limit holds until the meter shows something new."""
    site, follower = build_site(grid=GRID), RestFollower((UNIT,))
    seen, rest = [], RestMemory()
    for power_w in (0.0, 400.0, 800.0):
        told = snapshot_of({Signal.GRID_POWER_W: 2500.0, Signal.BATTERY_POWER_W: power_w})
        snapshot, rest = follower.follow(told, rest)
        seen.append(within_grid_limits(site, snapshot, {UNIT: WIDE})[UNIT].max_w)
    assert seen == [500.0, 500.0, 500.0]


def test_while_meter_or_battery_cannot_be_read_the_envelopes_stay_as_they_are():
    site = build_site(unit_content(), grid=TIGHT_GRID)
    for lost in (Signal.GRID_POWER_W, Signal.BATTERY_POWER_W):
        assert within_grid_limits(site, snapshot_of({lost: None}), {UNIT: WIDE_SITE}) == {
            UNIT: WIDE_SITE
        }


def test_a_connection_with_room_to_spare_changes_neither_end_nor_its_name():
    site = build_site(grid={"import_max_w": 90_000, "export_max_w": 90_000})
    assert within_grid_limits(site, snapshot_of(), {UNIT: WIDE_SITE}) == {UNIT: WIDE_SITE}


def test_an_end_that_fits_keeps_its_name_while_the_other_is_narrowed():
    site = build_site(grid={"import_max_w": 90_000, "export_max_w": 1000})
    (narrowed,) = within_grid_limits(site, snapshot_of(), {UNIT: WIDE_SITE}).values()
    assert (narrowed.min_w, narrowed.min_by) == (-1000.0, "grid_connection")
    assert (narrowed.max_w, narrowed.max_by) == (50_000.0, "site.yaml")


@pytest.mark.parametrize("limit_w", [1000.0, 4500.0])
def test_a_connection_that_is_as_tight_in_both_directions_narrows_both(limit_w):
    site = build_site(grid={"import_max_w": limit_w, "export_max_w": limit_w})
    wide = up_to(charge_w=5000.0, discharge_w=5000.0, by="site.yaml")
    (narrowed,) = within_grid_limits(site, snapshot_of(), {UNIT: wide}).values()
    assert (narrowed.min_w, narrowed.max_w) == pytest.approx((-limit_w, limit_w))


# ------------------------------------------------------------------------------ phase by phase


def on_phases(*units, currents=(20.0, 4.0, 4.0), **grid):
    """The units' envelopes, each of 30 kW, beside what others take of each phase."""
    content = [
        unit_content(
            name,
            inverter_hardware={
                "charge_power_max_w": 30_000,
                "discharge_power_max_w": 30_000,
                "phases": list(phases),
            },
        )
        for name, phases in units
    ]
    site = build_site(
        *content,
        grid={"import_max_w": 90_000, "export_max_w": 90_000, "fuse_a": 63, "phases": 3, **grid},
    )
    store = healthy_store(site.unit_names)
    for number, current_a in enumerate(currents, 1):
        put(store, SITE, Signal(f"grid_power_l{number}_w"), current_a * 230.0, T0)
    put(store, SITE, Signal.GRID_POWER_W, sum(currents) * 230.0, T0)
    snapshot, _ = PhaseFollower(site).follow(followed(store, *site.unit_names), None)
    wide = up_to(charge_w=30_000.0, discharge_w=30_000.0, by="site.yaml")
    return within_grid_limits(site, snapshot, dict.fromkeys(site.unit_names, wide))


def test_the_fullest_phase_limits_a_unit_on_all_of_them():
    """Case C11: 39.85 A are left on L1 of a fuse of 63 A."""
    (envelope,) = on_phases(("left", (1, 2, 3))).values()
    assert envelope.max_w == pytest.approx(3 * 230.0 * 39.85)
    assert (envelope.max_by, envelope.min_by) == ("main_fuse", "site.yaml")


def test_a_limit_of_what_a_phase_may_feed_in_counts_on_the_emptiest_one():
    (envelope,) = on_phases(("left", (1, 2, 3)), export_max_a=10.5).values()
    assert envelope.min_w == pytest.approx(-3 * 230.0 * 14.5)
    assert envelope.min_by == "main_fuse"


def test_a_phase_that_is_overloaded_permits_nothing_there_and_orders_nothing():
    after = on_phases(("left", (1,)), ("right", (2, 3)), currents=(70.0, 4.0, 4.0))
    assert (after["left"].max_w, after["left"].max_by) == (0.0, "main_fuse")
    assert after["right"].max_w == pytest.approx(2 * 230.0 * 55.85)


def test_units_share_a_phase_and_have_their_own_to_themselves():
    after = on_phases(("left", (1,)), ("right", (1, 2, 3)), currents=(0.0, 0.0, 0.0))
    on_l1_w = after["left"].max_w + after["right"].max_w / 3
    assert on_l1_w == pytest.approx(230.0 * 59.85)
    assert after["left"].max_w == pytest.approx(after["right"].max_w)


@given(
    currents=st.tuples(*(st.floats(-60, 80) for _ in range(3))),
    left=st.sampled_from([(1,), (2, 3), (1, 2, 3)]),
    right=st.sampled_from([(3,), (1, 2), (1, 2, 3)]),
)
def test_no_permitted_power_overloads_a_phase(currents, left, right):
    after = on_phases(("left", left), ("right", right), currents=currents)
    for number, current_a in enumerate(currents, 1):
        for end, limit_a in (("max_w", 59.85), ("min_w", -59.85)):
            shares_w = [
                getattr(after[unit], end) / len(phases)
                for unit, phases in (("left", left), ("right", right))
                if number in phases
            ]
            on_it_a = current_a + sum(shares_w) / 230.0
            within = on_it_a <= limit_a + 1e-6 if end == "max_w" else on_it_a >= limit_a - 1e-6
            assert within or all(power_w == 0.0 for power_w in shares_w)


def test_what_an_island_discharges_overloads_no_fuse():
    site = build_site(
        unit_content(inverter_hardware={"phases": [1]}),
        grid={"import_max_w": 9000, "export_max_w": 9000, "export_max_a": 1, "phases": 1},
    )
    values = {Signal.ISLANDED: 1.0, Signal.GRID_VOLTAGE_V: 0.0, Signal.GRID_POWER_W: 0.0}
    snapshot, _ = PhaseFollower(site).follow(snapshot_of(values), None)
    (narrowed,) = within_grid_limits(site, snapshot, {UNIT: WIDE}).values()
    assert narrowed.min_w == -5000.0
