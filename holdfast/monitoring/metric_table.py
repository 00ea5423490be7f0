"""The metric table: every metric's name, kind, labels and meaning, and where a dashboard shows it.

The names are an interface. Collectors make their metrics of it, and so do the reference page and
the dashboards: what is not in it does not exist.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)

from holdfast.monitoring.quantities.quantity import (
    MEANINGS,
    METRIC_UNITS,
    MODE,
    ON_OFF,
    QuantityName,
)


class MetricKind(StrEnum):
    """Names the kinds, as Prometheus does."""

    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"


class Shelf(StrEnum):
    """Names the dashboards."""

    OVERVIEW = "overview"
    SAFETY = "safety"
    MONEY = "money"
    PROCESSES = "processes"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricRow:
    """Describes one metric."""

    name: str
    """Is without the ends that counters and histograms get."""
    kind: MetricKind
    labels: tuple[str, ...]
    unit: str
    """Is as Grafana names it; empty for what has none, or another by its labels."""
    shelf: Shelf
    text: str
    when: str
    """Tells when it is there; empty: while a controller publishes."""

    @property
    def sample(self) -> str:
        """Returns the name of its samples: of a histogram, that of its buckets."""
        ends = {MetricKind.COUNTER: "_total", MetricKind.HISTOGRAM: "_bucket"}
        return self.name + ends.get(self.kind, "")


_Cells = tuple[str, MetricKind, str, str, Shelf, str, str]
_GAUGE, _COUNTER, _HISTOGRAM = MetricKind
_OVER, _SAFE, _MONEY, _PROC = Shelf
_ALWAYS, _HISTORY, _TOLD = "always", "while a history is written", "where notifications are set up"
_METER, _AIM, _PLAN = (
    "unless it is too long to be told",
    "while the meter is kept at an aim",
    "with a plan",
)
_JUDGED = "while plans are judged"
_LEADS, _BOX, _AUDIT = "while somebody may ask", "with a grid operator's box", "with an audit log"

# fmt: off
_TABLE: tuple[_Cells, ...] = (
    # name                                kind       labels                      unit        dashboard text                                                                        there
    ("holdfast_info",                     _GAUGE,    "site version",             "",         _OVER,   "1; which site this is, and what runs it.",                                 _ALWAYS),
    ("holdfast_up",                       _GAUGE,    "",                         "bool",     _OVER,   "1 while the controller publishes.",                                        _ALWAYS),
    ("holdfast_status_age_seconds",       _GAUGE,    "",                         "s",        _PROC,   "Age of the controller's last status.",                                     "once a controller has published"),
    ("holdfast_state",                    _GAUGE,    "state",                    "bool",     _OVER,   "1 for the state it is in.",                                                ""),
    ("holdfast_emergency_stop_latched",   _GAUGE,    "",                         "bool",     _SAFE,   "1 while an emergency stop is latched.",                                    ""),
    ("holdfast_waits_for_start",          _GAUGE,    "",                         "bool",     _OVER,   "1 while it waits for a start, though it was RUNNING when its controller ended.", ""),
    ("holdfast_latched_faults",           _GAUGE,    "",                         "short",    _SAFE,   "Number of latched faults.",                                                ""),
    ("holdfast_latched",                  _GAUGE,    "owner row",                "bool",     _SAFE,   "1 for each fault that is latched.",                                        "while one is"),
    ("holdfast_finding",                  _GAUGE,    "owner row level reaction", "bool",     _SAFE,   "1 for each active finding.",                                               "while there is one"),
    ("holdfast_ignored_events",           _COUNTER,  "",                         "short",    _PROC,   "Commands that changed nothing.",                                           ""),
    ("holdfast_asks",                     _GAUGE,    "owner quantity source",    "bool",     _OVER,   "1 for who asks for a quantity.",                                           ""),
    ("holdfast_request_watts",            _GAUGE,    "source",                   "watt",     _OVER,   "What the site asks of its batteries.",                                     ""),
    ("holdfast_band_watts",               _GAUGE,    "end by",                   "watt",     _SAFE,   "What the limits at the meter leave to all batteries, + charging.",         _METER),
    ("holdfast_operator_limited_seconds", _COUNTER,  "direction exceeded",       "s",        _OVER,   "For how long a limit of the grid operator held, and was exceeded.",        _BOX),
    ("holdfast_mode",                     _GAUGE,    "by mode",                  "bool",     _OVER,   "1 for the mode that leads the batteries.",                                 _LEADS),
    ("holdfast_mode_kept_by",             _GAUGE,    "bound",                    "bool",     _OVER,   "1 for each bound that changes what it asks.",                              "while one does"),
    ("holdfast_regulation",               _GAUGE,    "verdict",                  "bool",     _PROC,   "1 for the verdict on the last minute.",                                    _AIM),
    ("holdfast_regulation_rms_watts",     _GAUGE,    "",                         "watt",     _PROC,   "By how much the meter was beside its aim in the last minute, root of the mean square.", _AIM),
    ("holdfast_regulation_reversals_per_minute", _GAUGE, "",                      "short",    _PROC,   "How often that changed its sign.",                                         _AIM),
    ("holdfast_reading",                  _GAUGE,    "owner signal unit",        "",         _OVER,   "Good readings.",                                                           ""),
    ("holdfast_reading_age_seconds",      _GAUGE,    "owner signal unit",        "s",        _SAFE,   "Age of readings.",                                                         ""),
    ("holdfast_limit",                    _GAUGE,    "owner row level unit",     "",         _SAFE,   "Levels of each limit.",                                                    ""),
    ("holdfast_limit_margin",             _GAUGE,    "owner row unit",           "",         _SAFE,   "Distance of the value to the level that acts; negative beyond it.",        "while the value is good"),
    ("holdfast_plan_followed",            _GAUGE,    "",                         "bool",     _OVER,   "1 while a plan is valid and has a slot for now.",                          ""),
    ("holdfast_plan_age_seconds",         _GAUGE,    "",                         "s",        _PROC,   "Since the plan was accepted; +Inf without a plan.",                        ""),
    ("holdfast_plan_expires_in_seconds",  _GAUGE,    "",                         "s",        _PROC,   "Until nobody follows it.",                                                 _PLAN),
    ("holdfast_device_reads",             _COUNTER,  "device",                   "ops",      _PROC,   "Device reads.",                                                            ""),
    ("holdfast_device_writes",            _COUNTER,  "device",                   "ops",      _PROC,   "Device writes.",                                                           ""),
    ("holdfast_device_errors",            _COUNTER,  "device",                   "ops",      _PROC,   "Device errors.",                                                           ""),
    ("holdfast_cycles",                   _COUNTER,  "",                         "ops",      _PROC,   "Completed cycles.",                                                        ""),
    ("holdfast_missed_deadlines",         _COUNTER,  "",                         "ops",      _PROC,   "Skipped cycles.",                                                          ""),
    ("holdfast_cycle_period_seconds",     _GAUGE,    "",                         "s",        _PROC,   "Period.",                                                                  ""),
    ("holdfast_real_time",                _GAUGE,    "",                         "bool",     _PROC,   "1 with SCHED_FIFO and locked memory.",                                     ""),
    ("holdfast_cycle_seconds",            _HISTOGRAM, "",                        "s",        _PROC,   "Time that a cycle takes.",                                                 ""),
    ("holdfast_lateness_seconds",         _HISTOGRAM, "",                        "s",        _PROC,   "Wake-up after the deadline.",                                              ""),
    ("holdfast_audit_lines",              _COUNTER,  "",                         "ops",      _PROC,   "Events that were brought to the audit log.",                               _AUDIT),
    ("holdfast_audit_lost",               _COUNTER,  "",                         "ops",      _PROC,   "Events that are not in the audit log.",                                    _AUDIT),
    ("holdfast_history_up",               _GAUGE,    "",                         "bool",     _PROC,   "1 while the history can be written.",                                      _HISTORY),
    ("holdfast_history_samples_lost",     _COUNTER,  "",                         "ops",      _PROC,   "Seconds that could be read and are not in the history.",                   _HISTORY),
    ("holdfast_history_written_timestamp_seconds", _GAUGE, "",                   "dateTimeFromNow", _PROC, "Up to when the history is on the disk.",                              "once it was written"),
    ("holdfast_history_backup_timestamp_seconds", _GAUGE, "",                    "dateTimeFromNow", _PROC, "When the history was last backed up.",                                "once it was"),
    ("holdfast_history_size_bytes",       _GAUGE,    "",                         "bytes",    _PROC,   "What the history takes.",                                                  _HISTORY),
    ("holdfast_energy_joules",            _COUNTER,  "direction",                "joule",    _MONEY,  "Energy that was measured since the history began; 3.6e6 are a kWh.",       _HISTORY),
    ("holdfast_cost",                     _GAUGE,    "currency",                 "",         _MONEY,  "What was paid at the meter less what was earned, since the history began; it may fall.", _HISTORY),
    ("holdfast_span_cost",                _GAUGE,    "span way currency",        "",         _MONEY,  "What a span has cost so far, and would have without a battery or by self-consumption.", "once that is known"),
    ("holdfast_span_saved",               _GAUGE,    "span against currency",    "",         _MONEY,  "How much less a span has cost so far than it would have otherwise.",       "once that is known"),
    ("holdfast_plans_lead",               _GAUGE,    "",                         "bool",     _MONEY,  "1 while plans lead the battery, 0 while self-consumption does since it earns more.", _JUDGED),
    ("holdfast_plans_gain",               _GAUGE,    "bound currency",           "",         _MONEY,  "What plans earn a day more than self-consumption: mean, and its lower and upper bound.", "once four weeks were judged"),
    ("holdfast_messages_delivered",       _COUNTER,  "recipient",                "short",    _PROC,   "Messages that a recipient's server took.",                                 _TOLD),
    ("holdfast_messages_failed",          _COUNTER,  "recipient",                "short",    _PROC,   "Tries to send one that failed.",                                           _TOLD),
    ("holdfast_notices_waiting",          _GAUGE,    "recipient",                "short",    _PROC,   "Notices that a recipient is still to be told.",                            _TOLD),
    ("holdfast_recipient_failing_seconds", _GAUGE,   "recipient",                "s",        _PROC,   "For how long nothing could be sent; 0 while it can.",                      _TOLD),
)
# fmt: on
_QUANTITY_UNITS = {
    QuantityName.BATTERY_POWER: "W",
    QuantityName.DEVICE_MODE: MODE,
    QuantityName.EXPORT_LIMIT: "W",
    QuantityName.PV_SWITCH: ON_OFF,
    QuantityName.LOAD: ON_OFF,
    QuantityName.ROOM_SETPOINT: "°C",
}
_GRAFANA_UNITS = {"W": "watt", "°C": "celsius", ON_OFF: "bool", MODE: ""}


def quantity_names(name: str, unit: str) -> tuple[str, str]:
    """Returns the names of the two metrics of a quantity: its stages, and its bounds."""
    metric_unit = METRIC_UNITS[unit]
    return f"holdfast_{name}_{metric_unit}", f"holdfast_{name}_bound_{metric_unit}"


def _rows() -> Iterator[MetricRow]:
    for name, kind, labels, unit, shelf, text, when in _TABLE:
        yield MetricRow(
            name=name,
            kind=kind,
            labels=tuple(labels.split()),
            unit=unit,
            shelf=shelf,
            text=text,
            when=when,
        )
    for quantity, unit in _QUANTITY_UNITS.items():
        stages, bounds = quantity_names(quantity, unit)
        there = "" if quantity is QuantityName.BATTERY_POWER else "where the site has it"
        meaning = MEANINGS[quantity]
        yield MetricRow(
            name=stages,
            kind=MetricKind.GAUGE,
            labels=("owner", "stage"),
            unit=_GRAFANA_UNITS[unit],
            shelf=Shelf.OVERVIEW,
            text=f"Layer by layer: {meaning}.",
            when=there,
        )
        yield MetricRow(
            name=bounds,
            kind=MetricKind.GAUGE,
            labels=("owner", "end", "by"),
            unit=_GRAFANA_UNITS[unit],
            shelf=Shelf.SAFETY,
            text=f"What is permitted, and what sets it: {meaning}.",
            when=there,
        )


METRICS = {row.name: row for row in _rows()}
assert len(METRICS) == len(_TABLE) + 2 * len(QuantityName), "a name stands twice"


def gauge(name: str, value: float | None = None) -> GaugeMetricFamily:
    """Returns the gauge of that row; without a value its samples are still to be added."""
    row = _row(name, MetricKind.GAUGE)
    return GaugeMetricFamily(name, row.text, value, labels=_labels(row, value))


def counter(name: str, value: float | None = None) -> CounterMetricFamily:
    """Returns the counter of that row, as :func:`gauge` does."""
    row = _row(name, MetricKind.COUNTER)
    return CounterMetricFamily(name, row.text, value, labels=_labels(row, value))


def histogram(
    name: str, buckets: Sequence[tuple[str, float]], sum_value: float
) -> HistogramMetricFamily:
    """Returns the histogram of that row."""
    row = _row(name, MetricKind.HISTOGRAM)
    return HistogramMetricFamily(name, row.text, buckets=buckets, sum_value=sum_value)


def _row(name: str, kind: MetricKind) -> MetricRow:
    row = METRICS[name]
    assert row.kind is kind, f"{name} is a {row.kind}"
    return row


def _labels(row: MetricRow, value: float | None) -> tuple[str, ...] | None:
    assert value is None or not row.labels, f"{row.name} has labels"
    return row.labels if value is None else None


def metrics_page() -> str:
    """Returns the reference page, in Markdown."""
    lines = [_HEAD]
    for shelf in Shelf:
        rows = [row for row in METRICS.values() if row.shelf is shelf]
        lines += [f"## {shelf.capitalize()}", ""]
        lines += ["| metric | kind | labels | meaning | there |", "|---|---|---|---|---|"]
        lines += [
            f"| `{row.name}{'_total' if row.kind is MetricKind.COUNTER else ''}` | {row.kind} | "
            f"{', '.join(f'`{label}`' for label in row.labels)} | {row.text} | {row.when} |"
            for row in rows
        ]
        lines.append("")
    return "\n".join(lines)


_HEAD = """\
# Metrics

Made by `holdfast metrics list --markdown`; do not edit. Prometheus asks for them at
`http://127.0.0.1:9464/metrics` (`gateway.host` and `gateway.port`); nobody has to log in for that. Names and
labels are an interface: what changes stands in CHANGELOG.md. Alert rules and dashboards that are made of
them: [alerts.md](alerts.md).

What has nothing under "there" is there while a controller publishes; without one only what is there always:
what is old is not shown as if it were new. Of a histogram there are `_bucket`, `_sum` and `_count`.
"""
