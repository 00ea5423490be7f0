"""A plan against what may come: from which day on there is one, how long it holds, who is above it.

A house with PV whose days differ, and prices with a dear evening.
"""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from holdfast.control.plan_gate import accept_plan
from holdfast.core.asked_slot import AskedBy, AskedSlot, SlotTerms
from holdfast.core.plan import Plan, PlanSlot
from holdfast.core.quarter_hours import QUARTER
from holdfast.core.slot_mode import SlotMode
from holdfast.markets.site_prices import SitePrices
from holdfast.scheduling.plan_question import PlanQuestion
from holdfast.scheduling.power_sample import PowerSample
from holdfast.scheduling.precedence import lay_over
from holdfast.scheduling.rolling_planner import RollingPlanner
from tests.scheduling.planning import NOW, site, site_prices

DAY = [0.2, 0.2, 0.18, 0.15, 0.12, 0.12, 0.15, 0.2, 0.3, 0.35, 0.3, 0.25]
NIGHT = [0.2, 0.18, 0.15, 0.15, 0.15, 0.2, 0.3, 0.32, 0.28, 0.25, 0.2, 0.15]
PRICES = site_prices(*DAY, *NIGHT, sold=0.06)
MINUTE = timedelta(minutes=1)


def seen(utc: datetime) -> PowerSample:
    """What the house did: each day another load and another sun."""
    hour, day = utc.hour + utc.minute / 60.0, np.random.default_rng(utc.toordinal())
    load, sun = day.uniform(0.6, 1.4), day.uniform(0.2, 1.2)
    noon_w = max(0.0, 5000.0 * math.sin((hour - 6.0) / 12.0 * math.pi))
    evening_w = 1800.0 * math.exp(-(((hour - 18.0) / 2.5) ** 2))
    return PowerSample(utc=utc, load_w=load * (400.0 + evening_w), pv_w=sun * noon_w)


def planner_after(days: int, options: str = "{}") -> RollingPlanner:
    planner = RollingPlanner(site(planner=options))
    for index in range(days * 96, 0, -1):
        planner.observe(seen(NOW - index * QUARTER))
    return planner


def marks(slot: PlanSlot) -> tuple[float | None, ...]:
    terms = slot.terms
    return (
        terms.buy_below_pct,
        terms.store_below_pct,
        terms.serve_above_pct,
        terms.sell_above_pct,
    )


def by_start(plan: Plan) -> dict[datetime, tuple[float | None, ...]]:
    """The marks of the quarter hours that begin after the first."""
    return {slot.start: marks(slot) for slot in plan.slots[1:]}


def planned(
    planner: RollingPlanner, now: datetime = NOW, soc_pct: float = 45.0, prices: SitePrices = PRICES
) -> Plan:
    return planner.plan(now, soc_pct, prices)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return planned(planner_after(15))


def test_once_days_are_known_the_battery_is_led_by_what_energy_is_worth(plan: Plan) -> None:
    assert {slot.mode for slot in plan.slots} == {SlotMode.STORED_VALUE}
    assert accept_plan(plan, now_ns=0, utc=NOW, site=site())
    dear = plan.slots[9 * 4]
    cheap = plan.slots[5 * 4]
    assert dear.import_price_per_kwh > cheap.import_price_per_kwh
    assert (dear.terms.serve_above_pct or 0.0) < (cheap.terms.serve_above_pct or 0.0)


@pytest.mark.parametrize(
    ("days", "options"),
    [(3, "{}"), (15, "{scenario_days: 0}"), (15, "{deep_wear_cost_per_kwh: 0.05}")],
)
def test_before_that_and_where_marks_cannot_say_it_plans_have_none(days: int, options: str) -> None:
    found = planned(planner_after(days, options))
    assert SlotMode.STORED_VALUE not in {slot.mode for slot in found.slots}
    assert {marks(slot) for slot in found.slots} == {(None,) * 4}


def test_reasons_tell_what_is_expected(plan: Plan) -> None:
    says = [
        ("stores PV surplus", lambda slot: slot.battery_power_w > 100.0 > slot.grid_power_w),
        ("charges: ", lambda slot: min(slot.battery_power_w, slot.grid_power_w) > 500.0),
        ("serves the load: ", lambda slot: slot.battery_power_w < -100.0),
        ("keeps its energy: ", lambda slot: _rests(slot) and 15.0 < slot.soc_end_pct < 90.0),
        ("empty: ", lambda slot: _rests(slot) and slot.soc_end_pct < 10.1),
    ]
    told = {text: {slot.reason for slot in plan.slots if holds(slot)} for text, holds in says}
    assert all(reason.startswith(text) for text, reasons in told.items() for reason in reasons)
    assert sum(1 for reasons in told.values() if reasons) >= 3


def _rests(slot: PlanSlot) -> bool:
    return abs(slot.battery_power_w) < 1.0 and (slot.grid_power_w or 0.0) > 50.0


def test_what_is_sold_is_told_as_sold() -> None:
    found = planned(planner_after(15), soc_pct=90.0, prices=site_prices(*DAY, *NIGHT, sold=0.33))
    sold = [
        slot for slot in found.slots
        if slot.battery_power_w < -500.0 and (slot.grid_power_w or 0.0) < -500.0
    ]  # fmt: skip
    assert sold
    assert all(slot.reason.startswith("sells: ") for slot in sold)
    assert all(slot.terms.sell_above_pct is not None for slot in sold)


def test_marks_hold_for_their_hour_and_are_found_anew_in_the_next() -> None:
    planner = planner_after(15)
    first = by_start(planned(planner))
    for minute in (5, 30, 59):
        later = by_start(planned(planner, NOW + minute * MINUTE, 40.0))
        assert later.keys() <= first.keys()
        for start, kept in later.items():
            assert kept == pytest.approx(first[start], abs=0.01, nan_ok=True)
    for index in range(4):
        planner.observe(replace(seen(NOW + index * QUARTER), load_w=4000.0, pv_w=0.0))
    anew = by_start(planned(planner, NOW + 60 * MINUTE, 40.0))
    assert any(anew[start] != pytest.approx(first[start], abs=0.5) for start in anew)


def test_new_prices_do_not_wait_for_the_hour_to_end() -> None:
    planner = planner_after(15)
    short = planned(planner, prices=site_prices(*DAY, sold=0.06))
    longer = planned(planner, NOW + MINUTE)
    assert longer.slots[-1].end > short.slots[-1].end
    assert {slot.mode for slot in longer.slots} == {SlotMode.STORED_VALUE}


def test_within_the_hour_the_forecasts_of_earlier_days_are_not_made_again() -> None:
    asked: list[PlanQuestion] = []
    planner = planner_after(15)
    make = planner._make_plan

    def noted(question: PlanQuestion) -> Plan:
        asked.append(question)
        return make(question)

    planner._make_plan = noted
    planned(planner)
    planned(planner, NOW + MINUTE)
    assert [question.forecast.paths is None for question in asked] == [False, True]


def asks(mode: SlotMode | None, **terms: float) -> AskedSlot:
    return AskedSlot(
        start=NOW,
        end=NOW + timedelta(hours=1),
        by=AskedBy.RULE,
        who="frost",
        reason="it is cold",
        mode=mode,
        terms=SlotTerms(**terms),
    )


def test_who_asks_for_a_mode_has_none_of_the_plans_marks(plan: Plan) -> None:
    laid = lay_over(plan, [asks(SlotMode.HOLD)], site=site(), now_utc=NOW).plan
    assert laid.slots[0].mode is SlotMode.HOLD
    assert marks(laid.slots[0]) == (None,) * 4
    assert marks(laid.slots[5]) == marks(plan.slots[5])


def test_who_asks_for_a_bound_has_it_kept_beside_the_plans_marks(plan: Plan) -> None:
    laid = lay_over(plan, [asks(None, import_max_w=3000.0)], site=site(), now_utc=NOW).plan
    assert laid.slots[0].mode is SlotMode.STORED_VALUE
    assert laid.slots[0].terms.import_max_w == 3000.0
    assert marks(laid.slots[0]) == marks(plan.slots[0])


def test_equal_questions_have_equal_plans() -> None:
    assert planned(planner_after(15)) == planned(planner_after(15))
    assert NOW.tzinfo is UTC
