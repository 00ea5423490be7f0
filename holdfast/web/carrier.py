"""This module carries a conversation with a source over HTTP: only here is a token in hand.

Whatever goes wrong becomes a SourceError, in whose text the token never stands.
"""

import hashlib
import hmac
import json
import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from holdfast.core.errors import SourceError
from holdfast.web.request import (
    Conversation,
    HttpRequest,
    NothingThere,
    RateLimited,
    TokenPlace,
    TokenRefused,
    Told,
)

if TYPE_CHECKING:
    import httpx

MAX_BYTES = 10_000_000
"""A week of quarter hours in XML is a tenth of it."""
MAX_SECONDS = 60.0
"""So long may one answer take, however slowly it trickles."""
_TIMEOUT_S = 20.0
"""So long may it take to connect, and between two pieces of an answer."""
_MAX_REQUESTS = 25
SIGNATURE_HEADER = "X-Holdfast-Signature"
"""Has ``sha256=`` and the HMAC-SHA256 of the body in hexadecimal digits."""


class Carrier:
    """Asks sources; each question opens connections of its own."""

    def __init__(
        self, *, timeout_s: float = _TIMEOUT_S, clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        """``clock_s`` measures how long an answer takes."""
        self._timeout_s = timeout_s
        self._clock_s = clock_s
        # They would log each address, with the token in it.
        for name in ("httpx", "httpcore"):
            logging.getLogger(name).setLevel(logging.WARNING)

    def carry(self, conversation: Conversation[Told], token: str = "") -> Told:
        """Returns what ``conversation`` returns. Raises SourceError."""
        try:
            return self._carry(conversation, token)
        except SourceError as error:
            raise _hidden(error, token) from None

    def _carry(self, conversation: Conversation[Told], token: str) -> Told:
        import httpx  # a tenth of a second, for nobody but who asks

        timeout = httpx.Timeout(self._timeout_s)
        with httpx.Client(timeout=timeout, follow_redirects=False) as client:
            try:
                request = next(conversation)
                for _ in range(_MAX_REQUESTS):
                    request = self._answered(client, conversation, request, token)
            except StopIteration as end:
                told: Told = end.value
                return told
        raise SourceError(f"needs more than {_MAX_REQUESTS} requests")

    def _answered(
        self,
        client: "httpx.Client",
        conversation: Conversation[Told],
        request: HttpRequest,
        token: str,
    ) -> HttpRequest:
        """Returns what is asked next. A conversation may go on without an answer that failed."""
        try:
            body = self._ask(client, request, token)
        except SourceError as error:
            return conversation.throw(_hidden(error, token))
        return conversation.send(body)

    def _ask(self, client: "httpx.Client", request: HttpRequest, token: str) -> bytes:
        host = urlsplit(request.url).netloc
        with _explained(host), client.stream(**_arguments(request, token)) as answer:
            _check_status(answer, request, host)
            # An error page may repeat the address; an excerpt of it, half the token.
            body = self._body(answer, host).decode("latin-1")
            return _without(token, body).encode("latin-1")

    def _body(self, answer: "httpx.Response", host: str) -> bytes:
        # Unpacked, a small answer may be a huge one.
        if answer.headers.get("Content-Encoding", "identity") != "identity":
            raise SourceError(f"{host}: the answer is packed, which was not asked for")
        began_s = self._clock_s()
        content = bytearray()
        for piece in answer.iter_raw():
            content += piece
            if len(content) > MAX_BYTES:
                raise SourceError(f"{host}: the answer is larger than {MAX_BYTES} bytes")
            if self._clock_s() - began_s > MAX_SECONDS:
                raise SourceError(f"{host}: the answer took longer than {MAX_SECONDS:g} s")
        return bytes(content)


def _arguments(request: HttpRequest, token: str) -> dict[str, Any]:
    """Returns what httpx is called with."""
    body = _body_of(request, token)
    arguments: dict[str, Any] = {
        "method": "GET" if body is None else "POST",
        "url": request.url,
        "headers": {
            "User-Agent": "holdfast",
            "Accept-Encoding": "identity",
            **request.headers,
        },
    }
    if body is not None:
        arguments["content"], arguments["headers"]["Content-Type"] = body
    query = dict(request.query)
    match request.token:
        case TokenPlace.NOWHERE | TokenPlace.FORM:
            pass
        case TokenPlace.SIGNATURE if body is not None:
            signature = hmac.new(token.encode(), body[0], hashlib.sha256).hexdigest()
            arguments["headers"][SIGNATURE_HEADER] = f"sha256={signature}"
        case TokenPlace.SIGNATURE:
            raise ValueError("what has no body cannot be signed")
        case TokenPlace.QUERY:
            query["securityToken"] = token
        case TokenPlace.BEARER:
            arguments["headers"]["Authorization"] = f"Bearer {token}"
        case TokenPlace.BASIC_USER:
            arguments["auth"] = (token, "")
    if query:  # an empty one would cut off what stands in the address
        arguments["params"] = query
    return arguments


def _body_of(request: HttpRequest, token: str) -> tuple[bytes, str] | None:
    """Returns the body with its type; None if there is none."""
    if request.json_body is not None:
        return json.dumps(request.json_body).encode(), "application/json"
    if request.bytes_body is not None:
        return request.bytes_body, "application/octet-stream"
    if request.form_body is None:
        return None
    fields = dict(request.form_body)
    if request.token is TokenPlace.FORM:
        fields["token"] = token
    return urlencode(fields).encode(), "application/x-www-form-urlencoded"


@contextmanager
def _explained(host: str) -> Iterator[None]:
    """Puts errors of the HTTP library in our words: theirs may hold the whole address."""
    import httpx

    try:
        yield
    except httpx.TimeoutException:
        raise SourceError(f"{host}: did not answer in time") from None
    except httpx.RemoteProtocolError as error:
        raise SourceError(f"{host}: the answer broke off ({error})") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise SourceError(f"{host}: {type(error).__name__}: {error}") from None


def _check_status(answer: "httpx.Response", request: HttpRequest, host: str) -> None:
    status = answer.status_code
    if answer.is_redirect:
        there = urlsplit(answer.headers.get("Location", "")).netloc or "nowhere"
        # ENTSO-E has been seen to answer so to who asks too often.
        raise RateLimited(f"{host}: redirects to {there[:100]}, which is not followed")
    if status in {401, 403}:
        what = "access" if request.token is TokenPlace.NOWHERE else "the token"
        raise TokenRefused(f"{host}: {what} is refused (HTTP {status})")
    if status == 429:
        raise RateLimited(
            f"{host}: asked too often (HTTP 429)",
            retry_after_s=_retry_after_s(answer.headers.get("Retry-After", "")),
        )
    may_speak = request.errors_are_answers and 400 <= status < 500
    if status in {404, 410} and not may_speak:
        raise NothingThere(f"{host}: HTTP {status}")
    if not (200 <= status < 300 or may_speak):
        raise SourceError(f"{host}: HTTP {status}")


def _retry_after_s(text: str) -> float:
    """Reads seconds; 0 for a date or anything else."""
    return float(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0.0


def _hidden(error: SourceError, token: str) -> SourceError:
    """Returns ``error`` without the token: what the source said may repeat what we sent."""
    text = _without(token, str(error))
    if isinstance(error, RateLimited):
        return RateLimited(text, retry_after_s=error.retry_after_s)
    return type(error)(text)


def _without(token: str, text: str) -> str:
    """Returns ``text`` with stars where the token stood, as it is or as addresses have it."""
    if not token:
        return text
    signs = (
        sign if sign.isalnum() else rf"(?:\\?{re.escape(sign)}|%(?i:{ord(sign):02x}))"
        for sign in token
    )
    return re.sub("".join(signs), "***", text)
