"""Each rung of the ladder, reached by making the one above it fail."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from holdfast.core.errors import PlanFailed, PriceDataError
from holdfast.core.plan import Plan, PlanStatus
from holdfast.core.slot_mode import SlotMode
from holdfast.markets.site_prices import SitePrices
from holdfast.scheduling.daily_scheduler import DailyScheduler
from holdfast.scheduling.ladder import LAST_GOOD_FOR, Ladder
from holdfast.scheduling.plan_question import PlanQuestion
from tests.scheduling.planning import NOW, forecast_of, site, site_prices

SITE = site()
PRICES = site_prices(*([0.1, 0.1, 0.4, 0.4] * 4))


def good() -> Plan:
    return DailyScheduler(SITE).make_plan(
        PlanQuestion(now_utc=NOW, soc_pct=50.0, prices=PRICES, forecast=forecast_of(500.0))
    )


def fail() -> Plan:
    raise PlanFailed("no answer within 30 s")


def climb(ladder: Ladder, hours: float, make: Callable[[], Plan] = fail) -> Plan:
    return ladder.plan(NOW + timedelta(hours=hours), PRICES, make)


def test_the_optimizers_plan_is_the_best_rung() -> None:
    assert climb(Ladder(SITE), 0.0, good).status is PlanStatus.OPTIMAL


def test_without_the_optimizer_the_last_good_plan_goes_on_from_now() -> None:
    ladder = Ladder(SITE)
    before = climb(ladder, 0.0, good)
    plan = climb(ladder, 1.1)
    now = NOW + timedelta(hours=1.1)
    assert plan.status is PlanStatus.LAST_GOOD
    assert plan.slots[0].start <= now < plan.slots[0].end
    assert plan.slots == tuple(slot for slot in before.slots if slot.end > now)
    assert now < plan.expires <= now + timedelta(minutes=30)
    assert "no answer within 30 s" in plan.note


def test_the_last_good_plan_is_good_for_four_hours_and_no_longer() -> None:
    ladder = Ladder(SITE)
    climb(ladder, 0.0, good)
    hours = LAST_GOOD_FOR / timedelta(hours=1)
    late = climb(ladder, hours - 0.1)
    assert late.status is PlanStatus.LAST_GOOD
    assert late.expires == NOW + LAST_GOOD_FOR
    assert climb(ladder, hours).status is PlanStatus.TIME_OF_USE


def test_a_last_good_plan_whose_slots_are_over_is_not_continued() -> None:
    ladder = Ladder(SITE)
    prices = site_prices(0.1, 0.2)
    question = PlanQuestion(now_utc=NOW, soc_pct=50.0, prices=prices, forecast=forecast_of(500.0))
    ladder.plan(NOW, prices, lambda: DailyScheduler(SITE).make_plan(question))
    assert climb(ladder, 2.0).status is PlanStatus.TIME_OF_USE


def test_without_any_plan_before_the_rule_on_prices_serves() -> None:
    plan = climb(Ladder(SITE), 0.0)
    assert plan.status is PlanStatus.TIME_OF_USE
    assert "no answer within 30 s" in plan.note
    assert [slot.mode for slot in plan.slots[::4]][:4] == [
        SlotMode.HOLD,
        SlotMode.HOLD,
        SlotMode.SELF_CONSUMPTION,
        SlotMode.SELF_CONSUMPTION,
    ]


def test_without_prices_there_is_no_plan_and_the_controllers_own_rule_is_left() -> None:
    with pytest.raises(PriceDataError):
        Ladder(SITE).plan(NOW + timedelta(days=3), PRICES, fail)


def test_the_rule_charges_only_where_that_is_paid_for() -> None:
    def rule(prices: SitePrices) -> set[tuple[SlotMode, float]]:
        plan = Ladder(SITE).plan(NOW, prices, fail)
        return {(slot.mode, slot.battery_power_w) for slot in plan.slots}

    assert rule(site_prices(-0.01)) == {(SlotMode.POWER, 5000.0)}
    assert rule(site_prices(0.0)) == {(SlotMode.SELF_CONSUMPTION, 0.0)}
    limited = SITE.model_copy(update={"authority": "limited", "limited_power_w": 700.0})
    plan = Ladder(limited).plan(NOW, site_prices(-0.01), fail)
    assert {slot.battery_power_w for slot in plan.slots} == {700.0}


def test_the_rule_keeps_energy_only_for_what_is_much_dearer_and_soon() -> None:
    def first(*prices: float) -> SlotMode:
        return Ladder(SITE).plan(NOW, site_prices(*prices), fail).slots[0].mode

    assert first(0.2, 0.36) is SlotMode.HOLD
    assert first(0.2, 0.33) is SlotMode.SELF_CONSUMPTION
    assert first(*([0.2] * 4), 0.9) is SlotMode.HOLD
    assert first(*([0.2] * 5), 0.9) is SlotMode.SELF_CONSUMPTION
