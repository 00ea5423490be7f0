"""A hybrid inverter throttles PV to its export limit, and a battery that follows the meter gets
its part all the same."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from holdfast.core.commands import Point, Write
from holdfast.core.config import Site
from holdfast.core.plan import Plan, PlanSlot, PlanStatus
from holdfast.core.role import Role
from holdfast.core.signals import SITE, Signal
from holdfast.core.slot_mode import SlotMode
from holdfast.core.state_machine import State
from holdfast.simulation.accelerated import Simulation
from holdfast.simulation.plant import SitePlant
from holdfast.simulation.servers.protocol_faults import ProtocolFault
from holdfast.simulation.servers.site_server import SiteServer
from holdfast.site.site_file import parse_site
from holdfast.testing.sites import example_content
from tests.simulation.plant_bench import Bench
from tests.simulation.wire_bench import client_of

NOON = datetime(2026, 6, 21, 12, tzinfo=UTC)


def hybrid_site(folder: Path, *, inverters: int = 1, **grid: float) -> Site:
    content = example_content(folder, bms_on_can=False)
    content["grid"] |= grid
    (unit,) = content["storage"]
    unit["inverter"]["profile"] = "generic_hybrid"
    content["storage"] = [unit | {"name": f"battery{n or ''}"} for n in range(inverters)]
    return parse_site(yaml.safe_dump(content), folder=folder)


def sunny(
    site: Site, *, pv_w: float = 4000.0, load_w: float = 500.0, soc_pct: float = 50.0
) -> Bench:
    bench = Bench(SitePlant.from_site(site, soc_pct=soc_pct))
    bench.plant.household.pv_override_w, bench.plant.household.load_override_w = pv_w, load_w
    bench.connect()
    return bench


def test_as_delivered_it_limits_nothing(tmp_path: Path) -> None:
    bench = sunny(hybrid_site(tmp_path))
    bench.run(10.0)
    assert bench.plant.grid_power_w == -3500.0
    assert bench.unit.values()[Signal.EXPORT_LIMIT_READBACK_W] == 100_000.0


def test_export_falls_to_the_limit_within_seconds_and_what_is_lost_is_counted(
    tmp_path: Path,
) -> None:
    bench = sunny(hybrid_site(tmp_path))
    bench.write(Point.EXPORT_LIMIT_W, 100.0)
    seen = []
    for _ in range(80):
        bench.run(0.1, 0.1)
        seen.append(-bench.plant.grid_power_w)
    assert all(after < before for before, after in pairwise(seen))
    assert seen[9] == pytest.approx(100 + 3400 / 2.718, rel=0.01)  # a lag of one second
    assert seen[-1] == pytest.approx(100.0, abs=3.0)
    plant = bench.plant
    assert plant.pv_power_w == plant.values(SITE)[Signal.PV_POWER_W] == pytest.approx(600, abs=3)
    energies = plant.energies
    sun_wh = 4000.0 * plant.time_s / 3600
    assert energies.pv_throttled_wh == pytest.approx(3400 * (8 - 1) / 3600, rel=0.02)
    assert energies.pv_wh + energies.pv_throttled_wh == pytest.approx(sun_wh)
    bench.write(Point.EXPORT_LIMIT_W, 10_000.0)
    bench.run(10.0)
    assert plant.grid_power_w == pytest.approx(-3500.0, abs=1.0)


@pytest.mark.parametrize("dt_s", [0.01, 1.0, 900.0])
def test_a_limit_of_nothing_leaves_what_load_and_battery_take(tmp_path: Path, dt_s: float) -> None:
    bench = sunny(hybrid_site(tmp_path))
    bench.write(Point.EXPORT_LIMIT_W, 0.0)
    bench.write(Point.CHARGE_POWER_W, 5000.0)
    bench.write(Point.SETPOINT_W, 1500.0)
    bench.run(max(15.0, dt_s), dt_s)
    assert bench.plant.battery_power_w == pytest.approx(1500.0, abs=1.0)
    assert bench.plant.grid_power_w == pytest.approx(0.0, abs=1.0)
    assert bench.plant.pv_power_w == pytest.approx(2000.0, abs=1.0)


def test_at_night_there_is_nothing_to_throttle_whatever_the_limit(tmp_path: Path) -> None:
    bench = sunny(hybrid_site(tmp_path))
    bench.write(Point.EXPORT_LIMIT_W, 0.0)
    bench.run(10.0)
    bench.plant.household.pv_override_w = 0.0
    bench.run(0.1, 0.1)
    assert bench.plant.pv_power_w == 0.0
    bench.run(10.0)
    assert bench.plant.grid_power_w == 500.0


def test_an_island_exports_nothing_and_is_not_throttled(tmp_path: Path) -> None:
    bench = sunny(hybrid_site(tmp_path), pv_w=1000.0)
    bench.write(Point.EXPORT_LIMIT_W, 0.0)
    bench.write(Point.CHARGE_POWER_W, 5000.0)
    bench.run(5.0)
    lost_wh = bench.plant.energies.pv_throttled_wh
    bench.plant.islanded = True
    bench.run(60.0)
    assert bench.plant.pv_power_w == 1000.0
    assert bench.plant.battery_power_w == pytest.approx(500.0)
    assert bench.plant.energies.pv_throttled_wh == lost_wh


def test_of_several_inverters_the_lowest_limit_counts(tmp_path: Path) -> None:
    bench = sunny(hybrid_site(tmp_path, inverters=2))
    for unit, limit_w in (("battery", 3000.0), ("battery1", 700.0)):
        write = Write(unit=unit, role=Role.INVERTER, point=Point.EXPORT_LIMIT_W, value=limit_w)
        bench.plant.apply(write)
    bench.run(20.0)
    assert bench.plant.grid_power_w == pytest.approx(-700.0, abs=1.0)


def test_an_inverter_without_the_point_refuses_it_and_throttles_nothing(bench: Bench) -> None:
    bench.plant.household.pv_override_w, bench.plant.household.load_override_w = 4000.0, 500.0
    with pytest.raises(ValueError, match="has no point export_limit_w"):
        bench.write(Point.EXPORT_LIMIT_W, 100.0)
    bench.unit.inverter.export_limit_w = 0.0
    bench.run(10.0)
    assert bench.plant.grid_power_w == -3500.0
    assert bench.plant.energies.pv_throttled_wh == 0.0


def test_pv_stops_within_seconds_once_any_inverter_in_front_of_it_says_off(tmp_path: Path) -> None:
    bench = sunny(hybrid_site(tmp_path, inverters=2))

    def switch(unit: str, value: float) -> None:
        bench.plant.apply(Write(unit=unit, role=Role.INVERTER, point=Point.PV_ON, value=value))

    switch("battery1", 0.0)
    bench.run(1.0, 0.1)
    assert bench.plant.pv_power_w == pytest.approx(4000 / 2.718, rel=0.01)  # a lag of one second
    bench.run(15.0)
    assert bench.plant.pv_power_w == pytest.approx(0.0, abs=1.0)
    assert bench.plant.grid_power_w == pytest.approx(500.0, abs=1.0)
    assert bench.plant.pv_throttled_w == pytest.approx(4000.0, abs=1.0)
    shown = [bench.plant.values(unit)[Signal.PV_ON] for unit in ("battery", "battery1")]
    assert shown == [1.0, 0.0]
    assert bench.plant.stored("battery1", Point.PV_ON) == 0.0
    switch("battery1", 1.0)
    bench.run(15.0)
    assert bench.plant.pv_power_w == pytest.approx(4000.0, abs=1.0)


def test_the_revert_timer_lets_pv_through_again_with_or_without_a_setpoint(tmp_path: Path) -> None:
    for setpoint_w in (0.0, 500.0):
        bench = sunny(hybrid_site(tmp_path))
        inverter = bench.plant.units["battery"].inverter
        bench.write(Point.REVERT_TIMEOUT_S, 5.0)
        bench.write(Point.SETPOINT_W, setpoint_w)
        bench.write(Point.PV_ON, 0.0)
        bench.run(4.9, 0.1)
        assert (inverter.pv_on, inverter.setpoint_w) == (False, setpoint_w)
        bench.run(0.1, 0.1)
        assert (inverter.pv_on, inverter.setpoint_w) == (True, 0.0)
        bench.write(Point.PV_ON, 0.0)
        bench.write(Point.SETPOINT_W, 0.0)  # its master is back
        bench.run(4.0, 0.1)
        assert not inverter.pv_on


def test_an_island_whose_pv_is_off_lives_on_its_battery(tmp_path: Path) -> None:
    bench = sunny(hybrid_site(tmp_path), pv_w=1000.0)
    bench.write(Point.DISCHARGE_POWER_W, 5000.0)
    bench.write(Point.PV_ON, 0.0)
    bench.plant.islanded = True
    bench.run(10.0)
    assert bench.plant.pv_power_w == 0.0
    assert bench.plant.battery_power_w == pytest.approx(-500.0)
    assert bench.plant.load_power_w == 500.0


async def test_a_device_may_ignore_its_pv_switch_and_nothing_else(tmp_path: Path) -> None:
    site = hybrid_site(tmp_path)
    plant = SitePlant.from_site(site)
    inverter = plant.units["battery"].inverter
    async with SiteServer(site, plant) as server, client_of(site, Role.INVERTER) as client:
        fault = ("battery", Role.INVERTER, ProtocolFault.IGNORE_PV_SWITCH)
        await server.set_fault(*fault)
        await client.write_register(11, 0, device_id=1)
        assert inverter.pv_on
        await server.clear_fault(*fault)
        await client.write_register(11, 0, device_id=1)
        answer = await client.read_holding_registers(11, count=1, device_id=1)
        assert answer.registers == [0]
    assert not inverter.pv_on


async def test_a_device_may_ignore_its_export_limit_and_nothing_else(tmp_path: Path) -> None:
    site = hybrid_site(tmp_path)
    plant = SitePlant.from_site(site)
    inverter = plant.units["battery"].inverter
    async with SiteServer(site, plant) as server, client_of(site, Role.INVERTER) as client:
        fault = ("battery", Role.INVERTER, ProtocolFault.IGNORE_EXPORT_LIMIT)
        await server.set_fault(*fault)
        for address in (2, 9):
            answer = await client.write_registers(address, [0, 700], device_id=1)
            assert not answer.isError()
        assert (inverter.setpoint_w, inverter.export_limit_w) == (700.0, 100_000.0)
        await server.clear_fault(*fault)
        await client.write_registers(9, [0, 700], device_id=1)
        answer = await client.read_holding_registers(9, count=2, device_id=1)
        assert answer.registers == [0, 700]
    assert inverter.export_limit_w == 700.0


# The whole loop: plan, cycle, inverter, PV, meter. ------------------------------------------------


def plan_limiting_export(limit_w: float) -> Plan:
    """Half a minute in which the battery rests, then ten in which it follows the meter."""
    rests_until, ends = NOON + timedelta(seconds=30), NOON + timedelta(minutes=10)
    return Plan(
        plan_id="p",
        created=NOON,
        expires=ends,
        expected_cost=0.0,
        status=PlanStatus.OPTIMAL,
        slots=tuple(
            PlanSlot(
                start=start,
                end=end,
                mode=mode,
                battery_power_w=0.0,
                grid_power_w=0.0,
                soc_end_pct=50.0,
                import_price_per_kwh=0.3,
                reason="export costs",
                export_limit_w=limit_w,
            )
            for start, end, mode in (
                (NOON, rests_until, SlotMode.POWER),
                (rests_until, ends, SlotMode.SELF_CONSUMPTION),
            )
        ),
    )


def run_limited(
    site: Site, limit_w: float, *, seconds: int = 120, soc_pct: float = 50.0
) -> Simulation:
    """4 kW of sun for a load of 0.5 kW, and for a battery that rests at first."""
    bench = sunny(site, pv_w=500.0, soc_pct=soc_pct)
    simulation = Simulation(site, bench.plant, start=NOON - timedelta(seconds=60), step_s=0.1)
    simulation.start()
    simulation.utc = NOON
    simulation.take_plan(plan_limiting_export(limit_w))
    simulation.step()
    bench.plant.household.pv_override_w = 4000.0
    for _ in range(10 * seconds):
        record = simulation.step()
        # Nothing that the safety layers could take for a meter or an inverter gone wrong.
        assert {f.row for f in record.assessment.findings} <= {"soc_high"}
    return simulation


def test_a_battery_that_follows_the_meter_takes_all_of_the_sun_by_probing(tmp_path: Path) -> None:
    """100 W are left to be seen; each time that they are stored, as much more is let through."""
    plant = run_limited(hybrid_site(tmp_path), 100.0).plant
    assert plant.pv_power_w == pytest.approx(4000.0, abs=5.0)
    assert plant.battery_power_w == pytest.approx(3500.0, abs=15.0)
    assert plant.grid_power_w == pytest.approx(0.0, abs=15.0)


def test_a_limit_of_nothing_hides_the_surplus_from_a_battery_that_follows_the_meter(
    tmp_path: Path,
) -> None:
    """Why the planner leaves 100 W."""
    plant = run_limited(hybrid_site(tmp_path), 0.0).plant
    assert plant.battery_power_w == pytest.approx(0.0, abs=20.0)
    assert plant.pv_power_w == pytest.approx(500.0, abs=20.0)
    assert plant.energies.pv_throttled_wh == pytest.approx(3500 * 120 / 3600, rel=0.05)


def test_a_full_battery_leaves_the_plans_limit_and_then_the_grids(tmp_path: Path) -> None:
    simulation = run_limited(hybrid_site(tmp_path), 100.0, soc_pct=100.0)
    plant = simulation.plant
    assert plant.grid_power_w == pytest.approx(-100.0, abs=5.0)
    assert plant.units["battery"].inverter.export_limit_w == 100.0
    simulation.drop_plan()
    for _ in range(100):
        simulation.step()
    assert plant.grid_power_w == pytest.approx(-3500.0, abs=5.0)
    assert plant.units["battery"].inverter.export_limit_w == 10_000.0
    assert simulation.state.machine is State.RUNNING
