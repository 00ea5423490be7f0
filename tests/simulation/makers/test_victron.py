"""What a driver of a Victron GX must not believe."""

import math

import pytest

from holdfast.core.signals import Signal
from tests.simulation.makers.bench import LOAD_W, TableBench

SETPOINT, NO_CHARGE, NO_FEED_IN, ESS_MODE = 37, 38, 39, 2902
MULTI = 227


def gx(**surroundings: float) -> TableBench:
    return TableBench("victron_gx", **surroundings)


def put(bench: TableBench, address: int, word: int, device_id: int | None = MULTI) -> object:
    return bench.registers.write(6, address, [word], device_id)


def test_a_setpoint_counts_for_nothing_while_the_gx_keeps_its_own_rule() -> None:
    bench = gx()
    assert put(bench, SETPOINT, 1500) is None
    bench.run(3.0)
    assert bench.power_w == pytest.approx(-LOAD_W, abs=60.0)


def test_what_solar_chargers_give_comes_on_top_of_what_the_multi_was_told() -> None:
    bench = gx(pv_w=1000.0)
    put(bench, ESS_MODE, 3, None)
    put(bench, NO_FEED_IN, 0)
    put(bench, SETPOINT, 500)
    bench.run(3.0)
    assert bench.power_w == pytest.approx(1500.0, abs=5.0)


def test_a_battery_that_was_to_rest_charges_from_the_sun_once_the_multi_passes_through() -> None:
    bench = gx(pv_w=1000.0)
    bench.tell(0.0)
    assert bench.power_w == pytest.approx(0.0, abs=5.0)
    bench.run(65.0)
    assert bench.power_w == pytest.approx(1000.0, abs=5.0)


def test_a_battery_that_is_told_to_discharge_does_though_feeding_in_was_switched_off() -> None:
    bench = gx()
    put(bench, NO_FEED_IN, 1)
    bench.tell(-1000.0)
    assert bench.power_w == pytest.approx(-1000.0, abs=5.0)


def test_the_mode_that_wears_out_is_written_once() -> None:
    bench = gx()
    bench.tell(1000.0)
    assert ESS_MODE not in {request.address for request in bench.requests(-1000.0)}


def test_each_of_its_services_is_behind_its_own_id() -> None:
    bench = gx()
    assert put(bench, SETPOINT, 100, None) is not None, "the system has no such register"
    assert put(bench, ESS_MODE, 3) is not None, "nor has the Multi this one"


def test_cells_of_which_the_battery_tells_nothing_are_not_taken_for_frozen() -> None:
    bench = gx()
    image = bench.image()
    for address in (318, 319):
        image[225, "holding", address] = 0
    assert math.isnan(bench.told(image)[Signal.CELL_TEMPERATURE_MIN_C])
    assert math.isnan(bench.told(image)[Signal.CELL_TEMPERATURE_MAX_C])
