"""Plans are judged by measured days: what they earned more than self-consumption would have.

Both are run again on the same quarter hours, so that what a simulated battery does not know of the
real one is in both. On a day that plans led, the plans are those that the controller held; on one
that self-consumption led, they are made anew, as they would have been. Whoever led begins the day
with what was stored, the other one with what he had left of the day before.

``python -m holdfast.backtest.plan_judging --config site.yaml`` judges each day once, two days
later: by then the prices are known that plans of its afternoon could see.
"""

import argparse
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from zoneinfo import ZoneInfo

from holdfast.backtest.data import Row, SiteData
from holdfast.backtest.day_money import cost_of, measured_day, midnight, replay, row_of
from holdfast.backtest.held_plans import LEAST_SHARE, HeldPlans, who_led
from holdfast.backtest.measured_days import MeasuredDays
from holdfast.backtest.run import RunResult
from holdfast.backtest.strategies import Strategy
from holdfast.client.judgement_reader import read_judgement
from holdfast.core.config import Site
from holdfast.core.errors import DataError, HoldfastError
from holdfast.core.quarter_hours import QUARTER_S
from holdfast.markets.sources.plausible import plausible
from holdfast.monitoring.history.database import HistoryError
from holdfast.monitoring.history.local_steps import TimeStep
from holdfast.monitoring.history.place import HistoryPlace
from holdfast.monitoring.history.reader import HistoryReader
from holdfast.monitoring.judgement import JudgedDay, Judgement, encode_judgement, is_judged
from holdfast.monitoring.plan_judge import WhoLeads
from holdfast.site.files import SiteFiles, write_atomically
from holdfast.site.site_file import load_site

_log = logging.getLogger(__name__)

LAST_DAYS = 31
"""So many days are looked at where nothing is known."""
_LATER = timedelta(days=2)
_PAST = timedelta(days=28)
"""So much a planner that is run again has seen."""
_NICE = 19


def judge_days(
    site: Site, reader: HistoryReader, before: Judgement, now: datetime
) -> Iterator[Judgement]:
    """Yields what is found with each day that is due, at ``now``. A day takes from a second to
    half a minute.

    Raises HistoryError; a day that cannot be judged is left out, with a line in the log.
    """
    found, today = before, now.astimezone(ZoneInfo(site.timezone)).date()
    day = today - timedelta(days=LAST_DAYS)
    while day <= today - _LATER:
        if found.looked is None or found.looked < day:
            try:
                one = judged_day(site, reader, day, found.days[-1] if found.days else None)
            except HistoryError:
                raise
            except HoldfastError as error:
                _log.info("%s is not judged: %s", day, error)
                found = replace(found, looked=day)
            else:
                found = found.with_day(one, now, today)
            yield found
        day += timedelta(days=1)


def judged_day(site: Site, reader: HistoryReader, day: date, before: JudgedDay | None) -> JudgedDay:
    """Returns what plans earned more on ``day``, which comes after ``before``.

    Raises DataError for a day that is not whole, or that neither plans nor the rule have led.
    """
    zone = ZoneInfo(site.timezone)
    start, end = midnight(day, zone), midnight(day + timedelta(days=1), zone)
    measured = measured_day(site, reader, day)
    _check_prices(site, measured.data)
    held = reader.plans(start, end)
    led = who_led(held, start, end)
    if led is None:
        raise DataError(f"neither plans nor self-consumption led {LEAST_SHARE:.0%} of it")
    starts_pct = dict.fromkeys(WhoLeads, measured.soc_start_pct)
    if before is not None and before.day + timedelta(days=1) == day:
        other = WhoLeads.RULE if led is WhoLeads.PLANS else WhoLeads.PLANS
        ends_pct = {
            WhoLeads.PLANS: before.plans_soc_pct,
            WhoLeads.RULE: before.rule_soc_pct,
        }
        starts_pct[other] = ends_pct[other]
    alone = MeasuredDays(data=measured.data, before=SiteData(step_s=QUARTER_S, rows=()))
    rule = replay(site, alone, Strategy.SELF_CONSUMPTION, starts_pct[WhoLeads.RULE])
    match led:
        case WhoLeads.PLANS:
            # No strategy that plans: its adviser is not to be asked in any case.
            plans = replay(
                site,
                alone,
                Strategy.SELF_CONSUMPTION,
                starts_pct[WhoLeads.PLANS],
                lambda *_: HeldPlans(held),
            )
        case WhoLeads.RULE:
            known = MeasuredDays(
                data=measured.data,
                before=SiteData(step_s=QUARTER_S, rows=tuple(_known(reader, start - _PAST, start))),
                after=tuple(_known(reader, end, end + timedelta(days=1))),
            )
            plans = replay(site, known, Strategy.FORECAST, starts_pct[WhoLeads.PLANS])
    return JudgedDay(
        day=day,
        led=led,
        gain=_cost(site, measured.data, rule) - _cost(site, measured.data, plans),
        plans_soc_pct=float(plans.soc_pct[-1]),
        rule_soc_pct=float(rule.soc_pct[-1]),
    )


def _known(reader: HistoryReader, start: datetime, end: datetime) -> Iterator[Row]:
    for row in reader.energy(start, end, TimeStep.QUARTER):
        with suppress(DataError):
            yield row_of(row)


def _check_prices(site: Site, data: SiteData) -> None:
    """Refuses prices that were kept in another unit. Raises DataError."""
    bounds = plausible(site.currency)
    for row in data.rows:
        for price in (row.import_price_per_kwh, row.export_price_per_kwh):
            if not bounds.low <= price <= bounds.high:
                raise DataError(
                    f"a price of {price:g} {site.currency} per kWh is not within {bounds.low:g} "
                    f"to {bounds.high:g}"
                )
    middle = median(abs(row.import_price_per_kwh) for row in data.rows)
    if not middle <= bounds.usual_high:
        raise DataError(f"prices of about {middle:.3g} {site.currency} per kWh cannot be")


def _cost(site: Site, data: SiteData, result: RunResult) -> float:
    return cost_of(site, data, result, stored_more_than_pct=result.soc_start_pct)


def main(arguments: Sequence[str] | None = None) -> int:
    """Judges the days that are due, and keeps what is found; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m holdfast.backtest.plan_judging")
    parser.add_argument("--config", type=Path, required=True, help="the site.yaml")
    options = parser.parse_args(arguments)
    os.nice(_NICE)
    try:
        site = load_site(options.config)
        if is_judged(site):
            _judge(site, SiteFiles.of(site), datetime.now(UTC))
    except (HoldfastError, OSError) as error:
        print(error, file=sys.stderr)  # noqa: T201 - whoever started it shows it
        return 2
    return 0


def _judge(site: Site, files: SiteFiles, now: datetime) -> None:
    place = HistoryPlace.of(site.history, files.history_db, os.environ)
    reader = HistoryReader(place, ZoneInfo(site.timezone))
    before = read_judgement(site, files, now)
    if before is None:
        before = Judgement(site=site.name, currency=site.currency, made=now)
    for found in judge_days(site, reader, before, now):
        write_atomically(files.judgement, encode_judgement(found))


if __name__ == "__main__":
    sys.exit(main())
