"""Accounts: the files of who may log in, who has, and the code that makes the first admin."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from fuzz.target import Target
from holdfast.api.access import Right, UserRole
from holdfast.api.auth.account_store import AccountStore
from holdfast.api.auth.accounts import (
    Account,
    Accounts,
    ApiToken,
    Passkey,
    TotpFactor,
    encode_accounts,
)
from holdfast.api.auth.sessions import SessionBook
from holdfast.api.auth.setup_code import SetupCode
from holdfast.core.errors import AccountsCorrupt
from holdfast.core.sealed import seal

_NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


@cache
def _folder() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="fuzz-")


def _path(name: str) -> Path:
    return Path(_folder().name, name)


def _now() -> datetime:
    return _NOW


@cache
def _accounts() -> Accounts:
    token = ApiToken(
        id="t", name="reader", hash="h" * 64, role=UserRole.VIEWER, rights=(Right.SITE_READ,),
        made=_NOW, expires=_NOW,
    )  # fmt: skip
    key = Passkey(
        id="k", public_key="p", sign_count=1, rp_id="localhost", name="phone", made=_NOW
    )  # fmt: skip
    factor = TotpFactor(secret="A" * 32, last_step=5, recovery=("r" * 64,))
    anna = Account(
        name="anna", role=UserRole.ADMIN, made=_NOW, password_hash="$argon2id$", totp=factor,
        passkeys=(key,), tokens=(token,),
    )  # fmt: skip
    return Accounts(users=(anna, Account(name="sso:otto", role=UserRole.VIEWER, made=_NOW)))


def _account_seeds() -> Iterator[bytes]:
    for accounts in (Accounts(), _accounts()):
        yield encode_accounts(accounts).partition(b"\n")[0]


def _run_accounts(data: bytes) -> bool:
    """Sealed or not, it is taken whole or not at all, and never touched."""
    text = data.decode("utf-8", errors="replace").replace("\n", " ")
    of_use = False
    for content in (data, seal(text)):
        path = _path("accounts.json")
        path.unlink(missing_ok=True)
        path.write_bytes(content)
        try:
            accounts = AccountStore(path.parent).read()
        except AccountsCorrupt as error:
            assert len(str(error)) < 1000, "what stands in a file fills a log"
        else:
            assert all(isinstance(account.role, UserRole) for account in accounts.users)
            of_use = True
        assert path.read_bytes() == content
    return of_use


def _session_seeds() -> Iterator[bytes]:
    path = _path("sessions.json")
    path.unlink(missing_ok=True)
    book = SessionBook(path.parent, _now)
    book.open(_accounts().users[0], "password", "192.0.2.1")
    book.token_used("t")
    book.save()
    yield path.read_bytes()


def _run_sessions(data: bytes) -> bool:
    """Whatever stands there, nobody is in by a secret that he was not given, and logins go on."""
    path = _path("sessions.json")
    path.write_bytes(data)
    path.with_suffix(".corrupt").unlink(missing_ok=True)
    book = SessionBook(path.parent, _now)
    assert book.find("made up") is None
    secret, _ = book.open(_accounts().users[0], "password", "192.0.2.1")
    assert book.find(secret) is not None
    return not path.with_suffix(".corrupt").exists()


def _code_seeds() -> Iterator[bytes]:
    for path in (_path("accounts.json"), _path("setup_code.json")):
        path.unlink(missing_ok=True)
    assert SetupCode(_path(""), AccountStore(_path("")), _now).shown()
    yield _path("setup_code.json").read_bytes()


def _run_code(data: bytes) -> bool:
    """There is always a code, and none that lasts longer than a day."""
    _path("accounts.json").unlink(missing_ok=True)
    _path("setup_code.json").write_bytes(data)
    store = AccountStore(_path(""))
    shown = SetupCode(_path(""), store, _now).shown()
    assert shown is not None
    of_use = _path("setup_code.json").read_bytes() == data
    later: Callable[[], datetime] = lambda: _NOW + timedelta(hours=25)  # noqa: E731
    assert SetupCode(_path(""), store, later).shown() != shown
    return of_use


TARGETS = (
    Target(
        name="accounts_file",
        eats="accounts.json, of who may log in",
        seeds=_account_seeds,
        run=_run_accounts,
    ),
    Target(
        name="sessions_file",
        eats="sessions.json, of who has logged in",
        seeds=_session_seeds,
        run=_run_sessions,
    ),
    Target(
        name="setup_code_file",
        eats="setup_code.json, which makes the first admin",
        seeds=_code_seeds,
        run=_run_code,
    ),
)
