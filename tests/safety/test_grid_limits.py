"""The batteries never overload the grid connection, and are never ordered to relieve it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.data_store import DataStore, Snapshot, freeze
from holdfast.core.signals import SITE, Signal
from holdfast.safety.envelope import up_to
from holdfast.safety.grid_limits import _share, within_grid_limits
from holdfast.safety.rest_of_site import RestFollower, rest_of_site_w
from tests.builders import T0, UNIT, build_site, healthy_store, put, snapshot_of, unit_content

GRID = {"import_max_w": 3000, "export_max_w": 1000}
WIDE = up_to(charge_w=5000.0, discharge_w=5000.0, by="site.yaml")


def followed(store: DataStore, *units: str) -> Snapshot:
    """What a cycle sees of ``store``: with the rest of the site."""
    snapshot, _ = RestFollower(units).follow(freeze(store.image(), T0), None)
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
    seen, rest = [], None
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
