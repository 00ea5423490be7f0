"""Day-ahead prices from Nord Pool's data portal, a page for each delivery day."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from holdfast.core.errors import PriceDataError
from holdfast.core.price_config import NordPoolSource
from holdfast.markets.answers import Answered, Number, Utc, read_json, series_of
from holdfast.markets.conversation import Asked, PriceConversation
from holdfast.markets.prices import PriceSeries, PriceSlot
from holdfast.web.request import Request

_MARKET_ZONE = ZoneInfo("Europe/Brussels")


class _Entry(Answered):
    deliveryStart: Utc  # noqa: N815 - the source's name
    deliveryEnd: Utc  # noqa: N815
    entryPerArea: dict[str, Number]  # noqa: N815


class _Reply(Answered):
    currency: str
    multiAreaEntries: list[_Entry]  # noqa: N815


def converse(source: NordPoolSource, asked: Asked) -> PriceConversation:
    """Today's page, then tomorrow's, which is empty before it is published."""
    today = asked.now_utc.astimezone(_MARKET_ZONE).date()
    bodies = []
    for day in (today, today + timedelta(days=1)):
        body = yield Request(
            url=f"{source.url}/DayAheadPrices",
            query={
                "market": "DayAhead",
                "date": day.isoformat(),
                "deliveryArea": source.area,
                "currency": asked.currency,
            },
        )
        bodies.append(body)
    return parse(bodies, source, asked)


def parse(bodies: list[bytes], source: NordPoolSource, asked: Asked) -> PriceSeries:
    """Prices within the window; a page that is empty counts for nothing.

    Raises PriceDataError.
    """
    pages = [read_json(_Reply, body) for body in bodies if body.strip()]
    currencies = {page.currency for page in pages}
    if len(currencies) > 1 or any(currency != asked.currency for currency in currencies):
        raise PriceDataError(f"prices are in {', '.join(sorted(currencies))[:40]}")
    slots = [
        PriceSlot(
            start_utc=entry.deliveryStart,
            end_utc=entry.deliveryEnd,
            price_per_kwh=entry.entryPerArea[source.area] / 1000.0,
        )
        for page in pages
        for entry in page.multiAreaEntries
        if source.area in entry.entryPerArea
    ]
    return series_of(asked.currency, slots, asked.start_utc, asked.end_utc)
