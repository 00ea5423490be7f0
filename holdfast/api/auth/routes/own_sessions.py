"""One's own sessions, and one's own password, whose change ends them."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from holdfast.api.auth.account_edits import named, with_password
from holdfast.api.auth.dependencies import REFUSALS, AuthOf
from holdfast.api.auth.errors import AuthRefused
from holdfast.api.auth.passwords import check_new_password
from holdfast.api.auth.request_origin import client_address
from holdfast.api.auth.routes.wire import (
    Id,
    Me,
    Password,
    Person,
    entered,
    take_cookie,
)
from holdfast.api.bodies import Body
from holdfast.client.messages import Act

router = APIRouter(tags=["auth"], responses=REFUSALS)


class SessionInfo(BaseModel):
    """Tells where somebody has logged in."""

    id: str
    how: str
    address: str
    made: datetime
    used: datetime
    current: bool
    """Says whether it is the one that asks."""


class Ended(BaseModel):
    """Counts what has ended."""

    ended: int


class NewPassword(Body):
    """Holds the old and the new one."""

    old: Password
    new: Password


@router.get("/sessions")
def sessions(principal: Person, auth: AuthOf) -> list[SessionInfo]:
    """Tells where one is logged in."""
    return [
        SessionInfo(
            id=session.id,
            how=session.how,
            address=session.address,
            made=session.made,
            used=session.used,
            current=session.id == principal.session,
        )
        for session in auth.sessions.of(principal.name)
    ]


@router.delete("/sessions")
def end_sessions(principal: Person, response: Response, auth: AuthOf) -> Ended:
    """Logs out everywhere, here too."""
    ended = auth.sessions.end_all(principal.name)
    auth.tell(principal, Act.LOGOUT, f"everywhere: {ended} sessions")
    take_cookie(response)
    return Ended(ended=ended)


@router.delete("/sessions/{session_id}", status_code=204)
def end_session(session_id: Id, principal: Person, auth: AuthOf) -> None:
    """Ends one of one's own sessions."""
    if not auth.sessions.end(principal.name, session_id):
        raise AuthRefused(404, f"you have no session {session_id}")
    auth.tell(principal, Act.LOGOUT, f"session {session_id}")


@router.post("/password")
def change_password(
    body: NewPassword, request: Request, response: Response, principal: Person, auth: AuthOf
) -> Me:
    """Changes one's own password: all sessions end, and a new one begins here."""
    address = client_address(request)
    account = auth.login.proved(principal.name, body.old, address)
    check_new_password(account.name, body.new)
    new_hash = auth.passwords.hash(body.new)
    accounts = auth.store.change(lambda accounts: with_password(accounts, account.name, new_hash))
    auth.tell(principal, Act.ACCOUNT, "password changed")
    return entered(request, response, auth.login.again(named(accounts, account.name), address))
