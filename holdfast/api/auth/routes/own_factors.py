"""One's own authenticator app."""

from dataclasses import replace

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import Request

from holdfast.api.auth import totp
from holdfast.api.auth.account_edits import named
from holdfast.api.auth.accounts import Accounts
from holdfast.api.auth.auth import PendingTotp
from holdfast.api.auth.dependencies import REFUSALS, AuthOf
from holdfast.api.auth.errors import AuthRefused
from holdfast.api.auth.request_origin import client_address
from holdfast.api.auth.routes.wire import Code, Id, Password, Person, account_of
from holdfast.api.bodies import Body
from holdfast.client.messages import Act

router = APIRouter(prefix="/totp", tags=["auth"], responses=REFUSALS)


class TotpBegun(BaseModel):
    """Holds what the app is shown: ``uri`` as a QR code, or ``secret`` typed in."""

    ceremony: str
    secret: str
    uri: str


class TotpConfirmed(Body):
    """Holds the code that the app shows."""

    ceremony: Id
    code: Code


class RecoveryCodes(BaseModel):
    """Holds the codes to be written down; they are shown this once."""

    recovery_codes: list[str]


class TotpRemoved(Body):
    """Holds one's own password."""

    password: Password


@router.post("/begin")
def begin(principal: Person, auth: AuthOf) -> TotpBegun:
    """Begins to register an app; nothing changes before it has shown a right code."""
    account = account_of(auth, principal)
    if account.password_hash is None:
        raise AuthRefused(409, "you log in by single sign-on, which has factors of its own")
    if account.totp is not None:
        raise AuthRefused(409, "there is an authenticator app already: remove it first")
    new = totp.new_totp(auth.site_name, account.name)
    pending = PendingTotp(account=account.name, secret=new.secret)
    return TotpBegun(
        ceremony=auth.pending_totp.ask(account.name, pending), secret=new.secret, uri=new.uri
    )


@router.post("/confirm")
def confirm(body: TotpConfirmed, principal: Person, auth: AuthOf) -> RecoveryCodes:
    """Makes the app a second factor, once it shows a right code."""
    pending = auth.pending_totp.answered(body.ceremony)
    if pending is None or pending.account != principal.name:
        raise AuthRefused(403, "ceremony: took too long, or was used before: begin again")
    codes = totp.new_recovery_codes()
    factor = totp.confirmed(pending.secret, body.code, auth.now(), codes)
    if factor is None:
        raise AuthRefused(403, "code: is wrong: are both clocks right? Begin again")

    def edit(accounts: Accounts) -> Accounts:
        return accounts.having(replace(named(accounts, pending.account), totp=factor))

    auth.store.change(edit)
    auth.tell(principal, Act.SECOND_FACTOR, "authenticator app registered")
    return RecoveryCodes(recovery_codes=list(codes))


@router.post("/remove", status_code=204)
def remove(body: TotpRemoved, request: Request, principal: Person, auth: AuthOf) -> None:
    """Removes one's own app; who has lost it asks an admin."""
    account = auth.login.proved(principal.name, body.password, client_address(request))

    def edit(accounts: Accounts) -> Accounts:
        return accounts.having(replace(named(accounts, account.name), totp=None))

    auth.store.change(edit)
    auth.tell(principal, Act.SECOND_FACTOR, "authenticator app removed")
