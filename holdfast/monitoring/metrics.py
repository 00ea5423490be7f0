"""Prometheus metrics, made from the latest status at each scrape. The names are an interface."""

from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate

from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from holdfast.core.state_machine import State
from holdfast.monitoring.histogram import BOUNDS_S, HistogramStatus
from holdfast.monitoring.status import Status

UP_WITHIN_S = 2.0


class StatusCollector(Collector):
    """Turns the latest status into metrics. ``latest`` gives it with its age in seconds."""

    def __init__(self, latest: Callable[[], tuple[Status, float] | None]) -> None:
        self._latest = latest

    def collect(self) -> Iterable[Metric]:
        """All metrics; only ``holdfast_up 0`` while no controller publishes."""
        found = self._latest()
        fresh = found is not None and found[1] <= UP_WITHIN_S
        yield GaugeMetricFamily("holdfast_up", "1 while the controller publishes.", float(fresh))
        if found is None:
            return
        status, age_s = found
        yield GaugeMetricFamily(
            "holdfast_status_age_seconds", "Age of the controller's last status.", age_s
        )
        if fresh:
            yield from _state(status)
            yield from _setpoints(status)
            yield from _readings(status)
            yield from _loads(status)
            yield from _limits(status)
            yield from _plan(status)
            yield from _comms(status)
            yield from _loop(status)
            yield from _audit(status)


def _state(status: Status) -> Iterator[Metric]:
    state = GaugeMetricFamily("holdfast_state", "1 for the state it is in.", labels=["state"])
    for candidate in State:
        state.add_metric([candidate], float(candidate is status.state))
    yield state
    yield GaugeMetricFamily(
        "holdfast_emergency_stop_latched",
        "1 while an emergency stop is latched.",
        float(status.emergency_stop_latched),
    )
    yield GaugeMetricFamily(
        "holdfast_latched_faults", "Number of latched faults.", len(status.latched_faults)
    )
    findings = GaugeMetricFamily(
        "holdfast_finding",
        "1 for each active finding.",
        labels=["owner", "row", "level", "reaction"],
    )
    for found in status.findings:
        findings.add_metric([found.owner, found.row, found.level, found.reaction], 1.0)
    yield findings
    yield CounterMetricFamily(
        "holdfast_ignored_events", "Commands that changed nothing.", status.ignored_events
    )


_SETPOINT_STAGES = ("asked_w", "permitted_w", "ramped_w", "written_w", "read_back_w", "measured_w")


def _setpoints(status: Status) -> Iterator[Metric]:
    setpoint = GaugeMetricFamily(
        "holdfast_setpoint_watts",
        "Battery power on its way through the layers, + charging.",
        labels=["unit", "stage"],
    )
    envelope = GaugeMetricFamily(
        "holdfast_envelope_watts",
        "Permitted battery power and what sets it.",
        labels=["unit", "end", "by"],
    )
    for unit, layers in status.setpoints.items():
        for stage in _SETPOINT_STAGES:
            value = getattr(layers, stage)
            if value is not None:
                setpoint.add_metric([unit, stage.removesuffix("_w")], value)
        envelope.add_metric([unit, "min", layers.permitted_min_by], layers.permitted_min_w)
        envelope.add_metric([unit, "max", layers.permitted_max_by], layers.permitted_max_w)
    yield setpoint
    yield envelope
    request = GaugeMetricFamily(
        "holdfast_request_watts", "What the site asks of its batteries.", labels=["source"]
    )
    request.add_metric([status.request_source], status.request_w)
    yield request


def _readings(status: Status) -> Iterator[Metric]:
    labels = ["owner", "signal", "unit"]
    value = GaugeMetricFamily("holdfast_reading", "Good readings.", labels=labels)
    age = GaugeMetricFamily("holdfast_reading_age_seconds", "Age of readings.", labels=labels)
    for owner, readings in status.readings.items():
        for signal, reading in readings.items():
            if reading.quality == "good" and reading.value is not None:
                value.add_metric([owner, signal, reading.unit], reading.value)
            if reading.age_s is not None:
                age.add_metric([owner, signal, reading.unit], reading.age_s)
    yield value
    yield age


def _loads(status: Status) -> Iterator[Metric]:
    asked = GaugeMetricFamily(
        "holdfast_load_asked", "1 while a load is asked to run.", labels=["load", "source"]
    )
    permitted = GaugeMetricFamily(
        "holdfast_load_permitted", "1 while a load may run.", labels=["load", "blocked_by"]
    )
    on = GaugeMetricFamily("holdfast_load_on", "1 while a load has power.", labels=["load"])
    temperature = GaugeMetricFamily(
        "holdfast_room_temperature_celsius", "Air in a heated room.", labels=["room"]
    )
    for name, load in status.loads.items():
        asked.add_metric([name, load.source], float(load.asked_on))
        permitted.add_metric([name, load.blocked_by], float(load.may_run))
        if load.on is not None:
            on.add_metric([name], float(load.on))
        if load.temperature_c is not None:
            temperature.add_metric([name], load.temperature_c)
    if status.loads:
        yield from (asked, permitted, on, temperature)


def _limits(status: Status) -> Iterator[Metric]:
    level = GaugeMetricFamily(
        "holdfast_limit", "Levels of each limit.", labels=["owner", "row", "level", "unit"]
    )
    margin = GaugeMetricFamily(
        "holdfast_limit_margin",
        "Distance of the value to the level that acts; negative beyond it.",
        labels=["owner", "row", "unit"],
    )
    for limit in status.limits:
        for name, value in limit.levels.items():
            level.add_metric([limit.owner, limit.row, name, limit.unit], value)
        if limit.margin is not None:
            margin.add_metric([limit.owner, limit.row, limit.unit], limit.margin)
    yield level
    yield margin


def _plan(status: Status) -> Iterator[Metric]:
    plan = status.plan
    yield GaugeMetricFamily(
        "holdfast_plan_followed",
        "1 while a plan is valid and has a slot for now.",
        float(plan is not None and plan.slot is not None),
    )
    if plan is not None:
        yield GaugeMetricFamily(
            "holdfast_plan_age_seconds", "Since the plan was accepted.", plan.age_s
        )
        yield GaugeMetricFamily(
            "holdfast_plan_expires_in_seconds", "Until nobody follows it.", plan.expires_in_s
        )


def _comms(status: Status) -> Iterator[Metric]:
    for name in ("reads", "writes", "errors"):
        counter = CounterMetricFamily(
            f"holdfast_device_{name}", f"Device {name}.", labels=["device"]
        )
        for device, counters in status.comms.items():
            counter.add_metric([device], getattr(counters, name))
        yield counter


def _loop(status: Status) -> Iterator[Metric]:
    loop = status.loop
    yield CounterMetricFamily("holdfast_cycles", "Completed cycles.", loop.cycles)
    yield CounterMetricFamily("holdfast_missed_deadlines", "Skipped cycles.", loop.missed)
    yield GaugeMetricFamily("holdfast_cycle_period_seconds", "Period.", loop.period_s)
    yield GaugeMetricFamily(
        "holdfast_real_time", "1 with SCHED_FIFO and locked memory.", float(loop.real_time)
    )
    yield _histogram("holdfast_cycle_seconds", "Time that a cycle takes.", loop.cycle)
    yield _histogram("holdfast_lateness_seconds", "Wake-up after the deadline.", loop.lateness)


def _audit(status: Status) -> Iterator[Metric]:
    audit = status.audit
    if audit is None:
        return
    yield CounterMetricFamily(
        "holdfast_audit_lines", "Events that were brought to the audit log.", audit.lines
    )
    yield CounterMetricFamily(
        "holdfast_audit_lost", "Events that are not in the audit log.", audit.lost
    )


def _histogram(name: str, text: str, histogram: HistogramStatus) -> HistogramMetricFamily:
    bounds = [*(f"{bound:g}" for bound in BOUNDS_S), "+Inf"]
    buckets = list(zip(bounds, accumulate(histogram.counts), strict=True))
    return HistogramMetricFamily(name, text, buckets=buckets, sum_value=histogram.sum_s)
