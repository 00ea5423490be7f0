"""A report has what the log tells, and asks a person for what it cannot know."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from holdfast.cli.main import main
from holdfast.deployment.incident_report import (
    SHOWN,
    LogFacts,
    ReportKind,
    Subject,
    due_of,
    questions_of,
)
from holdfast.monitoring.audit.events import AuditEvent, OperatorActed
from holdfast.monitoring.audit.log_lines import START, Line, decode_line, encode_line
from holdfast.runtime.audit.folder import AuditFolder, Entry
from holdfast.site.files import SiteFiles
from holdfast.site.site_file import load_site
from holdfast.testing.sites import example_content
from tests.cli.test_audit_command import EVENTS

NOON = datetime(2026, 4, 10, 12, tzinfo=UTC)


def tried(number: int) -> OperatorActed:
    return OperatorActed(
        who="anna", how="password from 192.0.2.1", what="login", detail=f"wrong {number}",
        accepted=False,
    )  # fmt: skip


def lines(*events: AuditEvent) -> list[Line]:
    found, place = [], START
    for number, event in enumerate(events):
        raw, place = encode_line(place, NOON + timedelta(seconds=number), number, event)
        line = decode_line(raw[:-1])
        assert line is not None
        found.append(line)
    return found


def test_who_was_refused_stands_in_the_report_and_plans_and_setpoints_do_not() -> None:
    facts = LogFacts.of(lines(*EVENTS, tried(1)))
    assert "anna (password from 192.0.2.1)" in facts.sources_refused
    assert facts.versions == ("0.1.0",)
    assert any("login by anna" in told.text for told in facts.told)
    assert not any("setpoint" in told.text or "plan p1" in told.text for told in facts.told)


def test_a_flood_does_not_make_a_report_that_nobody_reads() -> None:
    facts = LogFacts.of(lines(*(tried(number) for number in range(SHOWN + 5))))
    assert len(facts.told) == SHOWN
    assert facts.left_out == 5
    assert facts.counts == {"access_control refused": SHOWN + 5}


@pytest.mark.parametrize("subject", Subject)
def test_the_reports_are_due_as_article_14_has_it(subject: Subject) -> None:
    assert due_of(ReportKind.EARLY_WARNING, subject, NOON)[0] == NOON + timedelta(hours=24)
    assert due_of(ReportKind.NOTIFICATION, subject, NOON)[0] == NOON + timedelta(hours=72)
    due, rule = due_of(ReportKind.FINAL, subject, NOON)
    assert due is None
    assert ("14 days" in rule) is (subject is Subject.VULNERABILITY)


@pytest.mark.parametrize("kind", ReportKind)
@pytest.mark.parametrize("subject", Subject)
def test_what_only_a_person_knows_stays_a_question(kind: ReportKind, subject: Subject) -> None:
    questions = questions_of(kind, subject, None)
    assert questions[0].topic == "Aware since"
    assert questions[1:] == questions_of(kind, subject, NOON)
    assert all(question.answer is None for question in questions)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "site.yaml"
    path.write_text(yaml.safe_dump(example_content(tmp_path)))
    files = SiteFiles.of(load_site(path))
    files.create()
    log = AuditFolder(files.audit)
    log.append([Entry(utc=NOON, monotonic_ns=1, event=event) for event in (*EVENTS[:7], tried(1))])
    log.save_head()
    log.close()
    return path


def test_the_text_marks_what_is_open_and_tells_when_it_is_due(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--since", "2026-04-10T11:00+00:00", "--aware", "2026-04-10T13:00+00:00"]
    assert main(["incident-report", *words, "--config", str(config)]) == 0
    text = capsys.readouterr().out
    assert "Due: 2026-04-11 13:00 UTC" in text
    assert "**FILL IN: in which is the product made available?**" in text
    assert "The log is whole" in text
    assert "login by anna (password from 192.0.2.1) refused" in text


def test_a_log_that_is_not_whole_is_told(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = SiteFiles.of(load_site(config)).audit
    (path,) = folder.glob("audit-*.jsonl")
    path.write_bytes(path.read_bytes().replace(b"anna", b"otto"))
    assert main(["incident-report", "--since", "2026-04-10", "--config", str(config)]) == 0
    assert "NOT WHOLE" in capsys.readouterr().out


def test_programs_get_the_same(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--since", "2026-04-10", "--kind", "final", "--about", "vulnerability", "--json"]
    assert main(["incident-report", *words, "--config", str(config)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["kind"] == "final"
    assert told["log_is_whole"] is True
    assert {question["topic"] for question in told["questions"]} >= {"Actor", "Update"}


def test_of_a_time_without_lines_there_is_a_report_that_says_so(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["incident-report", "--since", "2026-04-11", "--config", str(config)]) == 1
    assert "Nothing is on record" in capsys.readouterr().out
    words = ["--since", "2026-04-11", "--until", "2026-04-10"]
    assert main(["incident-report", *words, "--config", str(config)]) == 2
