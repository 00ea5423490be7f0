"""Logging in: by the set-up code, by name and password with a second factor, by a passkey, or by
single sign-on. Each way ends in a new session, and in the audit log."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from holdfast.api.access import UserRole
from holdfast.api.auth import totp
from holdfast.api.auth.account_edits import as_name, named, signed_on
from holdfast.api.auth.account_store import AccountStore
from holdfast.api.auth.accounts import Account, Accounts, SsoPerson
from holdfast.api.auth.attempt_limit import LoginLimits
from holdfast.api.auth.errors import AuthRefused
from holdfast.api.auth.passkeys import PasskeyDesk
from holdfast.api.auth.passwords import PasswordDesk, check_new_password
from holdfast.api.auth.sessions import SessionBook
from holdfast.api.auth.setup_code import SetupCode
from holdfast.client.messages import Act

NEEDS_TOTP = {"X-Holdfast-Needs": "totp"}
"""A page that gets it asks for the code, and sends name and password again with it."""
_SETUP, _PASSKEY = "the set-up", "a passkey"
"""Names no account can have."""


class Tells(Protocol):
    """Puts on record what somebody did."""

    def __call__(
        self, who: str, how: str, what: Act, detail: str = "", *, accepted: bool = True
    ) -> None:
        """``how`` tells by what he was known; ``accepted`` is false where he was refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedIn:
    """Holds what the browser gets."""

    secret: str
    """For the cookie; it stands nowhere else."""
    account: Account


class LoginDesk:
    """Lets people in."""

    def __init__(
        self,
        *,
        store: AccountStore,
        sessions: SessionBook,
        passwords: PasswordDesk,
        setup: SetupCode,
        limits: LoginLimits,
        passkeys: PasskeyDesk,
        tell: Tells,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._passwords = passwords
        self._setup = setup
        self._limits = limits
        self._passkeys = passkeys
        self._tell = tell
        self._now = now

    def set_up(self, code: str, name: str, password: str, address: str) -> LoggedIn:
        """Makes the first admin, and logs him in. Raises AuthRefused, AccountsCorrupt."""
        self._limits.check(_SETUP, address, known=False)
        name = as_name(name)
        check_new_password(name, password)
        admin = Account(
            name=name,
            role=UserRole.ADMIN,
            made=self._now(),
            password_hash=self._passwords.hash(password),
        )
        how = f"set-up code from {address}"
        try:
            self._setup.make_admin(code, admin)
        except AuthRefused as error:
            if error.status == 403:
                self._limits.failed(_SETUP, address, known=False)
            self._tell(name, how, Act.SETUP, str(error), accepted=False)
            raise
        self._tell(name, how, Act.SETUP, "the first admin is made")
        return self._open(admin, "set-up code", address)

    def with_password(self, name: str, password: str, code: str, address: str) -> LoggedIn:
        """Logs in by name and password, and ``code`` where the account has TOTP. Raises
        AuthRefused (401, 429), AccountsCorrupt."""
        return self._open(self.identified(name, password, code, address), "password", address)

    def identified(self, name: str, password: str, code: str, address: str) -> Account:
        """Returns the account of ``name``, without logging in. Raises as :meth:`with_password`."""
        name = name.strip().lower()
        known = any(session.address == address for session in self._sessions.of(name))
        self._limits.check(name, address, known=known)
        account = self._store.read().named(name)
        try:
            account = self._with_password(account, password)
            account = self._with_totp(account, code)
        except AuthRefused as error:
            if error.status == 401 and error.headers != NEEDS_TOTP:
                self._limits.failed(name, address, known=known)
                self._failed(name, f"password from {address}", error)
            raise
        self._limits.succeeded(name, address, known=known)
        return account

    def with_passkey(self, ceremony: str, credential: dict[str, Any], address: str) -> LoggedIn:
        """Logs in by a passkey. Raises AuthRefused, AccountsCorrupt."""
        self._limits.check(_PASSKEY, address, known=False)
        found: list[Account] = []

        def edit(accounts: Accounts) -> Accounts:
            account, passkey = self._passkeys.finish_login(accounts, ceremony, credential)
            passkeys = tuple(passkey if old.id == passkey.id else old for old in account.passkeys)
            found.append(replace(account, passkeys=passkeys))
            return accounts.having(found[0])

        try:
            self._store.change(edit)
        except AuthRefused as error:
            self._limits.failed(_PASSKEY, address, known=False)
            self._failed("somebody", f"passkey from {address}", error)
            raise
        return self._open(found[0], "passkey", address)

    def with_single_sign_on(self, sign_on: Callable[[], SsoPerson], address: str) -> LoggedIn:
        """Logs in whom ``sign_on`` returns. Raises AuthRefused, AccountsCorrupt."""
        try:
            person = sign_on()
            accounts = self._store.change(lambda accounts: signed_on(accounts, person, self._now()))
        except AuthRefused as error:
            self._failed("somebody", f"single sign-on from {address}", error)
            raise
        account = next(user for user in accounts.users if user.subject == person.subject)
        return self._open(account, "single sign-on", address)

    def proved(self, name: str, password: str, address: str) -> Account:
        """Returns the account of who is logged in, and types the password once more. Raises
        AuthRefused (403, 429), AccountsCorrupt."""
        self._limits.check(name, address, known=True)
        account = self._store.read().named(name)
        fits = self._passwords.fits(None if account is None else account.password_hash, password)
        if account is None or not fits:
            self._limits.failed(name, address, known=True)
            raise AuthRefused(403, "password: is wrong")
        return account

    def again(self, account: Account, address: str) -> LoggedIn:
        """Begins a new session of who was just logged in, in the place of those that ended."""
        return self._open(account, "password", address)

    def _with_password(self, account: Account | None, password: str) -> Account:
        """It takes as long for who is not known."""
        fits = self._passwords.fits(None if account is None else account.password_hash, password)
        if account is None or not fits:
            raise AuthRefused(401, "name or password is wrong")
        return account

    def _with_totp(self, account: Account, code: str) -> Account:
        if account.totp is None:
            return account
        if not code:
            raise AuthRefused(401, "the code of your authenticator app is missing", NEEDS_TOTP)

        def edit(accounts: Accounts) -> Accounts:
            now_known = accounts.named(account.name)
            factor = None if now_known is None else now_known.totp
            after = None if factor is None else totp.used(factor, code, self._now())
            if now_known is None or after is None:
                raise AuthRefused(401, "the code is wrong, or was used before")
            return accounts.having(replace(now_known, totp=after))

        return named(self._store.change(edit), account.name)

    def _failed(self, who: str, how: str, error: AuthRefused) -> None:
        self._tell(who, how, Act.LOGIN, str(error), accepted=False)

    def _open(self, account: Account, how: str, address: str) -> LoggedIn:
        secret, _ = self._sessions.open(account, how, address)
        self._tell(account.name, f"{how} from {address}", Act.LOGIN, f"as {account.role}")
        return LoggedIn(secret=secret, account=account)
