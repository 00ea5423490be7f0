"""What measured days would have cost otherwise: by self-consumption, and with perfect foresight.

A day that the history has measured is run again, second by second as in any backtest, from the
state of charge that the battery had. ``python -m holdfast.backtest.day_money --config site.yaml``
does so for the last days, and keeps what comes of it in the history.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from holdfast.backtest.bill import interval_cost, refill_price_per_kwh
from holdfast.backtest.data import Row, SiteData
from holdfast.backtest.measured_days import MeasuredDays
from holdfast.backtest.run import Job, Run, RunResult
from holdfast.backtest.strategies import Adviser, Setting, Strategy
from holdfast.core.config import Site
from holdfast.core.errors import DataError, HoldfastError
from holdfast.core.quarter_hours import QUARTER_S
from holdfast.core.signals import Signal
from holdfast.monitoring.history.day_money import DayMoney, keep_day_money, known_day_money
from holdfast.monitoring.history.energy_rows import EnergyRow
from holdfast.monitoring.history.local_steps import TimeStep
from holdfast.monitoring.history.place import HistoryPlace
from holdfast.monitoring.history.reader import HistoryReader
from holdfast.site.files import SiteFiles
from holdfast.site.site_file import load_site

LEAST_SHARE = 0.95
"""Of a day, so much must be measured, with its prices."""
LAST_DAYS = 31
_NICE = 19
_MINUTES = 15
"""So near its beginning and end the state of charge is looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredDay:
    """Holds a day as it was."""

    data: SiteData
    soc_start_pct: float
    soc_end_pct: float


def compare_days(
    site: Site, place: HistoryPlace, days: Iterable[date], now_s: int
) -> Iterator[DayMoney]:
    """Yields what each of ``days`` would have cost otherwise. Takes some seconds a day.

    The costs stand for the same stored energy at the end of the day as there really was. Raises
    HistoryError; what cannot be known of a day is told in its ``problem``.
    """
    reader = HistoryReader(place, ZoneInfo(site.timezone))
    for day in days:
        try:
            measured = measured_day(site, reader, day)
            costs = {s: _cost(site, measured, s) for s in _STRATEGIES}
        except HoldfastError as error:
            yield DayMoney(day=day.isoformat(), made_s=now_s, problem=str(error))
        else:
            yield DayMoney(
                day=day.isoformat(),
                self_consumption=costs[Strategy.SELF_CONSUMPTION],
                perfect_foresight=costs[Strategy.PERFECT],
                made_s=now_s,
            )


_STRATEGIES = (Strategy.SELF_CONSUMPTION, Strategy.PERFECT)


def measured_day(site: Site, reader: HistoryReader, day: date) -> MeasuredDay:
    """Returns what was measured on a local day. Raises DataError for one that is not whole."""
    zone = ZoneInfo(site.timezone)
    start, end = midnight(day, zone), midnight(day + timedelta(days=1), zone)
    (whole,) = reader.energy(start, end, TimeStep.DAY)
    share = min(whole.complete, whole.priced)
    if share < LEAST_SHARE:
        raise DataError(f"{day}: only {share:.0%} of it was measured, with its prices")
    rows = tuple(row_of(row) for row in reader.energy(start, end, TimeStep.QUARTER))
    edge = timedelta(minutes=_MINUTES)
    return MeasuredDay(
        data=SiteData(step_s=QUARTER_S, rows=rows),
        soc_start_pct=_soc_pct(site, reader, start, start + edge, first=True),
        soc_end_pct=_soc_pct(site, reader, end - edge, end, first=False),
    )


def row_of(row: EnergyRow) -> Row:
    """Returns what was measured in a quarter hour. Raises DataError for one that is not known."""
    bought, sold, load_wh, pv_wh = row.purchase_per_kwh, row.feed_in_per_kwh, row.load_wh, row.pv_wh
    if bought is None or sold is None or load_wh is None or pv_wh is None:
        raise DataError(
            f"{row.start:%FT%RZ}: load, PV or a price is not known in this quarter hour"
        )
    hours = row.complete * QUARTER_S / 3600.0
    return Row(
        start_s=int(row.start.timestamp()),
        import_price_per_kwh=bought,
        export_price_per_kwh=sold,
        load_w=load_wh / hours,
        pv_w=pv_wh / hours,
    )


def _soc_pct(
    site: Site, reader: HistoryReader, start: datetime, end: datetime, *, first: bool
) -> float:
    """Returns the state of charge of all units together, at the first or last minute with one."""
    keys = [f"{unit.name}/{Signal.SOC_PCT}" for unit in site.storage]
    found = reader.values_at(keys, start, end, 60)
    capacity_wh = np.array([unit.battery.capacity_wh for unit in site.storage])
    socs_pct = np.stack([found.series[key].mean for key in keys])
    known = socs_pct[:, ~np.isnan(socs_pct).any(axis=0)]
    if not known.size:
        raise DataError(f"{start:%FT%RZ}: the state of charge is not known")
    return float(known[:, 0 if first else -1] @ capacity_wh / capacity_wh.sum())


def _cost(site: Site, day: MeasuredDay, strategy: Strategy) -> float:
    """Returns what ``strategy`` costs at the meter, less what is stored more than there was."""
    scenario = MeasuredDays(data=day.data, before=SiteData(step_s=day.data.step_s, rows=()))
    result = replay(site, scenario, strategy, day.soc_start_pct)
    return cost_of(site, day.data, result, stored_more_than_pct=day.soc_end_pct)


def replay(
    site: Site,
    scenario: MeasuredDays,
    strategy: Strategy,
    soc_pct: float,
    laid: Callable[[Adviser, Setting], Adviser] = lambda adviser, _: adviser,
) -> RunResult:
    """Runs days that were measured again, from ``soc_pct`` on. Raises HoldfastError."""
    run_site = site.model_copy(
        update={
            "loads": (),  # they are part of the load that was measured
            "rooms": (),
            "authority": "full" if site.authority == "observe" else site.authority,
        }
    )
    job = Job(site=run_site, scenario=scenario, strategy=strategy, soc_pct=soc_pct)
    result = Run(job, laid).run()
    if result.first_problem:
        raise DataError(f"{strategy}: {result.first_problem}")
    return result


def cost_of(site: Site, data: SiteData, result: RunResult, *, stored_more_than_pct: float) -> float:
    """Returns what a run costs at the meter, less what it stores more at its end than that."""
    more_pct = float(result.soc_pct[-1]) - stored_more_than_pct
    more_kwh = more_pct / 100.0 * result.capacity_wh / 1000.0
    at_meter = float(interval_cost(data, result.import_wh, result.export_wh).sum())
    return at_meter - more_kwh * refill_price_per_kwh(site, data)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Returns when a local day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def main(arguments: Sequence[str] | None = None) -> int:
    """Compares the last days that are whole and were not compared yet; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m holdfast.backtest.day_money")
    parser.add_argument("--config", type=Path, required=True, help="the site.yaml")
    parser.add_argument("--days", type=int, default=LAST_DAYS, help="so many days back at most")
    options = parser.parse_args(arguments)
    os.nice(_NICE)
    try:
        site = load_site(options.config)
        place = HistoryPlace.of(site.history, SiteFiles.of(site).history_db, os.environ)
        known = known_day_money(place)
        today = datetime.now(ZoneInfo(site.timezone)).date()
        days = [today - timedelta(days=number) for number in range(1, options.days + 1)]
        missing = [day for day in days if day.isoformat() not in known]
        for found in compare_days(site, place, missing, int(time.time())):
            keep_day_money(place, [found])
    except HoldfastError as error:
        print(error, file=sys.stderr)  # noqa: T201 - whoever started it shows it
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
