"""Whoever logs in, resets, or says so has seen the alarm; a stop or a refused login is no sign."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from holdfast.client.acknowledgement import acknowledge, last_acknowledgement
from holdfast.client.messages import Act
from holdfast.monitoring.audit.events import AuditEvent, CommandAnswered, OperatorActed
from holdfast.runtime.notification.witness import _is_act, acknowledged_since
from holdfast.site.files import SiteFiles, write_atomically

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def acted(what: Act, *, accepted: bool = True) -> OperatorActed:
    return OperatorActed(who="ann", how="session", what=what, detail="", accepted=accepted)


def command(name: str) -> CommandAnswered:
    return CommandAnswered(command=name, accepted=False, reason="", state="error")


@pytest.mark.parametrize(
    ("event", "counts"),
    [
        (acted(Act.LOGIN), True),
        (acted(Act.LOGIN, accepted=False), False),
        (acted(Act.LOGOUT), False),
        (command("reset"), True),
        (command("service_reset"), True),
        (command("emergency_stop"), False),
        (None, False),
    ],
)
def test_which_act_shows_that_somebody_knows(event: AuditEvent | None, counts: bool) -> None:
    assert _is_act(event) is counts


def test_by_hand_it_counts_from_then_on(tmp_path: Path) -> None:
    files = SiteFiles(state_dir=tmp_path)
    assert acknowledged_since(files, NOON) is None
    acknowledge(files.acknowledgement, "ann", NOON, write_atomically)
    assert acknowledged_since(files, NOON - timedelta(hours=1)) == NOON
    assert acknowledged_since(files, NOON + timedelta(hours=1)) is None
    files.acknowledgement.write_text("nonsense")
    assert last_acknowledgement(files.acknowledgement) is None
