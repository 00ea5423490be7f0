"""What is said between us and a source of prices, apart from how it is carried."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from holdfast.markets.prices import Direction, PriceSeries
from holdfast.web.request import Conversation


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


PriceConversation = Conversation[PriceSeries]
"""Returns prices. Raises PriceDataError for an answer that holds none."""
