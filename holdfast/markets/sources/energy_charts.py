"""Exchange prices from energy-charts.info are two columns side by side, in EUR for every zone."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import Field

from holdfast.core.config.prices import EnergyChartsSource
from holdfast.core.errors import PriceDataError
from holdfast.markets.price_answer import PriceAnswer
from holdfast.markets.sources.answers import (
    HOUR,
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
from holdfast.markets.sources.slots import slots_from_starts
from holdfast.web.request import HttpRequest

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Seconds = Annotated[int, Field(ge=0, le=LAST_SECOND)]


class _Row(Answered):
    seconds: Seconds
    price: Number | None
    """It is in EUR/MWh; null where there is none."""


class _Reply(Answered):
    unix_seconds: list[Any]
    price: list[Any]
    unit: str = "EUR / MWh"


def converse(source: EnergyChartsSource, asked: Asked) -> PriceConversation:
    """Asks with one request, for whole days: the last one is included."""
    last = asked.end_utc - timedelta(days=1)
    body = yield HttpRequest(
        url=f"{source.url}/price",
        query={"bzn": source.zone, "start": f"{asked.start_utc:%F}", "end": f"{last:%F}"},
    )
    return parse(body, asked)


def parse(body: bytes, asked: Asked) -> PriceAnswer:
    """Returns the prices in EUR within the window. Raises PriceDataError."""
    reply = read_json(_Reply, body)
    if len(reply.unix_seconds) != len(reply.price):
        raise PriceDataError(f"{len(reply.unix_seconds)} times and {len(reply.price)} prices")
    if not is_eur_per_mwh(reply.unit):
        raise PriceDataError(f"prices are in {reply.unit[:40]!r}, not in EUR/MWh")
    left_out = LeftOut(asked.now_utc)
    columns = zip(reply.unix_seconds, reply.price, strict=True)
    rows = [{"seconds": seconds, "price": price} for seconds, price in columns]
    slots = slots_from_starts(
        (
            (_EPOCH + timedelta(seconds=row.seconds), row.price / 1000.0)
            for row in read_rows(_Row, rows, left_out, _end)
            if row.price is not None
        ),
        left_out,
    )
    return exchange_answer("EUR", slots, asked, left_out)


def _end(row: dict[str, int]) -> datetime:
    return _EPOCH + timedelta(seconds=row["seconds"]) + HOUR
