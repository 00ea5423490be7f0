"""The keeper: a disk that is slow, full or broken costs history only, and is told."""

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from holdfast.core.config.history import History
from holdfast.core.errors import ConfigError
from holdfast.core.units import NS_PER_S
from holdfast.monitoring.history.database import HistoryError
from holdfast.monitoring.history.energies import Sum
from holdfast.monitoring.history.minute_book import Minute
from holdfast.monitoring.history.place import HistoryPlace
from holdfast.monitoring.history.reader import HistoryReader
from holdfast.monitoring.history.store import HistoryStore
from holdfast.runtime import history_keeper
from holdfast.runtime.history_keeper import RETRY_AFTER_S, WAITING_MINUTES, HistoryKeeper
from tests.monitoring.history.samples import (
    BEGIN,
    BEGIN_S,
    minutes_of,
    place_in,
    seconds,
    status_at,
)

GRID = "site/grid_power_w"


class Bench:
    """A keeper whose time goes by as the test says."""

    def __init__(self, folder: Path, **config: int) -> None:
        self.folder = folder
        self.now = BEGIN
        self.config = History.model_validate({"leave_free_mb": 0} | config)
        (self.minute,) = minutes_of(status_at(at) for at in seconds(60))
        self.keeper = self.make()

    def make(self, who: str = "here") -> HistoryKeeper:
        return HistoryKeeper(
            lambda: place_in(self.folder),
            self.config,
            who=who,
            currency="EUR",
            clock=lambda: self.now,
            monotonic_ns=lambda: int(self.now.timestamp() * NS_PER_S),
        )

    def pass_minutes(self, count: int) -> None:
        """Each minute is put and worked at."""
        for _ in range(count):
            self.put()
            self.keeper.work()

    def put(self) -> None:
        self.keeper.put(replace(self.minute, start_s=int(self.now.timestamp())))
        self.now += timedelta(minutes=1)

    def wait(self, span_s: float = RETRY_AFTER_S) -> None:
        self.now += timedelta(seconds=span_s)
        self.keeper.work()

    def known_minutes(self) -> list[int]:
        """Which minutes since the beginning are in the history."""
        reader = HistoryReader(place_in(self.folder), ZoneInfo("UTC"))
        end = BEGIN + timedelta(hours=6)
        mean = reader.values_at([GRID], BEGIN, end, 60).series[GRID].mean
        return np.flatnonzero(~np.isnan(mean)).tolist()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.keeper.close()


def test_minutes_reach_the_disk_and_what_is_there_is_told(bench: Bench) -> None:
    assert bench.keeper.state().totals == {}
    bench.pass_minutes(3)
    state = bench.keeper.state()
    assert (state.problem, state.note, state.samples_lost) == ("", "", 0)
    assert state.written == BEGIN + timedelta(minutes=3)
    assert state.totals[Sum.IMPORT_WH] > 0.0
    assert state.size_bytes is not None
    assert state.backup is not None
    assert bench.known_minutes() == [0, 1, 2]


def fails(error: Exception):
    def write(self: HistoryStore, minute: Minute, now_s: int) -> None:
        raise error

    return write


def test_a_disk_that_is_full_for_a_while_costs_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.pass_minutes(1)
    with monkeypatch.context() as patch:
        patch.setattr(HistoryStore, "write_all", fails(HistoryError("the disk is full")))
        bench.pass_minutes(WAITING_MINUTES)
        assert bench.keeper.state().problem == "the disk is full"
        assert bench.keeper.state().written == BEGIN + timedelta(minutes=1)
    bench.wait()
    state = bench.keeper.state()
    assert (state.problem, state.samples_lost) == ("", 0)
    assert bench.known_minutes() == list(range(WAITING_MINUTES + 1))


def test_a_disk_that_is_full_for_long_costs_the_oldest_and_they_are_counted(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(HistoryStore, "write_all", fails(HistoryError("the disk is full")))
        bench.pass_minutes(WAITING_MINUTES + 3)
    bench.wait()
    assert bench.keeper.state().samples_lost == 3 * 60
    assert bench.known_minutes() == list(range(3, WAITING_MINUTES + 3))


def test_it_does_not_try_again_at_once(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    tries = []
    monkeypatch.setattr(
        history_keeper,
        "HistoryStore",
        lambda *_: tries.append(1) or (_ for _ in ()).throw(HistoryError("no")),
    )
    for _ in range(100):
        bench.now += timedelta(seconds=1)
        bench.keeper.work()
    assert len(tries) == 100 / RETRY_AFTER_S


def test_latches_and_audit_log_keep_room_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(tmp_path, leave_free_mb=300)
    monkeypatch.setattr(history_keeper, "free_bytes", lambda _: 299_000_000)
    bench.pass_minutes(1)
    assert bench.keeper.state().problem == (
        f"the disk of {tmp_path}/history.db would have 299 MB free, and history.leave_free_mb "
        "leaves 300 to latches and audit log"
    )
    monkeypatch.setattr(history_keeper, "free_bytes", lambda _: 300_000_000)
    bench.wait()
    assert "no backup" in bench.keeper.state().problem, "there is room for minutes, not for a copy"
    assert bench.known_minutes() == [0]


def test_a_damaged_file_is_kept_aside_and_history_goes_on_at_once(bench: Bench) -> None:
    (bench.folder / "history.db").write_bytes(b"no database at all" * 100)
    bench.pass_minutes(1)
    bench.keeper.work()
    state = bench.keeper.state()
    assert state.problem == ""
    assert state.note == (
        "history.db was damaged and is kept as history.corrupt-20261129T120100Z.db; "
        "a new history was begun"
    )
    assert bench.known_minutes() == [0]


def test_damage_while_it_is_written_costs_what_came_since_the_backup(bench: Bench) -> None:
    bench.pass_minutes(61)
    bench.wait(3600.0 * 24)  # a backup is made
    bench.keeper.close()
    os.truncate(bench.folder / "history.db", 20_000)
    bench.keeper = bench.make()
    bench.keeper.work()
    bench.keeper.work()
    assert bench.keeper.state().note.endswith("; the history goes on from history-backup.db")
    assert bench.known_minutes() == list(range(61))


def test_a_file_that_somebody_deletes_is_made_anew(bench: Bench) -> None:
    bench.pass_minutes(2)
    for path in bench.folder.glob("history.db*"):
        path.unlink()
    bench.pass_minutes(1)
    assert "history.db was taken away" in bench.keeper.state().problem
    bench.wait()
    assert bench.keeper.state().problem == ""
    assert bench.known_minutes() == [2]


def test_a_second_writer_is_refused_and_says_so(bench: Bench) -> None:
    bench.pass_minutes(1)
    other = bench.make("elsewhere")
    other.work()
    assert "is written by here" in other.state().problem
    bench.keeper.close()
    bench.now += timedelta(seconds=RETRY_AFTER_S)
    other.work()
    assert other.state().problem == ""
    other.close()


def test_a_database_that_cannot_be_meant_stops_nobody(tmp_path: Path) -> None:
    def find_place() -> HistoryPlace:
        raise ConfigError("history.password_env: the environment variable X is not set")

    keeper = HistoryKeeper(find_place, History(), who="here", currency="EUR")
    keeper.work()
    assert keeper.state().problem.startswith("history.password_env: the environment variable X")


def test_a_backup_is_made_once_a_day(bench: Bench) -> None:
    bench.keeper.work()
    backup = bench.folder / "history-backup.db"
    os.utime(backup, (BEGIN_S, BEGIN_S))
    bench.wait(3600.0 * 23)
    assert backup.stat().st_mtime == BEGIN_S
    bench.wait(3600.0)
    assert backup.stat().st_mtime > BEGIN_S
    assert datetime.fromtimestamp(backup.stat().st_mtime, UTC) == bench.keeper.state().backup
