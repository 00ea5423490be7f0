"""Hourly exchange prices from aWATTar in Germany or Austria."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field

from holdfast.core.price_config import AwattarSource
from holdfast.markets.answers import LAST_SECOND, Answered, Number, read_json, series_of
from holdfast.markets.conversation import Asked, PriceConversation
from holdfast.markets.prices import PriceSeries, PriceSlot
from holdfast.web.request import Request

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Milliseconds = Annotated[int, Field(ge=0, le=LAST_SECOND * 1000)]
"""Since 1970."""


class _Row(Answered):
    start_timestamp: Milliseconds
    end_timestamp: Milliseconds
    marketprice: Number
    unit: Literal["Eur/MWh"]


class _Reply(Answered):
    data: list[_Row]


def converse(source: AwattarSource, asked: Asked) -> PriceConversation:
    """One request."""
    body = yield Request(
        url=f"{source.url}/v1/marketdata",
        query={"start": _milliseconds(asked.start_utc), "end": _milliseconds(asked.end_utc)},
    )
    return parse(body, asked)


def parse(body: bytes, asked: Asked) -> PriceSeries:
    """Prices in EUR within the window. Raises PriceDataError."""
    slots = [
        PriceSlot(
            start_utc=_EPOCH + timedelta(milliseconds=row.start_timestamp),
            end_utc=_EPOCH + timedelta(milliseconds=row.end_timestamp),
            price_per_kwh=row.marketprice / 1000.0,
        )
        for row in read_json(_Reply, body).data
    ]
    return series_of("EUR", slots, asked.start_utc, asked.end_utc)


def _milliseconds(utc: datetime) -> str:
    return str((utc - _EPOCH) // timedelta(milliseconds=1))
