"""Who guesses has to wait, longer each time; nobody is locked out by a stranger, or for ever."""

from collections.abc import Callable

import pytest

from holdfast.api.auth.attempt_limit import (
    FORGOTTEN_S,
    FREE,
    FREE_OF_ADDRESS,
    KEPT,
    LONGEST_S,
    AttemptLimit,
    LoginLimits,
    neighbourhood,
)
from holdfast.api.auth.errors import AuthRefused

OWNER, STRANGER = "192.0.2.1", "203.0.113.9"


class Seconds:
    def __init__(self) -> None:
        self.s = 1000.0

    def __call__(self) -> float:
        return self.s


def wait_s(check: Callable[[], None]) -> int:
    """Tells how long one has to wait; 0 not at all."""
    try:
        check()
    except AuthRefused as refused:
        return int(refused.headers["Retry-After"])
    return 0


def test_the_wait_doubles_with_each_mistake_and_has_an_end() -> None:
    clock = Seconds()
    limit = AttemptLimit(clock_s=clock)
    waits = []
    for _ in range(FREE + 15):
        waits.append(wait_s(lambda: limit.check("k")))
        clock.s += waits[-1]
        limit.check("k")
        limit.failed("k")
    assert waits[:FREE] == [0] * FREE
    assert waits[FREE : FREE + 4] == [1, 2, 4, 8]
    assert waits[-1] == LONGEST_S == max(waits)


def test_what_is_tried_meanwhile_makes_it_no_longer() -> None:
    clock = Seconds()
    limit = AttemptLimit(clock_s=clock)
    for _ in range(FREE + 5):
        limit.failed("k")
    wait = wait_s(lambda: limit.check("k"))
    for _ in range(wait):
        assert wait_s(lambda: limit.check("k")) > 0
        clock.s += 1
    limit.check("k")


def test_mistakes_are_forgotten_with_time_and_with_success() -> None:
    clock = Seconds()
    limit = AttemptLimit(clock_s=clock)
    for _ in range(FREE + 5):
        limit.failed("a", "b")
    assert limit.has_failed("a")
    limit.succeeded("a")
    limit.check("a")
    assert not limit.has_failed("a")
    clock.s += FORGOTTEN_S
    assert not limit.has_failed("b")
    limit.failed("b")
    limit.check("b")


def test_whatever_comes_no_more_are_remembered_than_there_is_room_for() -> None:
    clock = Seconds()
    limit = AttemptLimit(clock_s=clock)
    for _ in range(FREE + 8):
        limit.failed("the guesser")
    for number in range(3 * KEPT):
        limit.failed(f"passer-by {number}")
    assert len(limit._made) <= KEPT
    with pytest.raises(AuthRefused):
        limit.check("the guesser")
    clock.s += FORGOTTEN_S
    limit.failed("one more")
    assert len(limit._made) == 1


def guess(limits: LoginLimits, clock: Seconds, address: str, tries: int) -> None:
    """Guesses as fast as one is let."""
    for _ in range(tries):
        clock.s += wait_s(lambda: limits.check("anna", address, known=False))
        limits.failed("anna", address, known=False)


def test_a_stranger_locks_out_neither_who_is_known_nor_who_comes_for_the_first_time() -> None:
    clock = Seconds()
    limits = LoginLimits(clock)
    guess(limits, clock, STRANGER, 15)
    assert wait_s(lambda: limits.check("anna", STRANGER, known=False)) > 0
    assert wait_s(lambda: limits.check("anna", OWNER, known=True)) == 0
    assert wait_s(lambda: limits.check("anna", "198.51.100.3", known=False)) == 0
    # Known there, he may also be mistaken now and then.
    for _ in range(FREE - 1):
        limits.failed("anna", OWNER, known=True)
    assert wait_s(lambda: limits.check("anna", OWNER, known=True)) == 0


def test_many_strangers_have_one_count_together() -> None:
    clock = Seconds()
    limits = LoginLimits(clock)
    for number in range(FREE + 8):
        limits.failed("anna", f"203.0.113.{number}", known=False)
    assert wait_s(lambda: limits.check("anna", "203.0.113.1", known=False)) > 60
    assert wait_s(lambda: limits.check("otto", "203.0.113.1", known=False)) == 0


def test_from_one_address_all_accounts_together_are_limited() -> None:
    clock = Seconds()
    limits = LoginLimits(clock)
    for number in range(FREE_OF_ADDRESS + 3):
        limits.failed(f"user{number}", STRANGER, known=False)
    assert wait_s(lambda: limits.check("anna", STRANGER, known=False)) > 0
    assert wait_s(lambda: limits.check("anna", OWNER, known=False)) == 0


def test_an_account_of_ones_own_does_not_help_to_guess_anothers() -> None:
    clock = Seconds()
    limits = LoginLimits(clock)
    for _ in range(FREE + 3):
        limits.failed("anna", STRANGER, known=False)
        limits.succeeded("mallory", STRANGER, known=True)
    assert wait_s(lambda: limits.check("anna", STRANGER, known=False)) > 0


def test_a_success_forgets_the_mistakes_of_who_is_known_there() -> None:
    clock = Seconds()
    limits = LoginLimits(clock)
    for _ in range(FREE + 3):
        limits.failed("anna", OWNER, known=True)
    limits.succeeded("anna", OWNER, known=True)
    assert wait_s(lambda: limits.check("anna", OWNER, known=True)) == 0


@pytest.mark.parametrize(
    ("address", "other"),
    [
        ("2001:db8::1", "2001:db8::ffff:1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::2%eth0"),
        ("unknown", "unknown"),
    ],
)
def test_addresses_of_one_customer_are_one(address: str, other: str) -> None:
    assert neighbourhood(address) == neighbourhood(other)
    assert neighbourhood("2001:db8:0:1::1") != neighbourhood("2001:db8:0:2::1")
