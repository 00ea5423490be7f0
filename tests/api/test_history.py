"""The history by the API: series at the step that fits, files, energies and money."""

import csv
import io
from datetime import timedelta
from typing import Any

import httpx
import pytest

from holdfast.monitoring.history.place import HistoryPlace
from holdfast.monitoring.history.store import HistoryStore
from tests.api.bench import API, ApiBench
from tests.builders import UNIT
from tests.monitoring.history.samples import (
    BEGIN,
    BEGIN_S,
    minutes_of,
    seconds,
    status_at,
    write_all,
)

SPAN = {"start": BEGIN.isoformat(), "end": (BEGIN + timedelta(minutes=30)).isoformat()}
SOC = f"{UNIT}/soc_pct"


@pytest.fixture
def written(bench: ApiBench) -> ApiBench:
    """Half an hour with 1 kW from the grid, of which the first minute is missing."""
    store = HistoryStore(HistoryPlace.in_file(bench.files.history_db), "here", BEGIN_S)
    times = list(seconds(30 * 60))[60:]
    write_all(store, minutes_of(status_at(at, grid_w=1000.0) for at in times))
    store.close()
    return bench


async def _asked(bench: ApiBench, path: str, **query: Any) -> httpx.Response:
    return await bench.client.get(f"{API}{path}", params=query)


async def test_a_series_has_values_at_one_step_and_none_where_none_were_measured(
    written: ApiBench,
) -> None:
    told = await written.get("/history", series=[SOC, "site/grid_power_w"], points=30, **SPAN)
    assert told["step_s"] == 60
    assert told["start"] == "2026-11-29T12:00:00Z"
    assert list(told["series"]) == [SOC, "site/grid_power_w"]
    grid = told["series"]["site/grid_power_w"]
    assert grid["t"] == [60 * minute for minute in range(1, 30)]
    assert set(grid["mean"]) == {1000.0}
    assert grid["unit"] == "W"
    listed = {one["key"]: one for one in await written.get("/history/series")}
    assert listed[SOC]["unit"] == "%"
    assert listed[SOC]["first"] == "2026-11-29T12:01:00Z"


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"series": "no/such"}, "there is no 'no/such'"),
        ({"end": SPAN["start"]}, "has to be after start"),
        ({"end": "2060-01-01T00:00:00Z"}, "days after start"),
        ({"start": "2026-11-29T12:00:00"}, "no time with a zone"),
        ({"start": "1764417600"}, "no time with a zone"),
        ({"points": "0"}, "greater than or equal to 1"),
        ({"points": "NaN"}, "valid integer"),
        ({"series": []}, "Field required"),
        ({"series": [SOC] * 21}, "at most 20"),
    ],
)
async def test_what_nobody_can_have_meant_is_told(
    written: ApiBench, changed: dict[str, Any], why: str
) -> None:
    answer = await _asked(written, "/history", **({"series": SOC} | SPAN | changed))
    assert answer.status_code == 422
    assert why in answer.json()["detail"]


async def test_a_part_can_be_taken_along_as_csv_and_parquet(written: ApiBench) -> None:
    query = {"series": ["site/grid_power_w", SOC], **SPAN}
    answer = await _asked(written, "/history/export", **query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.reader(io.StringIO(answer.text)))
    assert rows[0] == ["time_utc", "site/grid_power_w", SOC]
    assert rows[1] == ["2026-11-29T12:01:00Z", "1000", "50"]
    assert len(rows) == 1 + 29 * 60
    pytest.importorskip("pyarrow")
    from pyarrow import parquet

    answer = await _asked(written, "/history/export", format="parquet", **query)
    assert answer.status_code == 200
    table = parquet.read_table(io.BytesIO(answer.content))
    assert table.num_rows == 29 * 60


async def test_more_than_fits_a_file_is_refused_before_it_is_made(
    written: ApiBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("holdfast.api.routes.history.MOST_CELLS", 1)
    answer = await _asked(written, "/history/export", series=SOC, **SPAN)
    assert answer.status_code == 422
    assert "ask for less at once" in answer.json()["detail"]


async def test_energies_and_cost_are_told_by_the_sites_clock(written: ApiBench) -> None:
    told = await written.get("/energy", start="2026-11-29", end="2026-11-30")
    (row,) = told["rows"]
    assert (row["start"], row["end"]) == ("2026-11-29T00:00:00Z", "2026-11-30T00:00:00Z")
    assert row["import_wh"] == pytest.approx(1000.0 * 29 / 60, rel=0.01)
    assert row["export_wh"] == 0.0
    assert row["cost"] == pytest.approx(0.3 * 29 / 60, rel=0.01)
    assert row["complete"] == pytest.approx(29 / (24 * 60), rel=0.01)
    money = await written.get("/money", start="2026-11-29", end="2026-11-30")
    assert money["currency"] == "EUR"
    assert money["rows"][0]["cost"] == pytest.approx(0.3 * 29 / 60, rel=0.01)
    assert money["rows"][0]["no_battery"] == pytest.approx(0.3 * 29 / 60, rel=0.01)
    unknown = await written.get("/energy", start="2026-10-01", end="2026-10-02")
    assert unknown["rows"][0]["import_wh"] is None


async def test_what_lasted_for_a_while_is_told(written: ApiBench) -> None:
    told = await written.get("/history/spells", **SPAN)
    assert [state["state"] for state in told["states"]] == ["running"]
    assert told["decisions"][0]["source"] == "plan"


@pytest.mark.parametrize(
    "query", [{"start": "2026-13-01"}, {"end": "2026-11-28"}, {"step": "week"}]
)
async def test_no_span_of_days_is_told(written: ApiBench, query: dict[str, str]) -> None:
    whole = {"start": "2026-11-29", "end": "2026-11-30"} | query
    assert (await _asked(written, "/energy", **whole)).status_code == 422


DAY = "start=2026-11-29&end=2026-11-30"


@pytest.mark.parametrize(
    "path",
    [
        "/history/series",
        f"/history?series={SOC}&start=2026-11-29T12:00:00Z&end=2026-11-29T13:00:00Z",
        f"/energy?{DAY}",
        f"/money?{DAY}",
        "/reports/day/2026-11-29",
    ],
)
async def test_before_the_first_minute_there_is_no_history(bench: ApiBench, path: str) -> None:
    answer = await bench.client.get(f"{API}{path}")
    assert answer.status_code == 503
    assert "no history" in answer.json()["detail"]
    assert not bench.files.history_db.exists()
