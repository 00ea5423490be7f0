"""Small measured days for backtests."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from holdfast.backtest.data import Row, SiteData
from holdfast.backtest.measured_days import MeasuredDays
from holdfast.backtest.run import Job, Run, RunResult
from holdfast.backtest.strategies import Strategy
from holdfast.simulation.demo_site import simulated_site

START = datetime(2024, 6, 3, 22, tzinfo=UTC)
"""Midnight in Berlin, the zone of the demonstration's site."""
NOTHING = SiteData(step_s=900, rows=())

Shape = Callable[[float], float]
"""Value by hours since the start."""


def cheap_nights(hour: float) -> float:
    """EUR/kWh: dear from 17 to 22."""
    return 0.40 if 17 <= hour % 24 < 22 else 0.20


def sunny(hour: float) -> float:
    """W."""
    return max(0.0, 4000.0 - 250.0 * (hour % 24 - 13.0) ** 2)


def measured(
    hours: float,
    *,
    step_s: int = 900,
    buy: Shape = cheap_nights,
    sell: Shape = lambda _: 0.06,
    load_w: Shape = lambda _: 600.0,
    pv_w: Shape = sunny,
) -> SiteData:
    """``hours`` from START."""
    first = int(START.timestamp())
    rows = []
    for index in range(round(hours * 3600 / step_s)):
        hour = index * step_s / 3600
        rows.append(
            Row(
                start_s=first + index * step_s,
                import_price_per_kwh=buy(hour),
                export_price_per_kwh=sell(hour),
                load_w=load_w(hour),
                pv_w=pv_w(hour),
            )
        )
    return SiteData(step_s=step_s, rows=tuple(rows))


def job(data: SiteData, strategy: Strategy, before: SiteData = NOTHING, **changes: object) -> Job:
    """A run of the demonstration's site, after what was measured ``before``."""
    scenario = MeasuredDays(data=data, before=before)
    made = Job(site=simulated_site(), scenario=scenario, strategy=strategy)
    return replace(made, **changes)  # type: ignore[arg-type]


def run(
    data: SiteData, strategy: Strategy, before: SiteData = NOTHING, **changes: object
) -> RunResult:
    """The result of :func:`job`."""
    return Run(job(data, strategy, before, **changes)).run()
