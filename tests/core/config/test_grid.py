"""What the grid connection may carry, as site.yaml says it."""

import pytest
from pydantic import ValidationError

from holdfast.core.config import Grid
from tests.builders import build_site, device, unit_content

SUMS = {"import_max_w": 17_000, "export_max_w": 10_000}


def grid(**changes):
    return Grid.model_validate({**SUMS, **changes})


def unit_on(*phases):
    return unit_content(inverter_hardware={"phases": list(phases)})


@pytest.mark.parametrize(
    "changes", [{"fuse_a": 35}, {"export_max_a": 16}, {"meter_nets_phases": False}]
)
def test_what_counts_for_each_phase_needs_to_know_how_many(changes):
    with pytest.raises(ValidationError, match="phases: fuse_a, export_max_a and meter_nets"):
        grid(**changes)
    assert grid(**changes, phases=3).phase_numbers == (1, 2, 3)


def test_where_nothing_counts_for_a_phase_none_is_looked_at():
    assert grid().phase_numbers == grid(phases=3).phase_numbers == ()
    assert grid(phases=1, meter_nets_phases=False).phase_numbers == ()
    assert grid(phases=2, meter_nets_phases=False).phase_numbers == (1, 2)
    assert grid(phases=1, fuse_a=35).phase_numbers == (1,)


def test_a_meter_that_nets_its_phases_or_has_one_counts_their_sum():
    assert grid().nets_all
    assert grid(phases=1, meter_nets_phases=False).nets_all
    assert not grid(phases=3, meter_nets_phases=False).nets_all


def test_the_voltage_of_a_phase_is_that_to_neutral():
    with pytest.raises(ValidationError, match="between two phases"):
        grid(fuse_a=35, phases=3, nominal_voltage_v=278)
    assert grid(fuse_a=35, phases=3, nominal_voltage_v=277)
    assert grid(nominal_voltage_v=400), "where no phase counts any voltage will do"


@pytest.mark.parametrize("on", [(), (1, 4), (2, 3, 1, 1)])
def test_a_unit_says_on_which_phases_it_is_where_that_counts(on):
    three = {**SUMS, "fuse_a": 35, "phases": 3}
    with pytest.raises(ValidationError, match="phases"):
        build_site(unit_on(*on), grid=three)
    assert build_site(unit_on(2, 3), grid=three)
    assert build_site(unit_on(1, 2, 3), grid=three)


def test_a_unit_on_a_phase_that_the_connection_has_not_is_refused():
    with pytest.raises(ValidationError, match=r"inverter_hardware.phases must say on which phases"):
        build_site(unit_on(3), grid={**SUMS, "fuse_a": 35, "phases": 2})
    assert build_site(grid={**SUMS, "fuse_a": 35, "phases": 1})
    assert build_site(grid=SUMS)


@pytest.mark.parametrize(
    ("operator", "wrong"),
    [
        ({}, "consumption_w or production_w"),
        ({"failsafe_consumption_w": 100, "production_w": 0}, "failsafe_consumption_w: needs"),
        ({"failsafe_production_w": 100, "consumption_w": 4200}, "failsafe_production_w: needs"),
        ({"consumption_w": 4200, "failsafe_minutes": 119}, "failsafe_minutes"),
        ({"consumption_w": 4200, "failsafe_minutes": 1441}, "failsafe_minutes"),
    ],
)
def test_what_the_grid_operator_may_limit_is_said_whole(operator, wrong):
    with pytest.raises(ValidationError, match=wrong):
        grid(operator=operator)


@pytest.mark.parametrize("minutes", [120, 1440])
def test_what_is_failsafe_lasts_two_hours_to_a_day(minutes):
    assert grid(operator={"production_w": 0, "failsafe_minutes": minutes}).operator
    limits = {"consumption_w": 4200, "failsafe_consumption_w": 100}
    assert grid(operator={**limits, "counts": "connection"}).operator.counts == "connection"
    assert grid(operator={**limits, "counts": "controllable"}).operator.counts == "controllable"
    both = {**limits, "production_w": 0, "failsafe_production_w": 0}
    assert grid(operator=both).operator.failsafe_production_w == 0.0
    with pytest.raises(ValidationError, match="counts"):
        grid(operator={**limits, "counts": "house"})


@pytest.mark.parametrize(
    ("name", "low", "usual", "high"),
    [("nominal_voltage_v", 100.0, 230.0, 500.0), ("meter_delay_s", 0.0, 0.0, 10.0)],
)
def test_each_number_of_the_connection_has_bounds_and_a_usual_value(name, low, usual, high):
    assert getattr(grid(), name) == usual
    for value in (low, high):
        assert getattr(grid(**{name: value}), name) == value
    for value in (low - 0.5, high + 0.5):
        with pytest.raises(ValidationError, match=name):
            grid(**{name: value})


def test_frequencies_and_phases_are_those_that_there_are():
    assert (grid().nominal_frequency_hz, grid().phases) == (50, None)
    assert [grid(nominal_frequency_hz=hz).nominal_frequency_hz for hz in (50, 60)] == [50, 60]
    assert [grid(phases=count).phases for count in (1, 2, 3)] == [1, 2, 3]
    for wrong in ({"nominal_frequency_hz": 55}, {"phases": 0}, {"phases": 4}):
        with pytest.raises(ValidationError, match=next(iter(wrong))):
            grid(**wrong)


def test_unless_its_owner_says_so_a_meter_is_not_late_and_nets_its_phases():
    assert (grid().learns_meter_delay, grid().meter_nets_phases) == (False, True)
    assert not grid().is_of_phases
    for changes in ({"fuse_a": 35}, {"export_max_a": 16}, {"meter_nets_phases": False}):
        assert grid(**changes, phases=3).is_of_phases


def test_the_grid_operator_has_a_box_and_limits_something():
    box, limits = device("generic_grid_operator"), {"consumption_w": 4200}
    with pytest.raises(ValidationError, match="needs grid_operator, the box"):
        build_site(grid={**SUMS, "operator": limits})
    with pytest.raises(ValidationError, match=r"grid\.operator must say what it limits"):
        build_site(grid_operator=box)
    site = build_site(grid_operator=box, grid={**SUMS, "operator": limits})
    assert site.grid.operator is not None
    assert (site.grid.operator.failsafe_minutes, site.grid.operator.counts) == (120, "controllable")


def test_intervals_are_those_of_meters():
    assert [grid(interval_min=minutes).interval_min for minutes in (15, 30, 60)] == [15, 30, 60]
    assert grid().interval_min == 15
    with pytest.raises(ValidationError, match="interval_min"):
        grid(interval_min=20)
