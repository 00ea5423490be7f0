"""Whoever looks for break-ins, changes or restores finds them by their category."""

from datetime import UTC, datetime

import pytest

from holdfast.client.audit_category import OPERATOR_ACTS, Category, Result, classify
from holdfast.client.messages import Act
from holdfast.monitoring.audit.events import (
    AuditEvent,
    ChildEnded,
    EventsLost,
    LatchesChanged,
    LogOpened,
    MessageRefused,
    OperatorActed,
)
from tests.cli.test_audit_command import EVENTS

NOON = datetime(2026, 4, 10, 12, tzinfo=UTC)


def operator(what: str, *, accepted: bool = True, detail: str = "", repeats: int = 0) -> AuditEvent:
    return OperatorActed(
        who="anna", how="password from 192.0.2.1", what=what, detail=detail, accepted=accepted,
        repeats=repeats,
    )  # fmt: skip


def message(what: str, repeats: int = 0) -> AuditEvent:
    return MessageRefused(what=what, reason="r", uid=1000, pid=7, repeats=repeats)


def test_every_act_of_an_operator_has_a_category() -> None:
    assert set(OPERATOR_ACTS) == set(Act)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.kind)
def test_every_kind_of_event_has_category_source_and_result(event: AuditEvent) -> None:
    found = classify(event)
    assert found.category in Category
    assert found.result in Result
    assert found.source


def test_all_eight_categories_occur() -> None:
    events = [
        *EVENTS, operator(Act.LOGIN), operator(Act.CONFIG), operator(Act.RESTORE),
        message("start"), message(""),
    ]  # fmt: skip
    assert {classify(event).category for event in events} == set(Category)


@pytest.mark.parametrize(
    ("event", "category", "result"),
    [
        (operator(Act.LOGIN, accepted=False), Category.ACCESS_CONTROL, Result.REFUSED),
        (operator(Act.LOGIN, accepted=False, repeats=9), Category.RECONNAISSANCE, Result.REFUSED),
        (
            operator(Act.ACCESS, accepted=False, detail="(7 more before) config.write"),
            Category.RECONNAISSANCE,
            Result.REFUSED,
        ),
        (operator(Act.CONFIG), Category.CONFIGURATION, Result.DONE),
        (operator(Act.FACTORY_RESET), Category.BACKUP_RESTORE, Result.DONE),
        (operator("of another version"), Category.CONTROL_SYSTEM, Result.DONE),
        (message("start"), Category.REQUEST_ERROR, Result.REFUSED),
        (message(""), Category.RECONNAISSANCE, Result.REFUSED),
        (message("start", repeats=3), Category.RECONNAISSANCE, Result.REFUSED),
        (
            LatchesChanged(emergency_stop=True, faults=(), on_disk=False),
            Category.CONTROL_SYSTEM,
            Result.FAILED,
        ),
        (
            ChildEnded(process="api", pid=1, code=-9, asked=False, note="", at=NOON),
            Category.OPERATING_SYSTEM,
            Result.FAILED,
        ),
        (
            LogOpened(after_sequence=1, after_hash="0" * 64, found="cut"),
            Category.AUDIT_LOG,
            Result.FAILED,
        ),
        (
            EventsLost(count=1, since=NOON, until=NOON, reason="r"),
            Category.AUDIT_LOG,
            Result.FAILED,
        ),
    ],
)
def test_what_is_told_of_an_event(event: AuditEvent, category: Category, result: Result) -> None:
    found = classify(event)
    assert (found.category, found.result) == (category, result)


def test_the_source_of_a_log_in_is_account_and_address() -> None:
    assert classify(operator(Act.LOGIN)).source == "anna (password from 192.0.2.1)"
