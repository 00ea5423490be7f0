"""Tokens of one's own, for programs."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel

from holdfast.api.access import Right, UserRole
from holdfast.api.auth.account_edits import named, with_token, without_token
from holdfast.api.auth.accounts import Accounts, ApiToken
from holdfast.api.auth.auth import Auth
from holdfast.api.auth.dependencies import REFUSALS, AuthOf
from holdfast.api.auth.routes.wire import (
    Id,
    Label,
    Person,
    RightOfUser,
    RoleOfUser,
    When,
    account_of,
)
from holdfast.api.auth.tokens import make_token
from holdfast.api.bodies import Body
from holdfast.client.messages import Act

router = APIRouter(prefix="/tokens", tags=["auth"], responses=REFUSALS)


class TokenInfo(BaseModel):
    """Tells of a token all but what opens the door."""

    id: str
    name: str
    role: UserRole
    rights: list[Right] | None
    made: datetime
    expires: datetime
    used: datetime | None


class NewToken(TokenInfo):
    """Holds a token, which is shown this once."""

    token: str


class TokenWanted(Body):
    """Says what a new token is for."""

    name: Label
    role: RoleOfUser
    rights: list[RightOfUser] | None = None
    """Lists what it may do of what its role may; null: all."""
    expires: When


@router.get("")
def tokens(principal: Person, auth: AuthOf) -> list[TokenInfo]:
    """Lists one's own tokens."""
    return [
        TokenInfo.model_validate(_told(auth, token)) for token in account_of(auth, principal).tokens
    ]


@router.post("", status_code=201)
def make(body: TokenWanted, principal: Person, auth: AuthOf) -> NewToken:
    """Makes a token; it is shown this once."""
    made: list[tuple[str, ApiToken]] = []

    def edit(accounts: Accounts) -> Accounts:
        made[:] = [
            make_token(
                named(accounts, principal.name),
                name=body.name,
                role=body.role,
                rights=None if body.rights is None else tuple(sorted(set(body.rights))),
                expires=body.expires,
                now=auth.now(),
            )
        ]
        return with_token(accounts, principal.name, made[0][1])

    auth.store.change(edit)
    ((secret, token),) = made
    auth.tell(principal, Act.TOKEN, f"{token.name} made: {token.role}, to {token.expires:%Y-%m-%d}")
    return NewToken.model_validate(_told(auth, token) | {"token": secret})


@router.delete("/{token_id}", status_code=204)
def take_back(token_id: Id, principal: Person, auth: AuthOf) -> None:
    """Takes a token back: it opens nothing from now on."""
    accounts = auth.store.change(lambda accounts: without_token(accounts, principal.name, token_id))
    auth.sessions.keep_tokens(token.id for _, token in accounts.tokens())
    auth.tell(principal, Act.TOKEN, f"{token_id} taken back")


def _told(auth: Auth, token: ApiToken) -> dict[str, object]:
    return {
        "id": token.id,
        "name": token.name,
        "role": token.role,
        "rights": token.rights,
        "made": token.made,
        "expires": token.expires,
        "used": auth.sessions.last_use_of(token.id),
    }
