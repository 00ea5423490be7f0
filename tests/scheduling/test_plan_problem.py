"""What the optimizer is asked, for sites that are more than one battery."""

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from holdfast.core.config.prices import Prices
from holdfast.core.plan import Plan
from holdfast.markets.demand_charge import DemandPrice, demand_prices
from holdfast.scheduling.daily_scheduler import DailyScheduler
from holdfast.scheduling.peaks import Peaks
from holdfast.scheduling.plan_problem import intervals_of, plan_problem
from holdfast.scheduling.plan_question import PlanQuestion
from tests.scheduling.planning import NOW, forecast_of, site, site_prices

BERLIN = ZoneInfo("Europe/Berlin")


def demand(price_per_kw: float = 5.0, period: str = "month") -> tuple[DemandPrice, ...]:
    fixed = {"source": {"kind": "fixed", "price_per_kwh": 0.3}}
    content = {
        "purchase": fixed,
        "feed_in": fixed,
        "demand_charges": [{"price_per_kw": price_per_kw, "period": period}],
    }
    return demand_prices(Prices.model_validate(content), BERLIN)


def plan(peaks_w: dict[str, float] | None = None, **kwargs: object) -> Plan:
    prices = site_prices(*([0.10] * 4 + [0.20] * 8), demand=demand())
    return DailyScheduler(site()).make_plan(
        PlanQuestion(
            now_utc=NOW,
            soc_pct=20.0,
            prices=prices,
            forecast=forecast_of(1_000.0),
            peaks_w=peaks_w or {},
        )
    )


def test_a_demand_charge_keeps_the_peak_where_it_was() -> None:
    free = DailyScheduler(site()).make_plan(
        PlanQuestion(
            now_utc=NOW,
            soc_pct=20.0,
            prices=site_prices(*([0.10] * 4 + [0.20] * 8)),
            forecast=forecast_of(1_000.0),
        )
    )
    assert max(slot.grid_power_w for slot in free.slots) > 3_000.0
    assert max(slot.grid_power_w for slot in plan().slots) <= 1_000.5
    reached = plan({"2026-05": 2_500.0})
    assert max(slot.grid_power_w for slot in reached.slots) == pytest.approx(2_500.0, abs=1.0)


def test_units_that_differ_are_planned_as_they_are() -> None:
    slow = "{charge_power_max_w: 500, discharge_power_max_w: 500}"
    prices = site_prices(0.1, 0.6)
    both = DailyScheduler(site(second=slow)).make_plan(
        PlanQuestion(now_utc=NOW, soc_pct=30.0, prices=prices, forecast=forecast_of(9_000.0))
    )
    # The quick one runs empty at 10 %, the slow one gives 500 Wh; as one battery of 20 kWh both
    # would be at 10 %.
    assert both.slots[-1].soc_end_pct == pytest.approx(17.4, abs=1.0)


def test_units_are_planned_with_what_each_has_stored() -> None:
    slow = "{charge_power_max_w: 500, discharge_power_max_w: 500}"
    both = DailyScheduler(site(second=slow)).make_plan(
        PlanQuestion(
            now_utc=NOW,
            soc_pct=30.0,
            prices=site_prices(0.1, 0.6),
            forecast=forecast_of(9_000.0),
            units_soc_pct=[10.0, 50.0],
        )
    )
    # The quick one is empty and charges for the dear hour; before that the slow one has all.
    assert both.slots[0].battery_power_w > 4_000.0
    alone = DailyScheduler(site(second=slow)).make_plan(
        PlanQuestion(
            now_utc=NOW,
            soc_pct=30.0,
            prices=site_prices(0.6, 0.6),
            forecast=forecast_of(9_000.0),
            units_soc_pct=[10.0, 50.0],
        )
    )
    assert alone.slots[0].battery_power_w == pytest.approx(-500.0, abs=1.0)


def test_a_reserve_for_outages_is_kept_by_plans() -> None:
    kept = DailyScheduler(site(operation="{backup_reserve_pct: 40}")).make_plan(
        PlanQuestion(
            now_utc=NOW,
            soc_pct=60.0,
            prices=site_prices(*([0.5] * 12)),
            forecast=forecast_of(3_000.0),
        )
    )
    assert kept.slots[-1].soc_end_pct == pytest.approx(40.0, abs=0.1)


def test_the_highest_quarter_hour_of_each_period_is_remembered() -> None:
    peaks, charges = Peaks(), demand(period="day")
    for minute, grid_w in [(0, 900.0), (7, 1_100.0), (15, 4_000.0), (29, -2_000.0), (30, 0.0)]:
        peaks.observe(NOW + timedelta(minutes=minute), grid_w, charges)
    # What goes out is counted by another register: 4000 W in for half of it make 2000 W.
    assert peaks.peaks_w() == {"2026-05-08": 2_000.0}
    peaks.observe(NOW + timedelta(days=1), 5_000.0, charges)
    peaks.observe(NOW + timedelta(days=1, minutes=15), 0.0, charges)
    assert peaks.peaks_w() == {"2026-05-08": 2_000.0, "2026-05-09": 5_000.0}


def test_peaks_are_remembered_for_a_bounded_number_of_periods() -> None:
    peaks, charges = Peaks(), demand(period="day")
    for day in range(100):
        peaks.observe(NOW + timedelta(days=day), 100.0, charges)
    assert len(peaks.peaks_w()) == 64


AGEING = "{ageing_cost_per_kwh_day: 0.1}"


def ageing_factor(planner: str, *temperature_c: float | None) -> list[float] | None:
    """Of the first quarter hours, as many as there are temperatures; 25 °C in the others."""
    one, prices = site(planner=planner), site_prices(*([0.2] * 4))
    forecast = replace(forecast_of(1_000.0), temperature_c=temperature_c)
    intervals = intervals_of(one, NOW, prices, forecast)
    factor = plan_problem(one, 50.0, intervals, prices, forecast).ageing_factor
    if factor is None:
        return None
    assert set(factor[len(temperature_c) :]) <= {1.0}
    return factor[: len(temperature_c)].tolist()


def test_cells_age_twice_as_fast_per_10_degrees_within_bounds() -> None:
    assert ageing_factor(AGEING, 25.0, 35.0, 15.0, 45.0, 5.0) == [1.0, 2.0, 0.5, 4.0, 0.25]
    assert ageing_factor(AGEING, 60.0, -30.0) == [4.0, 0.25]


def test_where_no_temperature_is_known_cells_age_as_at_25_degrees() -> None:
    assert ageing_factor(AGEING, None, 35.0) == [1.0, 2.0]
    assert ageing_factor(AGEING, None, None) is None
    assert ageing_factor(AGEING) is None


def test_who_counts_no_ageing_needs_no_temperature() -> None:
    assert ageing_factor("{}", 35.0) is None


def test_in_the_heat_a_battery_is_not_kept_full() -> None:
    """Charged at noon and needed at night: in a hot house it waits until the last cheap hour."""
    prices = site_prices(*([0.10] * 8 + [0.13] * 4))
    forecast = forecast_of(2_000.0)

    def stored(temperature_c: float) -> tuple[float, str]:
        hot = replace(forecast, temperature_c=(temperature_c,) * 60)
        cost = "{ageing_cost_per_kwh_day: 0.02, ageing_above_pct: 0, wear_cost_per_kwh: 0}"
        plan = DailyScheduler(site(planner=cost)).make_plan(
            PlanQuestion(now_utc=NOW, soc_pct=20.0, prices=prices, forecast=hot)
        )
        return sum(slot.soc_end_pct for slot in plan.slots), plan.plan_id

    mild, hot = stored(5.0), stored(45.0)
    assert hot[0] < mild[0]
    assert hot[1] != mild[1], "plans of different questions have different names"
