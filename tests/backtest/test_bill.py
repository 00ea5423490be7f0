"""The bill of a backtest, on numbers that can be checked by hand."""

from dataclasses import replace

import numpy as np
import pytest

from holdfast.backtest.bill import NO_BATTERY, compare, refill_price_per_kwh
from holdfast.backtest.data import SiteData
from holdfast.backtest.run import RunResult
from holdfast.backtest.strategies import Strategy
from holdfast.simulation.demo_site import simulated_site
from tests.backtest.backtest_bench import measured


def four_hours() -> SiteData:
    """Load 2 kW at 0.10, 0.10, 0.30, 0.30; then 1 kW of surplus at 0.05."""
    prices = (0.1, 0.1, 0.3, 0.3, 0.2)
    return measured(
        5,
        step_s=3600,
        buy=lambda h: prices[int(h)],
        sell=lambda _: 0.05,
        load_w=lambda h: 2000.0 if h < 4 else 0.0,
        pv_w=lambda h: 1000.0 if h >= 4 else 0.0,
    )


def result(
    strategy: Strategy, import_wh: list[float], soc_end_pct: float = 50.0, house_w: float = 2000.0
) -> RunResult:
    return RunResult(
        strategy=strategy,
        battery_w=np.zeros(5),
        soc_pct=np.array([50.0] * 4 + [soc_end_pct]),
        load_w=np.array([house_w] * 4 + [0.0]),
        pv_w=np.array([0.0] * 4 + [house_w / 2]),
        import_wh=np.array(import_wh),
        export_wh=np.array([0.0] * 4 + [1000.0]),
        quarter_wh={},
        soc_start_pct=50.0,
        deficit_wh=np.array([house_w] * 4 + [0.0]),
        surplus_wh=np.array([0.0] * 4 + [house_w / 2]),
        charged_wh=4000.0,
        discharged_wh=5120.0,
        pv_throttled_wh=700.0,
        capacity_wh=10_240.0,
        damage={"battery/x": 2},
        cycles=9,
        cycles_not_running=0,
        plans={},
        first_problem="",
    )


def test_costs_savings_and_shares() -> None:
    """1.55 without; 1.15 with plans; 0.75 for who knew everything."""
    site = simulated_site()
    compared = compare(
        site,
        four_hours(),
        Strategy.FORECAST,
        {
            Strategy.FORECAST: result(Strategy.FORECAST, [4000, 2000, 0, 2000, 0]),
            Strategy.PERFECT: result(Strategy.PERFECT, [4000, 4000, 0, 0, 0]),
        },
    )
    assert compared.cost_without_battery == pytest.approx(0.2 + 0.2 + 0.6 + 0.6 - 0.05)
    bill = compared.bills[Strategy.FORECAST]
    assert bill.cost == pytest.approx(0.4 + 0.2 + 0.6 - 0.05)
    assert bill.wear_cost == pytest.approx(5.12 * 0.02)
    assert bill.cost_with_wear == pytest.approx(bill.cost + bill.wear_cost)
    assert bill.full_cycles == pytest.approx(0.5)
    assert bill.pv_throttled_kwh == pytest.approx(0.7)
    assert bill.damage == 2
    saving = compared.savings[NO_BATTERY]
    assert (saving.amount, saving.percent) == pytest.approx((0.4, 100 * 0.4 / 1.55))
    assert compared.savings[Strategy.PERFECT].amount == pytest.approx(-0.4)
    assert compared.share_of_perfect_pct == pytest.approx(50.0)
    assert compared.share_of_perfect_with_wear_pct == pytest.approx(100 * 0.2976 / 0.6976)


def test_what_is_left_counts_for_what_it_would_cost_to_buy_it_again() -> None:
    """Ten percent of 10.24 kWh, at 0.10 and 96 percent."""
    site, data = simulated_site(), four_hours()
    assert refill_price_per_kwh(site, data) == pytest.approx(0.1 / 0.96)
    more = compare(
        site,
        data,
        Strategy.FORECAST,
        {Strategy.FORECAST: result(Strategy.FORECAST, [2000] * 4 + [0], soc_end_pct=60.0)},
    ).bills[Strategy.FORECAST]
    assert more.cost == pytest.approx(1.55 - 1.024 * 0.1 / 0.96)
    assert more.cost_at_meter == pytest.approx(1.55)


def test_only_prices_of_the_last_day_count_and_a_full_battery_is_no_burden() -> None:
    data = measured(48, buy=lambda h: 0.01 if h < 20 else 0.5)
    assert refill_price_per_kwh(simulated_site(), data) == pytest.approx(0.5 / 0.96)
    paid = replace(data, rows=tuple(replace(row, import_price_per_kwh=-0.2) for row in data.rows))
    assert refill_price_per_kwh(simulated_site(), paid) == 0.0


def test_where_nothing_was_paid_no_share_is_told() -> None:
    data = measured(5, step_s=3600, load_w=lambda _: 0.0, pv_w=lambda _: 0.0)
    compared = compare(
        simulated_site(),
        data,
        Strategy.PERFECT,
        {Strategy.PERFECT: result(Strategy.PERFECT, [0.0] * 5, house_w=0.0)},
    )
    assert compared.savings[NO_BATTERY].percent is None
    assert compared.share_of_perfect_pct == pytest.approx(100.0)
