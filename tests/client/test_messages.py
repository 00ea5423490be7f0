"""Messages: an answer is understood, or is none; what would be refused is not even made."""

from datetime import UTC, datetime

import pytest

from holdfast.client.messages import (
    Act,
    CommandMessage,
    OperatorMessage,
    ProcessMessage,
    Reply,
    decode_reply,
    encode,
)
from holdfast.core.commands import Command
from holdfast.core.state_machine import State
from holdfast.core.texts import MAX_ID, MAX_NAME, MAX_REASON


@pytest.mark.parametrize("state", State)
def test_an_answer_survives_the_way(state: State) -> None:
    reply = Reply(accepted=False, reason="not ready: “x”\nand more", state=state)
    line = encode(reply)
    assert line.count(b"\n") == 1
    assert decode_reply(line) == reply


@pytest.mark.parametrize(
    "line",
    [
        b"", b"{", b"[]", b"\xff\xfe", b"{}", b"null",
        b'{"accepted": 1, "reason": "", "state": "idle"}',
        b'{"accepted": true, "reason": null, "state": "idle"}',
        b'{"accepted": true, "reason": "", "state": "asleep"}',
        b'{"accepted": true, "reason": ""}',
        b"[" * 5000,
    ],
)  # fmt: skip
def test_what_is_no_answer_is_taken_for_none(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode_reply(line)


def test_what_would_be_refused_is_not_even_made() -> None:
    with pytest.raises(ValueError, match="nonce"):
        CommandMessage(command=Command.START, nonce="x" * (MAX_ID + 1))
    utc = datetime.now(UTC)
    for name, process, note, zone in (
        ("process", "x" * (MAX_ID + 1), "", UTC),
        ("note", "x", "x" * (MAX_REASON + 1), UTC),
        ("utc", "x", "", None),
    ):
        with pytest.raises(ValueError, match=name):
            ProcessMessage(
                process=process, pid=1, utc=utc.replace(tzinfo=zone), starts=1, note=note
            )
    for change in (
        {"who": "x" * (MAX_NAME + 1)},
        {"how": "x" * (MAX_NAME + 1)},
        {"detail": "x" * (MAX_REASON + 1)},
        {"who": "\x1b[31m"},
    ):
        texts = {"who": "anna", "how": "session", "detail": ""} | change
        with pytest.raises(ValueError, match=next(iter(change))):
            OperatorMessage(what=Act.LOGIN, **texts)
