"""Loads that the battery never serves: it follows the house without them."""

import math

import pytest

from holdfast.control.kept_out import KEPT_OUT, ON_FROM_W, KeptOut
from holdfast.core.data_store import DataStore, freeze
from holdfast.core.signals import Signal
from tests.builders import T0, build_site, device, put


def kept(rest_w, *, from_battery=False, **powers_w):
    loads = [
        {"name": name, "meter": device("generic_load_meter", name), "from_battery": from_battery}
        for name in powers_w
    ]
    site = build_site(metered_loads=loads)
    store = DataStore(site.unit_names, tuple(powers_w))
    for name, power_w in powers_w.items():
        put(store, name, Signal.LOAD_POWER_W, math.nan if power_w is None else power_w, T0)
    return KeptOut(site).low_w(freeze(store.image(), T0), rest_w)


def test_a_site_without_such_loads_keeps_nothing_out():
    assert kept(5000.0) == -math.inf
    assert kept(5000.0, from_battery=True, car=4000.0) == -math.inf


@pytest.mark.parametrize(
    ("rest_w", "car_w", "low_w"),
    [
        (8000.0, 7400.0, -600.0),
        (7400.0, 7400.0, 0.0),
        (3000.0, 7400.0, 0.0),  # the sun serves the rest of it
        (600.0, ON_FROM_W, -550.0),
        (600.0, ON_FROM_W - 0.1, -math.inf),
        (600.0, 0.0, -math.inf),
        (600.0, -20.0, -math.inf),
    ],
)
def test_the_battery_serves_what_is_beside_the_car(rest_w, car_w, low_w):
    assert kept(rest_w, car=car_w) == low_w


def test_all_of_them_count_together():
    assert kept(9000.0, car=4000.0, van=3000.0) == -2000.0


def test_one_that_cannot_be_seen_ends_the_discharge():
    assert kept(9000.0, car=None) == 0.0
    assert kept(9000.0, car=4000.0, van=None) == 0.0


def test_one_that_stands_by_counts_nothing_beside_one_that_is_on():
    assert kept(9000.0, car=4000.0, van=ON_FROM_W - 20.0) == -5000.0


def test_the_bound_has_its_name():
    assert KEPT_OUT == "kept_from_battery"
