"""What a site has on record about persons is taken along in one archive.

Secrets are not in it: what lets somebody in is told by name and date alone.
"""

import os
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from pydantic_core import to_json

from holdfast.api.auth.account_store import AccountStore
from holdfast.api.auth.accounts import Account
from holdfast.core.config import Site
from holdfast.core.errors import AccountsCorrupt, ConfigError
from holdfast.deployment.erasing import about_persons
from holdfast.monitoring.history.database import HistoryError
from holdfast.monitoring.history.sqlite_file import back_up
from holdfast.site.file_kinds import FileKind
from holdfast.site.files import SiteFiles
from holdfast.site.push_book import PushShelf

_READ_ME = """\
What Holdfast had on record about persons at {name}.

{rows}

The audit log is whole: unpack it, and `holdfast audit verify` of a site whose state_dir holds the
folder `audit` checks its chain of hashes. Of accounts there is no password, key or token in here:
they are hashes at the site, and would serve nobody but an attacker. Names and contacts also stand
in site.yaml, which is yours and not in here.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """Tells what is in an archive."""

    file: Path
    kinds: tuple[str, ...]
    bytes: int


def pack(site: Site, files: SiteFiles, target: Path) -> Packed:
    """Writes the archive ``target``, for its owner only; it may be done while the site runs.

    Raises ConfigError if there is such a file already, or it cannot be written.
    """
    kinds = [kind for kind in about_persons() if any(kind.present(files))]
    new = target.with_name(f"{target.name}.new")
    if target.exists():
        raise ConfigError(f"{target}: there is such a file already")
    try:
        new.unlink(missing_ok=True)
        descriptor = os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w+b") as stream:
            with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr("README.txt", _read_me(site, kinds))
                for kind in kinds:
                    _add(archive, files, kind)
            stream.flush()
            os.fsync(stream.fileno())
        new.replace(target)
    except (OSError, HistoryError) as error:
        new.unlink(missing_ok=True)
        raise ConfigError(f"{target} cannot be written: {error}") from error
    return Packed(
        file=target, kinds=tuple(kind.name for kind in kinds), bytes=target.stat().st_size
    )


def _read_me(site: Site, kinds: list[FileKind]) -> str:
    rows = "\n".join(f"{kind.name}: {kind.personal}" for kind in kinds)
    return _READ_ME.format(name=site.name, rows=rows)


def _add(archive: zipfile.ZipFile, files: SiteFiles, kind: FileKind) -> None:
    if kind.name == "accounts":
        archive.writestr("accounts.json", _accounts(files))
    elif kind.name == "web_push":
        archive.writestr("browsers-told.json", _browsers(files))
    elif kind.name == "history_db":
        _add_database(archive, files.history_db)
    else:
        for path in kind.present(files):
            for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
                if file.is_file():
                    archive.write(file, file.relative_to(files.state_dir).as_posix())


def _add_database(archive: zipfile.ZipFile, file: Path) -> None:
    """Adds a copy that is whole, also while somebody writes."""
    if not file.exists():
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, file.name)
        back_up(file, copy)
        archive.write(copy, file.name)


def _accounts(files: SiteFiles) -> bytes:
    try:
        accounts = AccountStore(files.accounts).read()
    except AccountsCorrupt as error:
        return to_json({"problem": str(error)})
    return to_json({"accounts": [_told(account) for account in accounts.users]}, indent=2)


def _browsers(files: SiteFiles) -> bytes:
    """Tells whose browsers are told of notices; where, opens them to whoever knows it."""
    told = [
        {"account": one.account, "name": one.name, "made": one.made, "by": one.address.service}
        for one in PushShelf(files.web_push).read().browsers
    ]
    return to_json(told, indent=2)


def _told(account: Account) -> dict[str, object]:
    return {
        "name": account.name,
        "role": account.role,
        "made": account.made,
        "single_sign_on": account.subject,
        "password": account.password_hash is not None,
        "authenticator_app": account.totp is not None,
        "passkeys": [{"name": key.name, "made": key.made} for key in account.passkeys],
        "tokens": [
            {"name": token.name, "made": token.made, "expires": token.expires}
            for token in account.tokens
        ],
    }
