"""Prometheus metrics are made from the latest status at each scrape. The names are an interface."""

import math
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from holdfast import __version__
from holdfast.core.state_machine import State
from holdfast.monitoring.metric_table import counter, gauge, histogram, quantity_names
from holdfast.monitoring.quantities.quantity import Quantity, QuantityName
from holdfast.monitoring.status.histogram import BOUNDS_S, HistogramStatus
from holdfast.monitoring.status.schema import ConnectionStatus, ModeStatus, Status

UP_WITHIN_S = 2.0


class StatusCollector(Collector):
    """Turns the latest status of ``site`` into metrics. ``latest`` gives it with its age in
    seconds."""

    def __init__(self, site: str, latest: Callable[[], tuple[Status, float] | None]) -> None:
        self._site = site
        self._latest = latest

    def collect(self) -> Iterable[Metric]:
        """Yields all metrics; only what is running, and ``holdfast_up 0``, while no controller
        publishes."""
        info = gauge("holdfast_info")
        info.add_metric([self._site, __version__], 1.0)
        yield info
        found = self._latest()
        fresh = found is not None and found[1] <= UP_WITHIN_S
        yield gauge("holdfast_up", float(fresh))
        if found is None:
            return
        status, age_s = found
        yield gauge("holdfast_status_age_seconds", age_s)
        if fresh:
            yield from _state(status)
            yield from _quantities(status)
            yield from _request(status)
            yield from _readings(status)
            yield from _limits(status)
            yield from _plan(status)
            yield from _comms(status)
            yield from _loop(status)
            yield from _audit(status)


def _state(status: Status) -> Iterator[Metric]:
    state = gauge("holdfast_state")
    for candidate in State:
        state.add_metric([candidate], float(candidate is status.state))
    yield state
    yield gauge("holdfast_emergency_stop_latched", float(status.emergency_stop_latched))
    yield gauge("holdfast_waits_for_start", float(status.waits_for_start))
    yield gauge("holdfast_latched_faults", len(status.latched_faults))
    latched = gauge("holdfast_latched")
    for key in status.latched_faults:
        owner, _, row = key.partition("/")
        latched.add_metric([owner, row], 1.0)
    if latched.samples:
        yield latched
    findings = gauge("holdfast_finding")
    for found in status.findings:
        findings.add_metric([found.owner, found.row, found.level, found.reaction], 1.0)
    yield findings
    yield counter("holdfast_ignored_events", status.ignored_events)


_STAGES = ("asked", "permitted", "ramped", "written", "read_back", "measured")


def _quantities(status: Status) -> Iterator[Metric]:
    asks = gauge("holdfast_asks")
    for quantity in status.quantities:
        asks.add_metric([quantity.owner, quantity.name, quantity.source], 1.0)
    yield asks
    for name in QuantityName:
        owned = status.quantities_of(name).values()
        if owned:
            yield from _layers(name, tuple(owned))


def _layers(name: QuantityName, owned: tuple[Quantity, ...]) -> Iterator[Metric]:
    of_stages, of_bounds = quantity_names(name, owned[0].unit)
    stages = gauge(of_stages)
    bounds = gauge(of_bounds)
    for quantity in owned:
        for stage in _STAGES:
            if (value := getattr(quantity, stage)) is not None:
                stages.add_metric([quantity.owner, stage], value)
        for end, by, bound in (
            ("min", quantity.low_by, quantity.low),
            ("max", quantity.high_by, quantity.high),
        ):
            if bound is not None:
                bounds.add_metric([quantity.owner, end, by], bound)
    yield stages
    if bounds.samples:
        yield bounds


def _request(status: Status) -> Iterator[Metric]:
    request = gauge("holdfast_request_watts")
    request.add_metric([status.request_source], status.request_w)
    yield request
    yield from _connection(status.connection)
    if status.mode is None:
        return
    mode = gauge("holdfast_mode")
    mode.add_metric([status.mode.by, status.mode.mode], 1.0)
    yield mode
    kept = gauge("holdfast_mode_kept_by")
    for bound in status.mode.kept_by:
        kept.add_metric([bound], 1.0)
    yield kept
    yield from _regulation(status.mode)


def _connection(connection: ConnectionStatus | None) -> Iterator[Metric]:
    """Yields what the limits at the meter leave, and for how long the grid operator's held."""
    if connection is None:
        return
    band = gauge("holdfast_band_watts")
    band.add_metric(["low", connection.low_by], connection.low_w)
    band.add_metric(["high", connection.high_by], connection.high_w)
    yield band
    told = {"consumption": connection.consumption, "production": connection.production}
    limited = counter("holdfast_operator_limited_seconds")
    for direction, operator in told.items():
        if operator is not None:
            limited.add_metric([direction, "false"], operator.limited_s)
            limited.add_metric([direction, "true"], operator.exceeded_s)
    if limited.samples:
        yield limited


def _regulation(mode: ModeStatus) -> Iterator[Metric]:
    """Yields how well the meter is kept where it should be; nothing while that is not the aim."""
    if mode.meter_rms_w is None or mode.reversals_a_minute is None:
        return
    verdict = gauge("holdfast_regulation")
    verdict.add_metric([mode.verdict], 1.0)
    yield verdict
    yield gauge("holdfast_regulation_rms_watts", mode.meter_rms_w)
    yield gauge("holdfast_regulation_reversals_per_minute", mode.reversals_a_minute)


def _readings(status: Status) -> Iterator[Metric]:
    value = gauge("holdfast_reading")
    age = gauge("holdfast_reading_age_seconds")
    for owner, readings in status.readings.items():
        for signal, reading in readings.items():
            if reading.quality == "good" and reading.value is not None:
                value.add_metric([owner, signal, reading.unit], reading.value)
            if reading.age_s is not None:
                age.add_metric([owner, signal, reading.unit], reading.age_s)
    yield value
    yield age


def _limits(status: Status) -> Iterator[Metric]:
    level = gauge("holdfast_limit")
    margin = gauge("holdfast_limit_margin")
    for limit in status.limits:
        for name, value in limit.levels.items():
            level.add_metric([limit.owner, limit.row, name, limit.unit], value)
        if limit.margin is not None:
            margin.add_metric([limit.owner, limit.row, limit.unit], limit.margin)
    yield level
    yield margin


def _plan(status: Status) -> Iterator[Metric]:
    plan = status.plan
    yield gauge("holdfast_plan_followed", float(plan is not None and plan.slot is not None))
    # An alert on an age fires for a plan that never came, or is gone, as for one that is old.
    yield gauge("holdfast_plan_age_seconds", math.inf if plan is None else plan.age_s)
    if plan is not None:
        yield gauge("holdfast_plan_expires_in_seconds", plan.expires_in_s)


def _comms(status: Status) -> Iterator[Metric]:
    for name in ("reads", "writes", "errors"):
        counted = counter(f"holdfast_device_{name}")
        for device, counters in status.comms.items():
            counted.add_metric([device], getattr(counters, name))
        yield counted


def _loop(status: Status) -> Iterator[Metric]:
    loop = status.loop
    yield counter("holdfast_cycles", loop.cycles)
    yield counter("holdfast_missed_deadlines", loop.missed)
    yield gauge("holdfast_cycle_period_seconds", loop.period_s)
    yield gauge("holdfast_real_time", float(loop.real_time))
    yield _histogram("holdfast_cycle_seconds", loop.cycle)
    yield _histogram("holdfast_lateness_seconds", loop.lateness)


def _audit(status: Status) -> Iterator[Metric]:
    audit = status.audit
    if audit is None:
        return
    yield counter("holdfast_audit_lines", audit.lines)
    yield counter("holdfast_audit_lost", audit.lost)


def _histogram(name: str, counted: HistogramStatus) -> Metric:
    bounds = [*(f"{bound:g}" for bound in BOUNDS_S), "+Inf"]
    buckets = list(zip(bounds, accumulate(counted.counts), strict=True))
    return histogram(name, buckets, counted.sum_s)
