"""Runs in processes of their own, and the data that the benchmark measures on."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.backtest_data import generated_year, recorded_years
from holdfast.backtest.campaign import run_all
from holdfast.backtest.strategies import Strategy
from holdfast.core.errors import DataError
from tests.backtest.backtest_bench import job, measured, run


def test_a_run_in_another_process_is_the_same_run() -> None:
    data = measured(3)
    strategies = (Strategy.FORECAST, Strategy.FIXED_HOURS)
    timed = run_all(job(data, Strategy.FORECAST), strategies, processes=2)
    assert tuple(timed) == strategies
    for strategy, one in timed.items():
        assert np.array_equal(one.result.battery_w, run(data, strategy).battery_w)
        assert one.result.strategy is strategy
        assert one.rss_mb > 10.0


def test_what_a_run_refuses_reaches_who_asked() -> None:
    with pytest.raises(DataError, match="45 minutes"):
        run_all(job(measured(0.75), Strategy.FORECAST), (Strategy.FORECAST,), processes=1)


def test_the_generated_year_is_always_the_same() -> None:
    one, two = generated_year(days=3), generated_year(days=3)
    assert one.data == two.data
    assert len(one.data.rows) == 288
    assert replace(one, title="x") != one


def test_recorded_years_hold_nothing_invented(shared_data: Path) -> None:
    years = recorded_years(shared_data)
    assert [year.currency for year in years] == ["EUR", "EUR", "GBP"]
    for year in years:
        starts = np.array([row.start_s for row in year.data.rows])
        assert (np.diff(starts) % 900 == 0).all()
        assert (np.diff(starts) > 0).all()
        span = (starts[-1] - starts[0]) // 900 + 1
        assert year.data.missing == span - len(starts)
        assert min(row.load_w for row in year.data.rows) >= 0.0
        assert len(starts) % 96 == 0
