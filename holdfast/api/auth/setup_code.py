"""The set-up code makes the first admin: who reads it on the site's own computer owns the site.

There is no password that a stranger could know before. The code is there as long as nobody is
admin, for a day at a time, and once.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import AwareDatetime, TypeAdapter

from holdfast.api.auth.account_store import AccountStore
from holdfast.api.auth.accounts import Account, Accounts
from holdfast.api.auth.errors import AuthRefused
from holdfast.api.auth.sessions import utc_now
from holdfast.api.auth.written_code import as_typed, is_written_code, new_written_code
from holdfast.core.config.api import Api
from holdfast.core.errors import AccountsCorrupt, ConfigError
from holdfast.site.files import write_atomically

LASTS = timedelta(hours=24)
_GROUPS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Code:
    text: str
    expires: AwareDatetime


_CODE = TypeAdapter(_Code)


class SetupCode:
    """Makes, shows and takes the code of the site whose accounts are in one folder."""

    def __init__(
        self, folder: Path, store: AccountStore, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._path = folder / "setup_code.json"
        self._store = store
        self._now = now

    def is_needed(self) -> bool:
        """Says whether nobody is admin. Raises AccountsCorrupt."""
        return not self._store.read().has_admin

    def shown(self) -> str | None:
        """Returns the code, a new one if there is none any more; None if it is not needed.

        Raises AccountsCorrupt, and ConfigError if it cannot be kept.
        """
        if not self.is_needed():
            return None
        kept = self._kept()
        if kept is not None:
            return kept.text
        code = _Code(text=new_written_code(_GROUPS), expires=self._now() + LASTS)
        try:
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            write_atomically(self._path, _CODE.dump_json(code))
        except OSError as error:
            raise ConfigError(f"{self._path} cannot be written: {error}") from error
        return code.text

    def make_admin(self, typed: str, admin: Account) -> None:
        """Makes ``admin`` with the code that somebody typed; then the code is used up.

        Raises AuthRefused, AccountsCorrupt, and what :meth:`AccountStore.change` does.
        """

        def edit(accounts: Accounts) -> Accounts:
            if accounts.has_admin:
                raise AuthRefused(409, "the site is set up already: log in")
            self._check(typed)
            if accounts.named(admin.name) is not None:
                raise AuthRefused(409, f"name: there is a {admin.name} already; choose another")
            return accounts.having(admin)

        self._store.change(edit)
        self._path.unlink(missing_ok=True)

    def _check(self, typed: str) -> None:
        kept = self._kept()
        if kept is None:
            raise AuthRefused(
                403, "code: is no longer valid; `holdfast users setup-code` shows a new one"
            )
        if not hmac.compare_digest(as_typed(typed).encode(), as_typed(kept.text).encode()):
            raise AuthRefused(
                403, "code: is wrong; `holdfast users setup-code` on the site's computer shows it"
            )

    def _kept(self) -> _Code | None:
        try:
            code = _CODE.validate_json(self._path.read_bytes())
        except (OSError, ValueError):
            return None
        lasts = self._now() < code.expires <= self._now() + LASTS
        return code if lasts and is_written_code(code.text, _GROUPS) else None


def address_of(api: Api) -> str:
    """Returns where a browser finds the pages."""
    scheme = "http" if api.tls == "off" else "https"
    return f"{api.public_url or f'{scheme}://{api.host}:{api.port}'}/"


def how_to_get_in(setup: SetupCode, address: str) -> str | None:
    """Returns what has to be told on the console as long as nobody is admin; ``address`` is where
    the pages are. None if there is nothing to tell."""
    try:
        code = setup.shown()
    except (AccountsCorrupt, ConfigError) as error:
        return f"Nobody can log in: {error}"
    if code is None:
        return None
    return (
        f"Nobody has an account yet: open {address} and type the set-up code {code}. It counts "
        "for a day; `holdfast users setup-code` shows it, or the next one."
    )
