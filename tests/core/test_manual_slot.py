"""What a person asks of the batteries, in the words that pages and programs use."""

import dataclasses
from datetime import UTC, datetime

import pytest

from holdfast.core.manual_slot import ManualMode, ManualSlot
from tests.manual import slot

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def test_the_modes_have_the_names_that_programs_send() -> None:
    assert [str(mode) for mode in ManualMode] == [
        "self_consumption",
        "hold",
        "charge",
        "discharge",
        "rest",
        "stand_aside",
    ]


def test_it_stays_as_it_was_asked_for() -> None:
    asked = slot(0, 60)
    with pytest.raises(dataclasses.FrozenInstanceError):
        asked.end = asked.start  # type: ignore[misc]
    assert isinstance(asked, ManualSlot)


def test_nobody_is_stood_aside_for_unless_somebody_is_named() -> None:
    plain = ManualSlot(
        id="x", start=NOW, end=NOW, mode=ManualMode.HOLD, power_w=None, by="Ann", made=NOW
    )
    assert plain.owner == ""
