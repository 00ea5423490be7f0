"""Less current near a limit, by the curves that are written down."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.signals import Signal
from holdfast.safety.derating import DERATINGS, PACK_VOLTAGE_CHARGE, derate, fraction
from tests.builders import build_site, snapshot_of, unit_content

(SITE_UNIT,) = build_site().storage
ROWS = {row.id: row for row in DERATINGS}


@pytest.mark.parametrize(
    ("signal", "value", "charge", "discharge"),
    [
        (Signal.CELL_VOLTAGE_MAX_V, 3.44, 1.0, 1.0),
        (Signal.CELL_VOLTAGE_MAX_V, 3.50, 0.55, 1.0),
        (Signal.CELL_VOLTAGE_MAX_V, 3.55, 0.1, 1.0),
        (Signal.CELL_VOLTAGE_MAX_V, 3.60, 0.0, 1.0),
        (Signal.CELL_VOLTAGE_MAX_V, 4.00, 0.0, 1.0),
        (Signal.CELL_VOLTAGE_MIN_V, 3.11, 1.0, 1.0),
        (Signal.CELL_VOLTAGE_MIN_V, 2.90, 1.0, 0.25),
        (Signal.CELL_VOLTAGE_MIN_V, 2.80, 1.0, 0.0),
        (Signal.CELL_TEMPERATURE_MIN_C, 10.0, 1.0, 1.0),
        (Signal.CELL_TEMPERATURE_MIN_C, 5.0, 0.5, 1.0),
        (Signal.CELL_TEMPERATURE_MIN_C, 0.0, 0.0, 1.0),
        (Signal.CELL_TEMPERATURE_MIN_C, -15.0, 0.0, 0.5),
        (Signal.CELL_TEMPERATURE_MAX_C, 45.0, 0.5, 1.0),
        (Signal.CELL_TEMPERATURE_MAX_C, 50.0, 0.25, 0.5),
        (Signal.CELL_TEMPERATURE_MAX_C, 60.0, 0.0, 0.0),
        (Signal.INVERTER_TEMPERATURE_C, 80.0, 0.5, 0.5),
    ],
)
def test_the_curves_are_those_of_the_data_sheets(signal, value, charge, discharge):
    left = derate(SITE_UNIT, snapshot_of({signal: value}))
    assert (left.charge, left.discharge) == pytest.approx((charge, discharge))
    assert bool(left.charge_by) == (charge < 1.0)
    assert bool(left.discharge_by) == (discharge < 1.0)


@given(st.sampled_from(DERATINGS), st.floats(-200, 200), st.floats(0, 50))
def test_nearer_to_the_limit_is_never_more(row, value, step):
    bound = row.bound(SITE_UNIT)
    here, nearer = fraction(row, value, bound), fraction(row, value + row.side * step, bound)
    assert 0.0 <= nearer <= here <= 1.0


@pytest.mark.parametrize("row", DERATINGS, ids=lambda row: row.id)
def test_what_is_no_number_leaves_nothing(row):
    assert fraction(row, math.nan, row.bound(SITE_UNIT)) == 0.0


@pytest.mark.parametrize("row", [*DERATINGS, PACK_VOLTAGE_CHARGE], ids=lambda row: row.id)
def test_a_curve_ends_at_its_corners_exactly_and_stays_there(row):
    """With a bound of 0 the distance is the value, to the last bit."""
    (first, none), (last, everything) = row.points[0], row.points[-1]
    for distance, left in (
        (first, none), (math.nextafter(first, -1.0), 0.0), (last, everything), (last + 9.0, 1.0),
    ):  # fmt: skip
        assert fraction(row, -row.side * distance, 0.0) == left
    assert 0.0 < fraction(row, -row.side * (first + 1e-9), 0.0) < 1e-6
    assert 0.99 < fraction(row, -row.side * math.nextafter(last, 0.0), 0.0) <= 1.0


def test_what_is_not_known_in_volts_per_cell_is_charged_in_the_same_direction():
    row = PACK_VOLTAGE_CHARGE
    assert row.id == "pack_voltage_charge"
    assert (row.signal, row.side, row.direction) == (Signal.PACK_VOLTAGE_V, 1, 1)
    assert row.bound(SITE_UNIT) == 3.65
    assert row.points == ((0.0, 0.0), (0.05, 1.0))


def test_the_hardwares_own_limits_move_the_curves():
    (unit,) = build_site(unit_content(battery={"charge_temperature_max_c": 45.0})).storage
    left = derate(unit, snapshot_of({Signal.CELL_TEMPERATURE_MAX_C: 40.0}))
    assert (left.charge, left.charge_by) == (0.25, "cell_temperature_charge_hot")


def test_on_an_island_a_hot_inverter_derates_charging_alone_and_hot_cells_both():
    hot = {Signal.INVERTER_TEMPERATURE_C: 80.0, Signal.ISLANDED: 1.0}
    left = derate(SITE_UNIT, snapshot_of(hot))
    assert (left.charge, left.charge_by) == (0.5, "inverter_temperature_charge")
    assert (left.discharge, left.discharge_by) == (1.0, "")
    on_grid = derate(SITE_UNIT, snapshot_of({**hot, Signal.ISLANDED: 0.0}))
    assert (on_grid.discharge, on_grid.discharge_by) == (0.5, "inverter_temperature_discharge")
    left = derate(SITE_UNIT, snapshot_of({**hot, Signal.CELL_TEMPERATURE_MAX_C: 55.0}))
    assert (left.discharge, left.discharge_by) == (0.25, "cell_temperature_discharge_hot")
