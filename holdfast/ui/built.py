"""The built pages, from memory: what is asked for is looked up in a table, never on the disk."""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

FOLDER: Final = Path(__file__).parent / "static"
"""The package build puts the pages here."""
WHY_NOT: Final = "why-not.txt"
"""Instead of them, it leaves the reason here."""
INDEX: Final = "index.html"
EMERGENCY: Final = "emergency.json"
"""Tells the pages where the plain pages are, for when nothing else answers."""

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_ASK_AGAIN: Final = "no-cache"
_TYPES: Final = {
    # Not all systems know them, and a wrong one is refused by nosniff.
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltFile:
    """Holds one file as it is sent."""

    content: bytes
    packed: bytes
    """Holds the same, by gzip."""
    headers: dict[str, str]


def built_files(folder: Path = FOLDER) -> dict[str, BuiltFile]:
    """Returns the pages by their address below the root; none, if they were not built."""
    if not (folder / INDEX).is_file():
        return {}
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): _read(path, folder) for path in files}


def _read(path: Path, folder: Path) -> BuiltFile:
    content = path.read_bytes()
    has_digest_in_name = path.parent != folder
    return BuiltFile(
        content=content,
        packed=gzip.compress(content, mtime=0),
        headers={
            **HEADERS,
            "Content-Type": _TYPES.get(path.suffix)
            or mimetypes.guess_type(path)[0]
            or "text/plain",
            "Cache-Control": _FOR_EVER if has_digest_in_name else _ASK_AGAIN,
            "ETag": f'"{hashlib.sha256(content).hexdigest()[:32]}"',
            "Vary": "Accept-Encoding",
        },
    )


def why_not_built(folder: Path = FOLDER) -> str:
    """Tells in words why there are no pages; empty if there are."""
    if (folder / INDEX).is_file():
        return ""
    try:
        return (folder / WHY_NOT).read_text(encoding="utf-8").strip()
    except OSError:
        return "the package was not built; `pip install .` builds it"


def pages(emergency_port: int, folder: Path = FOLDER) -> ASGIApp:
    """Returns the application that serves the pages at the root, and says why if there are none.

    ``emergency_port`` is where the plain pages are, which need none of this.
    """
    files = built_files(folder)
    reason = why_not_built(folder)

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await _answer(scope, files, reason, emergency_port)(scope, receive, send)

    return serve


def _answer(
    scope: Scope, files: dict[str, BuiltFile], reason: str, emergency_port: int
) -> Response:
    if scope["method"] not in {"GET", "HEAD"}:
        return JSONResponse({"detail": "only GET is served here"}, 405, {"Allow": "GET, HEAD"})
    name = _name(scope)
    if name == EMERGENCY:
        headers = {**HEADERS, "Cache-Control": _ASK_AGAIN}
        return JSONResponse({"port": emergency_port}, headers=headers)
    file = files.get(name)
    if file is not None:
        return _send(file, Headers(scope=scope))
    if name == INDEX:
        return _plain(scope, reason, emergency_port)
    return JSONResponse({"detail": f"there is nothing at /{name[:80]}"}, 404, HEADERS)


def _name(scope: Scope) -> str:
    """Returns the address below where this is mounted."""
    path: str = scope["path"].removeprefix(scope.get("root_path", ""))
    return path.lstrip("/") or INDEX


def _send(file: BuiltFile, asked: Headers) -> Response:
    if asked.get("if-none-match") == file.headers["ETag"]:
        return Response(status_code=304, headers=file.headers)
    if "gzip" in asked.get("accept-encoding", ""):
        return Response(file.packed, headers={**file.headers, "Content-Encoding": "gzip"})
    return Response(file.content, headers=file.headers)


def _plain(scope: Scope, reason: str, emergency_port: int) -> Response:
    """Answers where the pages should be: all else runs, and the plain pages serve."""
    host = Headers(scope=scope).get("host", "localhost").rpartition(":")[0] or "localhost"
    text = (
        f"Holdfast runs. Its pages are not here: {reason}\n\n"
        f"The plain pages, with the emergency stop: http://{host}:{emergency_port}/\n"
        "The API: /api/v1/status, described at /docs\n"
        "On the computer of the site: holdfast status, holdfast estop\n"
    )
    return Response(text, 503, {**HEADERS, "Cache-Control": "no-store"}, "text/plain")
