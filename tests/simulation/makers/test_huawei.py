"""What a driver of a Huawei SUN2000 must not believe."""

import pytest

from holdfast.core.device_mode import DeviceMode, number_of
from holdfast.core.signals import Signal
from tests.simulation.makers.bench import LOAD_W, TableBench

MINUTES, FROM_GRID, FORCIBLE, TARGET_SOC, TARGET_MODE = 47083, 47087, 47100, 47101, 47246
CHARGE_W = 47247


def sun2000(**surroundings: float) -> TableBench:
    return TableBench("huawei_sun2000", **surroundings)


def put(bench: TableBench, address: int, *words: int) -> None:
    function = 6 if len(words) == 1 else 16
    assert bench.registers.write(function, address, list(words)) is None


def test_stop_is_not_idle_but_self_consumption() -> None:
    bench = sun2000()
    bench.tell(0.0)
    assert bench.power_w == pytest.approx(0.0, abs=5.0)
    put(bench, FORCIBLE, 0)
    bench.run(3.0)
    assert bench.power_w == pytest.approx(-LOAD_W, abs=60.0)


def test_it_charges_from_the_grid_only_where_that_is_allowed() -> None:
    bench = sun2000(pv_w=400.0)
    put(bench, MINUTES, 1)
    put(bench, CHARGE_W, 0, 2000)
    put(bench, FORCIBLE, 1)
    bench.run(3.0)
    assert bench.power_w == pytest.approx(400.0, abs=5.0)
    bench.tell(2000.0)
    assert bench.power_w == pytest.approx(2000.0, abs=5.0)


def test_with_a_charge_as_its_target_no_timer_stops_it() -> None:
    bench = sun2000()
    for address, word in ((MINUTES, 1), (FROM_GRID, 1), (TARGET_MODE, 1), (TARGET_SOC, 950)):
        put(bench, address, word)
    put(bench, CHARGE_W, 0, 1000)
    put(bench, FORCIBLE, 1)
    bench.run(150.0)
    assert bench.power_w == pytest.approx(1000.0, abs=5.0)
    bench.tell(1000.0)
    bench.run(65.0)
    assert bench.power_w == pytest.approx(-LOAD_W, abs=60.0), "told by Holdfast, it has one"


def test_once_its_time_is_over_it_shows_no_command_of_ours() -> None:
    bench = sun2000()
    bench.tell(-1000.0)
    bench.run(65.0)
    assert bench.told()[Signal.DEVICE_MODE] == number_of(DeviceMode.OWN_RULE)


def test_a_power_alone_does_not_go_on_with_its_time() -> None:
    bench = sun2000()
    bench.tell(1000.0, 50.0)
    put(bench, CHARGE_W, 0, 1500)
    bench.run(15.0)
    assert bench.power_w == pytest.approx(-LOAD_W, abs=60.0)


def test_given_back_it_does_not_charge_from_the_grid_any_more() -> None:
    bench = sun2000()
    bench.tell(1000.0)
    bench.send(bench.release())
    assert bench.image()[None, "holding", FROM_GRID] == 0
