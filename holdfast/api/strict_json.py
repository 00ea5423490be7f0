"""A body is strict JSON of bounded size, or it is refused before anybody reads it.

JSON as Python reads it knows NaN, takes 1e999 for infinity and the last of two equal keys for the
only one: none of that is what a person has meant.
"""

import asyncio
import json
import math
from collections.abc import Iterable
from typing import Any, Final

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY_BYTES: Final = 256 * 1024
"""A site.yaml of this length describes a village."""
MAX_DEPTH: Final = 32
BODY_S: Final = 10.0
"""The body has to be there so soon."""
_JSON = "application/json"


def check_json(content: bytes) -> None:
    """Raises ValueError that says what keeps ``content`` from being strict JSON."""
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"is not UTF-8 at byte {error.start}") from None
    if _depth(text) > MAX_DEPTH:
        raise ValueError(f"has more than {MAX_DEPTH} levels")
    try:
        json.loads(
            text,
            object_pairs_hook=_each_key_once,
            parse_constant=_no_constant,
            parse_float=_finite,
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg}, line {error.lineno} column {error.colno}") from None


def _depth(text: str) -> int:
    """Returns the deepest level of brackets, those within strings counted along."""
    deepest = depth = 0
    for character in text:
        if character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


def _each_key_once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"has the key {key[:40]!r} twice")
        found[key] = value
    return found


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:20]} is too large for a number")
    return value


class StrictJson:
    """Hands on requests whose body is strict JSON, or who have none."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers 400, 408, 413 or 415 itself; asks the application for all else."""
        if scope["type"] != "http" or scope["method"] in {"GET", "HEAD", "OPTIONS"}:
            await self._app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(BODY_S):
                body = await _whole_body(receive)
        except TimeoutError:
            await _answer(408, f"the body was not there in {BODY_S:g} s")(scope, receive, send)
            return
        refusal = _refusal(Headers(scope=scope), body)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        await self._app(scope, _replay(body or b"", receive), send)


async def _whole_body(receive: Receive) -> bytes | None:
    """Returns the body; None once it is too long, or the client has gone."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            return None
        if not message.get("more_body", False):
            return bytes(body)


def _refusal(headers: Headers, body: bytes | None) -> JSONResponse | None:
    if body is None:
        return _answer(413, f"the body has more than {MAX_BODY_BYTES} bytes")
    if not body:
        return None
    if headers.get("content-type", "").partition(";")[0].strip().lower() != _JSON:
        return _answer(415, f"the body has to be {_JSON}")
    try:
        check_json(body)
    except ValueError as error:
        return _answer(400, f"the body is no JSON: {error}")
    return None


def _answer(status: int, detail: str) -> JSONResponse:
    return JSONResponse({"detail": detail}, status)


def _replay(body: bytes, receive: Receive) -> Receive:
    """Returns what gives the body once more, and then what comes after it."""
    waiting = [body]

    async def again() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return again
