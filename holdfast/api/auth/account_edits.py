"""What may be done to accounts, by their owners, by an admin, or on the command line.

Each edit returns the accounts as they are after it, or raises AuthRefused with what would be right.
"""

import re
from dataclasses import replace
from datetime import datetime

from holdfast.api.access import UserRole
from holdfast.api.auth.accounts import Account, Accounts, ApiToken, SsoPerson, new_id
from holdfast.api.auth.errors import AuthRefused

MAX_ACCOUNTS = 200
_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,47}")
SSO = "sso:"
"""Accounts of single sign-on begin with it, and no other can."""


def as_name(text: str) -> str:
    """Returns a new account's name as it was meant. Raises AuthRefused if it can be none."""
    name = text.strip().lower()
    if not _NAME.fullmatch(name):
        raise AuthRefused(
            409, "name: may have 48 letters from a to z, digits, and . _ @ - after the first"
        )
    return name


def named(accounts: Accounts, name: str) -> Account:
    """Returns the account of that name. Raises AuthRefused (404)."""
    account = accounts.named(name)
    if account is None:
        raise AuthRefused(404, f"there is no account {name}")
    return account


def added(accounts: Accounts, account: Account) -> Accounts:
    """Adds an account."""
    if accounts.named(account.name) is not None:
        raise AuthRefused(409, f"name: there is a {account.name} already")
    if len(accounts.users) >= MAX_ACCOUNTS:
        raise AuthRefused(409, f"there are {MAX_ACCOUNTS} accounts already")
    return accounts.having(account)


def removed(accounts: Accounts, name: str) -> Accounts:
    """Removes an account, with its sessions and tokens."""
    named(accounts, name)
    return _still_managed(accounts, accounts.without(name), name)


def with_role(accounts: Accounts, name: str, role: UserRole) -> Accounts:
    """Gives an account another role; it holds at once."""
    account = named(accounts, name)
    if account.subject is not None:
        raise AuthRefused(409, f"{name}: has the role that single sign-on gives; change it there")
    after = accounts.having(replace(account, role=role))
    return _still_managed(accounts, after, name)


def with_password(accounts: Accounts, name: str, password_hash: str) -> Accounts:
    """Gives an account another password; all its sessions end."""
    account = named(accounts, name)
    if account.subject is not None:
        raise AuthRefused(409, f"{name}: logs in by single sign-on, without a password here")
    return accounts.having(replace(account, password_hash=password_hash, stamp=new_id()))


def without_second_factor(accounts: Accounts, name: str) -> Accounts:
    """Takes TOTP and passkeys from an account whose owner has lost them; all its sessions end."""
    account = named(accounts, name)
    return accounts.having(replace(account, totp=None, passkeys=(), stamp=new_id()))


def with_token(accounts: Accounts, name: str, token: ApiToken) -> Accounts:
    """Gives an account one token more."""
    account = named(accounts, name)
    return accounts.having(replace(account, tokens=(*account.tokens, token)))


def without_token(accounts: Accounts, name: str, token_id: str) -> Accounts:
    """Takes a token back."""
    account = named(accounts, name)
    tokens = tuple(token for token in account.tokens if token.id != token_id)
    if tokens == account.tokens:
        raise AuthRefused(404, f"{name} has no token {token_id}")
    return accounts.having(replace(account, tokens=tokens))


def signed_on(accounts: Accounts, person: SsoPerson, now: datetime) -> Accounts:
    """Adds or updates the account of who comes by single sign-on."""
    account = next((user for user in accounts.users if user.subject == person.subject), None)
    if account is not None:
        return accounts.having(replace(account, role=person.role))
    name = SSO + re.sub(r"[^a-z0-9._@-]", "-", person.name.lower())[:48]
    if accounts.named(name) is not None:
        raise AuthRefused(
            409, f"{name}: is somebody else at the provider; an admin has to remove him first"
        )
    account = Account(name=name, role=person.role, made=now, subject=person.subject)
    return added(accounts, account)


def _still_managed(before: Accounts, after: Accounts, name: str) -> Accounts:
    if before.has_admin and not after.has_admin:
        raise AuthRefused(409, f"{name}: is the last admin; make another one first")
    return after
