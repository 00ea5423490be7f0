"""Days of the simulated household: what is known when, and that they live by the second."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from holdfast.backtest.bill import compare
from holdfast.backtest.run import Job, Run
from holdfast.backtest.simulated_days import simulated_days
from holdfast.backtest.strategies import Strategy
from holdfast.core.errors import ConfigError
from holdfast.core.quarter_hours import QUARTER
from holdfast.simulation.demo_site import sample_site_prices, simulated_site
from holdfast.simulation.plant import Household
from tests.builders import load_content

SITE = simulated_site()
PRICES = sample_site_prices(SITE)
QUARTER_DAY = simulated_days(PRICES, days=0.25, step_s=2.0, seed=3)


def test_rows_are_the_households_quarter_hours_at_the_owners_prices() -> None:
    data = QUARTER_DAY.data
    assert (len(data.rows), data.step_s, data.start) == (24, 900, PRICES.start_utc)
    house = Household(seed=3)
    row = data.rows[20]
    powers_w = [house.power_w(row.start_s + 60.0 * minute) for minute in range(15)]
    assert (row.pv_w, row.load_w) == pytest.approx(np.mean(powers_w, axis=0))
    start = data.start + 20 * QUARTER
    assert row.import_price_per_kwh == PRICES.purchase.price_at(start)
    assert row.export_price_per_kwh == PRICES.feed_in.price_at(start)
    assert simulated_days(PRICES, days=0.25, seed=4).data != data


def test_prices_that_reach_not_far_enough_are_refused() -> None:
    simulated_days(PRICES, days=9)
    with pytest.raises(ConfigError, match="30 days would need"):
        simulated_days(PRICES, days=30)
    never = PRICES.between(QUARTER_DAY.data.start, QUARTER_DAY.data.start)
    with pytest.raises(ConfigError, match="none are known"):
        simulated_days(never, days=1)


def test_the_planner_has_seen_the_week_before_with_nothing_on_that_can_wait() -> None:
    with_load = SITE.model_validate(SITE.model_dump() | {"loads": [load_content()]})
    past = list(QUARTER_DAY.past(with_load))
    start = QUARTER_DAY.data.start
    assert [past[0].utc, past[-1].utc] == [start - timedelta(days=7), start - timedelta(minutes=1)]
    assert len(past) == 7 * 24 * 60
    assert (past[9].pv_w, past[9].load_w) == Household(seed=3).power_w(past[9].utc.timestamp())
    assert set(past[9].on.values()) == {False}
    assert past[9].on.keys() == with_load.switches.keys() != set()


def test_a_cycle_runs_every_step_and_energy_balances() -> None:
    result = Run(Job(site=SITE, scenario=QUARTER_DAY, strategy=Strategy.FORECAST, seed=3)).run()
    assert result.cycles == 6 * 1800 + result.cycles % 1800, "and a few to start"
    assert result.cycles % 1800 < 10
    assert sum(result.plans.values()) == 24
    grid_w = (result.import_wh - result.export_wh) * 4
    assert np.allclose(grid_w, result.load_w + result.battery_w - result.pv_w, atol=1e-6)
    house_wh = (result.load_w - result.pv_w) / 4
    assert np.allclose(result.deficit_wh - result.surplus_wh, house_wh, atol=1e-6)
    rows_w = [row.load_w - row.pv_w for row in QUARTER_DAY.data.rows]
    assert np.allclose(result.load_w - result.pv_w, rows_w, atol=60.0), "as the rows say it"
    assert (result.damage, result.cycles_not_running) == ({}, 0)


def test_without_a_battery_what_is_bought_in_a_quarter_hour_is_not_set_against_what_is_sold() -> (
    None
):
    begin = QUARTER_DAY.data.start + timedelta(hours=7)  # clouds over a house at breakfast
    morning = simulated_days(PRICES.between(begin, begin + timedelta(days=1)), days=0.125)
    result = Run(Job(site=SITE, scenario=morning, strategy=Strategy.SELF_CONSUMPTION)).run()
    assert ((result.deficit_wh > 1.0) & (result.surplus_wh > 1.0)).any()
    data = morning.data
    bill = compare(SITE, data, result.strategy, {result.strategy: result})
    bought = np.array([row.import_price_per_kwh for row in data.rows])
    sold = np.array([row.export_price_per_kwh for row in data.rows])
    paid = result.deficit_wh @ bought - result.surplus_wh @ sold
    assert bill.cost_without_battery == pytest.approx(paid / 1000.0)


def test_what_is_stored_is_worth_what_the_bill_is_told() -> None:
    rules = Job(site=SITE, scenario=QUARTER_DAY, strategy=Strategy.SELF_CONSUMPTION)
    result = replace(Run(rules).run(), soc_start_pct=0.0, capacity_wh=10_000.0)
    bills = [
        compare(SITE, QUARTER_DAY.data, result.strategy, {result.strategy: result}, worth).bills
        for worth in (0.0, 0.5)
    ]
    stored_kwh = result.soc_pct[-1] / 10.0
    nothing, half = (bill[result.strategy] for bill in bills)
    assert nothing.cost - half.cost == pytest.approx(stored_kwh * 0.5)
