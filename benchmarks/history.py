"""The history: what a year of one site takes on disk, and how long a day takes to be read.

Days are written by the very code that runs live, minute after minute, with signals that are as
noisy as a real site's: powers that follow a household and a battery at the meter, a grid that never
stands still, cells that creep, and many signals that hardly move. What is extrapolated to a year is
only what grows with each day alike: blocks of seconds up to the days for which they are kept,
blocks of minutes and quarter hours, energies, findings and plans.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import func, select

from benchmarks.report import (
    CannotRun,
    Report,
    at_least_one,
    at_most,
    new_parser,
    run,
    summarise,
)
from holdfast.core.config.history import History
from holdfast.core.quarter_hours import QUARTER_S
from holdfast.monitoring.history.energies import Sum
from holdfast.monitoring.history.levels import DAY_S, HOUR_S, MINUTE_S, ValueLevel
from holdfast.monitoring.history.local_steps import TimeStep
from holdfast.monitoring.history.minute_book import Minute
from holdfast.monitoring.history.place import HistoryPlace
from holdfast.monitoring.history.reader import HistoryReader
from holdfast.monitoring.history.schema import BLOCK, QUARTER, SPELL
from holdfast.monitoring.history.spells import Spell, SpellKind
from holdfast.monitoring.history.sqlite_file import back_up, used_bytes
from holdfast.monitoring.history.store import HistoryStore
from holdfast.monitoring.history.value_codec import Floats

YEAR_GB, DAY_MS = 1.0, 300.0
START_S = 1_795_910_400  # 2026-11-29, 00:00 UTC
DAYS_PER_YEAR = 365
_EXTRAPOLATED = (
    "a year is extrapolated from {days} days that were written: seconds and plans to the {kept} "
    "days for which they are kept, all else to 365 days; it grows by each day alike"
)
SHOWN = 6
"""So many series a chart has."""


def a_day(series: int, seed: int) -> tuple[dict[str, str], Floats]:
    """Units by key, and a value each second of a day: a third noisy, a third creeping, the rest
    standing still or switched a few times."""
    chance, seconds = np.random.default_rng(seed), np.arange(DAY_S)
    sun = np.maximum(np.sin((seconds / DAY_S - 0.25) * 2 * np.pi), 0.0)
    units: dict[str, str] = {}
    rows: list[Floats] = []
    for number in range(series):
        match number % 9:
            case 0 | 3:  # a load or what follows it at the meter
                steps = np.repeat(chance.gamma(2.0, 200.0, DAY_S // 60), 60)
                unit, row = "W", steps + chance.normal(0.0, 8.0, DAY_S)
            case 1:
                clouds = np.repeat(chance.uniform(0.6, 1.0, DAY_S // 30), 30)
                unit, row = "W", 6000.0 * sun * clouds + chance.normal(0.0, 5.0, DAY_S) * (sun > 0)
            case 2:
                unit, row = "Hz", 50.0 + np.cumsum(chance.normal(0.0, 1e-3, DAY_S)) * 0.02
            case 4:
                unit, row = "%", 50.0 + 30.0 * np.sin(seconds / DAY_S * 2 * np.pi)
            case 5:
                unit = "V"
                row = (
                    3.3
                    + np.round(0.05 * np.sin(seconds / 9000.0), 3)
                    + 1e-3 * (chance.random(DAY_S) < 0.2)
                )
            case 6:
                unit, row = "°C", np.round(22.0 + 4.0 * sun + chance.normal(0.0, 0.03, DAY_S), 1)
            case 7:
                unit, row = "0/1", (seconds // 20_000 % 2).astype(float)
            case _:
                unit, row = "A", np.full(DAY_S, 100.0)
        units[f"unit{number}/signal_{number}"] = unit
        rows.append(row)
    return units, np.stack(rows)


def write_days(store: HistoryStore, series: int, days: int) -> list[float]:
    """Writes so many days; returns how long each minute's transaction took, in ms."""
    took_ms = []
    for day in range(days):
        units, values = a_day(series, day)
        for minute in range(DAY_S // MINUTE_S):
            start_s = START_S + day * DAY_S + minute * MINUTE_S
            part = values[:, minute * MINUTE_S : (minute + 1) * MINUTE_S]
            began_ns = time.perf_counter_ns()
            store.write(_minute(start_s, units, part), start_s)
            took_ms.append((time.perf_counter_ns() - began_ns) / 1e6)
            if start_s % HOUR_S == HOUR_S - MINUTE_S:
                store.compact(start_s + MINUTE_S)
    return took_ms


def _minute(start_s: int, units: dict[str, str], values: Floats) -> Minute:
    spells: tuple[Spell, ...] = ()
    if start_s % QUARTER_S == 0:
        plan = np.random.default_rng(start_s).bytes(3000)  # as large as a packed plan of 36 hours
        about: dict[str, str | float] = {"status": "optimal", "expected_cost": 1.0}
        spells = (
            Spell(
                kind=SpellKind.PLAN,
                name=f"plan-{start_s}",
                about=about,
                start_s=start_s,
                end_s=start_s + QUARTER_S,
                plan=plan,
            ),
            Spell(
                kind=SpellKind.DECISION,
                name="plan",
                about={"reason": "the price is low, and it is worth more in the evening"},
                start_s=start_s,
                end_s=start_s + QUARTER_S,
            ),
        )
    sums = dict.fromkeys(Sum, 1.0)
    return Minute(
        start_s=start_s,
        units=units,
        values=values,
        samples=MINUTE_S,
        quarter=sums,
        total={},
        spells=spells,
    )


def bytes_per_year(store: HistoryStore, config: History, days: int) -> dict[str, float]:
    """Returns what a year takes, by what takes it, in bytes of the file."""
    with store.engine.connect() as connection:
        size = func.sum(func.length(BLOCK.c.content))
        by_step = dict(
            connection.execute(select(BLOCK.c.step_s, size).group_by(BLOCK.c.step_s)).all()
        )
        plans = connection.execute(select(func.sum(func.length(SPELL.c.plan)))).scalar_one()
        rows = connection.execute(select(func.count()).select_from(SPELL)).scalar_one()
        rows += connection.execute(select(func.count()).select_from(QUARTER)).scalar_one()
    a_day = {
        "seconds": by_step[ValueLevel.SECOND.step_s] / days,
        "plans": plans / days,
        "minutes": by_step[ValueLevel.MINUTE.step_s] / days,
        "quarter_hours": by_step[ValueLevel.QUARTER.step_s] / days,
        "rows": 200.0 * rows / days,
    }
    # Pages are not full, and blocks have an index.
    share = used_bytes(store.engine) / (days * sum(a_day.values()))
    kept = {"seconds": config.keep_seconds_days, "plans": config.keep_seconds_days}
    return {
        name: share * size * min(kept.get(name, DAYS_PER_YEAR), DAYS_PER_YEAR)
        for name, size in a_day.items()
    }


def times_ms(repeats: int, work: Callable[[], object]) -> dict[str, float]:
    """Returns how long ``work`` takes, in ms."""
    took = []
    for _ in range(repeats):
        began_ns = time.perf_counter_ns()
        work()
        took.append((time.perf_counter_ns() - began_ns) / 1e6)
    return summarise(took)


def measure(options: argparse.Namespace) -> Report:
    """Writes days, then reads the first of them."""
    config = History()
    with tempfile.TemporaryDirectory(prefix="holdfast-history-", dir=options.folder) as path:
        place = HistoryPlace.in_file(Path(path) / "history.db")
        store = HistoryStore(place, "benchmark", START_S)
        write_ms = write_days(store, options.series, options.days)
        compact_ms = _compact_ms(store, options)
        year = bytes_per_year(store, config, options.days)
        reader = HistoryReader(place, ZoneInfo("Europe/Berlin"))
        start = datetime.fromtimestamp(START_S, UTC)
        end, keys = start + timedelta(days=1), [one.key for one in reader.list_series()][:SHOWN]
        found = reader.series(keys, start, end, DAY_S)
        if found.step_s != 1 or np.isnan(found.series[keys[0]].mean).any():
            raise CannotRun("the day is not there second by second")
        a_day = times_ms(options.repeats, lambda: reader.series(keys, start, end, DAY_S))
        results = {
            "write a minute": summarise(write_ms),
            "make blocks of an hour": compact_ms,
            f"read a day at 1 s, {SHOWN} series": a_day,
            "read a day for a chart": times_ms(
                options.repeats, lambda: reader.series(keys, start, end)
            ),
            "sum up a day": times_ms(
                options.repeats, lambda: reader.energy(start, end, TimeStep.QUARTER)
            ),
            "back up": _back_up_ms(place),
            "a year, in MB": {name: size / 1e6 for name, size in year.items()},
            "file, in MB": used_bytes(store.engine) / 1e6,
        }
        store.close()
    return Report(
        settings={"series": options.series, "days": options.days},
        results=results,
        unit="ms",
        budgets=[
            at_most("a year of one site", "GB", YEAR_GB, sum(year.values()) / 1e9),
            at_most(f"a day at 1 s of {SHOWN} series is read, p99", "ms", DAY_MS, a_day["p99"]),
        ],
        notes=[_EXTRAPOLATED.format(days=options.days, kept=config.keep_seconds_days)],
    )


def _compact_ms(store: HistoryStore, options: argparse.Namespace) -> dict[str, float]:
    """Writes hours that come late: what making their blocks takes."""
    units, values = a_day(options.series, 0)
    took_ms = []
    for number in range(3):
        start_s = START_S + number * HOUR_S
        for minute in range(60):
            part = values[:, minute * 60 : minute * 60 + 60]
            late = replace(_minute(start_s + minute * 60, units, part), spells=())
            store.write(late, start_s)
        began_ns = time.perf_counter_ns()
        store.compact(start_s + HOUR_S)
        took_ms.append((time.perf_counter_ns() - began_ns) / 1e6)
    return summarise(took_ms)


def _back_up_ms(place: HistoryPlace) -> dict[str, float]:
    file, backup = place.file, place.backup
    if file is None or backup is None:
        raise CannotRun("it is no file")
    return times_ms(1, lambda: back_up(file, backup))


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point."""
    parser = new_parser("history", "What a year of history takes, and how long a day to read.")
    parser.add_argument("--series", type=at_least_one, default=100, help="that are written")
    parser.add_argument("--days", type=at_least_one, default=2, help="that are written")
    parser.add_argument("--repeats", type=at_least_one, default=20, help="of each reading")
    parser.add_argument("--folder", type=Path, help="on the disk to be measured")
    options = parser.parse_args(arguments)
    return run("history", options, lambda: measure(options))


if __name__ == "__main__":
    sys.exit(main())
