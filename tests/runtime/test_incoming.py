"""Messages: whatever a stranger sends is understood, or refused with what is wrong with it."""

import json
import math
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.client.messages import (
    Act,
    CommandMessage,
    Message,
    OperatorMessage,
    PlanMessage,
    ProcessMessage,
    encode,
    fresh,
)
from holdfast.core.commands import Command
from holdfast.core.plan import Plan, PlanSlot, PlanStatus
from holdfast.core.slot_mode import SlotMode
from holdfast.core.texts import MAX_ID, MAX_REASON
from holdfast.runtime.admission import STOPPING
from holdfast.runtime.incoming import decode_message

UTC_NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)


def a_plan(power_w: float = 1000.0) -> Plan:
    slot = PlanSlot(
        start=UTC_NOW,
        end=UTC_NOW + timedelta(minutes=15),
        mode=SlotMode.POWER,
        battery_power_w=power_w,
        grid_power_w=0.0,
        soc_end_pct=50.0,
        import_price_per_kwh=0.3,
        reason="“cheap” now — 0,30 €/kWh",
    )
    return Plan(
        plan_id="p1",
        created=UTC_NOW,
        expires=UTC_NOW + timedelta(hours=1),
        status=PlanStatus.OPTIMAL,
        expected_cost=1.0,
        slots=(slot,),
    )


def as_json(message: Message) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(encode(message))
    return content


def test_who_only_wants_to_stop_needs_no_more_than_to_say_so() -> None:
    """An old or a newer client's words too much or too few must not stand against a stop."""
    line = b'{"kind": "command", "command": "estop", "operator": "me"}'
    assert decode_message(line) == CommandMessage(command=Command.EMERGENCY_STOP, issued_ns=0)


@pytest.mark.parametrize("name", ["stop", "estop"])
@pytest.mark.parametrize(
    "rest",
    [
        {}, {"kind": "wish"}, {"kind": None}, {"kind": "command", "issued_ns": "soon"},
        {"kind": "command", "issued_ns": None, "nonce": 7},
        {"kind": "command", "nonce": "x" * (MAX_ID + 1)},
        {"kind": "plan", "plan": {"slots": []}}, {"kind": "process"}, {"x": [{}] * 9},
    ],
)  # fmt: skip
def test_a_stop_is_understood_whatever_else_is_wrong_in_its_message(
    name: str, rest: dict[str, Any]
) -> None:
    message = decode_message(json.dumps(rest | {"command": name}).encode())
    assert isinstance(message, CommandMessage)
    assert message.command == name


@pytest.mark.parametrize("name", sorted(set(Command) - STOPPING))
def test_what_lets_power_flow_has_to_be_right_in_all(name: str) -> None:
    for rest in ({"kind": "wish"}, {"kind": "command", "nonce": "x" * (MAX_ID + 1)}, {}):
        with pytest.raises(ValueError, match=r"kind|nonce|discriminator"):
            decode_message(json.dumps(rest | {"command": name}).encode())


def test_a_command_that_is_asked_for_now_is_one_of_its_kind() -> None:
    before_ns = time.monotonic_ns()
    first, second = fresh(Command.START), fresh(Command.START)
    assert before_ns <= first.issued_ns <= second.issued_ns <= time.monotonic_ns()
    assert first.nonce != second.nonce
    assert 16 <= len(first.nonce) <= MAX_ID
    assert decode_message(encode(first)) == first


@pytest.mark.parametrize("code", [None, 0, -9])
def test_what_a_supervisor_tells_survives_the_way(code: int | None) -> None:
    message = ProcessMessage(
        process="planner", pid=7, utc=UTC_NOW, starts=2, code=code, asked=True, note="again"
    )
    assert decode_message(encode(message)) == message


@pytest.mark.parametrize(
    "change",
    [{"process": "x" * 65}, {"note": "x" * 301}, {"utc": "2026-04-01T12:00:00"}, {"more": 1}],
)
def test_a_supervisor_that_says_too_much_is_refused(change: dict[str, Any]) -> None:
    message = ProcessMessage(process="p" * 64, pid=7, utc=UTC_NOW, starts=2, note="x" * 300)
    content = json.loads(encode(message))
    assert decode_message(json.dumps(content).encode()) == message
    with pytest.raises(ValueError, match=next(iter(change))):
        decode_message(json.dumps(content | change).encode())


@pytest.mark.parametrize("what", Act)
@pytest.mark.parametrize("accepted", [True, False])
def test_what_is_told_of_an_operator_survives_the_way(what: Act, accepted: bool) -> None:
    message = OperatorMessage(
        who="anna", how="session from ::1", what=what, detail="“so”", accepted=accepted
    )
    assert decode_message(encode(message)) == message


@pytest.mark.parametrize(
    "change",
    [
        {"who": "x" * 101}, {"how": None}, {"what": "hack"}, {"detail": "x" * 301},
        {"detail": "a\nb"}, {"accepted": "perhaps"}, {"more": 1},
    ],
)  # fmt: skip
def test_too_much_of_an_operator_is_refused_by_name(change: dict[str, Any]) -> None:
    message = OperatorMessage(who="x" * 100, how="y" * 100, what=Act.LOGIN, detail="z" * 300)
    content = json.loads(encode(message))
    assert decode_message(json.dumps(content).encode()) == message
    with pytest.raises(ValueError, match=next(iter(change))):
        decode_message(json.dumps(content | change).encode())


@pytest.mark.parametrize("command", Command)
def test_a_command_survives_the_way(command: Command) -> None:
    for remote in (False, True):
        message = CommandMessage(command=command, issued_ns=123_456_789_012_345, remote=remote)
        assert decode_message(encode(message)) == message


def test_a_plan_survives_the_way_in_one_line() -> None:
    message = PlanMessage(plan=a_plan())
    line = encode(message)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert decode_message(line) == message


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_arrives_as_such_for_the_gate_to_refuse(value: float) -> None:
    message = decode_message(encode(PlanMessage(plan=a_plan(value))))
    assert isinstance(message, PlanMessage)
    arrived = message.plan.slots[0].battery_power_w
    assert arrived == value or (math.isnan(arrived) and math.isnan(value))


START = {"kind": "command", "command": "start", "issued_ns": 1}


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (START | {"command": "explode"}, "command"),
        (START | {"kind": "wish"}, "kind"),
        (START | {"issued_ns": "soon"}, "issued_ns"),
        (START | {"issued_ns": 1.5}, "issued_ns"),
        (START | {"issued_ns": None}, "issued_ns"),
        ({"command": "start", "issued_ns": 1}, "kind"),
        ({"kind": "plan"}, "plan"),
        ({"kind": "plan", "plan": []}, "plan"),
    ],
)
def test_a_wrong_message_is_refused_with_the_name_of_the_key(
    content: dict[str, Any], named: str
) -> None:
    with pytest.raises(ValueError, match=named):
        decode_message(json.dumps(content).encode())


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("battery_power_w", "much"),
        ("battery_power_w", None),
        ("mode", "party"),
        ("start", "now"),
        ("soc_end_pct", []),
    ],
)
def test_a_plan_with_a_wrong_slot_is_refused_with_the_place(key: str, value: object) -> None:
    content = as_json(PlanMessage(plan=a_plan()))
    content["plan"]["slots"][0][key] = value
    with pytest.raises(ValueError, match=rf"plan\.slots\.0\.{key}"):
        decode_message(json.dumps(content).encode())


@pytest.mark.parametrize(
    "line",
    [
        b"", b"{", b"null", b"[]", b"12", b'"start"', b"\xff\xfe", b"{}", b"[" * 100_000,
        b'{"kind":' * 50_000, b'{"kind": "command", "command": "start", "issued_ns": 1e999}',
    ],
)  # fmt: skip
def test_no_json_or_no_object_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode_message(line)


@given(st.binary(max_size=200))
def test_noise_is_refused_and_nothing_else(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode_message(line)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    kind=st.sampled_from(["plan", "command"]),
    content=st.dictionaries(
        st.sampled_from(["plan", "command", "issued_ns", "x"]), _JSON, max_size=4
    ),
)
def test_any_json_is_a_message_or_refused(kind: str, content: dict[str, Any]) -> None:
    line = json.dumps({"kind": kind} | content).encode()
    try:
        message = decode_message(line)
    except ValueError:
        return
    assert isinstance(message, CommandMessage)


MANY = 10_000


@pytest.mark.parametrize(
    ("line", "named"),
    [
        (b'{"kind":"plan","plan":{"slots":[' + b"{}," * MANY + b"0]}}", r"plan\.slots\.0\.start"),
        (b'{"kind":"plan","plan":{"slots":[' + b"0," * MANY + b"0]}}", r"plan\.slots\.0"),
        (b'{"kind":"command",' + b",".join(b'"%d":0' % n for n in range(MANY)) + b"}",
         "10001 keys are more than 32"),
        (b'{"kind":"plan","plan":{' + b",".join(b'"%d":0' % n for n in range(MANY)) + b"}}",
         "plan: 10000 keys are more than 32"),
        (b'{"kind":"plan","plan":{"slots":[{' + b",".join(b'"%d":0' % n for n in range(MANY))
         + b"}]}}", r"plan\.slots\.0: 10000 keys"),
        (b'{"kind":"plan","plan":{"slots":[{"loads":[' + b"{}," * MANY + b"0]}]}}",
         "10001 are more than 200"),
        (b'{"kind":"plan","plan":{"slots":[{"loads":[{'
         + b",".join(b'"%d":0' % n for n in range(MANY)) + b"}]}]}}", "loads: 10000 keys"),
        (b"{}" * 20_001, "more than 20000 objects"),
        (b"[" + b"0," * 100_001 + b"0]", "or 100000 commas"),
        (b'{"kind":"command","command":"' + b"x" * MANY + b'"}', "command"),
        (b'{"kind":"' + b"x" * MANY + b'"}', "kind"),
    ],
)  # fmt: skip
def test_of_many_mistakes_the_first_is_told_in_few_words(line: bytes, named: str) -> None:
    with pytest.raises(ValueError, match=named) as refused:
        decode_message(line)
    assert len(str(refused.value)) <= MAX_REASON


def test_a_stop_among_many_keys_is_understood() -> None:
    keys = b",".join(b'"%d":0' % n for n in range(MANY))
    message = decode_message(b'{"command":"estop",' + keys + b"}")
    assert message == CommandMessage(command=Command.EMERGENCY_STOP)
