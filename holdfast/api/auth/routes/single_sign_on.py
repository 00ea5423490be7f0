"""The way to the provider of single sign-on and back; a browser goes it, not a page's script."""

import hmac
from html import escape
from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from holdfast.api.auth.accounts import SsoPerson
from holdfast.api.auth.auth import Auth
from holdfast.api.auth.dependencies import REFUSALS, AuthOf
from holdfast.api.auth.errors import AuthRefused
from holdfast.api.auth.request_origin import client_address
from holdfast.api.auth.routes.wire import Id, set_cookie
from holdfast.core.errors import HoldfastError

if TYPE_CHECKING:
    from holdfast.api.auth.oidc import SingleSignOn

router = APIRouter(prefix="/oidc", tags=["auth"], responses=REFUSALS)
STATE_COOKIE = "holdfast_sign_on"
_STATE_S = 300
_PAGE = """\
<!doctype html><html lang="en"><meta charset="utf-8"><title>Holdfast</title>
<h1>You are not logged in</h1><p>{}</p><p><a href="/">Back</a></p></html>
"""


@router.get("/login", response_class=RedirectResponse, status_code=303)
def to_provider(request: Request, auth: AuthOf) -> Response:
    """Sends the browser to the provider."""
    sso = _sso(auth)
    callback = f"{auth.origin(request)}{request.url.path.removesuffix('/login')}/callback"
    address, state = sso.begin(callback, client_address(request))
    response = RedirectResponse(address, 303)
    # Lax, for the way back begins on the provider's page.
    response.set_cookie(
        STATE_COOKIE,
        state,
        max_age=_STATE_S,
        path=request.url.path.removesuffix("/login"),
        httponly=True,
        samesite="lax",
        secure=callback.startswith("https://"),
    )
    return response


@router.get("/callback", response_class=RedirectResponse, status_code=303)
def from_provider(
    request: Request,
    auth: AuthOf,
    state: Id = "",
    code: str = "",
    iss: str | None = None,
    error: str = "",
) -> Response:
    """Takes the browser back, and logs in who came."""
    sso = _sso(auth)

    def sign_on() -> SsoPerson:
        if error or not code:
            raise AuthRefused(403, f"the provider has refused: {error[:100] or 'no code came'}")
        # Only the browser that was sent may come back: nobody else's login is put upon it.
        if not hmac.compare_digest(request.cookies.get(STATE_COOKIE, "").encode(), state.encode()):
            raise AuthRefused(403, "this login was not begun in this browser: begin again")
        return sso.finish(state, code, iss)

    try:
        logged_in = auth.login.with_single_sign_on(sign_on, client_address(request))
    except HoldfastError as refused:
        status = refused.status if isinstance(refused, AuthRefused) else 503
        return HTMLResponse(_PAGE.format(escape(str(refused))), status)
    response = RedirectResponse("/", 303)
    set_cookie(request, response, logged_in)
    response.delete_cookie(STATE_COOKIE, path=request.url.path.removesuffix("/callback"))
    return response


def _sso(auth: Auth) -> "SingleSignOn":
    if auth.sso is None:
        raise AuthRefused(404, "there is no single sign-on here: site.yaml has no api.oidc")
    return auth.sso
