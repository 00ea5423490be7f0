"""What readings say together: spread, and whether they can be true at the same time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.data_store import freeze
from holdfast.core.reading import Good
from holdfast.core.signals import Signal
from holdfast.core.units import NS_PER_S
from holdfast.safety.derived import derive
from tests.builders import T0, UNIT, build_site, healthy_store, put, snapshot_of

SITE = build_site()


def derived(**values):
    snapshot = derive(SITE, snapshot_of({Signal[name]: value for name, value in values.items()}))
    return lambda signal: snapshot.good(UNIT, signal)


@pytest.mark.parametrize(
    ("values", "signal", "value"),
    [
        ({"CELL_VOLTAGE_MIN_V": 3.2, "CELL_VOLTAGE_MAX_V": 3.45}, Signal.CELL_IMBALANCE_V, 0.25),
        ({"CELL_VOLTAGE_MIN_V": 3.4, "CELL_VOLTAGE_MAX_V": 3.3}, Signal.CELL_IMBALANCE_V, -0.1),
        (
            {"CELL_TEMPERATURE_MIN_C": -5, "CELL_TEMPERATURE_MAX_C": 7},
            Signal.CELL_TEMPERATURE_SPREAD_K,
            12.0,
        ),
        ({"PACK_VOLTAGE_V": 52.8}, Signal.PACK_MISMATCH_V, 0.0),
        ({"PACK_VOLTAGE_V": 55.0}, Signal.PACK_MISMATCH_V, 55.0 - 16 * 3.31),
        ({"PACK_VOLTAGE_V": 5.28}, Signal.PACK_MISMATCH_V, 16 * 3.29 - 5.28),
        # 52.8 V and 50 A are 2640 W at the battery: 2750 W on the other side of 96 %.
        ({"BATTERY_CURRENT_A": 50, "BATTERY_POWER_W": 2750}, Signal.POWER_MISMATCH_W, 0.0),
        ({"BATTERY_CURRENT_A": -50, "BATTERY_POWER_W": -2534.4}, Signal.POWER_MISMATCH_W, 0.0),
        ({"BATTERY_CURRENT_A": -50, "BATTERY_POWER_W": 2750}, Signal.POWER_MISMATCH_W, 5284.4),
    ],
)
def test_what_is_derived(values, signal, value):
    assert derived(**values)(signal) == pytest.approx(value)


@pytest.mark.parametrize(
    ("missing", "signals"),
    [
        ("CELL_VOLTAGE_MIN_V", [Signal.CELL_IMBALANCE_V, Signal.PACK_MISMATCH_V]),
        ("PACK_VOLTAGE_V", [Signal.PACK_MISMATCH_V, Signal.POWER_MISMATCH_W]),
        ("BATTERY_POWER_W", [Signal.POWER_MISMATCH_W]),
        ("CELL_TEMPERATURE_MAX_C", [Signal.CELL_TEMPERATURE_SPREAD_K]),
    ],
)
def test_from_what_is_missing_nothing_is_derived(missing, signals):
    value_of = derived(**{missing: None})
    assert [value_of(signal) for signal in signals] == [None] * len(signals)


def test_a_derived_reading_is_as_old_as_the_oldest_it_rests_on():
    store = healthy_store()
    put(store, UNIT, Signal.CELL_VOLTAGE_MAX_V, 3.4, T0 + NS_PER_S)
    snapshot = derive(SITE, freeze(store.image(), T0 + NS_PER_S))
    reading = snapshot.read(UNIT, Signal.CELL_IMBALANCE_V)
    assert isinstance(reading, Good)
    assert reading.time_ns == T0


@given(st.floats(-100, 100), st.floats(40, 58))
def test_losses_between_inverter_and_battery_are_no_mismatch(current_a, voltage_v):
    battery_w = current_a * voltage_v
    power_w = battery_w / 0.96 if battery_w > 0 else battery_w * 0.96
    value = derived(BATTERY_CURRENT_A=current_a, PACK_VOLTAGE_V=voltage_v, BATTERY_POWER_W=power_w)(
        Signal.POWER_MISMATCH_W
    )
    assert value == pytest.approx(0.0, abs=1e-6)
