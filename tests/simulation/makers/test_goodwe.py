"""What a driver of a GoodWe ET must not believe."""

import pytest

from tests.simulation.makers.bench import TableBench

MODE, POWER = 47511, 47512


def et(**surroundings: float) -> TableBench:
    return TableBench("goodwe_et", **surroundings)


def put(bench: TableBench, mode: int, power_w: int) -> None:
    assert bench.registers.write(16, MODE, [mode, power_w]) is None
    bench.run(3.0)


@pytest.mark.parametrize("mode", [2, 4])
def test_the_power_of_a_mode_that_charges_may_be_that_of_the_grid_and_the_suns_on_top(
    mode: int,
) -> None:
    bench = et(pv_w=1500.0)
    put(bench, mode, 500)
    assert bench.power_w == pytest.approx(2000.0, abs=5.0)


def test_a_mode_that_exports_means_what_the_inverter_feeds_in() -> None:
    bench = et(pv_w=1500.0)
    put(bench, 5, 2000)
    assert bench.power_w == pytest.approx(-500.0, abs=5.0)


def test_a_mode_without_its_power_takes_what_the_other_one_had() -> None:
    """So both go out in one request: between two the battery would turn round at full power."""
    bench = et()
    bench.tell(2000.0)
    assert bench.registers.write(6, MODE, [12]) is None
    bench.run(3.0)
    assert bench.power_w == pytest.approx(-2000.0, abs=5.0)
    assert all(len(bench.requests(power_w)) == 1 for power_w in (1000.0, 0.0, -1000.0))


def test_nothing_ends_a_command_by_itself() -> None:
    bench = et()
    bench.tell(-500.0, 1200.0)
    assert bench.power_w == pytest.approx(-500.0, abs=5.0)


def test_standby_leaves_no_power_behind_that_a_later_mode_would_take_up() -> None:
    bench = et()
    bench.tell(2000.0)
    bench.tell(0.0)
    assert bench.image()[None, "holding", POWER] == 0


def test_a_mode_that_there_is_not_is_refused() -> None:
    assert et().registers.write(16, MODE, [13, 0]) is not None
