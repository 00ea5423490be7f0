"""Device modes: what a battery may do in each, and the number that stands for it."""

import math

import pytest

from holdfast.core import device_mode as module
from holdfast.core.device_mode import MODES, NO_MODE, DeviceMode, ModeRow, mode_of, number_of

ROWS = {
    # mode: (charges from the grid, serves the load, exports, must serve)
    "load_first": (False, True, False, True),
    "battery_first": (True, False, False, False),
    "grid_first": (False, True, True, False),
    "time_of_use": (True, True, False, False),
    "backup_reserve": (False, False, False, False),
    "own_rule": (True, True, True, False),
}


def test_each_mode_is_as_hybrids_have_it() -> None:
    assert {
        str(mode): (row.charges_from_grid, row.serves_load, row.exports, row.must_serve)
        for mode, row in MODES.items()
    } == ROWS
    assert [str(mode) for mode in DeviceMode] == list(ROWS)


def test_a_plan_may_ask_for_any_mode_but_the_rule_that_nobody_knows() -> None:
    assert [str(mode) for mode in module.PLANNED] == [name for name in ROWS if name != "own_rule"]


def test_an_island_is_left_to_the_inverter_s_own_rule_or_to_one_that_serves_the_load() -> None:
    assert [str(mode) for mode in module.ON_ISLAND] == ["own_rule", "load_first"]


@pytest.mark.parametrize("serves", [True, False])
@pytest.mark.parametrize("exports", [True, False])
def test_a_battery_gives_power_to_the_house_or_to_the_grid(serves: bool, exports: bool) -> None:
    row = ModeRow(charges_from_grid=True, serves_load=serves, exports=exports)
    assert row.discharges is (serves or exports)


def test_each_mode_has_a_number_of_its_own_and_none_is_zero() -> None:
    assert [number_of(mode) for mode in DeviceMode] == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    assert number_of(None) == NO_MODE == 0.0
    assert [mode_of(number_of(mode)) for mode in DeviceMode] == list(DeviceMode)


@pytest.mark.parametrize("number", [0.0, 7.0, 1.5, -1.0, math.nan])
def test_other_numbers_stand_for_no_mode(number: float) -> None:
    assert mode_of(number) is None
