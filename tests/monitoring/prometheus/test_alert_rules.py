"""Every row has an alert; Prometheus's own tool says when each fires, and when it does not."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from holdfast.cli.metrics import rules_file
from holdfast.monitoring.glance import DAILY
from holdfast.monitoring.metric_table import METRICS
from holdfast.monitoring.prometheus.alert_rules import (
    AlertRow,
    alert_rows,
    alerts_page,
    rule_groups,
)
from holdfast.monitoring.recovery.rows import EMERGENCY_STOP, ROWS
from holdfast.safety.faults import FAULTS
from holdfast.safety.trend_analyzer import PREDICTIONS

ROOT = Path(__file__).parents[3]
ALERTS = {alert.name: alert for alert in alert_rows()}
LABELS = {"instance": "house:9464", "job": "holdfast"}
OF_SITE = 'instance="house:9464", job="holdfast"'
PROMTOOL = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")

BEGIN_MIN, LASTS_MIN = 10, 150
ROW_LASTS_MIN = 30
"""So long nothing is wrong, and then something is, and then nothing again."""
_GONE = "stale"


def during(well: str, wrong: str) -> str:
    """Samples each minute: ``well``, then ``wrong``, then ``well`` again, each promtool's way."""
    before = f"{well}x{BEGIN_MIN - 1}" if well != _GONE else f"_x{BEGIN_MIN - 1}"
    after = f"{well}x200" if well != _GONE else _GONE
    return f"{before} {wrong}x{LASTS_MIN} {after}"


SITE_SERIES: dict[str, dict[str, str]] = {
    # By alert: series, and how they go.
    "HoldfastDown": {"up": during("1+0", "0+0")},
    "HoldfastControllerDown": {"holdfast_up": during("1+0", "0+0")},
    "HoldfastEmergencyStop": {"holdfast_emergency_stop_latched": during("0+0", "1+0")},
    "HoldfastFaultLatched": {"holdfast_latched_faults": during("0+0", "2+0")},
    "HoldfastIdleThoughRunning": {"holdfast_waits_for_start": during("0+0", "1+0")},
    "HoldfastPlanOld": {
        "holdfast_plan_followed": "1+0x10 0+0x500",
        "holdfast_plan_age_seconds": during("60+0", "7300+60"),
    },
    "HoldfastPlanAbsent": {"holdfast_plan_age_seconds": during("60+0", "Inf+0")},
    "HoldfastPlanNotFollowed": {
        "holdfast_plan_followed": during("1+0", "0+0"),
        "holdfast_plan_expires_in_seconds": "600+0x500",
    },
    "HoldfastWatchdogNotArmed": {
        "holdfast_up": "1+0x500",
        'holdfast_reading{signal="watchdog_armed"}': during("1+0", "0+0"),
    },
    "HoldfastDeadlinesMissed": {"holdfast_missed_deadlines_total": during("0+0", "0+60")},
    "HoldfastDeviceErrors": {
        'holdfast_device_reads_total{device="battery/bms"}': "0+60x500",
        'holdfast_device_errors_total{device="battery/bms"}': during("0+0", "0+30"),
    },
    "HoldfastHistoryNotWritten": {"holdfast_history_up": during("1+0", "0+0")},
    "HoldfastHistoryBackupOld": {
        "holdfast_history_backup_timestamp_seconds": during("0+60", "-180000+60"),
    },
    "HoldfastAuditLost": {"holdfast_audit_lost_total": during("0+0", "0+1")},
    "HoldfastRecipientUnreachable": {
        'holdfast_recipient_failing_seconds{recipient="ann"}': during("0+0", "86460+60"),
    },
    "HoldfastOperatorLimitExceeded": {
        'holdfast_operator_limited_seconds_total{direction="import", exceeded="true"}': during(
            "0+0", "0+60"
        ),
    },
}  # fmt: skip


def minutes(text: str) -> int:
    return {"s": 0, "m": int(text[:-1]), "h": 60 * int(text[:-1])}[text[-1]]


def row_series(alert: AlertRow, how: str) -> dict[str, str]:
    """A finding of the row of an alert, as the controller publishes it."""
    level = "trip" if alert.name.endswith("Trip") else "alarm"
    row = f"bms_{alert.row}" if alert.row in FAULTS else alert.row
    labels = f'owner="battery", row="{row}", level="{level}", reaction="any"'
    return {f"holdfast_finding{{{labels}}}": how}


def labelled(series: str) -> str:
    name, _, labels = series.partition("{")
    return f"{name}{{{OF_SITE}{', ' + labels if labels else '}'}"


def expected(alert: AlertRow, series: str) -> dict[str, Any]:
    own = dict(part.split("=") for part in series.partition("{")[2].rstrip("}").split(", ") if part)
    own = {name: value.strip('"') for name, value in own.items()}
    if alert.row:
        own = {"owner": own["owner"], "row": own["row"]}
    who = f"{own['owner']}: " if alert.row else ""
    return {
        "exp_labels": LABELS | own | {"severity": alert.severity},
        "exp_annotations": {
            "summary": f"house:9464: {who}{alert.summary}",
            "description": " ".join(alert.steps),
            "runbook": alert.anchor,
        },
    }


def unit_test(alert: AlertRow, series: dict[str, str]) -> dict[str, Any]:
    """Nothing before, nothing before it has lasted, then the alert, and nothing afterwards."""
    after = minutes(alert.after)
    # A rate over ten minutes or an hour sees the end so much later.
    slack = 75 if "[" in alert.expr else 3
    end = BEGIN_MIN + LASTS_MIN + slack
    if alert.name == "HoldfastHistoryBackupOld":
        slack = 60 + 3
    moments = [(BEGIN_MIN - 2, False), (BEGIN_MIN + after + slack, True), (end + 10, False)]
    if after >= 2:
        moments.append((BEGIN_MIN + after - 2, False))
    (named, *_) = reversed(series)
    return {
        "name": alert.name,
        "interval": "1m",
        "input_series": [
            {"series": labelled(name), "values": values} for name, values in series.items()
        ],
        "alert_rule_test": [
            {
                "eval_time": f"{at}m",
                "alertname": alert.name,
                "exp_alerts": [expected(alert, named)] if fires else [],
            }
            for at, fires in sorted(moments)
        ],
    }


def unit_tests_of_rows() -> Iterator[dict[str, Any]]:
    """Half of the rows are found, another half each time: each is once found while any other is
    not."""
    alerts = [alert for alert in ALERTS.values() if alert.row]
    rows = sorted({alert.row for alert in alerts})
    for bit in range(len(rows).bit_length()):
        for wanted in (0, 1):
            there = {row for number, row in enumerate(rows) if number >> bit & 1 == wanted}
            yield _half(alerts, there)


def _half(alerts: list[AlertRow], there: set[str]) -> dict[str, Any]:
    series: dict[str, str] = {}
    tests = []
    for alert in alerts:
        found = row_series(alert, f"_x{BEGIN_MIN - 1} 1+0x{ROW_LASTS_MIN} stale")
        moments = [(BEGIN_MIN - 2, False), (BEGIN_MIN + ROW_LASTS_MIN + 10, False)]
        moments.append((BEGIN_MIN + minutes(alert.after) + 2, alert.row in there))
        if minutes(alert.after):
            moments.append((BEGIN_MIN + minutes(alert.after) - 2, False))
        if alert.row in there:
            series |= found
        elif alert.row not in FAULTS:  # a warning is no alert
            warning = f'owner="battery", row="{alert.row}", level="warning", reaction="log"'
            series[f"holdfast_finding{{{warning}}}"] = f"1+0x{ROW_LASTS_MIN}"
        tests += [
            {
                "eval_time": f"{at}m",
                "alertname": alert.name,
                "exp_alerts": [expected(alert, next(iter(found)))] if fires else [],
            }
            for at, fires in moments
        ]
    return {
        "interval": "1m",
        "input_series": [{"series": labelled(name), "values": how} for name, how in series.items()],
        "alert_rule_test": tests,
    }


def run_promtool(
    folder: Path, tests: list[dict[str, Any]], group: str
) -> subprocess.CompletedProcess[str]:
    groups: Any = yaml.safe_load(rules_file())["groups"]
    rules = {"groups": [one for one in groups if one["name"] == group]}
    (folder / "holdfast.rules.yml").write_text(yaml.safe_dump(rules), encoding="utf-8")
    content = {
        "rule_files": ["holdfast.rules.yml"], "evaluation_interval": "1m", "tests": tests,
    }  # fmt: skip
    path = folder / "tests.yml"
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return subprocess.run(
        ["promtool", "test", "rules", str(path)], text=True, capture_output=True, check=False
    )


def test_every_row_has_an_alert_and_nothing_daily_has() -> None:
    told = {alert.row for alert in ALERTS.values()} - {""}
    assert set(FAULTS) <= told
    no_findings = {row.id for row in PREDICTIONS}
    assert told == set(ROWS) - DAILY - no_findings - {EMERGENCY_STOP}
    assert "HoldfastEmergencyStop" in ALERTS
    assert len(ALERTS) == len(list(alert_rows())), "a name stands twice"
    assert {alert.name for alert in ALERTS.values() if not alert.row} == set(SITE_SERIES)


@pytest.mark.parametrize("alert", ALERTS.values(), ids=lambda alert: alert.name)
def test_an_alert_says_what_to_do_and_where_more_stands(alert: AlertRow) -> None:
    assert alert.steps
    page, _, anchor = alert.anchor.partition("#")
    headings = [
        line.removeprefix("### ").lower()
        for line in (ROOT / page).read_text("utf-8").splitlines()
        if line.startswith("### ")
    ]
    assert headings.count(anchor) == 1


def test_the_files_are_what_the_tables_say() -> None:
    rules = ROOT / "docs" / "prometheus" / "holdfast.rules.yml"
    assert rules.read_text("utf-8") == rules_file(), f"run: holdfast metrics rules > {rules}"
    page = ROOT / "docs" / "alerts.md"
    made = "\n".join(alerts_page())
    assert page.read_text("utf-8") == made, f"run: holdfast metrics rules --markdown > {page}"


def test_rules_use_only_metrics_that_there_are() -> None:
    known = {row.sample for row in METRICS.values()} | {"up"}
    used = {
        name.partition("{")[0]
        for series in SITE_SERIES.values()
        for name in series
    }  # fmt: skip
    assert used <= known


@PROMTOOL
def test_promtool_takes_the_rules(tmp_path: Path) -> None:
    path = tmp_path / "holdfast.rules.yml"
    path.write_text(rules_file(), encoding="utf-8")
    done = subprocess.run(
        ["promtool", "check", "rules", str(path)], text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert f"{len(ALERTS)} rules found" in done.stdout


@PROMTOOL
def test_each_alert_of_a_row_fires_when_it_should_and_not_otherwise(tmp_path: Path) -> None:
    done = run_promtool(tmp_path, list(unit_tests_of_rows()), "holdfast_rows")
    assert done.returncode == 0, done.stdout + done.stderr


@PROMTOOL
def test_each_alert_of_the_site_fires_when_it_should_and_not_otherwise(tmp_path: Path) -> None:
    tests = [unit_test(ALERTS[name], series) for name, series in SITE_SERIES.items()]
    done = run_promtool(tmp_path, tests, "holdfast_site")
    assert done.returncode == 0, done.stdout + done.stderr


@PROMTOOL
def test_a_trip_is_told_until_it_is_reset(tmp_path: Path) -> None:
    alert = ALERTS["HoldfastCellVoltageHighTrip"]
    latched = 'holdfast_latched{owner="battery", row="cell_voltage_high"}'
    found = row_series(alert, f"_x{BEGIN_MIN} 1+0x5 stale")
    series = found | {latched: f"_x{BEGIN_MIN} 1+0x{LASTS_MIN} stale"}
    moments = [(BEGIN_MIN + 3, True), (BEGIN_MIN + 100, True), (BEGIN_MIN + LASTS_MIN + 10, False)]
    test = unit_test(alert, found) | {
        "input_series": [{"series": labelled(name), "values": how} for name, how in series.items()],
        "alert_rule_test": [
            {
                "eval_time": f"{at}m",
                "alertname": alert.name,
                "exp_alerts": [expected(alert, latched)] if fires else [],
            }
            for at, fires in moments
        ],
    }
    done = run_promtool(tmp_path, [test], "holdfast_rows")
    assert done.returncode == 0, done.stdout + done.stderr


@PROMTOOL
def test_a_watchdog_that_nobody_can_read_is_told_too(tmp_path: Path) -> None:
    alert = ALERTS["HoldfastWatchdogNotArmed"]
    test = unit_test(alert, {"holdfast_up": during("0+0", "1+0")})
    done = run_promtool(tmp_path, [test], "holdfast_site")
    assert done.returncode == 0, done.stdout + done.stderr


@PROMTOOL
def test_the_unit_tests_can_fail(tmp_path: Path) -> None:
    alert = ALERTS["HoldfastDataLost"]
    other = row_series(ALERTS["HoldfastDataBad"], during(_GONE, "1+0"))
    done = run_promtool(tmp_path, [unit_test(alert, other)], "holdfast_rows")
    assert done.returncode != 0


def test_the_rules_are_in_two_groups() -> None:
    groups: Any = rule_groups()["groups"]
    assert [group["name"] for group in groups] == ["holdfast_site", "holdfast_rows"]
