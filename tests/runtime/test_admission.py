"""Admission: each command that lets power flow once, in time, and from its owner; a stop always."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.client.messages import (
    Act,
    CommandMessage,
    OperatorMessage,
    PlanMessage,
    ProcessMessage,
)
from holdfast.core.commands import Command
from holdfast.core.units import NS_PER_S
from holdfast.runtime.admission import COMMAND_LIFETIME_NS, NONCES, STOPPING, Admission, Peer
from tests.builders import T0
from tests.runtime.test_incoming import UTC_NOW, a_plan

OWNER = Peer(pid=7, uid=1000)
FOREIGN = "only root and the owner of the controller may ask for this"
POWERFUL = sorted(set(Command) - STOPPING)


def admission() -> Admission:
    return Admission(frozenset({0, 1000}), T0 - 60 * NS_PER_S)


def a_command(
    command: Command = Command.START, *, issued_ns: int = T0, nonce: str = "n"
) -> CommandMessage:
    return CommandMessage(command=command, issued_ns=issued_ns, nonce=nonce)


def test_a_fresh_command_of_the_owner_or_root_is_admitted() -> None:
    assert admission().refusal(a_command(), OWNER, T0) is None
    assert admission().refusal(a_command(), Peer(pid=1, uid=0), T0) is None


@pytest.mark.parametrize(
    ("age_ns", "admitted"),
    [(-1, False), (0, True), (COMMAND_LIFETIME_NS, True), (COMMAND_LIFETIME_NS + 1, False)],
)
@pytest.mark.parametrize("command", POWERFUL)
def test_a_command_lives_for_two_seconds(command: Command, age_ns: int, admitted: bool) -> None:
    refusal = admission().refusal(a_command(command), OWNER, T0 + age_ns)
    assert refusal == (None if admitted else f"{command} is too old or from another machine")


def test_a_command_to_the_controller_before_this_one_is_refused() -> None:
    door = Admission(frozenset({1000}), T0)
    assert door.refusal(a_command(issued_ns=T0 - 1), OWNER, T0 + 1) == (
        "start was meant for the controller before this one"
    )
    assert door.refusal(a_command(issued_ns=T0), OWNER, T0 + 1) is None


@pytest.mark.parametrize("command", POWERFUL)
def test_a_command_is_admitted_once(command: Command) -> None:
    door = admission()
    message = a_command(command)
    assert door.refusal(message, OWNER, T0) is None
    for later_ns in (0, 1, COMMAND_LIFETIME_NS):
        assert door.refusal(message, OWNER, T0 + later_ns) == "was sent before"
    # Nor may another command come with its nonce.
    assert door.refusal(a_command(Command.RESET), OWNER, T0) == "was sent before"
    assert door.refusal(a_command(command, nonce="m"), OWNER, T0) is None


def test_without_a_nonce_nothing_tells_it_from_a_copy() -> None:
    assert admission().refusal(a_command(nonce=""), OWNER, T0) == "carries no nonce"


def test_nonces_are_remembered_as_long_as_they_could_come_again_and_not_without_end() -> None:
    door = admission()
    for number in range(NONCES):
        assert door.refusal(a_command(nonce=str(number)), OWNER, T0) is None
    full = f"more than {NONCES} commands came at once"
    end_ns = T0 + COMMAND_LIFETIME_NS
    assert door.refusal(a_command(nonce="one more", issued_ns=end_ns), OWNER, end_ns) == full
    later = a_command(nonce="one more", issued_ns=end_ns + 1)
    assert door.refusal(later, OWNER, end_ns + 1) is None
    assert len(door._seen_ns) == 1


@pytest.mark.parametrize("uid", [1, 999, None])
def test_a_stranger_may_stop_and_nothing_else(uid: int | None) -> None:
    stranger = Peer(pid=7, uid=uid)
    for command in POWERFUL:
        assert admission().refusal(a_command(command), stranger, T0) == FOREIGN
    told = ProcessMessage(process="planner", pid=7, utc=UTC_NOW, starts=1)
    acted = OperatorMessage(who="anna", how="session", what=Act.LOGIN)
    for message in (PlanMessage(plan=a_plan()), told, acted):
        assert admission().refusal(message, stranger, T0) == FOREIGN
        assert admission().refusal(message, OWNER, T0) is None
    for command in STOPPING:
        assert admission().refusal(a_command(command), stranger, T0) is None


@given(
    st.sampled_from(sorted(STOPPING)),
    st.integers(),
    st.text("ab-9é", max_size=4),
    st.none() | st.integers(),
    st.integers(),
)
def test_stopping_is_never_refused(
    command: Command, issued_ns: int, nonce: str, uid: int | None, now_ns: int
) -> None:
    door = admission()
    for _ in range(2):
        message = a_command(command, issued_ns=issued_ns, nonce=nonce)
        assert door.refusal(message, Peer(pid=1, uid=uid), now_ns) is None


SENT = st.tuples(
    st.sampled_from(POWERFUL),
    st.sampled_from(["", "a", "b", "c"]),
    st.integers(0, 3 * COMMAND_LIFETIME_NS),
    st.integers(0, COMMAND_LIFETIME_NS),
)


@given(st.lists(SENT, max_size=20))
def test_whatever_is_sent_no_message_is_admitted_twice(
    sent: list[tuple[Command, str, int, int]],
) -> None:
    door, admitted, now_ns = admission(), [], T0
    for command, nonce, issued_ns, pause_ns in sent:
        now_ns += pause_ns
        message = a_command(command, issued_ns=T0 + issued_ns, nonce=nonce)
        if door.refusal(message, OWNER, now_ns) is None:
            admitted.append(message)
    assert len(set(admitted)) == len(admitted)
