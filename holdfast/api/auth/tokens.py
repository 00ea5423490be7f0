"""Tokens let programs in: each has a name, a role, perhaps fewer rights than that, and an end."""

import secrets
from datetime import datetime, timedelta

from holdfast.api.access import Right, UserRole, rights_without_a_person
from holdfast.api.auth.accounts import Account, Accounts, ApiToken, hash_of, new_id
from holdfast.api.auth.errors import AuthRefused

PREFIX = "hf_"
"""Whoever finds one in a file knows what it is."""
LONGEST = timedelta(days=3650)
EACH = 50
"""So many has one account."""


def make_token(
    account: Account,
    *,
    name: str,
    role: UserRole,
    rights: tuple[Right, ...] | None,
    expires: datetime,
    now: datetime,
) -> tuple[str, ApiToken]:
    """Returns the secret of a new token of ``account``, which is shown once, and what is kept.

    Raises AuthRefused, which names what would be right.
    """
    if role.rank > account.role.rank:
        raise AuthRefused(403, f"role: {role} is above yours; it may be {account.role} at most")
    lacking = sorted(set(rights or ()) - rights_without_a_person(role))
    if lacking:
        raise AuthRefused(409, f"rights: a token of a {role} cannot have {', '.join(lacking)}")
    if rights is not None and not rights:
        raise AuthRefused(409, "rights: are none; leave them out for all of the role")
    if not now < expires <= now + LONGEST:
        raise AuthRefused(409, f"expires: must lie ahead, and within {LONGEST.days} days")
    if len(account.tokens) >= EACH:
        raise AuthRefused(409, f"there are {EACH} tokens already: take one back first")
    if any(token.name == name for token in account.tokens):
        raise AuthRefused(409, f"name: there is a token {name} already")
    secret = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken(
        id=new_id(),
        name=name,
        hash=hash_of(secret),
        role=role,
        rights=rights,
        made=now,
        expires=expires,
    )
    return secret, token


def rights_of_token(account: Account, token: ApiToken) -> frozenset[Right]:
    """Returns what a token may do: never more than its account may now."""
    role = min(account.role, token.role, key=lambda role: role.rank)
    rights = rights_without_a_person(role)
    return rights if token.rights is None else rights & frozenset(token.rights)


class TokenIndex:
    """Finds tokens by their secrets."""

    def __init__(self) -> None:
        self._indexed: tuple[Accounts | None, dict[str, tuple[Account, ApiToken]]] = (None, {})

    def find(self, accounts: Accounts, secret: str) -> tuple[Account, ApiToken] | None:
        """Returns the token of that secret and its account; None if there is none."""
        of, by_hash = self._indexed
        if of is not accounts:
            by_hash = {token.hash: (account, token) for account, token in accounts.tokens()}
            self._indexed = accounts, by_hash
        return by_hash.get(hash_of(secret))
