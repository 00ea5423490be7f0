"""A conversation is what we and a source of prices say, apart from how it is carried."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from holdfast.markets.price_answer import PriceAnswer
from holdfast.markets.prices import Direction
from holdfast.web.request import Conversation


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Tells what is wanted of a source."""

    now_utc: datetime
    start_utc: datetime
    """It begins a whole day in UTC, as does ``end_utc``."""
    end_utc: datetime
    direction: Direction
    currency: str
    """It is the site's, for sources that name none."""
    zone: ZoneInfo
    """It is the site's, for the days of the clock change."""


PriceConversation = Conversation[PriceAnswer]
"""Returns prices, and what was left out. Raises PriceDataError for an answer that holds none."""
