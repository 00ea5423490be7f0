"""Passwords: which are taken, and that checking them cannot starve the computer."""

import os
import threading
from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher

from holdfast.api.auth.errors import AuthRefused
from holdfast.api.auth.passwords import ARGON2, LONGEST, WAITING, PasswordDesk, check_new_password
from holdfast.testing.waiting import until
from tests.api.auth.bench import PASSWORD, QUICK


@pytest.fixture
def desk() -> Iterator[PasswordDesk]:
    desk = PasswordDesk(QUICK)
    yield desk
    desk.close()


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("", "has 0 characters; 10 are the least"),
        ("short one", "has 9 characters"),
        ("x" * (LONGEST + 1), "has 201 characters, and 200 are permitted"),
        ("Annabelle1", "hardly more than the name"),
        ("annabelle99", "hardly more than the name"),
        ("aaaaaaaaaa", "1 different characters; 5 are the least"),
        ("1212121212", "2 different characters"),
    ],
)
def test_a_password_that_is_easily_guessed_is_refused_with_what_would_do(
    password: str, words: str
) -> None:
    with pytest.raises(AuthRefused, match=words) as refused:
        check_new_password("annabelle", password)
    assert refused.value.status == 409


@pytest.mark.parametrize("password", [PASSWORD, "x1y2z3a4b5", "äöü ßéñ €µ", "one two three " * 14])
def test_others_are_taken_as_they_are(password: str, desk: PasswordDesk) -> None:
    check_new_password("annabelle", password)
    kept = desk.hash(password)
    assert password not in kept
    assert desk.fits(kept, password)
    for wrong in ("", password[:-1], password + " ", password.upper() + "X"):
        assert not desk.fits(kept, wrong)


def test_of_one_password_no_two_hashes_are_alike(desk: PasswordDesk) -> None:
    assert desk.hash(PASSWORD) != desk.hash(PASSWORD)


def test_a_hash_that_is_none_lets_nobody_in(desk: PasswordDesk) -> None:
    for kept in ("", "x", "$argon2id$v=19$m=8", PASSWORD):
        assert not desk.fits(kept, kept)


def test_it_is_argon2id_and_fit_for_a_small_computer() -> None:
    assert ARGON2.type.name == "ID"
    assert 19 * 1024 <= ARGON2.memory_cost <= 64 * 1024
    assert ARGON2.time_cost >= 2
    assert ARGON2.parallelism == 1


class SlowHasher(PasswordHasher):
    """Counts who is at it at once, and lets nobody go before the test says so."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.go_on = threading.Event()
        self.begun = self.at_once = self.most_at_once = 0
        self.checked: list[str] = []
        self.nice = 0

    def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # type: ignore[override]  # noqa: A002
        self.begun += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.checked.append(str(hash))
        self.nice = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
        assert self.go_on.wait(60)
        self.at_once -= 1
        return super().verify(hash, password)


def test_who_is_not_known_is_checked_against_a_hash_as_costly() -> None:
    hasher = SlowHasher()
    hasher.go_on.set()
    desk = PasswordDesk(hasher)
    kept = desk.hash(PASSWORD)
    assert desk.fits(kept, PASSWORD)
    assert not desk.fits(None, PASSWORD)
    known, nobodys = hasher.checked
    assert nobodys != known
    assert nobodys.split("$")[:4] == known.split("$")[:4]
    desk.close()


def test_one_is_checked_at_a_time_a_few_wait_and_the_rest_is_told_to_come_again() -> None:
    hasher = SlowHasher()
    desk = PasswordDesk(hasher)
    found: list[bool] = []
    threads = [
        threading.Thread(target=lambda: found.append(desk.fits(None, PASSWORD)))
        for _ in range(1 + WAITING)
    ]
    for thread in threads:
        thread.start()
    until(lambda: hasher.begun == 1 and desk._room._value == 0, "all wait")
    for _ in range(50):
        with pytest.raises(AuthRefused, match="again in 3 s") as refused:
            desk.fits(None, PASSWORD)
        assert (refused.value.status, refused.value.headers) == (429, {"Retry-After": "3"})
    hasher.go_on.set()
    for thread in threads:
        thread.join()
    assert found == [False] * (1 + WAITING)
    assert hasher.most_at_once == 1
    assert not desk.fits(None, PASSWORD)  # there is room again
    desk.close()


def test_all_else_on_the_computer_goes_first() -> None:
    hasher = SlowHasher()
    hasher.go_on.set()
    desk = PasswordDesk(hasher)
    desk.fits(None, PASSWORD)
    desk.close()
    here = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    assert hasher.nice == max(here, 10)
