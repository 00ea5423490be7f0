"""The application: what is served, by whom it is guarded, and how it says no."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException as AnyHttpError
from starlette.responses import JSONResponse
from starlette.routing import Match
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from holdfast import __version__
from holdfast.api.auth.auth import Auth
from holdfast.api.auth.install import install
from holdfast.api.chores import compare_days_now_and_then
from holdfast.api.guard import DoorGuard, own_names
from holdfast.api.head import HeadRequests
from holdfast.api.jobs import Jobs
from holdfast.api.live import Live
from holdfast.api.problems import ANYWHERE, MAX_DETAIL
from holdfast.api.routes import OUTSIDE, ROUTERS
from holdfast.api.site_view import SiteView
from holdfast.api.snapshot import snapshot_json
from holdfast.api.strict_json import StrictJson
from holdfast.api.turns import RequestTurns
from holdfast.core.config import Site
from holdfast.core.texts import shown
from holdfast.monitoring.language import Language
from holdfast.site.files import SiteFiles

PREFIX: Final = "/api/v1"
_NO_SUCH_METHOD: Final = 405


def create_app(site: Site, files: SiteFiles, config: Path, auth: Auth) -> FastAPI:
    """Returns the application for ``site``, whose site.yaml is at ``config``; ``auth`` is closed
    when it ends."""
    view = SiteView.of(site, files, config)
    live = {
        language: Live(view.latest, partial(snapshot_json, language=language))
        for language in Language
    }

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        tasks = [
            *(asyncio.create_task(one.run()) for one in live.values()),
            asyncio.create_task(compare_days_now_and_then(config)),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await run_in_threadpool(auth.close)

    app = FastAPI(
        title="Holdfast",
        version=__version__,
        lifespan=lifespan,
        responses=ANYWHERE,
        redirect_slashes=False,
        docs_url=None,  # their pages load scripts from elsewhere
        redoc_url=None,
        openapi_url=f"{PREFIX}/openapi.json",
    )
    app.state.view, app.state.live = view, live
    app.state.turns, app.state.jobs = RequestTurns(), Jobs()
    app.state.push_shelf, app.state.push_turns = auth.push_shelf, RequestTurns(waiting=4)
    for router in OUTSIDE:
        app.include_router(router)
    for router in ROUTERS:
        app.include_router(router, prefix=PREFIX)
    install(app, auth, PREFIX)
    public_url = site.api.public_url
    app.add_middleware(StrictJson)
    app.add_middleware(HeadRequests)
    app.add_middleware(DoorGuard, names=own_names(public_url), public_url=public_url)
    app.add_exception_handler(AnyHttpError, _http_error)
    app.add_exception_handler(RequestValidationError, _not_valid)
    app.openapi()  # it takes a second, which nobody who asks has to wait for
    return app


def serve_elsewhere(app: FastAPI, pages: ASGIApp) -> None:
    """Has ``pages`` serve what is no path of ``app``; a wrong method stays its own business."""

    async def elsewhere(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await WebSocketClose()(scope, receive, send)
        else:
            await pages(scope, receive, send)

    app.router.default = elsewhere


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, AnyHttpError)
    headers = error.headers
    if error.status_code == _NO_SUCH_METHOD:
        headers = {"Allow": ", ".join(_methods(request))}
    return JSONResponse({"detail": error.detail}, error.status_code, headers)


def _methods(request: Request) -> list[str]:
    """Returns what can be asked of a path, by all of its routes together."""
    return [
        method
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
        if any(
            route.matches({**request.scope, "method": method})[0] is Match.FULL
            for route in request.app.routes
        )
    ]


async def _not_valid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return JSONResponse({"detail": _words(error.errors())}, 422)


def _words(mistakes: Sequence[dict[str, object]]) -> str:
    """Names the first mistakes with their places."""
    told = []
    for mistake in mistakes[:5]:
        place = mistake.get("loc", ())
        names = [str(part) for part in place if part not in {"body", "query", "path"}]  # type: ignore[attr-defined]
        what = str(mistake["msg"]).removeprefix("Value error, ")
        told.append(f"{'.'.join(names)}: {what}" if names else what)
    return shown("; ".join(told), MAX_DETAIL)
