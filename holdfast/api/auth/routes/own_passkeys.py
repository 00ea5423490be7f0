"""One's own passkeys."""

from dataclasses import replace
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request

from holdfast.api.auth.account_edits import named
from holdfast.api.auth.accounts import Accounts
from holdfast.api.auth.dependencies import REFUSALS, AuthOf
from holdfast.api.auth.errors import AuthRefused
from holdfast.api.auth.routes.login import CeremonyBegun
from holdfast.api.auth.routes.wire import Id, Label, PasskeyInfo, Person, account_of
from holdfast.api.bodies import Body
from holdfast.client.messages import Act

router = APIRouter(prefix="/passkeys", tags=["auth"], responses=REFUSALS)


class PasskeyMade(Body):
    """Holds what the browser answered to ``register/begin``, and a name for it."""

    ceremony: Id
    credential: dict[str, Any]
    name: Label


@router.post("/register/begin")
def begin(request: Request, principal: Person, auth: AuthOf) -> CeremonyBegun:
    """Has the browser make a passkey for this site."""
    account = account_of(auth, principal)
    begun = auth.passkeys.begin_registration(account, auth.origin(request))
    return CeremonyBegun(ceremony=begun.ceremony, options=begun.options)


@router.post("/register/finish")
def finish(body: PasskeyMade, principal: Person, auth: AuthOf) -> PasskeyInfo:
    """Keeps the passkey that the browser has made."""
    passkey = auth.passkeys.finish_registration(
        principal.name, body.ceremony, body.credential, body.name, auth.now()
    )

    def edit(accounts: Accounts) -> Accounts:
        if any(passkey.id == known.id for user in accounts.users for known in user.passkeys):
            raise AuthRefused(409, "passkey: is registered already")
        account = named(accounts, principal.name)
        return accounts.having(replace(account, passkeys=(*account.passkeys, passkey)))

    auth.store.change(edit)
    auth.tell(principal, Act.SECOND_FACTOR, f"passkey {passkey.name} registered")
    return PasskeyInfo(id=passkey.id, name=passkey.name, made=passkey.made, host=passkey.rp_id)


@router.delete("/{passkey_id}", status_code=204)
def remove(passkey_id: Id, principal: Person, auth: AuthOf) -> None:
    """Removes one of one's own passkeys."""

    def edit(accounts: Accounts) -> Accounts:
        account = named(accounts, principal.name)
        passkeys = tuple(key for key in account.passkeys if key.id != passkey_id)
        if passkeys == account.passkeys:
            raise AuthRefused(404, "you have no such passkey")
        return accounts.having(replace(account, passkeys=passkeys))

    auth.store.change(edit)
    auth.tell(principal, Act.SECOND_FACTOR, "passkey removed")
