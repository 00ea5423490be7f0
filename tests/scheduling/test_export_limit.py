"""Where an export costs, PV is throttled: in plans, by the rule on prices, and in the simulator."""

import math
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import yaml

from holdfast.core.config import Site
from holdfast.core.errors import PlanFailed
from holdfast.core.plan import Plan, PlanSlot, PlanStatus
from holdfast.core.quarter_hours import QUARTER
from holdfast.core.slot_mode import SlotMode
from holdfast.forecasting.forecast import Basis, PowerForecast
from holdfast.forecasting.site_forecast import SiteForecast
from holdfast.markets.site_prices import SitePrices
from holdfast.optimization.problem import BatteryModel, PlanProblem, PlanSolution
from holdfast.scheduling.daily_scheduler import DailyScheduler
from holdfast.scheduling.export_limit import (
    PROBE_W,
    export_limit_w,
    may_be_throttled,
)
from holdfast.scheduling.ladder import Ladder
from holdfast.scheduling.plan_question import PlanQuestion
from holdfast.scheduling.trajectory import Trajectory, build_trajectory
from holdfast.simulation.accelerated import Simulation
from holdfast.simulation.plant import SitePlant
from holdfast.site.devices import abilities
from holdfast.site.site_file import parse_site
from holdfast.testing.sites import example_content
from tests.scheduling.planning import NOW, hourly, site

HYBRID = site(profile="generic_hybrid")
PLAIN = site()


def prices_of(bought: float, *sold: float) -> SitePrices:
    return SitePrices(currency="EUR", purchase=hourly(*[bought] * len(sold)), feed_in=hourly(*sold))


def forecast_of(load_w: float, pv_w: float) -> SiteForecast:
    load, pv = (
        PowerForecast(start_utc=NOW, mean_w=(mean_w,) * 200, basis=Basis.HISTORY)
        for mean_w in (load_w, pv_w)
    )
    return SiteForecast(load=load, pv=pv)


def plan_for(
    of: Site,
    prices: SitePrices,
    *,
    pv_w: float = 4000.0,
    load_w: float = 500.0,
    soc_pct: float = 95.0,
) -> Plan:
    return DailyScheduler(of, abilities(of)).make_plan(
        PlanQuestion(
            now_utc=NOW, soc_pct=soc_pct, prices=prices, forecast=forecast_of(load_w, pv_w)
        )
    )


def first_slots(plan: Plan) -> list[PlanSlot]:
    """One for each hour."""
    return list(plan.slots[::4])


# Whether and how far. -----------------------------------------------------------------------------


def test_a_site_can_throttle_if_one_of_its_inverters_can() -> None:
    two = {"charge_power_max_w": 5000, "discharge_power_max_w": 5000}
    both = site(second=yaml.safe_dump(two, default_flow_style=True).strip())
    hybrid = HYBRID.storage[0].inverter
    mixed = both.model_copy(
        update={
            "storage": (both.storage[0], both.storage[1].model_copy(update={"inverter": hybrid}))
        }
    )
    assert [abilities(of).throttles_pv for of in (PLAIN, HYBRID, both, mixed)] == [
        False,
        True,
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("price", "export_max_w", "limit_w"),
    [
        (-1e-6, 10_000.0, PROBE_W), (-0.3, 100.0, 100.0), (-0.3, 99.0, 99.0), (-0.3, 0.0, 0.0),
        (0.0, 10_000.0, None), (0.1, 10_000.0, None),
    ],
)  # fmt: skip
def test_an_export_that_costs_is_limited_to_what_has_to_be_seen_at_the_meter(
    price: float, export_max_w: float, limit_w: float | None
) -> None:
    assert export_limit_w(price, export_max_w) == limit_w


@pytest.mark.parametrize(
    ("limit_w", "grid_w", "throttled"),
    [
        (100.0, -50.0, True), (100.0, -49.9, False), (100.0, 2000.0, False), (100.0, -120.0, True),
        (60.0, -30.0, True), (60.0, -29.9, False), (3000.0, -2950.0, True),
        (3000.0, -2949.9, False), (0.0, 0.0, False), (0.0, -50.0, False), (None, -100.0, False),
        (100.0, None, False),
    ],
)  # fmt: skip
def test_an_export_near_its_limit_may_be_throttled_pv(
    limit_w: float | None, grid_w: float | None, *, throttled: bool
) -> None:
    assert may_be_throttled(limit_w, grid_w) is throttled


# Plans. -------------------------------------------------------------------------------------------


def test_every_slot_in_which_an_export_costs_has_the_limit_with_sun_or_without() -> None:
    prices = prices_of(0.3, -0.03, -0.001, 0.0, 0.05, -0.2)
    for pv_w in (4000.0, 0.0):
        plan = plan_for(HYBRID, prices, pv_w=pv_w)
        limits = [slot.export_limit_w for slot in first_slots(plan)]
        assert limits == [100.0, 100.0, None, None, 100.0]
        assert {slot.export_limit_w for slot in plan_for(PLAIN, prices, pv_w=pv_w).slots} == {None}


def test_what_is_throttled_is_told_with_its_price() -> None:
    throttled, exported = first_slots(plan_for(HYBRID, prices_of(0.3, -0.03, 0.05)))
    assert throttled.reason == "throttles PV: export costs 3.0 ct now"
    assert (throttled.grid_power_w, throttled.battery_power_w) == (pytest.approx(0.0), 0.0)
    assert throttled.mode is not SlotMode.POWER  # full: it serves the load if the sun is gone
    assert "throttle" not in exported.reason
    assert exported.grid_power_w == pytest.approx(-3500.0)


def test_a_battery_with_room_stores_what_it_can_and_the_rest_is_throttled() -> None:
    (slot,) = first_slots(plan_for(HYBRID, prices_of(0.3, -0.03), pv_w=9000.0, soc_pct=30.0))
    assert slot.mode is SlotMode.SELF_CONSUMPTION
    assert slot.battery_power_w == pytest.approx(5000.0)
    assert slot.reason.startswith("stores PV surplus")
    assert slot.reason.endswith("; throttles the rest: export costs 3.0 ct now")


def test_room_that_is_worth_more_later_is_kept_while_pv_is_throttled() -> None:
    """In an hour import is paid for; so the battery makes room, against the load alone."""
    prices = SitePrices(
        currency="EUR", purchase=hourly(0.02, -0.2, -0.2, 0.02), feed_in=hourly(*[-0.3] * 4)
    )
    of = site(profile="generic_hybrid", planner="{wear_cost_per_kwh: 0.01}")
    slot = first_slots(plan_for(of, prices, soc_pct=95.0))[0]
    assert slot.mode is SlotMode.POWER
    assert slot.battery_power_w == pytest.approx(-500.0, abs=20.0)
    assert slot.export_limit_w == 100.0
    assert slot.reason == "makes room, throttles PV: export costs 30.0 ct now"
    worn = site(profile="generic_hybrid", planner="{wear_cost_per_kwh: 0.5}")
    rests = first_slots(plan_for(worn, prices, pv_w=900.0, soc_pct=60.0))[0]
    assert (rests.mode, rests.battery_power_w) == (SlotMode.POWER, 0.0)
    assert rests.reason == "throttles PV: export costs 30.0 ct now"


def test_who_makes_room_by_an_export_throttles_all_the_sun_beside_it() -> None:
    prices = SitePrices(
        currency="EUR", purchase=hourly(0.02, -0.6, -0.6, 0.02), feed_in=hourly(*[-0.05] * 4)
    )
    slot = first_slots(plan_for(HYBRID, prices, soc_pct=95.0))[0]
    assert (slot.mode, slot.battery_power_w) == (SlotMode.POWER, pytest.approx(-5000.0))
    assert slot.grid_power_w == pytest.approx(-4500.0)
    assert slot.export_limit_w == pytest.approx(4500.0)


def outlook_on(grid_w: float, curtailed_w: float = 0.0, **changes: object) -> Trajectory:
    """Of one slot in which an export costs."""
    battery = BatteryModel(
        capacity_wh=10_000,
        soc_min_wh=0,
        soc_max_wh=10_000,
        soc_now_wh=5_000,
        charge_max_w=5_000,
        discharge_max_w=5_000,
        charge_efficiency=0.96,
        discharge_efficiency=0.96,
    )
    problem = PlanProblem(
        dt_h=np.array([0.25]),
        import_price_per_kwh=np.array([0.3]),
        export_price_per_kwh=np.array([-0.1]),
        load_w=np.array([500.0]),
        pv_w=np.array([4000.0]),
        import_max_w=10_000.0,
        export_max_w=10_000.0,
        battery=battery,
        pv_curtailable=True,
    )
    solution = PlanSolution(
        status=PlanStatus.OPTIMAL,
        relaxed=(),
        battery_w=np.zeros(1),
        grid_w=np.array([grid_w]),
        curtailed_w=np.array([curtailed_w]),
        pv_off=np.zeros(1, dtype=bool),
        soc_wh=np.array([5_000.0]),
        stored_value_per_kwh=np.array([0.1]),
        grid_cost=0.0,
        objective=0.0,
        bound=0.0,
    )
    return build_trajectory((NOW,), replace(problem, **changes), solution)  # type: ignore[arg-type]


def test_what_a_plan_exports_on_purpose_is_not_throttled() -> None:
    for grid_w, limit_w in ((-100.0, 100.0), (-100.1, 100.1), (-3000.0, 3000.0), (2000.0, 100.0)):
        assert outlook_on(grid_w).export_limit_w == (limit_w,)
    assert outlook_on(-10_000.1).export_limit_w == (10_000.0,)  # the plan gate takes no more
    # Nor what is above the export limit of the grid connection, while the rest earns.
    earns = outlook_on(-3000.0, 500.0, export_price_per_kwh=np.array([0.1]), export_max_w=3000.0)
    assert (earns.export_limit_w, earns.throttles) == ((None,), (False,))


def test_a_few_watts_are_not_called_throttling() -> None:
    assert [outlook_on(0.0, watt).throttles[0] for watt in (0.0, 25.0, 25.1)] == [
        False,
        False,
        True,
    ]
    assert outlook_on(0.0, 900.0, pv_curtailable=False).throttles == (False,)


# The rule on prices alone. ------------------------------------------------------------------------


def test_the_rule_throttles_where_an_export_costs_and_the_site_can() -> None:
    def fail() -> Plan:
        raise PlanFailed("no answer")

    prices = prices_of(0.3, -0.03, 0.0, 0.05, -0.01)
    for of, limits in ((HYBRID, [100.0, None, None, 100.0]), (PLAIN, [None] * 4)):
        plan = Ladder(of, abilities(of)).plan(NOW, prices, fail)
        assert plan.status is PlanStatus.TIME_OF_USE
        assert [slot.export_limit_w for slot in first_slots(plan)] == limits
    small = site(profile="generic_hybrid", export_max_w=60)
    assert Ladder(small, abilities(small)).plan(NOW, prices, fail).slots[0].export_limit_w == 60.0


# In the simulator. --------------------------------------------------------------------------------

START = NOW
HOURS = 3


def simulated_site(folder: Path, profile: str) -> Site:
    content = example_content(folder, bms_on_can=False)
    content["timezone"] = "Europe/Berlin"
    content["storage"][0]["inverter"]["profile"] = profile
    return parse_site(yaml.safe_dump(content), folder=folder)


class Day:
    """Three hours of sun in which export costs 5 ct, planned anew each quarter hour."""

    def __init__(self, of: Site, *, forecast_pv_w: float = 4000.0, pv_w: float = 4000.0) -> None:
        plant = SitePlant.from_site(of, soc_pct=80.0)
        plant.household.pv_override_w, plant.household.load_override_w = 0.0, 500.0
        self.simulation = Simulation(of, plant, start=START - timedelta(minutes=2))
        self.simulation.start()
        plant.household.pv_override_w = pv_w
        self.plant, self.cost = plant, 0.0
        self.planned: list[PlanSlot] = []
        self.grid_w: list[float] = []
        self.battery_w: list[float] = []
        prices = prices_of(0.30, *[-0.05] * HOURS, *[0.02] * 20)
        scheduler = DailyScheduler(of, abilities(of))
        forecast = forecast_of(500.0, forecast_pv_w)
        for quarter in range(4 * HOURS):
            self.simulation.utc = START + quarter * QUARTER
            plan = scheduler.make_plan(
                PlanQuestion(
                    now_utc=self.simulation.utc,
                    soc_pct=self.simulation.soc_pct,
                    prices=prices,
                    forecast=forecast,
                )
            )
            self.simulation.take_plan(plan)
            self._quarter(plan.slots[0], prices)

    def _quarter(self, slot: PlanSlot, prices: SitePrices) -> None:
        energies = self.plant.energies
        before = (energies.grid_import_wh, energies.grid_export_wh, energies.battery_charge_wh)
        for _ in range(900):
            self.simulation.step()
        bought, sold, charged = (
            (now - then) / 1e3
            for now, then in zip(
                (energies.grid_import_wh, energies.grid_export_wh, energies.battery_charge_wh),
                before, strict=True,
            )
        )  # fmt: skip
        self.planned.append(slot)
        self.grid_w.append((bought - sold) * 4e3)
        self.battery_w.append(charged * 4e3)
        earned = prices.feed_in.price_at(slot.start)
        assert earned is not None
        self.cost += bought * slot.import_price_per_kwh - sold * earned


def test_a_site_that_throttles_pays_less_and_does_what_its_plan_says(tmp_path: Path) -> None:
    throttling = Day(simulated_site(tmp_path, "generic_hybrid"))
    exporting = Day(simulated_site(tmp_path, "generic_inverter"))
    for day in (throttling, exporting):
        for slot, grid_w, battery_w in zip(day.planned, day.grid_w, day.battery_w, strict=True):
            # What is left to be seen at the meter is not in the plan; the rest is the BMS.
            assert grid_w == pytest.approx(slot.grid_power_w, abs=PROBE_W + 150.0)
            assert battery_w == pytest.approx(slot.battery_power_w, abs=300.0)
    assert exporting.cost - throttling.cost > 0.25
    assert throttling.cost < 0.03
    assert throttling.plant.energies.pv_throttled_wh > 5000.0
    assert exporting.plant.energies.pv_throttled_wh == 0.0
    stored = [day.simulation.soc_pct for day in (throttling, exporting)]
    assert stored[0] == pytest.approx(stored[1], abs=0.5)


def test_more_sun_than_forecast_is_not_exported_where_that_costs(tmp_path: Path) -> None:
    day = Day(simulated_site(tmp_path, "generic_hybrid"), forecast_pv_w=0.0, pv_w=5000.0)
    assert min(day.grid_w) > -1.5 * PROBE_W
    assert day.simulation.soc_pct > 90.0
    assert math.isclose(day.cost, 0.0, abs_tol=0.03)
