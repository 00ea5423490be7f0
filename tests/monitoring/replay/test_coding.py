"""Values come back as they were, bit for bit, and what a file names is never looked up."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.control.cycle import CycleRecord, CycleState
from holdfast.core.reading import Bad, Good, Missing, Reading, Stale
from holdfast.core.signals import Signal
from holdfast.core.state_machine import State
from holdfast.monitoring.replay.coding import MalformedRecord, canonical, coding_of
from holdfast.safety.envelope import Envelope


def there_and_back(hint: Any, value: Any) -> Any:
    coding = coding_of(hint)
    return coding.decode(json.loads(canonical(coding.encode(value))))


@given(st.floats())
def test_a_number_comes_back_bit_for_bit(value):
    found = there_and_back(float, value)
    assert repr(found) == repr(value)
    assert math.copysign(1.0, found) == math.copysign(1.0, value) or math.isnan(value)


def test_a_whole_number_where_a_number_may_be_stays_whole():
    assert type(there_and_back(float, 3)) is int
    assert canonical(coding_of(float).encode(3)) != canonical(coding_of(float).encode(3.0))
    assert canonical(coding_of(float).encode(-0.0)) != canonical(coding_of(float).encode(0.0))


@pytest.mark.parametrize(
    ("hint", "value"),
    [
        (State, State.ERROR),
        (datetime, datetime(2026, 6, 1, tzinfo=UTC)),
        (Reading, Good(value=1.5, time_ns=2)),
        (Reading, Stale(value=1.5, time_ns=2)),
        (Reading, Bad(reason="why", time_ns=2)),
        (Reading, Missing()),
        (int | None, None),
        (frozenset[Signal], frozenset({Signal.SOC_PCT, Signal.SOH_PCT})),
        (tuple[int, str], (1, "a")),
        (tuple[int, ...], (1, 2, 3)),
        (Mapping[Signal, float], {Signal.SOC_PCT: math.inf}),
        (Mapping[tuple[str, str], bool], {("a", "b"): True}),
        (Envelope, Envelope(min_w=-1.0, max_w=1.0, min_by="a", max_by="b")),
    ],
)
def test_a_value_comes_back(hint, value):
    found = there_and_back(hint, value)
    assert found == value
    assert type(found) is type(value)


def test_all_that_a_cycle_holds_can_be_recorded():
    for kind in (CycleState, CycleRecord):
        assert coding_of(kind) is coding_of(kind)
    assert there_and_back(CycleState, CycleState()) == CycleState()


@pytest.mark.parametrize(
    "hint", [object, Any, int | str, Mapping[str, Any], type, bytes, list[Any]]
)
def test_a_type_that_says_not_what_it_holds_has_no_place(hint):
    with pytest.raises(TypeError, match="has no place in a record"):
        coding_of(hint)


@dataclass(frozen=True, slots=True, kw_only=True)
class Newer:
    """As one of a newer version."""

    old: int
    new: str = "usual"


def test_what_an_older_version_did_not_know_has_its_default_and_what_a_newer_knows_is_left():
    assert coding_of(Newer).decode({"old": 1}) == Newer(old=1)
    assert coding_of(Newer).decode({"old": 1, "newest": 2}) == Newer(old=1)
    with pytest.raises(MalformedRecord, match="is no Newer"):
        coding_of(Newer).decode({"new": "x"})


@pytest.mark.parametrize(
    ("hint", "content", "text"),
    [
        (int, 1.0, "is not a whole number"),
        (int, True, "is not a whole number"),
        (bool, 1, "is not true or false"),
        (float, "NaN", "is not a number"),
        (float, True, "is not a number"),
        (str, None, "is not text"),
        (datetime, "2026-06-01T00:00:00", "is not a time with its zone"),
        (datetime, 7, "is not a time"),
        (State, "error", "is not one of State"),
        (State, ["ERROR"], "is not one of State"),
        (Reading, {"Reaction": {}}, "is not Good or Stale or Bad or Missing"),
        (Reading, {}, "is not Good or Stale or Bad or Missing"),
        (Reading, {"Good": {"value": "x", "time_ns": 1}}, "Good: value: 'x' is not a number"),
        (tuple[int, int], [1], "is not a list of 2"),
        (tuple[int, ...], {"a": 1}, "is not a list"),
        (tuple[int, ...], [1, "b"], "1: 'b' is not a whole number"),
        (Mapping[str, int], [1], "is not a table"),
        (
            Envelope,
            {"min_w": 1.0, "max_w": 2.0, "min_by": "", "max_by": ""},
            "is no Envelope",
        ),
    ],
)
def test_what_is_no_such_value_is_refused_with_its_place(hint, content, text):
    with pytest.raises(MalformedRecord) as raised:
        coding_of(hint).decode(content)
    assert text in str(raised.value)
