"""What the reader tells: at the step that fits, with its gaps, by the site's own clock."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from sqlalchemy import delete, insert

from holdfast.core.errors import DataError
from holdfast.core.plan import Plan, PlanSlot, PlanStatus
from holdfast.core.slot_mode import SlotMode
from holdfast.monitoring.history.database import HistoryError
from holdfast.monitoring.history.energies import PricesNow, Sum
from holdfast.monitoring.history.levels import ValueLevel
from holdfast.monitoring.history.local_steps import TimeStep
from holdfast.monitoring.history.minute_book import Minute, MinuteBook
from holdfast.monitoring.history.packed_plan import pack_plan
from holdfast.monitoring.history.reader import MOST_POINTS, HistoryReader
from holdfast.monitoring.history.schema import BLOCK, DAY_MONEY
from holdfast.monitoring.history.store import HistoryStore
from holdfast.monitoring.status.schema import PlanStatusNow
from tests.builders import UNIT
from tests.monitoring.history.samples import (
    BEGIN,
    BEGIN_S,
    PRICES,
    finding,
    minutes_of,
    place_in,
    seconds,
    status_at,
    store_in,
    write_all,
)

BERLIN = ZoneInfo("Europe/Berlin")
GRID = "site/grid_power_w"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[HistoryStore]:
    store = store_in(tmp_path)
    yield store
    store.close()


def reader(folder: Path, zone: str = "Europe/Berlin") -> HistoryReader:
    return HistoryReader(place_in(folder), ZoneInfo(zone))


def copies(minute: Minute, starts_s: Iterator[int] | range) -> Iterator[Minute]:
    """The same minute again and again: days without a second look at each second."""
    for start_s in starts_s:
        yield replace(minute, start_s=start_s, spells=())


def a_minute(**powers: float) -> Minute:
    """The first second that is ever told says nothing of the time before it."""
    start = BEGIN - timedelta(seconds=1)
    return minutes_of(status_at(at, **powers) for at in seconds(61, start))[1]


# ---------------------------------------------------------------------- values


def test_the_step_follows_from_how_many_points_are_wanted(
    store: HistoryStore, tmp_path: Path
) -> None:
    write_all(store, copies(a_minute(), range(BEGIN_S, BEGIN_S + 3 * 3600, 60)))
    store.compact(BEGIN_S + 3 * 3600)
    found = [
        reader(tmp_path).series([GRID], BEGIN, BEGIN + 3 * HOUR, points).step_s
        for points in (MOST_POINTS, 10_800, 5000, 400, 180, 100, 12, 5, 1)
    ]
    assert found == [1, 1, 3, 27, 60, 120, 900, 2700, 10_800]


def test_a_peak_of_a_second_is_seen_in_a_day(store: HistoryStore, tmp_path: Path) -> None:
    minute = a_minute(grid_w=100.0)
    write_all(store, copies(minute, range(BEGIN_S, BEGIN_S + 7200, 60)))
    row = list(minute.units).index(GRID)
    minute.values[row, 30] = 9000.0
    write_all(store, copies(minute, range(BEGIN_S + 1800, BEGIN_S + 1860, 60)))
    for compacted in (False, True):
        if compacted:
            store.compact(BEGIN_S + 7200)
        found = reader(tmp_path).series([GRID], BEGIN, BEGIN + DAY, 24).series[GRID]
        assert (found.highest[0], found.lowest[0]) == (9000.0, 100.0)
        assert found.mean[0] == pytest.approx(100.0 + 8900.0 / 3600.0, abs=0.2)
        assert found.mean[1] == 100.0
        assert np.isnan(found.mean[2:]).all()


def test_what_is_no_longer_kept_by_seconds_is_read_by_minutes(
    store: HistoryStore, tmp_path: Path
) -> None:
    write_all(store, copies(a_minute(grid_w=7.0), range(BEGIN_S, BEGIN_S + 7200, 60)))
    store.compact(BEGIN_S + 7200)
    with store.engine.begin() as connection:
        is_old = (BLOCK.c.step_s == ValueLevel.SECOND.step_s) & (BLOCK.c.start_s == BEGIN_S)
        connection.execute(delete(BLOCK).where(is_old))
    old = reader(tmp_path).series([GRID], BEGIN, BEGIN + HOUR / 2, 5000)
    assert old.step_s == 60
    assert (old.series[GRID].mean == 7.0).all()
    new = reader(tmp_path).series([GRID], BEGIN + HOUR, BEGIN + 2 * HOUR, 5000)
    assert new.step_s == 1


def test_times_before_and_after_the_history_are_gaps(store: HistoryStore, tmp_path: Path) -> None:
    write_all(store, copies(a_minute(), range(BEGIN_S, BEGIN_S + 60, 60)))
    for start, step_s in ((BEGIN - DAY, 60), (BEGIN + DAY, 60)):
        found = reader(tmp_path).values_at([GRID], start, start + HOUR, step_s)
        assert found.count == 60
        assert np.isnan(found.series[GRID].mean).all()


def test_steps_begin_at_whole_steps_of_the_clock(store: HistoryStore, tmp_path: Path) -> None:
    write_all(store, copies(a_minute(), range(BEGIN_S, BEGIN_S + 600, 60)))
    found = reader(tmp_path).values_at([GRID], BEGIN + timedelta(seconds=90), BEGIN + HOUR / 6, 60)
    assert found.start == BEGIN + timedelta(minutes=1)
    assert found.count == 9


def test_all_series_tell_from_when_to_when(store: HistoryStore, tmp_path: Path) -> None:
    write_all(store, copies(a_minute(), range(BEGIN_S, BEGIN_S + 3660, 60)))
    store.compact(BEGIN_S + 3660)
    found = {one.key: one for one in reader(tmp_path).list_series()}
    assert list(found) == sorted(found)
    soc = found[f"{UNIT}/soc_pct"]
    assert (soc.unit, soc.first, soc.last) == ("%", BEGIN, BEGIN + HOUR + timedelta(minutes=1))


def test_a_damaged_block_or_minute_is_a_gap_and_stops_nobody(
    store: HistoryStore, tmp_path: Path
) -> None:
    write_all(store, copies(a_minute(), range(BEGIN_S, BEGIN_S + 7200, 60)))
    with store.engine.begin() as connection:
        connection.exec_driver_sql(
            f"UPDATE minute SET content = x'00' WHERE start_s = {BEGIN_S + 60}"
        )
    store.compact(BEGIN_S + 7200)
    with store.engine.begin() as connection:
        connection.exec_driver_sql(
            f"UPDATE block SET content = x'0101' WHERE step_s = 1 AND start_s = {BEGIN_S + 3600}"
        )
    found = reader(tmp_path).values_at([GRID], BEGIN, BEGIN + 2 * HOUR, 1).series[GRID].mean
    assert np.flatnonzero(np.isnan(found)).tolist() == [*range(60, 120), *range(3600, 7200)]


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda r: r.series(["site/x"], BEGIN, BEGIN + HOUR), "there is no 'site/x'"),
        (lambda r: r.series([], BEGIN, BEGIN + HOUR), "0 are asked for, and 1 to 50 may be"),
        (lambda r: r.series([GRID], BEGIN, BEGIN), "is not after"),
        (lambda r: r.series([GRID], BEGIN, BEGIN + HOUR, 0), "points: 0 is not from 1 to 100000"),
        (lambda r: r.values_at([GRID], BEGIN, BEGIN + DAY * 365, 1), "is no step of which 100000"),
        (lambda r: r.values_at([GRID], BEGIN, BEGIN + DAY, 0), "step_s: 0 is no step"),
        (lambda r: r.states(BEGIN.replace(tzinfo=None), BEGIN), "each needs its time zone"),
        (lambda r: r.energy(BEGIN, BEGIN - DAY, TimeStep.DAY), "is not after"),
    ],
)
def test_what_nobody_can_have_meant_is_refused_in_words(
    store: HistoryStore, tmp_path: Path, ask, told: str
) -> None:
    write_all(store, copies(a_minute(), range(BEGIN_S, BEGIN_S + 60, 60)))
    with pytest.raises(DataError, match=told):
        ask(reader(tmp_path))


def test_a_history_that_is_not_there_yet_is_told(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match=r"history\.db: no history has been written yet"):
        reader(tmp_path).list_series()


def test_a_reader_finds_the_file_that_took_the_place_of_another(
    store: HistoryStore, tmp_path: Path
) -> None:
    found = reader(tmp_path)
    write_all(store, copies(a_minute(), range(BEGIN_S, BEGIN_S + 60, 60)))
    assert found.list_series()
    store.close()
    for path in tmp_path.iterdir():
        path.unlink()
    store_in(tmp_path)
    assert found.list_series() == []


# ---------------------------------------------------------------------- spells


def test_states_findings_and_decisions_are_told_with_their_times(
    store: HistoryStore, tmp_path: Path
) -> None:
    def changes(number: int) -> dict:
        if number < 30:
            return {"findings": (finding(),)}
        return {"request_source": "self_consumption", "request_reason": "no valid plan"}

    write_all(
        store,
        minutes_of(status_at(at, **changes(number)) for number, at in enumerate(seconds(90))),
    )
    found = reader(tmp_path)
    (state,) = found.states(BEGIN, BEGIN + HOUR)
    assert (state.state, state.start, state.end) == ("running", BEGIN, None)
    (one,) = found.findings(BEGIN, BEGIN + HOUR)
    assert (one.owner, one.row, one.level) == (UNIT, "cell_voltage_high", "warning")
    assert one.end == BEGIN + timedelta(seconds=30)
    decisions = found.decisions(BEGIN, BEGIN + HOUR)
    assert [(each.source, each.reason) for each in decisions] == [
        ("plan", "cheap"),
        ("self_consumption", "no valid plan"),
    ]
    assert found.findings(BEGIN + timedelta(seconds=31), BEGIN + HOUR) == []


def test_a_plan_is_told_as_it_was_handed_over(store: HistoryStore, tmp_path: Path) -> None:
    slot = PlanSlot(
        start=BEGIN,
        end=BEGIN + HOUR,
        mode=SlotMode.POWER,
        battery_power_w=3000.0,
        grid_power_w=None,
        soc_end_pct=80.0,
        import_price_per_kwh=0.1,
        reason="cheap",
    )
    plan = Plan(
        plan_id="p1",
        created=BEGIN,
        expires=BEGIN + DAY,
        status=PlanStatus.OPTIMAL,
        expected_cost=1.5,
        slots=(slot,),
    )
    told = PlanStatusNow(
        plan_id="p1", status="optimal", age_s=0.0, expires_in_s=9.0, expected_cost=1.5, slot=slot
    )
    book = MinuteBook((UNIT,))
    for at in seconds(20):
        book.take(status_at(at, plan=told), PRICES)
        book.spells.hand_over(pack_plan(plan))
    minute = book.close()
    assert minute is not None
    write_all(store, [minute])
    (found,) = reader(tmp_path).plans(BEGIN, BEGIN + HOUR)
    assert (found.plan_id, found.status, found.expected_cost) == ("p1", "optimal", 1.5)
    assert found.plan == plan


# ---------------------------------------------------------------------- energy and money


def test_quarters_hours_days_and_months_sum_up(store: HistoryStore, tmp_path: Path) -> None:
    """1.2 kW are imported without a break; a minute of it is 20 Wh."""
    write_all(store, copies(a_minute(grid_w=1200.0), range(BEGIN_S, BEGIN_S + 3600, 60)))
    found = reader(tmp_path)
    quarters = found.energy(BEGIN, BEGIN + 2 * HOUR, TimeStep.QUARTER)
    assert len(quarters) == 8
    assert quarters[0].import_wh == pytest.approx(300.0)
    assert quarters[0].cost == pytest.approx(0.09)
    assert (quarters[0].complete, quarters[0].priced) == (1.0, 1.0)
    assert (quarters[0].purchase_per_kwh, quarters[0].feed_in_per_kwh) == pytest.approx((0.3, 0.1))
    assert (quarters[4].import_wh, quarters[4].cost, quarters[4].complete) == (None, None, 0.0)
    for step, share in ((TimeStep.HOUR, 1.0), (TimeStep.DAY, 1 / 24), (TimeStep.MONTH, 1 / 720)):
        (row,) = found.energy(BEGIN, BEGIN + HOUR, step)
        assert row.import_wh == pytest.approx(1200.0)
        assert row.complete == pytest.approx(share)


def test_what_a_site_does_not_measure_is_not_known_and_not_zero(
    store: HistoryStore, tmp_path: Path
) -> None:
    minutes = minutes_of((status_at(at, pv_w=None) for at in seconds(61)), PricesNow())
    write_all(store, minutes)
    (row,) = reader(tmp_path).energy(BEGIN, BEGIN + HOUR, TimeStep.HOUR)
    assert row.import_wh == pytest.approx(500.0 / 60.0, rel=0.02)
    assert (row.pv_wh, row.load_wh, row.cost, row.purchase_per_kwh) == (None, None, None, None)
    assert row.complete == pytest.approx(1 / 60, rel=0.02)


@pytest.mark.parametrize(
    ("day", "quarters", "hours"),
    [
        (datetime(2026, 3, 29, tzinfo=BERLIN), 92, 23),
        (datetime(2026, 6, 1, tzinfo=BERLIN), 96, 24),
        (datetime(2026, 10, 25, tzinfo=BERLIN), 100, 25),
    ],
)
def test_a_day_is_as_long_as_people_say(
    store: HistoryStore, tmp_path: Path, day: datetime, quarters: int, hours: int
) -> None:
    first_s = int(day.timestamp())
    row = {Sum.GRID_S: 900.0, Sum.IMPORT_WH: 10.0}
    minute = replace(a_minute(), quarter=row)
    before_and_after = range(first_s - 900, first_s + 101 * 900, 900)
    write_all(store, copies(minute, before_and_after))
    next_day = day + DAY  # on the clock
    found = reader(tmp_path)
    (row_of_day,) = found.energy(day, next_day, TimeStep.DAY)
    assert row_of_day.import_wh == pytest.approx(10.0 * quarters)
    assert row_of_day.complete == pytest.approx(1.0)
    assert len(found.energy(day, next_day, TimeStep.QUARTER)) == quarters
    assert len(found.energy(day, next_day, TimeStep.HOUR)) == hours


@pytest.mark.parametrize(
    "zone", ["UTC", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns", "Pacific/Apia"]
)
def test_in_every_zone_days_follow_each_other_without_gap_or_overlap(
    store: HistoryStore, tmp_path: Path, zone: str
) -> None:
    start = datetime(2026, 1, 1, tzinfo=ZoneInfo(zone))
    for step in (TimeStep.HOUR, TimeStep.DAY, TimeStep.MONTH):
        rows = reader(tmp_path, zone).energy(start, start + DAY * 365, step)
        assert rows[0].start == start.astimezone(UTC)
        assert all(a.end == b.start for a, b in pairwise(rows))
        assert len(rows) == {TimeStep.HOUR: len(rows), TimeStep.DAY: 365, TimeStep.MONTH: 12}[step]


def test_money_stands_beside_what_else_it_would_have_cost(
    store: HistoryStore, tmp_path: Path
) -> None:
    """The battery serves 600 W of the load for an hour; a bought kWh costs 0.30."""
    served = a_minute(grid_w=400.0, battery_w=-600.0)
    write_all(store, copies(served, range(BEGIN_S, BEGIN_S + 3600, 60)))
    with store.engine.begin() as connection:
        others = {"day": "2026-11-29", "self_consumption": 0.2, "perfect_foresight": 0.1}
        connection.execute(insert(DAY_MONEY), others | {"made_s": BEGIN_S, "problem": ""})
    start = datetime(2026, 11, 29, tzinfo=BERLIN)
    found = reader(tmp_path)
    first, second = found.money(start, start + 2 * DAY, TimeStep.DAY)
    assert (first.cost, first.no_battery) == pytest.approx((0.12, 0.3))
    assert (first.self_consumption, first.perfect_foresight) == (0.2, 0.1)
    assert (second.cost, second.no_battery, second.self_consumption) == (None, None, None)
    (month,) = found.money(start, start + DAY, TimeStep.MONTH)
    assert month.cost == pytest.approx(0.12)
    assert month.self_consumption is None, "the other days of the month are not known"
    assert found.money(BEGIN, BEGIN + HOUR, TimeStep.HOUR)[0].self_consumption is None
