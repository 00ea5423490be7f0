"""Dashboards for Grafana: a panel for each metric of the table, on the shelf that it stands on."""

from collections.abc import Iterator
from dataclasses import dataclass

from holdfast.monitoring.metric_table import METRICS, MetricKind, MetricRow, Shelf

RATE = "$__rate_interval"
INSTANCE = 'instance=~"$instance"'
_TITLES = {
    Shelf.OVERVIEW: "Holdfast: overview",
    Shelf.SAFETY: "Holdfast: safety",
    Shelf.MONEY: "Holdfast: energy and money",
    Shelf.PROCESSES: "Holdfast: processes and loop",
}
_COLUMNS, _WIDTH, _HEIGHT = 24, 12, 8
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelRow:
    """Describes one panel."""

    title: str
    kind: str
    """Names it as Grafana does."""
    expr: str
    legend: str
    unit: str
    text: str


_FIRST = {
    Shelf.OVERVIEW: (
        PanelRow(title="State of charge", kind="gauge", unit="percent", legend="{{owner}}", text="As the BMS tells it.",
                 expr=f'holdfast_reading{{{INSTANCE}, signal="soc_pct"}}'),
        PanelRow(title="Power at the meter", kind="timeseries", unit="watt", legend="{{owner}}", text="+ import.",
                 expr=f'holdfast_reading{{{INSTANCE}, signal="grid_power_w"}}'),
    ),
    Shelf.SAFETY: (
        PanelRow(title="Margins, the smallest first", kind="bargauge", unit="", legend="{{owner}} {{row}} ({{unit}})",
                 text="Distance to the level that acts, of each limit.", expr=f"sort(holdfast_limit_margin{{{INSTANCE}}})"),
    ),
    Shelf.MONEY: (
        PanelRow(title="Energy per hour", kind="timeseries", unit="kwatth", legend="{{direction}}", text="As it was measured.",
                 expr=f"increase(holdfast_energy_joules_total{{{INSTANCE}}}[1h]) / 3.6e6"),
    ),
    Shelf.PROCESSES: (
        PanelRow(title="Missed deadlines, share", kind="timeseries", unit="percentunit", legend="{{instance}}", text="Of all cycles.",
                 expr=f"rate(holdfast_missed_deadlines_total{{{INSTANCE}}}[{RATE}]) / rate(holdfast_cycles_total{{{INSTANCE}}}[{RATE}])"),
    ),
}  # fmt: skip
"""What stands first on a shelf."""


def panels(shelf: Shelf) -> Iterator[PanelRow]:
    """Yields the panels of a dashboard."""
    yield from _FIRST[shelf]
    for row in METRICS.values():
        if row.shelf is shelf:
            yield _panel(row)


def _panel(row: MetricRow) -> PanelRow:
    legend = " ".join(f"{{{{{label}}}}}" for label in row.labels) or "{{instance}}"
    return PanelRow(
        title=row.name.removeprefix("holdfast_").replace("_", " "),
        kind="state-timeline" if row.unit == "bool" else "timeseries",
        expr=_expr(row),
        legend=legend,
        unit=row.unit,
        text=row.text,
    )


def _expr(row: MetricRow) -> str:
    series = f"{row.sample}{{{INSTANCE}}}"
    match row.kind:
        case MetricKind.HISTOGRAM:
            return f"histogram_quantile(0.99, sum by (instance, le) (rate({series}[{RATE}])))"
        case MetricKind.COUNTER if row.unit == "ops":
            return f"rate({series}[{RATE}])"
        case MetricKind.COUNTER | MetricKind.GAUGE:
            return f"{series} * 1000" if row.unit == "dateTimeFromNow" else series


def dashboard(shelf: Shelf) -> dict[str, object]:
    """Returns a dashboard as Grafana imports it."""
    return {
        "uid": f"holdfast-{shelf}",
        "title": _TITLES[shelf],
        "tags": ["holdfast"],
        "schemaVersion": 36,
        "editable": True,
        "refresh": "10s",
        "time": {"from": "now-24h", "to": "now"},
        "templating": {"list": [_source(), _instances()]},
        "links": [{"type": "dashboards", "title": "Holdfast", "tags": ["holdfast"]}],
        "panels": [_drawn(number, panel) for number, panel in enumerate(panels(shelf))],
    }


def _source() -> dict[str, object]:
    return {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Source"}


def _instances() -> dict[str, object]:
    return {
        "name": "instance",
        "label": "Site",
        "type": "query",
        "datasource": _SOURCE,
        "query": "label_values(holdfast_up, instance)",
        "includeAll": True,
        "multi": True,
        "current": {"text": "All", "value": "$__all"},
        "refresh": 2,
    }


def _drawn(number: int, panel: PanelRow) -> dict[str, object]:
    return {
        "id": number + 1,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.text,
        "datasource": _SOURCE,
        "gridPos": {
            "h": _HEIGHT,
            "w": _WIDTH,
            "x": number * _WIDTH % _COLUMNS,
            "y": number * _WIDTH // _COLUMNS * _HEIGHT,
        },
        "fieldConfig": {"defaults": {"unit": panel.unit or "none"}, "overrides": []},
        "targets": [
            {
                "refId": "A",
                "datasource": _SOURCE,
                "expr": panel.expr,
                "legendFormat": panel.legend,
            }
        ],
    }
