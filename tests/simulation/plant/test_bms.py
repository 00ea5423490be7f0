"""What the simulated BMS permits, counts and tells."""

from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast.core.commands import Point
from holdfast.core.config import Site
from holdfast.core.role import Role
from holdfast.core.signals import Signal
from holdfast.simulation.plant import SitePlant
from holdfast.testing.sites import example_site
from tests.simulation.plant_bench import NOON, Bench, with_hardware

MakeBench = Callable[..., Bench]


def test_bms_limit_tapers_to_nothing_as_the_battery_fills(make_bench: MakeBench) -> None:
    bench = make_bench(soc_pct=90)
    bms, cells = bench.unit.bms, bench.unit.cells
    seen = [bms.charge_limit_a]
    for _ in range(7200):
        # A charger that obeys: the limit times the voltage, and nothing below 20 W.
        power_w = min(5000.0, bms.charge_limit_a * cells.voltage_v / 0.96)
        bench.write(Point.SETPOINT_W, power_w if power_w > 20 else 0)
        bench.run(1)
        seen.append(bms.charge_limit_a)
    assert seen[0] == 110
    assert min(seen) < 0.1 * seen[0]
    assert not bench.plant.damage_counts, "who obeys the limits does no damage"
    cells.soc += 0.03
    bench.run(3)
    assert bms.charge_limit_a == 0
    assert not bms.charge_allowed


@pytest.mark.parametrize(("ambient_c", "charge", "discharge"), [(-1, 0, 1), (20, 1, 1), (61, 0, 0)])
def test_bms_permits_by_temperature(
    make_bench: MakeBench, ambient_c: float, charge: int, discharge: int
) -> None:
    values = make_bench(ambient_c=ambient_c).unit.values()
    assert values[Signal.CHARGE_ALLOWED] == charge
    assert values[Signal.DISCHARGE_ALLOWED] == discharge


def test_soc_estimate_starts_exact_and_follows_the_charge(make_bench: MakeBench) -> None:
    bench = make_bench(soc_pct=40)
    assert bench.unit.bms.soc_pct == 40
    bench.write(Point.SETPOINT_W, 2000)
    bench.run(3600)
    true_pct = float(bench.unit.cells.soc.mean()) * 100
    assert bench.unit.bms.soc_pct > 50
    assert bench.unit.bms.soc_pct == pytest.approx(true_pct, abs=0.2)


def test_bms_keeps_to_the_data_sheets_temperature(site: Site) -> None:
    assert with_hardware(site).unit.bms.charge_limit_a > 0
    assert with_hardware(site, charge_temperature_min_c=10.0).unit.bms.charge_limit_a == 0


def test_bms_limits_by_soc_before_the_voltage_shows_it(make_bench: MakeBench) -> None:
    assert make_bench(soc_pct=94).unit.bms.charge_limit_a == 110
    assert make_bench(soc_pct=98).unit.bms.charge_limit_a == pytest.approx(0.44 * 110)
    assert make_bench(soc_pct=4).unit.bms.discharge_limit_a < 0.6 * 110


def test_bms_limit_falls_at_once_and_rises_slowly(bench: Bench) -> None:
    bms, cells = bench.unit.bms, bench.unit.cells
    cells.set_temperature(-3)
    bench.run(1)
    assert bms.charge_limit_a == 0
    cells.set_temperature(20)
    bench.run(10)
    assert bms.charge_limit_a == pytest.approx(50)
    bench.run(20)
    assert bms.charge_limit_a == 110


def test_the_bms_opens_the_pack_when_nobody_else_does_anything(make_bench: MakeBench) -> None:
    bench = make_bench(soc_pct=97)
    bench.write(Point.SETPOINT_W, 5000)
    bench.run(900)
    assert bench.unit.bms.pack_open
    assert bench.unit.cells.current_a == 0
    assert bench.unit.values()[Signal.BMS_PROTECTION] == 1
    assert bench.unit.cells.voltage_max_v < 4.0
    unprotected = make_bench(soc_pct=97, bms_protects=False)
    unprotected.write(Point.SETPOINT_W, 5000)
    unprotected.run(900)
    assert unprotected.unit.cells.voltage_max_v > 4.0


def test_each_unit_tells_only_what_its_profiles_list(tmp_path: Path) -> None:
    def told(*, bms_on_can: bool) -> set[Signal]:
        plant = SitePlant.from_site(example_site(tmp_path, bms_on_can=bms_on_can))
        return {signal for role, _, signal, _ in plant.samples() if role is Role.BMS}

    assert {Signal.CELL_VOLTAGE_MAX_V, Signal.CHARGE_CURRENT_LIMIT_A} <= told(bms_on_can=True)
    assert told(bms_on_can=False) == {
        Signal.SOC_PCT,
        Signal.PACK_VOLTAGE_V,
        Signal.BATTERY_CURRENT_A,
        Signal.CELL_TEMPERATURE_MIN_C,
        Signal.CELL_TEMPERATURE_MAX_C,
        Signal.CHARGE_POWER_READBACK_W,
        Signal.DISCHARGE_POWER_READBACK_W,
    }


def test_signals_of_one_register_show_one_sensor(tmp_path: Path) -> None:
    plant = SitePlant.from_site(example_site(tmp_path, bms_on_can=False))
    cells = plant.units["battery"].cells
    cells.temperature_c[0] += 8.0
    plant.step(0.01, NOON)
    told = {signal: value for _, _, signal, value in plant.samples()}
    assert cells.temperature_max_c - cells.temperature_min_c == pytest.approx(8, abs=0.1)
    assert told[Signal.CELL_TEMPERATURE_MIN_C] == told[Signal.CELL_TEMPERATURE_MAX_C] == 24.0


def test_a_bms_that_takes_setpoints_must_permit_the_power(tmp_path: Path) -> None:
    bench = Bench(SitePlant.from_site(example_site(tmp_path, bms_on_can=False)))
    bench.connect()
    bench.write(Point.SETPOINT_W, 2000)
    bench.run(5)
    assert bench.unit.inverter.power_w == 0
    bench.write(Point.CHARGE_POWER_W, 1500)
    bench.run(5)
    assert bench.unit.inverter.power_w == 1500
    bench.write(Point.SETPOINT_W, -2000)
    bench.run(5)
    assert bench.unit.inverter.power_w == 0, "charging is permitted, discharging is not"
