"""Passwords: what one may be, and how one is checked without starving the computer.

A hash costs a Raspberry Pi some tenths of a second and 32 MiB, so there is one at a time, at low
priority; a few may wait, and who comes then is told to come again.
"""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from holdfast.api.auth.errors import AuthRefused, too_many

SHORTEST, LONGEST = 10, 200
"""So many characters has a password."""
WAITING = 4
"""So many may wait for the one that is being hashed."""
_AGAIN_S = 3.0
_NICE = 10
_T = TypeVar("_T")

ARGON2 = PasswordHasher(time_cost=3, memory_cost=32 * 1024, parallelism=1)
"""RFC 9106 asks for three passes; of memory it gets what a small computer can spare."""


def check_new_password(name: str, password: str) -> None:
    """Raises AuthRefused, with what would be right, if ``password`` is none for ``name``."""
    wrong = _wrong_with(name, password)
    if wrong is not None:
        raise AuthRefused(409, f"password: {wrong}")


def _wrong_with(name: str, password: str) -> str | None:
    if len(password) < SHORTEST:
        return f"has {len(password)} characters; {SHORTEST} are the least, such as three words"
    if len(password) > LONGEST:
        return f"has {len(password)} characters, and {LONGEST} are permitted"
    if name.casefold() in password.casefold() and len(password) - len(name) < SHORTEST // 2:
        return "is hardly more than the name; choose something else"
    if len(set(password)) < SHORTEST // 2:
        return f"has {len(set(password))} different characters; {SHORTEST // 2} are the least"
    return None


class PasswordDesk:
    """Hashes and checks passwords, one at a time."""

    def __init__(self, hasher: PasswordHasher = ARGON2) -> None:
        self._hasher = hasher
        self._room = threading.BoundedSemaphore(1 + WAITING)
        self._worker = ThreadPoolExecutor(1, "password", initializer=_step_back)
        self._nobodys = hasher.hash(os.urandom(16).hex())
        """What is checked where there is nothing to check, so that it takes as long."""

    def hash(self, password: str) -> str:
        """Returns what is kept of ``password``. Raises AuthRefused (429) if too many wait."""
        return self._in_turn(lambda: self._hasher.hash(password))

    def fits(self, password_hash: str | None, password: str) -> bool:
        """Says whether it is the password; it takes as long where there is none. Raises
        AuthRefused (429) if too many wait."""
        return self._in_turn(lambda: self._fits(password_hash, password))

    def close(self) -> None:
        """Ends the worker."""
        self._worker.shutdown()

    def _fits(self, password_hash: str | None, password: str) -> bool:
        try:
            self._hasher.verify(password_hash or self._nobodys, password[: LONGEST + 1])
        except (VerificationError, InvalidHashError):
            return False
        return password_hash is not None

    def _in_turn(self, work: Callable[[], _T]) -> _T:
        if not self._room.acquire(blocking=False):
            raise too_many("others are logging in just now", _AGAIN_S)
        try:
            return self._worker.submit(work).result()
        finally:
            self._room.release()


def _step_back() -> None:
    """Lets everything else on this computer go first; Linux knows a priority for each thread."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
