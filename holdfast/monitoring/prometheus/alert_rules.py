"""Alert rules for Prometheus: one for each row of faults, limits and trends, and some for the site.

Severity and patience follow from the reaction of a row. A trip stays until it is reset.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from holdfast.core.signals import PRODUCERS
from holdfast.monitoring.glance import DAILY
from holdfast.monitoring.language import Language
from holdfast.monitoring.recovery.meaning import steps_for, what_is
from holdfast.safety.faults import FAULTS
from holdfast.safety.finding import Level, Reaction, reaction_of
from holdfast.safety.limits import ALL_LIMITS
from holdfast.safety.trend_analyzer import TRENDS

PAGE = "docs/alerts.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRow:
    """Describes one alert."""

    name: str
    row: str
    """Names the row that it tells of; empty for one of the site."""
    expr: str
    after: str
    severity: str
    summary: str
    steps: tuple[str, ...]

    @property
    def anchor(self) -> str:
        """Returns the address of its section in the page of alerts."""
        return f"{PAGE}#{self.name.lower()}"


_PATIENCE = (
    (Reaction.TRIP, "0s", "critical"),
    (Reaction.DERATE, "5m", "warning"),
    (Reaction.LOG, "15m", "info"),
)
"""How long something lasts before it is told, and as what, from a reaction on."""
_DEVICE = "|".join(PRODUCERS)
_KEPT = "instance, job, owner, row"
_SITE = (
    # name                            expr                                                                         for     severity    summary, and what to do first
    ("HoldfastDown", "up{job=~\".*holdfast.*\"} == 0", "2m", "critical", "the gateway of the site does not answer", "Is the site's computer on, and `holdfast run` running?"),
    ("HoldfastControllerDown", "holdfast_up == 0", "1m", "critical", "the controller does not publish; the watchdog has switched the site off", "`state/log` says why; `holdfast run` starts it again."),
    ("HoldfastEmergencyStop", "holdfast_emergency_stop_latched == 1", "0s", "critical", "an emergency stop is latched", "Find out why it was pressed, release it, then `holdfast reset` on site."),
    ("HoldfastFaultLatched", "holdfast_latched_faults > 0", "0s", "critical", "a fault is latched, and no power flows until it is reset", "`holdfast status` names it."),
    ("HoldfastIdleThoughRunning", "holdfast_waits_for_start == 1", "5m", "warning", "the site was running, and waits for a start", "`holdfast start`, or `resume: automatic` in site.yaml."),
    ("HoldfastPlanOld", "holdfast_plan_age_seconds > 7200 and on (instance, job) max_over_time(holdfast_plan_followed[7d]) == 1", "15m", "warning", "no plan has come for two hours, though one was followed in the last week", "`holdfast plan` says what the planner lacks, and `holdfast prices` what the sources gave."),
    ("HoldfastPlanAbsent", "holdfast_plan_age_seconds == +Inf", "2h", "info", "there is no plan", "Where there are no prices that is right; else `holdfast plan` says what the planner lacks."),
    ("HoldfastPlanNotFollowed", "holdfast_plan_followed == 0 and on (instance, job) holdfast_plan_expires_in_seconds", "30m", "info", "there is a plan, and none of its slots is for now", "`holdfast plan` shows it."),
    ("HoldfastWatchdogNotArmed", "holdfast_reading{signal=\"watchdog_armed\"} == 0 or (holdfast_up == 1 unless on (instance, job) holdfast_reading{signal=\"watchdog_armed\"})", "2m", "critical", "the watchdog is not armed, and the site does not run without it", "`state/log` has the watchdog's lines."),
    ("HoldfastDeadlinesMissed", "rate(holdfast_missed_deadlines_total[10m]) > 0.1", "10m", "warning", "cycles are skipped again and again", "What keeps the computer busy? Is it permitted real-time priority (`holdfast_real_time`)?"),
    ("HoldfastDeviceErrors", "rate(holdfast_device_errors_total[10m]) > 0.05 * (rate(holdfast_device_reads_total[10m]) + rate(holdfast_device_errors_total[10m]))", "15m", "info", "more than one request in twenty to a device fails", "`holdfast explain` says which, and why; look at the line."),
    ("HoldfastHistoryNotWritten", "holdfast_history_up == 0", "10m", "warning", "the history is not written", "Is the disk full? `df -h`."),
    ("HoldfastHistoryBackupOld", "time() - holdfast_history_backup_timestamp_seconds > 172800", "1h", "info", "the history was not backed up for two days", "Is the disk full? `df -h`."),
    ("HoldfastAuditLost", "increase(holdfast_audit_lost_total[1h]) > 0", "0s", "warning", "events are not in the audit log", "Is the disk full, or too slow?"),
    ("HoldfastRecipientUnreachable", "holdfast_recipient_failing_seconds > 86400", "0s", "warning", "somebody could not be told of anything for a day", "`holdfast notices` says why, `holdfast notices test` tries again."),
    ("HoldfastOperatorLimitExceeded", "increase(holdfast_operator_limited_seconds_total{exceeded=\"true\"}[1h]) > 60", "0s", "warning", "more flows than the grid operator permits", "What takes the power? `holdfast explain` says what was done."),
)  # fmt: skip


def alert_rows() -> Iterator[AlertRow]:
    """Yields all alerts: those of the site first, then one for each row of the tables."""
    for name, expr, after, severity, summary, step in _SITE:
        yield AlertRow(
            name=name,
            row="",
            expr=expr,
            after=after,
            severity=severity,
            summary=summary,
            steps=(step,),
        )
    for name, fault in FAULTS.items():
        yield _alert(name, "", fault.reaction)
    # What is found each day on which a battery becomes full or empty is no news.
    for limit in ALL_LIMITS:
        if limit.id not in DAILY:
            yield _alert(limit.id, "alarm", limit.reaction)
        if limit.trip is not None:
            yield _alert(limit.id, "trip", Reaction.TRIP)
    for trend in TRENDS:
        for level, _ in trend.levels:
            if level is not Level.WARNING:
                yield _alert(trend.id, level.name.lower(), reaction_of(level, trend.reaction))


def _alert(row: str, level: str, reaction: Reaction) -> AlertRow:
    """Returns the alert of a row that has no levels, or of its level."""
    after, severity = next((a, s) for least, a, s in _PATIENCE if reaction >= least)
    named = f'row="{row}"' if level else f'row=~"(({_DEVICE})_)?{row}"'
    expr = f"holdfast_finding{{{named}" + (f', level="{level}"}}' if level else "}")
    if reaction >= Reaction.TRIP:
        expr = f"{expr} or holdfast_latched{{{named}}}"
    return AlertRow(
        name=alert_name(row) + ("Trip" if level == "trip" else ""),
        row=row,
        expr=f"max by ({_KEPT}) ({expr}) > 0",
        after=after,
        severity=severity,
        summary=what_is("", row, Language.EN),
        steps=steps_for(row, Language.EN),
    )


def alert_name(row: str) -> str:
    """Returns the name of a row's alert.

    >>> alert_name("bms_alarm")
    'HoldfastBmsAlarm'
    """
    return "Holdfast" + "".join(part.capitalize() for part in row.split("_"))


def rule_groups() -> dict[str, object]:
    """Returns the file of rules, as Prometheus reads it."""
    rows = tuple(alert_rows())
    groups = (("holdfast_site", ""), ("holdfast_rows", "row"))
    return {
        "groups": [
            {"name": name, "rules": [_rule(row) for row in rows if bool(row.row) is bool(rest)]}
            for name, rest in groups
        ]
    }


def _rule(alert: AlertRow) -> dict[str, object]:
    who = "{{ with $labels.owner }}{{ . }}: {{ end }}" if alert.row else ""
    return {
        "alert": alert.name,
        "expr": alert.expr,
        "for": alert.after,
        "labels": {"severity": alert.severity},
        "annotations": {
            "summary": f"{{{{ $labels.instance }}}}: {who}{alert.summary}",
            "description": " ".join(alert.steps),
            "runbook": alert.anchor,
        },
    }


def alerts_page() -> Iterator[str]:
    """Yields the lines of docs/alerts.md: a section for each alert."""
    yield from _HEAD.splitlines()
    for alert in alert_rows():
        yield f"### {alert.name}"
        yield ""
        lasts = "at once" if alert.after == "0s" else f"after {alert.after}"
        row = (
            f" Found as `{alert.row}` ([tables](limits.md), [tried](faults.md))."
            if alert.row
            else ""
        )
        yield f"{alert.severity}, {lasts}: {alert.summary}.{row}"
        yield ""
        yield from (f"1. {step}" for step in alert.steps)
        yield ""


_HEAD = """\
# Alerts and dashboards

Made by `holdfast metrics rules --markdown`; do not edit. For who has Prometheus already; a home owner is told
without it ([notifications.md](notifications.md)).

## Rules

[prometheus/holdfast.rules.yml](prometheus/holdfast.rules.yml) is for every site:

```
holdfast metrics rules > holdfast.rules.yml
promtool check rules holdfast.rules.yml
```

and in prometheus.yml, with a name of the job that has "holdfast" in it:

```
rule_files: [holdfast.rules.yml]
scrape_configs:
  - job_name: holdfast
    static_configs:
      - targets: ["127.0.0.1:9464"]
```

`gateway.host` says from where metrics can be read; the label `instance` tells sites apart.

| severity | what it is | lasts before it is told |
|---|---|---|
| critical | the site is switched off, or nobody sees it | not at all, or a minute or two |
| warning | it does less than it could | 5 minutes |
| info | it is for the record, or will become one of the above | 15 minutes |

A trip is told until it is reset, whether its cause is gone or not. What is found each day on which a battery
becomes full or empty is no alert. Each alert has the annotations `summary`, `description` (what to do first) and
`runbook`, the section below.

## Dashboards

| file | shows |
|---|---|
| [grafana/overview.json](grafana/overview.json) | state, power, who asks, readings, setpoints stage by stage |
| [grafana/safety.json](grafana/safety.json) | margin and levels of each limit, findings, latches, bounds, age of readings |
| [grafana/money.json](grafana/money.json) | energy, cost, savings |
| [grafana/processes.json](grafana/processes.json) | loop, devices, plan, history, audit log, notifications |

`holdfast metrics dashboard --shelf safety > safety.json` makes one; Grafana: Dashboards, New, Import. Each metric
of [metrics.md](metrics.md) has a panel. Tests run the query of every panel on a real Prometheus; Grafana itself was not to be
had where they run, so how a panel looks nobody of us has seen.

## What each alert means
"""
