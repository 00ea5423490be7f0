"""A request is what is asked of a source over HTTP, not how it is carried or what it is about.

A conversation is a generator: it yields requests, is sent the answers, and returns what they
say. A request that failed is thrown into it as a SourceError, which it may catch to go on without.
So what to ask next may depend on an answer, and nothing here knows of a socket.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TypeVar

from holdfast.core.errors import SourceError


class RateLimited(SourceError):
    """The source wants to be left alone for a while."""

    def __init__(self, text: str, *, retry_after_s: float = 0.0) -> None:
        """``retry_after_s`` is as the source told; 0 if it did not."""
        super().__init__(text)
        self.retry_after_s = retry_after_s


class TokenRefused(SourceError):
    """There is no token, or the source does not accept it: asking again does not help."""


class NothingThere(SourceError):
    """What was asked for is not there, or no more (HTTP 404, 410)."""


class TokenPlace(Enum):
    """Tells where a request carries the token. The token itself is put in by who carries it."""

    NOWHERE = auto()
    QUERY = auto()
    """It goes as the parameter ``securityToken``."""
    BEARER = auto()
    """It goes in the header Authorization."""
    BASIC_USER = auto()
    """It goes as the user name of HTTP basic authentication, without a password."""
    FORM = auto()
    """It goes in the form, as its field ``token``."""
    SIGNATURE = auto()
    """It goes nowhere: the body is signed with it (HMAC-SHA256), in a header of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """Holds a request; it is a POST if it has a body, which is JSON, a form, or bytes."""

    url: str
    query: Mapping[str, str] = field(default_factory=dict)
    json_body: Mapping[str, object] | None = None
    form_body: Mapping[str, str] | None = None
    bytes_body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    """Go with it beside those that every request has."""
    token: TokenPlace = TokenPlace.NOWHERE
    errors_are_answers: bool = False
    """Says whether the body of a 4xx answer tells more than its status."""


Told = TypeVar("Told")
Conversation = Generator[HttpRequest, bytes, Told]
"""Yields requests, is sent bodies, returns what they say. Raises SourceError."""
