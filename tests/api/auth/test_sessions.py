"""Sessions end by themselves and whenever somebody says so, and outlive the process that keeps
them."""

from datetime import timedelta
from pathlib import Path

import pytest

from holdfast.api.auth import sessions as module
from holdfast.api.auth.accounts import hash_of
from holdfast.api.auth.sessions import EACH, IDLE, LONGEST, SAVE_EVERY, SessionBook
from tests.api.auth.bench import NOON, Clock
from tests.api.auth.test_account_store import an_account

SECOND = timedelta(seconds=1)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def book(tmp_path: Path, clock: Clock) -> SessionBook:
    return SessionBook(tmp_path / "accounts", clock)


def open_one(book: SessionBook, name: str = "anna", address: str = "192.0.2.1") -> str:
    secret, _ = book.open(an_account(name), "password", address)
    return secret


def test_a_session_is_found_by_its_secret_alone(book: SessionBook) -> None:
    secret, session = book.open(an_account(), "password", "192.0.2.1")
    assert book.find(secret) == session
    for other in ("", session.id, session.secret_hash, secret[:-1], secret + "x"):
        assert book.find(other) is None


def test_what_lies_on_the_disk_opens_nothing(book: SessionBook, tmp_path: Path) -> None:
    secret = open_one(book)
    kept = (tmp_path / "accounts" / "sessions.json").read_text()
    assert secret not in kept
    assert hash_of(secret) in kept


def test_it_ends_when_it_is_not_used(book: SessionBook, clock: Clock) -> None:
    secret = open_one(book)
    for _ in range(5):
        clock.utc += IDLE - SECOND
        assert book.find(secret) is not None
    clock.utc += IDLE
    assert book.of("anna") == []
    assert book.find(secret) is None
    clock.utc = NOON
    assert book.find(secret) is None  # not even if the clock is set back


def test_it_ends_however_much_it_is_used(book: SessionBook, clock: Clock) -> None:
    secret = open_one(book)
    while clock.utc + IDLE / 2 < NOON + LONGEST:
        clock.utc += IDLE / 2
        assert book.find(secret) is not None
    clock.utc = NOON + LONGEST
    assert book.find(secret) is None


def test_one_ends_or_all_and_nobody_ends_anothers(book: SessionBook) -> None:
    first, second, third = (open_one(book) for _ in range(3))
    others = open_one(book, "otto")
    found = book.find(first)
    assert found is not None
    assert not book.end("otto", found.id)
    assert book.find(first) is not None
    assert book.end("anna", found.id)
    assert book.find(first) is None
    kept = book.find(second)
    assert kept is not None
    assert book.end_all("anna", but=kept.id) == 1
    assert book.find(third) is None
    assert book.end_all("anna") == 1
    assert book.find(second) is None
    assert book.find(others) is not None


def test_of_too_many_the_one_that_was_not_used_for_longest_ends(
    book: SessionBook, clock: Clock
) -> None:
    first, second = open_one(book), open_one(book)
    clock.utc += SECOND
    book.find(first)
    for _ in range(EACH - 1):
        clock.utc += SECOND
        open_one(book)
    assert len(book.of("anna")) == EACH
    assert book.find(second) is None
    assert book.find(first) is not None


def test_nobody_has_to_log_in_again_because_the_process_was_started_again(
    book: SessionBook, clock: Clock, tmp_path: Path
) -> None:
    secret, gone = open_one(book), open_one(book)
    book.end_all("anna", but=book.find(secret).id)  # type: ignore[union-attr]
    clock.utc += IDLE - SECOND
    assert book.find(secret) is not None
    assert book.has_to_save()
    book.save()
    assert not book.has_to_save()
    clock.utc += IDLE - SECOND
    again = SessionBook(tmp_path / "accounts", clock)
    assert again.find(secret) is not None
    assert again.find(gone) is None


def test_that_it_is_in_use_is_written_down_now_and_then(book: SessionBook, clock: Clock) -> None:
    secret = open_one(book)
    book.find(secret)
    assert not book.has_to_save()
    clock.utc += SAVE_EVERY
    assert book.has_to_save()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"sessions": [{}], "token_uses": {}}',
        b'{"sessions": [], "token_uses": {"a": "2026-11-29T12:00:00"}}',
    ],
)
def test_a_file_that_cannot_be_used_costs_a_login_and_is_kept(
    tmp_path: Path, clock: Clock, content: bytes
) -> None:
    path = tmp_path / "sessions.json"
    path.write_bytes(content)
    book = SessionBook(tmp_path, clock)
    assert path.with_suffix(".corrupt").read_bytes() == content
    secret = open_one(book)
    assert book.find(secret) is not None


def test_a_full_disk_lets_people_in_all_the_same(
    book: SessionBook, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "write_atomically", full)
    assert book.find(open_one(book)) is not None
    assert "No space left" in caplog.text


def test_the_uses_of_tokens_are_known_as_long_as_the_tokens_are(
    book: SessionBook, clock: Clock, tmp_path: Path
) -> None:
    assert book.last_use_of("t1") is None
    book.token_used("t1")
    book.token_used("t2")
    book.save()
    assert SessionBook(tmp_path / "accounts", clock).last_use_of("t1") == NOON
    book.keep_tokens(["t2"])
    assert book.last_use_of("t1") is None
    assert book.last_use_of("t2") == NOON
