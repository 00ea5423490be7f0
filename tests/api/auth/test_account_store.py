"""The file of accounts: shared, changed by one at a time, and closed where it cannot be trusted."""

import stat
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.api.access import Right, UserRole
from holdfast.api.auth import account_store
from holdfast.api.auth.account_store import AccountStore
from holdfast.api.auth.accounts import (
    Account,
    Accounts,
    ApiToken,
    Passkey,
    TotpFactor,
    decode_accounts,
    encode_accounts,
)
from holdfast.core.errors import AccountsCorrupt, AlreadyRunning, ConfigError
from holdfast.site import changed_alone
from holdfast.testing.processes import Process
from holdfast.testing.waiting import until
from tests.api.auth.bench import NOON


def an_account(name: str = "anna", role: UserRole = UserRole.ADMIN) -> Account:
    return Account(name=name, role=role, made=NOON)


FULL = Accounts(
    users=(
        replace(
            an_account(),
            password_hash="$argon2id$x",
            totp=TotpFactor(secret="ABC", last_step=7, recovery=("ab", "cd")),
            passkeys=(
                Passkey(
                    id="i", public_key="k", sign_count=3, rp_id="localhost", name="“key”", made=NOON
                ),
            ),
            tokens=(
                ApiToken(
                    id="t", name="n", hash="h", role=UserRole.VIEWER, rights=(Right.SITE_READ,),
                    made=NOON, expires=NOON,
                ),
            ),
        ),
        replace(an_account("sso:otto", UserRole.VIEWER), subject="https://x|1"),
    )
)  # fmt: skip


def test_what_is_kept_comes_back() -> None:
    assert decode_accounts(encode_accounts(FULL)) == FULL


def test_nobody_has_an_account_where_there_is_no_file(tmp_path: Path) -> None:
    assert AccountStore(tmp_path / "accounts").read() == Accounts()
    assert list(tmp_path.iterdir()) == []


def test_a_change_is_seen_by_all_and_by_nobody_else(tmp_path: Path) -> None:
    one, other = AccountStore(tmp_path / "a"), AccountStore(tmp_path / "a")
    assert other.read() == Accounts()
    one.change(lambda accounts: accounts.having(an_account()))
    assert other.read() == Accounts(users=(one.read().users[0],))
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o700
    for file in (tmp_path / "a").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def corruptions(content: bytes) -> list[bytes]:
    return [
        b"", b"\n", b"{}", content[:-1], content[:100], content + b"x",
        content.replace(b'"admin"', b'"owner"'), content.replace(b"anna", b"nana"),
        content.replace(b'"version":1', b'"version":2'), b"\xff" * 50, content * 2,
    ]  # fmt: skip


@pytest.mark.parametrize("number", range(len(corruptions(b""))))
def test_a_file_that_cannot_be_trusted_closes_and_stays(tmp_path: Path, number: int) -> None:
    store = AccountStore(tmp_path)
    store.change(lambda accounts: accounts.having(an_account()))
    path = tmp_path / "accounts.json"
    corrupt = corruptions(path.read_bytes())[number]
    path.write_bytes(corrupt)
    for again in (store, AccountStore(tmp_path)):
        with pytest.raises(AccountsCorrupt, match=r"nobody can log in until.*stopping goes on"):
            again.read()
        with pytest.raises(AccountsCorrupt, match=str(path)):
            again.change(lambda accounts: accounts.having(an_account("mallory")))
    assert path.read_bytes() == corrupt


@given(st.binary(max_size=300))
def test_noise_is_no_file_of_accounts(content: bytes) -> None:
    with pytest.raises(AccountsCorrupt):
        decode_accounts(content)


def test_a_file_that_is_mended_counts_at_once(tmp_path: Path) -> None:
    store = AccountStore(tmp_path)
    store.change(lambda accounts: accounts.having(an_account()))
    path = tmp_path / "accounts.json"
    good = path.read_bytes()
    path.write_bytes(b"torn")
    with pytest.raises(AccountsCorrupt):
        store.read()
    path.write_bytes(good)
    assert store.read().named("anna") is not None


def test_an_edit_that_refuses_changes_nothing(tmp_path: Path) -> None:
    store = AccountStore(tmp_path)
    store.change(lambda accounts: accounts.having(an_account()))
    before = store.read()

    def edit(accounts: Accounts) -> Accounts:
        raise LookupError

    with pytest.raises(LookupError):
        store.change(edit)
    assert store.read() == before


def test_of_changes_at_once_none_is_lost(tmp_path: Path) -> None:
    names = [f"user{number}" for number in range(24)]

    def add(some: list[str]) -> None:
        store = AccountStore(tmp_path)
        for name in some:
            store.change(lambda accounts, name=name: accounts.having(an_account(name)))  # type: ignore[misc]

    threads = [threading.Thread(target=add, args=(names[start::4],)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {account.name for account in AccountStore(tmp_path).read().users} == set(names)


HOLDS = """
import fcntl, os, sys, time
descriptor = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.flock(descriptor, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(600)
"""


def test_another_process_that_hangs_is_named_and_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = AccountStore(tmp_path)
    store.change(lambda accounts: accounts.having(an_account()))
    monkeypatch.setattr(changed_alone, "WITHIN_S", 0.05)
    log = tmp_path / "log"
    process = Process(log, "-c", HOLDS, str(tmp_path / "accounts.lock"))
    try:
        until(lambda: "held" in process.output, "the lock is held")
        with pytest.raises(AlreadyRunning, match="holds"):
            store.change(lambda accounts: accounts.without("anna"))
        assert store.read().named("anna") is not None
    finally:
        process.end()
    store.change(lambda accounts: accounts.without("anna"))
    assert store.read().named("anna") is None


def test_a_disk_that_takes_nothing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = AccountStore(tmp_path)

    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(account_store, "write_atomically", full)
    with pytest.raises(ConfigError, match="No space left"):
        store.change(lambda accounts: accounts.having(an_account()))
    assert store.read() == Accounts()


def test_two_accounts_of_one_name_are_none() -> None:
    with pytest.raises(ValueError, match="one name"):
        Accounts(users=(an_account(), an_account()))
