"""What a route of auth asks FastAPI for, and what it may answer in the place of its result."""

from typing import Annotated, Final, cast

from fastapi import Depends
from starlette.requests import HTTPConnection

from holdfast.api.auth.auth import Auth
from holdfast.api.problems import answers

REFUSALS: Final = answers(400, 401, 403, 404, 409, 413, 415, 422, 429, 503)
"""For OpenAPI."""


def auth_of(connection: HTTPConnection) -> Auth:
    """Returns what knows who may do what."""
    return cast("Auth", connection.app.state.auth)


AuthOf = Annotated[Auth, Depends(auth_of)]


def own_page(connection: HTTPConnection) -> None:
    """Refuses what another site's page asks for; for who has no login yet."""
    auth_of(connection).check_own_page(connection)
