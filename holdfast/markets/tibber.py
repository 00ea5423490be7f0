"""Prices of a Tibber home, in quarter hours."""

from holdfast.core.errors import PriceDataError, SourceError
from holdfast.core.price_config import TibberSource
from holdfast.markets.answers import Answered, Number, Utc, read_json, series_of, slots_from_starts
from holdfast.markets.conversation import Asked, PriceConversation
from holdfast.markets.prices import PriceSeries
from holdfast.web.request import RateLimited, Request, TokenPlace, TokenRefused

# Without the resolution the prices are hourly.
_QUERY = """{viewer{homes{id currentSubscription{priceInfo(resolution:QUARTER_HOURLY){
today{total energy startsAt currency} tomorrow{total energy startsAt currency}}}}}}"""
_REFUSED = {"UNAUTHENTICATED", "FORBIDDEN"}
_LIMITED = {"TOO_MANY_REQUESTS", "RATE_LIMITED"}


class _Price(Answered):
    total: Number
    energy: Number
    startsAt: Utc  # noqa: N815 - the source's name
    currency: str


class _PriceInfo(Answered):
    today: list[_Price]
    tomorrow: list[_Price]
    """Empty until about 13:00."""


class _Subscription(Answered):
    priceInfo: _PriceInfo | None  # noqa: N815


class _Home(Answered):
    id: str
    currentSubscription: _Subscription | None  # noqa: N815


class _Viewer(Answered):
    homes: list[_Home]


class _Data(Answered):
    viewer: _Viewer


class _Extensions(Answered):
    code: str = ""


class _Error(Answered):
    message: str
    extensions: _Extensions | None = None


class _Reply(Answered):
    data: _Data | None = None
    errors: tuple[_Error, ...] = ()


def converse(source: TibberSource, asked: Asked) -> PriceConversation:
    """One request."""
    body = yield Request(
        url=source.url,
        json_body={"query": _QUERY},
        token=TokenPlace.BEARER,
        errors_are_answers=True,
    )
    return parse(body, source, asked)


def parse(body: bytes, source: TibberSource, asked: Asked) -> PriceSeries:
    """Prices within the window. Raises PriceDataError."""
    reply = read_json(_Reply, body)
    if reply.data is None or reply.errors:
        raise _refusal(reply.errors)
    info = _price_info(reply.data.viewer.homes, source.home_id)
    rows = [*info.today, *info.tomorrow]
    currencies = {row.currency for row in rows}
    if len(currencies) != 1:
        raise PriceDataError(f"prices are in {len(currencies)} currencies")
    slots = slots_from_starts((row.startsAt, getattr(row, source.component)) for row in rows)
    return series_of(currencies.pop(), slots, asked.start_utc, asked.end_utc)


def _price_info(homes: list[_Home], home_id: str | None) -> _PriceInfo:
    found = [home for home in homes if home_id in {None, home.id}]
    if len(found) > 1:
        raise PriceDataError(f"the account has {len(found)} homes; say which by home_id")
    subscription = found[0].currentSubscription if found else None
    if subscription is None or subscription.priceInfo is None:
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
