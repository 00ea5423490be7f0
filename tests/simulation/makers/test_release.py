"""Given back, a box holds what it held before the first command, register by register, and the
house sees that at its meter."""

from collections.abc import Mapping

import pytest

from holdfast.core.commands import Point
from holdfast.devices.register_image import LastShown, Place
from holdfast.devices.taking_over import (
    TakenOver,
    differing,
    owned_blocks,
    restoring,
    taken_over,
)
from tests.simulation.makers.bench import LOAD_W, SETTLED_S, TableBench
from tests.simulation.makers.test_contract import TABLES

PV_W = 1500.0
AT_THE_METER_W, AT_THE_METER_WITHIN_S = 100.0, 30.0
POWERS_W = (2000.0, -2000.0, 0.0)
SHOWS_NOTHING = {"sma_sbs", "sma_sunny_island"}
"""Their registers cannot be read: nobody knows what was there."""
SHOWING = [table for table in TABLES if table not in SHOWS_NOTHING]
OWNERS: list[tuple[str, Mapping[int, int]]] = [
    *((table, {}) for table in SHOWING),
    # Charging from the grid is allowed, and a period is set.
    ("huawei_sun2000", {47087: 1, 47083: 30}),
    # Maximum self-consumption, without remote control; limits of the owner's.
    ("solaredge_storedge", {0xE004: 1, 0xE00A: 1}),
    # ESS without phase compensation.
    ("victron_gx", {2902: 2}),
    ("victron_gx_3p", {2902: 2}),
    # A floor, a rate and a stop of the owner's.
    ("growatt_sph", {1070: 50, 1071: 20, 1090: 60, 1091: 90}),
    ("growatt_mod", {3036: 40, 3047: 70, 3048: 95}),
    # A limit that is switched off, and one that is on.
    ("goodwe_et", {47510: 700}),
    ("foxess_h3_pro", {46616: 0, 46617: 12_000}),
]


def owned(bench: TableBench) -> Mapping[Place, int]:
    """What the box shows of the registers that its table writes."""
    return taken_over(bench.profile, bench.image()).words


def bench_of(table: str, changed: Mapping[int, int]) -> tuple[TableBench, TakenOver]:
    bench = TableBench(table, pv_w=PV_W)
    assert bench.unit.box is not None
    assert bench.unit.box.registers.keys() >= changed.keys()
    bench.unit.box.registers |= changed
    bench.run(SETTLED_S)
    return bench, taken_over(bench.profile, bench.image())


def give_back(bench: TableBench, before: TakenOver, *, cut: int | None = None) -> int:
    """Sends what gives the box back, up to ``cut``; returns how many requests there are."""
    release = bench.verbs.release(LastShown(image=bench.image(), told={}))
    bench.send(release if cut is None else release[:cut])
    if cut is not None and cut < len(release):
        return len(release)
    again = restoring(bench.profile, before, bench.image())
    bench.send(again if cut is None else again[: cut - len(release)])
    return len(release) + len(again)


@pytest.mark.parametrize(("table", "changed"), OWNERS)
@pytest.mark.parametrize("power_w", POWERS_W)
def test_every_register_is_as_it_was_and_the_meter_shows_it(
    table: str, changed: Mapping[int, int], power_w: float
) -> None:
    bench, before = bench_of(table, changed)
    assert not before.commanded
    registers = owned(bench)
    bench.tell(power_w)
    if Point.EXPORT_LIMIT_W in bench.profile.points:
        bench.limit(0.0)
    bench.tell(-power_w)
    give_back(bench, before)
    assert owned(bench) == registers
    assert differing(bench.profile, before, bench.image()) == ()
    bench.run(AT_THE_METER_WITHIN_S)
    assert abs(bench.exported_w) <= AT_THE_METER_W
    assert bench.power_w == pytest.approx(PV_W - LOAD_W, abs=AT_THE_METER_W)


@pytest.mark.parametrize(("table", "changed"), OWNERS)
@pytest.mark.parametrize("power_w", POWERS_W)
def test_a_link_that_dies_on_the_way_back_leaves_it_between_both(
    table: str, changed: Mapping[int, int], power_w: float
) -> None:
    whole, before = bench_of(table, changed)
    whole.tell(power_w)
    count = give_back(whole, before)
    for cut in range(count + 1):
        bench, before = bench_of(table, changed)
        bench.tell(power_w)
        give_back(bench, before, cut=cut)
        bench.run(SETTLED_S)
        own_w, slack_w = PV_W - LOAD_W, AT_THE_METER_W
        low_w, high_w = min(power_w, 0.0, own_w), max(power_w, 0.0, own_w)
        assert low_w - slack_w <= bench.power_w <= high_w + slack_w, f"cut after {cut} of {count}"


@pytest.mark.parametrize("table", SHOWING)
def test_one_that_was_commanded_before_keeps_its_own_rule(table: str) -> None:
    bench, _ = bench_of(table, {})
    bench.tell(-1800.0)
    before = taken_over(bench.profile, bench.image())
    assert before.commanded
    bench.tell(1000.0)
    give_back(bench, before)
    bench.run(SETTLED_S)
    assert abs(bench.exported_w) <= AT_THE_METER_W


@pytest.mark.parametrize("table", SHOWING)
def test_what_is_there_already_is_not_written_again(table: str) -> None:
    bench, before = bench_of(table, {})
    assert restoring(bench.profile, before, bench.image()) == ()


@pytest.mark.parametrize("table", sorted(SHOWS_NOTHING))
def test_of_one_that_shows_nothing_nothing_is_remembered(table: str) -> None:
    bench, before = bench_of(table, {})
    assert owned_blocks(bench.profile) == ()
    assert before.words == {}
    bench.tell(-1000.0)
    give_back(bench, before)
    bench.run(SETTLED_S)
    assert abs(bench.exported_w) <= AT_THE_METER_W
