"""This source gives hourly exchange prices from aWATTar in Germany or Austria."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from holdfast.core.config.prices import AwattarSource
from holdfast.markets.price_answer import PriceAnswer
from holdfast.markets.prices import PriceSlot
from holdfast.markets.sources.answers import (
    LAST_SECOND,
    Answered,
    Number,
    is_eur_per_mwh,
    read_json,
    read_rows,
)
from holdfast.markets.sources.conversation import Asked, PriceConversation
from holdfast.markets.sources.exchange import exchange_answer
from holdfast.markets.sources.left_out import LeftOut
from holdfast.web.request import HttpRequest

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Milliseconds = Annotated[int, Field(ge=0, le=LAST_SECOND * 1000)]
"""They are counted since 1970."""


def _eur_per_mwh(unit: str) -> str:
    if not is_eur_per_mwh(unit):
        raise ValueError("prices are not in EUR/MWh")
    return unit


class _Row(Answered):
    start_timestamp: Milliseconds
    end_timestamp: Milliseconds
    marketprice: Number
    unit: Annotated[str, AfterValidator(_eur_per_mwh)]


class _Reply(Answered):
    data: list[Any]


def converse(source: AwattarSource, asked: Asked) -> PriceConversation:
    """Asks with one request."""
    body = yield HttpRequest(
        url=f"{source.url}/v1/marketdata",
        query={"start": _milliseconds(asked.start_utc), "end": _milliseconds(asked.end_utc)},
    )
    return parse(body, asked)


def parse(body: bytes, asked: Asked) -> PriceAnswer:
    """Returns the prices in EUR within the window. Raises PriceDataError."""
    left_out = LeftOut(asked.now_utc)
    slots = [
        PriceSlot(
            start_utc=_EPOCH + timedelta(milliseconds=row.start_timestamp),
            end_utc=_EPOCH + timedelta(milliseconds=row.end_timestamp),
            price_per_kwh=row.marketprice / 1000.0,
        )
        for row in read_rows(_Row, read_json(_Reply, body).data, left_out, _end)
    ]
    return exchange_answer("EUR", slots, asked, left_out)


def _end(row: dict[str, int]) -> datetime:
    return _EPOCH + timedelta(milliseconds=row["end_timestamp"])


def _milliseconds(utc: datetime) -> str:
    return str((utc - _EPOCH) // timedelta(milliseconds=1))
