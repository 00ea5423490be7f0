"""The file of accounts is shared by the API and the command line, and changed by one at a time.

What cannot be trusted is never made anew by us: as long as it is there, nobody can log in.
"""

from collections.abc import Callable
from pathlib import Path

from holdfast.api.auth.accounts import Accounts, decode_accounts, encode_accounts
from holdfast.core.errors import AccountsCorrupt, ConfigError
from holdfast.site.changed_alone import changed_alone
from holdfast.site.files import write_atomically

_RECOVERY = (
    "nobody can log in until it is mended, and stopping goes on: put a copy of it back, or move it "
    "away and set the site up anew with `holdfast users setup-code`"
)
_State = tuple[int, int, int] | None
"""Tells one content of the file from the next; None: there is no file."""


class AccountStore:
    """Reads and changes the accounts in one folder; threads may share it."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "accounts.json"
        self._known: tuple[_State, Accounts] = (None, Accounts())

    def read(self) -> Accounts:
        """Returns the accounts as they are now. Raises AccountsCorrupt."""
        try:
            state = self._state()
            known, accounts = self._known
            if state != known:
                accounts = Accounts() if state is None else decode_accounts(self._path.read_bytes())
                self._known = state, accounts
        except AccountsCorrupt as error:
            raise AccountsCorrupt(f"{self._path} {error}; {_RECOVERY}") from None
        except OSError as error:
            raise AccountsCorrupt(f"{self._path} cannot be read ({error}); {_RECOVERY}") from error
        return accounts

    def change(self, edit: Callable[[Accounts], Accounts]) -> Accounts:
        """Puts what ``edit`` makes of the accounts in their place, and returns it; on the disk.

        Raises what ``edit`` does, AccountsCorrupt, AlreadyRunning if somebody else is at it for
        long, and ConfigError if it cannot be written.
        """
        try:
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            with changed_alone(self._path):
                before = self.read()
                after = edit(before)
                if after != before:
                    write_atomically(self._path, encode_accounts(after))
        except OSError as error:
            raise ConfigError(f"{self._path} cannot be written: {error}") from error
        return after

    def _state(self) -> _State:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size
