"""The limits matter: with them the battery is whole, without them the same run damages it.

A safety check that could be taken away without harm to the plant would be no check. The BMS
of these runs tells no limits (or wrong ones) and does not open the pack, so that Holdfast's
limit monitor is all there is between a request and the cells.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from holdfast.control.plan_gate import AcceptedPlan
from holdfast.core.plan import Plan, PlanSlot, PlanStatus
from holdfast.core.signals import Signal
from holdfast.core.slot_mode import SlotMode
from holdfast.safety import derating
from holdfast.safety.limit_monitor import LimitMonitor
from holdfast.simulation.accelerated import Simulation
from holdfast.simulation.plant import SitePlant
from holdfast.simulation.plant.damage import DamageKind
from holdfast.site.site_file import parse_site
from holdfast.testing.rig import UNIT
from holdfast.testing.sites import example_content

START = datetime(2026, 1, 15, 0, 0, tzinfo=UTC)
HOURS = 2.0
Prepare = Callable[[SitePlant], None]


def simulation_of(folder: Path, *, soc_pct: float, ambient_c: float, on_can: bool) -> Simulation:
    """A site whose BMS protects nothing; on Modbus it tells no limits and no cell voltages."""
    site = parse_site(yaml.safe_dump(example_content(folder, bms_on_can=on_can)), folder=folder)
    plant = SitePlant.from_site(site, soc_pct=soc_pct, ambient_c=ambient_c, bms_protects=False)
    return Simulation(site, plant, start=START, step_s=1.0)


def lie(simulation: Simulation) -> None:
    """The BMS tells full current limits and no protection, whatever its cells are like."""
    bms = simulation.plant.units[UNIT].bms

    def say_all_is_well(*_: object) -> None:
        bms.alarms = bms.protections = 0
        bms.charge_limit_a = bms.hardware.charge_current_max_a
        bms.discharge_limit_a = bms.hardware.discharge_current_max_a

    bms._limit = say_all_is_well  # type: ignore[method-assign]
    say_all_is_well()


def ask_for(simulation: Simulation, power_w: float) -> None:
    """A plan that wants ``power_w`` all the time."""
    slot = PlanSlot(
        start=simulation.utc,
        end=simulation.utc + timedelta(hours=HOURS + 1),
        mode=SlotMode.POWER,
        battery_power_w=power_w,
        grid_power_w=0.0,
        soc_end_pct=50.0,
        import_price_per_kwh=0.3,
        reason="whatever it takes",
    )
    plan = Plan(
        plan_id="greedy",
        created=simulation.utc,
        expires=simulation.utc + timedelta(minutes=90),
        status=PlanStatus.OPTIMAL,
        expected_cost=0.0,
        slots=(slot,),
    )
    simulation.take_plan(plan)
    assert isinstance(simulation._plan, AcceptedPlan)
    # For ever: how long plans live is not what is tested here.
    simulation._plan = replace(simulation._plan, expires_ns=2**62)


def run(simulation: Simulation, power_w: float, prepare: Prepare) -> dict[DamageKind, int]:
    """Ask for ``power_w`` for hours; what it did to the battery."""
    simulation.start()
    prepare(simulation.plant)
    ask_for(simulation, power_w)
    for _ in range(round(HOURS * 3600)):
        simulation.step()
        if simulation.plant.units[UNIT].damage:
            break
    return simulation.plant.damage_counts.get(UNIT, {})


def _nothing(_: SitePlant) -> None:
    pass


def _a_frosty_night(plant: SitePlant) -> None:
    plant.ambient_c = -25.0
    for unit in plant.units.values():
        unit.cells.set_temperature(2.5)


CASES = {
    # id: (SOC at the start, W asked for, what is done to the plant, the damage)
    "overcharge": (85.0, 5000.0, _nothing, DamageKind.CELL_OVER_VOLTAGE),
    "over-discharge": (15.0, -5000.0, _nothing, DamageKind.CELL_UNDER_VOLTAGE),
    "cold charge": (30.0, 1000.0, _a_frosty_night, DamageKind.COLD_CHARGE),
}


@pytest.fixture
def without_derating(monkeypatch: pytest.MonkeyPatch) -> None:
    """The derating curves are one layer, the limit monitor another: each is to hold alone."""
    monkeypatch.setattr(derating, "DERATINGS", ())


@pytest.mark.parametrize("on_can", [False, True], ids=["no limits told", "wrong limits told"])
@pytest.mark.parametrize("case", CASES)
def test_the_shipped_safety_path_keeps_the_battery_whole(
    tmp_path: Path, case: str, on_can: bool
) -> None:
    soc_pct, power_w, prepare, _ = CASES[case]
    simulation = simulation_of(tmp_path, soc_pct=soc_pct, ambient_c=10.0, on_can=on_can)
    lie(simulation)
    assert run(simulation, power_w, prepare) == {}
    assert simulation.tally.cycles > HOURS * 3600


@pytest.mark.usefixtures("without_derating")
@pytest.mark.parametrize("on_can", [False, True], ids=["no limits told", "wrong limits told"])
@pytest.mark.parametrize("case", CASES)
def test_the_limit_monitor_alone_keeps_the_battery_whole_and_without_it_nothing_does(
    tmp_path: Path, case: str, on_can: bool
) -> None:
    soc_pct, power_w, prepare, damage = CASES[case]
    whole = simulation_of(tmp_path, soc_pct=soc_pct, ambient_c=10.0, on_can=on_can)
    lie(whole)
    assert run(whole, power_w, prepare) == {}

    without = simulation_of(tmp_path, soc_pct=soc_pct, ambient_c=10.0, on_can=on_can)
    lie(without)
    without.cycle.assessor.limit_monitor = LimitMonitor(())
    assert damage in run(without, power_w, prepare)


@pytest.mark.usefixtures("without_derating")
def test_a_soc_that_lies_is_caught_by_the_voltage(tmp_path: Path) -> None:
    # A current sensor that is off takes the counted SOC away from the true one.
    def with_offset(plant: SitePlant) -> None:
        plant.units[UNIT].bms.current_offset_a = -20.0

    simulation = simulation_of(tmp_path, soc_pct=70.0, ambient_c=20.0, on_can=True)
    lie(simulation)
    assert run(simulation, 5000.0, with_offset) == {}
    plant = simulation.plant.units[UNIT]
    assert plant.values()[Signal.SOC_PCT] < 95.0  # what is told would still permit charging
    assert float(plant.cells.soc.mean()) > 0.95
