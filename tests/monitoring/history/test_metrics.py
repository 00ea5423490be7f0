"""What the metrics tell of the history; Prometheus's own linter has nothing to say of them."""

import shutil
import subprocess
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import CollectorRegistry

from holdfast.monitoring.history.energies import TOTALS, Sum
from holdfast.monitoring.history.metrics import DIRECTIONS, UP_WITHIN_S, HistoryCollector
from holdfast.monitoring.history.span_savings import SpanName, SpanSavings
from holdfast.monitoring.history.state import (
    HistoryState,
    decode_history_state,
    encode_history_state,
)
from holdfast.monitoring.metrics import StatusCollector
from holdfast.monitoring.status.schema import PlanStatusNow, Status
from tests.monitoring.history.samples import BEGIN, finding, status_at

STATE = HistoryState(
    utc=BEGIN,
    monotonic_ns=5,
    written=BEGIN,
    samples_lost=7,
    size_bytes=12345,
    backup=BEGIN - timedelta(hours=1),
    totals={name: float(number + 1) for number, name in enumerate(TOTALS)},
    currency="EUR",
)


def page(state: HistoryState | None, age_s: float = 1.0, status: Status | None = None) -> str:
    registry = CollectorRegistry(auto_describe=False)
    if status is not None:
        registry.register(StatusCollector("my-site", lambda: (status, 0.1)))
    registry.register(HistoryCollector(lambda: None if state is None else (state, age_s)))
    return generate_latest(registry).decode()


def values(state: HistoryState | None, age_s: float = 1.0) -> dict[tuple[str, ...], float]:
    return {
        (sample.name.removeprefix("holdfast_"), *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(page(state, age_s))
        for sample in family.samples
    }


def test_energies_are_counted_in_joules_by_direction() -> None:
    found = values(STATE)
    energies = {name[1]: v for name, v in found.items() if name[0] == "energy_joules_total"}
    assert energies == {
        "import": 3600.0, "export": 7200.0, "pv": 10800.0, "load": 14400.0, "charge": 18000.0,
        "discharge": 21600.0,
    }  # fmt: skip
    assert DIRECTIONS.keys() | {Sum.COST} == set(TOTALS)
    assert found["cost", "EUR"] == 7.0


def test_the_history_tells_how_it_fares() -> None:
    found = values(STATE)
    assert found["history_up",] == 1.0
    assert found["history_samples_lost_total",] == 7.0
    assert found["history_size_bytes",] == 12345.0
    assert found["history_written_timestamp_seconds",] == BEGIN.timestamp()
    assert found["history_backup_timestamp_seconds",] == BEGIN.timestamp() - 3600.0


@pytest.mark.parametrize(
    ("state", "age_s"), [(replace(STATE, problem="disk full"), 1.0), (STATE, UP_WITHIN_S + 1.0)]
)
def test_a_disk_that_cannot_be_written_is_seen(state: HistoryState, age_s: float) -> None:
    assert values(state, age_s)["history_up",] == 0.0


def test_what_is_not_known_is_not_told() -> None:
    bare = HistoryState(utc=BEGIN, monotonic_ns=5, currency="EUR")
    assert values(bare).keys() == {("history_up",), ("history_samples_lost_total",)}
    assert values(None) == {}


def test_the_state_goes_through_memory_as_it_is() -> None:
    assert decode_history_state(encode_history_state(STATE)) == STATE
    with pytest.raises(ValueError, match="validation error"):
        decode_history_state(b"{}")


PLAN = PlanStatusNow(
    plan_id="p", status="optimal", age_s=3.0, expires_in_s=9.0, expected_cost=1.0, slot=None
)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
@pytest.mark.parametrize("changes", [{}, {"plan": PLAN, "findings": (finding(),)}])
def test_promtool_has_nothing_to_say(changes: dict[str, Any]) -> None:
    content = page(STATE, status=status_at(BEGIN, **changes))
    found = subprocess.run(
        ["promtool", "check", "metrics"], input=content, text=True, capture_output=True, check=False
    )
    assert (found.returncode, found.stderr) == (0, ""), content


def test_what_a_span_has_cost_is_told_as_far_as_it_is_known() -> None:
    span = SpanSavings(
        span=SpanName.TODAY, start=BEGIN, end=BEGIN, paid=1.5, no_battery=2.5, self_consumption=None
    )
    state = replace(STATE, savings=(span,))
    families = HistoryCollector(lambda: (state, 1.0)).collect()
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
        if sample.name.startswith("holdfast_span")
    }
    assert found == {
        ("holdfast_span_cost", "today", "paid", "EUR"): 1.5,
        ("holdfast_span_cost", "today", "no_battery", "EUR"): 2.5,
        ("holdfast_span_saved", "today", "no_battery", "EUR"): 1.0,
    }
