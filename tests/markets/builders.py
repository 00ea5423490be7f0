"""Questions, sources and answers that several tests of markets need."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter

from holdfast.core.config import Site
from holdfast.core.config.prices import PriceSource
from holdfast.markets.prices import Direction, PriceSeries, PriceSlot
from holdfast.markets.sources.conversation import Asked
from tests.builders import build_site

NOW = datetime(2026, 5, 8, 10, tzinfo=UTC)  # 12:00 in Berlin
TODAY = datetime(2026, 5, 7, 22, tzinfo=UTC)
"""Midnight in Berlin."""
HOUR = timedelta(hours=1)
QUARTER = timedelta(minutes=15)
DAY = timedelta(days=1)
BERLIN = ZoneInfo("Europe/Berlin")

_SOURCE: TypeAdapter[Any] = TypeAdapter(PriceSource)


def source(kind: str, **keys: Any) -> Any:
    """A source as site.yaml would have it."""
    return _SOURCE.validate_python({"kind": kind, **keys})


def asked(
    now: datetime = NOW,
    *,
    direction: Direction = Direction.PURCHASE,
    currency: str = "EUR",
    zone: ZoneInfo = BERLIN,
) -> Asked:
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return Asked(
        now_utc=now,
        start_utc=today - DAY,
        end_utc=today + 9 * DAY,
        direction=direction,
        currency=currency,
        zone=zone,
    )


def series(
    *prices: float | None,
    start: datetime = TODAY,
    length: timedelta = HOUR,
    currency: str = "EUR",
) -> PriceSeries:
    """One price after the other; None is a hole."""
    return PriceSeries(
        currency=currency,
        slots=tuple(
            PriceSlot(
                start_utc=start + index * length,
                end_utc=start + (index + 1) * length,
                price_per_kwh=price,
            )
            for index, price in enumerate(prices)
            if price is not None
        ),
    )


def starts(start: datetime, end: datetime, step: timedelta) -> Iterable[datetime]:
    while start < end:
        yield start
        start += step


def dumped(content: object) -> bytes:
    return json.dumps(content).encode()


def site(purchase: dict[str, Any], feed_in: dict[str, Any] | None = None, **keys: Any) -> Site:
    """A site in Berlin with these sources (or whole tariffs, if they have a source)."""
    prices = {
        "purchase": purchase if "source" in purchase else {"source": purchase},
        "feed_in": {"source": feed_in or {"kind": "fixed", "price_per_kwh": 0.08}},
    }
    return build_site(timezone="Europe/Berlin", prices=prices, **keys)
