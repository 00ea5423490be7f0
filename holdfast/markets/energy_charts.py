"""Exchange prices from energy-charts.info: two columns side by side, in EUR for every zone."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import Field

from holdfast.core.errors import PriceDataError
from holdfast.core.price_config import EnergyChartsSource
from holdfast.markets.answers import (
    LAST_SECOND,
    Answered,
    Number,
    read_json,
    series_of,
    slots_from_starts,
)
from holdfast.markets.conversation import Asked, PriceConversation
from holdfast.markets.prices import PriceSeries
from holdfast.web.request import Request

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Seconds = Annotated[int, Field(ge=0, le=LAST_SECOND)]


class _Reply(Answered):
    unix_seconds: list[Seconds]
    price: list[Number | None]
    """EUR/MWh; null where there is none."""
    unit: str = "EUR / MWh"


def converse(source: EnergyChartsSource, asked: Asked) -> PriceConversation:
    """One request, for whole days: the last one is included."""
    last = asked.end_utc - timedelta(days=1)
    body = yield Request(
        url=f"{source.url}/price",
        query={"bzn": source.zone, "start": f"{asked.start_utc:%F}", "end": f"{last:%F}"},
    )
    return parse(body, asked)


def parse(body: bytes, asked: Asked) -> PriceSeries:
    """Prices in EUR within the window. Raises PriceDataError."""
    reply = read_json(_Reply, body)
    if len(reply.unix_seconds) != len(reply.price):
        raise PriceDataError(f"{len(reply.unix_seconds)} times and {len(reply.price)} prices")
    if "".join(reply.unit.split()) != "EUR/MWh":
        raise PriceDataError(f"prices are in {reply.unit[:40]!r}, not in EUR/MWh")
    slots = slots_from_starts(
        (_EPOCH + timedelta(seconds=seconds), price / 1000.0)
        for seconds, price in zip(reply.unix_seconds, reply.price, strict=True)
        if price is not None
    )
    return series_of("EUR", slots, asked.start_utc, asked.end_utc)
