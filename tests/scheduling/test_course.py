"""What a plan, an override and what was rejected come to, by a rule to be checked by hand."""

from datetime import timedelta

import pytest

from holdfast.core.abilities import SETPOINT_ONLY
from holdfast.core.config import Site
from holdfast.core.manual_slot import ManualMode, ManualSlot
from holdfast.core.plan import Plan
from holdfast.core.slot_mode import SlotMode
from holdfast.markets.site_prices import SitePrices
from holdfast.optimization.problem import PlanProblem
from holdfast.scheduling.alternatives import (
    NO_BATTERY,
    PREVIOUS_PLAN,
    SELF_CONSUMPTION,
    WITHOUT_OVERRIDE,
    Alternatives,
    alternatives,
)
from holdfast.scheduling.course import (
    Course,
    follow,
    known_problem,
    planned_wishes,
    wishes_of,
    with_expectation,
)
from holdfast.scheduling.daily_scheduler import DailyScheduler
from holdfast.scheduling.manual_asker import asked_by_hand
from holdfast.scheduling.plan_question import PlanQuestion
from holdfast.scheduling.precedence import Overlaid, lay_over
from holdfast.scheduling.slot_wish import FOLLOW, KEEP, REST, SlotWish
from tests.manual import slot
from tests.scheduling.planning import BOILER, NOW, forecast_of, site, site_prices

SITE = site()
CHEAP_THEN_DEAR = site_prices(0.10, 0.10, 0.50, 0.50)
POWER = SlotMode.POWER


def question(
    load_w: float = 1_000.0,
    pv_w: float = 0.0,
    *,
    prices: SitePrices = CHEAP_THEN_DEAR,
    soc_pct: float = 50.0,
    previous: Plan | None = None,
) -> PlanQuestion:
    forecast = forecast_of(load_w, pv_w)
    return PlanQuestion(
        now_utc=NOW, soc_pct=soc_pct, prices=prices, forecast=forecast, previous=previous
    )


def planned(asked: PlanQuestion, of: Site = SITE) -> Plan:
    return DailyScheduler(of).make_plan(asked)


def known(asked: PlanQuestion, plan: Plan, of: Site = SITE) -> PlanProblem:
    found = known_problem(of, plan.slots, asked, SETPOINT_ONLY)
    assert found is not None
    return found


def overridden(asked: PlanQuestion, *manual: ManualSlot) -> tuple[Plan, Overlaid, Course]:
    plan = planned(asked)
    laid = lay_over(plan, [asked_by_hand(each) for each in manual], site=SITE, now_utc=NOW)
    course = follow(known(asked, laid.plan), wishes_of(laid))
    return plan, laid, course


def compared(asked: PlanQuestion, *manual: ManualSlot) -> Alternatives:
    plan, laid, _ = overridden(asked, *manual)
    return alternatives(
        known(asked, laid.plan),
        laid,
        planned=plan,
        previous=asked.previous,
    )


@pytest.mark.parametrize("of", [SITE, site(loads=BOILER)], ids=["battery", "with a boiler"])
@pytest.mark.parametrize("pv_w", [0.0, 3_000.0])
def test_a_plan_that_is_followed_comes_to_what_it_says(pv_w: float, of: Site) -> None:
    asked = question(pv_w=pv_w)
    plan = planned(asked, of)
    course = follow(known(asked, plan, of), planned_wishes(plan.slots))
    assert course.grid_cost == pytest.approx(plan.expected_cost, abs=1e-3)
    assert course.soc_pct.tolist() == pytest.approx(
        [each.soc_end_pct for each in plan.slots], abs=0.1
    )
    assert course.grid_w.tolist() == pytest.approx(
        [each.grid_power_w for each in plan.slots], abs=5.0
    )


def test_no_battery_and_self_consumption_by_hand() -> None:
    """1 kW for two hours at 10 ct and two at 50 ct; 96 % come out of what is stored."""
    found = compared(question(soc_pct=50.0)).others
    assert found[NO_BATTERY].grid_cost == pytest.approx(1.20)
    assert found[NO_BATTERY].soc_pct[-1] == pytest.approx(50.0)
    least_pct = SITE.storage[0].operation.soc_min_pct
    stored_kwh = (50.0 - least_pct) / 100.0 * 10.0 * 0.96
    served_late_kwh = min(stored_kwh - 2.0, 2.0)
    assert found[SELF_CONSUMPTION].grid_cost == pytest.approx((2.0 - served_late_kwh) * 0.50)


def test_none_costs_less_than_the_best_plan() -> None:
    found = compared(question(load_w=1_500.0))
    assert found.plan.total_cost <= min(each.total_cost for each in found.others.values()) + 1e-6
    assert WITHOUT_OVERRIDE not in found.others
    assert PREVIOUS_PLAN not in found.others


def test_the_plan_before_is_run_on_as_far_as_it_reaches() -> None:
    before = planned(question(prices=site_prices(0.50, 0.50, 0.10, 0.10)))
    found = compared(question(previous=before))
    assert found.others[PREVIOUS_PLAN].total_cost > found.plan.total_cost
    again = compared(question(previous=planned(question())))
    assert again.others[PREVIOUS_PLAN].total_cost == pytest.approx(again.plan.total_cost, abs=0.02)


def test_what_an_override_costs_is_told() -> None:
    """It sells two hours before the dear ones."""
    found = compared(question(), slot(0, 60, ManualMode.DISCHARGE, 3_000.0))
    assert found.others[WITHOUT_OVERRIDE].total_cost < found.plan.total_cost - 0.10


def test_a_slot_at_rest_costs_what_the_load_takes() -> None:
    found = compared(question(load_w=1_000.0))
    assert found.rest_costs.tolist()[0] == pytest.approx(0.25 * 0.10)
    assert found.rest_costs.tolist()[-1] == pytest.approx(0.25 * 0.50)


def test_what_is_expected_of_an_override_goes_on_to_the_end() -> None:
    plan, laid, course = overridden(question(), slot(5, 35, ManualMode.CHARGE, 2_000.0))
    expected = with_expectation(laid, course)
    assert expected.slots[0] == laid.plan.slots[0]
    by_hand = [each for each, asked in zip(expected.slots, laid.manual, strict=True) if asked]
    assert [each.grid_power_w for each in by_hand] == pytest.approx([3_000.0] * 3)
    gained_pct = 2_000.0 * 0.5 * 0.96 / 10_000.0 * 100.0
    before_pct = course.soc_pct[0]
    assert by_hand[-1].soc_end_pct == pytest.approx(before_pct + gained_pct)
    assert expected.slots[-1].soc_end_pct is not None
    assert expected.expected_cost == pytest.approx(course.grid_cost)
    assert expected.expected_cost != plan.expected_cost


def test_a_full_battery_takes_no_more() -> None:
    _, _, course = overridden(question(soc_pct=88.0), slot(0, 240, ManualMode.CHARGE, 5_000.0))
    most_pct = SITE.storage[0].operation.soc_max_pct
    assert course.soc_pct.max() == pytest.approx(most_pct)
    assert course.battery_w[-1] == 0.0


def test_beyond_known_prices_nothing_is_expected() -> None:
    asked = question(prices=site_prices(0.10))
    _, laid, course = overridden(asked, slot(30, 120))
    expected = with_expectation(laid, course)
    assert len(laid.plan.slots) > len(course.battery_w)
    assert expected.slots[-1].grid_power_w is None
    assert expected.expected_cost == laid.plan.expected_cost


def test_without_prices_nothing_is_known() -> None:
    later = site_prices(0.1, start=NOW + timedelta(hours=2))
    slots = planned(question()).slots
    assert known_problem(SITE, slots, question(prices=later), SETPOINT_ONLY) is None


def test_grid_limits_hold() -> None:
    asked = question(load_w=14_000.0)
    problem = known(asked, planned(asked))
    charging = follow(problem, [SlotWish(mode=POWER, power_w=5_000.0)] * problem.slots)
    assert charging.grid_w.max() <= SITE.grid.import_max_w + 1e-6
    assert follow(problem, [REST] * problem.slots).battery_w.tolist() == [0.0] * problem.slots


def test_surplus_is_stored_and_hold_serves_no_load() -> None:
    asked = question(load_w=500.0, pv_w=2_500.0)
    problem = known(asked, planned(asked))
    stores = follow(problem, [FOLLOW] * problem.slots).battery_w[0]
    assert stores == pytest.approx(2_000.0, rel=0.01)
    dark = question(load_w=500.0)
    problem = known(dark, planned(dark))
    holds = follow(problem, [KEEP] * problem.slots)
    assert holds.battery_w.tolist() == [0.0] * problem.slots
