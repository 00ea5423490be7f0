"""Accounts are who may log in to a site, and with what; as values, and as they are kept.

Nothing in them opens anything by itself: passwords, tokens and recovery codes are hashes. The
secret of a TOTP cannot be one, so the file is for its owner's eyes alone.
"""

import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Annotated

from pydantic import AwareDatetime, Field, TypeAdapter

from holdfast.api.access import Right, UserRole
from holdfast.core.errors import AccountsCorrupt
from holdfast.core.sealed import seal, unseal


def new_id() -> str:
    """Returns a short random id, for what is no secret."""
    return secrets.token_hex(8)


def hash_of(secret: str) -> str:
    """Returns what is kept of a random secret: nobody can guess it, so a quick hash will do."""
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class TotpFactor:
    """Holds the secret that an authenticator app shares with us."""

    secret: str
    last_step: int
    """Tells the last period whose code was used: it and those before it are used up."""
    recovery: tuple[str, ...]
    """Holds the hashes of codes that stand in for the app, each of them once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passkey:
    """Holds the public half of a passkey."""

    id: str
    """Tells its id, and ``public_key`` its key, in base64url."""
    public_key: str
    sign_count: int
    rp_id: str
    """Names the host for which it was made; it works for no other."""
    name: str
    made: AwareDatetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiToken:
    """Lets a program in."""

    id: str
    name: str
    hash: str
    role: UserRole
    rights: tuple[Right, ...] | None
    """Lists what it may do of what its role may; None: all."""
    made: AwareDatetime
    expires: AwareDatetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Tells who somebody is."""

    name: str
    role: UserRole
    made: AwareDatetime
    stamp: str = field(default_factory=new_id)
    """It is made anew where all that is logged in has to end."""
    password_hash: str | None = None
    """None: by single sign-on only."""
    subject: str | None = None
    """Tells who this is at the provider of single sign-on."""
    totp: TotpFactor | None = None
    passkeys: tuple[Passkey, ...] = ()
    tokens: tuple[ApiToken, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SsoPerson:
    """Tells who somebody is, as the provider says, and what he may do, as site.yaml says."""

    subject: str
    name: str
    role: UserRole


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """Holds all accounts of a site."""

    users: tuple[Account, ...] = ()

    def __post_init__(self) -> None:
        names = [account.name for account in self.users]
        if len(set(names)) != len(names):
            raise ValueError("two accounts have one name")

    def named(self, name: str) -> Account | None:
        """Returns the account of that name; None if there is none."""
        return next((account for account in self.users if account.name == name), None)

    @property
    def has_admin(self) -> bool:
        """Says whether somebody may manage the others."""
        return any(account.role is UserRole.ADMIN for account in self.users)

    def having(self, account: Account) -> "Accounts":
        """Returns them with ``account``, in the place of the one of its name if there is one."""
        if self.named(account.name) is None:
            return replace(self, users=(*self.users, account))
        users = tuple(account if user.name == account.name else user for user in self.users)
        return replace(self, users=users)

    def without(self, name: str) -> "Accounts":
        """Returns them without the account of that name."""
        return replace(self, users=tuple(user for user in self.users if user.name != name))

    def tokens(self) -> Iterator[tuple[Account, ApiToken]]:
        """Yields each token with its account."""
        for account in self.users:
            for token in account.tokens:
                yield account, token


@dataclass(frozen=True, slots=True, kw_only=True)
class _Document:
    version: Annotated[int, Field(ge=1, le=1)]
    accounts: Accounts


_DOCUMENT = TypeAdapter(_Document)


def encode_accounts(accounts: Accounts) -> bytes:
    """Returns the content of the file."""
    document = _Document(version=1, accounts=accounts)
    return seal(_DOCUMENT.dump_json(document).decode())


def decode_accounts(content: bytes) -> Accounts:
    """Reverses it. Raises AccountsCorrupt for anything else."""
    try:
        return _DOCUMENT.validate_json(unseal(content)).accounts
    except ValueError as error:
        raise AccountsCorrupt(f"cannot be trusted ({type(error).__name__})") from None
