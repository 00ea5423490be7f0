"""While self-consumption leads, it is planned in the place of the optimizer, and told why."""

from datetime import timedelta

from holdfast.core.plan import Plan, PlanStatus
from holdfast.core.quarter_hours import QUARTER
from holdfast.core.slot_mode import SlotMode
from holdfast.scheduling.power_sample import PowerSample
from holdfast.scheduling.rolling_planner import RollingPlanner
from tests.scheduling.planning import BOILER, NOW, site, site_prices

PRICES = site_prices(*([0.1, 0.1, 0.4, 0.4] * 8))
WHY = "self-consumption leads: plans earned 1.20 EUR less on 28 days"


def planner_of_a_house(loads: str = "[]") -> RollingPlanner:
    planner = RollingPlanner(site(loads=loads))
    for index in range(96, 0, -1):
        utc = NOW - index * QUARTER
        planner.observe(PowerSample(utc=utc, load_w=590.0, pv_w=0.0, on={"boiler": False}))
    return planner


def planned(planner: RollingPlanner, minutes: float = 0.0, rule_leads: str = "") -> Plan:
    return planner.plan(NOW + timedelta(minutes=minutes), 50.0, PRICES, rule_leads=rule_leads)


def test_the_battery_follows_load_and_pv_and_the_plan_says_why() -> None:
    plan = planned(planner_of_a_house(), rule_leads=WHY)
    assert plan.status is PlanStatus.STRATEGY
    assert {slot.mode for slot in plan.slots} == {SlotMode.SELF_CONSUMPTION}
    assert plan.note.startswith(WHY)


def test_plans_lead_again_at_once() -> None:
    planner = planner_of_a_house()
    assert planned(planner).status is PlanStatus.OPTIMAL
    assert planned(planner, 5.0, WHY).status is PlanStatus.STRATEGY
    again = planned(planner, 10.0)
    assert again.status is PlanStatus.OPTIMAL
    assert {slot.mode for slot in again.slots} != {SlotMode.SELF_CONSUMPTION}
    assert WHY not in again.note


def test_loads_that_wait_are_planned_as_before() -> None:
    """They run in cheap hours: 4 kWh at 0.1 a kWh."""
    plan = planned(planner_of_a_house(BOILER), rule_leads=WHY)
    hours = [
        slot.import_price_per_kwh
        for slot in plan.slots
        for load in slot.loads
        if load.power_w > 0.0
    ]
    assert hours
    assert set(hours) == {0.1}
