"""Who stands at the door: it lets in what is meant for this site and comes from its own pages.

A page of somebody else must neither ask this site by its visitor's browser, nor be called like it
(DNS rebinding), nor hold a page of it in a frame. Programs send no Origin, and are let in.
"""

import ipaddress
import socket
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from holdfast.core.texts import MAX_NAME, shown

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
API: Final = "/api/"
_LOOPBACK: Final = frozenset({"localhost", "localhost.localdomain", "ip6-localhost"})
_HARMLESS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_REFUSED: Final = 1008
"""A WebSocket is closed with this code: policy violation."""


def own_names(public_url: str | None) -> frozenset[str]:
    """Returns the names by which this site may be asked for, beside any address.

    An address in place of a name cannot be somebody else's name for this computer.
    """
    host = socket.gethostname().lower()
    names = {*_LOOPBACK, host, f"{host.partition('.')[0]}.local"}
    if public_url is not None and (public := urlsplit(public_url).hostname):
        names.add(public)
    return frozenset(names)


class DoorGuard:
    """Refuses what is not for this site, and puts the headers on every answer."""

    def __init__(
        self, app: ASGIApp, *, names: Iterable[str], public_url: str | None = None
    ) -> None:
        self._app = app
        self._names = frozenset(names)
        self._public = None if public_url is None else _origin(public_url)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers 400 and 403 itself; asks the application for all else."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._wrong_host(headers) or self._other_site(scope, headers)
        if refusal is None:
            await self._app(scope, receive, _with_headers(scope, send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": _REFUSED})
        else:
            status, detail = refusal
            answer = JSONResponse({"detail": detail}, status)
            await answer(scope, receive, _with_headers(scope, send))

    def _wrong_host(self, headers: Headers) -> tuple[int, str] | None:
        named = headers.getlist("host")
        host = _host(named[0]) if len(named) == 1 else None
        if host is not None and (host in self._names or _is_address(host)):
            return None
        told = shown(named[0], MAX_NAME) if named else "nothing"
        return 400, (
            f"this site is not called {told}; ask for it by its address, or write its name into "
            "site.yaml as api.public_url"
        )

    def _other_site(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        origin, fetched_from = headers.get("origin"), headers.get("sec-fetch-site")
        changes = scope["type"] == "websocket" or scope["method"] not in _HARMLESS
        if origin is not None and changes and not self._is_own(origin, scope, headers):
            return 403, f"a page of {shown(origin, MAX_NAME)} may not ask this site"
        if fetched_from in {"cross-site", "same-site"} and (
            changes or not _is_visit(scope, headers)
        ):
            return 403, "a page of another site may not ask this one"
        return None

    def _is_own(self, origin: str, scope: Scope, headers: Headers) -> bool:
        scheme = {"ws": "http", "wss": "https"}.get(scope["scheme"], scope["scheme"])
        own = _origin(f"{scheme}://{headers['host']}")
        return _origin(origin) in ({own, self._public} - {None})


def _is_visit(scope: Scope, headers: Headers) -> bool:
    """Says whether somebody follows a link to here, or the browser opens a page of ours."""
    return headers.get("sec-fetch-mode") == "navigate" or not str(scope["path"]).startswith(API)


def _host(value: str) -> str | None:
    try:
        return urlsplit(f"//{value}").hostname
    except ValueError:
        return None


def _origin(url: str) -> tuple[str, str, int] | None:
    """Returns scheme, host and port; None for what is none, such as the word null."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return None
    if not parts.hostname or port is None:
        return None
    return parts.scheme, parts.hostname, port


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _with_headers(scope: Scope, send: Send) -> Send:
    is_api = str(scope["path"]).startswith(API)

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            if is_api:
                headers.setdefault("cache-control", "no-store")
        await send(message)

    return sending
