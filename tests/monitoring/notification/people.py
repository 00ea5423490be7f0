"""Recipients and notices, for tests of what they are told."""

from datetime import UTC, datetime
from typing import Any

from holdfast.core.config.notifications import Recipient
from holdfast.monitoring.notices import Notice, NoticeKind, TimedNotice

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def recipient(**changes: Any) -> Recipient:
    channel = {"kind": "ntfy", "topic": "my-house"}
    return Recipient.model_validate({"name": "ann", "channel": channel} | changes)


def notice(
    row: str = "cell_voltage_high",
    reaction: str = "derate",
    kind: NoticeKind = NoticeKind.NEW,
    utc: datetime = NOON,
    owner: str = "battery",
    text: str = "",
) -> TimedNotice:
    told = Notice(
        kind=kind, owner=owner, row=row, reaction=reaction, text=text or f"{row}: text", times=1
    )
    return TimedNotice(utc=utc, notice=told)
