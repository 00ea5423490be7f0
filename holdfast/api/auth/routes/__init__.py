"""Each module here is one subject of logging in, as the API serves it."""

from fastapi import APIRouter

from holdfast.api.auth.routes import (
    login,
    own_factors,
    own_passkeys,
    own_sessions,
    own_tokens,
    single_sign_on,
    users,
)

ROUTERS: tuple[APIRouter, ...] = (
    login.router,
    single_sign_on.router,
    own_sessions.router,
    own_factors.router,
    own_passkeys.router,
    own_tokens.router,
    users.router,
)
