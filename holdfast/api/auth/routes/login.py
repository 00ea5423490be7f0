"""Logging in and out, and who one is."""

from typing import Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from holdfast.api.auth.dependencies import REFUSALS, AuthOf, own_page
from holdfast.api.auth.passkeys import can_have_passkeys
from holdfast.api.auth.request_origin import client_address
from holdfast.api.auth.routes.wire import (
    Code,
    Id,
    Me,
    Name,
    Password,
    Person,
    entered,
    me,
    take_cookie,
)
from holdfast.api.bodies import Body
from holdfast.client.messages import Act

router = APIRouter(tags=["auth"], responses=REFUSALS)
FROM_OWN_PAGE = [Depends(own_page)]


class LoginState(BaseModel):
    """Tells a page how one can log in."""

    setup_needed: bool
    open_to_view: bool
    passkeys: bool
    """Says whether browsers offer passkeys at this address."""
    oidc: str | None
    """Names single sign-on; null: there is none."""


class Setup(Body):
    """Makes the first admin."""

    code: Code
    name: Name
    password: Password


class Login(Body):
    """Holds what somebody typed."""

    name: Name
    password: Password
    totp: Code = ""


class PasskeyLogin(Body):
    """Holds what the browser answered to ``passkeys/login/begin``."""

    ceremony: Id
    credential: dict[str, Any]


class CeremonyBegun(BaseModel):
    """Holds what the page hands to the browser's ``navigator.credentials``."""

    ceremony: str
    options: dict[str, Any]


@router.get("/state")
def state(request: Request, auth: AuthOf) -> LoginState:
    """Tells how one can log in."""
    return LoginState(
        setup_needed=auth.setup.is_needed(),
        open_to_view=auth.api.open_to_view,
        passkeys=can_have_passkeys(auth.origin(request)),
        oidc=None if auth.api.oidc is None else auth.api.oidc.name,
    )


@router.get("/me")
def who_am_i(request: Request, auth: AuthOf) -> Me:
    """Tells who asks, also who has not logged in."""
    principal = auth.principal(request)
    is_person = principal.session is not None
    return me(principal, auth.store.read().named(principal.name) if is_person else None)


@router.post("/setup", dependencies=FROM_OWN_PAGE)
def set_up(body: Setup, request: Request, response: Response, auth: AuthOf) -> Me:
    """Makes the first admin with the code on the console, and logs him in."""
    address = client_address(request)
    logged_in = auth.login.set_up(body.code, body.name, body.password, address)
    return entered(request, response, logged_in)


@router.post("/login", dependencies=FROM_OWN_PAGE)
def log_in(body: Login, request: Request, response: Response, auth: AuthOf) -> Me:
    """Logs in. Where the header X-Holdfast-Needs: totp comes back, the code has to come along."""
    address = client_address(request)
    logged_in = auth.login.with_password(body.name, body.password, body.totp, address)
    return entered(request, response, logged_in)


@router.post("/passkeys/login/begin", dependencies=FROM_OWN_PAGE)
def begin_passkey_login(request: Request, auth: AuthOf) -> CeremonyBegun:
    """Asks the browser for a passkey of this site."""
    begun = auth.passkeys.begin_login(auth.origin(request), client_address(request))
    return CeremonyBegun(ceremony=begun.ceremony, options=begun.options)


@router.post("/passkeys/login/finish", dependencies=FROM_OWN_PAGE)
def finish_passkey_login(
    body: PasskeyLogin, request: Request, response: Response, auth: AuthOf
) -> Me:
    """Logs in with the browser's answer."""
    logged_in = auth.login.with_passkey(body.ceremony, body.credential, client_address(request))
    return entered(request, response, logged_in)


@router.post("/logout", status_code=204)
def log_out(principal: Person, response: Response, auth: AuthOf) -> None:
    """Ends this session: its cookie is worth nothing from now on, wherever it is."""
    assert principal.session is not None
    auth.sessions.end(principal.name, principal.session)
    auth.tell(principal, Act.LOGOUT)
    take_cookie(response)
