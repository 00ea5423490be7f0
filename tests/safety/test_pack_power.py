"""What the BMS shows is behind the inverter's losses of what the inverter shows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.data_store import freeze
from holdfast.core.reading import Good
from holdfast.core.signals import Signal
from holdfast.safety.pack_power import ac_power_w, pack_power, pack_power_w
from tests.builders import T0, UNIT, build_site, healthy_store, put, snapshot_of

(UNIT_CONFIG,) = build_site().storage  # an efficiency of 96 %


def test_the_pack_power_is_voltage_times_current():
    shown = pack_power(UNIT, snapshot_of({Signal.BATTERY_CURRENT_A: -10.0}))
    assert shown == Good(value=-528.0, time_ns=T0)


@pytest.mark.parametrize("lost", [Signal.PACK_VOLTAGE_V, Signal.BATTERY_CURRENT_A])
def test_without_one_of_them_there_is_none(lost):
    assert pack_power(UNIT, snapshot_of({lost: None})) is None


@pytest.mark.parametrize("newer", [Signal.PACK_VOLTAGE_V, Signal.BATTERY_CURRENT_A])
def test_it_is_as_old_as_the_older_of_the_two(newer):
    store = healthy_store()
    put(store, UNIT, newer, 50.0, T0 + 7)
    power = pack_power(UNIT, freeze(store.image(), T0 + 7))
    assert power is not None
    assert power.time_ns == T0


@pytest.mark.parametrize(("ac_w", "pack_w"), [(1000.0, 960.0), (-960.0, -1000.0), (0.0, 0.0)])
def test_losses_are_between_the_two(ac_w, pack_w):
    assert pack_power_w(UNIT_CONFIG, ac_w) == pytest.approx(pack_w)
    assert ac_power_w(UNIT_CONFIG, pack_w) == pytest.approx(ac_w)


@given(st.floats(-1e6, 1e6))
def test_one_is_the_way_back_of_the_other_and_energy_never_comes_of_it(ac_w):
    pack_w = pack_power_w(UNIT_CONFIG, ac_w)
    assert pack_w <= ac_w
    assert ac_power_w(UNIT_CONFIG, pack_w) == pytest.approx(ac_w)
