"""Exported tables: what was measured, and nothing where nothing was."""

import builtins
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from holdfast.core.errors import DataError
from holdfast.monitoring.history import export
from holdfast.monitoring.history.export import Export
from holdfast.monitoring.history.reader import HistoryReader
from tests.builders import UNIT
from tests.monitoring.history.samples import (
    BEGIN,
    minutes_of,
    place_in,
    seconds,
    status_at,
    store_in,
    write_all,
)

KEYS = ("site/grid_power_w", f"{UNIT}/soc_pct")


@pytest.fixture
def exported(tmp_path: Path) -> Export:
    """Three seconds, of which the second has no grid power; then two hours later one more."""
    store = store_in(tmp_path)
    powers_w = (100.0, None, -300.0)
    statuses = [
        status_at(at, grid_w=power_w, soc_pct=50.25)
        for at, power_w in zip(seconds(3), powers_w, strict=True)
    ]
    later = BEGIN + timedelta(hours=2)
    statuses.append(status_at(later + timedelta(seconds=0.4), grid_w=7.0, soc_pct=51.0))
    write_all(store, minutes_of(statuses))
    return Export(
        reader=HistoryReader(place_in(tmp_path), ZoneInfo("UTC")),
        keys=KEYS,
        start=BEGIN,
        end=BEGIN + timedelta(days=1, hours=3),
    )


def test_csv_has_empty_cells_for_gaps_and_no_rows_of_nothing(exported: Export) -> None:
    assert "".join(exported.csv_lines()).splitlines() == [
        "time_utc,site/grid_power_w,battery/soc_pct",
        "2026-11-29T12:00:00Z,100,50.25",
        "2026-11-29T12:00:01Z,,50.25",
        "2026-11-29T12:00:02Z,-300,50.25",
        "2026-11-29T14:00:00Z,7,51",
    ]


def test_a_long_time_is_exported_by_minutes_with_their_lowest_and_highest(
    exported: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "MOST_ROWS", 10_000)
    words = ("", " lowest", " highest")
    assert "".join(exported.csv_lines()).splitlines() == [
        ",".join(["time_utc", *(f"{key}{word}" for key in KEYS for word in words)]),
        "2026-11-29T12:00:00Z,-100,-300,100,50.25,50.25,50.25",
        "2026-11-29T14:00:00Z,7,7,7,51,51,51",
    ]


def test_parquet_has_the_same_with_nulls(exported: Export, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    exported.write_parquet(tmp_path / "out.parquet")
    table = parquet.read_table(tmp_path / "out.parquet").to_pydict()
    assert [f"{time:%H:%M:%S%z}" for time in table["time_utc"]] == [
        "12:00:00+0000", "12:00:01+0000", "12:00:02+0000", "14:00:00+0000",
    ]  # fmt: skip
    assert table["site/grid_power_w"] == [100.0, None, -300.0, 7.0]
    assert table["battery/soc_pct"] == [50.25, 50.25, 50.25, 51.0]


def test_without_pyarrow_it_says_what_to_install(
    exported: Export, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return found(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(DataError, match=r"pip install 'holdfast\[parquet\]', or export CSV"):
        exported.write_parquet(tmp_path / "out.parquet")
