"""The store: a minute is there whole or not at all, whatever the disk, the clock or a kill does."""

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import event
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.schema import CreateTable

from holdfast.monitoring.history import migrations
from holdfast.monitoring.history.database import HistoryDamaged, HistoryError, open_to_write
from holdfast.monitoring.history.energies import Sum
from holdfast.monitoring.history.local_steps import TimeStep
from holdfast.monitoring.history.reader import HistoryReader
from holdfast.monitoring.history.schema import METADATA
from holdfast.monitoring.history.store import LEASE_S, HistoryStore
from tests.monitoring.history.samples import (
    BEGIN,
    BEGIN_S,
    finding,
    minutes_of,
    place_in,
    seconds,
    status_at,
    store_in,
    write_all,
)

GRID = "site/grid_power_w"
HOUR = timedelta(hours=1)


def reader(folder: Path) -> HistoryReader:
    return HistoryReader(place_in(folder), ZoneInfo("Europe/Berlin"))


def grid_w(folder: Path, start: datetime, end: datetime) -> np.ndarray:
    return reader(folder).values_at([GRID], start, end, 1).series[GRID].mean


def ramp(count: int, start: datetime = BEGIN, first: float = 0.0) -> list:
    """A grid power that grows by 1 W each second."""
    return minutes_of(
        status_at(at, grid_w=first + number) for number, at in enumerate(seconds(count, start))
    )


def test_what_is_written_is_read_before_and_after_its_hour_is_over(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    write_all(store, ramp(3700))
    before = grid_w(tmp_path, BEGIN, BEGIN + 2 * HOUR)
    store.compact(BEGIN_S + 3700)
    after = grid_w(tmp_path, BEGIN, BEGIN + 2 * HOUR)
    for found in (before, after):
        np.testing.assert_array_equal(found[:3700], np.arange(3700.0))
        assert np.isnan(found[3700:]).all()
    minutes = reader(tmp_path).values_at([GRID], BEGIN, BEGIN + HOUR, 60).series[GRID]
    np.testing.assert_allclose(minutes.mean, np.arange(60) * 60 + 29.5, atol=0.51)
    np.testing.assert_array_equal(minutes.lowest, np.arange(60) * 60.0)
    np.testing.assert_array_equal(minutes.highest, np.arange(60) * 60.0 + 59.0)


def test_the_file_is_its_owners_only(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    write_all(store, ramp(90))
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == {"history.db": 0o600, "history.db-wal": 0o600, "history.db-shm": 0o600}


def test_a_restart_within_a_minute_loses_neither_half(tmp_path: Path) -> None:
    first = store_in(tmp_path)
    write_all(first, ramp(20))
    first.close()
    second = store_in(tmp_path)
    write_all(second, ramp(20, BEGIN + timedelta(seconds=30), 30.0))
    found = grid_w(tmp_path, BEGIN, BEGIN + timedelta(minutes=1))
    expected = np.arange(60.0)
    expected[20:30] = expected[50:] = np.nan
    np.testing.assert_array_equal(found, expected)
    row = reader(tmp_path).energy(BEGIN, BEGIN + HOUR, TimeStep.HOUR)[0]
    assert row.complete == pytest.approx(38.0 / 3600.0)


def test_what_comes_late_for_an_hour_that_is_over_is_laid_over_it(tmp_path: Path) -> None:
    """The clock was an hour ahead, and is set back: what was measured last counts."""
    store = store_in(tmp_path)
    write_all(store, ramp(3600))
    store.compact(BEGIN_S + 3600)
    write_all(store, ramp(120, BEGIN + timedelta(minutes=10), 9000.0))
    store.compact(BEGIN_S + 3600)
    found = grid_w(tmp_path, BEGIN, BEGIN + HOUR)
    assert found[599] == 599.0
    np.testing.assert_array_equal(found[600:720], np.arange(9000.0, 9120.0))
    assert found[720] == 720.0
    minutes = reader(tmp_path).values_at([GRID], BEGIN, BEGIN + HOUR, 60).series[GRID]
    assert (minutes.highest[10], minutes.highest[12]) == (9059.0, 779.0)


def test_totals_go_on_after_a_restart(tmp_path: Path) -> None:
    for number in range(2):
        store = store_in(tmp_path)
        start = BEGIN + number * HOUR
        write_all(store, minutes_of(status_at(at, grid_w=3600.0) for at in seconds(61, start)))
        store.close()
    totals = store_in(tmp_path).totals
    assert totals[Sum.IMPORT_WH] == pytest.approx(120.0)
    assert totals[Sum.COST] == pytest.approx(0.12 * 0.3)


def test_what_held_when_the_writer_was_killed_ends_where_it_was_last_heard_of(
    tmp_path: Path,
) -> None:
    store = store_in(tmp_path)
    write_all(store, minutes_of(status_at(at, findings=(finding(),)) for at in seconds(150)))
    store.engine.dispose()
    (found,) = reader(tmp_path).findings(BEGIN, BEGIN + HOUR)
    assert found.end is None
    store_in(tmp_path, BEGIN_S + 1000)
    (found,) = reader(tmp_path).findings(BEGIN, BEGIN + HOUR)
    assert found.end == BEGIN + timedelta(minutes=3)


WRITES_UNTIL_KILLED = """
    from pathlib import Path
    from tests.monitoring.history.samples import *

    store = store_in(Path("{folder}"))
    for minute in minutes_of(status_at(at, grid_w=3600.0) for at in seconds(60 * 200)):
        store.write(minute, minute.start_s)
        store.compact(minute.start_s)
        print(minute.start_s, store.totals[Sum.IMPORT_WH], flush=True)
"""


def test_a_writer_that_is_killed_has_all_that_it_said_was_written(tmp_path: Path) -> None:
    script = "from holdfast.monitoring.history.energies import Sum\n" + textwrap.dedent(
        WRITES_UNTIL_KILLED.format(folder=tmp_path)
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(90)][-1].split()
        process.send_signal(signal.SIGKILL)
    last_s, total_wh = int(told[0]), float(told[1])
    store = store_in(tmp_path, last_s)
    assert store.totals[Sum.IMPORT_WH] >= total_wh
    end = datetime.fromtimestamp(last_s + 60, BEGIN.tzinfo)
    assert not np.isnan(grid_w(tmp_path, BEGIN, end)).any()


def test_a_second_writer_is_refused_until_the_first_one_is_gone(tmp_path: Path) -> None:
    first = store_in(tmp_path)
    place = place_in(tmp_path)
    with pytest.raises(HistoryError, match="is written by here: each site needs a database of its"):
        HistoryStore(place, "elsewhere", BEGIN_S + LEASE_S - 1)
    HistoryStore(place, "third", BEGIN_S + LEASE_S)
    with pytest.raises(HistoryError, match="is written by third"):
        write_all(first, ramp(10))
    assert reader(tmp_path).list_series() == []


def test_a_file_that_is_no_database_is_told_from_one_that_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "history.db").write_bytes(b"no database at all, but long enough" * 100)
    with pytest.raises(HistoryDamaged, match=r"history\.db: file is not a database"):
        store_in(tmp_path)
    (tmp_path / "history.db").unlink()
    (tmp_path / "history.db").mkdir()
    with pytest.raises(HistoryError) as told:
        store_in(tmp_path)
    assert not isinstance(told.value, HistoryDamaged)


def test_a_file_that_was_cut_in_the_middle_is_damaged(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    write_all(store, ramp(3700))
    store.compact(BEGIN_S + 3700)
    store.close()
    file = tmp_path / "history.db"
    os.truncate(file, file.stat().st_size // 2)
    with pytest.raises(HistoryDamaged):
        store_in(tmp_path)


def test_a_history_of_a_newer_release_is_refused_and_left_alone(tmp_path: Path) -> None:
    store_in(tmp_path).close()
    with sqlite3.connect(tmp_path / "history.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    told = r"was written by a newer release \(its layout is 9999\): install that release, or move"
    with pytest.raises(HistoryError, match=told) as raised:
        store_in(tmp_path)
    assert not isinstance(raised.value, HistoryDamaged)


def test_a_full_disk_writes_nothing_of_a_minute_and_all_of_it_once_there_is_room(
    tmp_path: Path,
) -> None:
    store = store_in(tmp_path)
    minutes = ramp(60 * 100)
    limit = [12]

    def fill(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {limit[0]}")

    store.engine.dispose()
    event.listen(store.engine, "checkout", fill)
    written: list[int] = []

    def write(waiting: Sequence) -> None:
        for minute in waiting:
            store.write(minute, minute.start_s)
            written.append(minute.start_s)

    with pytest.raises(HistoryError, match="database or disk is full"):
        write(minutes)
    end = datetime.fromtimestamp(written[-1] + 60, BEGIN.tzinfo)
    assert 0 < len(written) < 100
    assert np.isnan(grid_w(tmp_path, end, end + HOUR)).all()
    assert store.totals[Sum.IMPORT_WH] == pytest.approx(
        reader(tmp_path).energy(BEGIN, BEGIN + 2 * HOUR, TimeStep.YEAR)[0].import_wh
    )
    limit[0] = 1_000_000
    write(minutes[len(written) :])
    assert not np.isnan(grid_w(tmp_path, BEGIN, BEGIN + HOUR)).any()


def test_the_migrations_lead_to_the_tables_that_the_code_uses(tmp_path: Path) -> None:
    engine = open_to_write(place_in(tmp_path))
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    engine.dispose()


@pytest.mark.parametrize("dialect", [postgresql.dialect(), mysql.dialect()])
def test_other_databases_can_have_the_tables(dialect: object) -> None:
    for table in METADATA.sorted_tables:
        assert str(CreateTable(table).compile(dialect=dialect))  # type: ignore[arg-type]


def test_the_newest_layout_is_known_without_asking_alembic() -> None:
    folder = str(Path(migrations.__file__).parent)
    script = ScriptDirectory(folder, version_locations=[folder])
    assert script.get_current_head() == migrations.NEWEST


def test_who_finds_the_newest_layout_does_not_load_alembic(tmp_path: Path) -> None:
    store_in(tmp_path).close()
    code = (
        "import sys; from pathlib import Path; "
        "from tests.monitoring.history.samples import store_in; "
        "store_in(Path(sys.argv[1])).close(); assert 'alembic' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
