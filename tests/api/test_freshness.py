"""A command that lets power flow comes once, in order, and from who has just seen the site."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.api.freshness import EARLY, NONCES, OLDEST, SENDERS, CommandFreshness
from holdfast.core.texts import MAX_ID
from tests.api.auth.bench import NOON, Clock


class Asking:
    """Asks, as one sender, with a new nonce and the next sequence unless told otherwise."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.freshness = CommandFreshness(self.clock)
        self.sequence = 0

    def ask(
        self,
        *,
        sender: str = "session a",
        nonce: str | None = None,
        sequence: int | None = None,
        seen: datetime | None = None,
    ) -> str | None:
        self.sequence += 1
        return self.freshness.refusal(
            sender,
            nonce=f"n{self.sequence}" if nonce is None else nonce,
            sequence=self.sequence if sequence is None else sequence,
            seen=self.clock.utc if seen is None else seen,
        )


def test_one_after_the_other_is_taken() -> None:
    asking = Asking()
    assert [asking.ask() for _ in range(5)] == [None] * 5


def test_a_copy_is_refused_as_long_as_what_was_seen_counts() -> None:
    asking = Asking()
    assert asking.ask(nonce="one", sequence=1) is None
    for _ in range(40):
        again = asking.freshness.refusal("session a", nonce="one", sequence=1, seen=NOON)
        assert again is not None
        other = asking.freshness.refusal("session b", nonce="one", sequence=9, seen=NOON)
        assert other is not None
        asking.clock.goes_on(seconds=1)


def test_what_was_held_back_does_not_come_after_what_followed_it() -> None:
    asking = Asking()
    assert asking.ask(sequence=7) is None
    for sequence in (7, 6, 0, -1):
        assert asking.ask(sequence=sequence) == f"sequence: {sequence} does not come after 7"
    assert asking.ask(sender="session b", sequence=1) is None
    assert asking.ask(sequence=8) is None


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (timedelta(), None),
        (OLDEST, None),
        (OLDEST + timedelta(seconds=1), "is 31 s old, and 30 s are permitted"),
        (-EARLY, None),
        (-EARLY - timedelta(seconds=1), "not come yet"),
    ],
)
def test_who_has_not_just_seen_the_site_may_not_let_power_flow(
    age: timedelta, words: str | None
) -> None:
    asking = Asking()
    asking.clock.goes_on(minutes=5)
    refusal = asking.ask(seen=asking.clock.utc - age)
    assert refusal is None if words is None else words in str(refusal)


def test_what_was_seen_before_this_process_began_does_not_count() -> None:
    """It has forgotten what came then: a copy of that would be taken."""
    asking = Asking()
    assert asking.ask(seen=NOON - timedelta(seconds=1)) is not None
    assert asking.ask(seen=NOON) is None


def test_a_refused_command_uses_nothing_up() -> None:
    asking = Asking()
    assert asking.ask(nonce="one", sequence=5, seen=NOON - timedelta(hours=1)) is not None
    assert asking.ask(nonce="one", sequence=5) is None


def test_a_time_without_zone_and_a_nonce_of_no_length_are_refused() -> None:
    asking = Asking()
    assert asking.ask(seen=NOON.replace(tzinfo=None)) == "seen: lacks its zone"
    for nonce in ("", "x" * (MAX_ID + 1)):
        assert "1 to 64 are permitted" in str(asking.ask(nonce=nonce))


def test_what_is_remembered_has_bounds() -> None:
    asking = Asking()
    for number in range(NONCES):
        assert asking.ask(sender=f"session {number}") is None
    assert "came at once" in str(asking.ask())
    asking.clock.goes_on(seconds=32)
    for number in range(NONCES):
        assert asking.ask(sender=f"other {number}") is None
    assert len(asking.freshness._sequences) == SENDERS
    assert len(asking.freshness._nonces) <= NONCES


@given(
    st.lists(
        st.tuples(
            st.sampled_from("ab"), st.sampled_from("xyz"), st.integers(0, 5), st.integers(0, 40)
        ),
        max_size=25,
    )
)
def test_whatever_is_sent_no_command_is_taken_twice(
    sent: list[tuple[str, str, int, int]],
) -> None:
    asking, taken = Asking(), []
    for sender, nonce, sequence, pause_s in sent:
        taken += [
            (sender, nonce, sequence, seen)
            for seen in (NOON, asking.clock.utc)
            if asking.ask(sender=sender, nonce=nonce, sequence=sequence, seen=seen) is None
        ]
        asking.clock.goes_on(seconds=pause_s)
    assert len(set(taken)) == len(taken)
