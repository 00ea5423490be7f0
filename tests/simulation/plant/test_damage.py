"""The plant knows when it would have been damaged, and counts it once."""

from collections.abc import Callable

from holdfast.core.commands import Point
from holdfast.core.config import Site
from holdfast.core.signals import Signal
from holdfast.simulation.plant import DamageKind
from tests.simulation.plant_bench import Bench, with_hardware

MakeBench = Callable[..., Bench]


def test_opening_under_load_is_damage_and_a_small_current_is_not(make_bench: MakeBench) -> None:
    for power_w, expected in ((3000, {DamageKind.CONTACTOR_BREAK: 1}), (150, {})):
        bench = make_bench()
        bench.write(Point.SETPOINT_W, power_w)
        bench.run(5)
        bench.write(Point.CONTACTOR, 0)
        assert bench.unit.damage.counts == expected


def test_overcharge_is_damage_once_per_episode(make_bench: MakeBench) -> None:
    bench = make_bench(soc_pct=97, bms_protects=False)
    bench.write(Point.SETPOINT_W, 5000)
    bench.run(450)
    assert bench.unit.cells.voltage_max_v > 3.65
    assert bench.unit.damage.counts == {DamageKind.CELL_OVER_VOLTAGE: 1}
    assert 0 < bench.unit.damage.first_s[DamageKind.CELL_OVER_VOLTAGE] < 450
    bench.write(Point.SETPOINT_W, -5000)
    bench.run(450)
    bench.write(Point.SETPOINT_W, 5000)
    bench.run(600)
    assert bench.unit.damage.counts[DamageKind.CELL_OVER_VOLTAGE] == 2


def test_deep_discharge_is_damage(make_bench: MakeBench) -> None:
    bench = make_bench(soc_pct=3, bms_protects=False)
    bench.write(Point.SETPOINT_W, -3000)
    bench.run(1200)
    assert bench.unit.damage.counts[DamageKind.CELL_UNDER_VOLTAGE] == 1


def test_charging_in_the_cold_is_damage_and_discharging_is_not(make_bench: MakeBench) -> None:
    bench = make_bench(ambient_c=-5)
    bench.write(Point.SETPOINT_W, -1000)
    bench.run(20)
    assert not bench.unit.damage
    bench.write(Point.SETPOINT_W, 1000)
    bench.run(20)
    assert bench.unit.damage.counts == {DamageKind.COLD_CHARGE: 1}


def test_heat_is_damage(make_bench: MakeBench) -> None:
    bench = make_bench()
    bench.unit.cells.set_temperature(59.9)
    bench.run(1)
    assert not bench.unit.damage
    bench.unit.cells.set_temperature(60.5)
    bench.run(3)
    assert bench.unit.damage.counts == {DamageKind.OVER_TEMPERATURE: 1}


def test_over_current_is_damage(site: Site) -> None:
    bench = with_hardware(site, charge_current_max_a=50.0)
    bench.write(Point.SETPOINT_W, 2500)
    bench.run(5)
    assert not bench.unit.damage
    bench.write(Point.SETPOINT_W, 4000)
    bench.run(5)
    assert bench.unit.damage.counts == {DamageKind.OVER_CURRENT: 1}


def test_faults_of_the_hardware_can_be_shown(make_bench: MakeBench) -> None:
    runaway = make_bench()
    runaway.unit.inverter.runaway_w = 4000.0
    runaway.run(5)
    assert runaway.unit.inverter.power_w == 4000, "though the setpoint is 0"
    runaway.write(Point.ENABLE, 0)
    runaway.run(5)
    assert runaway.unit.inverter.power_w == 4000
    runaway.write(Point.CONTACTOR, 0)
    runaway.run(5)
    assert runaway.unit.inverter.power_w == 0
    welded = make_bench()
    welded.unit.contactor.welded = True
    welded.write(Point.CONTACTOR, 0)
    assert welded.unit.contactor.feedback_closed
    tripped = make_bench()
    tripped.write(Point.SETPOINT_W, 1000)
    tripped.unit.inverter.trip()
    tripped.run(5)
    assert tripped.unit.inverter.power_w == 0
    assert tripped.unit.values()[Signal.INVERTER_FAULT] == 1
