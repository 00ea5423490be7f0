"""A run beside self-consumption: what it adds, and in how many weeks it was behind."""

from dataclasses import replace

import numpy as np
import pytest

from holdfast.backtest.against_rule import against_rule
from holdfast.backtest.bill import Bill, compare
from holdfast.backtest.data import Row, SiteData
from holdfast.backtest.run import RunResult
from holdfast.backtest.strategies import Strategy
from holdfast.simulation.demo_site import simulated_site

DAY_S = 86_400


def days(count: int, step_s: int = 3600) -> SiteData:
    rows = tuple(
        Row(
            start_s=n * step_s,
            import_price_per_kwh=0.5,
            export_price_per_kwh=0.0,
            load_w=1000.0,
            pv_w=0.0,
        )
        for n in range(count * DAY_S // step_s)
    )
    return SiteData(step_s=step_s, rows=rows)


def run(data: SiteData, strategy: Strategy, *weeks_kwh: float) -> RunResult:
    """A run that imports so much in each week, the last one for all that follow."""
    rows = len(data.rows)
    a_week = 7 * DAY_S // data.step_s
    wh = np.array([1e3 * weeks_kwh[min(n // a_week, len(weeks_kwh) - 1)] for n in range(rows)])
    none = np.zeros(rows)
    return RunResult(
        strategy=strategy,
        battery_w=none, soc_pct=np.full(rows, 50.0), load_w=none, pv_w=none,
        import_wh=wh / a_week, export_wh=none, deficit_wh=none, surplus_wh=none, quarter_wh={},
        soc_start_pct=50.0, charged_wh=0.0, discharged_wh=0.0, pv_throttled_wh=0.0,
        capacity_wh=10_000.0, plans={}, first_problem="", cycles=1, cycles_not_running=0, damage={},
    )  # fmt: skip


def bills(data: SiteData, *runs: RunResult) -> dict[Strategy, Bill]:
    results = {each.strategy: each for each in runs}
    return dict(compare(simulated_site(), data, runs[0].strategy, results).bills)


def test_it_is_measured_against_what_perfect_foresight_adds_to_the_rule() -> None:
    data = days(28)
    runs = (
        run(data, Strategy.FORECAST, 60.0, 90.0, 70.0, 80.0),
        run(data, Strategy.SELF_CONSUMPTION, 80.0),
        run(data, Strategy.PERFECT, 50.0),
    )
    found = against_rule(data, bills(data, *runs), {each.strategy: each for each in runs})
    assert found.keys() == {Strategy.FORECAST, Strategy.PERFECT}
    plans = found[Strategy.FORECAST]
    assert plans.share_of_added_pct == pytest.approx(100 * 20 / 120)
    assert (plans.weeks, plans.weeks_behind_pct) == (4, 25.0)
    assert plans.worst_week == pytest.approx(-5.0)
    assert found[Strategy.PERFECT].share_of_added_pct == pytest.approx(100.0)


def test_some_days_are_no_week_and_most_of_one_is() -> None:
    data = days(10)
    runs = run(data, Strategy.FORECAST, 60.0, 9e3), run(data, Strategy.SELF_CONSUMPTION, 80.0)
    plans = against_rule(data, bills(data, *runs), {each.strategy: each for each in runs})
    assert plans[Strategy.FORECAST].weeks == 1
    assert plans[Strategy.FORECAST].weeks_behind_pct == 0.0
    assert plans[Strategy.FORECAST].share_of_added_pct is None, "perfect foresight was not run"
    short = days(3)
    runs = run(short, Strategy.FORECAST, 60.0), run(short, Strategy.SELF_CONSUMPTION, 80.0)
    none = against_rule(short, bills(short, *runs), {each.strategy: each for each in runs})
    assert none[Strategy.FORECAST].weeks_behind_pct is none[Strategy.FORECAST].worst_week is None
    holed = days(4)
    runs = run(holed, Strategy.FORECAST, 60.0), run(holed, Strategy.SELF_CONSUMPTION, 80.0)
    most = against_rule(holed, bills(holed, *runs), {each.strategy: each for each in runs})
    assert most[Strategy.FORECAST].weeks == 1


def test_a_cent_is_no_difference_and_nothing_is_shared_where_nothing_is_added() -> None:
    data = days(7)
    rule = run(data, Strategy.SELF_CONSUMPTION, 80.0)
    alike = replace(rule, strategy=Strategy.PERFECT)
    runs = run(data, Strategy.FORECAST, 80.01), rule, alike
    found = against_rule(data, bills(data, *runs), {each.strategy: each for each in runs})
    assert found[Strategy.FORECAST].weeks_behind_pct == 0.0
    assert found[Strategy.FORECAST].share_of_added_pct is None


def test_without_the_rule_nothing_is_measured_against_it() -> None:
    data = days(7)
    plans = run(data, Strategy.FORECAST, 80.0)
    assert against_rule(data, bills(data, plans), {Strategy.FORECAST: plans}) == {}
