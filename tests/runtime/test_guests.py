"""What a client may ask of the controller's time, and that nobody else pays for him."""

import pytest

from holdfast.runtime import guests as module
from holdfast.runtime.guests import (
    ALL_MESSAGES_PER_S,
    AT_ONCE,
    BYTES_AT_ONCE,
    BYTES_PER_S,
    CONNECTIONS_EACH,
    CONNECTIONS_IN_ALL,
    MESSAGES_PER_S,
    REMEMBERED,
    Guest,
    Guests,
)


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def monotonic(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def entered(guests: Guests, who: object) -> Guest:
    guest = guests.enter(who)
    assert isinstance(guest, Guest)
    return guest


def test_some_messages_may_come_at_once_and_then_so_many_in_a_second(clock: Clock) -> None:
    guest = entered(Guests(), 1)
    count = 0
    for _ in range(10_000):
        if guest.wait_s == 0.0:
            guest.pays_message()
            count += 1
        clock.now_s += 0.001
    assert count == pytest.approx(AT_ONCE + 10.0 * MESSAGES_PER_S, abs=2)
    assert 0.0 <= guest.wait_s <= 1.0 / MESSAGES_PER_S
    clock.now_s += guest.wait_s
    assert guest.wait_s == pytest.approx(0.0, abs=1e-6)


def test_the_longest_message_does_not_wait_and_the_next_waits_the_longer(clock: Clock) -> None:
    guest = entered(Guests(), 1)
    guest.pays_piece(1024 * 1024)
    assert guest.wait_s == 0.0
    guest.pays_piece(1024 * 1024)
    owed = 2 * 1024 * 1024 - BYTES_AT_ONCE
    assert guest.wait_s == pytest.approx(owed / BYTES_PER_S, rel=0.01)


def test_what_comes_byte_by_byte_is_paid_for_too(clock: Clock) -> None:
    guest = entered(Guests(), 1)
    pieces = 0
    while guest.wait_s == 0.0:
        guest.pays_piece(1)
        pieces += 1
    assert pieces < 20 * AT_ONCE


def test_one_who_floods_waits_and_nobody_else(clock: Clock) -> None:
    guests = Guests()
    loud, quiet = entered(guests, 1), entered(guests, 2)
    again = entered(guests, 1)
    for _ in range(int(AT_ONCE) - 1):
        loud.pays_message()
    loud.pays_piece(10**7)
    assert loud.wait_s > 1.0
    assert again is loud  # another connection brings no new tokens
    assert quiet.wait_s == 0.0


def test_all_together_have_so_much_time_and_no_more(clock: Clock) -> None:
    guests = Guests()
    many = [entered(guests, who) for who in range(CONNECTIONS_IN_ALL)]
    count = 0
    for _ in range(1000):
        for guest in many:
            if guest.wait_s == 0.0:
                guest.pays_message()
                count += 1
        clock.now_s += 0.01
    assert count == pytest.approx(AT_ONCE + 10.0 * ALL_MESSAGES_PER_S, rel=0.02)


def test_a_process_has_so_many_connections_and_all_together_too() -> None:
    guests = Guests()
    first = entered(guests, 0)
    for _ in range(CONNECTIONS_EACH - 1):
        assert entered(guests, 0) is first
    assert guests.enter(0) == "this process has 4 connections already"
    for who in range(1, CONNECTIONS_IN_ALL - CONNECTIONS_EACH + 1):
        entered(guests, who)
    assert guests.enter("one more") == "there are 32 connections already"
    guests.leave(first)
    entered(guests, "one more")


def test_who_comes_and_goes_all_the_time_is_let_in_so_many_times_a_second(clock: Clock) -> None:
    guests = Guests()
    count = 0
    for _ in range(10_000):
        guest = guests.enter(1)
        if isinstance(guest, Guest):
            guests.leave(guest)
            count += 1
        clock.now_s += 0.001
    assert count == pytest.approx(AT_ONCE + 10.0 * module.CONNECTIONS_PER_S, abs=2)
    assert guests.enter(1) == "more than 20 connections in a second"
    entered(guests, 2)


def test_who_has_gone_is_forgotten_in_the_end_and_nobody_who_is_there() -> None:
    guests = Guests()
    stays = entered(guests, "stays")
    for who in range(3 * REMEMBERED):
        guests.leave(entered(guests, who))
    assert len(guests._known) <= REMEMBERED + 1
    assert entered(guests, "stays") is stays
