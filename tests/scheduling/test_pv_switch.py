"""Where import is paid for, PV is switched off: in plans, in the simulator, and on the bill."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from holdfast.core.config import Site
from holdfast.core.errors import PlanFailed
from holdfast.core.plan import Plan, PlanSlot, PlanStatus
from holdfast.core.quarter_hours import QUARTER
from holdfast.core.slot_mode import SlotMode
from holdfast.core.state_machine import State
from holdfast.markets.site_prices import SitePrices
from holdfast.optimization.problem import PlanProblem
from holdfast.scheduling.daily_scheduler import DailyScheduler
from holdfast.scheduling.ladder import Ladder
from holdfast.scheduling.plan_question import PlanQuestion
from holdfast.simulation.accelerated import Simulation
from holdfast.simulation.plant import SitePlant
from holdfast.site.devices import abilities
from tests.optimization.test_plan_model import problem, solve
from tests.scheduling.planning import BOILER, NOW, hourly, site
from tests.scheduling.test_export_limit import (
    HYBRID,
    PLAIN,
    first_slots,
    forecast_of,
    plan_for,
    simulated_site,
)

PAID = 0.20
WORN = site(profile="generic_hybrid", planner="{wear_cost_per_kwh: 0.5}")
"""Its battery is not worth a trade."""


def prices_of(*bought: float, sold: float = -0.20) -> SitePrices:
    return SitePrices(
        currency="EUR", purchase=hourly(*bought), feed_in=hourly(*[sold] * len(bought))
    )


# Plans. -------------------------------------------------------------------------------------------


def test_pv_is_off_where_import_is_paid_for_and_the_inverter_can_switch_it() -> None:
    prices = prices_of(0.3, -PAID, 0.3, 0.3)
    first, paid, *later = first_slots(plan_for(HYBRID, prices, soc_pct=90.0))
    assert [slot.pv_on for slot in (first, paid, *later)] == [True, False, True, True]
    assert paid.grid_power_w is not None
    assert paid.grid_power_w >= 500.0 - 1.0
    assert all(slot.pv_on for slot in plan_for(PLAIN, prices, soc_pct=90.0).slots)
    dark = plan_for(HYBRID, prices, pv_w=0.0).slots
    assert all(slot.pv_on for slot in dark), "there is nothing to switch"


@pytest.mark.parametrize(
    ("price", "on"), [(0.0, True), (-0.005, True), (-0.0051, False), (-0.3, False)]
)
def test_a_price_that_wavers_about_zero_moves_no_switch(price: float, *, on: bool) -> None:
    asked = replace(problem([price], pv_w=2_000.0, sold=[-1.0]), pv_switchable=True)
    assert solve(asked).pv_off.tolist() == [not on]


def test_a_full_battery_rests_and_the_owner_is_told_why() -> None:
    slot = first_slots(plan_for(HYBRID, prices_of(-PAID, -PAID), soc_pct=95.0))[0]
    assert (slot.pv_on, slot.battery_power_w) == (False, pytest.approx(0.0, abs=20.0))
    assert slot.mode is SlotMode.HOLD, "to follow the meter would spend what is stored"
    assert slot.grid_power_w == pytest.approx(500.0, abs=20.0)
    assert slot.reason == "PV is switched off: importing pays 20.0 ct now"


def test_a_battery_with_room_buys_all_that_it_stores() -> None:
    slot = first_slots(plan_for(HYBRID, prices_of(-PAID, -PAID, 0.3), soc_pct=30.0))[0]
    assert (slot.mode, slot.pv_on) == (SlotMode.POWER, False)
    assert slot.battery_power_w > 1000.0
    assert slot.reason.startswith("charges: -20.0 ct now")
    assert slot.reason.endswith("; PV is switched off: importing pays 20.0 ct now")


def test_a_battery_that_helps_while_pv_is_off_holds_the_power_that_is_planned() -> None:
    """To follow the meter would cost what import pays."""
    prices = prices_of(-PAID, -PAID)
    slot = first_slots(plan_for(HYBRID, prices, load_w=13_600.0, soc_pct=95.0))[0]
    assert (slot.mode, slot.pv_on) == (SlotMode.POWER, False)
    assert slot.battery_power_w == pytest.approx(-100.0, abs=2.0)
    assert slot.reason == "makes room, PV is switched off: importing pays 20.0 ct now"


def test_a_feed_in_price_that_is_worth_more_keeps_pv_on() -> None:
    """Of 4 kW half a kilowatt serves the load, and the rest is fed in."""
    for sold, on in ((0.03, True), (0.02, False)):
        prices = prices_of(-PAID, -PAID, sold=sold)
        slot = first_slots(plan_for(WORN, prices, pv_w=4000.0, load_w=500.0))[0]
        assert slot.pv_on is on


def test_pv_stays_on_where_its_load_and_battery_would_come_near_the_import_limit() -> None:
    """15 kW may be imported, and 13.5 kW while PV is off; the battery can make up for 5 kW."""
    for load_w, on in ((13_400.0, False), (18_600.0, True)):
        prices = prices_of(-PAID, -PAID)
        slot = first_slots(plan_for(WORN, prices, load_w=load_w, soc_pct=95.0))[0]
        assert slot.pv_on is on


def near_the_limit() -> Iterator[PlanProblem]:
    """A battery with room for more than may be imported: PV is on so that it can charge more."""
    for value in (0.01, 0.5):
        asked = problem(
            [-0.1], sold=[-0.3], pv_w=5_000.0, load_w=500.0, import_max_w=3_000,
            charge_max_w=6_000.0, soc_now_wh=1_000, terminal_value_per_kwh=value,
        )  # fmt: skip
        yield replace(asked, pv_switchable=True, dt_h=np.array([1.0]))


def test_a_battery_that_is_worth_more_than_the_import_keeps_pv_on() -> None:
    cheap, dear = (solve(asked) for asked in near_the_limit())
    assert cheap.pv_off.tolist() == [True]
    assert cheap.grid_w == pytest.approx(2_700.0, abs=0.5)
    assert dear.pv_off.tolist() == [False]
    assert dear.battery_w == pytest.approx(6_000.0, abs=0.5)


def test_a_site_with_loads_that_wait_switches_pv_off_as_well() -> None:
    of = site(profile="generic_hybrid", loads=BOILER)
    slots = first_slots(plan_for(of, prices_of(0.3, -PAID, -PAID, 0.3), soc_pct=95.0))
    assert [slot.pv_on for slot in slots] == [True, False, False, True]


def test_an_inverter_that_is_led_by_modes_is_not_told_what_its_pv_does() -> None:
    of = site(profile="generic_hybrid", planner="{device_modes: [battery_first, load_first]}")
    slots = plan_for(of, prices_of(-PAID, -PAID), soc_pct=95.0).slots
    assert all(slot.pv_on for slot in slots)


def test_the_rule_on_prices_alone_leaves_pv_on() -> None:
    def fail() -> Plan:
        raise PlanFailed("no answer")

    plan = Ladder(HYBRID, abilities(HYBRID)).plan(NOW, prices_of(-PAID, -PAID), fail)
    assert plan.status is PlanStatus.TIME_OF_USE
    assert all(slot.pv_on for slot in plan.slots)


# In the simulator: plan, cycle, inverter, PV, meter. ----------------------------------------------


def worn(of: Site) -> Site:
    """Returns the site with a battery that is not worth a trade."""
    planner = of.planner.model_copy(update={"wear_cost_per_kwh": 0.5})
    return of.model_copy(update={"planner": planner})


class Paid:
    """An hour of sun in which import is paid for, between two in which it is not."""

    def __init__(self, folder: Path, profile: str) -> None:
        of = worn(simulated_site(folder, profile))
        plant = SitePlant.from_site(of, soc_pct=97.0)
        plant.household.pv_override_w, plant.household.load_override_w = 0.0, 500.0
        self.simulation = Simulation(of, plant, start=NOW - timedelta(minutes=2))
        self.simulation.start()
        plant.household.pv_override_w = 4000.0
        self.plant, self.cost = plant, 0.0
        self.slots: list[PlanSlot] = []
        self.pv_w: list[float] = []
        self.grid_w: list[float] = []
        prices = prices_of(0.3, -PAID, *[0.3] * 20, sold=0.0)
        scheduler = DailyScheduler(of, abilities(of))
        for quarter in range(12):
            self.simulation.utc = NOW + quarter * QUARTER
            question = PlanQuestion(
                now_utc=self.simulation.utc,
                soc_pct=self.simulation.soc_pct,
                prices=prices,
                forecast=forecast_of(500.0, 4000.0),
            )
            plan = scheduler.make_plan(question)
            self.simulation.take_plan(plan)
            before_wh = plant.energies.grid_import_wh
            for _ in range(900):
                record = self.simulation.step()
                assert {found.row for found in record.assessment.findings} <= {"soc_high"}
            bought = (plant.energies.grid_import_wh - before_wh) / 1e3
            self.cost += bought * plan.slots[0].import_price_per_kwh
            self.slots.append(plan.slots[0])
            self.pv_w.append(plant.pv_power_w)
            self.grid_w.append(plant.grid_power_w)


def test_pv_is_off_for_the_hour_that_pays_and_back_on_after_it(tmp_path: Path) -> None:
    switching, plain = Paid(tmp_path, "generic_hybrid"), Paid(tmp_path, "generic_inverter")
    on = [slot.pv_on for slot in switching.slots]
    assert on == [True] * 4 + [False] * 4 + [True] * 4
    for pv_on, pv_w, grid_w in zip(on, switching.pv_w, switching.grid_w, strict=True):
        assert pv_w == pytest.approx(4000.0 if pv_on else 0.0, abs=5.0)
        assert (grid_w > 450.0) is not pv_on
    assert min(plain.pv_w) == 4000.0
    # Half a kilowatt hour of load, and what the battery takes, at 20 ct.
    assert plain.cost - switching.cost > 0.095
    assert switching.plant.energies.pv_throttled_wh == pytest.approx(4000.0, rel=0.01)
    assert switching.simulation.state.machine is State.RUNNING
