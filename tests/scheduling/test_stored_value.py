"""A plan tells each slot what stored energy is worth, and the battery does what pays."""

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from holdfast.control.plan_gate import accept_plan
from holdfast.core.asked_slot import NO_TERMS, SlotTerms
from holdfast.core.config import Site
from holdfast.core.config.charges import DemandCharge
from holdfast.core.interval import Interval
from holdfast.core.plan import Plan
from holdfast.core.quarter_hours import QUARTER
from holdfast.core.slot_mode import SlotMode
from holdfast.forecasting.forecast import Basis, PowerForecast, PriceForecast
from holdfast.forecasting.power_paths import PowerPaths
from holdfast.forecasting.site_forecast import SiteForecast
from holdfast.markets.demand_charge import DemandPrice
from holdfast.markets.prices import PriceSeries, PriceSlot
from holdfast.markets.site_prices import SitePrices
from holdfast.optimization.problem import PlanProblem
from holdfast.optimization.scenarios import Marks
from holdfast.scheduling.daily_scheduler import DailyScheduler
from holdfast.scheduling.plan_problem import intervals_of, plan_problem
from holdfast.scheduling.plan_question import PlanQuestion
from holdfast.scheduling.stored_value import kept_marks, marks_hold, new_marks, terms_of
from tests.scheduling.planning import BOILER, NOW, site

HOUR = timedelta(hours=1)
QUARTERS = 49 * 4
FIELDS = ("buy_below_pct", "store_below_pct", "serve_above_pct", "sell_above_pct")


def prices(hours: int = 24, *, bought: float = 0.3, sold: float = 0.08) -> SitePrices:
    """Cheap for six hours from eight hours on; dear else."""
    purchase, feed_in = (
        PriceSeries(
            currency="EUR",
            slots=tuple(
                PriceSlot(
                    start_utc=NOW + hour * HOUR,
                    end_utc=NOW + (hour + 1) * HOUR,
                    price_per_kwh=price * (0.5 if 8 <= hour < 14 and price == bought else 1.0),
                )
                for hour in range(hours)
            ),
        )
        for price in (bought, sold)
    )
    return SitePrices(purchase=purchase, feed_in=feed_in, currency="EUR")


def forecast(*suns: float, load_w: float = 900.0, price: bool = True) -> SiteForecast:
    """PV tomorrow by day, so many times what is expected; each is a path, half of them dull."""
    quarters = np.arange(QUARTERS)
    pv_w = 4000.0 * np.maximum(np.sin((quarters - 72) / 48 * np.pi), 0.0) * (quarters >= 72)
    load = np.full(QUARTERS, load_w)
    paths = PowerPaths(
        load_w=np.repeat(load[None], len(suns), axis=0),
        pv_w=np.array(suns)[:, None] * pv_w,
        weight=np.ones(len(suns)),
    )

    def power(mean_w: np.ndarray) -> PowerForecast:
        return PowerForecast(start_utc=NOW, mean_w=tuple(mean_w.tolist()), basis=Basis.HISTORY)

    later = PriceForecast(
        start_utc=NOW + 24 * HOUR,
        mean_per_kwh=(0.3,) * 100,
        quantiles_per_kwh={},
        made_utc=NOW,
        model="given",
        score=None,
    )
    return SiteForecast(
        load=power(load),
        pv=power(pv_w),
        price=later if price else None,
        paths=paths if suns else None,
    )


def planned(
    expected: SiteForecast,
    *,
    at: Site | None = None,
    previous: Plan | None = None,
    minutes: int = 0,
    known: SitePrices | None = None,
) -> Plan:
    return DailyScheduler(at or site()).make_plan(
        PlanQuestion(
            now_utc=NOW + timedelta(minutes=minutes),
            soc_pct=40.0,
            prices=known or prices(),
            forecast=expected,
            previous=previous,
        )
    )


def marks_of(plan: Plan) -> list[tuple[float | None, ...]]:
    return [tuple(getattr(slot.terms, name) for name in FIELDS) for slot in plan.slots]


def test_each_slot_is_led_by_what_stored_energy_is_worth_and_the_gate_takes_it() -> None:
    plan = planned(forecast(0.2, 1.0, 1.8))
    assert {slot.mode for slot in plan.slots} == {SlotMode.STORED_VALUE}
    assert all(slot.terms.serve_above_pct is not None for slot in plan.slots)
    assert accept_plan(plan, now_ns=0, utc=NOW, site=site()).plan == plan


def test_less_is_bought_in_a_cheap_hour_the_more_sun_may_come() -> None:
    def bought_to(*suns: float) -> float:
        return max(buy or 0.0 for buy, *_ in marks_of(planned(forecast(*suns))))

    assert bought_to(0.1) > bought_to(0.1, 1.9) >= bought_to(1.9)


def test_without_knowing_how_it_may_come_or_told_not_to_it_plans_on_the_forecast() -> None:
    for plan in (
        planned(forecast()),
        planned(forecast(0.2, 1.8), at=site(planner="{scenario_days: 0}")),
    ):
        assert SlotMode.STORED_VALUE not in {slot.mode for slot in plan.slots}
        assert {slot.terms for slot in plan.slots} == {NO_TERMS}


def test_marks_hold_for_the_hour_and_are_followed_from_where_the_battery_is() -> None:
    first = planned(forecast(0.2, 1.8))
    again = planned(forecast(), previous=first, minutes=45)
    assert marks_of(again) == [
        tuple(pytest.approx(mark) if mark is not None else None for mark in marks)
        for marks in marks_of(first)[3:]
    ]
    assert again.slots[0].start == NOW + timedelta(minutes=45)
    later = planned(forecast(), previous=again, minutes=60)
    assert SlotMode.STORED_VALUE not in {slot.mode for slot in later.slots}


def test_when_more_prices_are_known_marks_are_made_anew() -> None:
    first = planned(forecast(0.2, 1.8))
    assert marks_hold(first, NOW, first.slots[-1].end)
    assert not marks_hold(first, NOW, first.slots[-1].end + QUARTER)
    assert not marks_hold(first, NOW + HOUR, first.slots[-1].end)
    assert not marks_hold(first, NOW - HOUR, first.slots[-1].end), "a clock that was set back"
    assert not marks_hold(None, NOW, NOW)
    plain = planned(forecast())
    assert not marks_hold(plain, NOW, plain.slots[-1].end)


def test_a_plan_of_others_slots_has_no_marks_to_keep() -> None:
    plan = planned(forecast(0.2, 1.8))
    bare = replace(plan, slots=tuple(replace(slot, terms=NO_TERMS) for slot in plan.slots))
    intervals = [Interval(start=slot.start, end=slot.end) for slot in plan.slots]
    problem = problem_of(plan)
    assert kept_marks(bare, intervals, problem) is None
    assert kept_marks(plan, [*intervals, Interval(start=plan.slots[-1].end, end=NOW + 48 * HOUR)],
                      problem) is None  # fmt: skip
    assert kept_marks(plan, intervals, problem) is not None


def problem_of(plan: Plan) -> PlanProblem:
    expected = forecast(0.2, 1.8)
    intervals = intervals_of(site(), NOW, prices(), expected)
    assert len(intervals) == len(plan.slots)
    return plan_problem(site(), 40.0, intervals, prices(), expected)


@pytest.mark.parametrize("price", [True, False])
def test_it_looks_farther_than_prices_are_known_where_they_are_expected(price: bool) -> None:
    """Without that, what is stored when prices end is worth what it always is."""
    expected = forecast(0.2, 1.8, price=price)
    problem = problem_of(planned(expected))
    intervals = [Interval(start=NOW + n * QUARTER, end=NOW + (n + 1) * QUARTER) for n in range(96)]
    found = new_marks(problem, intervals, expected)
    assert found is not None
    assert len(found.table_kwh[:, 0]) == 96
    other = new_marks(problem, intervals, forecast(0.2, 1.8, price=not price))
    assert other is not None
    assert (found.table_kwh[:, 2] != other.table_kwh[:, 2]).any()


def test_what_is_never_reached_is_not_told_and_buying_stays_clear_of_serving() -> None:
    def told(buy: float, store: float, serve: float, sell: float) -> SlotTerms:
        marks = Marks(
            table_kwh=np.array([[buy, store, serve, sell]]),
            lowest_kwh=1.0,
            highest_kwh=9.5,
        )
        return terms_of(marks, 0, 10_000.0)

    assert told(1.0, 9.5, 1.0, 9.5) == SlotTerms(serve_above_pct=10.0)
    assert told(4.0, 6.0, 4.0, 9.0) == SlotTerms(
        buy_below_pct=40.0, store_below_pct=60.0, serve_above_pct=41.0, sell_above_pct=90.0
    )
    assert told(9.5, 9.5, 9.5, 9.5).serve_above_pct == 96.0


def test_a_cap_is_kept_beside_the_marks() -> None:
    terms = DemandCharge(price_per_kw=10.0, period="month")
    demand = DemandPrice(price_per_kw=10.0, terms=terms, zone=ZoneInfo("Europe/Berlin"))
    plan = planned(forecast(0.2, 1.8), known=replace(prices(), demand=(demand,)))
    assert all(slot.terms.import_mean_max_w is not None for slot in plan.slots)
    assert SlotMode.STORED_VALUE in {slot.mode for slot in plan.slots}


def test_a_load_that_is_planned_is_in_what_may_come() -> None:
    plan = planned(forecast(0.2, 1.8), at=site(loads=BOILER))
    assert SlotMode.STORED_VALUE in {slot.mode for slot in plan.slots}
    used_wh = sum(slot.loads[0].power_w for slot in plan.slots) / 4
    assert used_wh == pytest.approx(4000.0, rel=0.01)


def test_who_plans_with_more_load_and_less_sun_than_expected_does_so_on_each_path() -> None:
    expected = forecast(0.5, 1.5)
    problem = problem_of(planned(expected))
    careful = replace(problem, pv_w=0.2 * problem.pv_w)
    intervals = [Interval(start=NOW + n * QUARTER, end=NOW + (n + 1) * QUARTER) for n in range(96)]
    bought = [new_marks(each, intervals, expected) for each in (problem, careful)]
    usual, more = (found.table_kwh[:, 0].max() for found in bought if found is not None)
    assert more > usual
