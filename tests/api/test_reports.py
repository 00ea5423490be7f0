"""Reports: a page to print and a table, of a day, a month or a year."""

import csv
import io
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from holdfast.api.report import (
    PeriodReport,
    decode_report,
    encode_report,
    make_report,
    report_csv,
    title,
)
from holdfast.monitoring.history.reader import HistoryReader
from tests.api.bench import API, ApiBench
from tests.monitoring.history.samples import (
    BEGIN,
    finding,
    minutes_of,
    place_in,
    seconds,
    status_at,
    store_in,
    write_all,
)

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def reader(tmp_path: Path) -> HistoryReader:
    """Five minutes with 1 kW from the grid; in two of them a finding narrows the battery."""
    store = store_in(tmp_path)
    narrowed = (replace(finding(), reaction="derate"), finding("soc_high"))
    statuses = (
        status_at(at, grid_w=1000.0, findings=narrowed if 60 <= number < 180 else ())
        for number, at in enumerate(seconds(300))
    )
    write_all(store, minutes_of(statuses))
    store.close()
    return HistoryReader(place_in(tmp_path), BERLIN)


def report_of(reader: HistoryReader, kind: str, day: date) -> PeriodReport:
    return make_report(reader, kind, day, site="A $ite", currency="EUR", zone=BERLIN)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "first", "rows", "heading"),
    [
        ("day", date(2026, 11, 29), 24, "Sunday, 29 November 2026"),
        ("month", date(2026, 11, 1), 30, "November 2026"),
        ("year", date(2026, 1, 1), 12, "2026"),
    ],
)
def test_a_report_is_of_the_whole_span_that_a_day_is_in(
    reader: HistoryReader, kind: str, first: date, rows: int, heading: str
) -> None:
    report = report_of(reader, kind, BEGIN.date())
    assert (report.day, len(report.rows), title(report)) == (first, rows, heading)
    assert report.whole.import_wh == pytest.approx(1000.0 * 5 / 60, rel=0.01)
    assert sum(row.import_wh or 0.0 for row in report.rows) == pytest.approx(report.whole.import_wh)
    (found,) = report.found
    assert found.key == "battery/cell_voltage_high"
    assert found.lasted_s == pytest.approx(120.0, abs=2.0)
    assert decode_report(encode_report(report)) == report


def test_a_day_of_25_hours_has_25_rows_in_local_time(reader: HistoryReader) -> None:
    report = report_of(reader, "day", date(2026, 10, 25))
    rows = list(csv.DictReader(io.StringIO(report_csv(report))))
    assert len(rows) == 25
    assert rows[0]["from"] == "2026-10-25T00:00+02:00"
    assert rows[-1]["to"] == "2026-10-26T00:00+01:00"
    assert rows[0]["import_kwh"] == ""  # nothing was measured, which is not 0
    assert rows[0]["complete_pct"] == "0.0"


def test_what_is_known_is_in_the_table(reader: HistoryReader) -> None:
    table = report_csv(report_of(reader, "day", BEGIN.date()))
    rows = list(csv.DictReader(io.StringIO(table)))
    assert float(rows[13]["import_kwh"]) == pytest.approx(5 / 60, rel=0.01)
    assert float(rows[13]["cost_EUR"]) == pytest.approx(0.3 * 5 / 60, rel=0.01)


@pytest.mark.parametrize("kind", ["day", "month", "year"])
async def test_a_report_can_be_printed(bench: ApiBench, kind: str) -> None:
    store = store_in(Path(bench.site.state_dir))
    write_all(store, minutes_of(status_at(at, grid_w=1000.0) for at in seconds(120)))
    store.close()
    answer = await bench.client.get(f"{API}/reports/{kind}/2026-11-29")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"].startswith("attachment; filename=")
    assert answer.content.startswith(b"%PDF")
    assert answer.content.count(b"/Type /Page\n") + answer.content.count(b"/Type /Page ") == 1
    table = await bench.client.get(f"{API}/reports/{kind}/2026-11-29", params={"format": "csv"})
    assert table.status_code == 200
    assert table.text.startswith("from,to,import_kwh")


@pytest.mark.parametrize("path", ["week/2026-11-29", "day/2026-02-30", "day/today", "day/1-1-1"])
async def test_what_is_no_report_is_told(bench: ApiBench, path: str) -> None:
    answer = await bench.client.get(f"{API}/reports/{path}")
    assert answer.status_code == 422


def test_a_job_ends_with_who_has_started_it() -> None:
    script = (
        "from holdfast.api.work.job import run_job; import time; "
        "run_job(lambda _: print('begun', flush=True) or time.sleep(600))"
    )
    job = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with job:
        assert job.stdin is not None
        assert job.stdout is not None
        job.stdin.write((2).to_bytes(4, "big") + b"{}")
        job.stdin.flush()
        assert job.stdout.readline() == b"begun\n"
        job.stdin.close()
        assert job.wait(10.0) == 1
