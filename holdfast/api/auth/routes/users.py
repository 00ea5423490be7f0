"""All accounts, for an admin."""

from datetime import datetime
from functools import partial

from fastapi import APIRouter
from pydantic import BaseModel

from holdfast.api.access import UserRole
from holdfast.api.auth.account_edits import (
    added,
    as_name,
    named,
    removed,
    with_password,
    with_role,
    without_second_factor,
)
from holdfast.api.auth.accounts import Account, Accounts
from holdfast.api.auth.auth import Auth
from holdfast.api.auth.dependencies import REFUSALS, AuthOf
from holdfast.api.auth.passwords import check_new_password
from holdfast.api.auth.routes.own_sessions import Ended
from holdfast.api.auth.routes.wire import Manager, Name, Password, RoleOfUser
from holdfast.api.bodies import Body
from holdfast.client.messages import Act
from holdfast.site.push_book import without_account

router = APIRouter(prefix="/users", tags=["auth"], responses=REFUSALS)


class UserInfo(BaseModel):
    """Tells who has an account, and how well it is kept."""

    name: str
    role: UserRole
    made: datetime
    single_sign_on: bool
    totp: bool
    passkeys: int
    tokens: int
    sessions: int


class NewUser(Body):
    """Says who gets an account."""

    name: Name
    role: RoleOfUser
    password: Password


class UserChange(Body):
    """Says what changes; what is left out stays."""

    role: RoleOfUser | None = None
    password: Password | None = None
    second_factor: bool | None = None
    """false takes authenticator app and passkeys away, from who has lost them."""


@router.get("")
def users(_: Manager, auth: AuthOf) -> list[UserInfo]:
    """Lists all accounts."""
    return [_info(auth, account) for account in auth.store.read().users]


@router.post("", status_code=201)
def add(body: NewUser, principal: Manager, auth: AuthOf) -> UserInfo:
    """Adds an account."""
    name = as_name(body.name)
    check_new_password(name, body.password)
    account = Account(
        name=name,
        role=body.role,
        made=auth.now(),
        password_hash=auth.passwords.hash(body.password),
    )
    auth.store.change(lambda accounts: added(accounts, account))
    auth.tell(principal, Act.ACCOUNT, f"{name} added as {body.role}")
    return _info(auth, account)


@router.patch("/{name}")
def change(name: Name, body: UserChange, principal: Manager, auth: AuthOf) -> UserInfo:
    """Changes role or password of an account, or takes its second factors away."""
    named(auth.store.read(), name)
    new_hash = None
    if body.password is not None:
        check_new_password(name, body.password)
        new_hash = auth.passwords.hash(body.password)
    told: list[str] = []

    def edit(accounts: Accounts) -> Accounts:
        told.clear()
        if body.role is not None:
            accounts = with_role(accounts, name, body.role)
            told.append(f"role {body.role}")
        if new_hash is not None:
            accounts = with_password(accounts, name, new_hash)
            told.append("password")
        if body.second_factor is False:
            accounts = without_second_factor(accounts, name)
            told.append("second factor removed")
        return accounts

    accounts = auth.store.change(edit)
    auth.tell(principal, Act.ACCOUNT, f"{name}: {', '.join(told) or 'nothing changed'}")
    return _info(auth, named(accounts, name))


@router.delete("/{name}", status_code=204)
def remove(name: Name, principal: Manager, auth: AuthOf) -> None:
    """Removes an account, with its sessions, its tokens, and the browsers that are told."""
    auth.store.change(lambda accounts: removed(accounts, name))
    auth.sessions.end_all(name)
    auth.push_shelf.change(partial(without_account, account=name))
    auth.tell(principal, Act.ACCOUNT, f"{name} removed")


@router.delete("/{name}/sessions")
def log_out(name: Name, principal: Manager, auth: AuthOf) -> Ended:
    """Logs somebody out everywhere."""
    ended = auth.sessions.end_all(named(auth.store.read(), name).name)
    auth.tell(principal, Act.LOGOUT, f"{name} everywhere: {ended} sessions")
    return Ended(ended=ended)


def _info(auth: Auth, account: Account) -> UserInfo:
    return UserInfo(
        name=account.name,
        role=account.role,
        made=account.made,
        single_sign_on=account.subject is not None,
        totp=account.totp is not None,
        passkeys=len(account.passkeys),
        tokens=len(account.tokens),
        sessions=len(auth.sessions.of(account.name)),
    )
