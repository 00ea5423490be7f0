"""A history stays within its bounds, is backed up while it is written, and survives damage."""

import os
import sqlite3
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from sqlalchemy import func, select

from holdfast.core.config.history import History
from holdfast.monitoring.history.database import HistoryDamaged, HistoryError, is_whole
from holdfast.monitoring.history.energies import Sum
from holdfast.monitoring.history.levels import DAY_S, ValueLevel
from holdfast.monitoring.history.local_steps import TimeStep
from holdfast.monitoring.history.minute_book import Minute
from holdfast.monitoring.history.reader import HistoryReader
from holdfast.monitoring.history.schema import BLOCK, SPELL
from holdfast.monitoring.history.spells import Spell, SpellKind
from holdfast.monitoring.history.sqlite_file import back_up, begin_anew, used_bytes
from holdfast.monitoring.history.store import HistoryStore
from holdfast.monitoring.history.upkeep import keep_up
from tests.monitoring.history.samples import (
    BEGIN,
    BEGIN_S,
    minutes_of,
    place_in,
    seconds,
    status_at,
    store_in,
)

SHORT = History(keep_seconds_days=2, keep_minutes_days=31)


def hours(store: HistoryStore, minute: Minute, starts_s: range) -> None:
    """One minute of each hour: as many blocks as an hour has."""
    for start_s in starts_s:
        store.write(replace(minute, start_s=start_s), start_s)
        store.compact(start_s + 3600)


def a_minute() -> Minute:
    return minutes_of(status_at(at) for at in seconds(60))[0]


def noisy() -> Minute:
    """Nothing of it can be packed well."""
    minute, chance = a_minute(), np.random.default_rng(7)
    values = chance.uniform(-1e6, 1e6, (300, 60))
    units = {f"battery/x{number}_v": "V" for number in range(300)}
    return replace(minute, values=values, units=units, spells=())


def oldest_s(store: HistoryStore, level: ValueLevel) -> int | None:
    with store.engine.connect() as connection:
        return connection.execute(
            select(func.min(BLOCK.c.start_s)).where(BLOCK.c.step_s == level.step_s)
        ).scalar()


def test_each_level_is_kept_for_its_time_and_quarter_hours_for_ever(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    days = 40
    hours(store, a_minute(), range(BEGIN_S, BEGIN_S + days * DAY_S, DAY_S))
    now_s = BEGIN_S + days * DAY_S
    for _ in range(5):
        keep_up(store, SHORT, now_s)
    seconds_s, minutes_s = oldest_s(store, ValueLevel.SECOND), oldest_s(store, ValueLevel.MINUTE)
    assert seconds_s is not None
    assert minutes_s is not None
    assert seconds_s == now_s - 2 * DAY_S
    assert now_s - 32 * DAY_S <= minutes_s <= now_s - 31 * DAY_S
    assert oldest_s(store, ValueLevel.QUARTER) == ValueLevel.QUARTER.block_start(BEGIN_S)
    reader = HistoryReader(place_in(tmp_path), ZoneInfo("UTC"))
    rows = reader.energy(BEGIN, BEGIN + timedelta(days=days), TimeStep.DAY)
    assert all(row.import_wh for row in rows[:-1])


def test_a_clock_that_is_wrong_for_a_while_takes_little_away(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    hours(store, a_minute(), range(BEGIN_S, BEGIN_S + 20 * DAY_S, DAY_S))
    keep_up(store, History(), BEGIN_S + 20_000 * DAY_S)
    assert oldest_s(store, ValueLevel.SECOND) == BEGIN_S + 10 * DAY_S
    assert oldest_s(store, ValueLevel.MINUTE) <= BEGIN_S + 10 * DAY_S


def test_what_a_plan_said_goes_with_the_seconds_and_that_it_was_with_the_minutes(
    tmp_path: Path,
) -> None:
    store = store_in(tmp_path)
    plan = Spell(kind=SpellKind.PLAN, name="p1", start_s=BEGIN_S, end_s=BEGIN_S + 9, plan=b"packed")
    store.write(replace(a_minute(), spells=(plan,)), BEGIN_S)
    for days, kept in ((1, [b"packed"]), (3, [None]), (32, [])):
        keep_up(store, SHORT, BEGIN_S + days * DAY_S)
        with store.engine.connect() as connection:
            assert connection.execute(select(SPELL.c.plan)).scalars().all() == kept


def test_the_file_stays_below_its_bound_and_the_oldest_seconds_go_first(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    bound = History(size_max_mb=50).model_copy(update={"size_max_mb": 2})
    minute = noisy()
    for day in range(8):
        for hour in range(2):
            start_s = BEGIN_S + day * DAY_S + hour * 3600
            store.write(replace(minute, start_s=start_s), start_s)
            keep_up(store, bound, start_s + 3600)
            assert used_bytes(store.engine) <= 2_000_000
    kept_s = oldest_s(store, ValueLevel.SECOND)
    assert kept_s is not None
    assert kept_s > BEGIN_S
    assert oldest_s(store, ValueLevel.MINUTE) == ValueLevel.MINUTE.block_start(BEGIN_S)


def test_a_bound_that_was_lowered_gives_room_back_to_the_disk(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    minute = noisy()
    hours(store, minute, range(BEGIN_S, BEGIN_S + 5 * DAY_S, 3600 * 8))
    before = used_bytes(store.engine)
    assert before > 2_000_000
    keep_up(store, History().model_copy(update={"size_max_mb": 2}), BEGIN_S + 5 * DAY_S)
    store.close()
    assert place_in(tmp_path).file.stat().st_size < 2_000_000  # type: ignore[union-attr]


def test_a_bound_that_nothing_can_keep_is_told(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    hours(store, a_minute(), range(BEGIN_S, BEGIN_S + 3600, 3600))
    with pytest.raises(HistoryError, match=r"history\.size_max_mb 0 is too small"):
        keep_up(store, History().model_copy(update={"size_max_mb": 0}), BEGIN_S + 7200)


# ---------------------------------------------------------------------- backup and damage


def paths(folder: Path) -> tuple[Path, Path]:
    place = place_in(folder)
    assert place.file is not None
    assert place.backup is not None
    return place.file, place.backup


def test_a_backup_is_whole_though_it_is_made_while_others_write(tmp_path: Path) -> None:
    store, (file, backup) = store_in(tmp_path), paths(tmp_path)
    minute, ended = a_minute(), threading.Event()
    store.write(minute, BEGIN_S)

    def back_up_often() -> None:
        for _ in range(20):
            back_up(file, backup)
            assert is_whole(backup)
        ended.set()

    thread = threading.Thread(target=back_up_often)
    thread.start()
    number = 0
    while not ended.is_set() and thread.is_alive():
        number += 1
        store.write(replace(minute, start_s=BEGIN_S + 60 * number), BEGIN_S)
    thread.join()
    assert ended.is_set()
    assert backup.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.glob("*backup*")) == [backup.name]


def test_a_backup_that_fails_leaves_the_one_before(tmp_path: Path) -> None:
    store, (file, backup) = store_in(tmp_path), paths(tmp_path)
    store.write(a_minute(), BEGIN_S)
    back_up(file, backup)
    before = backup.read_bytes()
    with pytest.raises(HistoryError, match="unable to open database file"):
        back_up(tmp_path / "folder" / "other.db", backup)
    assert backup.read_bytes() == before
    assert [path.name for path in tmp_path.glob("*.new")] == []


def test_a_damaged_file_is_kept_aside_and_the_backup_takes_its_place(tmp_path: Path) -> None:
    store, (file, backup) = store_in(tmp_path), paths(tmp_path)
    store.write(a_minute(), BEGIN_S)
    back_up(file, backup)
    store.close()
    os.truncate(file, 10_000)
    with pytest.raises(HistoryDamaged):
        store_in(tmp_path)
    told = begin_anew(file, backup, datetime(2026, 12, 1, 8, 30, tzinfo=UTC))
    assert told == (
        "history.db was damaged and is kept as history.corrupt-20261201T083000Z.db; "
        "the history goes on from history-backup.db"
    )
    assert (tmp_path / "history.corrupt-20261201T083000Z.db").stat().st_size == 10_000
    store = store_in(tmp_path)
    reader = HistoryReader(place_in(tmp_path), ZoneInfo("UTC"))
    assert len(reader.list_series()) == 14
    assert store.totals[Sum.IMPORT_WH] == 0.0, "a counter begins anew, and does not fall by a day"
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("backup", [None, b"", b"broken as well"])
def test_without_a_whole_backup_a_new_history_is_begun(
    tmp_path: Path, backup: bytes | None
) -> None:
    file, backup_file = paths(tmp_path)
    for number in range(3):
        file.write_bytes(b"no database" * 1000)
        if backup is not None:
            backup_file.write_bytes(backup)
        now = datetime(2026, 12, 1, 8, number, tzinfo=UTC)
        assert begin_anew(file, backup_file, now).endswith("; a new history was begun")
    assert [path.name for path in tmp_path.glob("*corrupt*")] == [
        "history.corrupt-20261201T080200Z.db"
    ], "only the last one takes room"
    store_in(tmp_path).close()


def test_what_was_in_the_log_of_a_damaged_file_does_not_get_into_the_new_one(
    tmp_path: Path,
) -> None:
    store, (file, backup) = store_in(tmp_path), paths(tmp_path)
    store.write(a_minute(), BEGIN_S)
    wal = file.with_name("history.db-wal").read_bytes()
    store.close()
    file.write_bytes(b"no database" * 1000)
    file.with_name("history.db-wal").write_bytes(wal)
    begin_anew(file, backup, BEGIN)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "history.corrupt-20261129T120000Z.db",
        "history.corrupt-20261129T120000Z.db-wal",
    ]
    store_in(tmp_path)
    with sqlite3.connect(file) as connection:
        assert connection.execute("SELECT count(*) FROM minute").fetchone() == (0,)
