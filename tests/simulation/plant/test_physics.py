"""Energy is conserved, power follows the setpoint, and the revert timer ends it."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.core.commands import Point
from holdfast.core.config import Site
from holdfast.core.signals import SITE, Signal
from holdfast.simulation.plant import SitePlant
from holdfast.simulation.plant.curves import OCV_SOC, Curve, ocv_integral_v, ocv_v
from tests.simulation.plant_bench import Bench

MakeBench = Callable[..., Bench]


def test_open_circuit_voltage_rises_with_charge_and_steeply_beyond_the_ends() -> None:
    soc = np.linspace(-0.9, 1.9, 5001)
    volts = ocv_v(soc)
    assert (np.diff(volts) > 0).all()
    assert ocv_v(np.array([0.2]))[0] == pytest.approx(3.245, abs=0.03)
    assert ocv_v(np.array([1.01]))[0] >= 3.65
    assert ocv_v(np.array([-0.01]))[0] < 2.5


def test_stored_energy_is_the_integral_of_the_voltage() -> None:
    soc = np.linspace(OCV_SOC[0], 1.2, 200_001)
    volts = ocv_v(soc)
    summed = float(np.sum((volts[1:] + volts[:-1]) / 2 * np.diff(soc)))
    assert float(ocv_integral_v(soc[-1:])[0]) == pytest.approx(summed, rel=1e-6)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    powers=st.lists(st.floats(-5000, 5000), min_size=1, max_size=8),
    dt_s=st.sampled_from([0.1, 1.0, 10.0]),
    seed=st.integers(0, 1000),
)
def test_energy_in_is_energy_stored_plus_losses(
    make_bench: MakeBench, powers: list[float], dt_s: float, seed: int
) -> None:
    bench = make_bench(seed=seed)
    unit = bench.unit
    stored_before, heat_before = unit.cells.stored_wh, unit.cells.heat_wh
    for power_w in powers:
        bench.write(Point.SETPOINT_W, power_w)
        bench.run(min(200 * dt_s, 600.0), dt_s)
    efficiency = 0.96
    dc_in_wh = unit.charged_wh * efficiency - unit.discharged_wh / efficiency
    stored_wh = unit.cells.stored_wh - stored_before
    heat_wh = unit.cells.heat_wh - heat_before
    throughput_wh = unit.charged_wh + unit.discharged_wh
    assert heat_wh >= 0
    # Half a percent: the current is held over a step while the cells' voltage moves.
    assert dc_in_wh == pytest.approx(stored_wh + heat_wh, abs=0.005 * throughput_wh + 0.1)


def test_grid_is_load_plus_battery_minus_pv_and_the_meters_add_up(bench: Bench) -> None:
    bench.write(Point.SETPOINT_W, 2500)
    bench.run(3600)
    plant, energies = bench.plant, bench.plant.energies
    assert plant.grid_power_w == pytest.approx(
        plant.load_power_w + plant.battery_power_w - plant.pv_power_w
    )
    assert energies.battery_charge_wh == pytest.approx(2500, rel=0.01)
    assert energies.grid_import_wh - energies.grid_export_wh == pytest.approx(
        energies.load_wh + energies.battery_charge_wh - energies.pv_wh
    )


def test_an_island_follows_its_load_whatever_the_setpoint_says(bench: Bench) -> None:
    bench.plant.household.load_override_w, bench.plant.household.pv_override_w = 900.0, 100.0
    bench.write(Point.SETPOINT_W, 2500)
    bench.plant.islanded = True
    bench.run(5)
    assert bench.unit.inverter.power_w == -800.0
    assert (bench.plant.load_power_w, bench.plant.grid_power_w) == (900.0, 0.0)
    values = bench.plant.values(SITE)
    assert (values[Signal.GRID_VOLTAGE_V], values[Signal.GRID_FREQUENCY_HZ]) == (0.0, 0.0)
    assert bench.unit.values()[Signal.ISLANDED] == 1.0
    bench.plant.islanded = False
    bench.run(5)
    assert bench.unit.inverter.power_w == 2500.0
    assert bench.unit.values()[Signal.ISLANDED] == 0.0


def test_an_island_goes_dark_without_its_inverter_or_beyond_what_that_can_do(bench: Bench) -> None:
    bench.plant.household.load_override_w, bench.plant.household.pv_override_w = 900.0, 0.0
    bench.plant.islanded = True
    bench.write(Point.ENABLE, 0)
    bench.run(1)
    assert (bench.plant.load_power_w, bench.unit.inverter.power_w) == (0.0, 0.0)
    bench.write(Point.ENABLE, 1)
    bench.run(1)
    assert bench.plant.load_power_w == 900.0
    bench.plant.household.load_override_w = 6000.0  # the inverter is a 5 kW one
    bench.run(1)
    assert bench.plant.load_power_w == 0.0


def test_losses_show_between_meter_and_cells(bench: Bench) -> None:
    bench.write(Point.SETPOINT_W, 4000)
    bench.run(30)
    cells = bench.unit.cells
    assert bench.unit.inverter.power_w == pytest.approx(4000)
    assert cells.voltage_v * cells.current_a == pytest.approx(4000 * 0.96, rel=0.005)
    bench.write(Point.SETPOINT_W, -4000)
    bench.run(30)
    assert cells.voltage_v * cells.current_a == pytest.approx(-4000 / 0.96, rel=0.005)


@pytest.mark.parametrize("dt_s", [0.02, 0.5, 10.0])
def test_power_follows_the_setpoint_at_every_step_size(make_bench: MakeBench, dt_s: float) -> None:
    bench = make_bench()
    bench.write(Point.SETPOINT_W, 3000)
    bench.run(10, dt_s)
    assert bench.unit.inverter.power_w == 3000
    bench.write(Point.SETPOINT_W, 9999)
    bench.run(10, dt_s)
    assert bench.unit.inverter.power_w == 5000, "the power stage has its limit"


def test_power_begins_to_move_only_after_the_dead_time(bench: Bench) -> None:
    bench.write(Point.SETPOINT_W, 3000)
    bench.run(0.04, 0.01)
    assert bench.unit.inverter.power_w == 0
    bench.run(0.11, 0.01)
    assert 0.5 * 3000 < bench.unit.inverter.power_w < 0.75 * 3000, "one time constant: 63 %"


def test_no_current_flows_without_enable_or_contactor(bench: Bench) -> None:
    bench.write(Point.SETPOINT_W, 3000)
    bench.run(5)
    bench.write(Point.ENABLE, 0)
    assert bench.unit.cells.current_a == 0, "at once, not at the next step"
    bench.run(5)
    assert bench.unit.inverter.power_w == 0
    bench.write(Point.ENABLE, 1)
    bench.write(Point.CONTACTOR, 0)
    bench.run(5)
    assert bench.unit.inverter.power_w == 0
    assert not bench.plant.damage_counts, "it opened without current"


def test_contactor_closes_after_its_precharge_and_opens_at_once(site: Site) -> None:
    bench = Bench(SitePlant.from_site(site))
    bench.write(Point.CONTACTOR, 1)
    bench.run(0.15, 0.05)
    assert not bench.unit.contactor.feedback_closed
    bench.run(0.1, 0.05)
    assert bench.unit.contactor.feedback_closed
    bench.write(Point.CONTACTOR, 0)
    assert not bench.unit.contactor.feedback_closed


def test_current_heats_the_cells(make_bench: MakeBench) -> None:
    bench = make_bench(soc_pct=20)
    bench.write(Point.SETPOINT_W, 5000)
    bench.run(3600)
    rise_c = bench.unit.cells.temperature_mean_c - 20
    heat_j_per_k = 20 * bench.unit.cells.capacity_ah * 16
    assert 1 < rise_c < 20
    assert rise_c == pytest.approx(bench.unit.cells.heat_wh * 3600 / heat_j_per_k, rel=0.25)


def test_revert_timer_stops_after_silence_and_not_before(bench: Bench) -> None:
    inverter = bench.unit.inverter
    bench.write(Point.REVERT_TIMEOUT_S, 5)
    bench.write(Point.SETPOINT_W, 2000)
    bench.run(4.9, 0.1)
    bench.write(Point.SETPOINT_W, 2000)
    bench.run(4.9, 0.1)
    assert inverter.power_w == 2000, "each write refreshes it"
    bench.run(0.2, 0.1)
    assert inverter.setpoint_w == 0
    bench.run(2, 0.1)
    assert inverter.power_w == 0
    bench.run(20, 0.1)
    assert inverter.setpoint_w == 0
    bench.write(Point.SETPOINT_W, 1000)
    bench.run(2, 0.1)
    assert inverter.power_w == 1000


def test_writing_the_timer_refreshes_it_and_zero_means_never(bench: Bench) -> None:
    bench.write(Point.SETPOINT_W, 2000)
    bench.run(1000)
    assert bench.unit.inverter.power_w == 2000
    bench.write(Point.REVERT_TIMEOUT_S, 5)
    bench.run(4, 0.1)
    bench.write(Point.REVERT_TIMEOUT_S, 5)
    bench.run(4, 0.1)
    assert bench.unit.inverter.power_w == 2000
    bench.run(3, 0.1)
    assert bench.unit.inverter.power_w == 0


def test_the_same_seed_gives_the_same_plant_and_another_one_does_not(site: Site) -> None:
    def history(seed: int) -> list[object]:
        bench = Bench(SitePlant.from_site(site, seed=seed))
        bench.connect()
        rows: list[object] = []
        for index in range(50):
            bench.write(Point.SETPOINT_W, 4000 * (-1) ** index)
            bench.run(20)
            rows.append(list(bench.plant.samples()))
            rows.append(bench.unit.cells.cell_voltage_v)
        return rows

    assert history(3) == history(3)
    assert history(3) != history(4)


def test_values_not_finite_or_too_large_are_refused(bench: Bench) -> None:
    for value in (float("nan"), float("inf"), 1e12):
        with pytest.raises(ValueError, match=r"cannot be written|does not fit"):
            bench.write(Point.SETPOINT_W, value)
    assert bench.unit.inverter.setpoint_w == 0


def test_curve_is_constant_beyond_its_ends_and_refuses_disorder() -> None:
    curve = Curve((0.0, 0.0), (2.0, 1.0))
    assert [curve.at(x) for x in (-5, 0, 1, 2, 9)] == [0, 0, 0.5, 1, 1]
    assert curve.shifted(1.0).at(2.0) == 0.5
    with pytest.raises(ValueError, match="ascend"):
        Curve((1.0, 0.0), (1.0, 1.0))
