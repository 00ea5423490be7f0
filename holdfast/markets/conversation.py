"""What is said between us and a source of prices, apart from how it is carried.

A source is a generator: it yields requests, is sent the answers, and returns the prices. So
what to ask next may depend on an answer, and nothing here knows of a socket.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from zoneinfo import ZoneInfo

from holdfast.core.errors import PriceDataError
from holdfast.markets.prices import Direction, PriceSeries


class RateLimited(PriceDataError):
    """The source wants to be left alone for a while."""

    def __init__(self, text: str, *, retry_after_s: float = 0.0) -> None:
        """``retry_after_s``: as the source told; 0 if it did not."""
        super().__init__(text)
        self.retry_after_s = retry_after_s


class TokenRefused(PriceDataError):
    """There is no token, or the source does not accept it: asking again does not help."""


class TokenPlace(Enum):
    """Where a request carries the token. The token itself is put in by who carries it."""

    NOWHERE = auto()
    QUERY = auto()
    """As the parameter ``securityToken``."""
    BEARER = auto()
    """In the header Authorization."""
    BASIC_USER = auto()
    """As the user name of HTTP basic authentication, without a password."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request; a POST if it has a body."""

    url: str
    query: Mapping[str, str] = field(default_factory=dict)
    json_body: Mapping[str, object] | None = None
    token: TokenPlace = TokenPlace.NOWHERE
    errors_are_answers: bool = False
    """True if the body of a 4xx answer says more than its status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is wanted of a source."""

    now_utc: datetime
    start_utc: datetime
    """Whole days in UTC, as is ``end_utc``."""
    end_utc: datetime
    direction: Direction
    currency: str
    """The site's; for sources that name none."""
    zone: ZoneInfo
    """The site's; for the days of the clock change."""


Conversation = Generator[Request, bytes, PriceSeries]
"""Yields requests, is sent bodies, returns prices. Raises PriceDataError."""
