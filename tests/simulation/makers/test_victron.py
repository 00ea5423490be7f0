"""What a driver of a Victron GX must not believe."""

import math

import pytest

from holdfast.core.signals import Signal
from tests.simulation.makers.bench import LOAD_W, TableBench

SETPOINT, L2, L3 = 37, 40, 41
NO_CHARGE, NO_FEED_IN, ESS_MODE = 38, 39, 2902
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


def gx_3p(**surroundings: float) -> TableBench:
    return TableBench("victron_gx_3p", **surroundings)


@pytest.mark.parametrize("power_w", [1500.0, -2250.0, 0.0])
def test_each_phase_gets_a_third_in_one_request(power_w: float) -> None:
    bench = gx_3p()
    bench.tell(100.0)
    (request,) = bench.requests(power_w)
    assert request.places == tuple((MULTI, "holding", address) for address in range(37, 42))
    bench.send((request,))
    bench.run(3.0)
    third = round(power_w / 3) & 0xFFFF
    assert [bench.image()[MULTI, "holding", phase] for phase in (SETPOINT, L2, L3)] == [third] * 3
    assert bench.power_w == pytest.approx(power_w, abs=5.0)


def test_what_is_not_to_be_divided_by_three_is_never_more_and_rest_is_rest() -> None:
    bench = gx_3p(pv_w=700.0)
    bench.tell(1000.0)
    assert 994.0 <= bench.power_w <= 1000.5
    bench.tell(0.0)
    assert bench.told()[Signal.SETPOINT_READBACK_W] == 0.0
    assert abs(bench.power_w) < 3.0


def test_a_phase_that_somebody_else_has_told_something_shows_no_command() -> None:
    bench = gx_3p()
    bench.tell(900.0)
    assert bench.told()[Signal.SETPOINT_READBACK_W] == 900.0
    assert put(bench, L2, 100) is None
    assert math.isnan(bench.told()[Signal.SETPOINT_READBACK_W])
    bench.run(3.0)
    assert bench.power_w == pytest.approx(700.0, abs=5.0)


def test_each_multi_forgets_by_itself() -> None:
    bench = gx_3p()
    bench.tell(900.0, 40.0)
    assert put(bench, L3, 300) is None
    bench.run(30.0)
    assert bench.power_w == pytest.approx(300.0, abs=5.0), "two of them pass through"
