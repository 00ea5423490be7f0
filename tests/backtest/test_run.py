"""A backtest's run: what it knows when, that its steps are honest, and that limits act."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from holdfast.backtest import measured_days, pace
from holdfast.backtest.bill import compare
from holdfast.backtest.data import SiteData
from holdfast.backtest.final import Final
from holdfast.backtest.measured_days import MeasuredDays
from holdfast.backtest.run import Run, RunResult
from holdfast.backtest.strategies import Adviser, Strategy
from holdfast.backtest.whole_plan import plan_whole
from holdfast.backtest.world import PublishedPrices, Truth
from holdfast.core.config import Location, PvArray, PvPlant, Site
from holdfast.core.config.prices import Prices
from holdfast.core.errors import DataError, PlanFailed
from holdfast.core.plan import Plan
from holdfast.forecasting.workshop import missing_library
from holdfast.simulation.demo_site import simulated_site
from tests.backtest.backtest_bench import NOTHING, START, job, measured, run

BERLIN = ZoneInfo("Europe/Berlin")
PLANNED = (Strategy.FORECAST, Strategy.PERFECT)


class EachSecond(pace.Pace):
    """As the simulation of a week does it."""

    def _next_s(self, record: object) -> float:
        return 1.0


def each_second(data: SiteData, strategy: Strategy, **changes: object) -> RunResult:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measured_days, "Pace", EachSecond)
        return run(data, strategy, **changes)


@pytest.mark.parametrize(
    ("strategy", "soc_pct"),
    [(Strategy.CHEAP_HOURS, 82.0), (Strategy.SELF_CONSUMPTION, 12.0), (Strategy.FORECAST, 50.0)],
)
def test_long_steps_give_what_steps_of_a_second_give(strategy: Strategy, soc_pct: float) -> None:
    """The battery meets a limit, or loads and prices change."""
    data = measured(
        1,
        buy=lambda h: 0.1 if h < 0.5 else 0.4,
        pv_w=lambda _: 0.0,
        load_w=lambda h: 500 + 1800 * h,
    )
    coarse, fine = (
        run(data, strategy, soc_pct=soc_pct),
        each_second(data, strategy, soc_pct=soc_pct),
    )
    assert coarse.cycles < fine.cycles / 50
    assert coarse.charged_wh == pytest.approx(fine.charged_wh, rel=0.005, abs=15.0)
    assert coarse.discharged_wh == pytest.approx(fine.discharged_wh, rel=0.005, abs=15.0)
    assert np.abs(coarse.soc_pct - fine.soc_pct).max() < 0.2
    assert np.abs(coarse.battery_w - fine.battery_w).max() < 60.0


@pytest.mark.parametrize(
    "strategy",
    # They need rooms, and a mode.
    [one for one in Strategy if one not in (Strategy.PRE_HEATING, Strategy.MODE)],
)
def test_energy_balances_in_each_interval_and_the_battery_stays_within_its_limits(
    strategy: Strategy,
) -> None:
    data = measured(36)
    result = run(data, strategy)
    net_w = np.array([row.load_w - row.pv_w for row in data.rows])
    grid_w = (result.import_wh - result.export_wh) * 4
    assert np.allclose(grid_w, net_w + result.battery_w, atol=1e-6)
    # Ten and 95 percent; a step near a limit moves the charge by a tenth.
    assert result.soc_pct.min() > 9.8
    assert result.soc_pct.max() < 95.2
    assert not result.damage
    assert result.cycles_not_running == 0
    assert result.first_problem == ""
    assert bool(result.plans) is strategy.plans


# Where an export costs. ---------------------------------------------------------------------------


def throttling_site() -> Site:
    """The demonstration's, whose inverter takes an export limit."""
    site = simulated_site()
    (unit,) = site.storage
    inverter = unit.inverter.model_copy(update={"profile": "generic_hybrid"})
    return site.model_copy(update={"storage": (unit.model_copy(update={"inverter": inverter}),)})


def costly_noon(hour: float) -> float:
    """EUR/kWh for an export: it costs from 10 to 15."""
    return -0.10 if 10 <= hour % 24 < 15 else 0.06


@pytest.mark.parametrize("strategy", PLANNED)
def test_where_an_export_costs_pv_is_throttled_and_the_bill_is_lower(strategy: Strategy) -> None:
    data = measured(24, sell=costly_noon)
    throttled = run(data, strategy, site=throttling_site(), soc_pct=60.0)
    exported = run(data, strategy, soc_pct=60.0)
    costs = np.array([row.export_price_per_kwh < 0.0 for row in data.rows])
    assert throttled.export_wh[costs].max() <= 100.0 / 4 * 1.5
    assert exported.export_wh[costs].sum() > 1000.0
    assert (throttled.pv_throttled_wh > 1000.0, exported.pv_throttled_wh) == (True, 0.0)
    sun_wh = sum(row.pv_w for row in data.rows) / 4
    load_wh = sum(row.load_w for row in data.rows) / 4
    for result in (throttled, exported):
        grid_wh = float((result.import_wh - result.export_wh).sum())
        pv_wh = sun_wh - result.pv_throttled_wh
        assert grid_wh == pytest.approx(load_wh + result.battery_w.sum() / 4 - pv_wh, abs=0.01)
        assert result.cycles_not_running == 0
        assert not result.damage
    bills = [
        compare(simulated_site(), data, strategy, {strategy: result}).bills[strategy].cost
        for result in (throttled, exported)
    ]
    assert bills[1] - bills[0] > 0.2


def paid_noon(hour: float) -> float:
    """EUR/kWh for an import: it is paid for from 11 to 14."""
    return -0.15 if 11 <= hour % 24 < 14 else 0.30


@pytest.mark.parametrize("strategy", PLANNED)
def test_where_import_is_paid_for_pv_is_switched_off_and_the_bill_is_lower(
    strategy: Strategy,
) -> None:
    data = measured(24, buy=paid_noon, sell=lambda _: 0.0)
    switched = run(data, strategy, site=throttling_site(), soc_pct=60.0)
    served = run(data, strategy, soc_pct=60.0)
    assert switched.pv_throttled_wh > 1000.0
    assert served.pv_throttled_wh == 0.0
    sun_wh = sum(row.pv_w for row in data.rows) / 4
    load_wh = sum(row.load_w for row in data.rows) / 4
    grid_wh = float((switched.import_wh - switched.export_wh).sum())
    pv_wh = sun_wh - switched.pv_throttled_wh
    assert grid_wh == pytest.approx(load_wh + switched.battery_w.sum() / 4 - pv_wh, abs=0.01)
    assert (switched.cycles_not_running, switched.damage) == (0, served.damage)
    bills = [
        compare(simulated_site(), data, strategy, {strategy: result}).bills[strategy].cost
        for result in (switched, served)
    ]
    assert bills[1] - bills[0] > 0.2
    plans = [
        plan_whole(site, data, soc_pct=60.0, final=Final.AT_LEAST_INITIAL)
        for site in (throttling_site(), simulated_site())
    ]
    assert plans[1].objective - plans[0].objective > 0.2


def test_long_steps_switch_pv_as_steps_of_a_second_do() -> None:
    data = measured(1, buy=lambda h: -0.1 if h < 0.5 else 0.3, sell=lambda _: 0.0)
    data = replace(data, rows=tuple(replace(row, pv_w=3000.0) for row in data.rows))
    changes = {"site": throttling_site(), "soc_pct": 94.0}
    coarse, fine = (kind(data, Strategy.PERFECT, **changes) for kind in (run, each_second))
    assert coarse.cycles < fine.cycles / 5
    assert fine.pv_throttled_wh >= 700.0
    assert coarse.pv_throttled_wh == pytest.approx(fine.pv_throttled_wh, rel=0.02)
    assert coarse.import_wh.sum() == pytest.approx(fine.import_wh.sum(), rel=0.01)


def test_one_plan_for_everything_throttles_where_the_site_can() -> None:
    data = measured(24, sell=costly_noon)
    plans = [
        plan_whole(site, data, soc_pct=60.0, final=Final.AT_LEAST_INITIAL)
        for site in (throttling_site(), simulated_site())
    ]
    lost_wh = [float(plan.curtailed_w.sum()) / 4 for plan in plans]
    assert lost_wh[0] > 1000.0
    assert lost_wh[1] == 0.0
    assert plans[0].objective < plans[1].objective - 0.2


def test_a_strategy_throttles_as_plans_do_and_the_local_rule_never() -> None:
    data = measured(24, sell=costly_noon)
    local, picked = (
        run(data, strategy, site=throttling_site()).pv_throttled_wh
        for strategy in (Strategy.SELF_CONSUMPTION, Strategy.CHEAP_HOURS)
    )
    assert local == 0.0
    assert picked > 1000.0


def test_what_a_tariff_has_beside_energy_is_on_each_bill() -> None:
    fixed = {"source": {"kind": "fixed", "price_per_kwh": 0.2}}
    charges = [{"price_per_kw": 10, "period": "month"}]
    prices = Prices.model_validate({"purchase": fixed, "feed_in": fixed, "demand_charges": charges})
    site = simulated_site().model_copy(update={"prices": prices})
    data = measured(4, load_w=lambda hour: 3000.0 if hour >= 3 else 500.0, pv_w=lambda _: 0.0)
    strategies = (Strategy.FORECAST, Strategy.SELF_CONSUMPTION)
    results = {one: run(data, one, site=site, soc_pct=11.0) for one in strategies}
    comparison = compare(site, data, Strategy.FORECAST, results)
    (line,) = comparison.bills[Strategy.SELF_CONSUMPTION].charges
    assert line.quantity == pytest.approx(3.0, abs=0.1)
    energy = (3 * 0.5 + 3.0) * 0.2
    assert comparison.cost_without_battery == pytest.approx(energy + 30.0)
    # The planner of the backtest sees its peaks: what was reached costs nothing more.
    assert results[Strategy.FORECAST].plans.keys() <= {"optimal", "relaxed", "best_found"}


def test_long_steps_throttle_as_steps_of_a_second_do() -> None:
    """A battery with room finds the sun by probing; one that is full does not."""
    data = measured(1, sell=lambda _: -0.1, pv_w=lambda h: 3000.0 + 1000.0 * h)
    for soc_pct in (60.0, 94.0):
        changes = {"site": throttling_site(), "soc_pct": soc_pct}
        coarse, fine = (kind(data, Strategy.FORECAST, **changes) for kind in (run, each_second))
        assert coarse.cycles < fine.cycles / 5
        assert coarse.pv_throttled_wh == pytest.approx(fine.pv_throttled_wh, rel=0.02, abs=30.0)
        assert coarse.charged_wh == pytest.approx(fine.charged_wh, rel=0.005, abs=15.0)
        assert np.abs(coarse.export_wh - fine.export_wh).max() < 5.0


@pytest.mark.parametrize("strategy", PLANNED)
@pytest.mark.parametrize(("step_s", "every_s"), [(300, 900), (900, 900), (3600, 900), (900, 1800)])
def test_a_plan_is_made_each_interval_whatever_the_step(
    strategy: Strategy, step_s: int, every_s: int
) -> None:
    data = measured(6, step_s=step_s)
    result = run(data, strategy, plan_every_s=every_s)
    assert sum(result.plans.values()) == 6 * 3600 / every_s
    assert len(result.battery_w) == 6 * 3600 / step_s


def changed(data: SiteData, first: int, **values: float) -> SiteData:
    rows = tuple(
        replace(row, **values) if index >= first else row for index, row in enumerate(data.rows)
    )
    return replace(data, rows=rows)


def test_a_forecast_does_not_see_the_future() -> None:
    data, first = measured(30), 96
    other = changed(data, first, load_w=4000.0, pv_w=0.0)
    one, two = run(data, Strategy.FORECAST), run(other, Strategy.FORECAST)
    assert np.array_equal(one.battery_w[:first], two.battery_w[:first])
    assert not np.array_equal(one.battery_w[first:], two.battery_w[first:])


def test_perfect_foresight_does() -> None:
    data, first = measured(24, pv_w=lambda _: 0.0), 72
    other = changed(data, first, load_w=0.0, pv_w=4000.0)
    one, two = run(data, Strategy.PERFECT), run(other, Strategy.PERFECT)
    assert not np.array_equal(one.battery_w[:first], two.battery_w[:first])


def test_prices_of_tomorrow_are_known_from_the_afternoon_on() -> None:
    data = measured(30, pv_w=lambda _: 0.0)
    other = changed(data, 96, import_price_per_kwh=1.5)
    at = 13 * 4
    one, two = run(data, Strategy.PERFECT), run(other, Strategy.PERFECT)
    assert np.array_equal(one.battery_w[:at], two.battery_w[:at])
    assert not np.array_equal(one.battery_w[at:96], two.battery_w[at:96])


def test_what_was_before_is_history() -> None:
    """Who has seen a sunny day leaves room for the next one."""
    data = measured(48)
    past, today = data.split(START + timedelta(hours=24), None)
    assert (
        run(today, Strategy.FORECAST, before=past).import_wh.sum()
        < run(today, Strategy.FORECAST).import_wh.sum()
    )


def bought_in_the_night_wh(data: SiteData, site: Site) -> float:
    return float(run(data, Strategy.FORECAST, site=site).import_wh[: 6 * 4].sum())


def test_what_was_forecast_of_the_sun_at_the_time_is_used() -> None:
    """On its first day nothing but that tells of the sun."""
    data, site = measured(24), simulated_site()
    dark = tuple(replace(row, pv_forecast_w=0.0) for row in data.rows)
    told = tuple(replace(row, pv_forecast_w=row.pv_w) for row in data.rows)
    without_wh = bought_in_the_night_wh(data, site)
    assert bought_in_the_night_wh(replace(data, rows=dark), site) == pytest.approx(without_wh)
    assert bought_in_the_night_wh(replace(data, rows=told), site) < without_wh - 2_000.0


@pytest.mark.filterwarnings("ignore:DatetimeIndex.dayofyear")
def test_pv_is_calculated_as_live_where_the_site_says_what_it_has() -> None:
    if missing_library("pv") is not None:
        pytest.skip("needs pvlib")
    data, site = measured(24), simulated_site()
    arrays = (PvArray(azimuth_deg=180, tilt_deg=30, peak_w=6_000),)
    known = site.model_copy(
        update={
            "location": Location(latitude_deg=52.5, longitude_deg=13.4),
            "pv": PvPlant(arrays=arrays),
        }
    )
    assert bought_in_the_night_wh(data, known) < bought_in_the_night_wh(data, site) - 2_000.0


def test_plans_save_more_than_self_consumption_where_prices_move() -> None:
    data = measured(48, pv_w=lambda _: 0.0)

    def cost(strategy: Strategy) -> float:
        result = run(data, strategy, soc_pct=10.0)
        price = np.array([row.import_price_per_kwh for row in data.rows])
        return float(result.import_wh @ price) / 1000.0

    assert cost(Strategy.PERFECT) < 0.9 * cost(Strategy.SELF_CONSUMPTION)


def test_cheap_hours_charges_in_the_cheapest_quarter_and_serves_the_dear_half() -> None:
    data = measured(24, buy=lambda h: 0.1 + 0.01 * (h % 24), pv_w=lambda _: 0.0)
    battery_w = run(data, Strategy.CHEAP_HOURS, soc_pct=20.0).battery_w
    assert battery_w[0] > 4900.0
    assert battery_w[: 6 * 4].sum() / 4 > 7000.0
    assert np.abs(battery_w[7 * 4 : 12 * 4]).max() < 1.0
    assert np.allclose(battery_w[12 * 4 + 1 :], -600.0, atol=15.0)


def test_with_one_price_nothing_is_cheap() -> None:
    data = measured(6, buy=lambda _: 0.3, pv_w=lambda _: 0.0)
    assert run(data, Strategy.CHEAP_HOURS).battery_w.max() <= 0.0


def test_fixed_hours_are_local_hours() -> None:
    data = measured(24, pv_w=lambda _: 0.0)
    battery_w = run(data, Strategy.FIXED_HOURS, soc_pct=20.0).battery_w
    assert battery_w[0] > 4900.0
    assert np.abs(battery_w[6 * 4 : 17 * 4]).max() < 1.0
    assert np.allclose(battery_w[17 * 4 + 1 : 23 * 4], -600.0, atol=15.0)
    assert np.abs(battery_w[23 * 4 + 1 :]).max() == 0.0
    assert abs(battery_w[23 * 4]) < 1.0  # a second, until the meter has told


def test_over_a_hole_the_clock_jumps_and_the_battery_stays_as_it_was() -> None:
    whole = measured(24)
    data = SiteData(step_s=900, rows=whole.rows[:32] + whole.rows[64:], missing=32)
    result = run(data, Strategy.FORECAST)
    assert len(result.battery_w) == 64
    assert result.cycles_not_running == 0
    assert abs(result.soc_pct[32] - result.soc_pct[31]) < 15.0
    assert sum(result.plans.values()) == 64


def published(data: SiteData) -> PublishedPrices:
    return PublishedPrices(MeasuredDays(data=data, before=NOTHING).prices("EUR"), zone=BERLIN)


def test_a_hole_ends_what_is_known() -> None:
    whole = measured(24)
    data = SiteData(step_s=900, rows=whole.rows[:32] + whole.rows[40:], missing=8)
    prices = published(data).at(START)
    assert prices.known_until(START) == START + timedelta(hours=8)
    assert Truth(data).forecast(START, 48.0).load.end_utc == START + timedelta(hours=8)


@pytest.mark.parametrize(
    ("at_h", "known_h"), [(0.0, 24.0), (12.75, 24.0), (13.0, 48.0), (23.75, 48.0), (24.0, 48.0)]
)
def test_prices_are_known_as_they_are_published(at_h: float, known_h: float) -> None:
    prices = published(measured(72))
    known = prices.at(START + timedelta(hours=at_h))
    assert known.known_until(START + timedelta(hours=at_h)) == START + timedelta(hours=known_h)
    assert known.currency == "EUR"
    assert known.feed_in.price_at(START) == (0.06 if at_h < 24 else None)


def test_on_the_day_when_the_clock_goes_back_prices_reach_for_25_hours() -> None:
    start = datetime(2024, 10, 26, 22, tzinfo=UTC)
    shift = int((start - START).total_seconds())
    data = measured(60)
    rows = tuple(replace(row, start_s=row.start_s + shift) for row in data.rows)
    known = published(replace(data, rows=rows)).at(start)
    assert known.known_until(start) == start + timedelta(hours=25)


def test_the_truth_is_the_mean_of_each_quarter_hour() -> None:
    fine = measured(1, step_s=300, load_w=lambda h: 1200.0 * h)
    assert Truth(fine).forecast(START, 1.0).load.mean_w == pytest.approx((100, 400, 700, 1000))
    coarse = measured(2, step_s=3600, load_w=lambda h: 500.0 * h)
    assert Truth(coarse).forecast(START, 1.0).load.mean_w == (0, 0, 0, 0, 500)


def test_less_than_an_hour_is_refused() -> None:
    with pytest.raises(DataError, match="45 minutes"):
        Run(job(measured(0.75), Strategy.FORECAST))


class OnlyAtFirst(Adviser):
    """A planner that fails after its first plan."""

    def __init__(self, adviser: Adviser) -> None:
        self._adviser = adviser
        self._asked = 0

    def plan(self, now_utc: datetime, soc_pct: float) -> Plan | None:
        self._asked += 1
        if self._asked > 1:
            raise PlanFailed("the solver is gone")
        return self._adviser.plan(now_utc, soc_pct)


def test_without_new_plans_the_last_one_expires_and_the_local_rule_serves() -> None:
    """Two dear hours are to come, so the plan keeps its energy; self-consumption does not."""
    data = measured(3, buy=lambda h: 0.1 if h < 2 else 0.9, pv_w=lambda _: 0.0)
    failing = Run(job(data, Strategy.PERFECT, soc_pct=15.0))
    failing._adviser = OnlyAtFirst(failing._adviser)
    result = failing.run()
    assert result.plans == {"optimal": 1, "failed": 11}
    assert result.first_problem == "2024-06-03T22:15Z: the solver is gone"
    assert result.battery_w[:2].min() > -100.0
    assert np.allclose(result.battery_w[3:], -600.0, atol=15.0) or result.soc_pct[-1] < 11.0
    assert result.battery_w[3] == pytest.approx(-600.0, abs=15.0)


def test_a_run_tells_how_far_it_is() -> None:
    shares: list[float] = []
    Run(job(measured(34, step_s=60), Strategy.SELF_CONSUMPTION)).run(shares.append)
    assert shares == pytest.approx([20 * n / 2040 for n in range(102)])
