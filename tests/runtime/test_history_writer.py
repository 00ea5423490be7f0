"""The writer takes what the controller says into the history, also while something is amiss."""

import signal
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from pydantic_core import to_json

from holdfast.client.history_state_reader import HistoryStateReader
from holdfast.client.plan_report import PlanReport
from holdfast.core.config import Site
from holdfast.core.plan import Plan, PlanStatus
from holdfast.monitoring.history.place import HistoryPlace
from holdfast.monitoring.history.reader import HistoryReader
from holdfast.monitoring.status.codec import encode_status
from holdfast.monitoring.status.schema import PlanStatusNow, Status
from holdfast.runtime.history_writer import HistoryWriter
from holdfast.simulation.net import free_port
from holdfast.site.files import SiteFiles
from holdfast.site.shared_memory import RecordWriter
from holdfast.testing.processes import Process
from holdfast.testing.waiting import until
from tests.builders import build_site, site_content
from tests.monitoring.history.samples import BEGIN, seconds, status_at

GRID = "site/grid_power_w"


class Controller:
    """Publishes what the test says, and is as old as the test says."""

    def __init__(self, files: SiteFiles, monkeypatch: pytest.MonkeyPatch) -> None:
        self._shown = RecordWriter(files.status)
        self._patch = monkeypatch

    def say(self, status: Status, age_s: float = 0.1) -> None:
        self._shown.publish(encode_status(status))
        now_ns = status.monotonic_ns + int(age_s * 1e9)
        self._patch.setattr("holdfast.client.status_reader.time.monotonic_ns", lambda: now_ns)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return build_site(state_dir=str(tmp_path / "state"), history={"leave_free_mb": 0})


@pytest.fixture
def files(site: Site) -> SiteFiles:
    files = SiteFiles.of(site)
    files.create()
    return files


def reader(files: SiteFiles) -> HistoryReader:
    return HistoryReader(HistoryPlace.in_file(files.history_db), ZoneInfo("UTC"))


def test_each_second_is_taken_in_and_each_minute_is_written(
    site: Site, files: SiteFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer, controller = HistoryWriter(site, files), Controller(files, monkeypatch)
    for number, at in enumerate(seconds(121)):
        controller.say(status_at(at, grid_w=float(number)))
        writer.look()
        writer.keeper.work()
    found = reader(files).values_at([GRID], BEGIN, BEGIN + timedelta(minutes=3), 1).series[GRID]
    np.testing.assert_array_equal(found.mean[:120], np.arange(120.0))
    assert np.isnan(found.mean[120:]).all()
    writer.keeper.close()


def test_an_old_status_is_no_value(
    site: Site, files: SiteFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer, controller = HistoryWriter(site, files), Controller(files, monkeypatch)
    monkeypatch.setattr("holdfast.runtime.history_writer.time.time", BEGIN.timestamp)
    for number, at in enumerate(seconds(61)):
        controller.say(status_at(at), age_s=5.0 if 20 <= number < 30 else 0.1)
        writer.look()
    writer.keeper.work()
    found = reader(files).values_at([GRID], BEGIN, BEGIN + timedelta(minutes=1), 1).series[GRID]
    assert np.flatnonzero(np.isnan(found.mean)).tolist() == list(range(20, 30))
    writer.keeper.close()


def test_a_plan_is_kept_as_the_planner_reported_it(
    site: Site, files: SiteFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = Plan(
        plan_id="p1",
        created=BEGIN,
        expires=BEGIN + timedelta(days=1),
        status=PlanStatus.OPTIMAL,
        expected_cost=1.5,
        slots=(),
    )
    report = PlanReport(utc=BEGIN, plan=plan, accepted=True, problem="")
    now = PlanStatusNow(
        plan_id="p1", status="optimal", age_s=0.1, expires_in_s=9.0, expected_cost=1.5, slot=None
    )
    writer, controller = HistoryWriter(site, files), Controller(files, monkeypatch)
    for number, at in enumerate(seconds(150)):
        if number == 30:  # the planner writes it a little after the controller has taken it
            files.plan.write_bytes(to_json(report))
        told = now if number < 90 else replace(now, plan_id="p2")
        controller.say(status_at(at, plan=told))
        writer.look()
    writer.keeper.work()
    first, second = reader(files).plans(BEGIN, BEGIN + timedelta(hours=1))
    assert (first.plan_id, first.plan) == ("p1", plan)
    assert first.end == BEGIN + timedelta(seconds=90)
    assert (second.plan_id, second.plan) == ("p2", None), "the report is of another plan"
    writer.keeper.close()


def test_how_it_fares_is_told_in_memory_until_it_ends(site: Site, files: SiteFiles) -> None:
    told, end = HistoryStateReader(files), threading.Event()
    assert told.latest() is None
    writer = HistoryWriter(site, files)
    writer.start(end)
    try:
        found = until(lambda: (f := told.latest()) and f[0].totals and f, "totals from the disk")
        state, age_s = found
        assert (state.problem, state.samples_lost, state.currency) == ("", 0, "EUR")
        assert 0.0 <= age_s < 60.0
    finally:
        end.set()
        writer.join(60.0)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("history")]


def test_the_gateway_serves_though_the_history_cannot_be_written(tmp_path: Path) -> None:
    """A folder stands where the file would be."""
    import httpx
    import yaml

    port = free_port()
    content = site_content(
        gateway={"host": "127.0.0.1", "port": port}, history={"leave_free_mb": 0}
    )
    config = tmp_path / "site.yaml"
    config.write_text(yaml.safe_dump(content))
    (tmp_path / "state" / "history.db").mkdir(parents=True)
    (tmp_path / "state").chmod(0o700)
    process = Process(tmp_path / "log", "-m", "holdfast.runtime.gateway", "--config", str(config))
    try:

        def page() -> str:
            try:
                return httpx.get(f"http://127.0.0.1:{port}/metrics").text
            except httpx.TransportError:
                return ""

        until(lambda: "holdfast_history_up 0.0" in page(), "a gateway that tells of it", 60.0)
        second = Process(
            tmp_path / "log2", "-m", "holdfast.runtime.gateway", "--config", str(config)
        )
        assert second.wait(60.0) == 2
        assert "a gateway already runs in" in second.output
    finally:
        process.signal(signal.SIGTERM)
        assert process.wait(60.0) == 0
        process.end()
