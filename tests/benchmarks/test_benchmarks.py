"""Each benchmark runs, as its users start it, and tells what it promises."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
STATES = ("BOOT", "IDLE", "RUNNING", "ERROR", "STOPPED")
STAGES = ("freeze", "assess", "state", "request", "authorise", "ramp", "apply")
FIGURES = {"count", "p50", "p99", "p99_9", "max"}


def told_by(name: str, *arguments: str) -> dict[str, Any]:
    """The JSON of a benchmark that has run, with what is common to all checked."""
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", "--json", *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=500, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    assert told["benchmark"] == name
    assert {"cpu", "cores", "kernel", "python"} <= told["machine"].keys()
    assert told["budgets"]
    for budget in told["budgets"]:
        assert {"what", "unit", "budget", "measured", "met"} == budget.keys()
        assert isinstance(budget["met"], bool)
    results: dict[str, Any] = told["results"]
    return results


def test_cycle_tells_the_whole_and_each_stage_of_two_sites() -> None:
    results = told_by("cycle", "--cycles", "50")
    assert len(results) == 2
    for times in results.values():
        assert set(times) == {"whole", *STAGES}
        for figures in times.values():
            assert figures.keys() == FIGURES
            assert figures["count"] == 50


def test_incident_tells_what_recording_costs_and_what_a_recording_is() -> None:
    results = told_by("incident")
    assert len(results) == 2
    for times in results.values():
        assert set(times) == {"kept", "collector", "slice"}
        assert all(figures.keys() == FIGURES for figures in times.values())


def test_plan_tells_solver_and_whole_plan_for_two_lengths() -> None:
    results = told_by("plan", "--tries", "2", "--hard", "1")
    for length in ("48 h", "7 days"):
        assert {"solve, cold", "solve, re-solved", "whole plan"} <= results[length].keys()
    assert abs(results["not convex"]["24 h: off the direct MILP, %"]) < 0.01
    assert results["ten rooms and modes"]["gap, %"] < 0.5
    assert results["optimizer's memory, MB"] > 1


def test_batch_tells_plans_a_minute_and_memory() -> None:
    results = told_by("batch", "--sites", "2", "--rounds", "1")
    for name in ("answers", "answers on one forecast"):
        assert results[f"{name}, plans a minute"] > 0.0
    assert results["command, sites a minute"] > 0.0
    assert results["command, memory, MB"] > 1


def test_simulate_tells_its_speed() -> None:
    results = told_by("simulate", "--days", "0.02")
    assert results["times_real_time_by_cpu"] > 0
    assert results["times_real_time_by_wall"] > 0


def test_loop_tells_lateness_alone_and_loaded() -> None:
    results = told_by("loop", "--seconds", "1", "--hogs", "1")
    for phase in ("alone", "loaded"):
        assert results[phase]["wake-up late"]["count"] >= 1
        assert "missed" in results[phase]["wake-up late"]
        assert results[phase]["cycle"].keys() == FIGURES
        assert results[phase]["memory"]["end_mb"] > 1
        assert "cyclictest" in results[phase]


def test_estop_stops_in_every_state() -> None:
    results = told_by("estop", "--tries", "5", "--hogs", "1")
    assert results["lost"] == 0
    assert results["to 0 W"]["count"] == 5
    for state in STATES:
        assert results["to 0 W"][state]["count"] == 1
    assert results["to the reply, latched on disk"].keys() == FIGURES


def test_gateway_stops_idle_and_under_load() -> None:
    results = told_by("gateway", "--tries", "1", "--hogs", "1", "--seconds", "1")
    for phase in ("idle", "under load"):
        assert results["press to 0 W, ms"][phase]["count"] == 1
        assert results[f"stop over the API, {phase}, ms"]["count"] == 1
    assert results["API, 50 requests/s, ms"]["count"] >= 40
    assert results["events to watchers"] > 0
    assert results["gateway's memory, MB"] > 1


def test_watchdog_tells_both_ways_of_losing_the_controller() -> None:
    results = told_by("watchdog", "--tries", "1", "--hogs", "1")
    for way in ("killed", "stopped"):
        assert results[way]["count"] == 1
        assert results[way]["max"] is not None, "0 W never came"


def test_audit_tells_what_an_event_costs_and_what_the_disk_takes(tmp_path: Path) -> None:
    results = told_by("audit", "--events", "20", "--folder", str(tmp_path))
    assert results["enqueue"]["count"] == 20
    assert results["enqueue in a flood"]["count"] == 200
    assert results["to the disk"]["p50"] > results["enqueue"]["p50"]
    assert results["sustained"]["events_per_s"] > 0
    assert list(tmp_path.iterdir()) == []


def test_control_tells_what_a_step_of_the_regulator_costs_and_how_a_step_is_answered() -> None:
    results = told_by("control", "--part", "step_back")
    assert {name.split(",")[0] for name in results} == {"3 kW"}


@pytest.mark.parametrize(
    "name",
    [
        "audit",
        "batch",
        "control",
        "cycle",
        "losses",
        "plan",
        "simulate",
        "loop",
        "estop",
        "gateway",
        "watchdog",
    ],
)
def test_each_explains_itself(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", "--help"],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    assert "--json" in done.stdout


def test_fieldbus_tells_what_polling_costs_and_what_delays_what() -> None:
    results = told_by("fieldbus", "--seconds", "1")
    assert 0.0 < results["polling, % of a core"] < 100.0
    for name in ("from reading to reading, ms", "the same beside a dead device, ms"):
        assert set(results[name]) >= FIGURES
        assert results[name]["p50"] > 0.0
    assert results["a command among polls of 30 requests, ms"]["count"] > 0


def test_history_tells_a_year_and_how_long_a_day_is_read() -> None:
    results = told_by("history", "--days", "1", "--series", "9", "--repeats", "2")
    assert results["write a minute"]["count"] == 1440
    assert results["read a day at 1 s, 6 series"].keys() == FIGURES
    parts = results["a year, in MB"]
    assert parts.keys() == {"seconds", "plans", "minutes", "quarter_hours", "rows"}
    assert all(size > 0.0 for size in parts.values())


def test_footprint_tells_each_process_and_how_soon_the_site_is_back(tmp_path: Path) -> None:
    folder = ROOT / "build" / tmp_path.name  # on a disk: what is written to RAM does not count
    results = told_by("footprint", "--seconds", "2", "--settle", "0", "--folder", str(folder))
    names = {"supervisor", "watchdog", "controller", "planner", "gateway", "api", "together"}
    assert names <= results.keys()
    assert results["together"]["memory_mb"] > results["controller"]["memory_mb"] > 1
    assert results["back in RUNNING, s"] > 0.1
    assert not folder.exists()
