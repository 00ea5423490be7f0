"""The batteries never overload the grid connection, and are never ordered to relieve it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.data_store import freeze
from holdfast.core.signals import SITE, Signal
from holdfast.safety.envelope import up_to
from holdfast.safety.grid_limits import _share, rest_of_site_w, within_grid_limits
from tests.builders import T0, UNIT, build_site, healthy_store, put, snapshot_of, unit_content

GRID = {"import_max_w": 3000, "export_max_w": 1000}
WIDE = up_to(charge_w=5000.0, discharge_w=5000.0, by="site.yaml")


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
    snapshot = freeze(healthy_store(site.unit_names).image(), T0)
    small = up_to(charge_w=1000.0, discharge_w=1000.0, by="x")
    after = within_grid_limits(site, snapshot, {"left": WIDE, "right": small})
    assert after["left"].max_w == pytest.approx(2500.0)
    assert after["right"].max_w == pytest.approx(500.0)
    assert after["left"].min_w + after["right"].min_w == pytest.approx(-1000.0)


def test_without_a_meter_nothing_is_known_of_the_rest():
    snapshot = snapshot_of({Signal.GRID_POWER_W: None})
    assert rest_of_site_w((UNIT,), snapshot) is None
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
    after = within_grid_limits(
        site, freeze(store.image(), T0), dict.fromkeys(("left", "right"), WIDE)
    )
    assert (after["left"].min_w, after["left"].min_by) == (-5000.0, "site.yaml")
    assert (after["right"].min_w, after["right"].min_by) == (-500.0, "grid_connection")
    assert after["left"].max_w == after["right"].max_w == 1500.0
    assert after["left"].max_by == "grid_connection"
