"""The reserve is kept for an outage."""

import pytest

from holdfast.control.reserve import Reserve
from holdfast.core.data_store import DataStore, freeze
from holdfast.core.signals import Signal
from tests.builders import T0, build_site, put, unit_content

LARGE, SMALL = unit_content("large"), unit_content("small", battery={"capacity_wh": 2500})


def snapshot(**socs_pct):
    store = DataStore(("large", "small"))
    for name, soc_pct in socs_pct.items():
        put(store, name, Signal.SOC_PCT, soc_pct, T0)
    return freeze(store.image(), T0)


def test_the_state_of_charge_of_all_counts_by_what_each_stores():
    reserve = Reserve(build_site(LARGE, SMALL))
    assert reserve.soc_pct(snapshot(large=50.0, small=100.0)) == pytest.approx(60.0)
    assert reserve.soc_pct(snapshot(large=50.0)) is None


@pytest.mark.parametrize(
    ("large_pct", "small_pct", "reached"),
    [(30.0, 30.0, True), (30.1, 30.0, False), (35.0, 10.0, True), (36.0, 10.0, False)],
)
def test_what_is_asked_is_of_all_together(large_pct, small_pct, reached):
    reserve = Reserve(build_site(LARGE, SMALL))
    assert reserve.is_reached(snapshot(large=large_pct, small=small_pct), 30.0) is reached
    assert reserve.is_reached(snapshot(large=large_pct), 30.0)
    assert not reserve.is_reached(snapshot(), None)
