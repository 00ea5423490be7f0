"""Day-ahead prices come from Nord Pool's data portal, a page for each delivery day."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from holdfast.core.config.prices import NordPoolSource
from holdfast.core.errors import PriceDataError, SourceError
from holdfast.markets.prices import PriceSlot
from holdfast.markets.sources.answers import (
    Answered,
    Number,
    Utc,
    instant,
    read_json,
    read_rows,
)
from holdfast.markets.sources.conversation import Asked, PriceConversation
from holdfast.markets.sources.exchange import exchange_answer
from holdfast.markets.sources.left_out import LeftOut
from holdfast.web.request import HttpRequest

_MARKET_ZONE = ZoneInfo("Europe/Brussels")


class _Entry(Answered):
    deliveryStart: Utc  # noqa: N815 - the source's name
    deliveryEnd: Utc  # noqa: N815
    entryPerArea: dict[str, Number | None]  # noqa: N815


class _Reply(Answered):
    currency: str
    multiAreaEntries: list[Any]  # noqa: N815


def converse(source: NordPoolSource, asked: Asked) -> PriceConversation:
    """Asks for today's page, then for tomorrow's, which is empty before it is published.

    A page that fails costs its own day.
    """
    today = asked.now_utc.astimezone(_MARKET_ZONE).date()
    left_out = LeftOut(asked.now_utc)
    failed: list[SourceError] = []
    slots: list[PriceSlot] = []
    for day in (today, today + timedelta(days=1)):
        try:
            body = yield _request(source, asked, day)
            slots += parse(body, source, asked, left_out)
        except SourceError as error:
            failed.append(error)
            left_out.add(f"the page of {day}: {error}")
    if failed and not slots:
        raise failed[0]
    return exchange_answer(asked.currency, slots, asked, left_out)


def _request(source: NordPoolSource, asked: Asked, day: date) -> HttpRequest:
    return HttpRequest(
        url=f"{source.url}/DayAheadPrices",
        query={
            "market": "DayAhead",
            "date": day.isoformat(),
            "deliveryArea": source.area,
            "currency": asked.currency,
        },
    )


def parse(body: bytes, source: NordPoolSource, asked: Asked, left_out: LeftOut) -> list[PriceSlot]:
    """Returns the prices of one page; one that is empty has none. Raises PriceDataError."""
    if not body.strip():
        return []
    page = read_json(_Reply, body)
    if page.currency != asked.currency:
        raise PriceDataError(f"prices are in {page.currency[:40]}, not in {asked.currency}")
    return [
        PriceSlot(
            start_utc=entry.deliveryStart,
            end_utc=entry.deliveryEnd,
            price_per_kwh=price / 1000.0,
        )
        for entry in read_rows(_Entry, page.multiAreaEntries, left_out, _end)
        if (price := entry.entryPerArea.get(source.area)) is not None
    ]


def _end(entry: dict[str, str]) -> datetime:
    return instant(entry["deliveryEnd"])
