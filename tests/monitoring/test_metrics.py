"""Metrics: every family is there with a help text, and says what the status says."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import CollectorRegistry

from holdfast import __version__
from holdfast.client.status_reader import StatusReader
from holdfast.core.commands import Command
from holdfast.core.signals import SITE, Signal
from holdfast.monitoring.metrics import StatusCollector
from holdfast.monitoring.quantities.quantity import Quantity
from holdfast.monitoring.status.schema import PlanStatusNow, Status
from tests.builders import UNIT
from tests.runtime.bench import LoopBench

FAMILIES = {
    "holdfast_band_watts",
    "holdfast_info", "holdfast_up", "holdfast_status_age_seconds", "holdfast_state",
    "holdfast_emergency_stop_latched", "holdfast_latched_faults", "holdfast_finding",
    "holdfast_waits_for_start",
    "holdfast_ignored_events", "holdfast_asks", "holdfast_battery_power_watts",
    "holdfast_battery_power_bound_watts", "holdfast_request_watts",
    "holdfast_reading", "holdfast_reading_age_seconds",
    "holdfast_limit", "holdfast_limit_margin", "holdfast_plan_followed",
    "holdfast_plan_age_seconds",
    "holdfast_device_reads", "holdfast_device_writes", "holdfast_device_errors",
    "holdfast_cycles", "holdfast_missed_deadlines", "holdfast_cycle_period_seconds",
    "holdfast_real_time", "holdfast_cycle_seconds", "holdfast_lateness_seconds",
}  # fmt: skip
"""Without a plan; the names are an interface."""

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def scrape(status: Status | None, age_s: float = 0.1) -> tuple[dict[str, str], Samples]:
    """Help text by family, and value by sample, as Prometheus reads them."""
    registry = CollectorRegistry(auto_describe=False)
    found = None if status is None else (status, age_s)
    registry.register(StatusCollector("my-site", lambda: found))
    families = list(text_string_to_metric_families(generate_latest(registry).decode()))
    samples = {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }
    return {family.name: family.documentation for family in families}, samples


def value(samples: Samples, name: str, labels: Mapping[str, str] | None = None) -> float:
    return samples[name, frozenset((labels or {}).items())]


async def status_of(bench: LoopBench) -> Status:
    bench.sample()
    await asyncio.sleep(0)
    bench.show_next()
    await bench.cycle()
    await asyncio.sleep(0)
    found = StatusReader(bench.files).latest()
    assert found is not None
    return found[0]


@pytest.fixture
async def bench(tmp_path: Path) -> LoopBench:
    bench = LoopBench(tmp_path)
    await bench.to_idle()
    return bench


async def test_every_family_is_there_with_a_help_text(bench: LoopBench) -> None:
    families, _ = scrape(await status_of(bench))
    assert families.keys() == FAMILIES
    assert all(len(text) > 5 for text in families.values()), families


async def test_the_state_is_one_of_five(bench: LoopBench) -> None:
    status = await status_of(bench)
    _, samples = scrape(status)
    states = {labels: v for (name, labels), v in samples.items() if name == "holdfast_state"}
    assert len(states) == 5
    assert sum(states.values()) == 1.0
    assert value(samples, "holdfast_state", {"state": "idle"}) == 1.0


async def test_no_controller_and_an_old_status_are_down(bench: LoopBench) -> None:
    families, samples = scrape(None)
    assert families.keys() == {"holdfast_info", "holdfast_up"}
    assert value(samples, "holdfast_up") == 0.0
    families, samples = scrape(await status_of(bench), age_s=10.0)
    # Old values are not shown as if they were new.
    assert families.keys() == {"holdfast_info", "holdfast_up", "holdfast_status_age_seconds"}
    assert value(samples, "holdfast_up") == 0.0
    assert value(samples, "holdfast_status_age_seconds") == 10.0


def test_of_several_sites_each_says_which_it_is_even_without_a_controller() -> None:
    _, samples = scrape(None)
    labels = {"site": "my-site", "version": __version__}
    assert value(samples, "holdfast_info", labels) == 1.0


async def test_a_margin_is_negative_beyond_the_limit(bench: LoopBench) -> None:
    labels = {"owner": UNIT, "row": "cell_voltage_high", "unit": "V"}
    _, samples = scrape(await status_of(bench))
    assert value(samples, "holdfast_limit_margin", labels) == pytest.approx(3.6 - 3.31)
    levels = {
        level: value(samples, "holdfast_limit", labels | {"level": level})
        for level in ("warning", "alarm", "trip")
    }
    assert levels == pytest.approx({"warning": 3.55, "alarm": 3.6, "trip": 3.65})
    bench.values[UNIT, Signal.CELL_VOLTAGE_MAX_V] = 3.63
    await bench.cycle(3)
    _, samples = scrape(await status_of(bench))
    assert value(samples, "holdfast_limit_margin", labels) == pytest.approx(-0.03)
    found = {
        "owner": UNIT, "row": "cell_voltage_high", "level": "alarm", "reaction": "block_charge",
    }  # fmt: skip
    assert value(samples, "holdfast_finding", found) == 1.0
    bench.values[UNIT, Signal.CELL_VOLTAGE_MIN_V] = 2.7
    _, samples = scrape(await status_of(bench))
    labels = {"owner": UNIT, "row": "cell_voltage_low", "unit": "V"}
    assert value(samples, "holdfast_limit_margin", labels) == pytest.approx(-0.1)


async def test_a_value_that_is_not_good_has_no_reading_and_no_margin(bench: LoopBench) -> None:
    bench.values[UNIT, Signal.CELL_VOLTAGE_MAX_V] = float("nan")
    _, samples = scrape(await status_of(bench))
    names = {
        name
        for name, labels in samples
        if ("signal", "cell_voltage_max_v") in labels or ("row", "cell_voltage_high") in labels
    }
    assert names == {"holdfast_reading_age_seconds", "holdfast_limit"}


async def test_setpoints_readings_and_counters_say_what_the_status_says(bench: LoopBench) -> None:
    bench.values[SITE, Signal.GRID_POWER_W] = -1234.0
    bench.drivers[UNIT, "inverter"].counters.errors = 7  # type: ignore[index]
    bench.sample()
    await bench.loop.command(Command.RESET)  # changes nothing in IDLE
    status = await status_of(bench)
    _, samples = scrape(status)
    labels = {"owner": "site", "signal": "grid_power_w", "unit": "W"}
    assert value(samples, "holdfast_reading", labels) == -1234.0
    assert value(samples, "holdfast_device_errors_total", {"device": "battery/inverter"}) == 7.0
    assert value(samples, "holdfast_cycles_total") == status.loop.cycles
    assert value(samples, "holdfast_ignored_events_total") == 1.0
    for stage in ("asked", "permitted", "ramped", "written", "read_back", "measured"):
        assert (
            value(samples, "holdfast_battery_power_watts", {"owner": UNIT, "stage": stage}) == 0.0
        )
    ends = {"owner": UNIT, "end": "max", "by": "state_idle"}
    assert value(samples, "holdfast_battery_power_bound_watts", ends) == 0.0
    asks = {"owner": UNIT, "quantity": "battery_power", "source": "passive"}
    assert value(samples, "holdfast_asks", asks) == 1.0


async def test_the_histogram_is_cumulated_and_complete(bench: LoopBench) -> None:
    status = await status_of(bench)
    _, samples = scrape(status)
    buckets = sorted(
        (float(dict(labels)["le"]), count)
        for (name, labels), count in samples.items()
        if name == "holdfast_cycle_seconds_bucket"
    )
    counts = [count for _, count in buckets]
    assert counts == sorted(counts)
    assert buckets[-1][0] == float("inf")
    assert counts[-1] == value(samples, "holdfast_cycle_seconds_count")
    assert counts[-1] == sum(status.loop.cycle.counts)


async def test_the_emergency_stop_and_latched_faults_are_told(bench: LoopBench) -> None:
    bench.sample()
    await bench.loop.command(Command.EMERGENCY_STOP)
    status = await status_of(bench)
    _, samples = scrape(status)
    assert value(samples, "holdfast_emergency_stop_latched") == 1.0
    faulty = replace(status, latched_faults=("a/b", "c/d"))
    assert value(scrape(faulty)[1], "holdfast_latched_faults") == 2.0


async def test_a_plan_that_never_came_is_older_than_any(bench: LoopBench) -> None:
    status = await status_of(bench)
    assert value(scrape(status)[1], "holdfast_plan_age_seconds") == float("inf")
    plan = PlanStatusNow(
        plan_id="p", status="optimal", age_s=7.0, expires_in_s=90.0, expected_cost=1.0, slot=None
    )
    _, samples = scrape(replace(status, plan=plan))
    assert value(samples, "holdfast_plan_age_seconds") == 7.0
    assert value(samples, "holdfast_plan_expires_in_seconds") == 90.0


async def test_each_quantity_has_its_metrics_only_where_there_is_one(bench: LoopBench) -> None:
    status = await status_of(bench)
    boiler = Quantity(
        owner="boiler",
        name="load",
        unit="0/1",
        asked=1.0,
        source="plan",
        reason="cheap",
        low=0.0,
        high=0.0,
        high_by="state_stopped",
        permitted=0.0,
        written=0.0,
        read_back=None,
        measured=None,
    )
    room = Quantity(
        owner="parlour",
        name="room_setpoint",
        unit="°C",
        asked=21.0,
        source="local_rule",
        reason="cold",
        permitted=21.0,
        written=21.0,
        read_back=21.0,
        measured=20.5,
    )
    limit = Quantity(
        owner=UNIT,
        name="export_limit",
        unit="W",
        asked=100.0,
        source="plan",
        reason="cheap",
        permitted=100.0,
        written=100.0,
        read_back=None,
        measured=None,
    )
    others = (boiler, room, limit)
    families, samples = scrape(replace(status, quantities=(*status.quantities, *others)))
    assert families.keys() - FAMILIES == {
        "holdfast_load_on",
        "holdfast_load_bound_on",
        "holdfast_room_setpoint_celsius",
        "holdfast_export_limit_watts",
    }
    told = {
        (name.removeprefix("holdfast_"), *(text for _, text in sorted(labels))): v
        for (name, labels), v in samples.items()
        if name.startswith(("holdfast_load", "holdfast_room", "holdfast_export"))
    }
    assert told == {
        ("load_on", "boiler", "asked"): 1.0,
        ("load_on", "boiler", "permitted"): 0.0,
        ("load_on", "boiler", "written"): 0.0,
        ("load_bound_on", "", "min", "boiler"): 0.0,
        ("load_bound_on", "state_stopped", "max", "boiler"): 0.0,
        ("room_setpoint_celsius", "parlour", "asked"): 21.0,
        ("room_setpoint_celsius", "parlour", "permitted"): 21.0,
        ("room_setpoint_celsius", "parlour", "written"): 21.0,
        ("room_setpoint_celsius", "parlour", "read_back"): 21.0,
        ("room_setpoint_celsius", "parlour", "measured"): 20.5,
        ("export_limit_watts", UNIT, "asked"): 100.0,
        ("export_limit_watts", UNIT, "permitted"): 100.0,
        ("export_limit_watts", UNIT, "written"): 100.0,
    }
