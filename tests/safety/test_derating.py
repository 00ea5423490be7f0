"""Less current near a limit, by the curves that are written down."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.signals import Signal
from holdfast.safety import derating
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
    hot = {Signal.INVERTER_TEMPERATURE_C: 80.0, Signal.ISLANDED: 1.0, Signal.GRID_VOLTAGE_V: 0.0}
    left = derate(SITE_UNIT, snapshot_of(hot))
    assert (left.charge, left.charge_by) == (0.5, "inverter_temperature_charge")
    assert (left.discharge, left.discharge_by) == (1.0, "")
    on_grid = derate(SITE_UNIT, snapshot_of({**hot, Signal.ISLANDED: 0.0}))
    assert (on_grid.discharge, on_grid.discharge_by) == (0.5, "inverter_temperature_discharge")
    left = derate(SITE_UNIT, snapshot_of({**hot, Signal.CELL_TEMPERATURE_MAX_C: 55.0}))
    assert (left.discharge, left.discharge_by) == (0.25, "cell_temperature_discharge_hot")


(UNIT_CONFIG,) = build_site(
    unit_content(
        battery={
            "cell_voltage_max_v": 3.7,
            "cell_voltage_min_v": 2.4,
            "charge_temperature_min_c": 1.0,
            "charge_temperature_max_c": 56.0,
            "discharge_temperature_min_c": -21.0,
            "discharge_temperature_max_c": 61.0,
        }
    )
).storage
HOT = {0.0: 0.0, 2.5: 0.125, 5.0: 0.25, 7.5: 0.375, 10.0: 0.5, 12.5: 0.75, 14.9: 0.99, 15.0: 1.0}
COLD = {0.0: 0.0, 1.0: 0.125, 2.0: 0.25, 3.5: 0.375, 5.0: 0.5, 7.5: 0.75, 9.9: 0.99, 10.0: 1.0}
INVERTER = {0.0: 0.0, 1.0: 0.1, 5.0: 0.5, 9.9: 0.99, 10.0: 1.0}
# row: (bound of the unit above, side, share of the current by the distance from the bound)
CURVES = {
    "cell_voltage_charge": (
        3.7, 1, {0.02: 0.0, 0.05: 0.0, 0.075: 0.05, 0.10: 0.1, 0.15: 0.55, 0.199: 0.991, 0.20: 1.0},
    ),
    "cell_voltage_discharge": (
        2.4, -1,
        {0.1: 0.0, 0.30: 0.0, 0.35: 0.125, 0.40: 0.25, 0.5: 0.625, 0.599: 0.99625, 0.60: 1.0},
    ),
    "cell_temperature_charge_hot": (56.0, 1, HOT),
    "cell_temperature_charge_cold": (1.0, -1, COLD),
    "cell_temperature_discharge_hot": (61.0, 1, HOT),
    "cell_temperature_discharge_cold": (-21.0, -1, COLD),
    "inverter_temperature_charge": (85.0, 1, INVERTER),
    "inverter_temperature_discharge": (85.0, 1, INVERTER),
}  # fmt: skip


def test_the_curves_above_are_those_of_every_row():
    assert list(ROWS) == list(CURVES)


@pytest.mark.parametrize(
    ("row", "distance", "left"),
    [(row, distance, left) for row in CURVES for distance, left in CURVES[row][2].items()],
)
def test_each_row_leaves_what_its_curve_says_at_each_corner_and_between(row, distance, left):
    bound, side, _ = CURVES[row]
    assert ROWS[row].bound(UNIT_CONFIG) == bound
    value = bound - side * distance
    assert fraction(ROWS[row], value, bound) == pytest.approx(left, abs=1e-9)
    beyond = fraction(ROWS[row], value + side * 100.0, bound)
    assert (beyond, fraction(ROWS[row], value - side * 100.0, bound)) == (0.0, 1.0)


@pytest.mark.parametrize("row", DERATINGS, ids=lambda row: row.id)
def test_whoever_is_derated_is_told_by_which_row(row):
    """Each row alone: the others are too far from their limits to say anything."""
    bound, side, _ = CURVES[row.id]
    other = row.signal is Signal.CELL_TEMPERATURE_MAX_C or "inverter" in row.id
    left = derate(UNIT_CONFIG, snapshot_of({row.signal: bound - side * row.points[1][0] * 0.9}))
    told = (left.charge_by, left.discharge_by)[0 if row.direction == 1 else 1]
    assert told == row.id
    if not other and row.id != "cell_temperature_discharge_cold":
        assert (left.charge_by, left.discharge_by).count("") == 1


def test_a_row_of_one_direction_never_derates_the_other():
    """Two rows limit the charge; the weaker of them must not be taken for the discharge's."""
    left = derate(
        UNIT_CONFIG,
        snapshot_of({Signal.CELL_VOLTAGE_MAX_V: 3.64, Signal.CELL_TEMPERATURE_MIN_C: 6.0}),
    )
    assert (left.charge_by, left.discharge_by) == ("cell_voltage_charge", "")
    assert (left.charge, left.discharge) == (pytest.approx(0.02), 1.0)


def test_the_stronger_of_two_rows_counts_in_either_order():
    for cell_v, cell_c, by in (
        (3.64, 6.0, "cell_voltage_charge"),
        (3.55, 2.0, "cell_temperature_charge_cold"),
    ):
        left = derate(
            UNIT_CONFIG,
            snapshot_of({Signal.CELL_VOLTAGE_MAX_V: cell_v, Signal.CELL_TEMPERATURE_MIN_C: cell_c}),
        )
        assert left.charge_by == by
    for cell_v, cell_c, by in (
        (2.71, -12.0, "cell_voltage_discharge"),
        (2.95, -20.0, "cell_temperature_discharge_cold"),
    ):
        left = derate(
            UNIT_CONFIG,
            snapshot_of({Signal.CELL_VOLTAGE_MIN_V: cell_v, Signal.CELL_TEMPERATURE_MIN_C: cell_c}),
        )
        assert left.discharge_by == by


@pytest.mark.parametrize("lost", sorted({row.signal for row in DERATINGS}))
def test_a_signal_that_is_lost_derates_nothing_here_and_leaves_the_others_at_work(lost):
    assert derate(UNIT_CONFIG, snapshot_of({lost: None})).charge == 1.0
    worst = {
        Signal.CELL_VOLTAGE_MAX_V: 3.7, Signal.CELL_VOLTAGE_MIN_V: 2.4,
        Signal.CELL_TEMPERATURE_MIN_C: -21.0, Signal.CELL_TEMPERATURE_MAX_C: 61.0,
    }  # fmt: skip
    left = derate(UNIT_CONFIG, snapshot_of({**worst, lost: None}))
    assert (left.charge, left.discharge) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"points": ((0.0, 0.0), (0.0, 0.5), (1.0, 1.0))}, "distances must rise"),
        ({"points": ((0.0, 0.0), (2.0, 0.5), (1.0, 1.0))}, "distances must rise"),
        ({"points": ((0.0, 0.0), (1.0, 0.0), (2.0, 1.0))}, "fractions must rise"),
        ({"points": ((0.0, 0.1), (1.0, 1.0))}, "must begin with nothing"),
        ({"points": ((0.0, 0.0), (1.0, 0.9))}, "must end with all"),
        ({"source": ""}, "no source"),
    ],
)
def test_a_row_that_cannot_be_right_is_refused(change, complaint, monkeypatch):
    wrong = (*DERATINGS[:-1], replace(DERATINGS[-1], **change))
    monkeypatch.setattr(derating, "DERATINGS", wrong)
    with pytest.raises(AssertionError, match=complaint):
        derating._check_table()


def test_a_row_that_stands_twice_is_refused(monkeypatch):
    for twice in (DERATINGS[0], derating.PACK_VOLTAGE_CHARGE):
        monkeypatch.setattr(derating, "DERATINGS", (*DERATINGS, twice))
        with pytest.raises(AssertionError, match="stands twice"):
            derating._check_table()
