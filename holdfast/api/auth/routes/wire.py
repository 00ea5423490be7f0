"""What the routes of auth have in common: bodies that are taken as they are or not at all, the
cookie, and who somebody is, in JSON."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends
from pydantic import AwareDatetime, BaseModel, BeforeValidator, Field, StringConstraints
from starlette.requests import HTTPConnection
from starlette.responses import Response

from holdfast.api.access import Principal, Right, UserRole, needs
from holdfast.api.auth.account_edits import named
from holdfast.api.auth.accounts import Account
from holdfast.api.auth.auth import COOKIE, Auth
from holdfast.api.auth.dependencies import auth_of
from holdfast.api.auth.login import LoggedIn
from holdfast.api.auth.passwords import LONGEST as LONGEST_PASSWORD
from holdfast.api.auth.sessions import LONGEST
from holdfast.core.texts import MAX_NAME

Person = Annotated[Principal, Depends(needs(Right.OWN_ACCOUNT))]
Manager = Annotated[Principal, Depends(needs(Right.USERS_MANAGE))]
Name = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME)]
Password = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_PASSWORD + 1)]
Label = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f-\x9f]{1,100}$")]
Code = Annotated[str, StringConstraints(max_length=40)]
Id = Annotated[str, StringConstraints(min_length=1, max_length=200)]
RoleOfUser = Annotated[UserRole, Field(strict=False)]
RightOfUser = Annotated[Right, Field(strict=False)]


def _only_text(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("must be a text such as 2027-01-31T00:00:00Z")  # noqa: TRY004 - pydantic's
    return value


When = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_only_text)]


class PasskeyInfo(BaseModel):
    """Tells of a passkey what its owner knows it by."""

    id: str
    name: str
    made: datetime
    host: str


class Me(BaseModel):
    """Tells who asks, and what he may do."""

    name: str | None
    role: UserRole | None
    how: str
    rights: list[Right]
    has_password: bool = False
    totp: bool = False
    recovery_codes: int = 0
    passkeys: list[PasskeyInfo] = []


def me(principal: Principal, account: Account | None) -> Me:
    """Returns what is told of who asks."""
    about: dict[str, Any] = {} if account is None else _about(account)
    return Me(
        name=principal.account,
        role=principal.role,
        how=principal.how,
        rights=sorted(principal.rights),
        **about,
    )


def _about(account: Account) -> dict[str, Any]:
    return {
        "has_password": account.password_hash is not None,
        "totp": account.totp is not None,
        "recovery_codes": 0 if account.totp is None else len(account.totp.recovery),
        "passkeys": [
            PasskeyInfo(id=key.id, name=key.name, made=key.made, host=key.rp_id)
            for key in account.passkeys
        ],
    }


def account_of(auth: Auth, principal: Principal) -> Account:
    """Returns the account of a person who has logged in. Raises AuthRefused, AccountsCorrupt."""
    return named(auth.store.read(), principal.name)


def entered(connection: HTTPConnection, response: Response, logged_in: LoggedIn) -> Me:
    """Gives the browser its cookie, ends the session that it had before, and tells who that is."""
    auth = auth_of(connection)
    before = auth.sessions.find(connection.cookies.get(COOKIE, ""))
    if before is not None:
        auth.sessions.end(before.account, before.id)
    set_cookie(connection, response, logged_in)
    person = auth.person(connection, logged_in.secret) or auth.principal(connection)
    return me(person, logged_in.account)


def set_cookie(connection: HTTPConnection, response: Response, logged_in: LoggedIn) -> None:
    """Gives the browser the cookie of a new session."""
    response.set_cookie(
        COOKIE,
        logged_in.secret,
        max_age=int(LONGEST.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=auth_of(connection).origin(connection).startswith("https://"),
    )


def take_cookie(response: Response) -> None:
    """Takes the cookie from the browser; the session has to end here all the same."""
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")
