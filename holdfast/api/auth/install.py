"""Auth is installed in the application here: its routes, and how it says no."""

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse

from holdfast.api.auth.auth import Auth
from holdfast.api.auth.errors import AuthRefused
from holdfast.api.auth.routes import ROUTERS
from holdfast.core.errors import AccountsCorrupt, AlreadyRunning, ConfigError


def install(app: FastAPI, auth: Auth, prefix: str = "/api/v1") -> None:
    """Has ``app`` guarded by ``auth``, and serve logging in at ``prefix``/auth."""
    app.state.auth = auth
    app.add_exception_handler(AuthRefused, _refused)
    for error in (AccountsCorrupt, AlreadyRunning, ConfigError):
        app.add_exception_handler(error, _unavailable)
    for router in ROUTERS:
        app.include_router(router, prefix=f"{prefix}/auth")


async def _refused(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, AuthRefused)
    return JSONResponse({"detail": str(error)}, error.status, error.headers)


async def _unavailable(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, 503)
