"""What cannot be read narrows nothing here, and does not stop the cycle either."""

import pytest

from holdfast.core.data_store import freeze
from holdfast.core.signals import Signal
from holdfast.safety.envelope import up_to
from holdfast.safety.grid_limits import rest_of_site_w, within_grid_limits
from tests.builders import T0, UNIT, build_site, healthy_store, put, snapshot_of, unit_content

WIDE = up_to(charge_w=50_000.0, discharge_w=50_000.0, by="site.yaml")
TIGHT_GRID = {"import_max_w": 3000, "export_max_w": 1000}


def test_what_is_left_for_the_grid_is_what_the_batteries_do_not_explain():
    values = {Signal.GRID_POWER_W: 700.0, Signal.BATTERY_POWER_W: -300.0}
    assert rest_of_site_w((UNIT,), snapshot_of(values)) == 1000.0


def test_every_battery_counts_and_a_single_one_that_cannot_be_read_leaves_nothing_known():
    store = healthy_store(("left", "right"))
    for unit, power_w in (("left", 200.0), ("right", 50.0)):
        put(store, unit, Signal.BATTERY_POWER_W, power_w, T0 + 1)
    assert rest_of_site_w(("left", "right"), freeze(store.image(), T0 + 1)) == -250.0
    put(store, "right", Signal.BATTERY_POWER_W, float("nan"), T0 + 2)
    assert rest_of_site_w(("left", "right"), freeze(store.image(), T0 + 2)) is None


def test_while_meter_or_battery_cannot_be_read_the_envelopes_stay_as_they_are():
    site = build_site(unit_content(), grid=TIGHT_GRID)
    for lost in (Signal.GRID_POWER_W, Signal.BATTERY_POWER_W):
        assert within_grid_limits(site, snapshot_of({lost: None}), {UNIT: WIDE}) == {UNIT: WIDE}


def test_a_connection_with_room_to_spare_changes_neither_end_nor_its_name():
    site = build_site(grid={"import_max_w": 90_000, "export_max_w": 90_000})
    assert within_grid_limits(site, snapshot_of(), {UNIT: WIDE}) == {UNIT: WIDE}


def test_an_end_that_fits_keeps_its_name_while_the_other_is_narrowed():
    site = build_site(grid={"import_max_w": 90_000, "export_max_w": 1000})
    (narrowed,) = within_grid_limits(site, snapshot_of(), {UNIT: WIDE}).values()
    assert (narrowed.min_w, narrowed.min_by) == (-1000.0, "grid_connection")
    assert (narrowed.max_w, narrowed.max_by) == (50_000.0, "site.yaml")


@pytest.mark.parametrize("limit_w", [1000.0, 4500.0])
def test_a_connection_that_is_as_tight_in_both_directions_narrows_both(limit_w):
    site = build_site(grid={"import_max_w": limit_w, "export_max_w": limit_w})
    wide = up_to(charge_w=5000.0, discharge_w=5000.0, by="site.yaml")
    (narrowed,) = within_grid_limits(site, snapshot_of(), {UNIT: wide}).values()
    assert (narrowed.min_w, narrowed.max_w) == pytest.approx((-limit_w, limit_w))
