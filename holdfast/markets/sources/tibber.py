"""Prices of a Tibber home come in quarter hours, or in hours where it has no quarter hours."""

from datetime import datetime
from typing import Any

from holdfast.core.config.prices import TibberSource
from holdfast.core.errors import PriceDataError, SourceError
from holdfast.markets.price_answer import PriceAnswer
from holdfast.markets.sources.answers import (
    HOUR,
    Answered,
    Number,
    Utc,
    answer_of,
    instant,
    read_json,
    read_rows,
)
from holdfast.markets.sources.conversation import Asked, PriceConversation
from holdfast.markets.sources.left_out import LeftOut
from holdfast.markets.sources.slots import slots_from_starts
from holdfast.web.request import HttpRequest, RateLimited, TokenPlace, TokenRefused

_QUERY = """{viewer{homes{id currentSubscription{priceInfo(resolution:%s){
today{total energy startsAt currency} tomorrow{total energy startsAt currency}}}}}}"""
_RESOLUTIONS = ("QUARTER_HOURLY", "HOURLY")
_REFUSED = {"UNAUTHENTICATED", "FORBIDDEN"}
_LIMITED = {"TOO_MANY_REQUESTS", "RATE_LIMITED"}


class _Price(Answered):
    total: Number
    energy: Number
    startsAt: Utc  # noqa: N815 - the source's name
    currency: str


class _PriceInfo(Answered):
    today: list[Any]
    tomorrow: list[Any] | None = None
    """It is empty until about 13:00."""


class _Subscription(Answered):
    priceInfo: _PriceInfo | None = None  # noqa: N815


class _Home(Answered):
    id: str
    currentSubscription: _Subscription | None = None  # noqa: N815


class _Viewer(Answered):
    homes: list[_Home | None]


class _Data(Answered):
    viewer: _Viewer | None = None


class _Extensions(Answered):
    code: str = ""


class _Error(Answered):
    message: str
    extensions: _Extensions | None = None


class _Reply(Answered):
    data: _Data | None = None
    errors: tuple[_Error, ...] = ()


def converse(source: TibberSource, asked: Asked) -> PriceConversation:
    """Asks with one request, and with another one where there are no quarter hours."""
    for resolution in _RESOLUTIONS:
        body = yield HttpRequest(
            url=source.url,
            json_body={"query": _QUERY % resolution},
            token=TokenPlace.BEARER,
            errors_are_answers=True,
        )
        answer = parse(body, source, asked)
        if answer is not None:
            return answer
    raise PriceDataError("Tibber gave no prices, neither by the quarter hour nor by the hour")


def parse(body: bytes, source: TibberSource, asked: Asked) -> PriceAnswer | None:
    """Returns the prices within the window; None if the home has none. Raises PriceDataError.

    Errors beside them are of other homes.
    """
    reply = read_json(_Reply, body)
    if reply.data is None or reply.data.viewer is None:
        raise _refusal(reply.errors)
    info = _price_info(reply.data.viewer.homes, source.home_id, reply.errors)
    left_out = LeftOut(asked.now_utc)
    rows = read_rows(_Price, [*info.today, *(info.tomorrow or ())], left_out, _end)
    if not rows and not left_out.is_partial:
        return None
    currencies = {row.currency for row in rows} or {asked.currency}
    if len(currencies) != 1:
        raise PriceDataError(f"prices are in {len(currencies)} currencies")
    starts = ((row.startsAt, getattr(row, source.component)) for row in rows)
    return answer_of(currencies.pop(), slots_from_starts(starts, left_out), asked, left_out)


def _end(price: dict[str, str]) -> datetime:
    return instant(price["startsAt"]) + HOUR


def _price_info(
    homes: list[_Home | None], home_id: str | None, errors: tuple[_Error, ...]
) -> _PriceInfo:
    found = [home for home in homes if home is not None and home_id in {None, home.id}]
    if len(found) > 1:
        raise PriceDataError(f"the account has {len(found)} homes; say which by home_id")
    subscription = found[0].currentSubscription if found else None
    if subscription is None or subscription.priceInfo is None:
        if errors:
            raise _refusal(errors)
        raise PriceDataError("the account has no such home with a subscription")
    return subscription.priceInfo


def _refusal(errors: tuple[_Error, ...]) -> SourceError:
    told = "; ".join(error.message[:200] for error in errors) or "no reason given"
    codes = {error.extensions.code for error in errors if error.extensions is not None}
    if codes & _REFUSED:
        return TokenRefused(f"the token is not accepted: {told}")
    if codes & _LIMITED or "too many requests" in told.lower():
        return RateLimited(f"too many requests: {told}")
    return PriceDataError(f"no prices: {told}")
