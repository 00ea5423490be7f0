"""``holdfast audit`` and ``holdfast explain`` on the command line."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from holdfast.cli.main import main
from holdfast.client.audit_reader import audit_files
from holdfast.monitoring.audit.events import (
    AuditEvent,
    Cause,
    ChildEnded,
    ChildStarted,
    CommandAnswered,
    EventsLost,
    FindingCleared,
    FindingRaised,
    LatchesChanged,
    LogDeleted,
    LogOpened,
    MessageRefused,
    OperatorActed,
    PlanAccepted,
    PlanNotAccepted,
    ProcessEnded,
    ProcessStarted,
    QuantityChanged,
    SlotFollowed,
    StateChanged,
)
from holdfast.monitoring.audit.text import describe
from holdfast.monitoring.quantities.quantity import Quantity
from holdfast.runtime.audit.folder import AuditFolder, Entry
from tests.builders import site_content

NOON = datetime(2026, 4, 10, 12, tzinfo=UTC)

EVENTS: tuple[AuditEvent, ...] = (
    ProcessStarted(
        version="0.1.0", config_sha256="ab" * 32, authority="full", period_ms=20, real_time=True,
        emergency_stop=False, faults=("battery/row",),
    ),
    StateChanged(source="boot", target="idle", event="self_test_passed", reasons=()),
    CommandAnswered(command="start", accepted=True, reason="", state="running"),
    StateChanged(source="idle", target="running", event="start", reasons=("by command",)),
    PlanAccepted(plan_id="p1", status="optimal", expires=NOON, slots=192, repeats=3),
    PlanNotAccepted(plan_id="p2", reason="it has no slots"),
    FindingRaised(
        owner="battery", row="soc_high", level="alarm", reaction="block_charge",
        text="soc_pct above 95 %: 96",
    ),
    QuantityChanged(
        quantity=Quantity(
            owner="battery", name="battery_power", unit="W", asked=0.0, asked_of_site=5000.0,
            source="plan", reason="charges: 6.1 ct now", low=-5000.0, low_by="site.yaml",
            high=0.0, high_by="soc_high", limited_by="soc_high", permitted=0.0, ramped=0.0,
            written=0.0, read_back=None, measured=None,
        ),
        slot=SlotFollowed(plan_id="p1", mode="power", battery_power_w=5000.0, end=NOON),
        grid_power_w=100.0,
        beside={
            "soc_pct": 96.0, "pack_voltage_v": 53.2, "charge_current_limit_a": 45.0,
            "discharge_current_limit_a": 45.0,
        },
        causes=(Cause(owner="battery", row="soc_high", level="alarm", reaction="block_charge",
                      text="soc_pct above 95 %: 96"),),
        lowest=0.0,
        highest=0.0,
    ),
    FindingCleared(
        owner="battery", row="soc_high", level="alarm", reaction="block_charge", text="t",
        lasted_s=3.0, flaps=2,
    ),
    EventsLost(count=7, since=NOON, until=NOON, reason="No space left on device"),
    LatchesChanged(emergency_stop=True, faults=()),
    ProcessEnded(reason="told to end; at rest"),
)  # fmt: skip


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A site with one event a minute on record, from noon UTC on."""
    path = tmp_path / "site.yaml"
    path.write_text(yaml.safe_dump(site_content(timezone="Europe/Berlin")), encoding="utf-8")
    (tmp_path / "state").mkdir()
    log = AuditFolder(tmp_path / "state" / "audit", keep_free_bytes=0)
    for minute, event in enumerate(EVENTS):
        utc = NOON + timedelta(minutes=minute)
        log.append([Entry(utc=utc, monotonic_ns=minute, event=event)])
        log.save_head()
    log.close()
    return path


def run(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, str, str]:
    code = main([str(word) for word in words])
    out, err = capsys.readouterr()
    return code, out, err


def run_json(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, Any]:
    code, out, _ = run(capsys, *words, "--json")
    return code, json.loads(out)


def log_file(config: Path) -> Path:
    (path,) = audit_files(config.parent / "state" / "audit")
    return path


def test_a_whole_log_is_ok(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "audit", "verify", "--config", config)
    assert code == 0
    assert "ok: 13 lines in 1 files, from 2026-04-10T12:00:00" in out
    code, verdict = run_json(capsys, "audit", "verify", "--config", config)
    assert (code, verdict["ok"], verdict["lines"]) == (0, True, 13)
    noted = verdict["last_line"]
    assert run(capsys, "audit", "verify", "--config", config, "--contains", noted)[0] == 0
    forged = noted[:-1] + ("0" if noted[-1] != "0" else "1")
    code, _, err = run(capsys, "audit", "verify", "--config", config, "--contains", forged)
    assert (code, "not contained" in err) == (1, True)
    assert run(capsys, "audit", "verify", "--config", config, "--contains", "7")[0] == 2


def test_an_altered_log_ends_with_1_and_names_the_place(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = log_file(config)
    path.write_bytes(path.read_bytes().replace(b'"slots":192', b'"slots":191'))
    code, out, err = run(capsys, "audit", "verify", "--config", config)
    assert (code, out) == (1, "")
    assert "altered: audit-000001.jsonl, line 6: " in err
    assert "good up to there: 5 lines" in err
    code, verdict = run_json(capsys, "audit", "verify", "--config", config)
    assert (code, verdict["problem"]["wrong"], verdict["problem"]["line"]) == (1, "altered", 6)


def test_a_site_without_a_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(yaml.safe_dump(site_content()), encoding="utf-8")
    code, _, err = run(capsys, "audit", "verify", "--config", path)
    assert (code, "there is no audit log" in err) == (1, True)
    nothing = (1, "", "nothing is on record of that time\n")
    assert run(capsys, "audit", "show", "--config", path) == nothing
    code, _, err = run(capsys, "explain", "--config", path, "--at", "12:00")
    assert (code, "nothing is on record" in err) == (1, True)
    code, _, err = run(capsys, "explain", "--config", path)
    assert (code, "no controller is running" in err) == (2, True)


def test_show_prints_the_last_events_in_local_time(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(capsys, "audit", "show", "--config", config, "--last", "2")
    assert code == 0
    assert out.splitlines() == [
        "    12 2026-04-10 14:10:00 latched: emergency stop",
        "    13 2026-04-10 14:11:00 controller ended: told to end; at rest",
    ]
    assert len(run(capsys, "audit", "show", "--config", config)[1].splitlines()) == 13


def test_show_since_a_time(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("audit", "show", "--config", config, "--since")
    assert len(run(capsys, *words, "2026-04-10T14:09")[1].splitlines()) == 3
    assert len(run(capsys, *words, "2026-04-10T12:09+00:00")[1].splitlines()) == 3
    code, _, err = run(capsys, *words, "yesterday")
    assert (code, "is no time" in err) == (2, True)
    _, found = run_json(capsys, *words, "2026-04-10T14:11")
    assert found[0]["event"]["kind"] == "process_ended"


def test_explain_a_recorded_moment(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("explain", "--config", config, "--at", "2026-04-10T14:07:30")
    code, out, _ = run(capsys, *words)
    assert code == 0
    last = (
        "On record, from 2026-04-10 14:07:00, the last change before 14:07:30 (0 min 30 s older):"
    )
    assert out.startswith(last)
    assert "The battery is set to 0 W, at 96 % state of charge." in out
    assert "The plan asks to charge with 5,000 W until 14:00" in out
    assert "The battery may not charge now: state of charge above 95 %: 96" in out
    at_once = run(capsys, "explain", "--config", config, "--at", "2026-04-10T14:07:05")[1]
    assert at_once.startswith("On record, from 2026-04-10 14:07:00:")
    code, found = run_json(capsys, *words)
    assert found["sentences"][0].startswith("The battery is set to 0 W")
    assert found["situation"]["state"] == "running"
    code, out, _ = run(capsys, "explain", "--config", config, "--at", "2026-04-10T15:00")
    assert (code, "No controller was running" in out) == (0, True)
    assert "the last change before 15:00:00 (49 min 0 s older)" in out
    out = run(capsys, "explain", "--config", config, "--at", "2026-04-11T14:11")[1]
    assert "the last change before 14:11:00 (24.0 h older)" in out
    code, _, err = run(capsys, "explain", "--config", config, "--at", "2026-04-10T13:00")
    assert (code, "nothing is on record" in err) == (1, True)


OTHERS: dict[AuditEvent, str] = {
    MessageRefused(what="start", reason="was sent before", uid=1000, pid=7, repeats=3): (
        "start of user 1000 refused: was sent before (3 more before)"
    ),
    MessageRefused(what="", reason="not understood", uid=None, pid=None): (
        "message of an unknown user refused: not understood"
    ),
    OperatorActed(
        who="anna",
        how="session from ::1",
        what="second_factor",
        detail="passkey removed",
        accepted=True,
    ): "second factor by anna (session from ::1): passkey removed",
    OperatorActed(
        who="eve", how="password from ::1", what="login", detail="wrong", accepted=False, repeats=9
    ): "login by eve (password from ::1) refused: wrong (9 more before)",
    OperatorActed(who="anna", how="session", what="logout", detail="", accepted=True): (
        "logout by anna (session)"
    ),
    ChildStarted(process="planner", pid=7, starts=1, at=NOON): (
        "planner started, process 7, at 12:00:00Z"
    ),
    ChildStarted(process="planner", pid=7, starts=2, at=NOON): (
        "planner started again, start 2, process 7, at 12:00:00Z"
    ),
    ChildEnded(process="planner", pid=7, code=-9, asked=False, note="again in 0.5 s", at=NOON): (
        "planner ended BY ITSELF with -9 at 12:00:00Z; again in 0.5 s"
    ),
    ChildEnded(process="planner", pid=7, code=0, asked=True, note="", at=NOON): (
        "planner ended as told with 0 at 12:00:00Z"
    ),
    LatchesChanged(emergency_stop=True, faults=(), on_disk=False): (
        "latched: emergency stop; NOT ON DISK"
    ),
}


@pytest.mark.parametrize("event", OTHERS)
def test_some_events_have_these_words(event: AuditEvent) -> None:
    assert describe(event) == OTHERS[event]


@pytest.mark.parametrize(
    "event",
    [
        *EVENTS,
        LogOpened(after_sequence=3, after_hash="a", torn_bytes=5, found="gone"),
        LogDeleted(file="f", first_sequence=1, last_sequence=2, last_hash="a"),
        *OTHERS,
    ],
    ids=lambda event: event.kind,
)
def test_every_event_has_one_line_of_words(event: AuditEvent) -> None:
    text = describe(event)
    assert text
    assert "\n" not in text
    assert "None" not in text
