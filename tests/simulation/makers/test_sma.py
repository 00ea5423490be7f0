"""What a driver of SMA's battery inverters must not believe."""

import math

import pytest

from holdfast.core.signals import Signal
from tests.simulation.makers.bench import LOAD_W, TableBench

TABLES = ["sma_sbs", "sma_sunny_island"]
OWN_USE_W = pytest.approx(-LOAD_W, abs=60.0)


def written(bench: TableBench) -> set[int]:
    return {place[2] for place in bench.verbs.places}


@pytest.mark.parametrize(
    ("table", "first", "words"),
    [
        ("sma_sbs", 40236, [0xFFFF] * 2),
        ("sma_sbs", 40793, [0xFFFF] * 8 + [0x8000, 0]),
        ("sma_sunny_island", 40149, [0x8000, 0, 0xFFFF, 0xFFFF]),
    ],
)
def test_what_it_was_told_reads_as_not_available(table: str, first: int, words: list[int]) -> None:
    bench = TableBench(table)
    bench.tell(1000.0)
    assert bench.registers.read(3, first, len(words)) == words
    assert not [block for block in bench.profile.blocks() if block.address >= 40_000]


@pytest.mark.parametrize("table", TABLES)
def test_nothing_is_taken_to_be_held_before_it_was_acknowledged(table: str) -> None:
    bench = TableBench(table)
    assert math.isnan(bench.told()[Signal.SETPOINT_READBACK_W])
    bench.send(bench.requests(1000.0)[:-1])
    assert math.isnan(bench.told()[Signal.SETPOINT_READBACK_W])


@pytest.mark.parametrize("table", TABLES)
def test_it_takes_no_single_registers(table: str) -> None:
    bench = TableBench(table)
    assert all(bench.registers.write(6, place, [0]) is not None for place in written(bench))


def test_a_storage_of_which_one_register_was_not_written_keeps_its_own_rule() -> None:
    bench = TableBench("sma_sbs")
    mode, powers = bench.requests(1000.0)
    bench.send([powers])
    bench.run(3.0)
    assert bench.power_w == OWN_USE_W
    bench.run(70.0)
    bench.send([mode])
    bench.run(3.0)
    assert bench.power_w == OWN_USE_W, "written a minute apart they are no set"


def test_a_storage_with_most_and_no_least_does_what_it_likes_between() -> None:
    bench = TableBench("sma_sbs")
    bench.tell(2000.0)
    assert bench.registers.write(16, 40793, [0, 0]) is None
    bench.run(3.0)
    assert bench.power_w == pytest.approx(0.0, abs=5.0), "the house takes, so nothing is left"


@pytest.mark.parametrize(("table", "seconds"), [("sma_sbs", 305.0), ("sma_sunny_island", 605.0)])
def test_it_does_forget_but_later_than_a_site_may_count_on(table: str, seconds: float) -> None:
    bench = TableBench(table)
    bench.tell(1500.0, 240.0)
    assert bench.power_w == pytest.approx(1500.0, abs=5.0)
    bench.run(seconds - 240.0)
    assert bench.power_w == OWN_USE_W


def test_an_island_that_is_not_active_is_told_a_power_in_vain() -> None:
    bench = TableBench("sma_sunny_island")
    assert bench.registers.write(16, 40149, [0, 2000]) is None
    bench.run(3.0)
    assert bench.power_w == OWN_USE_W
