"""Prometheus metrics are made from the latest status at each scrape. The names are an interface."""

import math
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate

from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from holdfast import __version__
from holdfast.core.state_machine import State
from holdfast.monitoring.quantities.quantity import MEANINGS, METRIC_UNITS, Quantity, QuantityName
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
        info = GaugeMetricFamily(
            "holdfast_info", "1; which site this is, and what runs it.", labels=["site", "version"]
        )
        info.add_metric([self._site, __version__], 1.0)
        yield info
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
            yield from _quantities(status)
            yield from _request(status)
            yield from _readings(status)
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
        "holdfast_waits_for_start",
        "1 while it waits for a start, though it was RUNNING when its controller ended.",
        float(status.waits_for_start),
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


_STAGES = ("asked", "permitted", "ramped", "written", "read_back", "measured")


def _quantities(status: Status) -> Iterator[Metric]:
    asks = GaugeMetricFamily(
        "holdfast_asks",
        "1 for who asks for a quantity.",
        labels=["owner", "quantity", "source"],
    )
    for quantity in status.quantities:
        asks.add_metric([quantity.owner, quantity.name, quantity.source], 1.0)
    yield asks
    for name in QuantityName:
        owned = status.quantities_of(name).values()
        if owned:
            yield from _layers(name, tuple(owned))


def _layers(name: QuantityName, owned: tuple[Quantity, ...]) -> Iterator[Metric]:
    unit, meaning = METRIC_UNITS[owned[0].unit], MEANINGS[name]
    stages = GaugeMetricFamily(
        f"holdfast_{name}_{unit}",
        f"Layer by layer: {meaning}.",
        labels=["owner", "stage"],
    )
    bounds = GaugeMetricFamily(
        f"holdfast_{name}_bound_{unit}",
        f"What is permitted, and what sets it: {meaning}.",
        labels=["owner", "end", "by"],
    )
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
    request = GaugeMetricFamily(
        "holdfast_request_watts", "What the site asks of its batteries.", labels=["source"]
    )
    request.add_metric([status.request_source], status.request_w)
    yield request
    yield from _connection(status.connection)
    if status.mode is None:
        return
    mode = GaugeMetricFamily(
        "holdfast_mode", "1 for the mode that leads the batteries.", labels=["by", "mode"]
    )
    mode.add_metric([status.mode.by, status.mode.mode], 1.0)
    yield mode
    kept = GaugeMetricFamily(
        "holdfast_mode_kept_by", "1 for each bound that changes what it asks.", labels=["bound"]
    )
    for bound in status.mode.kept_by:
        kept.add_metric([bound], 1.0)
    yield kept
    yield from _regulation(status.mode)


def _connection(connection: ConnectionStatus | None) -> Iterator[Metric]:
    """Yields what the limits at the meter leave, and for how long the grid operator's held."""
    if connection is None:
        return
    band = GaugeMetricFamily(
        "holdfast_band_watts",
        "What the limits at the meter leave to all batteries, + charging.",
        labels=["end", "by"],
    )
    band.add_metric(["low", connection.low_by], connection.low_w)
    band.add_metric(["high", connection.high_by], connection.high_w)
    yield band
    told = {"consumption": connection.consumption, "production": connection.production}
    limited = CounterMetricFamily(
        "holdfast_operator_limited_seconds",
        "For how long a limit of the grid operator held, and was exceeded.",
        labels=["direction", "exceeded"],
    )
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
    verdict = GaugeMetricFamily(
        "holdfast_regulation", "1 for the verdict on the last minute.", labels=["verdict"]
    )
    verdict.add_metric([mode.verdict], 1.0)
    yield verdict
    yield GaugeMetricFamily(
        "holdfast_regulation_rms_watts",
        "By how much the meter was beside its aim in the last minute, root of the mean square.",
        value=mode.meter_rms_w,
    )
    yield GaugeMetricFamily(
        "holdfast_regulation_reversals_per_minute",
        "How often that changed its sign.",
        value=mode.reversals_a_minute,
    )


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
    # An alert on an age fires for a plan that never came, or is gone, as for one that is old.
    yield GaugeMetricFamily(
        "holdfast_plan_age_seconds",
        "Since the plan was accepted; +Inf without a plan.",
        math.inf if plan is None else plan.age_s,
    )
    if plan is not None:
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
